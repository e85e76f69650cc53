"""A steady climb of a level that the baseline does not have: a leak (pure).

The trend is looked for pod by pod, within spans of time in which the share of the traffic and the baseline's pods stay the same (a Kendall test by strata:
Hirsch, Slack and Smith 1982), since a level follows what a pod has to do: with each stage it steps up, and is no leak.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations, groupby
from math import sqrt
from statistics import median

from cicd_agents.analysis.canary.earlier import all_requests
from cicd_agents.analysis.canary.tables import Levels, ReplicaTable, Tables

STEPS, TAU, WINDOW = 8, 0.8, 30
# Traffic whose share moves by more than this, and by more than chance, is another load for the pods.
MOVED, SIGMAS = 1.5, 3.0
SAME = 0.02


def spans(tables: Tables, until: int) -> list[Hashable]:
    """A name for each step; steps of the same name have the same share of the traffic and the same pods of the baseline."""
    shares = _told_shares(tables, until) or _seen_shares(tables, until)
    return list(zip(shares, _living(tables.baseline, until), strict=True))


def climb(canary: Sequence[Levels], baseline: Levels, names: Sequence[Hashable], step: float) -> float | None:
    """By how much the level of the canary's pods (a row each) climbs in a minute beyond what the baseline's does in proportion; None without a steady climb."""
    pairs: list[tuple[int, float]] = []
    most = 0
    for row in canary:
        seen = [(name, at, a, b) for at, (name, a, b) in enumerate(zip(names, row, baseline, strict=True)) if a is not None and b is not None][-WINDOW:]
        parts = [_beyond([(at, a, b) for _, at, a, b in part]) for _, part in groupby(seen, key=lambda item: item[0])]
        own = [(late - early, after - before) for part in parts for (early, before), (late, after) in combinations(part, 2)]
        # Noise of the baseline is common to all pods, so one of them must have as many pairs as a span of eight steps has, and a span to tell a climb by.
        if max(map(len, parts), default=0) > STEPS // 2:
            most = max(most, len(own))
        pairs += own
    if most < STEPS * (STEPS - 1) // 2:
        return None
    tau = sum((gain > 0) - (gain < 0) for _, gain in pairs) / len(pairs)
    slope = median(gain / apart for apart, gain in pairs) * 60 / step
    return slope if tau >= TAU and slope > 0 else None


def _beyond(part: Sequence[tuple[int, float, float]]) -> list[tuple[int, float]]:
    """The canary's level without what follows the baseline's: a pod with twice the work climbs twice as much when the traffic grows."""
    mine, other = median(a for _, a, _ in part), median(b for _, _, b in part)
    ratio = max(1.0, mine / other) if other > 0 else 1.0
    return [(at, a - ratio * b) for at, a, b in part]


def _told_shares(tables: Tables, until: int) -> list[float]:
    """The share at the end of each step; a step in which it moves is like no other, and has the negative of its number."""
    told = list(tables.share)
    if not told:
        return []
    shares, place, share = list[float](), 0, told[0][1]
    for index in range(until):
        before = share
        while place < len(told) and told[place][0] < tables.start + (index + 1) * tables.step:
            share = told[place][1]
            place += 1
        shares.append(round(share, 2) if abs(share - before) < SAME else -1.0 - index)
    return shares


def _seen_shares(tables: Tables, until: int) -> list[float]:
    """Numbers that change where the share of the requests does."""
    served, every = (all_requests(side, until) for side in (tables.canary, (*tables.canary, *tables.baseline)))
    shares: list[float] = []
    mine = total = span = 0.0
    for part, whole in zip(served, every, strict=True):
        expected = whole * mine / total if total > 0 else part
        moved = not expected / MOVED <= part <= expected * MOVED and abs(part - expected) > SIGMAS * sqrt(max(part, expected, 1.0))
        if moved:
            mine = total = 0.0
            span += 1.0
        mine, total = mine + part, total + whole
        shares.append(span)
    return shares


def _living(replicas: Sequence[ReplicaTable], until: int) -> list[int]:
    """How many pods came or went until each step: those that are seen for the first time, and after the last time."""
    changes = [0] * (until + 1)
    for replica in replicas:
        seen = [index for index in range(until) if replica.usable[index] and _reports(replica, index)]
        if seen:
            changes[seen[0]] += 1
            changes[seen[-1] + 1] += 1
    result, count = [], 0
    for index in range(until):
        count += changes[index]
        result.append(count)
    return result


def _reports(replica: ReplicaTable, index: int) -> bool:
    return any(row[index] is not None for row in replica.gauges.values())

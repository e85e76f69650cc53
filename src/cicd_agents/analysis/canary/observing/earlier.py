"""The same clock time of earlier days: what is asked of a metrics store, and what its answers say (pure).

The server adds up what all pods counted in blocks of five minutes, so that an answer is small however long ago and however busy: a few dozen numbers for each
class and bucket. `increase` misses what a series is born with; of days that only say what is usual, that is good enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil, isfinite
from typing import TypeVar

from cicd_agents.analysis.canary.history import LEAST_DAYS
from cicd_agents.analysis.canary.observing.ask import MetricsAsk
from cicd_agents.analysis.canary.observing.own import OwnKind
from cicd_agents.analysis.canary.observing.plan import BASELINE, Planned, Selected
from cicd_agents.analysis.canary.observing.promql import all_of, checked, selector
from cicd_agents.analysis.canary.observing.versions import bound_of, outcome_of
from cicd_agents.analysis.canary.packs.choice import Choice
from cicd_agents.domain.canary import Bucket, Replica, Samples, Series, Version
from cicd_agents.domain.guardian import MetricsAnswer, Sampled

DAY, BLOCK, MOST_BLOCKS = 86_400.0, 300, 72
# One more than the least that are compared with, since a median of so few moves much.
ENOUGH_ALIKE = LEAST_DAYS + 1
_Key = TypeVar("_Key")


def earlier_plans(ask: MetricsAsk, choice: Choice, matchers: Mapping[str, Selected]) -> list[Planned]:
    """The queries for all earlier days that are asked for; none where no requests are known to be counted."""
    if choice.pack is None or ask.earlier <= 0:
        return []
    chosen = checked(ask.every, "the matchers of all versions") if ask.every else matchers[BASELINE].traffic
    status = (*choice.pack.status, *choice.pack.grpc)
    queries = {
        role: _increase(selector(name, all_of(chosen, choice.matchers)), by, _block(ask))
        for role, name, by in (("requests", choice.requests, status), ("durations", choice.durations.buckets if choice.durations else "", ("le",)))
        if name
    }
    queries |= {f"counter {own.name}": _increase(own.filled(chosen), (), _block(ask)) for own in ask.own if own.kind is OwnKind.COUNTER}
    return [_planned(ask, day, role, query) for day in range(1, ask.earlier + 1) for role, query in queries.items()]


def _increase(chosen: str, by: Sequence[str], block: int) -> str:
    return f"sum by ({', '.join(by)}) (increase({chosen}[{block}s]))"


def _block(ask: MetricsAsk) -> int:
    """The length of a block in seconds: longer ones for a long window, so that there are never more of them."""
    return BLOCK * max(1, ceil((ask.now - ask.start) / BLOCK / MOST_BLOCKS))


def _planned(ask: MetricsAsk, day: int, role: str, query: str) -> Planned:
    block = _block(ask)
    end = ask.now - day * DAY
    blocks = max(1, ceil((ask.now - ask.start) / block))
    return Planned(role, side_of(day), f"{role} at this time of {side_of(day)}", query, end - (blocks - 1) * block, end, float(block))


def side_of(day: int) -> str:
    """How a day is named."""
    return f"{day} day{'s' if day > 1 else ''} ago"


def earlier_versions(answers: Mapping[str, Mapping[str, MetricsAnswer]], choice: Choice, ask: MetricsAsk) -> tuple[Version, ...]:
    """The days that were answered with anything, each as one replica and moved onto the present. `answers` are those of each day's side, by role.

    A day of the weekend says little of a working day, nor the other way round: where there are enough days of the same kind as the present one, only these.
    """
    found: list[tuple[bool, Version]] = []
    for day in range(1, ask.earlier + 1):
        of_day = answers.get(side_of(day), {})
        requests = _counters(_series(of_day, "requests"), lambda item: outcome_of(item.labels, choice), ask, day)
        buckets = _counters(_series(of_day, "durations"), lambda item: bound_of(item.labels, choice), ask, day)
        own = {
            role.removeprefix("counter "): samples
            for role in of_day if role.startswith("counter ")
            for samples in _counters(_series(of_day, role), lambda _: "", ask, day).values()
        }  # fmt: skip
        if requests or buckets:
            replica = Replica(
                side_of(day), None, tuple(Series(name, samples) for name, samples in sorted(requests.items())),
                tuple(Bucket(bound, samples) for bound, samples in sorted(buckets.items())),
                counters=tuple(Series(name, samples) for name, samples in sorted(own.items())),
            )  # fmt: skip
            found.append((_weekend(ask.now - day * DAY) == _weekend(ask.now), Version(side_of(day), (replica,))))
    alike = tuple(version for same, version in found if same)
    return alike if len(alike) >= ENOUGH_ALIKE else tuple(version for _, version in found)


def _weekend(time: float) -> bool:
    """Whether it is Saturday or Sunday in UTC; 1970 began with a Thursday."""
    return (int(time // DAY) + 3) % 7 >= 5


def _series(answers: Mapping[str, MetricsAnswer], role: str) -> Iterator[Sampled]:
    return iter(answers[role].series if role in answers else ())


def _counters(series: Iterator[Sampled], key: Callable[[Sampled], _Key | None], ask: MetricsAsk, day: int) -> dict[_Key, Samples]:
    """A cumulative counter of each class from what was counted in each block."""
    gains: dict[_Key, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    for item in series:
        name = key(item)
        if name is not None:
            for time, value in item.samples:
                gains[name][time + day * DAY] += value if isfinite(value) and value > 0 else 0.0
    return {name: _added_up(blocks, float(_block(ask))) for name, blocks in gains.items()}


def _added_up(blocks: Mapping[float, float], block: float) -> Samples:
    total, result = 0.0, [(min(blocks) - block, 0.0)]
    for time in sorted(blocks):
        total += blocks[time]
        result.append((time, total))
    return tuple(result)

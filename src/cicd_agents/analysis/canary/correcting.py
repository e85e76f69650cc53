"""The baseline of another time of day as it would be at the canary's, by how the two times differ on earlier days (pure).

Each class of outcomes, each latency bound and each business counter has a factor of its own: the median of days of the ratio of its fractions at the two
times. It is shrunk towards 1 by its own error (James and Stein, "Estimation with quadratic loss", 1961, the positive part), so that chance corrects nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import exp, isfinite, log, pi
from statistics import median

from cicd_agents.analysis.canary.earlier import Counts, Past
from cicd_agents.analysis.canary.history import LEAST_DAYS
from cicd_agents.analysis.canary.outcomes import REST
from cicd_agents.analysis.canary.tables import ReplicaTable, Row, Tables
from cicd_agents.domain.canary import Metric

# The most of a change that is believed; half as slow again is ten times as many requests in the tail.
MOST, MOST_OF_TAIL = log(4.0), log(30.0)
TOLD = 0.02  # a smaller change is not worth a word
MOST_TOLD = 6
GOOD = "2"  # the class that takes up what the others lose or gain

_Pair = Callable[[Counts], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Change:
    """Factors on fractions of the requests: by the first sign of the outcome class, by latency bound, by counter."""

    classes: Mapping[str, float]
    bounds: Mapping[float, float]
    counters: Mapping[str, float]

    @property
    def said(self) -> str:
        """The changes that are worth a word; empty: there are none."""
        return ", ".join(f"{what} × {change:.2f}" for what, change in [each for each in self._named() if abs(log(each[1])) > TOLD][:MOST_TOLD])

    def _named(self) -> Iterator[tuple[str, float]]:
        yield from ((f"{name}xx" if name.isdigit() else name, change) for name, change in self.classes.items())
        yield from self.counters.items()
        yield from ((f"slower than {bound:g} s", change) for bound, change in self.bounds.items())


def usual_change(past: Past, tables: Tables, metrics: Iterable[Metric]) -> Change:
    """What usually changes from the baseline's time of day to the canary's."""
    classes = sorted({name[:1] for replica in tables.baseline for name in replica.requests if name != REST} - {GOOD})
    bounds = sorted({bound for replica in tables.baseline for bound in replica.latency if isfinite(bound)})
    counters: dict[str, float] = {}
    for metric in metrics:
        if metric.of:
            change = factor(past, partial(Counts.pair, metric=metric))
            counters |= {name: change for name in metric.events if name not in counters}
    by_class = {name: factor(past, partial(Counts.of_class, sign=name)) for name in classes}
    return Change(by_class, {bound: factor(past, partial(Counts.slower, bound=bound), MOST_OF_TAIL) for bound in bounds}, counters)


def factor(past: Past, pair: _Pair, most: float = MOST) -> float:
    """The usual factor of a fraction, 1 where it is not known."""
    changes, chance = [], []
    for day in past.days:
        (x, n), (y, m) = pair(day.now), pair(day.before)
        if n > 0 and m > 0:
            changes.append(log((x + 0.5) / (n + 1)) - log((y + 0.5) / (m + 1)))
            chance.append(1 / (x + 0.5) + 1 / (y + 0.5))
    if len(changes) < LEAST_DAYS:
        return 1.0
    middle = median(changes)
    spread = 1.4826 * median(abs(change - middle) for change in changes)
    # The variance of a median is half pi times that of a mean.
    error = pi / 2 * max(spread * spread, median(chance)) / len(changes)
    believed = middle * max(0.0, 1 - error / (middle * middle)) if middle else 0.0
    return exp(max(-most, min(most, believed)))


def corrected(tables: Tables, change: Change) -> Tables:
    """The tables with the baseline multiplied by the changes."""
    baseline = tuple(
        replace(
            replica, requests=_outcomes(replica, change.classes), latency=_latencies(replica, change.bounds),
            counters={name: [value * change.counters.get(name, 1.0) for value in row] for name, row in replica.counters.items()},
        )
        for replica in tables.baseline
    )  # fmt: skip
    return replace(tables, baseline=baseline, streams={})


def _outcomes(replica: ReplicaTable, changes: Mapping[str, float]) -> dict[str, Row]:
    """All requests stay as many as they were."""
    moved = {name: [value * changes[name[:1]] for value in row] for name, row in replica.requests.items() if name[:1] in changes}
    if not moved:
        return replica.requests
    good = {name: row for name, row in replica.requests.items() if name[:1] not in changes}
    totals, troubled, well = (_summed(rows.values()) for rows in (replica.requests, moved, good))
    kept = [max(0.0, total - bad) / before if before > 0 else 1.0 for total, bad, before in zip(totals, troubled, well, strict=True)] if good else []
    return moved | {name: [value * part for value, part in zip(row, kept, strict=True)] for name, row in good.items()}


def _summed(rows: Iterable[Sequence[float]]) -> Row:
    return [sum(column) for column in zip(*rows, strict=True)]


def _latencies(replica: ReplicaTable, changes: Mapping[float, float]) -> dict[float, Row]:
    if not replica.latency:
        return {}
    total = replica.latency[max(replica.latency)]
    result: dict[float, Row] = {}
    below = [0.0] * len(total)
    for bound in sorted(replica.latency):
        slower = changes.get(bound, 1.0)
        below = [max(low, n - min(n, slower * max(0.0, n - x))) for low, n, x in zip(below, total, replica.latency[bound], strict=True)]
        result[bound] = below
    return result

"""The same clock time of earlier days, where no baseline of the same time is left (pure).

Two things are learned of them. What usually changes from the baseline's time of day to the canary's: the baseline is corrected by it (correcting.py), so that a
drift which is usual for the hour explains itself away. And what is usual at the canary's time of day: a failure must lie beyond that too (history.py). Both
are weaker than a baseline that runs beside the canary: what else differs between days cannot be told apart from the release.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import TypeVar

from cicd_agents.analysis.canary.counters import clean, increments, spread
from cicd_agents.analysis.canary.history import LEAST_DAYS
from cicd_agents.analysis.canary.streams import quantile, requests
from cicd_agents.analysis.canary.tables import MAX_REPLICAS, MAX_SERIES, ReplicaTable, Tables
from cicd_agents.domain.canary import Kind, Metric, Observation, Samples, Version

_Key = TypeVar("_Key", str, float)
DAY = 86_400.0
LATELY = 15  # steps, of which the present is compared with the same minutes of earlier days


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted in a window: requests by outcome class, requests by latency bound, other counters by name."""

    requests: MutableMapping[str, float]
    latency: MutableMapping[float, float]
    counters: MutableMapping[str, float]

    @property
    def total(self) -> float:
        """All requests."""
        return sum(self.requests.values()) if self.requests else max(self.latency.values(), default=0.0)

    def pair(self, metric: Metric) -> tuple[float, float]:
        """Events and exposure of a count ratio."""
        if metric.of or any(name in metric.events for name in self.counters):
            events = sum(value for name, value in self.counters.items() if name in metric.events)
        else:
            events = sum(value for name, value in self.requests.items() if name.startswith(metric.events or ("5",)))
        return events, sum(value for name, value in self.counters.items() if name in metric.of) if metric.of else self.total

    def of_class(self, sign: str) -> tuple[float, float]:
        """Requests whose outcome class begins so, and all."""
        return sum(value for name, value in self.requests.items() if name.startswith(sign)), sum(self.requests.values())

    def slower(self, bound: float) -> tuple[float, float]:
        """Requests slower than a bound, and all that were measured; nothing where the bound is not there."""
        total = max(self.latency.values(), default=0.0)
        return (max(0.0, total - self.latency[bound]), total) if bound in self.latency else (0.0, 0.0)

    def level(self, metric: Metric) -> float | None:
        """The metric's value, None where it was not counted."""
        if metric.kind is Kind.QUANTILE:
            return quantile(sorted(self.latency.items()), metric.quantile or 0.95)
        events, exposure = self.pair(metric)
        return events / exposure if exposure > 0 else None


@dataclass(frozen=True, slots=True)
class Day:
    """An earlier day: at the baseline's time of day, at the canary's, and of that the last minutes."""

    before: Counts
    now: Counts
    lately: Counts


@dataclass(frozen=True, slots=True)
class Past:
    """The earlier days that had traffic at both times, of so many that were looked at."""

    days: tuple[Day, ...] = ()
    asked: int = 0

    @property
    def known(self) -> bool:
        """Whether there are enough of them."""
        return len(self.days) >= LEAST_DAYS

    @property
    def said(self) -> str:
        """What is to be said where they are too few; empty where they are not."""
        if self.known:
            return ""
        return f"the same time of earlier days is not looked at: {len(self.days)} of {self.asked} days have requests at both times, {LEAST_DAYS} are needed"

    @property
    def errors(self) -> float | None:
        """The usual part of server errors at the canary's time of day; None: not known."""
        return median(bad / total for bad, total in (day.now.of_class("5") for day in self.days) if total > 0) if self.known else None

    def lately(self, metric: Metric) -> list[list[float]]:
        """The metric of each day in the last minutes."""
        levels = [day.lately.level(metric) for day in self.days]
        return [[level] for level in levels if level is not None]


def past_of(observation: Observation, tables: Tables, until: int, asked: int) -> Past:
    """What the earlier days show of the steps in which both versions are compared."""
    both = [at for at, pair in enumerate(zip(all_requests(tables.canary, until), all_requests(tables.baseline, until), strict=True)) if min(pair) > 0]
    if not both or asked <= 0:
        return Past((), max(0, asked))
    begin, end = (tables.start + at * tables.step for at in (both[0], both[-1] + 1))
    # A baseline of the same time of an earlier day was at the same clock time.
    back = observation.moved % DAY
    recent = max(begin, end - LATELY * tables.step)
    windows = ((begin - back, end - back), (begin, end), (recent, end))
    days = [Day(*_counted(version, windows)) for version in observation.earlier[:asked]]
    return Past(tuple(day for day in days if min(day.before.total, day.now.total) > 0), asked)


def all_requests(side: Sequence[ReplicaTable], until: int) -> list[float]:
    """All requests of a version, step by step."""
    rows = [row[:until] for replica in side for row in requests(replica)]
    return [sum(column) for column in zip(*rows, strict=True)] if rows else [0.0] * until


def _counted(version: Version, windows: Sequence[tuple[float, float]]) -> list[Counts]:
    """What all replicas counted in each window."""
    found = [Counts(defaultdict(float), defaultdict(float), defaultdict(float)) for _ in windows]
    for replica in version.replicas[:MAX_REPLICAS]:
        for series in replica.requests[:MAX_SERIES]:
            _add(series.samples, windows, series.name, [counts.requests for counts in found])
        for bucket in replica.buckets[:MAX_SERIES]:
            _add(bucket.samples, windows, bucket.bound, [counts.latency for counts in found])
        for series in replica.counters[:MAX_SERIES]:
            _add(series.samples, windows, series.name, [counts.counters for counts in found])
    return found


def _add(samples: Samples, windows: Sequence[tuple[float, float]], key: _Key, sums: Sequence[MutableMapping[_Key, float]]) -> None:
    found: Counter[str] = Counter()
    counted = increments(clean(samples, found), (), None, inf, found)
    for (begin, end), total in zip(windows, sums, strict=True):
        total[key] += spread(counted, begin, max(1e-9, end - begin), 1)[0]

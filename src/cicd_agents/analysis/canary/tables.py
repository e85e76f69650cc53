"""An observation on a grid of minutes, after hygiene: what each replica counted in each step, and which steps count (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from math import floor, isfinite, isinf, isnan
from statistics import median_low

from cicd_agents.analysis.canary.counters import clean, increments, levels, resets, spread
from cicd_agents.analysis.canary.outcomes import classed
from cicd_agents.domain.canary import CanaryPolicy, Observation, Replica, Samples, Version

MAX_BINS = 1440
MAX_REPLICAS = 500
MAX_SERIES = 400
# Warm-up is granted again after a restart, but not without end: a crash loop would hide behind it.
RESTARTS_EXCUSED = 2

Row = list[float]
# The first step of a pod's life, the rest of its warm-up, and as long again after it.
AGES = ("newborn", "young", "adolescent")


@dataclass(frozen=True, slots=True)
class Counted:
    """Events and exposure of one version: a row for each replica, warm-up and other unusable steps zero."""

    events: list[Row]
    exposure: list[Row]

    def total(self, until: int) -> tuple[Row, Row]:
        """Both summed over the replicas, up to a step."""
        return _columns(self.events, until), _columns(self.exposure, until)


@dataclass(frozen=True, slots=True)
class Stream:
    """One pair of counts to compare. `bound`: slower than so many seconds. `complement`: the events are those that did not happen.

    `ages` are the canary's counts by the age of its pods (`AGES`): they tell how long the warm-up really lasts.
    """

    canary: Counted
    baseline: Counted
    bound: float | None = None
    complement: bool = False
    ages: tuple[Counted, ...] = ()


def _columns(rows: Sequence[Sequence[float]], until: int) -> Row:
    return [sum(column) for column in zip(*(row[:until] for row in rows), strict=True)] if rows else [0.0] * until


Levels = list[float | None]


@dataclass(frozen=True, slots=True)
class ReplicaTable:
    """One replica on the grid. `usable` says which steps count, warm-up apart; rows of counters by name, `latency` by bound, ascending.

    `ages` say for each of `AGES` which steps the replica was so old in; only where it did not restart meanwhile.
    """

    name: str
    usable: list[bool]
    requests: dict[str, Row]
    latency: dict[float, Row]
    counters: dict[str, Row]
    gauges: dict[str, Levels]
    logs: dict[str, Row]
    critical: frozenset[str]
    restarts: tuple[float, ...]
    health: tuple[tuple[float, bool], ...]
    started: float | None
    ages: tuple[list[bool], ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """Both versions on one grid of `bins` steps from `start`; `since` is when the canary began, `last` the time of its newest sample, None without one.

    `smeared` is how many steps an interval between two samples of a canary's pod usually lies in.
    """

    start: float
    step: float
    bins: int
    since: float
    last: float | None
    baseline: tuple[ReplicaTable, ...]
    canary: tuple[ReplicaTable, ...]
    baseline_values: dict[str, Levels]
    canary_values: dict[str, Levels]
    share: Samples
    exclusions: tuple[str, ...]
    smeared: int
    streams: dict[object, Stream] = field(default_factory=dict, compare=False, repr=False)

    def stream(self, key: object, make: Callable[[Sequence[ReplicaTable], Sequence[ReplicaTable]], Stream]) -> Stream:
        """The stream of this key, made once for all looks at these tables."""
        if key not in self.streams:
            self.streams[key] = make(self.canary, self.baseline)
        return self.streams[key]

    @property
    def begun(self) -> int:
        """The step in which the canary began."""
        return max(0, round((self.since - self.start) / self.step))

    def bins_until(self, now: float) -> int:
        """How many whole steps there are until `now`."""
        return max(0, min(self.bins, floor((now - self.start) / self.step + 1e-6)))


def tabulate(observation: Observation, policy: CanaryPolicy) -> Tables | None:
    """The tables of all samples, None where there is no usable sample at all."""
    observation = classed(observation)
    cleaned = [[_clean_replica(replica) for replica in version.replicas[:MAX_REPLICAS]] for version in (observation.baseline, observation.canary)]
    values = [
        {series.name: clean(series.samples, Counter()) for series in version.values[:MAX_SERIES]} for version in (observation.baseline, observation.canary)
    ]
    times = [time for side in cleaned for replica in side for time in replica.scrapes]
    times += [time for side in values for samples in side.values() for time, _ in samples]
    # Health results alone make a grid too: before a switch there is nothing else to see.
    times = times or [time for replica in observation.canary.replicas[:MAX_REPLICAS] for time, _ in replica.health if isfinite(time) and abs(time) < 1e15]
    if not times:
        return None
    canary_times = [replica.scrapes[0] for replica in cleaned[1] if replica.scrapes] + [samples[0][0] for samples in values[1].values() if samples]
    canary_last = [replica.scrapes[-1] for replica in cleaned[1] if replica.scrapes] + [samples[-1][0] for samples in values[1].values() if samples]
    newest, step = max(times), max(1.0, policy.step)
    since = observation.since if observation.since is not None and abs(observation.since) < 1e15 else min(canary_times, default=newest)
    bins = min(MAX_BINS, max(1, floor((newest - min(times)) / step) + 2))
    # The grid is aligned with the start of the canary.
    start = since + floor((newest - since) / step + 1 - bins) * step
    grid = _Grid(start, step, bins, policy, min(times))
    sides = [tuple(grid.replica(replica) for replica in side) for side in cleaned]
    notes = [text for side, version in zip(cleaned, (observation.baseline, observation.canary), strict=True) for text in _told(version, side, policy)]
    tables = [{name: levels(samples, start, step, bins) for name, samples in side.items()} for side in values]
    last = max(canary_last, default=None)
    share = tuple((time, part) for time, part in clean(observation.share, Counter()) if 0 <= part <= 1)
    if len(share) < len(observation.share):
        notes.append("shares of the traffic that are not from 0 to 1 are left out")
    return Tables(start, step, bins, since, last, sides[0], sides[1], tables[0], tables[1], share, tuple(notes), _smeared(cleaned[1], start, step))


@dataclass(frozen=True, slots=True)
class _Cleaned:
    """A replica with clean samples; `scrapes` are all the times it was seen at."""

    source: Replica
    requests: dict[str, list[tuple[float, float]]]
    latency: dict[float, list[tuple[float, float]]]
    counters: dict[str, list[tuple[float, float]]]
    gauges: dict[str, list[tuple[float, float]]]
    logs: dict[str, list[tuple[float, float]]]
    scrapes: list[float]
    found: Counter[str]


def _clean_replica(replica: Replica) -> _Cleaned:
    found: Counter[str] = Counter()
    named = [{item.name: clean(item.samples, found) for item in items[:MAX_SERIES]} for items in (replica.requests, replica.counters, replica.gauges)]
    latency = {bucket.bound: clean(bucket.samples, found) for bucket in replica.buckets[:MAX_SERIES] if not isnan(bucket.bound) and bucket.bound > 0}
    logs = {log.template: clean(log.samples, found) for log in replica.logs[:MAX_SERIES]}
    every = chain(*(part.values() for part in named), latency.values(), logs.values())
    scrapes = sorted({time for samples in every for time, _ in samples})
    return _Cleaned(replica, named[0], dict(sorted(latency.items())), named[1], named[2], logs, scrapes, found)


@dataclass(frozen=True, slots=True)
class _Grid:
    start: float
    step: float
    bins: int
    policy: CanaryPolicy
    first: float

    def replica(self, replica: _Cleaned) -> ReplicaTable:
        born = self._born(replica)
        again = _restarts(replica)
        hole, found, scrapes = self.policy.hole, replica.found, replica.scrapes

        def rows(series: Iterable[tuple[object, Sequence[tuple[float, float]]]]) -> dict[object, Row]:
            return {key: spread(increments(samples, scrapes, born, hole, found), self.start, self.step, self.bins) for key, samples in series}

        requests, counters, logs = ({str(key): row for key, row in rows(part.items()).items()} for part in (replica.requests, replica.counters, replica.logs))
        latency = dict(zip(replica.latency, rows(replica.latency.items()).values(), strict=True))
        gauges = {name: levels(samples, self.start, self.step, self.bins) for name, samples in replica.gauges.items()}
        health = tuple(sorted((time, bool(well)) for time, well in replica.source.health[-10_000:] if abs(time) < 1e15))
        return ReplicaTable(
            replica.source.name, self._usable(born, again), requests, latency, counters, gauges, logs,
            frozenset(log.template for log in replica.source.logs if log.critical), again, health, born, self._ages(born, again),
        )  # fmt: skip

    def _born(self, replica: _Cleaned) -> float | None:
        """When the replica started, where that is within the window: as told, or because it appeared later than the others."""
        started = replica.source.started
        if started is not None and abs(started) < 1e15:
            return started if started >= self.first - self.policy.warm_up else None
        if replica.scrapes and replica.scrapes[0] > self.first + 1.5 * self.step:
            return replica.scrapes[0] - self.step
        return None

    def _ages(self, born: float | None, again: Sequence[float]) -> tuple[list[bool], ...]:
        ages = tuple([False] * self.bins for _ in AGES)
        warm = self.policy.warm_up
        if born is None or any(time < born + 2 * warm for time in again):
            return ages
        for index in range(max(0, floor((born - self.start) / self.step)), self.bins):
            age = self.start + index * self.step - born
            if age >= 2 * warm - 1e-6:
                break
            ages[0 if age < self.step - 1e-6 and age < warm - 1e-6 else 1 if age < warm - 1e-6 else 2][index] = True
        return ages

    def _usable(self, born: float | None, again: Sequence[float]) -> list[bool]:
        usable = [True] * self.bins
        for begin in (*([born] if born is not None else []), *again[:RESTARTS_EXCUSED]):
            low = max(0, floor((begin - self.start) / self.step))
            for index in range(low, self.bins):
                if self.start + index * self.step >= begin + self.policy.warm_up - 1e-6:
                    break
                usable[index] = False
        return usable


def _smeared(side: Sequence[_Cleaned], start: float, step: float) -> int:
    """The median over all intervals; a step counts from a tenth of it on."""
    spans = [(before - start, after - start) for replica in side for before, after in pairwise(replica.scrapes)]
    return max(1, median_low([floor(end / step - 0.1) - floor(begin / step + 0.1) + 1 for begin, end in spans] or [1]))


def _restarts(replica: _Cleaned) -> tuple[float, ...]:
    """When the replica started again: by its restart counter where there is one, otherwise by resets of its request or latency counters."""
    counted = replica.counters.get("restarts")
    if counted:
        return tuple(after[0] for before, after in pairwise(counted) for _ in range(int(min(10.0, max(0.0, after[1] - before[1])))))
    rows = list(replica.requests.values()) + [samples for bound, samples in replica.latency.items() if isinf(bound)]
    return tuple(resets(rows))


def _begins_within(replica: _Cleaned, warm_up: float) -> bool:
    """Whether the pod is said to have begun so late that it was seen warming up."""
    started = replica.source.started
    return started is not None and bool(replica.scrapes) and started > replica.scrapes[0] - warm_up


def _told(version: Version, side: Sequence[_Cleaned], policy: CanaryPolicy) -> list[str]:
    """What was excluded of a version, in plain words."""
    total: Counter[str] = Counter()
    for replica in side:
        total.update({text: count for text, count in replica.found.items() if count})
    told = [f"{version.name}: {count} {text}" for text, count in sorted(total.items())]
    if policy.warm_up > 0 and any(_begins_within(replica, policy.warm_up) for replica in side):
        told.append(f"{version.name}: the first {policy.warm_up / 60:g} minutes of each pod's life are warm-up and not compared")
    if len(version.replicas) > MAX_REPLICAS:
        told.append(f"{version.name}: only the first {MAX_REPLICAS} of {len(version.replicas)} replicas are read")
    return told

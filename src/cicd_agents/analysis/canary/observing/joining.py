"""From the raw counters of one replica to one cumulative counter for each class and bucket (pure).

Several series of a pod count for one class: routes, methods, ports, containers. Each is differenced alone first, so that a reset of one does not hide behind
the growth of another; then the gains are added up again. A series that is born after its target was first scraped counts from 0 since the scrape before: the
first errors come with the birth of their series (prometheus/prometheus#1673). A target's first scrape is a starting point, unless its pod began in the window.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite

from cicd_agents.domain.canary import Samples
from cicd_agents.domain.guardian import Sampled

# What tells apart who was scraped. Two of them with one `instance` are one process, scraped twice (by two Services, or by a pair of Prometheus servers).
TARGET = ("instance", "job", "service", "endpoint", "prometheus_replica", "prometheus", "container")
# Of these, those that applications give to their requests as well: the route as `endpoint`, the backend of a proxy as `service`.
_AMBIGUOUS = ("service", "endpoint", "container")

Target = tuple[str, ...]
Scrapes = Mapping[Target, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Raw:
    """One raw series in order of time, without samples that are no numbers. `replica` is the pod or what stands for it."""

    labels: Mapping[str, str]
    samples: Samples
    replica: str

    @property
    def target(self) -> Target:
        """Who was scraped."""
        return (self.replica, *(self.labels.get(name, "") for name in TARGET))


def raw_of(series: Iterable[Sampled], replica_labels: Sequence[str]) -> list[Raw]:
    """The series that have a usable sample; those without any of the labels belong to the replica "all"."""
    found = []
    for item in series:
        samples = tuple(sorted({time: value for time, value in item.samples if isfinite(time) and isfinite(value) and value >= 0}.items()))
        if samples:
            replica = next((item.labels[label] for label in replica_labels if item.labels.get(label)), "all")
            found.append(Raw(item.labels, samples, replica))
    return found


def by_scrape(series: Sequence[Raw]) -> list[Raw]:
    """The series without labels that look like a target's and are the application's own: one scrape shows several of their values beside each other.

    Else routes would be taken for one process that is scraped several times, and only one of them would be counted.
    """
    groups: dict[Target, list[Raw]] = defaultdict(list)
    for item in series:
        groups[replace(item, labels=_without(item.labels)).target].append(item)
    own = {id(item) for group in groups.values() if _beside(group) for item in group}
    return [replace(item, labels=_without(item.labels)) if id(item) in own else item for item in series]


def _without(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if name not in _AMBIGUOUS}


def _beside(group: Sequence[Raw]) -> bool:
    """Whether different ones of these targets stand in one scrape: at the same moment, with values that no second scrape of the same counter could have."""
    targets: dict[Target, list[Raw]] = defaultdict(list)
    for item in group:
        targets[item.target].append(item)
    if len(targets) < 2:
        return False
    keys = [{frozenset(_without(item.labels).items()): item for item in items} for items in targets.values()]
    first, *others = keys
    for other in others:
        shared = [(first[key], other[key]) for key in first if key in other]
        if any(_differ(one.samples, two.samples) for one, two in shared) or (not shared and _meet(first.values(), other.values())):
            return True
    return False


def _meet(ones: Iterable[Raw], twos: Iterable[Raw]) -> bool:
    return bool({time for item in ones for time, _ in item.samples} & {time for item in twos for time, _ in item.samples})


def _differ(one: Samples, two: Samples) -> bool:
    """Whether `two` has a value, at a moment of `one`, that is not between those that `one` has before and after it."""
    place = {time: index for index, (time, _) in enumerate(one)}
    for time, value in two:
        if (index := place.get(time)) is not None:
            near = [number for _, number in one[max(0, index - 1) : index + 2]]
            if not min(near) <= value <= max(near):
                return True
    return False


def once(series: Sequence[Raw], process_starts: Mapping[Target, float] | None = None) -> tuple[list[Raw], int]:
    """The series without those of targets that are the same process, scraped twice; and how many targets were left out.

    The same process: the same replica and `instance`, or the same replica and the same start of the process to the millisecond.
    """
    sizes: dict[Target, int] = defaultdict(int)
    for item in series:
        sizes[item.target] += len(item.samples)
    kept: dict[tuple[str, object], Target] = {}
    dropped: set[Target] = set()
    starts = process_starts or {}
    for target in sorted(sizes, key=lambda each: (-sizes[each], each)):
        names: list[object] = [target[1]] if target[1] else []
        if target in starts:
            names.append(round(starts[target], 3))
        if any((target[0], name) in kept for name in names):
            dropped.add(target)
            continue
        kept.update({(target[0], name): target for name in names})
    return [item for item in series if item.target not in dropped], len(dropped)


def scrapes_of(series: Iterable[Raw]) -> dict[Target, list[float]]:
    """When each target was scraped, as its series show."""
    times: dict[Target, set[float]] = defaultdict(set)
    for item in series:
        times[item.target].update(time for time, _ in item.samples)
    return {target: sorted(seen) for target, seen in times.items()}


def joined(parts: Sequence[Raw], scrapes: Scrapes, hole: float, *, born: bool = False) -> Samples:
    """One counter of all parts. `born`: the replica began within the window, so that the first value of its targets was counted there.

    What was counted over more than `hole` seconds without a scrape is left out. Where a part was reset the whole counter begins again, as far as it can.
    """
    events: dict[float, list[tuple[float, bool]]] = defaultdict(list)
    for part in parts:
        _gains(part, scrapes.get(part.target, ()), hole, events, born=born)
    total, result = 0.0, []
    for time in sorted(events):
        gain = sum(amount for amount, _ in events[time])
        fresh = any(reset for _, reset in events[time]) and gain < total
        total = gain if fresh else total + gain
        result.append((time, total))
    return tuple(result)


def _gains(part: Raw, scrapes: Sequence[float], hole: float, events: dict[float, list[tuple[float, bool]]], *, born: bool) -> None:
    first, value = part.samples[0]
    place = bisect_left(scrapes, first)
    if place:
        before = scrapes[place - 1]
        events[before].append((0.0, False))
        events[first].append((value if first - before <= hole else 0.0, False))
    else:
        events[first].append((value if born else 0.0, False))
    for (time, earlier), (later, now) in pairwise(part.samples):
        reset = now < earlier
        gain = now if reset else now - earlier
        events[later].append((gain if later - time <= hole else 0.0, reset))

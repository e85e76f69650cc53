"""CPU, memory and connections of pods as levels, from raw counters, gauges and limits (pure)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from cicd_agents.analysis.canary.observing.joining import Raw, joined, scrapes_of
from cicd_agents.domain.canary import Samples

# CPU is the growth of its counter over about a minute: between two scrapes it depends on when the exporter looked.
RATE_OVER = 55.0
# A value stands for so many seconds where the parts of a pod are scraped at different times.
HOLD = 60.0

Part = tuple[str, str]  # the pod and its container


def parts_of(series: Iterable[Raw]) -> dict[Part, list[Raw]]:
    """The series of each container of each pod."""
    found: dict[Part, list[Raw]] = defaultdict(list)
    for item in series:
        found[item.replica, item.labels.get("container", "")].append(item)
    return dict(found)


def cores(series: Sequence[Raw], hole: float) -> dict[Part, Samples]:
    """How many cores each container used, from its counter of CPU seconds."""
    scrapes = scrapes_of(series)
    return {part: _growth(joined(items, scrapes, hole), hole) for part, items in parts_of(series).items()}


def _growth(counter: Samples, hole: float) -> Samples:
    times = [time for time, _ in counter]
    result = []
    for time, value in counter:
        place = bisect_right(times, time - RATE_OVER) - 1
        if place >= 0 and time - times[place] <= hole and value >= counter[place][1]:
            result.append((time, (value - counter[place][1]) / (time - times[place])))
    return tuple(result)


def plain(series: Iterable[Raw]) -> dict[Part, Samples]:
    """A gauge of each container; where an exporter was asked twice, or a container has several series, the highest at each time."""
    return {part: stacked([item.samples for item in items], max) for part, items in parts_of(series).items()}


def latest(series: Iterable[Raw]) -> dict[Part, float]:
    """The newest value of each container that is above zero: a limit of 0 means that there is none."""
    found: dict[Part, tuple[float, float]] = {}
    for item in series:
        part = item.replica, item.labels.get("container", "")
        if item.samples[-1][1] > 0:
            found[part] = max(found.get(part, (0.0, 0.0)), item.samples[-1])
    return {part: value for part, (_, value) in found.items()}


def percent(used: Mapping[Part, Samples], limits: Mapping[Part, float]) -> dict[str, Samples]:
    """Percent of the limit for each pod that has one: that of its fullest container, since each is throttled and killed by its own limit."""
    parts: dict[str, list[Samples]] = defaultdict(list)
    for part, samples in used.items():
        limit = limits.get(part)
        if limit:
            parts[part[0]].append(tuple((time, 100 * value / limit) for time, value in samples))
    return {pod: stacked(rows, max) for pod, rows in parts.items()}


def total(used: Mapping[Part, Samples]) -> dict[str, Samples]:
    """The sum over the containers of each pod."""
    parts: dict[str, list[Samples]] = defaultdict(list)
    for (pod, _), samples in used.items():
        parts[pod].append(samples)
    return {pod: stacked(rows, sum) for pod, rows in parts.items()}


def stacked(rows: Sequence[Samples], how: Callable[[list[float]], float]) -> Samples:
    """Several levels as one, at the times of all of them; each value stands until the next one, but no longer than HOLD seconds."""
    if len(rows) == 1:
        return rows[0]
    own_times = [[time for time, _ in row] for row in rows]
    result = []
    for time in sorted({time for times in own_times for time in times}):
        values = []
        for row, times in zip(rows, own_times, strict=True):
            place = bisect_right(times, time) - 1
            if place >= 0 and time - times[place] <= HOLD:
                values.append(row[place][1])
        result.append((time, float(how(values))))
    return tuple(result)

"""When pods began, how often they were restarted and killed, and whether they were ready (pure)."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from cicd_agents.analysis.canary.observing.joining import Raw, Target
from cicd_agents.analysis.canary.observing.levels import Part, parts_of, stacked
from cicd_agents.domain.canary import Samples

# A restart and its reason are told in one status of the pod, so in one scrape.
SAME = 1.0
# A pod without a sample for so many seconds has gone.
GONE = 90.0

Health = tuple[tuple[float, bool], ...]


def starts(pods: Iterable[Raw], processes: Iterable[Raw]) -> dict[str, float]:
    """When each pod began: what the cluster says, otherwise the oldest start of its process that was seen."""
    found: dict[str, float] = {}
    for item in processes:
        oldest = min(value for _, value in item.samples)
        found[item.replica] = min(found.get(item.replica, oldest), oldest)
    told = {item.replica: item.samples[-1][1] for item in pods}
    return found | told


def process_starts(processes: Iterable[Raw]) -> dict[Target, float]:
    """The start of each scraped process, by which two targets are known as one."""
    return {item.target: item.samples[-1][1] for item in processes}


def restarts(series: Iterable[Raw], started: Mapping[str, float], window: float) -> tuple[dict[str, Samples], dict[Part, Samples]]:
    """The restarts of each pod, and of each container. Of a pod that began within the window the ones before its first sample count too."""
    parts = {part: _state([item.samples for item in items]) for part, items in parts_of(series).items()}
    for part, samples in parts.items():
        begin = started.get(part[0])
        if begin is not None and window <= begin < samples[0][0] and samples[0][1] > 0:
            parts[part] = ((begin, 0.0), *samples)
    pods: dict[str, list[Samples]] = defaultdict(list)
    for (pod, _), samples in parts.items():
        pods[pod].append(samples)
    return {pod: _summed(rows) for pod, rows in pods.items()}, parts


def oom_kills(reasons: Iterable[Raw], restarted: Mapping[Part, Samples]) -> dict[str, Samples]:
    """Kills for want of memory of each pod, as a counter: the restarts after which OOMKilled was the last reason."""
    kills: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for part, items in parts_of(reasons).items():
        times = sorted({time for item in items for time, value in item.samples if value > 0})
        kills[part[0]] += [
            (after, value - before)
            for (_, before), (after, value) in pairwise(restarted.get(part, ()))
            if value > before and _within(times, after - SAME, after + SAME)
        ]
    return {pod: counter for pod, found in kills.items() if (counter := _counted(found, restarted, pod))}


def readiness(series: Iterable[Raw], started: Mapping[str, float], warm_up: float, now: float) -> dict[str, Health]:
    """Whether each pod was ready, over time.

    Starting is not failing: what is not ready yet in its warm-up is left out, and so is the end of a pod that has gone.
    """
    found: dict[str, Health] = {}
    for pod, items in _by_pod(series).items():
        samples = _state([item.samples for item in items])
        begin = started.get(pod, samples[0][0] if samples[0][1] < 1 else None)
        health = [(time, value >= 1) for time, value in samples]
        first_ready = next((place for place, (_, well) in enumerate(health) if well), len(health))
        if begin is not None:
            health = [(time, well) for place, (time, well) in enumerate(health) if place >= first_ready or time >= begin + warm_up]
        if now - samples[-1][0] > GONE:
            while health and not health[-1][1]:
                health.pop()
        if health:
            found[pod] = tuple(health)
    return found


def _by_pod(series: Iterable[Raw]) -> dict[str, list[Raw]]:
    found: dict[str, list[Raw]] = defaultdict(list)
    for item in series:
        found[item.replica].append(item)
    return found


def _state(rows: Sequence[Samples]) -> Samples:
    """What an exporter says of an object, whichever copy of the exporter was asked."""
    merged: dict[float, float] = {}
    for row in rows:
        for time, value in row:
            merged[time] = max(value, merged.get(time, value))
    return tuple(sorted(merged.items()))


def _summed(rows: Sequence[Samples]) -> Samples:
    """Counters of containers as one from 0 on that never falls: a container that is not told of for a while keeps its number."""
    samples = stacked(rows, sum)
    highest, result = samples[0][1], []
    for time, value in samples:
        highest = max(highest, value)
        result.append((time, highest - samples[0][1]))
    return tuple(result)


def _within(times: Sequence[float], low: float, high: float) -> bool:
    place = bisect_left(times, low)
    return place < len(times) and times[place] <= high


def _counted(kills: Iterable[tuple[float, float]], restarted: Mapping[Part, Samples], pod: str) -> Samples:
    """A counter over all that is known of the pod, so that a kill has a sample before it."""
    gained: dict[float, float] = defaultdict(float)
    for time, number in kills:
        gained[time] += number
    times = {time for (name, _), samples in restarted.items() if name == pod for time, _ in samples}
    total, result = 0.0, []
    for time in sorted(times):
        total += gained.get(time, 0.0)
        result.append((time, total))
    return tuple(result) if gained else ()

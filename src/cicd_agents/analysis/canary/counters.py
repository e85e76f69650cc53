"""From raw cumulative counters to increments: order, NaN, births, resets and holes (pure, linear after sorting).

Why raw: `increase()` of Prometheus misses the first errors of a series that is born with them (prometheus/prometheus#1673, #3886), and those are the
interesting ones. So counters are differenced here, a reset counts from 0, and a series that appears after its replica counts from 0.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from math import isfinite
from statistics import median

MAX_SAMPLES = 20_000
LARGEST = 1e15  # beyond this, floats no longer count in ones


def clean(samples: Iterable[tuple[float, float]], found: Counter[str]) -> list[tuple[float, float]]:
    """The usable samples in order of time, one per time; what was dropped is counted in `found`."""
    kept: dict[float, float] = {}
    last = float("-inf")
    for number, (time, value) in enumerate(samples):
        if number >= MAX_SAMPLES:
            found["samples beyond the bound left out"] += 1
            break
        if not (isfinite(time) and isfinite(value)) or abs(time) > LARGEST or abs(value) > LARGEST:
            found["NaN or infinite samples"] += 1
            continue
        if time < last:
            found["samples out of order"] += 1
        last = max(last, time)
        if time in kept:
            found["samples of the same time"] += 1
        kept[time] = max(value, kept.get(time, value))
    return sorted(kept.items())


Increment = tuple[float, float, float]  # from, to, how many


def increments(samples: Sequence[tuple[float, float]], scrapes: Sequence[float], born: float | None, hole: float, found: Counter[str]) -> list[Increment]:
    """What was counted between samples; `samples` are clean. `scrapes` are the times of all samples of the replica, `born` when it started within the window.

    Intervals longer than `hole` seconds are dropped: nobody knows when it happened, nor how often the counter was reset in between.
    """
    result: list[Increment] = []
    if not samples:
        return result
    first, value = samples[0]
    index = bisect_left(scrapes, first)
    begin = scrapes[index - 1] if index else born
    if begin is not None and begin < first and value > 0:
        found["series that appeared later, counted from 0"] += bool(index)
        if first - begin <= hole or not index:
            result.append((begin, first, value))
    for time, after in samples[1:]:
        if after < value:
            found["counter resets"] += 1
            # A process that started again shows a series only when it has something to count: until the scrape before, that was nothing.
            first = max(first, scrapes[bisect_left(scrapes, time) - 1])
        gain = max(0.0, after - value if after >= value else after)
        if time - first > hole:
            found["holes"] += 1
        else:
            result.append((first, time, gain))
        first, value = time, after
    return result


def resets(rows: Iterable[Sequence[tuple[float, float]]]) -> list[float]:
    """The fewest restarts that explain all drops of a process's clean counters, at the time when each was first seen.

    A drop says that the process started again at some time between two samples. Series of rare events come back only when there is something to count, long
    after the others, so their drop may be the same restart (the fewest points that hit all intervals).
    """
    drops = [[(after[0], before[0]) for before, after in pairwise(samples) if after[1] < before[1]] for samples in rows]
    found: list[float] = []
    for seen, before in sorted(chain.from_iterable(drops)):
        # A store that fills gaps may show a series once more after it ended.
        if not found or found[-1] < before:
            found.append(seen)
    most = max(drops, key=len, default=[])
    return found if len(found) >= len(most) else [seen for seen, _ in most]


def spread(counted: Iterable[Increment], start: float, step: float, bins: int) -> list[float]:
    """The increments on a grid of `bins` steps from `start`, split by time where they span several."""
    row = [0.0] * bins
    end = start + bins * step
    for begin, finish, gain in counted:
        low, high = max(begin, start), min(finish, end)
        if gain <= 0 or high <= low:
            continue
        lasted = finish - begin
        index = int((low - start) / step)
        while index < bins and start + index * step < high:
            left = start + index * step
            row[index] += gain * (max(0.0, min(high, left + step) - max(low, left)) / lasted)
            index += 1
    return row


def levels(samples: Iterable[tuple[float, float]], start: float, step: float, bins: int) -> list[float | None]:
    """The median of a gauge's clean samples in each step, None where there is none."""
    held: list[list[float]] = [[] for _ in range(bins)]
    for time, value in samples:
        index = int((time - start) // step)
        if 0 <= index < bins:
            held[index].append(value)
    return [median(values) if values else None for values in held]

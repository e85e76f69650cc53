"""The requests of a replica as outcome classes, whatever they were counted as (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import isnan

from cicd_agents.analysis.canary.counters import clean
from cicd_agents.domain.canary import Replica, Samples, Series

# The name of a counter of all requests, and what those are that no class tells of.
TOTAL, GOOD = "total", "2xx"
_BAD = ("4", "5")


def classes(replica: Replica) -> tuple[Series, ...]:
    """The counters by outcome class, whose sum is all requests.

    A counter named "total" is of all requests: what the others do not count is taken for good. Where errors alone are counted, the widest latency bucket stands
    for the total: their sum would say that every request failed.
    """
    total = next((series for series in replica.requests if series.name == TOTAL), None)
    classed = tuple(series for series in replica.requests if series.name != TOTAL)
    if total:
        return (Series(GOOD, _rest(total.samples, classed)), *classed)
    if not classed or not all(series.name.startswith(_BAD) for series in classed):
        return classed
    widest = max((bucket for bucket in replica.buckets if not isnan(bucket.bound)), key=lambda bucket: bucket.bound, default=None)
    return (Series(GOOD, _rest(widest.samples, classed)), *classed) if widest and widest.samples else classed


def with_classes(replica: Replica) -> Replica:
    """The replica with its requests as classes."""
    requests = classes(replica)
    return replica if requests == replica.requests else replace(replica, requests=requests)


def _rest(total: Samples, others: Sequence[Series]) -> Samples:
    """The total less the others, at the times of the total. A class that was not seen yet, or since the process began anew, counts nothing; one that a scrape
    missed counts what it did before."""
    counted = [clean(series.samples, Counter()) for series in others]
    at, held = [0] * len(counted), [0.0] * len(counted)
    found: list[tuple[float, float]] = []
    before = 0.0
    for time, value in clean(total, Counter()):
        held = held if value >= before else [0.0] * len(counted)
        before = value
        for number, samples in enumerate(counted):
            while at[number] < len(samples) and samples[at[number]][0] <= time:
                held[number] = samples[at[number]][1]
                at[number] += 1
        found.append((time, max(0.0, value - sum(held))))
    return tuple(found)

"""The requests of a replica as outcome classes, whatever they were counted as (pure)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from math import isnan

from cicd_agents.analysis.canary.counters import clean
from cicd_agents.domain.canary import Observation, Replica, Samples, Series

# The name of a counter of all requests, and of those that no other counter tells of.
TOTAL, REST = "total", "rest"
# What a store says of responses without a status that is known.
UNKNOWN = "unknown"
_CLASS = re.compile(r"[1-5](?:[0-9][0-9]|[xX][xX]|[0-9][xX])?")
_BAD = ("4", "5")


def is_outcome(name: str) -> bool:
    """Whether a counter of this name is of an outcome class: 2xx, 404, 50x, unknown."""
    return name == UNKNOWN or _CLASS.fullmatch(name) is not None


def shows(names: Collection[str], events: Sequence[str]) -> bool:
    """Whether counters of these names would tell of events that begin so (of errors where none are named).

    A series is born with its first event, so that a class which is not there was never seen. That cannot be said where requests are counted by other names
    or by a total, nor of a part (429) of a class that is counted as a whole (4xx).
    """
    wanted = tuple(events) or ("5",)
    if any(name.startswith(wanted) for name in names):
        return True
    whole = {f"{prefix[:1]}xx" for prefix in wanted if len(prefix) > 1}
    return bool(names) and all(is_outcome(name) and name.lower() not in whole for name in names)


def classed(observation: Observation) -> Observation:
    """The observation with the requests of each replica as counters whose sum is all requests.

    A counter named "total" is of all requests; what the others do not count becomes "rest". Where errors alone are counted, the widest latency bucket stands
    for the total: their sum would say that every request failed.
    """
    sides = (observation.baseline, observation.canary)
    names = {series.name for side in sides for replica in side.replicas for series in replica.requests}
    alone = bool(names) and all(name.startswith(_BAD) for name in names)
    if not alone and TOTAL not in names:
        return observation
    baseline, canary, *earlier = (
        replace(side, replicas=tuple(_classed(replica, alone) for replica in side.replicas)) for side in (*sides, *observation.earlier)
    )
    return replace(observation, baseline=baseline, canary=canary, earlier=tuple(earlier))


def _classed(replica: Replica, alone: bool) -> Replica:
    total = next((series.samples for series in replica.requests if series.name == TOTAL), ())
    others = tuple(series for series in replica.requests if series.name != TOTAL)
    if alone:
        widest = max((bucket for bucket in replica.buckets if not isnan(bucket.bound)), key=lambda bucket: bucket.bound, default=None)
        total = widest.samples if widest else ()
    return replace(replica, requests=(Series(REST, _rest(total, others)), *others)) if total else replace(replica, requests=others)


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

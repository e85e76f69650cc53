"""Small observations for the tests: counters from per-minute counts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from math import exp

from cicd_agents.domain.canary import Bucket, Observation, Replica, Samples, Series, Version

START = 1_700_000_040.0
BOUNDS = (0.1, 0.25, 0.5, 1.0, 10.0, float("inf"))


def counter(counts: Sequence[float], begin: float = START, step: float = 60.0) -> Samples:
    """A cumulative counter that is scraped at the end of each step, from 0 at `begin`."""
    return ((begin, 0.0), *((begin + step * (index + 1), value) for index, value in enumerate(accumulate(counts))))


def replica(
    name: str, requests: Sequence[float], errors: Sequence[float], begin: float = START, slow: float = 0.02, quick: float = 0.5, started: float | None = None
) -> Replica:
    """A pod with so many requests and errors each minute; a fraction `slow` is above 0.25 s, `quick` below 0.1 s."""
    good = [number - bad for number, bad in zip(requests, errors, strict=True)]
    shares = (quick, 1 - slow, 1 - slow / 4, 1 - slow / 8, 1.0, 1.0)
    return Replica(
        name, begin - 3600 if started is None else started, (Series("2xx", counter(good, begin)), Series("5xx", counter(errors, begin))),
        tuple(Bucket(bound, counter([number * share for number in requests], begin)) for bound, share in zip(BOUNDS, shares, strict=True)),
    )  # fmt: skip


def observation(canary_errors: Sequence[float], *, minutes: int = 30, requests: float = 1000.0, errors: float = 2.0, slow: float = 0.02) -> Observation:
    """Four old pods and one new one, equally busy, all of them old enough."""
    old = tuple(replica(f"old-{number}", [requests] * minutes, [errors] * minutes) for number in range(4))
    new = replica("new-0", [requests] * minutes, list(canary_errors), slow=slow)
    return Observation(Version("old", old), Version("new", (new,)), START, ((START, 0.2),))


def with_gauge(seen: Observation, name: str, canary: Sequence[float], baseline: Sequence[float]) -> Observation:
    """The same with a gauge on every pod."""

    def add(version: Version, values: Sequence[float]) -> Version:
        samples = tuple((START + 60 * index + 30, value) for index, value in enumerate(values))
        return replace(version, replicas=tuple(replace(item, gauges=(*item.gauges, Series(name, samples))) for item in version.replicas))

    return replace(seen, canary=add(seen.canary, canary), baseline=add(seen.baseline, baseline))


def poisson(mean: float, draw: random.Random) -> int:
    """A Poisson count (Knuth: uniform numbers are multiplied until they are below exp(-mean))."""
    limit, product, count = exp(-mean), draw.random(), 0
    while product > limit:
        product *= draw.random()
        count += 1
    return count

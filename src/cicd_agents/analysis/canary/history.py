"""Comparison with the same time of earlier days, where no baseline of the same time is left (pure).

The present level is set against the levels of the same time of day: the median of days and their median absolute deviation (Hampel, 1974). It is weaker than a
canary: what else differs between days cannot be told apart from the release.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from statistics import median

from cicd_agents.domain.canary import Bucket, Direction, LogTemplate, Replica, Samples, Series, Status, Version

LEAST_DAYS = 3
LIMIT = 4.0  # robust standard deviations


@dataclass(frozen=True, slots=True)
class Compared:
    """`score` is how many robust standard deviations the present median is worse than the usual one; None where it cannot be said."""

    status: Status
    present: float | None
    usual: float | None
    score: float | None
    reason: str


def compare_with_history(
    present: Sequence[float], days: Sequence[Sequence[float]], *, direction: Direction = Direction.INCREASE, ratio: float = 1.2, margin: float = 0.0
) -> Compared:  # fmt: skip
    """Is the present worse than usual at this time of day, beyond `ratio` and `margin`? Each of `days` has the values of the same time of one earlier day."""
    now = [value for value in present if isfinite(value)]
    usual = [median(kept) for day in days if (kept := [value for value in day if isfinite(value)])]
    if not now:
        return Compared(Status.NO_DATA, None, median(usual) if usual else None, None, "there is no value of the present")
    level = median(now)
    if len(usual) < LEAST_DAYS:
        return Compared(Status.INCONCLUSIVE, level, None, None, f"{len(usual)} earlier days are known, {LEAST_DAYS} are needed")
    middle = median(usual)
    spread = max(1.4826 * median(abs(value - middle) for value in usual), 0.02 * abs(middle), 1e-12)
    falls = direction is Direction.DECREASE
    allowed = middle / ratio - margin if falls else middle * ratio + margin
    score = (middle - level if falls else level - middle) / spread
    beyond = level < allowed if falls else level > allowed
    if beyond and score > LIMIT:
        return Compared(Status.FAIL, level, middle, score, f"{level:.4g} against {middle:.4g} at this time of earlier days")
    if beyond:
        return Compared(Status.INCONCLUSIVE, level, middle, score, "beyond the tolerance, but earlier days differ as much among themselves")
    return Compared(Status.PASS, level, middle, score, "as at this time of earlier days")


def shifted(version: Version, seconds: float) -> Version:
    """A version as it was, moved in time by so many seconds: an earlier day or the time before the deployment becomes the baseline of an Observation that is
    not `concurrent`."""

    def moved(samples: Samples) -> Samples:
        return tuple((time + seconds, value) for time, value in samples)

    def series(items: tuple[Series, ...]) -> tuple[Series, ...]:
        return tuple(Series(item.name, moved(item.samples)) for item in items)

    def replica(item: Replica) -> Replica:
        return replace(
            item, started=None if item.started is None else item.started + seconds, requests=series(item.requests), gauges=series(item.gauges),
            counters=series(item.counters), buckets=tuple(Bucket(bucket.bound, moved(bucket.samples)) for bucket in item.buckets),
            health=tuple((time + seconds, well) for time, well in item.health),
            logs=tuple(LogTemplate(log.template, moved(log.samples), log.critical) for log in item.logs),
        )  # fmt: skip

    return Version(version.name, tuple(replica(item) for item in version.replicas), series(version.values))

"""Where the baseline is of another time: what it was drifting to by itself (pure).

Traffic grows in the morning, and with it latency and errors. What the old version did in its own minutes is a straight line on the logarithm of the level: for
counts a Poisson regression (McCullagh and Nelder, "Generalized linear models", 1989, chapter 6, with their dispersion), for quantiles least squares over the
minutes. Drawn out over the time between the two, with one standard error on top, it says by how much more the old version could have been worse by now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

from cicd_agents.analysis.canary.streams import quantile, ratio_stream, requests
from cicd_agents.analysis.canary.tables import ReplicaTable, Tables
from cicd_agents.domain.canary import Direction, Kind, Metric

# A line is drawn out to a doubling at most: further from what was seen it is a guess.
MOST = log(2.0)
ERRORS = 1.0  # standard errors that are allowed for
LEAST_STEPS, LEAST_REQUESTS = 6, 20
ROUNDS = 8  # of Newton's method, which has converged by then


@dataclass(frozen=True, slots=True)
class Slope:
    """The change of the logarithm of a level in a step, with its standard error."""

    each: float
    error: float

    def factor(self, steps: float, *, falls: bool) -> float:
        """By what the level may have been multiplied after so many steps, in the worse direction; 1 where it was getting better."""
        worse = steps * ((-self.each if falls else self.each) + ERRORS * self.error)
        drawn = exp(min(MOST, max(0.0, worse)))
        return 1 / drawn if falls else drawn


def drift_of(metric: Metric, tables: Tables, until: int, steps: float) -> float:
    """The factor that the baseline's own trend explains after so many steps; 1 where too little is known."""
    found = _of_counts(metric, tables, until) if metric.kind in {Kind.RATIO, Kind.BUSINESS} else _of_latency(metric, tables, until)
    return found.factor(steps, falls=metric.direction is Direction.DECREASE) if found else 1.0


def _of_counts(metric: Metric, tables: Tables, until: int) -> Slope | None:
    stream = ratio_stream(metric, tables.canary, tables.baseline)
    events, exposure = stream.baseline.total(until)
    steps = [(float(at), n - x if stream.complement else x, n) for at, (x, n) in enumerate(zip(events, exposure, strict=True)) if n > 0]
    return poisson_slope(steps) if len(steps) >= LEAST_STEPS else None


def _of_latency(metric: Metric, tables: Tables, until: int) -> Slope | None:
    if metric.kind is not Kind.QUANTILE:
        return None
    points = []
    for at in range(until):
        counts = _histogram(tables.baseline, at)
        if counts and counts[-1][1] >= LEAST_REQUESTS and (level := quantile(counts, metric.quantile or 0.95)):
            points.append((float(at), log(level)))
    return line_slope(points) if len(points) >= LEAST_STEPS else None


def _histogram(replicas: Sequence[ReplicaTable], at: int) -> list[tuple[float, float]]:
    """What all replicas counted in one step, by bound."""
    total: dict[float, float] = {}
    for replica in replicas:
        if at < len(replica.usable) and replica.usable[at] and requests(replica):
            for bound, row in replica.latency.items():
                total[bound] = total.get(bound, 0.0) + row[at]
    return sorted(total.items())


def poisson_slope(steps: Sequence[tuple[float, float, float]]) -> Slope | None:
    """Of (step, events, exposure): the slope of the logarithm of the rate; None without events."""
    events, exposure = sum(x for _, x, _ in steps), sum(n for _, _, n in steps)
    if events <= 0 or exposure <= 0:
        return None
    level, each, middle, width = log(events / exposure), 0.0, 0.0, 0.0
    for _ in range(ROUNDS):
        expected = [n * exp(level + each * at) for at, _, n in steps]
        total = sum(expected)
        middle = sum(mean * at for mean, (at, _, _) in zip(expected, steps, strict=True)) / total
        width = sum(mean * (at - middle) ** 2 for mean, (at, _, _) in zip(expected, steps, strict=True))
        if width <= 0:
            return None
        pull = sum((x - mean) * (at - middle) for mean, (at, x, _) in zip(expected, steps, strict=True)) / width
        each += max(-0.1, min(0.1, pull))
        # The level that makes the expected sum the one that was seen.
        level = log(events) - log(sum(n * exp(each * at) for at, _, n in steps))
    expected = [n * exp(level + each * at) for at, _, n in steps]
    chi = sum((x - mean) ** 2 / mean for mean, (_, x, _) in zip(expected, steps, strict=True) if mean > 0)
    return Slope(each, sqrt(max(1.0, chi / max(1, len(steps) - 2)) / width))


def line_slope(points: Sequence[tuple[float, float]]) -> Slope:
    """Of (step, logarithm of the level): least squares."""
    number = len(points)
    middle, mean = sum(at for at, _ in points) / number, sum(value for _, value in points) / number
    width = sum((at - middle) ** 2 for at, _ in points)
    each = sum((at - middle) * (value - mean) for at, value in points) / width
    left = sum((value - mean - each * (at - middle)) ** 2 for at, value in points)
    return Slope(each, sqrt(left / max(1, number - 2) / width))

"""What the traffic that was seen can show: foresight (foresight.py) for the requests and errors of an observation (pure).

Raw counters are added up here, without the judge's tables: "about" is enough, and the tables are the dear part of a judgement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from cicd_agents.analysis.canary.counters import clean
from cicd_agents.analysis.canary.foresight import Changes, changes, told_of_stages
from cicd_agents.domain.canary import CanaryPolicy, Kind, Metric, Observation, Samples, Version

# So long back from the newest sample the traffic is looked at; less than the shortest, or fewer requests, say nothing.
WINDOW, SHORTEST, LEAST = 1800.0, 120.0, 50
DOUBLING = 2.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests per second of both versions together, and the errors of the old one as a fraction of its requests."""

    requests_per_second: float
    rate: float


def outlook(observation: Observation, policy: CanaryPolicy, now: float, stage: int = 0) -> tuple[str, ...]:
    """Sentences: when a doubling of the error rate would show, and what would show by the end of each stage from `stage` on.

    Empty where the traffic is not known, or where no further stage has a baseline beside it.
    """
    metric = _errors(policy)
    traffic = traffic_of(observation, policy, now)
    if metric is None or traffic is None or not observation.concurrent or not any(0 < item.share < 1 for item in policy.stages[stage:]):
        return ()
    asked = changes(policy, traffic.requests_per_second, traffic.rate, metric.name)
    return (_first(metric, traffic, asked), *told_of_stages(policy, asked, stage))


def traffic_of(observation: Observation, policy: CanaryPolicy, now: float) -> Traffic | None:
    """The traffic of the last half hour; None where too little of it was seen, or no metric of the policy is an error rate."""
    metric = _errors(policy)
    sides = (observation.canary, observation.baseline)
    newest = max((time for side in sides for rows in _exposure(side, metric) for time, _ in rows if time <= now), default=None) if metric else None
    if metric is None or newest is None:
        return None
    begin = newest - WINDOW
    canary, baseline = (_grown(_exposure(side, metric), begin, newest) for side in sides)
    oldest = min((time for side in sides for rows in _exposure(side, metric) for time, _ in rows if time >= begin), default=newest)
    if newest - oldest < SHORTEST or baseline < LEAST:
        return None
    errors = _grown(_events(observation.baseline, metric), begin, newest)
    return Traffic((canary + baseline) / (newest - oldest), min(1.0, errors / baseline))


def _errors(policy: CanaryPolicy) -> Metric | None:
    """The error rate of the policy: the count ratio that a PASS requires, else the first."""
    ratios = [metric for metric in policy.metrics if metric.kind is Kind.RATIO]
    return next((metric for metric in ratios if metric.required), ratios[0] if ratios else None)


def _first(metric: Metric, traffic: Traffic, asked: Changes) -> str:
    """When a doubling shows; without any error there is nothing to double, so the smallest rate is named that shows at all."""
    title, pace = (metric.title or metric.name).lower(), traffic.requests_per_second
    known = f"At this traffic ({pace:,.0f} requests a second" if pace >= 10 else f"At this traffic ({pace:.2g} requests a second"
    if traffic.rate <= 0:
        found = next((item for ratio in asked.ratios if (item := asked.seen(ratio)).minutes is not None), asked.seen(asked.ratios[-1]))
        known, change = f"{known}, {title} 0 so far)", asked.named(found.ratio)
    else:
        found = asked.seen(DOUBLING)
        known, change = f"{known}, {title} {100 * traffic.rate:.3g} %)", f"a doubling of the {title}"
        if DOUBLING * traffic.rate <= metric.tolerance.go_ratio * traffic.rate + metric.tolerance.go_margin:
            return f"{known} {change} is within the tolerance, so nothing looks for it."
    if found.minutes is None:
        return f"{known} {change} does not show within {found.horizon:.0f} minutes."
    return f"{known} {change} shows after about {found.minutes:.0f} minutes."


def _exposure(version: Version, metric: Metric | None) -> list[Samples]:
    """The counters whose sum is all that could fail: of the metric, else requests by outcome; of those that have none nobody knows whether they failed."""
    names = metric.of if metric else ()
    rows = [replica.counters if names else replica.requests for replica in version.replicas]
    return [series.samples for replica in rows for series in replica if not names or series.name in names]


def _events(version: Version, metric: Metric) -> list[Samples]:
    counted = metric.of or any(series.name in metric.events for replica in version.replicas for series in replica.counters)
    if counted:
        return [series.samples for replica in version.replicas for series in replica.counters if series.name in metric.events]
    prefixes = metric.events or ("5",)
    return [series.samples for replica in version.replicas for series in replica.requests if series.name.startswith(prefixes)]


def _grown(rows: Iterable[Samples], begin: float, end: float) -> float:
    """By how much the counters grew; one that falls was reset and counts from 0."""
    kept = ([value for time, value in clean(samples, Counter()) if begin <= time <= end] for samples in rows)
    return sum(after - before if after >= before else after for values in kept for before, after in pairwise(values))

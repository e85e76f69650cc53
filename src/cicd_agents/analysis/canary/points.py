"""Judging a plain table of numbers: the rules of the policy applied to single values, which is weaker (pure).

Measured on simulated canaries such rules stop 32 to 91 of 100 healthy ones when they are asked every minute: a table is for people and tests, not for a gate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import isfinite

from cicd_agents.analysis.canary.conclusion import Scene, conclude, stop_limit
from cicd_agents.analysis.canary.measures import blank
from cicd_agents.analysis.canary.stages import Moment
from cicd_agents.domain.canary import Alarm, AtOnce, CanaryPolicy, Direction, Judgement, Metric, MetricJudgement, Point, Status, Tolerance

NOTE = "Only single values are known, without the counts behind them: this judgement is weaker, and cannot tell chance from change."


def judge_points(points: Iterable[Point], policy: CanaryPolicy, *, stage: int = 0) -> Judgement:
    """The judgement of a table. Metrics that the policy does not have are left out and named."""
    given = {point.metric: point for point in points}
    known = {metric.name: metric for metric in policy.metrics}
    index = min(max(stage, 0), len(policy.stages) - 1)
    own = dict(policy.stages[index].tolerances)
    judged = tuple(_judged(metric, own.get(name, metric.tolerance), given[name]) for name, metric in known.items() if name in given)
    left = [f"the policy has no metric {name}" for name in given if name not in known]
    blind = "" if any(metric.status is not Status.NO_DATA for metric in judged) else "the table has no number of the canary"
    at = Moment(0.0, index, policy.stages[index].share, 0.0, 0.0)
    # A table says all that there is: what is missing in it was not asked for.
    asked = tuple(replace(metric, required=True) for metric in judged)
    return conclude(Scene(policy, at, asked, _alarms(given, policy.at_once), tuple(left), (NOTE,), (), True, blind, timed=False))


def _usable(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _judged(metric: Metric, tolerance: Tolerance, point: Point) -> MetricJudgement:
    canary, baseline = _usable(point.canary), _usable(point.baseline)
    title = metric.title or metric.name
    if canary is None:
        return replace(blank(metric, Status.NO_DATA, f"{title}: no number"), baseline=baseline, weaker=True)
    falls = metric.direction is Direction.DECREASE
    limits = []
    if tolerance.ceiling is not None:
        limits.append(tolerance.ceiling)
    elif baseline is not None:
        limits.append(baseline * tolerance.go_ratio + (-tolerance.go_margin if falls else tolerance.go_margin))
    stop = stop_limit(metric, tolerance, baseline)
    go = limits[0] if limits else None
    status, reason = _ruled(title, canary, go, stop, falls=falls)
    return replace(
        blank(metric, status, reason), canary=canary, baseline=baseline, delta=None if baseline is None else canary - baseline,
        effect=canary / baseline if baseline else None, limit=go, weaker=True,
    )  # fmt: skip


def _ruled(title: str, canary: float, go: float | None, stop: float | None, *, falls: bool) -> tuple[Status, str]:
    if go is None and stop is None:
        return Status.INCONCLUSIVE, f"{title}: there is no baseline to compare with"
    if go is not None and (canary >= go if falls else canary <= go):
        return Status.PASS, f"{title} within threshold"
    if stop is not None and (canary < stop if falls else canary > stop):
        return Status.FAIL, f"{title} {'drop' if falls else 'spike'}: beyond the NO-GO limit"
    return Status.INCONCLUSIVE, f"{title} beyond the GO limit, not beyond the NO-GO limit"


def _alarms(given: dict[str, Point], rules: AtOnce) -> tuple[Alarm, ...]:
    found = []
    errors, latency = (_usable(given[name].canary) if name in given else None for name in ("error_rate", "latency_p99"))
    if errors is not None and errors > rules.error_rate:
        found.append(Alarm("error_rate", f"Error rate spike: {100 * errors:.3g} %, more than {100 * rules.error_rate:g} %"))
    if latency is not None and latency > rules.latency:
        found.append(Alarm("latency", f"P99 latency is {latency:g} s, more than {rules.latency:g} s"))
    return tuple(found)

"""Judging a plain table of numbers: the rules of the policy applied to single values, which is weaker (pure).

Measured on simulated canaries such rules stop 32 to 91 of 100 healthy ones when they are asked every minute: a table is for people and tests, not for a gate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isfinite

from cicd_agents.analysis.canary.conclusion import Scene, conclude, stop_limit
from cicd_agents.analysis.canary.measures import blank
from cicd_agents.analysis.canary.stages import Moment
from cicd_agents.domain.canary import Alarm, AtOnce, CanaryPolicy, Direction, Judgement, Kind, Metric, MetricJudgement, Point, Status, Tolerance

# A point in which a table says how many minutes the canary has been serving in its stage.
MINUTES = "minutes"
# Limits are computed, and 0.1 + 0.2 is more than 0.3.
_EQUAL = 1e-9
NOTE = "Only single values are known, without the counts behind them: this judgement is weaker, and cannot tell chance from change."


def judge_points(points: Iterable[Point], policy: CanaryPolicy, *, stage: int = 0) -> Judgement:
    """The judgement of a table. Metrics that the policy does not have are left out and named."""
    given = {point.metric: point for point in points}
    known = {metric.name: metric for metric in policy.metrics}
    index = min(max(stage, 0), len(policy.stages) - 1)
    own = dict(policy.stages[index].tolerances)
    judged = tuple(_judged(metric, own.get(name, metric.tolerance), given[name]) for name, metric in known.items() if name in given)
    told = tuple(_incident(given[name], rule) for name, rule in _incidents(policy.at_once).items() if name in given and name not in known)
    heeded = {*known, *(metric.name for metric in told), MINUTES}
    left = [f"the policy has no metric {name}" for name in given if name not in heeded]
    blind = "" if any(metric.status is not Status.NO_DATA for metric in (*judged, *told)) else "the table has no number of the canary"
    minutes = given[MINUTES].canary if MINUTES in given and MINUTES not in known else None
    at = Moment(0.0, index, policy.stages[index].share, minutes or 0.0, minutes or 0.0)
    # A table says all that there is: what is missing in it was not asked for.
    asked = tuple(replace(metric, required=True) for metric in (*judged, *told))
    scene = Scene(policy, at, asked, _alarms(given, policy.at_once), tuple(left), (NOTE,), (), True, blind, timed=minutes is not None)
    return conclude(scene)


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a plain number of incidents counts: up to `fine` of them are within the threshold, from `bad` on it is a NO-GO; both only beyond the baseline's."""

    title: str
    fine: int
    bad: int
    against: bool = False


def _incidents(rules: AtOnce) -> dict[str, _Rule]:
    """The incidents that a table can tell. Critical messages count where the baseline has none of them, so its number must be known."""
    return {
        "oom_kills": _Rule("OOM kills", 0, rules.oom_kills),
        "restarts": _Rule("Restarts", rules.restarts - 1, rules.restarts),
        "health_failures": _Rule("Failed health checks", 0, rules.least_checks),
        "critical_messages": _Rule("Critical log messages", 0, 1, against=True),
    }


def _incident(point: Point, rule: _Rule) -> MetricJudgement:
    metric = Metric(point.metric, Kind.GAUGE, rule.title)
    canary, baseline = _usable(point.canary), _usable(point.baseline)
    if canary is None:
        return replace(blank(metric, Status.NO_DATA, f"{rule.title}: no number"), baseline=baseline, weaker=True)
    usual = baseline or 0.0
    status, reason = Status.INCONCLUSIVE, f"{rule.title} beyond the GO limit, not beyond the NO-GO limit"
    if canary <= max(rule.fine, usual):
        status, reason = Status.PASS, f"{rule.title} within threshold"
    elif rule.against and baseline is None:
        reason = f"{rule.title}: there is no baseline to compare with"
    elif canary >= rule.bad and (usual == 0 if rule.against else canary > 2 * usual):
        status, reason = Status.FAIL, f"{rule.title} spike: beyond the NO-GO limit"
    delta = None if baseline is None else canary - baseline
    return replace(blank(metric, status, reason), canary=canary, baseline=baseline, delta=delta, limit=float(max(rule.fine, usual)), weaker=True)


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
    if go is None and not falls and canary <= tolerance.go_margin:
        go = tolerance.go_margin  # the limit of a baseline of nothing, so that of any
    status, reason = _ruled(title, canary, go, stop, falls=falls)
    return replace(
        blank(metric, status, reason), canary=canary, baseline=baseline, delta=None if baseline is None else canary - baseline,
        effect=canary / baseline if baseline else None, limit=go, weaker=True,
    )  # fmt: skip


def _ruled(title: str, canary: float, go: float | None, stop: float | None, *, falls: bool) -> tuple[Status, str]:
    if go is None and stop is None:
        return Status.INCONCLUSIVE, f"{title}: there is no baseline to compare with"
    if go is not None and (canary >= go * (1 - _EQUAL) if falls else canary <= go * (1 + _EQUAL)):
        return Status.PASS, f"{title} within threshold"
    if stop is not None and (canary < stop if falls else canary > stop):
        return Status.FAIL, f"{title} {'drop' if falls else 'spike'}: beyond the NO-GO limit"
    return Status.INCONCLUSIVE, f"{title} beyond the GO limit, not beyond the NO-GO limit"


def _beyond(given: dict[str, Point], name: str) -> float:
    """How often it happened to the canary; 0 where it happens to the baseline too, since going back would not help."""
    point = given.get(name)
    canary, baseline = (_usable(point.canary), _usable(point.baseline)) if point else (None, None)
    return canary if canary is not None and canary > 2 * (baseline or 0.0) else 0.0


def _alarms(given: dict[str, Point], rules: AtOnce) -> tuple[Alarm, ...]:
    found = []
    errors, latency = (_usable(given[name].canary) if name in given else None for name in ("error_rate", "latency_p99"))
    if errors is not None and errors > rules.error_rate:
        found.append(Alarm("error_rate", f"Error rate spike: {100 * errors:.3g} %, more than {100 * rules.error_rate:g} %"))
    kills, restarts = (_beyond(given, name) for name in ("oom_kills", "restarts"))
    if kills >= rules.oom_kills:
        found.append(Alarm("oom_kills", f"the canary was killed for want of memory {kills:.0f} times"))
    if restarts >= rules.restarts:
        found.append(Alarm("crash_loop", f"the canary restarted {restarts:.0f} times"))
    if latency is not None and latency > rules.latency:
        found.append(Alarm("latency", f"P99 latency is {latency:g} s, more than {rules.latency:g} s"))
    return tuple(found)

"""From judged metrics to the whole: outcome, decision, risk score and the triggers of the next stage (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from cicd_agents.analysis.canary.stages import Moment
from cicd_agents.domain.canary import (
    Alarm,
    CanaryPolicy,
    Decision,
    Direction,
    Judgement,
    Kind,
    Metric,
    MetricJudgement,
    NextTrigger,
    RiskTerm,
    Status,
    Tolerance,
)


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the conclusion rests on; `blind` says why nothing can be seen, empty where it can."""

    policy: CanaryPolicy
    at: Moment
    metrics: tuple[MetricJudgement, ...]
    alarms: tuple[Alarm, ...]
    exclusions: tuple[str, ...]
    notes: tuple[str, ...]
    budget: tuple[tuple[str, float], ...]
    weaker: bool
    blind: str
    timed: bool = True


def conclude(scene: Scene) -> Judgement:
    """The whole judgement. Blindness never rolls back and never promotes; what is not critical holds."""
    status, reason = _status(scene)
    stage = scene.policy.stages[scene.at.stage]
    needed_minutes = max(0.0, stage.minutes - scene.at.stage_minutes) if scene.timed else 0.0
    requests = max((metric.needed_requests or 0 for metric in scene.metrics if metric.required), default=0)
    if requests and status is Status.INCONCLUSIVE:
        needed_minutes = max(needed_minutes, _minutes_for(requests, scene.metrics))
    decision = {Status.PASS: Decision.PROMOTE, Status.FAIL: Decision.ROLLBACK, Status.INCONCLUSIVE: stage.inconclusive, Status.NO_DATA: stage.no_data}[status]
    if status is Status.INCONCLUSIVE and scene.timed and scene.at.stage_minutes < stage.minutes:
        decision = Decision.HOLD  # the policy for what cannot be told is for the stage's end
    terms = _risk(scene)
    return Judgement(
        status, decision, reason, scene.policy.strategy, scene.at.stage, scene.at.share, scene.at.minutes, scene.metrics, scene.alarms, scene.exclusions,
        scene.notes, _triggers(scene), round(_score(terms, scene), 4), terms, scene.budget, scene.policy.alpha, scene.weaker,
        requests or None if status is Status.INCONCLUSIVE else None, needed_minutes or None if status in {Status.INCONCLUSIVE, Status.NO_DATA} else None,
    )  # fmt: skip


def _status(scene: Scene) -> tuple[Status, str]:
    acting = [metric for metric in scene.metrics if not metric.dry_run]
    if scene.blind:
        return Status.NO_DATA, f"Cannot see: {scene.blind}."
    if scene.alarms:
        return Status.FAIL, f"At once: {scene.alarms[0].reason}."
    failed = [metric for metric in acting if metric.status is Status.FAIL]
    if worst := [metric for metric in failed if metric.critical]:
        return Status.FAIL, f"{worst[0].reason}{_others(worst)}."
    if unseen := [metric for metric in acting if metric.required and metric.status is Status.NO_DATA]:
        return Status.NO_DATA, f"Cannot see: {unseen[0].reason}{_others(unseen)}."
    if failed:
        return Status.INCONCLUSIVE, f"{failed[0].reason}; not critical, so it holds{_others(failed)}."
    if unclear := [metric for metric in acting if metric.status is Status.INCONCLUSIVE and (metric.required or _leaning(metric))]:
        return Status.INCONCLUSIVE, f"{unclear[0].reason}{_others(unclear)}."
    stage = scene.policy.stages[scene.at.stage]
    if scene.timed and scene.at.stage_minutes < stage.minutes - 1e-6:
        return Status.INCONCLUSIVE, f"Nothing is wrong so far; the stage needs {_minutes(stage.minutes - scene.at.stage_minutes)}."
    return Status.PASS, "Every metric that is required is within its tolerance, and nothing else is against it."


def _minutes(left: float) -> str:
    whole = max(1, round(left))
    return f"{whole} more minute{'s' if whole > 1 else ''}"


def _leaning(metric: MetricJudgement) -> bool:
    """Beyond the GO limit by its estimate, on a metric that could roll back."""
    if not metric.critical or metric.canary is None or metric.limit is None or metric.baseline is None:
        return False
    return metric.canary > metric.limit if metric.limit >= metric.baseline else metric.canary < metric.limit


def _others(metrics: Sequence[MetricJudgement]) -> str:
    return f" (and {', '.join(metric.title for metric in metrics[1:])})" if len(metrics) > 1 else ""


def _minutes_for(requests: int, metrics: Sequence[MetricJudgement]) -> float:
    """How long so many requests take at the canary's pace so far."""
    paces = [metric.strength.canary_total / metric.strength.seen_minutes for metric in metrics if metric.strength.canary_total and metric.strength.seen_minutes]
    return float(ceil(requests / max(paces))) if paces and max(paces) > 0 else 0.0


def _risk(scene: Scene) -> tuple[RiskTerm, ...]:
    """Each metric between 0 (nothing against it) and 1 (failed): its evidence as a part of what would be needed, or 0.3 where it should be seen and is not."""
    terms = [RiskTerm(f"at once: {alarm.rule}", 1.0, 1.0) for alarm in scene.alarms]
    for metric in scene.metrics:
        strength = metric.strength
        value = 0.0
        if metric.status is Status.FAIL:
            value = 1.0
        elif metric.status is Status.NO_DATA:
            value = 0.3 if metric.required else 0.0
        elif strength.log_e is not None and strength.threshold:
            value = 0.7 * min(1.0, max(0.0, strength.log_e) / strength.threshold)
        if metric.status is Status.INCONCLUSIVE and (metric.required or _leaning(metric)):
            value = max(value, 0.4 if _leaning(metric) else 0.15)
        terms.append(RiskTerm(metric.name, round(value, 4), metric.weight))
    return tuple(terms)


def _score(terms: Sequence[RiskTerm], scene: Scene) -> float:
    """The worst critical metric or alarm counts nine parts, the weighted mean one."""
    critical = {metric.name for metric in scene.metrics if metric.critical and not metric.dry_run} | {term.name for term in terms[: len(scene.alarms)]}
    total = sum(term.weight for term in terms)
    mean = sum(term.value * term.weight for term in terms) / total if total > 0 else 0.0
    worst = max((term.value for term in terms if term.name in critical), default=0.0)
    return 0.3 if scene.blind and not terms else min(1.0, 0.9 * worst + 0.1 * mean)


def _triggers(scene: Scene) -> tuple[NextTrigger, ...]:
    """What would roll the next stage back, as numbers."""
    following = min(scene.at.stage + 1, len(scene.policy.stages) - 1)
    own = dict(scene.policy.stages[following].tolerances)
    known = {metric.name: metric for metric in scene.metrics}
    found = []
    for metric in scene.policy.metrics:
        judged = known.get(metric.name)
        if judged is not None and metric.critical and not metric.dry_run:
            limit = stop_limit(metric, own.get(metric.name, metric.tolerance), judged.baseline)
            if limit is not None:
                falls = metric.direction is Direction.DECREASE
                found.append(NextTrigger(metric.name, judged.title, metric.unit, limit, f"{judged.title} {'<' if falls else '>'} {shown(limit, metric.unit)}"))
    rules = scene.policy.at_once
    found.append(NextTrigger("error_rate", "Error rate, at once", "%", rules.error_rate, f"Error rate > {shown(rules.error_rate, '%')} (at once)"))
    found.append(NextTrigger("latency_p99", "P99 latency, at once", "s", rules.latency, f"P99 latency > {shown(rules.latency, 's')} (at once)"))
    return tuple(found)


def stop_limit(metric: Metric, tolerance: Tolerance, baseline: float | None) -> float | None:
    """The NO-GO limit of a metric as a number, None where it has none without a baseline."""
    if metric.kind is Kind.GAUGE and tolerance.stop is not None:
        return tolerance.stop
    if baseline is None:
        return None
    if metric.direction is Direction.DECREASE:
        return baseline * tolerance.stop_ratio
    return max(baseline * tolerance.stop_ratio, baseline * tolerance.go_ratio + tolerance.go_margin)


def shown(value: float, unit: str) -> str:
    """A value with its unit, for people."""
    if unit == "%":
        return f"{100 * value:.3g} %"
    if unit == "s":
        return f"{1000 * value:.0f} ms" if value < 10 else f"{value:g} s"
    return f"{value:.3g} %" if unit == "percent" else f"{value:.4g}"

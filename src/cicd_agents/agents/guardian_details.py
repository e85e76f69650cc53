"""From a judgement to what the report says: rows, indicators, what to do next. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cicd_agents.analysis.canary.conclusion import shown
from cicd_agents.domain.canary import CanaryPolicy, Decision, Judgement, MetricJudgement, Status
from cicd_agents.domain.finding import Evidence, Finding, Fix
from cicd_agents.domain.guardian import Chart, GuardianDetails, Link, MessageCount, MetricRow, QueryRecord, TimelineEntry
from cicd_agents.domain.verdict import Outcome

# What a decision means for the gate; what cannot be told stays shut.
OUTCOME_OF = {Decision.PROMOTE: Outcome.PASS, Decision.ROLLBACK: Outcome.FAIL, Decision.HOLD: Outcome.INCONCLUSIVE}
_MOST_QUERIES = 60


@dataclass(frozen=True, slots=True)
class Subject:
    """What was judged, and how it is told. `commands` roll back by hand and may hold placeholders."""

    service: str
    environment: str = ""
    canary_version: str = ""
    baseline_version: str = ""
    judge: str = "always-valid"
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What the judgement rests on, for the report."""

    queries: tuple[QueryRecord, ...] = ()
    charts: tuple[Chart, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    links: tuple[Link, ...] = ()
    foresight: tuple[str, ...] = ()
    query_of: Mapping[str, str] = field(default_factory=dict)
    messages: tuple[MessageCount, ...] = ()


def details_of(judgement: Judgement, policy: CanaryPolicy, subject: Subject, seen: Seen) -> GuardianDetails:
    """The guardian's part of the report."""
    stage = policy.stages[judgement.stage]
    positives, negatives = indicators(judgement)
    return GuardianDetails(
        subject.service, subject.environment, str(judgement.strategy), judgement.stage + 1, len(policy.stages), judgement.share, judgement.minutes,
        stage.minutes, judgement.status, judgement.decision, judgement.reason, tuple(_row(metric, seen) for metric in judgement.metrics), judgement.alarms,
        positives, negatives, actions(judgement, policy, subject), judgement.risk, judgement.risk_terms, judgement.triggers, seen.foresight,
        judgement.exclusions, seen.queries[:_MOST_QUERIES], _charts(judgement, seen), seen.timeline, seen.links, judgement.budget, judgement.alpha,
        judgement.weaker, subject.judge, subject.canary_version, subject.baseline_version, judgement.needed_requests, judgement.needed_minutes,
    )  # fmt: skip


def _charts(judgement: Judgement, seen: Seen) -> tuple[Chart, ...]:
    """The charts with the limits by which it was judged, so that table and chart say the same; where none was judged the curve's own stays."""
    limits = {metric.name: metric.limit for metric in judgement.metrics if metric.limit is not None}
    return tuple(replace(chart, limit=limits.get(chart.name, chart.limit)) for chart in seen.charts)


def indicators(judgement: Judgement) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What speaks for and what against the new version, in the judge's own sentences."""
    positives = tuple(metric.reason for metric in judgement.metrics if metric.status is Status.PASS)
    failed = [metric.reason for metric in judgement.metrics if metric.status is Status.FAIL and not metric.dry_run]
    watched = [f"{metric.reason} (dry run: not counted)" for metric in judgement.metrics if metric.status is Status.FAIL and metric.dry_run]
    unseen = [metric.reason for metric in judgement.metrics if metric.status is Status.NO_DATA and metric.required]
    doubtful = [metric.reason for metric in judgement.metrics if metric.status is Status.INCONCLUSIVE and metric.required]
    return positives, tuple(dict.fromkeys((*(alarm.reason for alarm in judgement.alarms), *failed, *watched, *unseen, *doubtful)))


def actions(judgement: Judgement, policy: CanaryPolicy, subject: Subject) -> tuple[Fix, ...]:
    """What a person, or the next job, should do."""
    if judgement.decision is Decision.ROLLBACK:
        return (
            Fix("quick", "Roll back now", "The new version must not get more traffic.", subject.commands, 0.9),
            Fix("lasting", "Find what the new version does", _where_to_look(judgement), (), 0.6),
        )
    if judgement.decision is Decision.PROMOTE:
        last = judgement.stage + 1 >= len(policy.stages)
        detail = "This was the last stage." if last else f"Next: {100 * policy.stages[judgement.stage + 1].share:g} % of the traffic."
        return (Fix("quick", "Nothing more to do" if last else "Proceed to the next stage", detail, (), 0.9),)
    if judgement.status is Status.NO_DATA:
        return (
            Fix(
                "quick", "Make it visible", "Check that both versions are scraped, that the selectors fit, and that there is traffic; then run again.", (), 0.8
            ),
        )
    return (Fix("quick", "Keep the traffic as it is and look again", _needed(judgement), (), 0.8),)


def _needed(judgement: Judgement) -> str:
    parts = []
    if judgement.needed_requests:
        parts.append(f"about {judgement.needed_requests:,} more requests to the new version")
    if judgement.needed_minutes:
        parts.append(f"about {judgement.needed_minutes:.0f} more minutes")
    return f"To tell, {' or '.join(parts)} are needed." if parts else "What is open stands in the table."


def _where_to_look(judgement: Judgement) -> str:
    worst = [metric.title for metric in judgement.metrics if metric.status is Status.FAIL]
    return f"Begin with {', '.join(worst[:3])}: compare logs and traces of both versions in this time." if worst else "Begin with its logs and events."


def findings_of(judgement: Judgement, seen: Seen) -> tuple[Finding, ...]:
    """Each metric that failed and each alarm as a claim with its evidence."""
    failed = (metric for metric in judgement.metrics if metric.status is Status.FAIL and not metric.dry_run)
    found = [
        Finding(
            f"canary.{metric.name}", metric.reason, "error" if metric.critical else "warning", _confidence(metric),
            (Evidence("query", seen.query_of.get(metric.name, metric.name), evidence_of(metric) or metric.reason),),
        )
        for metric in failed
    ]  # fmt: skip
    alarms = [Finding(f"canary.at-once.{alarm.rule}", alarm.reason, "error", 0.99, (Evidence("rule", alarm.rule, alarm.reason),)) for alarm in judgement.alarms]
    return (*alarms, *found)


def _confidence(metric: MetricJudgement) -> float:
    """One minus the always-valid p-value; a rule on single values has none, so little is claimed."""
    p_value = metric.strength.p_value
    return 0.6 if p_value is None else round(max(0.5, min(0.999, 1 - p_value)), 3)


def evidence_of(metric: MetricJudgement) -> str:
    """What a row rests on, in numbers."""
    strength = metric.strength
    parts = []
    if strength.canary_total is not None and strength.canary_events is not None:
        parts.append(f"{strength.canary_events:,.0f} of {strength.canary_total:,.0f}")
        if strength.baseline_total:
            parts[-1] += f", baseline {strength.baseline_events or 0:,.0f} of {strength.baseline_total:,.0f}"
    if strength.log_e is not None and strength.threshold is not None:
        parts.append(f"evidence {max(0.0, strength.log_e):.1f} of {strength.threshold:.1f}")
    if metric.upper is not None:
        parts.append(f"95 % sure below {shown(metric.upper, metric.unit)}")
    if strength.seen_minutes:
        parts.append(f"{strength.seen_minutes:.0f} min")
    return "; ".join(parts)


def _row(metric: MetricJudgement, seen: Seen) -> MetricRow:
    return MetricRow(
        metric.name, metric.title, str(metric.kind), metric.unit, metric.baseline, metric.canary, metric.delta, metric.limit, metric.effect,
        metric.strength.p_value, metric.status, metric.reason, evidence_of(metric), seen.query_of.get(metric.name, ""), metric.critical, metric.required,
        metric.dry_run, metric.weaker, metric.needed_requests, metric.needed_minutes,
    )  # fmt: skip


def title_of(judgement: Judgement, policy: CanaryPolicy, subject: Subject) -> str:
    """The verdict in one line."""
    word = {Decision.PROMOTE: "GO", Decision.ROLLBACK: "NO-GO"}.get(judgement.decision, "NO DATA" if judgement.status is Status.NO_DATA else "HOLD")
    where = f" in {subject.environment}" if subject.environment else ""
    stage = f", stage {judgement.stage + 1} of {len(policy.stages)} at {100 * judgement.share:.3g} %"
    return f"{word}: {subject.service}{f' {subject.canary_version}' if subject.canary_version else ''}{where}{stage}"

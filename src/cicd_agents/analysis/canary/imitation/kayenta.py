"""`judge: kayenta`: how Kayenta's NetflixACAJudge would judge an observation (pure).

Rules: kayenta-judge of spinnaker/kayenta, imitated in analysis/canary/classical/kayenta.py; here the series it is given, the groups, and what the score means.
It is fail-open where less than half of the metrics have no data (they do not count), and it fails where half or more have none. Here both are NO-DATA.
Two rules of ours hold beside it: samples that are too old are blindness, and nothing passes before its stage has had its minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite, isnan
from statistics import fmean

from cicd_agents.analysis.canary.classical.ab import ab_results
from cicd_agents.analysis.canary.classical.kayenta import Classified, Kayenta, Label, ScoredMetric, classify, score
from cicd_agents.analysis.canary.defaults import check_policy
from cicd_agents.analysis.canary.imitation.whole import imitated, listed
from cicd_agents.analysis.canary.measures import blank, present
from cicd_agents.analysis.canary.stages import Moment, moment
from cicd_agents.analysis.canary.step_values import sides_of
from cicd_agents.analysis.canary.tables import Tables, tabulate
from cicd_agents.domain.canary import CanaryPolicy, Direction, Judgement, Kind, Metric, MetricJudgement, Observation, Status

PASS, MARGINAL = 95.0, 75.0  # the thresholds usual in its samples
GROUPS = {Kind.RATIO: "errors", Kind.QUANTILE: "latency", Kind.GAUGE: "saturation", Kind.BUSINESS: "business", Kind.LOGS: "logs"}
NOTES = (
    "This is an imitation of Kayenta (Mann-Whitney on one value per minute): simulated, its defaults stop a quarter of healthy canaries.",
    "Kayenta is made for one look at its end: looking every minute raises more false alarms.",
)
_STATUS = {Label.PASS: Status.PASS, Label.HIGH: Status.FAIL, Label.LOW: Status.FAIL, Label.NODATA: Status.NO_DATA, Label.NODATA_FAIL: Status.NO_DATA}


def judge_kayenta(
    observation: Observation, policy: CanaryPolicy, now: float, *, stage: int | None = None, setting: Kayenta | None = None, pass_score: float = PASS,
    marginal: float = MARGINAL,
) -> Judgement:  # fmt: skip
    """The judgement at `now`: from the pass score on PASS, from the marginal one INCONCLUSIVE, below FAIL.

    A metric that is required must have data, and a required one that is critical brings the score to 0 when it fails, as `critical` does in Kayenta.
    `stage` is the index of the stage, None: found by traffic and time. `setting` are Kayenta's parameters (tolerance 0.25, confidence 0.98); direction and
    criticality are the metric's. Raises UsageError for a policy without sense.
    """
    check_policy(policy)
    tables = tabulate(observation, policy)
    at = moment(tables, policy, now, stage)
    asked = [metric for metric in policy.metrics if metric.required or (tables is not None and present(metric, tables))]
    judged: list[MetricJudgement] = []
    scored: list[ScoredMetric] = []
    for metric in asked:
        canary, baseline = sides_of(metric, tables, now) if tables is not None and isfinite(now) else ([], [])
        found = classify(canary, baseline, _setting(metric, setting or Kayenta()))
        judged.append(_told(metric, found, canary, baseline))
        if not metric.dry_run:
            scored.append(ScoredMetric(metric.name, found.label, (GROUPS[metric.kind],), found.critical))
    total = score(scored, {})
    status, reason = _by_our_rules(*_whole(judged, total.summary, pass_score, marginal), tables, policy, at)
    groups = ", ".join(f"{name} {value:.4g}" for name, value in total.groups.items())
    told = f"Kayenta itself would say {_word(total.summary, pass_score, marginal)} with {total.summary:.4g} of 100{f' ({groups})' if groups else ''}."
    exclusions = tables.exclusions if tables is not None else ()
    results = ab_results(tables, policy, tables.bins_until(now)) if tables is not None and isfinite(now) else []
    result = imitated(status, reason, judged, (*observation.warnings, *NOTES, told, *results))
    return replace(result, strategy=policy.strategy, stage=at.stage, share=at.share, minutes=at.minutes, exclusions=exclusions)


def _word(summary: float, pass_score: float, marginal: float) -> str:
    return "Pass" if summary >= pass_score else "Marginal" if summary >= marginal else "Fail"


def _setting(metric: Metric, setting: Kayenta) -> Kayenta:
    way = "decrease" if metric.direction is Direction.DECREASE else "increase"
    return replace(setting, direction=way, critical=metric.critical and metric.required, must_have_data=metric.required)


def _told(metric: Metric, found: Classified, canary: Sequence[float], baseline: Sequence[float]) -> MetricJudgement:
    title = metric.title or metric.name
    means = [fmean(values) if (values := [value for value in side if not isnan(value)]) else None for side in (canary, baseline)]
    delta = None if means[0] is None or means[1] is None else means[0] - means[1]
    return replace(
        blank(metric, _STATUS[found.label], f"{title}: {found.label}, {found.reason}"), canary=means[0], baseline=means[1], delta=delta, weaker=True,
        effect=None if isnan(found.deviation) else found.deviation,
    )  # fmt: skip


def _whole(judged: Sequence[MetricJudgement], summary: float, pass_score: float, marginal: float) -> tuple[Status, str]:
    acting = [metric for metric in judged if not metric.dry_run]
    unseen = [metric for metric in acting if metric.status is Status.NO_DATA]
    failed = [metric for metric in acting if metric.status is Status.FAIL]
    half = 2 * len(unseen) >= len(acting)
    if half or any(metric.required for metric in unseen):
        return Status.NO_DATA, f"Cannot see: there is no data of {listed([metric.title for metric in unseen]) or 'any metric'}."
    if summary >= pass_score:
        return Status.PASS, f"The score is {summary:.4g} of 100 by the rules of Kayenta."
    where = f"{'below' if summary < marginal else 'marginal, above'} {marginal:g}"
    text = f"The score is {summary:.4g} of 100, {where}: {listed([metric.title for metric in failed])} differ."
    return (Status.INCONCLUSIVE if summary >= marginal else Status.FAIL), text


def _by_our_rules(status: Status, reason: str, tables: Tables | None, policy: CanaryPolicy, at: Moment) -> tuple[Status, str]:
    if tables is not None and tables.last is not None and at.now - tables.last > policy.hole:
        return Status.NO_DATA, f"Cannot see: the newest sample of the canary is {(at.now - tables.last) / 60:.0f} minutes old."
    left = policy.stages[at.stage].minutes - at.stage_minutes
    if status is Status.PASS and left > 1e-6:
        return Status.INCONCLUSIVE, f"{reason} The stage needs {left:.0f} more minutes."
    return status, reason

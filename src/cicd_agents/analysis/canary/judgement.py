"""The front door: `judge(observation, policy, now=…)` (pure; docs/canary.md explains how it decides)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cicd_agents.analysis.canary.alone import left_alone, set_beside, standing_alone
from cicd_agents.analysis.canary.as_of import as_of
from cicd_agents.analysis.canary.at_once import alarms
from cicd_agents.analysis.canary.classical.ab import ab_results
from cicd_agents.analysis.canary.conclusion import Scene, conclude
from cicd_agents.analysis.canary.counters import LARGEST
from cicd_agents.analysis.canary.counts import Setting
from cicd_agents.analysis.canary.defaults import check_policy
from cicd_agents.analysis.canary.evidence import STRONGEST
from cicd_agents.analysis.canary.measures import blank, measure, novelties, present, traffic, uncounted
from cicd_agents.analysis.canary.outcomes import classed
from cicd_agents.analysis.canary.points import judge_points
from cicd_agents.analysis.canary.preview import NOTE, judge_preview, newest, unasked
from cicd_agents.analysis.canary.stages import Moment, moment
from cicd_agents.analysis.canary.tables import Tables, tabulate
from cicd_agents.domain.canary import CanaryPolicy, Judgement, Metric, MetricJudgement, Observation, Stage, Status

Measure = Callable[[Metric, Tables, Setting], MetricJudgement]
# Where the baseline is of another time, noise counts double.
OTHER_TIME = 2.0


def judge(observation: Observation, policy: CanaryPolicy, *, now: float, stage: int | None = None) -> Judgement:
    """The judgement at `now` (seconds since the epoch); samples after it are not looked at.

    `stage` is the index of the stage that the canary is in; None: found from the traffic share, or from the time that has passed.
    Raises UsageError for a policy that makes no sense, and never for odd data.
    """
    check_policy(policy)
    observation = classed(as_of(observation, now))
    if observation.points and not (observation.canary.replicas or observation.canary.values):
        return judge_points(observation.points, policy, stage=stage or 0)
    return judge_tables(tabulate(observation, policy), observation, policy, now=now, stage=stage)


def judge_tables(
    tables: Tables | None, observation: Observation, policy: CanaryPolicy, *, now: float, stage: int | None = None, by: Measure = measure
) -> Judgement:  # fmt: skip
    """As `judge`, for tables that are made already: a backtest looks many times at the same samples. `by` judges one metric.

    The tables know all samples, so that a step in which `now` lies is whole, where a live look has seen a part of it.
    """
    at = moment(tables, policy, now, stage)
    stage_policy = policy.stages[at.stage]
    weaker = bool(observation.warnings) or not observation.concurrent
    if tables is None or not abs(now) <= LARGEST:
        nothing = tuple(blank(metric, Status.NO_DATA, "there is no usable sample") for metric in policy.metrics if metric.required)
        return conclude(Scene(policy, at, nothing, (), (), tuple(observation.warnings), (), weaker, "there is no usable sample of either version"))
    until = tables.bins_until(now)
    if observation.concurrent and left_alone(tables, at, until):
        tables, moved = set_beside(tables, until)
        observation, weaker = replace(observation, concurrent=False, moved=moved), True
    alone = None if observation.concurrent else standing_alone(observation, tables, policy, until)
    if alone:
        tables = alone.tables
    preview = stage_policy.share <= 0 and at.share <= 0
    metrics = [_of_stage(unasked(metric) if preview else metric, stage_policy) for metric in policy.metrics]
    taking_part = [metric for metric in metrics if present(metric, tables) or metric.required]
    total = sum(metric.weight for metric in taking_part if metric.weight > 0) or 1.0
    budget = tuple((metric.name, policy.alpha * max(metric.weight, 1e-6) / total) for metric in taking_part)
    # What is counted between two samples is spread over the steps between them, so that a burst is seen in more of them.
    burst = STRONGEST + min(2, tables.smeared - 1)
    setting = Setting(until, policy.alpha, stage_policy.see, 1.0 if observation.concurrent else OTHER_TIME, policy.least_requests, policy.slo_latency, burst)
    judged = [uncounted(metric, tables) or by(metric, tables, replace(setting, alpha=alpha)) for metric, (_, alpha) in zip(taking_part, budget, strict=True)]
    fired = alarms(tables, until, policy.at_once, now)
    told = list(observation.warnings)
    if alone:
        told += alone.notes
        judged = [alone.clear(metric, found) for metric, found in zip(taking_part, judged, strict=True)]
        fired = (*fired, *alone.burning(now))
    if preview:
        told.append(NOTE)
        judged.append(judge_preview(tables, until, now))
    notes = (*told, *traffic(tables, until, at.share), *novelties(tables, until), *ab_results(tables, policy, until))
    blind = _blind(newest(tables, now) if preview else tables.last, policy, at)
    return conclude(Scene(policy, at, tuple(judged), fired, tables.exclusions, notes, budget, weaker, blind))


def _of_stage(metric: Metric, stage: Stage) -> Metric:
    """The metric with the stage's own tolerance, where it has one."""
    own = dict(stage.tolerances).get(metric.name)
    return replace(metric, tolerance=own) if own else metric


def _blind(last: float | None, policy: CanaryPolicy, at: Moment) -> str:
    """Why the canary cannot be seen at present, empty where it can; `last` is the time of its newest sample."""
    if last is None:
        return "there is no usable sample of the canary"
    if at.now - last > policy.hole:
        return f"the newest sample of the canary is {(at.now - last) / 60:.0f} minutes old"
    return ""

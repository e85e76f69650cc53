"""How Argo Rollouts would judge measurements by an AnalysisTemplate (pure).

Rules: utils/evaluate/evaluate.go (EvaluateResult), analysis/analysis.go (assessMetricStatus, assessRunStatus) and docs/features/analysis.md of
argoproj/argo-rollouts. It is fail-open where a run ends without any measurement, or with errors up to the limit only: it says Successful; and NaN is good
where there is only a failureCondition. There this module says NO-DATA, and shows the phase of Argo Rollouts beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isnan

from cicd_agents.analysis.canary.imitation.whole import imitated, listed, told
from cicd_agents.analysis.canary.reading.analysis_template import DEFAULT_ERROR_LIMIT, Template, TemplateMetric
from cicd_agents.analysis.canary.reading.expression_values import condition_holds
from cicd_agents.analysis.canary.reading.expressions import ConditionError, Node
from cicd_agents.domain.canary import Judgement, MetricJudgement, Status

NOTE = "This is an imitation of Argo Rollouts: its rules look at single values, without a baseline and without the counts behind them."


class Phase(StrEnum):
    """The phase of a measurement, a metric or a run."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    ERROR = "Error"
    INCONCLUSIVE = "Inconclusive"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a query answered: a scalar, the values of a vector (empty: no series), or why there is no answer. NaN and infinity are kept as they are."""

    value: float | tuple[float, ...] | None = None
    error: str = ""

    @property
    def blind(self) -> bool:
        """Nothing was seen: an error, no series, or NaN only."""
        values = (self.value,) if isinstance(self.value, (int, float)) else self.value or ()
        return bool(self.error) or all(isnan(value) for value in values)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a metric. `count` None: without end. `failure` -1 and `consecutive_success` 0: switched off."""

    failure: int = 0
    inconclusive: int = 0
    consecutive_error: int = DEFAULT_ERROR_LIMIT
    consecutive_success: int = 0
    count: int | None = None

    @staticmethod
    def of(metric: TemplateMetric) -> Limits:
        """The limits of a metric of a template."""
        return Limits(metric.failure_limit, metric.inconclusive_limit, metric.consecutive_error_limit, metric.consecutive_success_limit, metric.count)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was measured so far. `count` is without errors; `measured`: there was a measurement at all, even one that erred."""

    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0
    consecutive_error: int = 0
    consecutive_success: int = 0
    count: int = 0
    measured: bool = False

    def after(self, phase: Phase) -> Tally:
        """The tally with one measurement more."""
        if phase is Phase.ERROR:
            return replace(self, error=self.error + 1, consecutive_error=self.consecutive_error + 1, consecutive_success=0, measured=True)
        name = {Phase.SUCCESSFUL: "successful", Phase.FAILED: "failed"}.get(phase, "inconclusive")
        row = self.consecutive_success + 1 if phase is Phase.SUCCESSFUL else 0
        counted = replace(self, count=self.count + 1, consecutive_error=0, consecutive_success=row, measured=True)
        return replace(counted, **{name: getattr(self, name) + 1})


def condition_phase(success: bool | str | None, failure: bool | str | None) -> Phase:
    """The phase of a measurement from what its conditions came to: true, false, None (not set) or "error" (could not be evaluated)."""
    if isinstance(success, str) or isinstance(failure, str):
        return Phase.ERROR
    if success is None and failure is None:
        return Phase.SUCCESSFUL
    failed = not success if failure is None else failure
    passed = not failed if success is None else success
    return Phase.FAILED if failed else Phase.SUCCESSFUL if passed else Phase.INCONCLUSIVE


def metric_phase(limits: Limits, tally: Tally, *, terminating: bool = False) -> Phase:
    """The phase of a metric whose measurements are all complete; `terminating`: the run was told to end."""
    if not tally.measured:
        return Phase.SUCCESSFUL if terminating else Phase.PENDING
    # An error goes before the inconclusive, and that before a failure, where several limits are passed.
    if tally.consecutive_error > limits.consecutive_error:
        return Phase.ERROR
    if tally.inconclusive > limits.inconclusive:
        return Phase.INCONCLUSIVE
    if limits.failure >= 0 and tally.failed > limits.failure:
        return Phase.FAILED
    in_a_row = limits.consecutive_success > 0
    if in_a_row and tally.consecutive_success >= limits.consecutive_success:
        return Phase.SUCCESSFUL
    if limits.count is not None and tally.count >= limits.count:
        return Phase.SUCCESSFUL if not in_a_row else Phase.INCONCLUSIVE if limits.failure >= 0 else Phase.FAILED
    return Phase.SUCCESSFUL if terminating else Phase.RUNNING


def judge_template(template: Template, measurements: Mapping[str, Sequence[Measurement]], *, ended: bool = True) -> Judgement:
    """The judgement of a template by the measurements of each metric, oldest first. `ended`: no more are coming.

    Argo Rollouts stops to measure a metric when it is decided; later measurements are not looked at. PASS, FAIL, INCONCLUSIVE and NO-DATA stand for
    Successful, Failed, Inconclusive (or still running) and Error (or nothing seen).
    """
    assessed = [_assessed(metric, measurements.get(metric.name, ()), ended=ended) for metric in template.metrics]
    judged = [judgement for _, judgement in assessed]
    for name, provider, dry in template.unreadable:
        unread = told(name, Status.NO_DATA, f"{name} cannot be measured here: its provider is {provider}, and only prometheus is read")
        judged.append(replace(unread, dry_run=dry))
    phase = run_phase([phase for (phase, judgement) in assessed if not judgement.dry_run], ended=ended)
    status, reason = _whole([metric for metric in judged if not metric.dry_run], phase)
    return imitated(status, reason, judged, (NOTE, f"Argo Rollouts itself would say {phase}.", *template.notes))


def run_phase(phases: Sequence[Phase], *, ended: bool) -> Phase:
    """The phase of a run from those of its metrics that do not run dry: the worst, Failed before Error before Inconclusive."""
    if not ended and any(phase in {Phase.PENDING, Phase.RUNNING} for phase in phases):
        return Phase.RUNNING
    order = (Phase.FAILED, Phase.ERROR, Phase.INCONCLUSIVE, Phase.PENDING, Phase.RUNNING)
    return next((phase for phase in order if phase in phases), Phase.SUCCESSFUL)


def _whole(metrics: Sequence[MetricJudgement], phase: Phase) -> tuple[Status, str]:
    for status, text in (
        (Status.FAIL, "failed by the rules of Argo Rollouts"), (Status.NO_DATA, "could not be seen"),
        (Status.INCONCLUSIVE, "cannot be told by the rules of Argo Rollouts"),
    ):  # fmt: skip
        if found := [metric for metric in metrics if metric.status is status]:
            return status, f"{listed([metric.name for metric in found])} {text}: {found[0].reason}."
    if not metrics:
        return Status.NO_DATA, f"Nothing decides: all metrics run dry (Argo Rollouts says {phase})."
    return Status.PASS, "Every metric is Successful by the rules of Argo Rollouts."


def _assessed(metric: TemplateMetric, measurements: Sequence[Measurement], *, ended: bool) -> tuple[Phase, MetricJudgement]:
    conditions, limits = metric.conditions(), Limits.of(metric)
    tally, sighted, seen, error = Tally(), Tally(), [], ""
    for measurement in measurements:
        if metric_phase(limits, tally) not in {Phase.PENDING, Phase.RUNNING}:
            break
        phase, why = _measured(conditions, measurement)
        error = why or error
        tally = tally.after(phase)
        sighted = sighted if measurement.blind else sighted.after(phase)
        seen.append(measurement)
    phase = metric_phase(limits, tally, terminating=ended)
    # Mostly blind, or failed only by what was not seen: that is no judgement of the new version.
    blind = 2 * sum(measurement.blind for measurement in seen) >= len(seen) or (phase is Phase.FAILED and sighted.failed <= limits.failure)
    status = _status(metric, phase, blind=blind)
    values = [value for measurement in seen if (value := _first(measurement)) is not None]
    reason = f"{_counted(tally, limits)}: Argo Rollouts says {phase}"
    if blind:
        unseen = sum(measurement.blind for measurement in seen)
        reason = f"{unseen} of {len(seen)} measurements saw nothing{f' ({error[:200]})' if error else ''}; Argo Rollouts says {phase}"
    elif status is Status.INCONCLUSIVE and phase is Phase.SUCCESSFUL:
        reason = f"it has no condition, so that nothing is judged; Argo Rollouts says {phase}"
    found = told(metric.name, status, f"{metric.name}: {reason}", value=values[-1] if values else None)
    return phase, replace(found, dry_run=metric.dry_run)


def _status(metric: TemplateMetric, phase: Phase, *, blind: bool) -> Status:
    if blind or phase is Phase.ERROR:
        return Status.NO_DATA
    if phase is Phase.SUCCESSFUL and not metric.success and not metric.failure:
        return Status.INCONCLUSIVE
    return {Phase.SUCCESSFUL: Status.PASS, Phase.FAILED: Status.FAIL}.get(phase, Status.INCONCLUSIVE)


def _measured(conditions: tuple[Node | None, Node | None], measurement: Measurement) -> tuple[Phase, str]:
    """The phase of a measurement, and why it is an error."""
    if measurement.error:
        return Phase.ERROR, measurement.error
    outcomes: list[bool | str | None] = []
    why = ""
    result = list(measurement.value) if isinstance(measurement.value, tuple) else measurement.value
    for condition in conditions:
        try:
            outcomes.append(None if condition is None else condition_holds(condition, result))
        except ConditionError as problem:
            outcomes.append("error")
            why = str(problem)
    return condition_phase(outcomes[0], outcomes[1]), why


def _first(measurement: Measurement) -> float | None:
    value = measurement.value[0] if isinstance(measurement.value, tuple) and measurement.value else measurement.value
    return float(value) if isinstance(value, (int, float)) and not isnan(value) else None


def _counted(tally: Tally, limits: Limits) -> str:
    failed = f"{tally.failed} of {tally.count} measurements failed (failureLimit {'off' if limits.failure < 0 else limits.failure})"
    more = [f"{number} {text}" for number, text in ((tally.inconclusive, "inconclusive"), (tally.error, "with an error")) if number]
    return ", ".join([failed, *more])

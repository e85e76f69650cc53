"""How Keptn's quality gate would judge values by an SLO file (pure).

Rules: lighthouse-service/event_handler/evaluate_sli_handler.go of keptn/keptn. It is fail-open where a criterion compares with earlier results and there are
none (it holds), and where all objectives only inform (100 points). There this module says INCONCLUSIVE; what was not measured is NO-DATA, while Keptn fails it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, isnan

from cicd_agents.analysis.canary.imitation.whole import imitated, listed, told
from cicd_agents.analysis.canary.reading.keptn_slo import Criterion, Objective, Slo
from cicd_agents.domain.canary import Judgement, MetricJudgement, Status

NOTE = "This is an imitation of Keptn's quality gate: one number for each objective, without its variance."


@dataclass(frozen=True, slots=True)
class Sli:
    """A measured value; `success` False: the provider could not tell it."""

    metric: str
    value: float = 0.0
    success: bool = True


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier evaluation, the newest first: its values and its result (pass, warning, fail)."""

    values: tuple[Sli, ...]
    result: str = "pass"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An objective's status (pass, warning, fail, info) and score; `compared` False: a comparison held only because there was nothing to compare with."""

    sli: str
    status: str
    score: float
    value: float | None = None
    compared: bool = True


@dataclass(frozen=True, slots=True)
class Total:
    """The result of all (pass, warning, fail) with the score in percent."""

    result: str
    score: float


def percentile(values: Sequence[float], p: float) -> float:
    """Keptn's percentile (p is 0 to 1): at position p × (n + 1), linear between, 0 without values."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    at = p * (len(ordered) + 1)
    if at < 1:
        return ordered[0]
    if at >= len(ordered):
        return ordered[-1]
    below = ordered[floor(at) - 1]
    return below + (at - floor(at)) * (ordered[floor(at)] - below)


def criterion_holds(criterion: Criterion, value: float, previous: Sequence[float], aggregate: str = "avg") -> bool:
    """Whether one criterion holds; `previous` are the values of earlier evaluations that succeeded. Without any, a comparison holds."""
    target = criterion.value
    if criterion.comparison:
        if not previous:
            return True
        base = _joined(previous, aggregate)
        change = criterion.value if criterion.increase else -criterion.value
        target = base * (100.0 + change) / 100.0 if criterion.percentage else base + change
    return {
        "<": value < target, "<=": value <= target, "=": value == target, ">=": value >= target, ">": value > target,
    }.get(criterion.operator, False)  # fmt: skip


def _joined(values: Sequence[float], aggregate: str) -> float:
    if aggregate == "avg":
        return sum(values) / len(values)
    return percentile(values, {"p50": 0.5, "p90": 0.9, "p95": 0.95}[aggregate]) if aggregate in {"p50", "p90", "p95"} else 0.0


def any_set_holds(sets: Sequence[Sequence[Criterion]], sli: Sli, previous: Sequence[float], aggregate: str = "avg") -> bool:
    """Whether all criteria of one of the sets hold; never for a value that was not measured."""
    return sli.success and any(all(criterion_holds(criterion, sli.value, previous, aggregate) for criterion in criteria) for criteria in sets)


def evaluate_objectives(objectives: Sequence[Objective], slis: Sequence[Sli], previous: Sequence[Sli], aggregate: str = "avg") -> list[Evaluated]:
    """Every objective, in order. `previous` are the values of the earlier evaluations that count. A value serves one objective only, as in Keptn."""
    left = list(slis)
    found = []
    for objective in objectives:
        sli = next((sli for sli in left if sli.metric == objective.sli), None)
        if sli is None:
            found.append(Evaluated(objective.sli, "fail", 0.0))
            continue
        left.remove(sli)
        values = [earlier.value for earlier in previous if earlier.metric == objective.sli and earlier.success]
        found.append(_evaluated(objective, sli, values, aggregate))
    return found


def _evaluated(objective: Objective, sli: Sli, previous: Sequence[float], aggregate: str) -> Evaluated:
    value = sli.value if sli.success else None
    if not objective.passes:
        return Evaluated(objective.sli, "info", 0.0, value)
    relative = any(criterion.comparison for criteria in (*objective.passes, *objective.warnings) for criterion in criteria)
    seen = Evaluated(objective.sli, "fail", 0.0, value, compared=bool(previous) or not relative)
    if any_set_holds(objective.passes, sli, previous, aggregate):
        return replace(seen, status="pass", score=objective.weight)
    if any_set_holds(objective.warnings, sli, previous, aggregate):
        return replace(seen, status="warning", score=0.5 * objective.weight)
    return seen


def total_score(score: float, maximum: float, *, key_failed: bool, pass_percent: float, warning_percent: float | None) -> Total:
    """The result of all objectives from their summed score; nothing to reach is a pass with 100."""
    if maximum == 0:
        return Total("pass", 100.0)
    percent = 100.0 * score / maximum
    if key_failed:
        return Total("fail", percent)
    if percent >= pass_percent:
        return Total("pass", percent)
    return Total("warning" if warning_percent is not None and percent >= warning_percent else "fail", percent)


def judge_slo(slo: Slo, values: Mapping[str, float | None], previous: Sequence[Earlier] = ()) -> Judgement:
    """The judgement of an SLO file by the value of each SLI (None: not measured) and the earlier evaluations, the newest first.

    pass, warning and fail of Keptn are PASS, INCONCLUSIVE and FAIL; what rests on values that were not measured is NO-DATA.
    """
    slis = [Sli(name, value if value is not None else 0.0, value is not None) for name, value in values.items()]
    include = {"pass": {"pass"}, "pass_or_warn": {"pass", "warning"}}.get(slo.include, {"pass", "warning", "fail"})
    earlier = [sli for item in [item for item in previous if item.result in include][: slo.number] for sli in item.values]
    found = evaluate_objectives(slo.objectives, slis, earlier, slo.aggregate)
    total = _total(slo, found, {item.sli for item in found if item.sli in values})
    judged = [_told(objective, item) for objective, item in zip(slo.objectives, found, strict=True)]
    status, reason = _whole(slo, found, judged, total)
    return imitated(status, reason, judged, (NOTE, f"Keptn itself would say {total.result} with {total.score:.4g} of 100 points."))


def _total(slo: Slo, found: Sequence[Evaluated], measured: set[str]) -> Total:
    # In Keptn a key SLI that is missing altogether costs its points, and does not count as failed.
    key = any(objective.key and item.status == "fail" and item.sli in measured for objective, item in zip(slo.objectives, found, strict=True))
    maximum = sum(objective.weight for objective in slo.objectives if objective.passes)
    return total_score(sum(item.score for item in found), maximum, key_failed=key, pass_percent=slo.pass_percent, warning_percent=slo.warning_percent)


def _unseen(item: Evaluated) -> bool:
    return item.value is None or isnan(item.value)


def _told(objective: Objective, item: Evaluated) -> MetricJudgement:
    title = objective.title or objective.sli
    status = {"pass": Status.PASS, "warning": Status.INCONCLUSIVE, "fail": Status.FAIL, "info": Status.PASS}[item.status]
    reason = f"{title}: {item.status} with {item.score:g} of {objective.weight:g} points"
    if _unseen(item):
        status, reason = Status.NO_DATA, f"{title} was not measured, which Keptn counts as {item.status}"
    elif item.status == "info":
        reason = f"{title} only informs"
    elif not item.compared and item.status != "fail":
        status, reason = Status.INCONCLUSIVE, f"{title}: there is no earlier result to compare with, which Keptn counts as {item.status}"
    found = told(item.sli, status, reason, value=None if _unseen(item) else item.value, limit=_limit(objective))
    return replace(found, title=title, weight=objective.weight, critical=objective.key or bool(objective.passes), required=bool(objective.passes))


def _limit(objective: Objective) -> float | None:
    """The first fixed limit of the pass criteria, for the report."""
    fixed = [criterion.value for criteria in objective.passes for criterion in criteria if not criterion.comparison]
    return fixed[0] if fixed else None


def _whole(slo: Slo, found: Sequence[Evaluated], judged: Sequence[MetricJudgement], total: Total) -> tuple[Status, str]:
    deciding = [metric for metric in judged if metric.required]
    unseen = [metric.name for metric in deciding if metric.status is Status.NO_DATA]
    if not deciding:
        return Status.INCONCLUSIVE, f"All objectives only inform, so that nothing is judged (Keptn says {total.result})."
    if total.result == "fail" and _fails_anyway(slo, found):
        failed = [metric.name for metric in deciding if metric.status is Status.FAIL]
        return Status.FAIL, f"The score is {total.score:.4g} of 100, below {slo.pass_percent:g}: {listed(failed)} failed."
    if unseen:
        return Status.NO_DATA, f"Cannot see: {listed(unseen)} was not measured (Keptn says {total.result})."
    if total.result == "warning":
        return Status.INCONCLUSIVE, f"The score is {total.score:.4g} of 100, a warning by the rules of Keptn."
    if alone := [item.sli for item in found if not item.compared]:
        return Status.INCONCLUSIVE, f"There is no earlier result to compare {listed(alone)} with (Keptn says {total.result})."
    return Status.PASS, f"The score is {total.score:.4g} of 100 by the rules of Keptn."


def _fails_anyway(slo: Slo, found: Sequence[Evaluated]) -> bool:
    """Whether it fails even if everything that was not measured were good: blindness alone never fails."""
    pairs = zip(slo.objectives, found, strict=True)
    best = [replace(item, status="pass", score=objective.weight) if _unseen(item) and objective.passes else item for objective, item in pairs]
    return _total(slo, best, {item.sli for item in best}).result == "fail"

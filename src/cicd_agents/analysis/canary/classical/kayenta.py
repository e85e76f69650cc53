"""`judge: kayenta`: the classical judgement of Spinnaker's canary analysis, imitated on series of values (pure).

Behaviour as its unit tests assert it: Mann–Whitney limits beyond a part of the shift, then an effect size; one value per interval, no tolerance for looking
often. Simulated, its defaults stop a quarter of healthy canaries: it is here for comparison and migration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isnan, nan

from cicd_agents.analysis.canary.classical.effects import common_language, mean, mean_ratio
from cicd_agents.analysis.canary.classical.mannwhitney import Shift, shift


class Label(StrEnum):
    """What a metric is classified as."""

    PASS = "Pass"  # noqa: S105 a classification
    HIGH = "High"
    LOW = "Low"
    NODATA = "Nodata"
    NODATA_FAIL = "NodataFailMetric"


@dataclass(frozen=True, slots=True)
class Kayenta:
    """The parameters: `effect` is mean_ratio or cles; (low, high) thresholds None: the measure's neutral value; `critical_effect` likewise."""

    tolerance: float = 0.25
    confidence: float = 0.98
    direction: str = "either"  # increase, decrease, either
    nan_strategy: str = "remove"  # remove, replace
    critical: bool = False
    must_have_data: bool = False
    effect: str = "mean_ratio"
    thresholds: tuple[float, float] | None = None
    critical_effect: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Classified:
    """The classification, with the effect size (NaN where it cannot be computed) and why."""

    label: Label
    critical: bool
    deviation: float
    reason: str


def classify(canary: Sequence[float], baseline: Sequence[float], setting: Kayenta) -> Classified:
    """The classification of one metric."""
    a, b = (_without_nan(side, setting) for side in (canary, baseline))
    if not a or not b:
        return _without_data(bool(a), bool(b), setting)
    if sorted(a) == sorted(b):
        return Classified(Label.PASS, False, 1.0, "both samples are the same")
    deviation = (common_language if setting.effect == "cles" else mean_ratio)(a, b)
    # Where all values of both are one number the shift has no limits; equal constants per side differ by exactly their distance.
    found = shift(a, b, setting.confidence) if not _constant(a, b) else Shift(a[0] - b[0], a[0] - b[0], a[0] - b[0])
    if found is None:
        return Classified(Label.PASS, False, deviation, "both samples are the same")
    for label, way in ((Label.HIGH, "increase"), (Label.LOW, "decrease")):
        if setting.direction in {way, "either"} and _beyond(label, found, deviation, setting):
            critical = setting.critical and _effect_passes(label, deviation, setting.critical_effect or _neutral(setting))
            text = f"the shift is {'above' if label is Label.HIGH else 'below'} the tolerance, and the effect is {deviation:.4g}"
            return Classified(label, critical, deviation, text)
    return Classified(Label.PASS, False, deviation, "the shift is within the tolerance")


def _without_nan(values: Sequence[float], setting: Kayenta) -> list[float]:
    if setting.nan_strategy == "replace":
        return [0.0 if isnan(value) else value for value in values]
    return [value for value in values if not isnan(value)]


def _without_data(has_canary: bool, has_baseline: bool, setting: Kayenta) -> Classified:
    if setting.nan_strategy == "replace":
        return Classified(Label.PASS, False, nan, "a side without values counts as nothing wrong (nan strategy replace)")
    missing = " and ".join(name for name, there in (("canary", has_canary), ("baseline", has_baseline)) if not there)
    label = Label.NODATA_FAIL if setting.must_have_data else Label.NODATA
    return Classified(label, setting.critical, nan, f"no data of the {missing}")


def _constant(a: Sequence[float], b: Sequence[float]) -> bool:
    return min(a) == max(a) and min(b) == max(b)


def _beyond(label: Label, found: Shift, deviation: float, setting: Kayenta) -> bool:
    reach = setting.tolerance * abs(found.estimate)
    outside = found.low > reach if label is Label.HIGH else found.high < -reach
    return outside and _effect_passes(label, deviation, setting.thresholds or _neutral(setting))


def _neutral(setting: Kayenta) -> tuple[float, float]:
    return (0.5, 0.5) if setting.effect == "cles" else (1.0, 1.0)


def _effect_passes(label: Label, deviation: float, thresholds: tuple[float, float]) -> bool:
    """An effect that cannot be computed does not stand in the way."""
    return isnan(deviation) or (deviation >= thresholds[1] if label is Label.HIGH else deviation <= thresholds[0])


def mean_inequality(canary: Sequence[float], baseline: Sequence[float]) -> Classified:
    """The simplest of its classifiers: whichever mean is larger."""
    a, b = mean(canary), mean(baseline)
    label = Label.NODATA if isnan(a) or isnan(b) else Label.HIGH if a > b else Label.LOW if a < b else Label.PASS
    return Classified(label, False, mean_ratio(canary, baseline), "the means are compared")


# Scores


@dataclass(frozen=True, slots=True)
class ScoredMetric:
    """A classified metric and the groups that it counts in."""

    name: str
    label: Label
    groups: tuple[str, ...]
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """0 to 100, with each group's."""

    summary: float
    groups: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


def score(metrics: Iterable[ScoredMetric], weights: Mapping[str, float]) -> Score:
    """Passes in percent by group, weighted; groups without a weight share what is left of 100. A failing critical metric, or half without data: 0."""
    counted = list(metrics)
    if not counted:
        return Score(0.0, {}, "there is no metric")
    bad = [metric.name for metric in counted if metric.critical and metric.label is not Label.PASS]
    groups = {name: _group(counted, name) for name in sorted({group for metric in counted for group in metric.groups})}
    if bad:
        return Score(0.0, groups, f"the critical metric {bad[0]} did not pass")
    if 2 * sum(metric.label is Label.NODATA for metric in counted) >= len(counted):
        return Score(0.0, groups, "half of the metrics or more have no data")
    known = {name: weight for name, weight in weights.items() if name in groups}
    others = [name for name in groups if name not in known]
    spare = max(0.0, 100.0 - sum(known.values()))
    known |= dict.fromkeys(others, spare / len(others) if others else 0.0)
    return Score(sum(groups[name] * weight / 100 for name, weight in known.items()), groups)


def _group(metrics: Sequence[ScoredMetric], group: str) -> float:
    labels = [metric.label for metric in metrics if group in metric.groups and metric.label is not Label.NODATA]
    return 100.0 * sum(label is Label.PASS for label in labels) / len(labels) if labels else 100.0

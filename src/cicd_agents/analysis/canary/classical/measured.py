"""One metric judged by a classical test: counts by a test of two proportions, values by Welch's t (pure; judging.py says when a test is made).

FAIL: the test tells the difference from chance, and the estimate is beyond the GO limit. PASS: within it, and the NO-GO limit is ruled out with 95 %
confidence; that a test finds nothing is no PASS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from math import floor, isfinite, log
from statistics import fmean

from cicd_agents.analysis.canary.classical import sequential
from cicd_agents.analysis.canary.classical.effects import cohen_d
from cicd_agents.analysis.canary.classical.one_look import NOTHING, Tested, chi_square, fisher_exact, two_proportions, welch_t
from cicd_agents.analysis.canary.conclusion import shown, stop_limit
from cicd_agents.analysis.canary.counts import Setting
from cicd_agents.analysis.canary.gauges import go_limit
from cicd_agents.analysis.canary.measures import blank
from cicd_agents.analysis.canary.step_values import sides_of
from cicd_agents.analysis.canary.streams import (
    Limits,
    bounds_about,
    histogram,
    latency_limits,
    latency_stream,
    log_stream,
    quantile,
    ratio_limits,
    ratio_stream,
    survival,
)
from cicd_agents.analysis.canary.tables import Stream, Tables
from cicd_agents.domain.canary import Direction, Kind, Metric, MetricJudgement, Status, Strength

# What must be ruled out is ruled out by a one-sided bound of 95 %: an end of a two-sided interval of 90 %.
CONFIDENCE = 0.9
SMALLEST = 1e-6  # smaller p-values say no more
NO_EVENT = 3.0  # events that 95 % of the samples without any still allow (the rule of three)


class ClassicalTest(StrEnum):
    """The tests, by their names in the setting `judge`."""

    WELCH = "welch"
    FISHER = "fisher"
    CHI_SQUARE = "chi-square"
    PROPORTIONS = "proportions"


TITLES = {
    ClassicalTest.WELCH: "Welch's t test",
    ClassicalTest.FISHER: "Fisher's exact test",
    ClassicalTest.CHI_SQUARE: "the chi-square test",
    ClassicalTest.PROPORTIONS: "the two-proportion test",
}
SEQUENTIAL = "the sequential two-proportion test"

# Counts

# The stream, whether less is worse, and the limits at a rate of the baseline (with a factor for pods, which these tests do not know).
_Compared = tuple[Stream, bool, Callable[[float, float], Limits]]


@dataclass(frozen=True, slots=True)
class _Counts:
    """Events and exposure of both sides in the minutes that both had traffic in, and what the metric allows at the baseline's rate."""

    canary: float
    of_canary: float
    baseline: float
    of_baseline: float
    limits: Limits
    falling: bool
    complement: bool
    minutes: int

    @property
    def pair(self) -> tuple[float, float, float, float]:
        return self.canary, self.of_canary, self.baseline, self.of_baseline

    def true(self, rate: float) -> float:
        """The rate of what the metric counts: of what is common, what did not happen is compared."""
        return 1 - rate if self.complement else rate


def of_counts(metric: Metric, tables: Tables, setting: Setting, test: ClassicalTest, begin: int = 0, *, sequentially: bool = False) -> MetricJudgement:
    """Events of requests (slow requests for a latency) in the steps from `begin` on by one of the tests; `sequentially` by that for every look."""
    counts = _counts(metric, tables, setting, begin)
    title = metric.title or metric.name
    if counts is None:
        return blank(metric, Status.NO_DATA, f"{title}: there is no minute in which both versions had traffic after warm-up")
    tested = sequential.two_proportions(*counts.pair, confidence=CONFIDENCE) if sequentially else _tested(test, counts)
    bounds = tested if sequentially else two_proportions(*counts.pair, confidence=CONFIDENCE)
    rate, base = counts.canary / counts.of_canary, counts.baseline / counts.of_baseline
    beyond = rate < counts.limits.go if counts.falling else rate > counts.limits.go
    upper = _upper(counts, bounds, base)
    ruled_out = upper is not None and (upper >= counts.limits.stop if counts.falling else upper <= counts.limits.stop)
    status = _status(tested.p_value, setting.alpha, beyond=beyond, ruled_out=ruled_out and counts.of_canary >= setting.least)
    words = f"{counts.canary:.0f} of {counts.of_canary:.0f} against {counts.baseline:.0f} of {counts.of_baseline:.0f}"
    by = SEQUENTIAL if sequentially else TITLES[test]
    canary, baseline = counts.true(rate), counts.true(base)
    found = replace(
        blank(metric, status, _reason(metric, status, f"{words}, {p_text(tested.p_value)} by {by}", beyond=beyond)), canary=canary, baseline=baseline,
        delta=canary - baseline, effect=canary / baseline if baseline else None, limit=counts.true(counts.limits.go),
        upper=None if upper is None else counts.true(upper),
        strength=Strength(
            None, None, setting.alpha, tested.p_value, counts.canary, counts.of_canary, counts.baseline, counts.of_baseline,
            counts.minutes * tables.step / 60,
        ),
    )  # fmt: skip
    return _as_quantile(metric, tables, setting, found, begin) if metric.kind is Kind.QUANTILE else found


def _tested(test: ClassicalTest, counts: _Counts) -> Tested:
    a, n_a, b, n_b = counts.pair
    if a + b <= 0 or a + b >= n_a + n_b:
        # All alike: nothing speaks for a difference. Rows of a table must not be empty for some of the tests.
        return Tested(None, 1.0, difference=0.0)
    if test is ClassicalTest.FISHER:
        return fisher_exact(round(a), round(n_a), round(b), round(n_b))
    return chi_square([[a, n_a - a], [b, n_b - b]]) if test is ClassicalTest.CHI_SQUARE else two_proportions(a, n_a, b, n_b)


def _counts(metric: Metric, tables: Tables, setting: Setting, begin: int) -> _Counts | None:
    """None where there is nothing to compare."""
    found = _latency(metric, tables, setting) if metric.kind is Kind.QUANTILE else _events(metric, tables, setting)
    if found is None:
        return None
    stream, falling, limits_at = found
    (events, exposure, other, of_other), minutes = in_common(stream, setting.until, begin)
    if not minutes:
        return None
    return _Counts(events, exposure, other, of_other, limits_at(max(other, 0.5) / of_other, 1.0), falling, stream.complement, minutes)


def in_common(stream: Stream, until: int, begin: int = 0) -> tuple[tuple[float, float, float, float], int]:
    """Events and exposure of the canary and of the baseline in the steps from `begin` on in which both had traffic, and how many steps those are."""
    (a, n_a), (b, n_b) = stream.canary.total(until), stream.baseline.total(until)
    both = [index for index in range(begin, min(len(n_a), len(n_b))) if n_a[index] > 0 and n_b[index] > 0]
    events, exposure, other, of_other = (sum((row[index] for index in both), 0.0) for row in (a, n_a, b, n_b))
    return (events, exposure, other, of_other), len(both)


def _events(metric: Metric, tables: Tables, setting: Setting) -> _Compared:
    logs = metric.kind is Kind.LOGS
    stream = tables.stream("critical logs", log_stream) if logs else tables.stream(metric.name, partial(ratio_stream, metric))
    falls = metric.direction is Direction.DECREASE
    return stream, falls and not stream.complement, partial(ratio_limits, metric.tolerance, see=setting.see, complement=stream.complement, falling=falls)


def _latency(metric: Metric, tables: Tables, setting: Setting) -> _Compared | None:
    """Requests slower than the bucket bound that is nearest to the quantile, by how many are slower; None where there is none."""
    q = metric.quantile or 0.95
    counts = histogram(tables.baseline, setting.until)
    bounds = bounds_about(counts, q)
    if not bounds:
        return None
    bound = min(bounds, key=lambda each: abs(log(survival(counts, each) / (1 - q))))
    return tables.stream(bound, partial(latency_stream, bound)), False, latency_limits(metric.tolerance, counts, bound, setting.see)


def _upper(counts: _Counts, bounds: Tested, base: float) -> float | None:
    """What the canary's rate is below (above, where it should not fall) with 95 % confidence, taking the baseline's for what it is."""
    end = bounds.low if counts.falling else bounds.high
    if end is None:
        return None
    return base + end if counts.falling else max(base + end, NO_EVENT / counts.of_canary)


def _as_quantile(metric: Metric, tables: Tables, setting: Setting, found: MetricJudgement, begin: int) -> MetricJudgement:
    """With the latencies themselves: how many are slower than a bound stands in the reason."""
    first = max(begin, round((tables.since - tables.start) / tables.step))
    canary, baseline = (quantile(histogram(side, setting.until, first), metric.quantile or 0.95) for side in (tables.canary, tables.baseline))
    found = replace(found, canary=canary, baseline=baseline, delta=None, effect=None, limit=None, upper=None)
    if canary is None or not baseline:
        return found
    return replace(found, delta=canary - baseline, effect=canary / baseline, limit=baseline * metric.tolerance.go_ratio)


# Values


def of_values(metric: Metric, tables: Tables, setting: Setting, begin: int, until: float) -> MetricJudgement:
    """Welch's t on one value per step of each side, from the step `begin` on.

    The NO-GO limit is ruled out where the canary is significantly below a baseline that is moved there.
    """
    title = metric.title or metric.name
    skipped = max(0, begin - max(0, floor((tables.since - tables.start) / tables.step + 1e-6)))
    canary, baseline = ([value for value in side[skipped:] if isfinite(value)] for side in sides_of(metric, tables, until))
    if not canary:
        return blank(metric, Status.NO_DATA, f"{title}: there is no usable value of the canary")
    mine, other = fmean(canary), fmean(baseline) if baseline else None
    limit = go_limit(metric, other)
    found = replace(blank(metric, Status.INCONCLUSIVE, f"{title}: there are too few minutes to test"), canary=mine, baseline=other, limit=limit)
    tested = welch_t(canary, baseline)
    if other is None or limit is None or tested is NOTHING:
        return found
    falls = metric.direction is Direction.DECREASE
    stop = _stop(metric, other, setting.see)
    beyond = mine < limit if falls else mine > limit
    ruled_out = stop is not None and _ruled_out(canary, baseline, stop - other, falls=falls) and _enough(metric, tables, setting, begin)
    status = _status(tested.p_value, setting.alpha, beyond=beyond, ruled_out=ruled_out)
    size = cohen_d(canary, baseline)
    effect = f", d = {size:.2g}" if isfinite(size) else ""
    words = f"mean {shown(mine, metric.unit)} against {shown(other, metric.unit)} over {len(canary)} and {len(baseline)} minutes"
    return replace(
        found, status=status, reason=_reason(metric, status, f"{words}, {p_text(tested.p_value)} by {TITLES[ClassicalTest.WELCH]}{effect}", beyond=beyond),
        delta=mine - other, effect=mine / other if other else None,
        strength=Strength(alpha=setting.alpha, p_value=tested.p_value, seen_minutes=len(canary) * tables.step / 60),
    )  # fmt: skip


def _stop(metric: Metric, baseline: float, see: float) -> float | None:
    """What a PASS must rule out, as a value."""
    if metric.kind in {Kind.GAUGE, Kind.QUANTILE}:
        return stop_limit(metric, metric.tolerance, baseline)
    return ratio_limits(metric.tolerance, baseline, 1.0, see, falling=metric.direction is Direction.DECREASE).stop


def _ruled_out(canary: Sequence[float], baseline: Sequence[float], by: float, *, falls: bool) -> bool:
    moved = welch_t(canary, [value + by for value in baseline])
    if moved.difference is None or moved.p_value is None or (moved.difference <= 0 if falls else moved.difference >= 0):
        return False
    return moved.p_value <= 1 - CONFIDENCE


def _enough(metric: Metric, tables: Tables, setting: Setting, begin: int) -> bool:
    """Whether the counts behind the values are enough to say that something does not happen: minutes without an error have no spread, however few requests."""
    if without_counts(metric, tables):
        return True
    counts = _counts(metric, tables, setting, begin)
    return counts is not None and counts.of_canary >= setting.least and (counts.falling or counts.limits.stop * counts.of_canary >= NO_EVENT)


def without_counts(metric: Metric, tables: Tables) -> bool:
    """Whether the metric is a ready series, or a level."""
    return metric.kind is Kind.GAUGE or metric.name in tables.canary_values or metric.name in tables.baseline_values


# Words


def _status(p_value: float | None, alpha: float, *, beyond: bool, ruled_out: bool) -> Status:
    if beyond and p_value is not None and p_value < alpha:
        return Status.FAIL
    return Status.PASS if ruled_out and not beyond else Status.INCONCLUSIVE


def _reason(metric: Metric, status: Status, words: str, *, beyond: bool) -> str:
    title = metric.title or metric.name
    if status is Status.FAIL:
        return f"{title} {'drop' if metric.direction is Direction.DECREASE else 'spike'}: {words}"
    if status is Status.PASS:
        return f"{title} within threshold: {words}"
    return f"{title}: {'beyond the GO limit, which may be chance' if beyond else 'the NO-GO limit is not ruled out'}; {words}"


def p_text(p_value: float | None) -> str:
    """A p-value for people."""
    return "no p-value" if p_value is None else f"p = {p_value:.2g}" if p_value >= SMALLEST else f"p < {SMALLEST:g}"

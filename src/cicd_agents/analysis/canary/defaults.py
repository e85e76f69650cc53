"""The default policy, and what a policy must hold to make sense (pure).

GO: errors ≤ baseline + 0.1 points, P95 ≤ 1.2 ×, CPU < 80 %, memory < 85 %, no critical messages, business stable. NO-GO: errors and P95 > 1.5 ×, CPU > 90 % or
memory > 95 %, exceptions, panics or OOM, business -10 %, health. In the judge they are tolerances of a test, not limits of a point.
"""

from __future__ import annotations

from cicd_agents.domain.canary import CanaryPolicy, Decision, Direction, Kind, Metric, Stage, Strategy, Tolerance
from cicd_agents.domain.errors import UsageError

_ERRORS = Tolerance(1.0, 0.00001, 1.0, 0.001, 1.5, 0.005)
_CLIENT_ERRORS = Tolerance(1.3, 0.005, 1.3, 0.01, 2.0, 0.03)
_LATENCY = Tolerance(1.2, 0.0, 1.2, 0.0, 1.5, 0.0)
_BUSINESS = Tolerance(0.98, 0.0, 0.95, 0.0, 0.9, 0.0)

METRICS = (
    Metric("error_rate", Kind.RATIO, "Error rate", events=("5",), unit="%", weight=12, required=True, tolerance=_ERRORS),
    Metric("client_error_rate", Kind.RATIO, "Client error rate (4xx)", events=("4",), unit="%", weight=1, tolerance=_CLIENT_ERRORS),
    Metric("latency_p50", Kind.QUANTILE, "P50 latency", quantile=0.5, unit="s", weight=1, tolerance=_LATENCY),
    Metric("latency_p95", Kind.QUANTILE, "P95 latency", quantile=0.95, unit="s", weight=2, required=True, tolerance=_LATENCY),
    Metric("latency_p99", Kind.QUANTILE, "P99 latency", quantile=0.99, unit="s", weight=2, tolerance=_LATENCY),
    Metric("cpu", Kind.GAUGE, "CPU", events=("cpu",), unit="percent", weight=1, tolerance=Tolerance(1.1, 5.0, 1.1, 5.0, 1.5, 0.0, 80.0, 90.0)),
    Metric("memory", Kind.GAUGE, "Memory", events=("memory",), unit="percent", weight=1, tolerance=Tolerance(1.1, 5.0, 1.1, 5.0, 1.5, 0.0, 85.0, 95.0)),
    Metric("connections", Kind.GAUGE, "Connections", events=("connections",), weight=0.5, critical=False, tolerance=Tolerance(1.5, 10.0, 1.5, 10.0, 2.0)),
    Metric("critical_logs", Kind.LOGS, "Critical log messages", unit="%", weight=1, tolerance=Tolerance(1.5, 0.0001, 1.5, 0.0002, 2.0, 0.005)),
    Metric(
        "conversion", Kind.BUSINESS, "Conversion", Direction.DECREASE, ("orders",), ("sessions",), unit="%", weight=1, tolerance=_BUSINESS
    ),
    Metric(
        "payment_success", Kind.BUSINESS, "Payment success", Direction.DECREASE, ("payments_succeeded",), ("payments",), unit="%", weight=1, tolerance=_BUSINESS
    ),
    Metric(
        "cart_abandonment", Kind.BUSINESS, "Cart abandonment", Direction.INCREASE, ("carts_abandoned",), ("carts",), unit="%", weight=0.5,
        tolerance=Tolerance(1.02, 0.0, 1.05, 0.0, 1.1, 0.01),
    ),
    Metric(
        "engagement", Kind.BUSINESS, "Engagement", Direction.DECREASE, ("engaged",), ("sessions",), unit="%", weight=0.5, critical=False,
        tolerance=_BUSINESS,
    ),
)  # fmt: skip

STAGES = (Stage(0.05, 5, see=4.0), Stage(0.25, 10, see=2.0), Stage(0.5, 15), Stage(1.0, 30))
STAGES_OF = {
    Strategy.CANARY: STAGES,
    Strategy.BLUE_GREEN: (Stage(0.0, 5, see=4.0), Stage(1.0, 30)),
    Strategy.ROLLING: (Stage(0.25, 5, see=4.0), Stage(0.5, 5, see=2.0), Stage(0.75, 5), Stage(1.0, 30)),
    Strategy.AB: (Stage(0.5, 60),),
}


# A budget that is more than a 14.4th of all requests cannot burn 14.4 times too fast (slo.py).
OBJECTIVES = (0.94, 0.99999)
MOST_DAYS = 28


def default_policy(strategy: Strategy = Strategy.CANARY) -> CanaryPolicy:
    """The policy that is used where nothing is configured."""
    return CanaryPolicy(METRICS, STAGES_OF[strategy], strategy)


def check_policy(policy: CanaryPolicy) -> None:
    """Raises UsageError for a policy that makes no sense; says what to change."""
    names = [metric.name for metric in policy.metrics]
    if not names or not policy.stages:
        raise UsageError("the canary policy needs at least one metric and one stage")
    if len(set(names)) < len(names):
        raise UsageError(f"the canary policy names a metric twice: {', '.join(sorted({name for name in names if names.count(name) > 1}))}")
    if not 0 < policy.alpha < 0.5:
        raise UsageError(f"the false-alarm budget must be between 0 and 0.5, not {policy.alpha:g}")
    if not (1 <= policy.step <= 3600 and policy.warm_up >= 0 and policy.hole >= policy.step):
        raise UsageError("step must be 1 to 3600 seconds, warm-up not negative, and the hole not shorter than a step")
    low, high = OBJECTIVES
    if not low <= policy.objective <= high:
        raise UsageError(
            f"objective must be between {100 * low:g}% and {100 * high:g}%, not {100 * policy.objective:g}%: "
            "the budget of a lower one cannot burn fast enough to alarm, and nothing measures a higher one"
        )
    if not 0 <= policy.earlier_days <= MOST_DAYS:
        raise UsageError(f"earlier_days must be between 0 and {MOST_DAYS}, not {policy.earlier_days}")
    if not any(metric.weight > 0 for metric in policy.metrics):
        raise UsageError("at least one metric needs a weight above 0")
    for metric in policy.metrics:
        _check_metric(metric)
    for stage in policy.stages:
        _check_stage(stage, names)


def _check_metric(metric: Metric) -> None:
    if metric.weight < 0:
        raise UsageError(f"metric {metric.name}: the weight must not be negative")
    if metric.kind is Kind.QUANTILE and not (metric.quantile is not None and 0 < metric.quantile < 1):
        raise UsageError(f"metric {metric.name}: a quantile between 0 and 1 is needed")
    _check_tolerance(metric, metric.tolerance)


def _check_tolerance(metric: Metric, tolerance: Tolerance) -> None:
    falls = metric.direction is Direction.DECREASE
    ordered = (tolerance.stop_ratio, tolerance.go_ratio, tolerance.harmless_ratio)
    if min(ordered) < 0 or min(tolerance.harmless_margin, tolerance.go_margin, tolerance.see_margin) < 0:
        raise UsageError(f"metric {metric.name}: tolerances must not be negative")
    if falls and not max(ordered) <= 1:
        raise UsageError(f"metric {metric.name}: for what should not fall, ratios are at most 1")
    if not falls and min(ordered) < 1:
        raise UsageError(f"metric {metric.name}: for what should not rise, ratios are at least 1")


def _check_stage(stage: Stage, names: list[str]) -> None:
    if not (0 <= stage.share <= 1 and stage.minutes >= 0 and stage.see > 0):
        raise UsageError("a stage needs a share of 0 to 1, minutes from 0 and a positive factor `see`")
    if stage.no_data is not Decision.HOLD:
        raise UsageError("a stage without data can only hold: what cannot be seen is neither promoted nor rolled back")
    unknown = [name for name, _ in stage.tolerances if name not in names]
    if unknown:
        raise UsageError(f"a stage names metrics that the policy does not have: {', '.join(unknown)}")

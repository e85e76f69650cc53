"""What a canary of this traffic can show, and when, before it begins (pure).

The expected counts of a canary that is `ratio` times worse are given to the very test that will judge: where its e-value passes the threshold, about half of
such canaries are stopped by then.
"""

from __future__ import annotations

from math import isfinite, log

from cicd_agents.analysis.canary.counts import SIGMAS_GUARDED
from cicd_agents.analysis.canary.defaults import check_policy
from cicd_agents.analysis.canary.evidence import Split, cap_for, split_evidence
from cicd_agents.analysis.canary.noise import USUAL_TAU, widening
from cicd_agents.analysis.canary.streams import Limits, ratio_limits
from cicd_agents.domain.canary import CanaryPolicy, Direction, Foresight, Kind
from cicd_agents.domain.errors import UsageError

MAX_STEPS = 240


def foresight(
    policy: CanaryPolicy, *, requests_per_second: float, rate: float, ratio: float = 2.0, metric: str = "error_rate", pods: tuple[int, int] = (2, 6),
    dispersion: float = 1.0,
) -> Foresight:  # fmt: skip
    """When a rate of `rate` (a fraction of the requests of both versions) that becomes `ratio` times as high on the canary shows.

    `pods` of canary and baseline, `dispersion` of the counts as an earlier judgement measured it. Raises UsageError for a metric that is no count ratio.
    """
    check_policy(policy)
    chosen = next((item for item in policy.metrics if item.name == metric), None)
    if chosen is None or chosen.kind not in {Kind.RATIO, Kind.BUSINESS, Kind.LOGS}:
        raise UsageError(f"foresight needs a metric of the policy that is a count ratio, not {metric}")
    falling = chosen.direction is Direction.DECREASE
    shares = _shares(policy)
    horizon = len(shares) * policy.step / 60
    usable = all(isfinite(value) and value > 0 for value in (requests_per_second, rate, ratio)) and rate < 1
    total = sum(item.weight for item in policy.metrics if item.required or item.name == metric or item.kind is Kind.QUANTILE) or 1.0
    threshold = log(total / (policy.alpha * max(chosen.weight, 1e-6)))
    minutes = None
    if usable:
        limits = ratio_limits(chosen.tolerance, rate, widening(USUAL_TAU, *pods, SIGMAS_GUARDED), 1.0, falling=falling)
        minutes = _first(shares, policy, requests_per_second * policy.step, rate, ratio, limits, max(1.0, dispersion), threshold, falling=falling)
        if not _outside(chosen.tolerance.go_ratio, chosen.tolerance.go_margin, rate, ratio, falling=falling):
            minutes = None
    what = f"{chosen.title or chosen.name} {ratio:g} times {100 * rate:.3g} % at {requests_per_second:g} requests a second"
    text = f"{what} shows after about {minutes:.0f} minutes" if minutes is not None else f"{what} does not show within {horizon:.0f} minutes"
    return Foresight(metric, ratio, minutes, horizon, f"{text}.")


def _outside(go_ratio: float, go_margin: float, rate: float, ratio: float, *, falling: bool) -> bool:
    return ratio * rate < go_ratio * rate - go_margin if falling else ratio * rate > go_ratio * rate + go_margin


def _shares(policy: CanaryPolicy) -> list[float]:
    """The canary's share in each step; the last stage, if it leaves no baseline, shows nothing."""
    steps: list[float] = []
    for stage in policy.stages:
        if 0 < stage.share < 1:
            steps += [stage.share] * round(stage.minutes * 60 / policy.step)
    return steps[:MAX_STEPS]


def _first(
    shares: list[float], policy: CanaryPolicy, per_step: float, rate: float, ratio: float, limits: Limits, phi: float, threshold: float, *, falling: bool
) -> float | None:  # fmt: skip
    warm = round(policy.warm_up / policy.step)
    steps: list[Split] = []
    for number, share in enumerate(shares, start=1):
        if number <= warm:
            continue
        n_a, n_b = per_step * share, per_step * (1 - share)
        steps.append(Split(n_a * min(1.0, rate * ratio), n_a, n_b * rate, n_b, limits.rho, phi, limits.margin))
        if split_evidence(steps, cap_for(threshold), falling=falling).log_e >= threshold:
            return number * policy.step / 60
    return None

"""What a canary of this traffic can show, and when, before it begins (pure).

The expected counts of a canary that is `ratio` times worse are given to the very test that will judge: where its e-value passes the threshold, about half of
such canaries are stopped by then.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from math import isfinite, log

from cicd_agents.analysis.canary.borrowing import Earlier, borrowed_gains
from cicd_agents.analysis.canary.counts import SIGMAS_GUARDED
from cicd_agents.analysis.canary.defaults import check_policy
from cicd_agents.analysis.canary.evidence import Split, cap_for, split_evidence
from cicd_agents.analysis.canary.noise import SIZES, USUAL_TAU, apart, widening
from cicd_agents.analysis.canary.streams import Limits, ratio_limits
from cicd_agents.domain.canary import CanaryPolicy, Direction, Foresight, Kind
from cicd_agents.domain.errors import UsageError

MAX_STEPS = 240
# How long before the canary the baseline is known, in steps, and what a service's pod noise is thought to be: the prior without its rare large sizes.
BEFORE = 20
PRIOR = tuple((size * USUAL_TAU, weight) for size, weight in SIZES[:5])
RATIOS = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
# Where no error was seen yet: what the rate is thought to be, and the rates that are looked for.
UNSEEN, LEVELS = 0.0001, (0.002, 0.003, 0.005, 0.01, 0.02, 0.05)


def foresight_of_stages(policy: CanaryPolicy, *, requests_per_second: float, rate: float, metric: str = "error_rate") -> tuple[str, ...]:
    """A sentence for each stage that has a baseline beside it: the smallest change of a rate that shows by its end, and from which minute on.

    A `rate` of 0 has no multiples, so rates are named instead. Raises UsageError for a metric that is no count ratio.
    """
    return told_of_stages(policy, changes(policy, requests_per_second, rate, metric))


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of a rate for the worse: `ratios` ascending, `named` for people, and `seen` says when one shows, computed once for each."""

    ratios: tuple[float, ...]
    named: Callable[[float], str]
    seen: Callable[[float], Foresight]


def changes(policy: CanaryPolicy, requests_per_second: float, rate: float, metric: str) -> Changes:
    """What could be looked for at this traffic: multiples of the rate, or, where that is 0, rates. Raises UsageError for a metric that is no count ratio."""
    title = next((item.title or item.name for item in policy.metrics if item.name == metric), metric).lower()
    base, ratios = (rate, RATIOS) if rate > 0 else (UNSEEN, tuple(level / UNSEEN for level in LEVELS))

    @cache
    def seen(ratio: float) -> Foresight:
        return foresight(policy, requests_per_second=requests_per_second, rate=base, ratio=ratio, metric=metric)

    def named(ratio: float) -> str:
        return f"{title} {ratio:g} times {100 * rate:.3g} %" if rate > 0 else f"{title} {100 * ratio * UNSEEN:.3g} %"

    seen(ratios[-1])  # refuses the metric, also where no stage asks
    return Changes(ratios, named, seen)


def told_of_stages(policy: CanaryPolicy, asked: Changes, begin: int = 0) -> tuple[str, ...]:
    """The sentences for the stages from `begin` on."""
    told, passed = [], 0.0
    for number, stage in enumerate(policy.stages):
        passed += stage.minutes
        if number < begin or not 0 < stage.share < 1:
            continue
        where = f"At {100 * stage.share:g} % of the traffic, until minute {passed:g}"
        found = next((item for ratio in asked.ratios if (item := asked.seen(ratio)).minutes is not None and item.minutes <= passed), None)
        if found is None:
            told.append(f"{where}: not even {asked.named(asked.ratios[-1])} shows.")
        else:
            told.append(f"{where}: {asked.named(found.ratio)} shows after about {found.minutes:.0f} minutes.")
    return tuple(told)


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
    if usable and _outside(chosen.tolerance.go_ratio, chosen.tolerance.go_margin, rate, ratio, falling=falling):
        limits = [ratio_limits(chosen.tolerance, rate, wide, 1.0, falling=falling) for wide in (widening(USUAL_TAU, *pods, SIGMAS_GUARDED), 1.0)]
        steps = _steps(shares, requests_per_second * policy.step, rate, ratio, limits[0], max(1.0, dispersion))
        found = _first(steps, limits[1].rho, pods, threshold, falling=falling)
        minutes = None if found is None else found * policy.step / 60
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


def _steps(shares: Sequence[float], per_step: float, rate: float, ratio: float, limits: Limits, phi: float) -> list[Split]:
    """The expected counts; in the first step of its life a pod is not compared."""
    counted = [(per_step * share if number else 0.0, per_step * (1 - share)) for number, share in enumerate(shares)]
    return [Split(n_a * min(1.0, rate * ratio), n_a, n_b * rate, n_b, limits.rho, phi, limits.margin) for n_a, n_b in counted]


def _first(steps: Sequence[Split], bare: float, pods: tuple[int, int], threshold: float, *, falling: bool) -> float | None:
    """From which step on the evidence passes the threshold: it grows with each."""
    if not steps:
        return None
    per_step = steps[0].n_b + steps[0].n_a
    earlier = [Earlier(per_step * steps[0].b / steps[0].n_b, per_step)] * BEFORE if steps[0].n_b > 0 else []
    equals, cap = apart(PRIOR, *pods), cap_for(threshold)

    def shown(number: int) -> bool:
        part = list(steps[:number])
        plain = [replace(step, rho=bare) for step in part]
        return split_evidence(part, cap, falling=falling, borrowed=partial(borrowed_gains, earlier, plain, equals)).log_e >= threshold

    place = bisect_left(range(1, len(steps) + 1), True, key=shown)
    return None if place == len(steps) else float(place + 1)

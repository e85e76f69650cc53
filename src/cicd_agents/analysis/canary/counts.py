"""Judging a metric that is counts: error rates, slow requests, business events, critical log messages (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, exp, log, sqrt

from cicd_agents.analysis.canary.borrowing import Earlier, borrowed_gains
from cicd_agents.analysis.canary.evidence import STRONGEST, Found, Split, cap_for, split_evidence
from cicd_agents.analysis.canary.noise import USUAL_TAU, Noise, apart, calibrate, widening
from cicd_agents.analysis.canary.streams import Limits
from cicd_agents.analysis.canary.tables import Stream
from cicd_agents.analysis.canary.warming import admitted
from cicd_agents.domain.canary import Direction, Kind, Metric, Status, Strength

Z_UPPER = 1.6448536269514722  # 95 % one-sided
# The estimate must pass the GO limit by so many standard errors before a metric fails.
GUARD = 0.75
# So much of the threshold must be left without the two strongest minutes: a burst fails nobody.
LASTING = 0.2
_LEAST = 1e-6  # of a request in a step: less is nothing, and its inverse no number
SHORTEST = 2.3  # steps: a burst lasts two minutes at most
# By how many standard deviations of pod noise the null is widened where nothing is borrowed; less where the GO limit is an absolute margin and guards as well.
SIGMAS, SIGMAS_GUARDED = 2.5, 1.5
# What customers do depends little on the pod.
BUSINESS_TAU = 0.01

# The limits at a baseline rate, with a factor for lasting differences between pods.
Limiter = Callable[[float, float], Limits]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a comparison is made under: `until` a step, `alpha` the metric's budget, `see` the stage's factor on what must be ruled out.

    `wider` multiplies the noise where the baseline is of another time; `least` is the least exposure of the canary,
    `slo` the latency of the service level objective; `burst` how many steps a burst of a minute and a half may be seen in.
    """

    until: int
    alpha: float
    see: float
    wider: float = 1.0
    least: int = 50
    slo: float | None = None
    burst: int = STRONGEST

    @property
    def threshold(self) -> float:
        """What log e must reach."""
        return log(1 / self.alpha)


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison of one stream; rates are None without exposure. `need`: how much more exposure of the canary would tell."""

    status: Status
    strength: Strength
    canary: float | None
    baseline: float | None
    limits: Limits | None
    upper: float | None
    beyond: bool
    need: int | None
    quiet: bool


def compare(metric: Metric, stream: Stream, setting: Setting, limits_at: Limiter) -> Compared:
    """The always-valid comparison of one stream. `limits_at(rate, wide)` gives the limits at a baseline rate."""
    (a, n_a), (b, n_b) = admitted(stream, setting.until), stream.baseline.total(setting.until)
    both = [index for index in range(min(len(a), len(b))) if n_a[index] >= _LEAST and n_b[index] >= _LEAST]
    n_canary, n_baseline = sum(n_a[index] for index in both), sum(n_b[index] for index in both)
    if not both or n_canary <= 0:
        seen = sum(n_a)
        strength = Strength(alpha=setting.alpha, threshold=setting.threshold, canary_total=seen, baseline_total=sum(n_b))
        return Compared(Status.NO_DATA, strength, sum(a) / seen if seen > 0 else None, None, None, None, False, None, True)
    x_canary, x_baseline = sum(a[index] for index in both), sum(b[index] for index in both)
    known = (sum(b[: setting.until]) + 0.5) / sum(n_b[: setting.until])
    noise = calibrate(
        [row[: setting.until] for row in stream.baseline.events], [row[: setting.until] for row in stream.baseline.exposure], max(0.3, 1 - known),
        BUSINESS_TAU if metric.kind is Kind.BUSINESS else USUAL_TAU,
    )  # fmt: skip
    tau = noise.tau * setting.wider
    sigmas = SIGMAS if metric.kind is Kind.QUANTILE else SIGMAS_GUARDED
    canary_pods, baseline_pods = (_pods(side.exposure, setting.until) for side in (stream.canary, stream.baseline))
    wide = widening(tau, canary_pods, baseline_pods, sigmas)
    limits = limits_at(known, wide)
    phi = _phi(noise, stream.canary.exposure, n_canary, n_baseline, setting) * setting.wider
    falling = metric.direction is Direction.DECREASE and not stream.complement
    heavy = noise.kappa * setting.wider**2
    per_pod = 1 / canary_pods + 1 / baseline_pods
    steps = []
    for index in both:
        own = max(phi, _burst(b[index], n_a[index] / n_b[index] * limits.rho, heavy * per_pod))
        steps.append(Split(a[index], n_a[index], b[index], n_b[index], limits.rho, own, limits.margin))
    cap = cap_for(setting.threshold)
    borrowed = None
    if metric.kind is not Kind.QUANTILE and setting.wider <= 1:
        earlier = [Earlier(b[index], n_b[index]) for index in range(both[0]) if n_b[index] > 0]
        bare = limits_at(known, 1.0).rho
        borrowed = partial(borrowed_gains, earlier, [replace(step, rho=bare) for step in steps], apart(noise.taus, canary_pods, baseline_pods))
    found = split_evidence(steps, cap, falling=falling, borrowed=borrowed, burst=setting.burst)
    rate, base = x_canary / n_canary, _standardised(steps)
    error = sqrt(phi * (max(rate, 1 / n_canary) / n_canary + max(base, 0.5 / n_baseline) / n_baseline))
    upper = rate - Z_UPPER * error if falling else max(rate + Z_UPPER * error, 3 / n_canary)
    beyond = _beyond(steps[found.onset :], limits_at, known, phi, falling=falling)
    here = limits_at(max(base, 0.5 / n_baseline), 1.0)
    strength = Strength(
        found.log_e, setting.threshold, setting.alpha, min(1.0, exp(-max(0.0, found.log_e))), x_canary, n_canary, x_baseline, n_baseline,
        float(len(both)), round(phi, 3), round(tau, 4),
    )  # fmt: skip
    length = _length(steps[found.onset :], falling=falling)
    status = _status(found, length, beyond, rate, upper, here, setting, n_canary, falling=falling)
    need = _need(base, n_canary, n_baseline, here, phi, setting, falling=falling) if status is Status.INCONCLUSIVE else None
    return Compared(status, strength, rate, base, here, upper, beyond, need, noise.quiet)


def _status(found: Found, length: float, beyond: bool, rate: float, upper: float, here: Limits, setting: Setting, seen: float, *, falling: bool) -> Status:
    lasting = found.lasting >= LASTING * setting.threshold and length >= SHORTEST + (setting.burst - STRONGEST) / 2
    if found.log_e >= setting.threshold and lasting and beyond:
        return Status.FAIL
    ruled_out = upper >= here.stop if falling else upper <= here.stop
    within = rate >= here.go if falling else rate <= here.go
    return Status.PASS if seen >= setting.least and ruled_out and within else Status.INCONCLUSIVE


def _length(steps: Sequence[Split], *, falling: bool) -> float:
    """For how many steps the trouble would have lasted if it had always been as large as in its worst step: two minutes of a burst that begin and end within
    steps are seen in three, and are two."""
    sign = -1.0 if falling else 1.0
    excess = [sign * (step.a / step.n_a - step.rho * step.b / step.n_b - step.margin) for step in steps]
    errors = [sqrt(step.a + (step.n_a * step.rho / step.n_b) ** 2 * step.b) / step.n_a for step in steps]
    peak = max(value - error for value, error in zip(excess, errors, strict=True))
    return sum(max(0.0, value) for value in excess) / peak if peak > 0 else float(sum(value > 0 for value in excess))


def _beyond(steps: Sequence[Split], limits_at: Limiter, known: float, phi: float, *, falling: bool) -> bool:
    """Whether the estimate since the onset passes the GO limit by more than a part of its own error."""
    a, n_a = sum(step.a for step in steps), sum(step.n_a for step in steps)
    b, n_b = sum(step.b for step in steps), sum(step.n_b for step in steps)
    rate, base = a / n_a, _standardised(steps)
    limit = limits_at(base if b >= 5 else (b + 5 * 1.0) / (n_b + 5 / known), 1.0).go
    error = GUARD * sqrt(phi * (max(rate, 1 / n_a) / n_a + max(base, 0.5 / n_b) / n_b))
    return rate + error < limit if falling else rate - error > limit


def _standardised(steps: Sequence[Split]) -> float:
    """The baseline's rate at the canary's times: shares change, and with them which minutes weigh how much (direct standardisation)."""
    return sum(step.n_a * step.b / step.n_b for step in steps) / sum(step.n_a for step in steps)


def _burst(b: float, ratio: float, heavy: float) -> float:
    """The dispersion of a step whose counts are large: noise that is a fraction of the count outgrows chance (negative binomial, variance mu + kappa mu²)."""
    return 1 + heavy * b * ratio / (1 + ratio) if b > 0 else 1.0


def _pods(exposure: Sequence[Sequence[float]], until: int) -> float:
    """How many replicas carry the traffic: the inverse of the sum of squared shares."""
    loads = [sum(row[:until]) for row in exposure]
    total = sum(loads)
    return 1 / sum((load / total) ** 2 for load in loads) if total > 0 else 1.0


def _phi(noise: Noise, canary: Sequence[Sequence[float]], n_canary: float, n_baseline: float, setting: Setting) -> float:
    """The dispersion of the comparison: noise that moves a whole pod grows with the pod's load, so a busier canary pod is noisier."""
    busy = [value for row in canary for value in row[: setting.until] if value > 0]
    load = sum(busy) / len(busy) if busy else 0.0
    extra = max(0.0, noise.phi - 1)
    heavier = load / noise.load if noise.load > 0 else 1.0
    of_canary = min(noise.phi, 1.0) + extra * heavier
    return (of_canary / n_canary + noise.phi / n_baseline) / (1 / n_canary + 1 / n_baseline)


def _need(base: float, n_canary: float, n_baseline: float, here: Limits, phi: float, setting: Setting, *, falling: bool) -> int | None:
    """How much more exposure lets a canary that is as good as the baseline pass, at the present share."""
    room = base - here.stop if falling else here.stop - base
    if room <= 0:
        return None
    rate = max(base, 0.5 / n_baseline)
    wanted = max(phi * Z_UPPER**2 * rate * (1 + n_canary / n_baseline) / room**2, 3 / here.stop if here.stop > 0 and not falling else 0.0, setting.least)
    return max(1, ceil(min(wanted, 1e12) - n_canary)) if wanted > n_canary else max(1, ceil(n_canary * 0.25))

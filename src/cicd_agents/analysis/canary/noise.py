"""How noisy counts are beyond pure chance, measured on the baseline's own replicas and minutes (pure).

Two kinds are told apart. *Dispersion* phi: how much the counts of a replica jump between blocks of minutes (Pearson's chi-square divided by its degrees of
freedom, McCullagh and Nelder, "Generalized linear models", 1989, chapter 6; shared minutes cancel, since each block has its own mean). *Pod noise* tau: lasting
differences between pods, which more minutes do not average out: a random effect of each pod with a prior on its size, and what the baseline's pods say of it
(Gelman, "Prior distributions for variance parameters in hierarchical models", Bayesian Analysis 1 (2006)). Few errors say little, and then the prior stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import erfc, exp, inf, log, pi, sqrt

from cicd_agents.analysis.canary.evidence import Split, split_evidence

BLOCKS = (1, 4)
# What is assumed without data: the usual pod noise, multiples of it with their weights, and how many degrees of freedom a dispersion of 1 is worth.
USUAL_TAU, PHI_WORTH = 0.04, 12.0
SIZES = ((0.25, 0.15), (0.75, 0.3), (1.25, 0.27), (2.0, 0.17), (3.0, 0.07), (5.0, 0.02), (8.0, 0.012), (12.0, 0.008))
# Logarithms of the ratio of two versions that are equally good, about which the null is worked out.
APART = (0.0, 0.06, 0.12, 0.2, 0.3, 0.45, 0.7, 1.1)
AA_QUIET = log(20.0)
_AA_FACTORS = ((1.5, 0.5), (4.0, 0.5))
_MEDIAN_CHI1 = 0.4549

Rows = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Noise:
    """`phi` for one replica of the baseline, `tau` as a fraction, `load` exposure of a replica and step; `quiet`: the A/A check of the baseline was quiet.

    `taus` are sizes of the pod noise with what they are worth believing, tau is the root of their mean square.
    `kappa` is the part of the variance of a replica's counts that grows with their square: large counts, as in a burst, are noisier than phi says.
    """

    phi: float
    tau: float
    load: float
    quiet: bool = True
    kappa: float = 0.0
    taus: tuple[tuple[float, float], ...] = ()


def calibrate(events: Rows, exposure: Rows, floor: float = 1.0, usual: float = USUAL_TAU) -> Noise:
    """The noise of a stream, from rows of the baseline's replicas.

    `floor` is the least dispersion (1 - p for fractions that are not small),
    `usual` the pod noise that is assumed without data.
    """
    used = [index for index, row in enumerate(exposure) if sum(row) > 0]
    if not used:
        taus = tuple((size * usual, weight) for size, weight in SIZES)
        return Noise(1.0, _root(taus), 0.0, taus=taus)
    x, n = [events[index] for index in used], [exposure[index] for index in used]
    busy = sum(value > 0 for row in n for value in row)
    load = sum(map(sum, n)) / max(1, busy)
    if len(used) == 1:
        taus = tuple((2 * size * usual, weight) for size, weight in SIZES)
        return Noise(max(floor, _between_minutes(x[0], n[0])), _root(taus), load, taus=taus)
    phi = max(floor, *(_dispersion(_blocked(x, size), _blocked(n, size)) for size in BLOCKS))
    taus = _lasting(x, n, phi, usual)
    tau, kappa = _root(taus), _squared(x, n)
    loudest = _aa(x, n, phi, tau)
    loud = max(1.0, loudest / AA_QUIET)
    return Noise(phi * loud, tau, load, loud <= 1.0, kappa, taus)


def _blocked(rows: Rows, size: int) -> list[list[float]]:
    return [list(row) for row in rows] if size == 1 else [[sum(row[at : at + size]) for at in range(0, len(row), size)] for row in rows]


def _expected(x: Rows, n: Rows) -> tuple[list[float], list[float], list[float]]:
    """The rate of each block over all replicas, and what each replica then counted and should have counted in all."""
    exposure = [sum(column) for column in zip(*n, strict=True)]
    rates = [sum(column) / total if total > 0 else 0.0 for column, total in zip(zip(*x, strict=True), exposure, strict=True)]
    return rates, [sum(row) for row in x], [sum(value * rate for value, rate in zip(row, rates, strict=True)) for row in n]


def _dispersion(x: Rows, n: Rows) -> float:
    rates, seen, due = _expected(x, n)
    chi, cells, blocks = 0.0, 0, set()
    for row, exposure, total, expected in zip(x, n, seen, due, strict=True):
        if expected <= 0:
            continue
        factor = (total + 2) / (expected + 2)
        for block, (count, size, rate) in enumerate(zip(row, exposure, rates, strict=True)):
            mean = size * rate * factor
            if mean > 0.02:
                chi += (count - mean) ** 2 / mean
                cells += 1
                blocks.add(block)
    freedom = cells - len(blocks) - (len(x) - 1)
    if freedom <= 0:
        return 1.0
    # Less its own standard error: the larger of two estimates is too large where there is no dispersion.
    found = chi / freedom * (1 - min(0.5, sqrt(2 / freedom)))
    return (found * freedom + PHI_WORTH) / (freedom + PHI_WORTH)


def _squared(x: Rows, n: Rows) -> float:
    """The moment estimator of kappa in variance = mu + kappa mu²; the largest counts weigh most."""
    rates, seen, due = _expected(x, n)
    excess, squares = 0.0, 0.0
    for row, exposure, total, expected in zip(x, n, seen, due, strict=True):
        factor = (total + 2) / (expected + 2)
        for count, size, rate in zip(row, exposure, rates, strict=True):
            mean = size * rate * factor
            excess += (count - mean) ** 2 - mean
            squares += mean * mean
    return min(1.0, max(0.0, excess / squares)) if squares > 0 else 0.0


def _root(taus: Sequence[tuple[float, float]]) -> float:
    return sqrt(sum(weight * tau * tau for tau, weight in taus))


def _lasting(x: Rows, n: Rows, phi: float, usual: float) -> tuple[tuple[float, float], ...]:
    """Sizes of the pod noise with what they are worth believing, by the counts of each replica: normal, of variance mean × phi + (mean × tau)²."""
    _, seen, due = _expected(x, n)
    pairs = [(count, mean) for count, mean in zip(seen, due, strict=True) if mean > 0]
    # The means are estimated from the same counts.
    freedom = (len(pairs) - 1) / len(pairs) if pairs else 0.0
    scores = []
    for size, weight in SIZES:
        fits = (_normal(count - mean, mean * phi + (mean * size * usual) ** 2) for count, mean in pairs)
        scores.append(log(weight) + freedom * sum(fits))
    highest = max(scores)
    parts = [exp(score - highest) for score in scores]
    return tuple((size * usual, part / sum(parts)) for (size, _), part in zip(SIZES, parts, strict=True))


def _normal(distance: float, variance: float) -> float:
    return -0.5 * (log(variance) + distance * distance / variance)


def apart(taus: Sequence[tuple[float, float]], canary_pods: float, baseline_pods: float, wider: float = 1.0) -> list[tuple[float, float]]:
    """By how much (as a logarithm) pods that differ may set versions apart that are equally good, with weights. A better canary counts as an equal one."""
    spread = wider * sqrt(1 / max(1.0, canary_pods) + 1 / max(1.0, baseline_pods))
    edges = [0.5 * (low + high) for low, high in pairwise(APART)]
    result = [(0.0, sum(weight * (1 - _over(edges[0] / max(1e-9, tau * spread))) for tau, weight in taus))]
    for low, high in pairwise([*edges, inf]):
        mass = mean = 0.0
        for tau, weight in taus:
            size = max(1e-9, tau * spread)
            mass += weight * (_over(low / size) - _over(high / size))
            mean += weight * size * (_bell(low / size) - _bell(high / size))
        if mass > 1e-12:
            # Where the mass of the interval is: most of it is near the lower edge.
            result.append((min(high, max(low, mean / mass)), mass))
    return result


def _over(deviations: float) -> float:
    return 0.5 * erfc(deviations / sqrt(2))


def _bell(deviations: float) -> float:
    return exp(-0.5 * deviations * deviations) / sqrt(2 * pi)


def _between_minutes(x: Sequence[float], n: Sequence[float]) -> float:
    """For a single replica: the median squared jump between neighbouring minutes against what chance would give."""
    seen = [(count, size) for count, size in zip(x, n, strict=True) if size > 0]
    rate = sum(count for count, _ in seen) / max(1e-12, sum(size for _, size in seen))
    if rate <= 0 or len(seen) < 4:
        return 1.0
    jumps = sorted((a / m - b / k) ** 2 / (rate * (1 / m + 1 / k)) for (a, m), (b, k) in pairwise(seen))
    freedom = len(jumps)
    return (freedom * jumps[freedom // 2] / _MEDIAN_CHI1 + PHI_WORTH) / (freedom + PHI_WORTH)


def _aa(x: Rows, n: Rows, phi: float, tau: float) -> float:
    """The A/A check: the log e-value of one half of the baseline's replicas against the other, in the louder direction."""
    halves = [[[sum(column) for column in zip(*rows[part::2], strict=True)] for part in (0, 1)] for rows in (x, n)]
    (x_even, x_odd), (n_even, n_odd) = halves
    rho = widening(tau, (len(x) + 1) // 2, len(x) // 2, 2.5)
    found = []
    for a, n_a, b, n_b in ((x_even, n_even, x_odd, n_odd), (x_odd, n_odd, x_even, n_even)):
        steps = [Split(*values, rho=rho, phi=phi) for values in zip(a, n_a, b, n_b, strict=True)]
        found.append(split_evidence(steps, cap=3.0, factors=_AA_FACTORS).log_e)
    return max(found)


def widening(tau: float, canary_pods: float, baseline_pods: float, sigmas: float) -> float:
    """The factor by which pods that differ lastingly may set the versions apart, though neither is worse."""
    spread = sigmas * tau * sqrt(1 / max(1.0, canary_pods) + 1 / max(1.0, baseline_pods))
    return min(4.0, (1 + spread) if spread < 1 else 2 * spread)

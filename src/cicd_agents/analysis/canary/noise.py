"""How noisy counts are beyond pure chance, measured on the baseline's own replicas and minutes (pure).

Two kinds are told apart. *Dispersion* phi: how much the counts of a replica jump between blocks of minutes (Pearson's chi-square divided by its degrees of
freedom, McCullagh and Nelder, "Generalized linear models", 1989, chapter 6; shared minutes cancel, since each block has its own mean). *Pod noise* tau: lasting
differences between pods, which more minutes do not average out (the moment estimator of DerSimonian and Laird, Controlled Clinical Trials 7 (1986)).
Both are drawn towards what is usual where the baseline shows little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt

from cicd_agents.analysis.canary.evidence import Split, split_evidence

BLOCKS = (1, 4)
# What is assumed without data, and how many degrees of freedom that is worth.
USUAL_TAU, TAU_WORTH, PHI_WORTH = 0.04, 8.0, 12.0
AA_QUIET = log(20.0)
_AA_FACTORS = ((1.5, 0.5), (4.0, 0.5))
_MEDIAN_CHI1 = 0.4549

Rows = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Noise:
    """`phi` for one replica of the baseline, `tau` as a fraction, `load` exposure of a replica and step; `quiet`: the A/A check of the baseline was quiet.

    `kappa` is the part of the variance of a replica's counts that grows with their square: large counts, as in a burst, are noisier than phi says.
    """

    phi: float
    tau: float
    load: float
    quiet: bool = True
    kappa: float = 0.0


def calibrate(events: Rows, exposure: Rows, floor: float = 1.0, usual: float = USUAL_TAU) -> Noise:
    """The noise of a stream, from rows of the baseline's replicas.

    `floor` is the least dispersion (1 - p for fractions that are not small),
    `usual` the pod noise that is assumed without data.
    """
    used = [index for index, row in enumerate(exposure) if sum(row) > 0]
    if not used:
        return Noise(1.0, usual, 0.0)
    x, n = [events[index] for index in used], [exposure[index] for index in used]
    busy = sum(value > 0 for row in n for value in row)
    load = sum(map(sum, n)) / max(1, busy)
    if len(used) == 1:
        return Noise(max(floor, _between_minutes(x[0], n[0])), 2 * usual, load)
    phi = max(floor, *(_dispersion(_blocked(x, size), _blocked(n, size)) for size in BLOCKS))
    tau = _lasting(x, n, phi, usual)
    kappa = _squared(x, n)
    loudest = _aa(x, n, phi, tau)
    if loudest > AA_QUIET:
        return Noise(phi * loudest / AA_QUIET, tau, load, quiet=False, kappa=kappa)
    return Noise(phi, tau, load, kappa=kappa)


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


def _lasting(x: Rows, n: Rows, phi: float, usual: float) -> float:
    _, seen, due = _expected(x, n)
    pairs = [(count, mean) for count, mean in zip(seen, due, strict=True) if mean > 0]
    total = sum(mean for _, mean in pairs)
    freedom = len(pairs) - 1
    spare = total - sum(mean * mean for _, mean in pairs) / total if total > 0 else 0.0
    if freedom < 1 or spare <= 0:
        return usual
    chi = sum((count - mean) ** 2 / mean for count, mean in pairs)
    squared = max(0.0, (chi - freedom * phi) / spare)
    return sqrt((freedom * squared + TAU_WORTH * usual**2) / (freedom + TAU_WORTH))


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

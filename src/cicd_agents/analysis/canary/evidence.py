"""Evidence that may be looked at at any time: e-processes for split counts and for paired levels (pure, linear in time).

An e-process is a non-negative sequence whose expectation stays at most 1 under the null hypothesis; by Ville's inequality it passes 1/alpha at *any*
time with probability at most alpha, however often one looks. The ingredients and where they come from:

* Counts. Given that `a + b` events happened in a minute, the number `a` on the canary is binomial; under the null "canary rate ≤ rho × baseline rate"
  its success probability is at most q0 = n_a rho / (n_a rho + n_b). The likelihood ratio against q1 (rho times a larger factor) has expectation at most 1.
  This is the conditional test of two Poisson streams of Lindon and Malek, "Anytime-valid inference for multinomial count data" (NeurIPS 2022), as used for
  canaries by Lindon, Sanden and Shirikian, "Rapid regression detection in software deployments through sequential testing", arXiv 2205.14762.
* A margin on top, canary rate ≤ rho × baseline rate + m, is a baseline that has n_b m / rho events more, for certain instead of by chance. With r < 1 the
  ratio (1 - q1) / (1 - q0) of a baseline event, r^v ≤ exp(v (r - 1)), which is what v Poisson events would contribute: the expectation stays at most 1.
  So no estimate of the baseline's rate is needed, and a baseline without a single error is no special case.
* Mixture over the size of the effect: Robbins, "Statistical methods related to the law of the iterated logarithm", Ann. Math. Statist. 41 (1970);
  Johari, Pekelis and Walsh, "Always valid inference", arXiv 1512.04922; Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic
  confidence sequences", Ann. Statist. 49 (2021). A weighted mean of e-processes is one.
* Mixture over the onset: e-processes that start at minute s, weighted so that the weights sum to 1; computed as M_t = (M_{t-1} + w_t) · LR_t as in
  Shin, Ramdas and Rinaldo, "E-detectors", arXiv 2203.03532, with a bounded sum of weights, so that it stays an e-process.
* Noise: LR to the power 1/phi, phi ≥ 1 the dispersion measured on the baseline; by Jensen's inequality it keeps its promise, and spends it slower.
* One minute's log LR is cut at `cap`: min(LR, c) ≤ LR keeps the promise too, and no single minute can decide. Where bursts are part of the hypotheses
  (borrowing.py) the cut is twice as high: at half of the traffic a doubling shows with two nats a minute, and a low cut would take a fifth of that.
* Borrowed strength. From the beginning on, counts are compared through the baseline's level over all minutes, where that is known better: borrowing.py.
* Levels. Bets on a bounded difference: prod (1 + lambda d_t), with E[d_t | past] ≤ 0 under the null and d_t ≥ -1: Waudby-Smith and Ramdas, "Estimating
  means of bounded random variables by betting", JRSS B 86 (2024).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log

Factors = tuple[tuple[float, float], ...]
Gains = Callable[[Sequence[float]], Sequence[Sequence[float]]]

# Factors beyond the null that the mixture bets on, with their weights. Most is on 1.6 to 2.8, where every nat counts; large ones are easy, and pay for it.
FACTORS = ((1.3, 0.03), (1.6, 0.3), (2.0, 0.27), (2.8, 0.2), (5.0, 0.09), (12.0, 0.06), (40.0, 0.05))
FALLS = ((0.95, 0.2), (0.9, 0.3), (0.75, 0.25), (0.5, 0.15), (0.1, 0.1))
BETS = ((0.15, 0.3), (0.4, 0.4), (0.9, 0.3))
# Most of the weight is on trouble from the beginning, the rest on an onset in one of the following steps.
FROM_START, ONSETS = 0.8, 60
# Later trouble after good minutes needs more minutes: the cap is smaller.
LATE_CAP = 0.8
# Counts that are compared over all minutes know of bursts themselves, so their steps are cut later; without the two strongest it must still be clear.
BEGUN_CAP = 2.0
# What a burst is: its steps reach this part of the cap. Spikes in most of the steps since the onset, more bursts than these, or long ones, are lasting trouble.
STRONGEST, SPIKE, SPIKED, BURSTS = 2, 0.6, 0.85, 3
_LARGEST = 1e280
_LATER = (1 - FROM_START) / ONSETS


@dataclass(frozen=True, slots=True)
class Split:
    """The counts of one step: events and exposure of the canary, then of the baseline; `rho` is the ratio of rates that the null still allows.

    `margin` is a rate that the null allows on top: "canary rate ≤ rho × baseline rate + margin".
    """

    a: float
    n_a: float
    b: float
    n_b: float
    rho: float
    phi: float = 1.0
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """`log_e` after the last step; `onset` is the index of the step from which the trouble most likely began.

    `lasting` is what remains of the evidence since then without its strongest steps: a burst leaves nothing.
    """

    log_e: float
    onset: int
    lasting: float = 0.0


def split_evidence(
    steps: Sequence[Split], cap: float, *, falling: bool = False, factors: Factors = (), borrowed: Gains | None = None, burst: int = STRONGEST
) -> Found:
    """The e-process of the null "canary ≤ rho × baseline" (falling: ≥) over the steps. Steps without exposure on both sides say nothing.

    `factors` beyond the null are bet on, with weights; empty: the usual ones. `borrowed` gives the gains of each factor from the beginning, where they are
    known better than from each step alone (borrowing.py). `burst`: how many steps a burst may be seen in.
    """
    chosen = factors or (FALLS if falling else FACTORS)
    rows: list[tuple[float, list[float]]] = []
    for factor, weight in chosen:
        grown = log(factor)
        row: list[float] = []
        for step in steps:
            if step.n_a <= 0 or step.n_b <= 0 or step.rho <= 0:
                row.append(0.0)
                continue
            null, other = step.n_a * step.rho, step.n_a * step.rho * factor
            shrink = log((null + step.n_b) / (other + step.n_b))
            row.append((step.a * (grown + shrink) + (step.b + step.n_b * step.margin / step.rho) * shrink) / step.phi)
        rows.append((weight, row))
    if borrowed is None:
        return mix(rows, cap, burst=burst)
    begun = [[gain / step.phi for gain, step in zip(row, steps, strict=True)] for row in borrowed([factor for factor, _ in chosen])]
    return mix(rows, cap, begun, burst)


def bet_evidence(differences: Sequence[float], cap: float) -> Found:
    """The e-process of the null "the mean difference is at most 0" for differences that are at least -1."""
    return mix([(weight, [log(max(1e-9, 1 + size * max(-1.0, difference))) for difference in differences]) for size, weight in BETS], cap)


def mix(rows: Sequence[tuple[float, Sequence[float]]], cap: float, begun: Sequence[Sequence[float]] = (), burst: int = STRONGEST) -> Found:
    """The mixture over alternatives (weight, log LR of each step) and onsets. A step's log LR is cut at `cap`, in late onsets at a part of it.

    `begun`: other rows for trouble from the beginning, one for each alternative.
    """
    early_cap = cap * BEGUN_CAP if begun else cap
    total, best, chosen = 0.0, 0.0, rows[0][1] if rows else ()
    for number, (weight, row) in enumerate(rows):
        first = begun[number] if begun else row
        early, late = FROM_START * _product(first, early_cap), _late(row, cap)
        total += weight * (early + late)
        for value, its in ((early, first), (late, row)):
            if weight * value > best:
                best, chosen = weight * value, its
    # What is left of the weights of onsets that are still to come.
    remaining = max(0, ONSETS - max(0, len(rows[0][1]) - 1)) * _LATER if rows else 0.0
    onset = _onset(chosen, early_cap)
    return Found(log(max(1e-300, total + remaining)), onset, _lasting(chosen[onset:], early_cap, burst))


def _product(row: Sequence[float], cap: float) -> float:
    product = 1.0
    for gain in row:
        product = min(_LARGEST, product * exp(max(-700.0, min(gain, cap))))
    return product


def _late(row: Sequence[float], cap: float) -> float:
    late, late_cap = 0.0, cap * LATE_CAP
    for index, gain in enumerate(row):
        if index:
            late = min(_LARGEST, (late + (_LATER if index <= ONSETS else 0.0)) * exp(max(-700.0, min(gain, late_cap))))
    return late


def _lasting(since: Sequence[float], cap: float, burst: int) -> float:
    """The evidence since the onset without what a few bursts would bring: the strongest steps, and spikes that are few and far between."""
    gains = [min(gain, cap) for gain in since]
    left = sum(sorted(gains)[:-burst])
    runs = _runs(gains, SPIKE * cap)
    spiked = sum(end - begin for begin, end in runs)
    if not runs or len(runs) > BURSTS or max(end - begin for begin, end in runs) > burst + 1 or spiked >= SPIKED * len(gains):
        return left
    inside = {index for begin, end in runs for index in range(begin, end)}
    return min(left, 1.5 * sum(gain for index, gain in enumerate(gains) if index not in inside))


def _runs(gains: Sequence[float], spike: float) -> list[tuple[int, int]]:
    """Where the spikes are, as (first step, step after the last); the steps before and after one, which it may begin or end in, are of it."""
    runs: list[tuple[int, int]] = []
    for index, gain in enumerate(gains):
        near = max(gains[max(0, index - 1) : index + 2]) >= spike and gain > 0
        if near and runs and runs[-1][1] == index:
            runs[-1] = (runs[-1][0], index + 1)
        elif near:
            runs.append((index, index + 1))
    return runs


def _onset(row: Sequence[float], cap: float) -> int:
    """From where the sum to the end is largest."""
    best, where, running = 0.0, 0, 0.0
    for index in range(len(row) - 1, -1, -1):
        running += min(row[index], cap)
        if running > best:
            best, where = running, index
    return where


def cap_for(threshold: float, minutes: float = 3.0) -> float:
    """The cut that needs at least `minutes` steps to reach `threshold` (log of 1/alpha), with the price of the mixture over onsets and a little for factors."""
    return (threshold + log(1 / FROM_START) + 2.4) / minutes

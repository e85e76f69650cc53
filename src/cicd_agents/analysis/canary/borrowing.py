"""Evidence for counts that borrows strength from the baseline of other minutes, before the canary and beside it (pure, linear in time).

The conditional test of evidence.py compares within each minute only. That is right where minutes differ, and it wastes what is known where they do not: a
service with six errors a minute has hundreds of them in the half hour before the deployment. Here the baseline's rate is a hidden level with a Gamma
distribution that is carried from minute to minute, and loses a part of its information on the way: the discount model of Smith and Miller, "A non-Gaussian
state space model", JRSS B 48 (1986), and Harvey and Fernandes, "Time series models for count or qualitative observations", J. Bus. Econ. Statist. 7 (1989).

How much may be borrowed is not assumed: keepers of several memories run side by side, one that remembers nothing among them (it is the test within minutes),
and each minute weighs them anew by how well they foretold it, with a little weight given back to all: the fixed share of Herbster and Warmuth, "Tracking the
best expert", Machine Learning 32 (1998). In a burst, or after a change that hits both versions, the keeper without memory takes over at once.

Each hypothesis ("so many times the null's ratio") runs its own keepers on all counts, the canary's too. The ratio of what two hypotheses foretold is a
Bayes factor, which is an e-value under the null with this prior on the level (Grünwald, de Heide and Koolen, "Safe testing", JRSS B 86 (2024)). It is
approximate in two points: keepers take up a minute by the part of the weight that they had in it, and the noise of pods is allowed for outside.

Bursts of one version are part of every hypothesis, the null too: in a few minutes the canary's count has a rate of its own, whatever the ratio of the versions
(the contamination model of Huber, "A robust version of the probability ratio test", Ann. Math. Statist. 36 (1965)). So a minute that no ratio explains says
next to nothing, and one that is merely on the high side keeps what it says: a plain cut would take that from every canary that is really worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log

from cicd_agents.analysis.canary.evidence import Split

# What part of its information a keeper takes into the next step, with its weight at first. The last one begins anew in each step.
MEMORIES = ((0.995, 0.5), (0.97, 0.2), (0.85, 0.15), (0.0, 0.15))
# The weight that is given back each step.
SHARED = 0.03
# The information of a fresh start, in events.
FRESH = 0.5
# In which part of the minutes the canary has a burst of its own, and so many times the usual rate it then has in the mean, widely spread.
BURSTS, BURST_RATE = 0.03, 10.0
_NEVER = 1e300


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the baseline counted in a step before the canary, oldest first."""

    events: float
    exposure: float


@dataclass(slots=True)
class _Keeper:
    memory: float
    events: float
    exposure: float
    weight: float


def borrowed_gains(
    earlier: Sequence[Earlier], steps: Sequence[Split], apart: Sequence[tuple[float, float]], factors: Sequence[float]
) -> list[list[float]]:  # fmt: skip
    """For each factor the gain of log evidence of each step; the sums to a step are log Bayes factors of "factor times the null" against the null.

    `apart`: logarithms of the ratio of two versions that are equally good, with weights, by the lasting noise of their pods: it is part of the null. A burst
    belongs to no part of it: else one burst would make the null believe in pods that differ much, and every good step after it would speak against the canary.
    A step without exposure on both sides gains nothing, and neither does any without a single event of either version.
    """
    rate = _overall(earlier, steps)
    if rate <= 0 or not steps:
        return [[0.0] * len(steps) for _ in factors]
    known = _Level.fresh(rate)
    for step in earlier:
        # The margin is a rate that the baseline has for certain.
        known.see(step.events + step.exposure * _margin(steps[0]), step.exposure)
    equal = _foretold(known.copy(), steps, 1.0)

    def against(factor: float) -> list[float]:
        return [value - other for value, other in zip(_foretold(known.copy(), steps, factor), equal, strict=True)]

    null = _averaged([(weight, against(exp(log_ratio))) for log_ratio, weight in apart])
    return [[gain - other for gain, other in zip(against(factor), null, strict=True)] for factor in factors]


def _averaged(parts: Sequence[tuple[float, Sequence[float]]]) -> list[float]:
    """The gains of the weighted mean of what several hypotheses foretold."""
    sums = [log(weight) for weight, _ in parts]
    before, result = _log_sum(sums), []
    for column in zip(*(row for _, row in parts), strict=True):
        sums = [value + gain for value, gain in zip(sums, column, strict=True)]
        result.append((after := _log_sum(sums)) - before)
        before = after
    return result


def _log_sum(values: Sequence[float]) -> float:
    highest = max(values)
    return highest + log(sum(exp(value - highest) for value in values))


def _margin(step: Split) -> float:
    return step.margin / step.rho if step.rho > 0 else 0.0


def _overall(earlier: Sequence[Earlier], steps: Sequence[Split]) -> float:
    """The scale of the level: the baseline's rate in all steps, the canary's where it has none."""
    exposure = sum(step.exposure for step in earlier) + sum(step.n_b for step in steps)
    events = sum(step.events for step in earlier) + sum(step.b + step.n_b * _margin(step) for step in steps)
    if events > 0 and exposure > 0:
        return events / exposure
    mine = sum(step.n_a for step in steps)
    return sum(step.a for step in steps) / mine if mine > 0 else 0.0


@dataclass(frozen=True, slots=True)
class _Pair:
    """The counts of a step, the canary's exposure in units of the baseline's; `usual` and `burst`: logs of what the level has no part in."""

    mine: float
    n_mine: float
    other: float
    n_other: float
    usual: float
    burst: float


class _Level:
    """The keepers of one hypothesis."""

    __slots__ = ("keepers", "rate")

    def __init__(self, rate: float, keepers: list[_Keeper]) -> None:
        self.rate, self.keepers = rate, keepers

    @classmethod
    def fresh(cls, rate: float) -> _Level:
        return cls(rate, [_Keeper(memory, FRESH, FRESH / rate, weight) for memory, weight in MEMORIES])

    def copy(self) -> _Level:
        return _Level(self.rate, [_Keeper(keeper.memory, keeper.events, keeper.exposure, keeper.weight) for keeper in self.keepers])

    def see(self, events: float, exposure: float) -> float:
        """Takes up a step of the baseline alone; returns the log of how likely it was, but for what all hypotheses share."""
        return self.see_both(_Pair(0.0, 0.0, events, exposure, 0.0, -_NEVER)) if exposure > 0 else 0.0

    def see_both(self, pair: _Pair) -> float:
        """Takes up a step of both versions, which the level explains, or the baseline's part of it, where the canary's is a burst."""
        events, exposure = pair.mine + pair.other, pair.n_mine + pair.n_other
        likely = []
        for keeper in self.keepers:
            known = keeper.events * log(keeper.exposure) - lgamma(keeper.events)
            usual = known + lgamma(keeper.events + events) - (keeper.events + events) * log(keeper.exposure + exposure) + pair.usual
            alone = known + lgamma(keeper.events + pair.other) - (keeper.events + pair.other) * log(keeper.exposure + pair.n_other) + pair.burst
            likely.append((usual, alone))
        highest = max(map(max, likely))
        pairs = zip(self.keepers, likely, strict=True)
        parts = [(keeper.weight * exp(usual - highest), keeper.weight * exp(alone - highest)) for keeper, (usual, alone) in pairs]
        total = sum(map(sum, parts))
        for keeper, (usual, alone), (_, weight) in zip(self.keepers, parts, MEMORIES, strict=True):
            taken = (usual + alone) / total
            keeper.weight = (1 - SHARED) * taken + SHARED * weight
            # Twice the weight that it had at least: a keeper that is usually silent does not go blind.
            lesson = min(1.0, taken / weight)
            # Of the canary only what is no burst tells of the level.
            told = usual / (usual + alone) if usual > 0 else 0.0
            keeper.events = max(FRESH, keeper.memory * (keeper.events + lesson * (pair.other + told * pair.mine)))
            keeper.exposure = max(1e-9, keeper.memory * (keeper.exposure + lesson * (pair.n_other + told * pair.n_mine)))
            if keeper.memory <= 0:
                keeper.events, keeper.exposure = FRESH, FRESH / self.rate
        return highest + log(total)


def _foretold(level: _Level, steps: Sequence[Split], factor: float) -> list[float]:
    """How likely each step was under "canary = factor × rho × baseline", as logarithms."""
    result = []
    for step in steps:
        if step.n_a <= 0 or step.n_b <= 0 or step.rho <= 0:
            result.append(0.0)
            continue
        usual, burst = log(1 - BURSTS) + step.a * log(factor), log(BURSTS) + _burst(step, level.rate)
        result.append(level.see_both(_Pair(step.a, step.n_a * step.rho * factor, step.b + step.n_b * _margin(step), step.n_b, usual, burst)))
    return result


def _burst(step: Split, rate: float) -> float:
    """The log of how likely the canary's count is at a rate of its own, whose prior is a Gamma distribution of shape FRESH."""
    scale = FRESH / (rate * BURST_RATE)
    return lgamma(FRESH + step.a) - lgamma(FRESH) + FRESH * log(scale) - (FRESH + step.a) * log(scale + step.n_a) - step.a * log(step.rho)

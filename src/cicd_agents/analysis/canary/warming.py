"""How long the warm-up of the canary's pods really lasts, by what they count (pure).

Leaving out three minutes of every new pod costs a fourth of a canary's evidence, and most services have no warm-up of errors at all. So the young minutes are
counted where their rate is level with that of grown ones, and the first minute where it is. Where they are clearly higher, the warm-up is real, and as
long again is left out, if what is left of it by then can matter: a warm-up is taken to fade exponentially, with two thirds of its length as time constant.

How far apart two rates are is told by the signed root of the deviance (McCullagh and Nelder, "Generalized linear models", 1989, chapter 2): at ten events it is
nearly normal, where Pearson's distance finds a warm-up twice as often as it should.

Given how many events the canary had in all, their split between young and grown minutes says nothing of whether it is worse than the baseline: that is why
choosing by it keeps the promise (a conditional argument, exact where pods do not warm up; a warm-up that is too small to be seen is counted).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt

from cicd_agents.analysis.canary.tables import Row, Stream

# Standard errors by which young minutes are above grown ones: up to LEVEL they are level (NEW: the first one), beyond it is a warm-up.
NEW, LEVEL = 2.0, 2.5

# How much exposure of minutes beyond every warm-up the choice needs, of that of young ones: a slow start lifts the minutes after it too.
ENOUGH = 1.0

# What is left of a warm-up in the minutes after it, as long again: exp(-1.5) of its excess. It matters from this part of a standard error of the counts on.
LEFT, MATTERS = 0.22, 0.5

_Counts = tuple[Row, Row]


def admitted(stream: Stream, until: int) -> _Counts:
    """The canary's events and exposure of each step, with young minutes where they are level, without adolescent ones after a warm-up that may not be over."""
    grown = stream.canary.total(until)
    if not stream.ages:
        return grown
    newborn, young, adolescent = (age.total(until) for age in stream.ages)
    first, early, rest = _sum(newborn), _sum(_plus(newborn, young)), _sum(grown)
    if early[1] <= 0 or rest[1] <= 0:
        return grown
    newest = _above(first, rest)
    above = max(newest, _above(early, rest))
    older = _plus(grown, adolescent, -1.0)
    if _sum(older)[1] < ENOUGH * early[1]:
        return older if above > LEVEL else grown
    if above > LEVEL:
        return older if _left(early, _sum(older), rest) else grown
    counted = _plus(grown, young)
    return _plus(counted, newborn) if newest <= NEW else counted


def _left(early: tuple[float, float], older: tuple[float, float], rest: tuple[float, float]) -> bool:
    """Whether the warm-up that the young minutes show would still add to the adolescent ones, which are in `rest` and not in `older`."""
    excess = early[0] / early[1] - older[0] / older[1]
    return LEFT * excess * (rest[1] - older[1]) > MATTERS * sqrt(max(1.0, rest[0]))


def _sum(counts: _Counts) -> tuple[float, float]:
    return sum(counts[0]), sum(counts[1])


def _above(mine: tuple[float, float], other: tuple[float, float]) -> float:
    """By how many standard errors the first rate is above the second: the signed root of the deviance from one rate for both."""
    (x, n), (x_other, n_other) = mine, other
    if n <= 0 or n_other <= 0 or x + x_other <= 0:
        return 0.0
    pooled = (x + x_other) / (n + n_other)
    deviance = 2 * sum(count * log(count / (size * pooled)) for count, size in (mine, other) if count > 0)
    return sqrt(max(0.0, deviance)) * (1 if x > n * pooled else -1)


def _plus(counts: _Counts, more: _Counts, sign: float = 1.0) -> _Counts:
    return _added(counts[0], more[0], sign), _added(counts[1], more[1], sign)


def _added(row: Sequence[float], more: Sequence[float], sign: float) -> Row:
    return [max(0.0, value + sign * extra) for value, extra in zip(row, more, strict=True)]

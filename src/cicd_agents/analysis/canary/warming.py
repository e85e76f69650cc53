"""How long the warm-up of the canary's pods really lasts, by what they count (pure).

Leaving out three minutes of every new pod costs a fifth of a canary's evidence, and most services have no warm-up of errors at all. So the young minutes are
counted where their rate is level with that of grown ones; where it is clearly higher, the warm-up is real, and as long again is left out.

Given how many events the canary had in all, their split between young and grown minutes says nothing of whether it is worse than the baseline: that is why
choosing by it keeps the promise (a conditional argument, exact where pods do not warm up; a warm-up that is too small to be seen is counted).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from cicd_agents.analysis.canary.tables import Row, Stream

# Standard errors by which young minutes are above grown ones: up to LEVEL they are level, from CLEAR on it is a warm-up.
LEVEL, CLEAR = 2.0, 2.5

# How much exposure of grown minutes the choice needs, of that of young ones.
ENOUGH = 0.8

_Counts = tuple[Row, Row]


def admitted(stream: Stream, until: int) -> _Counts:
    """The canary's events and exposure of each step, with young minutes where they are level, without adolescent ones where there is a warm-up."""
    grown = stream.canary.total(until)
    if not stream.ages:
        return grown
    newborn, young, adolescent = (age.total(until) for age in stream.ages)
    first, early, rest = _sum(newborn), _sum(_plus(newborn, young)), _sum(grown)
    if early[1] <= 0 or rest[1] <= 0:
        return grown
    above = max(_above(first, rest), _above(early, rest))
    if above > CLEAR:
        return _plus(grown, adolescent, -1.0)
    return grown if above > LEVEL or rest[1] < ENOUGH * early[1] else _plus(grown, young)


def _sum(counts: _Counts) -> tuple[float, float]:
    return sum(counts[0]), sum(counts[1])


def _above(mine: tuple[float, float], other: tuple[float, float]) -> float:
    """By how many standard errors the first rate is above the second."""
    (x, n), (x_other, n_other) = mine, other
    if n <= 0 or n_other <= 0 or x + x_other <= 0:
        return 0.0
    pooled = (x + x_other) / (n + n_other)
    return (x / n - x_other / n_other) / sqrt(pooled * (1 / n + 1 / n_other))


def _plus(counts: _Counts, more: _Counts, sign: float = 1.0) -> _Counts:
    return _added(counts[0], more[0], sign), _added(counts[1], more[1], sign)


def _added(row: Sequence[float], more: Sequence[float], sign: float) -> Row:
    return [max(0.0, value + sign * extra) for value, extra in zip(row, more, strict=True)]

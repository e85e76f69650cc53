"""How sure a diagnosis is, calibrated on labelled logs (docs/accuracy.md)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from cicd_agents.analysis.logs.judge import Ranked
from cicd_agents.analysis.logs.steps import Shape

# (score, confidence of a lead with it that stands alone); between two points the confidence is interpolated.
_BY_SCORE = ((0.0, 0.05), (0.36, 0.35), (0.55, 0.5), (0.66, 0.62), (0.76, 0.72), (0.82, 0.86), (0.9, 0.94), (1.0, 0.97))
# A rival of another category within this distance makes the choice a close one.
_CLOSE = 0.14
_CROWD = 25
# Two places that are as good as each other: the earlier one is not always the cause.
_EQUAL = 0.005


def confidence_of(item: Ranked, ranked: Sequence[Ranked], job: Shape) -> float:
    """The share of right diagnoses to expect, 0 to 1: by score, less for a close rival, an equal one elsewhere, a crowd of leads, or an
    unknown place of failure."""
    rule = item.lead.signature
    sure = _interpolated(item.score)
    rivals = [other for other in ranked if other.lead.signature.category != rule.category and other.score > item.score - _CLOSE]
    if rivals:
        sure *= 0.82
    if any(other is not item and other.score > item.score - _EQUAL for other in ranked):
        sure *= 0.83
    if len(ranked) >= _CROWD:
        sure *= 0.87
    if not any(step.failed for step in job.steps):
        sure *= 0.97
    if job.went_on:
        sure *= 0.8
    return round(min(0.97, sure), 2)


def _interpolated(score: float) -> float:
    for (low, at_low), (high, at_high) in pairwise(_BY_SCORE):
        if score <= high:
            return at_low + (at_high - at_low) * (score - low) / (high - low)
    return _BY_SCORE[-1][1]

"""Ranks leads: rule weight × role × place × novelty × what speaks against it; a cause above a symptom, the earliest of equals (pure)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cicd_agents.analysis.logs.leads import Lead
from cicd_agents.analysis.logs.masking import masked
from cicd_agents.analysis.logs.steps import Shape

ROLE = {"cause": 1.0, "headline": 0.97, "symptom": 0.7, "wrapper": 0.2}
# Scores closer than this are equal; the earlier line wins.
_EQUAL = 0.02
# Lines this close tell the same failure.
_SAME_BLOCK = 2


@dataclass(frozen=True, slots=True)
class Ranked:
    """A lead with its score, 0 to 1, and the factors that made it."""

    lead: Lead
    score: float
    place: float
    known_good: bool


def rank(leads: Sequence[Lead], shape: Shape, good: Collection[bytes]) -> list[Ranked]:
    """Best first, one per block of lines. `good`: masked lines of good runs."""
    scored = [_score(lead, shape, good) for lead in leads]
    scored.sort(key=lambda item: (-round(item.score / _EQUAL), item.lead.line, -item.score))
    kept: list[Ranked] = []
    for item in scored:
        if all(abs(item.lead.line - other.lead.line) > _SAME_BLOCK for other in kept):
            kept.append(item)
        if len(kept) >= 40:
            break
    return kept


def _score(lead: Lead, shape: Shape, good: Collection[bytes]) -> Ranked:
    rule = lead.signature
    place = shape.place(lead.line)
    key = masked(lead.text)
    known_good = key in good
    score = rule.weight / 100 * ROLE[rule.role] * place
    if known_good:
        score *= 0.3
    if lead.benign:
        score *= 0.6
    if lead.retried:
        score *= 0.85
    return Ranked(lead, score, place, known_good)

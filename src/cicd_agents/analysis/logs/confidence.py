"""How sure a diagnosis is, calibrated on labelled logs (docs/accuracy.md)."""

from __future__ import annotations

from collections.abc import Sequence

from cicd_agents.analysis.logs.judge import Ranked
from cicd_agents.analysis.logs.steps import Shape


def confidence_of(item: Ranked, ranked: Sequence[Ranked], job: Shape) -> float:
    """A number from 0 to 1: the score, less when the platform does not say where it failed or another lead is as good."""
    sure = item.score if any(step.failed for step in job.steps) else 0.95 * item.score
    rivals = [
        other for other in ranked if other is not item and other.score > 0.97 * item.score and other.lead.signature.category != item.lead.signature.category
    ]
    return round(min(0.99, sure * (0.85 if rivals else 1.0)), 2)

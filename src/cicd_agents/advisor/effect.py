"""The only effect that a model's words have on a verdict: a pass may become a question to a person."""

from __future__ import annotations

from cicd_agents.domain.advice import Advice
from cicd_agents.domain.verdict import Outcome


def concerned(outcome: Outcome, advice: Advice) -> Outcome:
    """The outcome with the advice in mind: a pass with a concern that cites evidence is inconclusive; anything else stays what it was."""
    raised = bool(advice.concern and advice.citations and not advice.problem)
    return Outcome.INCONCLUSIVE if outcome is Outcome.PASS and raised else outcome

"""A judgement by the rules of another tool, in the words of domain.canary (pure).

Blindness stays blindness: whatever the other tool says of it, what was not seen neither promotes nor rolls back here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cicd_agents.domain.canary import Decision, Judgement, Kind, MetricJudgement, RiskTerm, Status, Strategy

DECISIONS = {Status.PASS: Decision.PROMOTE, Status.FAIL: Decision.ROLLBACK, Status.INCONCLUSIVE: Decision.HOLD, Status.NO_DATA: Decision.HOLD}
_RISK = {Status.PASS: 0.0, Status.INCONCLUSIVE: 0.4, Status.NO_DATA: 0.3, Status.FAIL: 1.0}


def imitated(status: Status, reason: str, metrics: Sequence[MetricJudgement], notes: Sequence[str]) -> Judgement:
    """The judgement; stage, share and minutes are not known here: the caller puts them in with dataclasses.replace."""
    terms = tuple(RiskTerm(metric.name, _RISK[metric.status], metric.weight) for metric in metrics if not metric.dry_run)
    return Judgement(
        status, DECISIONS[status], reason, Strategy.CANARY, 0, 0.0, 0.0, tuple(metrics), notes=tuple(notes), risk=_RISK[status], risk_terms=terms, weaker=True,
    )  # fmt: skip


def told(name: str, status: Status, reason: str, *, value: float | None = None, limit: float | None = None) -> MetricJudgement:
    """A metric as the other tool sees it, as a level without a unit."""
    return replace(MetricJudgement(name, name, Kind.GAUGE, "", status, reason, weaker=True, required=True), canary=value, limit=limit)


def listed(names: Sequence[str]) -> str:
    """Names for a sentence, at most five."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")

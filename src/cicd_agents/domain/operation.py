"""Writes to the outside world: proposed with a reason and a reverse, applied under policy, remembered in the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cicd_agents.domain.finding import Evidence


class OperationStatus(StrEnum):
    """Where an operation stands."""

    PLANNED = "planned"
    APPLIED = "applied"
    ALREADY_DONE = "already-done"
    NEEDS_APPROVAL = "needs-approval"
    REFUSED = "refused"
    FAILED = "failed"


# The operation is in the world, by this run or before it.
REACHED = (OperationStatus.APPLIED, OperationStatus.ALREADY_DONE)


@dataclass(frozen=True, slots=True)
class Operation:
    """One write. `kind` is its name (RerunJobs, CreateIssue, …), `target` what it acts on, `key` makes doing it twice harmless.

    `why` is the reason in one sentence, `rule` the signature or policy that proposed it, `reverse` how to undo it, `result` what came of it.
    """

    kind: str
    target: str
    why: str
    reverse: str
    key: str
    rule: str = ""
    evidence: tuple[Evidence, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    status: OperationStatus = OperationStatus.PLANNED
    result: str = ""

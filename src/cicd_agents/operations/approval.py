"""Approvals of operations: what is approved (a plan and its hash), what came of it, and what then becomes of the operations. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from cicd_agents.domain.ci import Author
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.operations.approval_rules import ApprovalRule, rule_of

# The kind of evidence by which operations that were held back, or approved, are known.
EVIDENCE = "approval"
SHOWN = 16  # hex digits of a hash as people see it
_CHANGED = "The operations are not those that were approved, so nothing of this is done; run it again to ask anew."


def plan_hash(repository: str, operations: Sequence[Operation]) -> str:
    """SHA-256 in hex of all that an approval is about: which repository, and each operation with what it does, why and how it is undone, in order.

    What became of the operations (status, result, evidence) is no part of it, so the hash of a plan that was done by half is the same.
    """
    told = [
        {
            "kind": operation.kind, "target": operation.target, "key": operation.key, "why": operation.why, "reverse": operation.reverse,
            "parameters": [list(pair) for pair in operation.parameters],
        }
        for operation in operations
    ]  # fmt: skip
    canonical = json.dumps({"form": "cicd-agents/plan/v1", "repository": repository, "operations": told}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Plan:
    """Operations of one repository in their order, and the rules that say which of them need an approval."""

    repository: str
    operations: tuple[Operation, ...]
    rules: tuple[ApprovalRule, ...]

    @property
    def held(self) -> tuple[Operation, ...]:
        """What an approval is about: the first operation that needs one and all after it. Those before are done without waiting, so they may change."""
        first = next((index for index, needs in enumerate(self.needing) if needs), len(self.operations))
        return self.operations[first:]

    @property
    def needing(self) -> tuple[bool, ...]:
        """For each operation whether it needs an approval."""
        return tuple(rule_of(operation, self.rules) is not None for operation in self.operations)

    @property
    def needs(self) -> tuple[ApprovalRule, ...]:
        """The rules of the operations that need an approval and are not done yet, each once, in the order of the operations."""
        found = (rule_of(operation, self.rules) for operation in self.operations if operation.status is OperationStatus.PLANNED)
        return tuple(dict.fromkeys(rule for rule in found if rule is not None))

    @property
    def hash(self) -> str:
        """Changes with everything that the approval is about."""
        return plan_hash(self.repository, self.held)


class ApprovalStatus(StrEnum):
    """What came of a plan. Only `not-needed` and `granted` let operations through; `planned`: a dry run, nobody was asked."""

    NOT_NEEDED = "not-needed"
    PLANNED = "planned"
    GRANTED = "granted"
    WAITING = "waiting"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Consent:
    """Somebody's yes: who, when (None: the platform does not tell), and where it can be seen."""

    author: Author
    time: float | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """What came of a plan, in a sentence. `url` shows it: the comment that decided, else the request. `by` are those who approved.

    `notes` tell of answers that do not count and why; `text` is what would be posted (dry run); `writes` are what was written in order to ask.
    """

    status: ApprovalStatus
    plan: Plan
    sentence: str
    url: str = ""
    by: tuple[Consent, ...] = ()
    notes: tuple[str, ...] = ()
    text: str = ""
    writes: tuple[Operation, ...] = ()


_HELD = {
    ApprovalStatus.WAITING: OperationStatus.NEEDS_APPROVAL, ApprovalStatus.REFUSED: OperationStatus.REFUSED,
    ApprovalStatus.EXPIRED: OperationStatus.REFUSED, ApprovalStatus.PLANNED: OperationStatus.PLANNED,
}  # fmt: skip


def gate(operations: Sequence[Operation], approval: Approval) -> tuple[Operation, ...]:
    """The operations as they may be applied: without an approval the first one that needs it, and all planned ones after it, are held back.

    Operations that are other than those of the approval are refused: it was not given for them.
    """
    plan = replace(approval.plan, operations=tuple(operations))
    status, sentence = approval.status, approval.sentence
    if plan.hash != approval.plan.hash:
        status, sentence = ApprovalStatus.REFUSED, _CHANGED
    if status is ApprovalStatus.GRANTED:
        return tuple(_approved(operation, approval) if needs else operation for operation, needs in zip(operations, plan.needing, strict=True))
    held = False
    gated: list[Operation] = []
    for operation, needs in zip(operations, plan.needing, strict=True):
        held = held or (needs and operation.status is OperationStatus.PLANNED)
        gated.append(_held(operation, status, sentence, approval.url) if held else operation)
    return tuple(gated)


def _held(operation: Operation, status: ApprovalStatus, sentence: str, url: str) -> Operation:
    if operation.status is not OperationStatus.PLANNED:
        return operation
    # An approval that was not needed and now is: it was asked for other operations.
    became = _HELD.get(status, OperationStatus.REFUSED)
    return replace(operation, status=became, result=sentence, evidence=(*operation.evidence, Evidence(EVIDENCE, url, sentence)))


def _approved(operation: Operation, approval: Approval) -> Operation:
    if operation.status is not OperationStatus.PLANNED:
        return operation
    proofs = (Evidence(EVIDENCE, consent.url, f"Approved by {named(consent.author)}.") for consent in approval.by)
    return replace(operation, evidence=(*operation.evidence, *proofs))


def named(author: Author) -> str:
    """An account for people: its login where it is known, always its number."""
    return f"{author.login} (id {author.id})" if author.login else f"account {author.id}"

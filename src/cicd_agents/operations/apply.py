"""Applies the operations that were proposed, each at most once, and says what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.audit import AuditEntry, AuditFailed, AuditLog, Phase
from cicd_agents.operations.policy import Mode, unwritten

# Does one operation and says in a sentence what was done. Raises AlreadyDone, or ServiceError or UsageError where it was not done.
Applier = Callable[[Operation], str]


class AlreadyDone(Exception):
    """The operation was done before, by us or by somebody else; the text says how that is known."""


def apply(operations: Iterable[Operation], appliers: Mapping[str, Applier], mode: Mode, audit: AuditLog, clock: Clock) -> tuple[Operation, ...]:
    """The operations as they stand afterwards. Those that are not `planned` stay as they are; nothing is raised for a write that fails."""
    at_work = _Applying(appliers, mode, audit, clock)
    done: list[Operation] = []
    keys: set[str] = set()
    for operation in operations:
        if operation.status is not OperationStatus.PLANNED:
            done.append(operation)
        elif operation.key in keys:
            done.append(replace(operation, status=OperationStatus.ALREADY_DONE, result="It was proposed twice."))
        else:
            keys.add(operation.key)
            done.append(at_work.one(operation))
    return tuple(done)


@dataclass(frozen=True, slots=True)
class _Applying:
    appliers: Mapping[str, Applier]
    mode: Mode
    audit: AuditLog
    clock: Clock

    def one(self, operation: Operation) -> Operation:
        """The operation as it stands after it was applied, or was not."""
        left = unwritten(operation, self.mode)
        applier = self.appliers.get(operation.kind)
        if left is None and applier is None:
            left = replace(operation, status=OperationStatus.REFUSED, result=f"{operation.kind} is not possible here.")
        if left is not None or applier is None:
            return self._noted(left or operation, Phase.RESULT)
        intent = self._noted(operation, Phase.INTENT)
        if intent.status is OperationStatus.FAILED:
            return intent
        return self._noted(_done(operation, applier), Phase.RESULT)

    def _noted(self, operation: Operation, phase: Phase) -> Operation:
        """The operation, written to the audit log. Without that log nothing is applied, and what is applied already says that it is not in it."""
        try:
            self.audit.write(AuditEntry(self.clock.now(), phase, operation, self.mode is Mode.DRY_RUN))
        except AuditFailed as problem:
            if phase is Phase.INTENT:
                return replace(operation, status=OperationStatus.FAILED, result=f"Not done: {problem}")
            return replace(operation, result=f"{operation.result} {problem}")
        return operation


def _done(operation: Operation, applier: Applier) -> Operation:
    try:
        return replace(operation, status=OperationStatus.APPLIED, result=applier(operation))
    except AlreadyDone as known:
        return replace(operation, status=OperationStatus.ALREADY_DONE, result=str(known))
    except (ServiceError, UsageError) as problem:
        return replace(operation, status=OperationStatus.FAILED, result=str(problem))

"""Operations that stand in an order: each is only done when those before it are, and what was not reached says so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.domain.ports import Clock
from cicd_agents.domain.verdict import EXIT_APPROVAL, EXIT_GATE_CLOSED, EXIT_UNDECIDED
from cicd_agents.operations.apply import Applier, apply
from cicd_agents.operations.audit import AuditLog
from cicd_agents.operations.policy import Mode

_STOPS = (OperationStatus.NEEDS_APPROVAL, OperationStatus.REFUSED, OperationStatus.FAILED)


def carry_out(
    operations: Sequence[Operation], appliers: Mapping[str, Applier], mode: Mode, audit: AuditLog, clock: Clock, side: Collection[str] = ()
) -> tuple[Operation, ...]:
    """The operations as they stand afterwards. The first that is not done ends the row; one of the kinds in `side` is left, and the row goes on."""

    def one(operation: Operation) -> Operation:
        return apply((operation,), appliers, mode, audit, clock)[0]

    return in_order(operations, one, side) if mode is Mode.AUTO else tuple(map(one, operations))


def in_order(operations: Iterable[Operation], apply_one: Callable[[Operation], Operation], side: Collection[str] = ()) -> tuple[Operation, ...]:
    """The operations as they stand after `apply_one` had them one by one, up to the first that is not done; those after it stay planned and say why."""
    done: list[Operation] = []
    stopped_by = ""
    for operation in operations:
        if stopped_by:
            reason = f"Not reached: {stopped_by} comes first and is not done."
            done.append(replace(operation, result=reason) if operation.status is OperationStatus.PLANNED else operation)
            continue
        done.append(apply_one(operation))
        if done[-1].status in _STOPS and operation.kind not in side:
            stopped_by = operation.kind
    return tuple(done)


def code_of(operations: Sequence[Operation], *, dry_run: bool) -> int | None:
    """The exit code that the operations ask for: 4 while one waits for an approval, 1 where one was refused, 3 where one failed; None: none.

    In a dry run planned operations are as they should be.
    """
    statuses = {operation.status for operation in operations}
    if OperationStatus.NEEDS_APPROVAL in statuses:
        return EXIT_APPROVAL
    if OperationStatus.REFUSED in statuses:
        return EXIT_GATE_CLOSED
    if OperationStatus.FAILED in statuses or (OperationStatus.PLANNED in statuses and not dry_run):
        return EXIT_UNDECIDED
    return None

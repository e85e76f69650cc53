"""Operations are applied once, in the mode that is asked for, and every step is in the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from tests.servers.clock import START, FakeClock

from cicd_agents.domain.errors import NotAllowed, UsageError
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.operations.apply import AlreadyDone, Applier, apply
from cicd_agents.operations.audit import AuditEntry, AuditFailed, Phase
from cicd_agents.operations.policy import Mode

OPERATION = Operation("RerunJobs", "org/app run 7", "Job build: a lost connection.", "Cancel it.", "RerunJobs:org/app:7:1")


@dataclass
class Log:
    """An audit log in a list; it fails at the entries whose numbers are in `broken`."""

    broken: frozenset[int] = frozenset()
    entries: list[AuditEntry] = field(default_factory=list)
    asked: int = 0

    def write(self, entry: AuditEntry) -> None:
        self.asked += 1
        if self.asked - 1 in self.broken:
            raise AuditFailed("The audit log could not be written: no space left.")
        self.entries.append(entry)


@dataclass
class World:
    """What appliers do to it."""

    done: list[str] = field(default_factory=list)

    def does(self, operation: Operation) -> str:
        self.done.append(operation.key)
        return "Started 1 failed job again."


def ask(operation: Operation) -> str:
    raise NotAllowed("GitHub: starting it was refused (403). Add `actions: write`.")


def known(operation: Operation) -> str:
    raise AlreadyDone("Attempt 1 was started again before.")


def wrong(operation: Operation) -> str:
    raise UsageError("history.db: is damaged.")


def run(log: Log, applier: Applier, *operations: Operation, mode: Mode = Mode.AUTO) -> tuple[Operation, ...]:
    return apply(operations or (OPERATION,), {"RerunJobs": applier}, mode, log, FakeClock())


def test_the_intent_is_written_before_the_write_and_the_result_after_it() -> None:
    log = Log()
    seen: list[Phase] = []

    def applier(operation: Operation) -> str:
        seen.extend(entry.phase for entry in log.entries)
        return "Started."

    (done,) = run(log, applier)
    assert (done.status, done.result) == (OperationStatus.APPLIED, "Started.")
    assert seen == [Phase.INTENT]
    assert log.entries == [AuditEntry(START, Phase.INTENT, OPERATION), AuditEntry(START, Phase.RESULT, done)]


def test_a_run_that_is_killed_leaves_its_intent() -> None:
    log = Log()

    def killed(operation: Operation) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(log, killed)
    assert [entry.phase for entry in log.entries] == [Phase.INTENT]


@pytest.mark.parametrize(
    ("applier", "status", "result"),
    [
        (ask, OperationStatus.FAILED, "GitHub: starting it was refused (403). Add `actions: write`."),
        (wrong, OperationStatus.FAILED, "history.db: is damaged."),
        (known, OperationStatus.ALREADY_DONE, "Attempt 1 was started again before."),
    ],
)
def test_what_was_not_done_says_why(applier: Applier, status: OperationStatus, result: str) -> None:
    log = Log()
    (done,) = run(log, applier)
    assert (done.status, done.result) == (status, result)
    assert log.entries[-1].operation == done


@pytest.mark.parametrize(
    ("mode", "status"), [(Mode.OFF, OperationStatus.REFUSED), (Mode.SUGGEST, OperationStatus.NEEDS_APPROVAL), (Mode.DRY_RUN, OperationStatus.PLANNED)]
)
def test_other_modes_write_nothing_but_the_log(mode: Mode, status: OperationStatus) -> None:
    log, world = Log(), World()
    (done,) = run(log, world.does, mode=mode)
    assert (done.status, world.done) == (status, [])
    assert log.entries == [AuditEntry(START, Phase.RESULT, done, dry_run=mode is Mode.DRY_RUN)]


def test_without_an_audit_log_nothing_is_done() -> None:
    world = World()
    (done,) = run(Log(frozenset({0})), world.does)
    assert (done.status, done.result, world.done) == (OperationStatus.FAILED, "Not done: The audit log could not be written: no space left.", [])


def test_what_was_done_stays_done_when_the_log_breaks_afterwards() -> None:
    (done,) = run(Log(frozenset({1})), World().does)
    assert done.status is OperationStatus.APPLIED
    assert done.result == "Started 1 failed job again. The audit log could not be written: no space left."


def test_a_kind_that_nobody_can_apply_here_is_refused() -> None:
    log = Log()
    (done,) = run(log, World().does, replace(OPERATION, kind="CreateTag"))
    assert (done.status, done.result) == (OperationStatus.REFUSED, "CreateTag is not possible here.")
    assert [entry.phase for entry in log.entries] == [Phase.RESULT]


def test_the_same_key_is_applied_once() -> None:
    world = World()
    first, second, other = run(Log(), world.does, OPERATION, OPERATION, replace(OPERATION, key="other"))
    assert [item.status for item in (first, second, other)] == [OperationStatus.APPLIED, OperationStatus.ALREADY_DONE, OperationStatus.APPLIED]
    assert world.done == [OPERATION.key, "other"]


def test_one_failure_does_not_stop_the_next() -> None:
    done = apply((OPERATION, replace(OPERATION, kind="CreateIssue", key="i")), {"RerunJobs": ask, "CreateIssue": World().does}, Mode.AUTO, Log(), FakeClock())
    assert [item.status for item in done] == [OperationStatus.FAILED, OperationStatus.APPLIED]


@pytest.mark.parametrize("status", [status for status in OperationStatus if status is not OperationStatus.PLANNED])
def test_what_is_settled_stays_as_it_is(status: OperationStatus) -> None:
    log, world, settled = Log(), World(), replace(OPERATION, status=status, result="before")
    assert run(log, world.does, settled) == (settled,)
    assert (log.entries, world.done) == ([], [])

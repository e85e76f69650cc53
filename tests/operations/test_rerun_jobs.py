"""A re-run is remembered before it is started, started once, and taken back where it certainly was not started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.operations.situations import POLICY, failed_job, situation
from tests.servers.clock import START, FakeClock
from tests.servers.http_server import Reply
from tests.servers.jenkins import TOKEN, USER, JenkinsServer, build

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.history import open_history
from cicd_agents.clients.history_store import StoredHistory
from cicd_agents.clients.http import Http
from cicd_agents.clients.platforms.jenkins import Jenkins
from cicd_agents.clients.platforms.jenkins_service import service
from cicd_agents.domain.ci import RunRef, Status
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.operations.apply import apply
from cicd_agents.operations.audit import AuditEntry
from cicd_agents.operations.policy import Mode
from cicd_agents.operations.rerun import RerunFacts, propose
from cicd_agents.operations.rerun_jobs import RerunJobs


@dataclass
class Entries:
    """An audit log in a list."""

    written: list[AuditEntry] = field(default_factory=list)

    def write(self, entry: AuditEntry) -> None:
        self.written.append(entry)


@dataclass
class Rig:
    """A Jenkins that can start builds, and a memory in a file."""

    server: JenkinsServer
    history: StoredHistory
    http: Http

    def apply(self, facts: RerunFacts | None = None) -> Operation:
        """Propose and apply, as a run of the doctor does."""
        facts = facts or situation(run=RunRef("app#3"), pull_request=4, on_pull_request=0)
        operation = propose(facts, POLICY)
        assert isinstance(operation, Operation)
        starter = RerunJobs(Jenkins(self.http), self.history, FakeClock(), facts)
        (done,) = apply((operation,), {"RerunJobs": starter}, Mode.AUTO, Entries(), FakeClock())
        return done

    def remembered(self) -> int:
        """How many re-runs the memory holds."""
        return self.history.reruns_since("org/app", START)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    clock = FakeClock()
    with JenkinsServer() as server, open_history(str(tmp_path / "history.db"), "", True, clock) as history:
        server.jobs["app"] = [build(3)]
        http = Http(service(server.root, USER, TOKEN), clock, Budget(clock, 300))
        yield Rig(server, history, http)
        http.close()
        assert server.problems == []


def test_the_failed_jobs_are_started_and_remembered(rig: Rig) -> None:
    done = rig.apply()
    assert (done.status, done.result) == (OperationStatus.APPLIED, "Started 1 failed job again.")
    assert rig.server.started == [("app", {})]
    assert (rig.remembered(), rig.history.reruns_since("org/app", START, 4), rig.history.reruns_since("org/app", START, 5)) == (1, 1, 0)


def test_only_jobs_that_make_the_run_red_are_started(rig: Rig) -> None:
    jobs = (failed_job("a"), failed_job("b"), failed_job("fine", status=Status.SUCCESS), failed_job("optional", allowed_to_fail=True))
    assert rig.apply(situation(*jobs, run=RunRef("app#3"))).result == "Started 2 failed jobs again."


def test_a_second_run_of_the_doctor_starts_nothing(rig: Rig) -> None:
    rig.apply()
    done = rig.apply()
    assert (done.status, done.result) == (OperationStatus.ALREADY_DONE, "Attempt 1 of run app#3 was started again before.")
    assert len(rig.server.started) == 1


def test_what_was_refused_is_forgotten_and_can_be_tried_again(rig: Rig) -> None:
    rig.server.may = {"read"}
    done = rig.apply()
    assert done.status is OperationStatus.FAILED
    assert "Job/Build" in done.result
    assert rig.remembered() == 0
    rig.server.may = {"read", "build"}
    assert rig.apply().status is OperationStatus.APPLIED


@pytest.mark.parametrize("fault", [Reply(502), Reply(reset=True), Reply(200, b"x" * 100, cut=3)], ids=["502", "reset", "cut"])
def test_what_may_have_been_started_is_not_started_a_second_time(rig: Rig, fault: Reply) -> None:
    rig.server.faults[2] = fault  # the POST, after the build and the crumb
    done = rig.apply()
    assert done.status is OperationStatus.FAILED
    assert "It is not known whether the jobs were started again" in done.result
    assert rig.remembered() == 1
    assert rig.apply().status is OperationStatus.ALREADY_DONE
    assert sum(request.method == "POST" for request in rig.server.requests) == 1

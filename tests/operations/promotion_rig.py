"""Environments in the test process: workflows and a Git file in memory, behind the ports that a promotion needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.servers.clock import START, FakeClock

from cicd_agents.domain.ci import Run, RunRef, Status
from cicd_agents.domain.errors import ServiceError, Unavailable, UsageError
from cicd_agents.domain.operation import Operation
from cicd_agents.operations.apply import AlreadyDone, apply
from cicd_agents.operations.audit import AuditEntry
from cicd_agents.operations.policy import Mode
from cicd_agents.operations.promotion import CheckResult, Environment, PromotedRelease
from cicd_agents.operations.promotion_steps import Promotions
from cicd_agents.operations.transaction import in_order

RELEASE = PromotedRelease("org/shop", "v1.2.0", "1.2.0", START - 60)


class Killed(BaseException):
    """The process ended here."""


@dataclass
class Log:
    """An audit log in a list."""

    entries: list[AuditEntry] = field(default_factory=list)

    def write(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


@dataclass
class Calls:
    """Counts calls, and ends the process before or after the one at `kill` (from 0); `broken` holds errors by the number of the call."""

    kill: int | None = None
    after: bool = False
    broken: dict[int, ServiceError] = field(default_factory=dict)
    count: int = 0

    def begin(self) -> int:
        at, self.count = self.count, self.count + 1
        if at == self.kill and not self.after:
            raise Killed
        if at in self.broken:
            raise self.broken[at]
        return at

    def end(self, at: int) -> None:
        if at == self.kill and self.after:
            raise Killed


@dataclass
class Workflows:
    """The port Pipelines: each run goes on by one look and ends as `ends` says; `names` whether run names tell the environment, else they are `static`.

    A run is in the list `lag` seconds after it was started."""

    clock: FakeClock
    calls: Calls = field(default_factory=Calls)
    ends: Status = Status.SUCCESS
    lasts: int = 3
    lag: float = 4
    names: bool = True
    static: str = "Deploy"
    loses_answer: bool = False
    runs: list[Run] = field(default_factory=list)
    inputs: list[dict[str, str]] = field(default_factory=list)
    looked: dict[str, int] = field(default_factory=dict)

    def checks(self, sha: str) -> Status:
        raise NotImplementedError

    def start(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> str:
        at = self.calls.begin()
        self.add(f"Deploy {inputs['environment']} {ref}" if self.names else self.static, workflow)
        self.inputs.append(dict(inputs))
        self.calls.end(at)
        if self.loses_answer:
            raise Unavailable("GitHub: starting deploy.yml failed: the connection broke off.")
        return ""

    def add(self, name: str, workflow: str = "deploy.yml", status: Status = Status.RUNNING) -> Run:
        number = str(100 + len(self.runs))
        run = Run(RunRef(number), name, status, "b" * 40, "v1.2.0", "workflow_dispatch", f"https://ci.example/{number}", self.clock.now(), path=workflow)
        self.runs.append(run)
        return run

    def started(self, workflow: str, ref: str, since: float) -> tuple[Run, ...]:
        at = self.calls.begin()
        assert (ref, since) == (RELEASE.tag, RELEASE.since)
        shown = []
        for index, run in enumerate(self.runs):
            seen = self.looked[run.ref.id] = self.looked.get(run.ref.id, 0) + 1
            if run.status is Status.RUNNING and seen > self.lasts:
                self.runs[index] = replace(run, status=self.ends)
            if self.clock.now() >= (run.created or 0) + self.lag and run.path == workflow:
                shown.append(self.runs[index])
        self.calls.end(at)
        return tuple(reversed(shown))


@dataclass
class Files:
    """The port GitChange: versions by path, and the commits that changed them."""

    versions: dict[str, str]
    commits: list[tuple[str, str, str]] = field(default_factory=list)
    calls: Calls = field(default_factory=Calls)
    commit: str = "c" * 40

    def version(self, path: str) -> str:
        at = self.calls.begin()
        if path not in self.versions:
            raise UsageError(f"{path}: is not there.")
        self.calls.end(at)
        return self.versions[path]

    def set_version(self, path: str, version: str, message: str) -> str:
        at = self.calls.begin()
        if self.versions[path] == version:
            raise AlreadyDone(f"{path} says {version} already.")
        self.versions[path] = version
        self.commits.append((path, version, message))
        self.calls.end(at)
        return self.commit


def passes(_environment: Environment, _revision: str) -> CheckResult:
    return CheckResult(True, "it ended with exit code 0")


def applied(promotions: Promotions, mode: Mode = Mode.AUTO) -> tuple[Operation, ...]:
    """The promotion from plan to end."""

    def one(operation: Operation) -> Operation:
        return apply((operation,), promotions.appliers(), mode, Log(), promotions.clock)[0]

    return in_order(promotions.planned(), one)

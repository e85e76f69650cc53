"""A service in production whose new version is bad: Argo CD and GitHub as stand-ins, its deployment's repository in real git, and runs of the rollback."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from tests.clients.platforms.github_connection import connect
from tests.operations.promotion_rig import Killed, Log
from tests.servers.argocd import TOKEN, App, ArgoCDServer
from tests.servers.clock import START, FakeClock
from tests.servers.github import GitHub
from tests.servers.http_server import Reply, Request
from tests.servers.repositories import ENVIRONMENT, Repository, bare_remote, git, new_repository

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.delivery.argocd_rollback import ArgoCDRollback
from cicd_agents.clients.git import open_repository
from cicd_agents.clients.git_release import GitWriter
from cicd_agents.clients.git_revert import GitReverts
from cicd_agents.clients.platforms.github_code import GitHubCodeHost
from cicd_agents.clients.platforms.github_requests import GitHubRequests
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.operations.delivery_argocd import ArgoCDWay
from cicd_agents.operations.delivery_argocd_standing import Habits
from cicd_agents.operations.guardian_incident import IncidentSteps
from cicd_agents.operations.guardian_recovery import VERIFY, Recovery
from cicd_agents.operations.guardian_revert import RevertSteps, revert_of
from cicd_agents.operations.guardian_rollback import Intent, RollbackPlan, carry_out_rollback, plan
from cicd_agents.operations.guardian_versions import whole_commits
from cicd_agents.operations.policy import Mode

LABEL = "incident"
DEPLOYMENT = "kind: Deployment\nimage: registry/api:{}\nreplicas: 3\n"
GONE = Reply(reset=True)
Port = TypeVar("Port")


@dataclass
class Fate:
    """When a run ends: at the call `at` (from 0) of any port, before or after it had its effect; None: never."""

    at: int | None = None
    after: bool = False
    calls: int = 0


@dataclass
class Mortal(Generic[Port]):
    """A port whose calls may be the last thing that a process does."""

    port: Port
    fate: Fate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.port, name)

        def called(*given: Any, **named: Any) -> Any:
            index = self.fate.calls
            self.fate.calls += 1
            if index == self.fate.at and not self.fate.after:
                raise Killed
            result = found(*given, **named)
            result = list(result) if name == "issues" else result
            if index == self.fate.at:
                raise Killed
            return result

        return called


@dataclass
class Production:
    """All that a rollback touches. `run` is a new process each time; `told` are the messages that were sent."""

    folder: Path
    server: ArgoCDServer
    hub: GitHub
    clock: FakeClock = field(default_factory=FakeClock)
    told: list[str] = field(default_factory=list)
    not_recovered: Callable[[], str | None] = lambda: None
    habits: Habits = field(default_factory=Habits)
    last: RollbackPlan | None = None
    old: str = ""
    bad: str = ""
    _clients: list[ArgoCDRollback] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sources = new_repository(self.folder / "sources")
        self.old = self.sources.commit("feat: first", {"deploy/api.yaml": DEPLOYMENT.format("1.1.0"), "other/web.yaml": "one\n"})
        self.bad = self.sources.commit("feat: second", {"deploy/api.yaml": DEPLOYMENT.format("1.2.0")})
        self.remote = bare_remote(self.folder / "remote.git", self.sources)
        self.hub.follow(self.remote)
        self.app = self._application()

    def _application(self) -> App:
        server = self.server
        server.images = {self.old: ["registry/api:1.1.0"], self.bad: ["registry/api:1.2.0"]}
        server.refs = {"main": self.old}
        server.now = lambda: START - 3 * 3600
        app = server.add("api", "main", auto_sync=True)
        app.spec["syncPolicy"] = {"automated": {"prune": True, "selfHeal": True}}
        server.now = self.clock.now
        server.refs = {"main": self.bad}
        server.deployed(app, [self.bad], START - 600)
        server.broken = {self.bad}
        server.tick(app)
        return app

    def intent(self, **more: Any) -> Intent:
        return Intent(
            **{"judged": ("registry/api:1.2.0",), "reason": "The error rate is 5.2 %, the limit 0.2 %.", "revert": True, "recovery_seconds": 300.0, **more}
        )

    def way(self, fate: Fate | None = None) -> ArgoCDWay:
        client = ArgoCDRollback(self.server.url, TOKEN, self.clock, Budget(self.clock, 1e6), project="shop")
        self._clients.append(client)
        return ArgoCDWay("api", cast(ArgoCDRollback, Mortal(client, fate or Fate())), self.clock, self.habits)

    def run(self, intent: Intent | None = None, fate: Fate | None = None, mode: Mode = Mode.AUTO) -> tuple[Operation, ...]:
        """Plan and carry out, as one process."""
        fate = fate or Fate()
        wish = intent or self.intent()
        way = self.way(fate)
        self.last = planned = plan(way, wish)
        appliers = dict(way.appliers())
        appliers[VERIFY] = Recovery(way.look, planned.to, self.clock, wish.recovery_seconds, self.not_recovered, planned.standing).verify
        http, name = connect(self.hub), self.hub.repository.full_name
        commits = [commit for side in (planned.left, planned.to) if side for commit in whole_commits(side)]
        if len(commits) == 2:
            revert = revert_of(commits[0], commits[1], "main", wish.reason)
            writer = GitWriter(open_repository(self._clone().folder, ENVIRONMENT), "origin", "cicd-agents", "bot@example.com")
            requests = cast(GitHubRequests, Mortal(GitHubRequests(http, name), fate))
            appliers |= RevertSteps(revert, cast(GitReverts, Mortal(GitReverts(writer), fate)), requests).appliers()
        host = cast(GitHubCodeHost, Mortal(GitHubCodeHost(http, name, self.hub.api_url), fate))
        messages = Mortal(self, fate)
        incident = IncidentSteps("Rollback of api failed", body, (LABEL,), host, messages.tell)
        return carry_out_rollback(planned.operations, appliers, incident.appliers, mode, Log(), self.clock)

    def tell(self, _done: Sequence[Operation], url: str) -> None:
        self.told.append(url)

    def _clone(self) -> Repository:
        work = self.folder / f"work-{len(self._clients)}"
        git(self.folder, "clone", "--quiet", str(self.remote), str(work))
        return Repository(work)

    @property
    def requests(self) -> list[Request]:
        return [*self.server.requests, *self.hub.requests]

    def pulls(self) -> list[str]:
        return [issue.title for issue in self.hub.issues.values() if issue.pull]

    def incidents(self) -> list[str]:
        return [issue.body for issue in self.hub.issues.values() if not issue.pull]

    def show(self, path: str, ref: str) -> str:
        return git(self.remote, "show", f"{ref}:{path}")

    def branches(self) -> list[str]:
        return git(self.remote, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()

    def close(self) -> None:
        for client in self._clients:
            client.close()


def body(done: Sequence[Operation]) -> str:
    return json.dumps([[one.kind, one.status, one.result] for one in done])


def statuses(operations: Sequence[Operation]) -> dict[str, OperationStatus]:
    return {one.kind: one.status for one in operations}

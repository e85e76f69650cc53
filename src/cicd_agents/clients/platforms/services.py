"""Which clients serve a context: a new platform is a file beside this one and a line in `BUILDERS`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cicd_agents.clients.clock import Budget
from cicd_agents.domain.ci import Run, RunRef, Status
from cicd_agents.domain.context import Platform, RunContext
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.ports import CIServer, Clock, CodeHost, Repository
from cicd_agents.settings.model import Settings

if TYPE_CHECKING:
    from cicd_agents.clients.http import Http, Service, Timeouts

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Platforms:
    """The services of one platform; `host` and `repository` are None where it has none."""

    ci: CIServer
    repository: Repository | None
    host: CodeHost | None
    budget: Budget
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What the builders are given."""

    context: RunContext
    settings: Settings
    environment: Mapping[str, str]
    clock: Clock
    budget: Budget
    say: Say
    timeouts: Timeouts | None = None

    def http(self, service: Service) -> Http:
        """A client for the service, under the settings."""
        from cicd_agents.clients.http import TIMEOUTS, Http

        timeouts = self.timeouts or TIMEOUTS
        return Http(
            service, self.clock, self.budget, allow_http=self.settings.allow_http, note=lambda retry: self.say(str(retry)), timeouts=timeouts,
            jitter=random.random,
        )  # fmt: skip

    @property
    def max_log(self) -> int:
        """Most bytes of a log."""
        return self.settings.max_log_mb << 20


@contextmanager
def platforms_for(order: Order) -> Iterator[Platforms]:
    """The clients for the context, closed afterwards. Raises UsageError when there is nothing that could be asked."""
    built = BUILDERS[order.context.platform](order)
    if order.settings.log:
        built = Platforms(_logs_as_run(order), built.repository, built.host, order.budget, built.close)
    try:
        yield built
    finally:
        built.close()


def _github(order: Order) -> Platforms:
    from cicd_agents.clients.platforms.github_actions import GitHubActions
    from cicd_agents.clients.platforms.github_code import GitHubCodeHost, GitHubRepository
    from cicd_agents.clients.platforms.github_service import service

    context, token = order.context, order.settings.token
    http = order.http(service(context, token))
    workflow_token = bool(token) and token == order.environment.get("GITHUB_TOKEN", "")
    host = GitHubCodeHost(http, context.repository, context.api_url, workflow_token) if token else None
    return Platforms(GitHubActions(http, context.repository, order.max_log), GitHubRepository(http, context.repository), host, order.budget, http.close)


def _gitlab(order: Order) -> Platforms:
    from cicd_agents.clients.platforms.gitlab_ci import GitLabCI
    from cicd_agents.clients.platforms.gitlab_code import GitLabHost, GitLabRepository
    from cicd_agents.clients.platforms.gitlab_service import Credential, Project, service

    context = order.context
    credential = Credential.of(order.settings.token, order.environment.get("CI_JOB_TOKEN", ""))
    http = order.http(service(context.api_url, credential))
    # A pipeline of a fork runs in the fork's project; its merge request and the code before it are the target's (context.repository).
    web_url = f"{context.server_url}/{context.repository}" if context.server_url else ""
    target = Project(http, context.repository, credential.kind, web_url)
    ci = GitLabCI(Project(http, context.project or context.repository, credential.kind), context.default_branch, order.max_log)
    return Platforms(ci, GitLabRepository(target), GitLabHost(target), order.budget, http.close)


def _jenkins(order: Order) -> Platforms:
    from cicd_agents.clients.platforms.jenkins import Jenkins
    from cicd_agents.clients.platforms.jenkins_changes import JenkinsChanges
    from cicd_agents.clients.platforms.jenkins_service import build_of, service

    context, settings = order.context, order.settings
    http = order.http(service(context.server_url, settings.user, settings.token))
    base = context.pull_request.base_ref if context.pull_request else ""
    remote = order.environment.get("GIT_URL", "")
    ci = Jenkins(http, max_log=order.max_log, remote=remote, base_branch=base)
    job = build_of(context.target)[0] if context.target else ""
    return Platforms(ci, JenkinsChanges(http, job, remote) if job else None, None, order.budget, http.close)


def _local(order: Order) -> Platforms:
    if not order.settings.log:
        raise UsageError("This is no CI that we know; name the log files to read with --log, or use `cicd-agents doctor LOG`.")
    return Platforms(_logs_as_run(order), None, None, order.budget, lambda: None)


def _logs_as_run(order: Order) -> CIServer:
    from cicd_agents.clients.logfiles import LogFiles
    from cicd_agents.clients.platforms.local import LogsAsRun

    context = order.context
    ref = context.target or RunRef("local")
    seen = Run(ref, context.workflow, Status.FAILURE, context.sha, context.branch, context.event, context.run_url)
    return LogsAsRun(LogFiles(), order.settings.log, seen)


BUILDERS: Mapping[Platform, Callable[[Order], Platforms]] = {
    Platform.GITHUB: _github, Platform.GITLAB: _gitlab, Platform.JENKINS: _jenkins, Platform.LOCAL: _local,
}  # fmt: skip

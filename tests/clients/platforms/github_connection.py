"""Our HTTP client, connected to the stand-in for GitHub."""

from __future__ import annotations

from tests.servers.clock import FakeClock
from tests.servers.github import WORKFLOW_TOKEN, GitHub

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import Http
from cicd_agents.clients.platforms.github_service import service
from cicd_agents.domain.context import Platform, PullRequest, RunContext

FORKS_PULL = PullRequest(7, "a" * 40, "feature", "main", "b" * 40, from_fork=True)


def connect(hub: GitHub, token: str = WORKFLOW_TOKEN, *, event: str = "push", pull_request: PullRequest | None = None) -> Http:
    """A client as the command line makes it, with a clock that never waits; the stand-in closes it."""
    context = RunContext(Platform.GITHUB, event, api_url=hub.api_url, pull_request=pull_request)
    clock = FakeClock()
    http = Http(service(context, token), clock, Budget(clock, 300))
    hub.clients.append(http)
    return http

"""The forge's clients for a release, built as the context says."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from cicd_agents.clients.git_command import Access
from cicd_agents.clients.git_remotes import Forge, Remote
from cicd_agents.clients.platforms.services import Order
from cicd_agents.domain.context import Platform, RunContext
from cicd_agents.domain.forge import People, Pipelines, Releases, Requests, Reviews, Threads
from cicd_agents.domain.ports import CodeHost
from cicd_agents.settings.model import Settings

Closer = Callable[[], None]


@dataclass(frozen=True, slots=True)
class ReleaseServices:
    """All ports of one forge."""

    releases: Releases
    threads: Threads
    requests: Requests
    pipelines: Pipelines
    people: People
    reviews: Reviews
    host: CodeHost


@contextmanager
def release_services(order: Order) -> Iterator[ReleaseServices | None]:
    """The clients, closed afterwards; None without a forge, or without a token for it."""
    build = {Platform.GITHUB: _github, Platform.GITLAB: _gitlab}.get(order.context.platform)
    if build is None or not order.settings.token:
        yield None
        return
    services, close = build(order)
    try:
        yield services
    finally:
        close()


def forge_token(context: RunContext, settings: Settings, environment: Mapping[str, str]) -> str:
    """The forge's token: that of the settings, or the forge's own variable where the settings were read for another platform (Jenkins, none)."""
    variable = {Platform.GITHUB: "GITHUB_TOKEN", Platform.GITLAB: "CICD_AGENTS_GITLAB_TOKEN"}.get(context.platform, "")
    if settings.token and dict(settings.sources).get("token") != "variable JENKINS_API_TOKEN":
        return settings.token
    return environment.get(variable, "")


def context_of(remote: Remote | None, context: RunContext) -> RunContext:
    """Outside of GitHub's and GitLab's own CI the remote's address says which forge it is; anything else keeps its context."""
    if context.platform not in (Platform.LOCAL, Platform.JENKINS) or remote is None or remote.forge is Forge.UNKNOWN:
        return context
    server = remote.url[: -len(remote.path) - 1]
    if remote.forge is Forge.GITHUB:
        api = "https://api.github.com" if remote.host == "github.com" else f"{server}/api/v3"
        return _with(context, Platform.GITHUB, remote, server, api)
    return _with(context, Platform.GITLAB, remote, server, f"{server}/api/v4")


def git_access(context: RunContext, remote: Remote | None, token: str) -> Access | None:
    """How git logs in at the remote: with the forge's token, where the remote lies on that very server and is spoken to by https; else as git is set up."""
    server = urlsplit(context.server_url)
    if not token or remote is None or server.scheme != "https" or server.hostname != remote.host or not remote.url.startswith("https://"):
        return None
    user = "x-access-token" if context.platform is Platform.GITHUB else "oauth2"
    return Access(f"{context.server_url.rstrip('/')}/", f"Basic {base64.b64encode(f'{user}:{token}'.encode()).decode()}")


def _with(context: RunContext, platform: Platform, remote: Remote, server: str, api: str) -> RunContext:
    return replace(context, platform=platform, repository=remote.path, server_url=server, api_url=api)


def _github(order: Order) -> tuple[ReleaseServices, Closer]:
    from cicd_agents.clients.platforms.github_code import GitHubCodeHost
    from cicd_agents.clients.platforms.github_people import GitHubPeople
    from cicd_agents.clients.platforms.github_pipelines import GitHubPipelines, GitHubReviews
    from cicd_agents.clients.platforms.github_release import GitHubReleases
    from cicd_agents.clients.platforms.github_requests import GitHubRequests
    from cicd_agents.clients.platforms.github_service import service
    from cicd_agents.clients.platforms.github_threads import GitHubThreads

    context, token = order.context, order.settings.token
    http, name = order.http(service(context, token)), context.repository
    host = GitHubCodeHost(http, name, context.api_url, token == order.environment.get("GITHUB_TOKEN", ""))
    services = ReleaseServices(
        GitHubReleases(http, name, context.api_url), GitHubThreads(http, name), GitHubRequests(http, name), GitHubPipelines(http, name),
        GitHubPeople(http, name), GitHubReviews(http, name), host,
    )  # fmt: skip
    return services, http.close


def _gitlab(order: Order) -> tuple[ReleaseServices, Closer]:
    from cicd_agents.clients.platforms.gitlab_code import GitLabHost
    from cicd_agents.clients.platforms.gitlab_people import GitLabPeople
    from cicd_agents.clients.platforms.gitlab_pipelines import GitLabPipelines, GitLabReviews
    from cicd_agents.clients.platforms.gitlab_release import GitLabReleases
    from cicd_agents.clients.platforms.gitlab_requests import GitLabRequests
    from cicd_agents.clients.platforms.gitlab_service import Credential, Project, service
    from cicd_agents.clients.platforms.gitlab_threads import GitLabThreads

    context = order.context
    credential = Credential.of(order.settings.token, order.environment.get("CI_JOB_TOKEN", ""))
    http = order.http(service(context.api_url, credential))
    project = Project(http, context.repository, credential.kind, f"{context.server_url}/{context.repository}" if context.server_url else "")
    services = ReleaseServices(
        GitLabReleases(project), GitLabThreads(project), GitLabRequests(project), GitLabPipelines(project), GitLabPeople(project), GitLabReviews(project),
        GitLabHost(project),
    )  # fmt: skip
    return services, http.close

"""Our GitLab clients, wired to the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.clock import FakeClock
from tests.servers.gitlab import GitLab

from cicd_agents.clients.http import Budget, Http
from cicd_agents.clients.platforms.gitlab_ci import GitLabCI
from cicd_agents.clients.platforms.gitlab_code import GitLabHost, GitLabRepository
from cicd_agents.clients.platforms.gitlab_service import Credential, Project, service


class Rig(GitLab):
    """The stand-in with the clients that call it; they are closed with it."""

    def __init__(self, *, relative: str = "", public: bool = False) -> None:
        super().__init__(relative=relative, public=public)
        self.callers: list[Http] = []

    def close(self) -> None:
        for caller in self.callers:
            caller.close()
        super().close()


@contextmanager
def gitlab(*, relative: str = "", public: bool = False) -> Iterator[Rig]:
    """A running stand-in, which must have nothing to complain of in the end."""
    server = Rig(relative=relative, public=public)
    with server:
        yield server
    assert server.problems == []


def project(server: Rig, *, access: str | None = None, job: str = "", name: str = "7") -> Project:
    """The project as seen with a token; unless one is given, with that of a developer."""
    if access is None and not job:
        access = server.access_token()
    credential = Credential.of(access or "", job)
    clock = FakeClock()
    server.callers.append(Http(service(server.api_url, credential), clock, Budget(clock, 300)))
    return Project(server.callers[-1], name, credential.kind, server.web_url)


def ci(server: Rig, *, access: str | None = None, job: str = "", default_branch: str = "", max_log: int = 1 << 28) -> GitLabCI:
    return GitLabCI(project(server, access=access, job=job), default_branch, max_log)


def repository(server: Rig, *, access: str | None = None, job: str = "", name: str = "7") -> GitLabRepository:
    return GitLabRepository(project(server, access=access, job=job, name=name))


def host(server: Rig, *, access: str | None = None, job: str = "") -> GitLabHost:
    return GitLabHost(project(server, access=access, job=job))

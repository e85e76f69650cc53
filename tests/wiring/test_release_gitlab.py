"""The release-manager as a job of GitLab CI: a real repository and remote, GitLab's API as it is described."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.servers.clock import FakeClock
from tests.servers.gitlab import GitLab
from tests.servers.http_server import Reply
from tests.servers.repositories import ENVIRONMENT, Repository, bare_remote, clone, git, new_repository
from tests.wiring.release_rig import NOW, PACKAGE
from tests.wiring.rig import Ran

from cicd_agents.analysis.logs.bundled import bundled
from cicd_agents.domain.redaction import Redactor
from cicd_agents.wiring.ci import run_in_ci
from cicd_agents.wiring.world import World

TOKEN = "glpat-release-0123456789"


@dataclass
class Job:
    """A project with a feature since v1.2.0, and jobs of it."""

    folder: Path
    server: GitLab
    sources: Repository
    remote: Path
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    count: int = 0

    def checkout(self) -> Repository:
        self.count += 1
        (self.folder / f"job-{self.count}").mkdir()
        made = clone(self.remote, self.folder / f"job-{self.count}" / "work")
        made.checkout("--detach")  # as GitLab's runner leaves it
        return made

    def run(self, work: Repository | None = None, environment: Mapping[str, str] | None = None, tag: str = "") -> Ran:
        work = work or self.checkout()
        if tag:
            work.checkout(tag)
        out: list[str] = []
        said: list[str] = []
        variables = {
            **ENVIRONMENT, "GITLAB_CI": "true", "CI_API_V4_URL": self.server.api_url, "CI_SERVER_URL": self.server.url, "CI_PROJECT_ID": "7",
            "CI_PROJECT_PATH": "group/app", "CI_PROJECT_URL": self.server.web_url, "CI_PIPELINE_ID": "1001", "CI_PIPELINE_SOURCE": "push",
            "CI_COMMIT_SHA": work.git("rev-parse", "HEAD"), "CI_DEFAULT_BRANCH": "main", "CI_PROJECT_DIR": str(work.folder), "GITLAB_USER_LOGIN": "ada",
            **({"CI_COMMIT_TAG": tag} if tag else {"CI_COMMIT_BRANCH": "main"}),
            "CICD_AGENTS_AGENT": "release-manager", "CICD_AGENTS_GITLAB_TOKEN": TOKEN, **(environment or {}),
        }  # fmt: skip
        code = run_in_ci({}, None, World(variables, out.append, said.append, Redactor((TOKEN,)), lambda _: bundled(), self.clock))
        return Ran(code, "".join(out), said, work.folder.parent)

    def commit_of(self, tag: str) -> str | None:
        return git(self.remote, "for-each-ref", "--format=%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)", f"refs/tags/{tag}") or None

    def outputs(self, work: Repository) -> dict[str, str]:
        lines = (work.folder / "cicd-agents-report" / "cicd-agents.env").read_text().splitlines()
        return {name.removeprefix("CICD_AGENTS_RESULT_"): value for name, _, value in (line.partition("=") for line in lines)}


def made(folder: Path, server: GitLab) -> Job:
    folder.mkdir(exist_ok=True)
    server.access_token("maintainer", TOKEN)
    sources = new_repository(folder / "sources")
    sources.commit("feat: begin", {"package.json": PACKAGE})
    sources.tag("v1.2.0", "Release v1.2.0")
    remote = bare_remote(folder / "remote.git", sources)
    sources.commit("feat(cart): sum up\n\nCloses #3", {"cart.js": "sum\n"})
    sources.git("push", "--quiet", "origin", "main")
    job = Job(folder, server, sources, remote)
    server.forge.commit_of = job.commit_of
    return job


@pytest.fixture
def server() -> Iterator[GitLab]:
    running = GitLab()
    with running:
        yield running
    assert running.problems == []


@pytest.fixture
def job(tmp_path: Path, server: GitLab) -> Job:
    return made(tmp_path, server)


def test_a_push_to_main_becomes_commit_tag_release_and_outputs(job: Job, server: GitLab) -> None:
    work = job.checkout()
    work.write("dist/app.tgz", b"\x00\x01")
    ran = job.run(work, {"CICD_AGENTS_RELEASE_ASSETS": "dist/*"})
    assert ran.code == 0, ran.out
    assert '"version": "1.3.0"' in git(job.remote, "show", "main:package.json")
    assert job.commit_of("v1.3.0") == git(job.remote, "rev-parse", "main")
    assert "sum up" in server.forge.releases["v1.3.0"]["description"]
    assert server.forge.asset("v1.3.0", "app.tgz") == b"\x00\x01"
    assert "app.tgz" in server.forge.asset("v1.3.0", "SHA256SUMS").decode()
    assert server.forge.tags_made == []
    outputs = job.outputs(work)
    assert (outputs["VERSION"], outputs["BUMP"], outputs["RELEASED"]) == ("1.3.0", "minor", "true")


def test_a_second_run_is_green_and_changes_nothing(job: Job, server: GitLab) -> None:
    assert job.run().code == 0
    before = (job.commit_of("v1.3.0"), dict(server.forge.releases["v1.3.0"]))
    ran = job.run()
    assert ran.code == 0, ran.out
    assert (job.commit_of("v1.3.0"), server.forge.releases["v1.3.0"]) == before


def test_a_pushed_tag_gets_its_release(job: Job, server: GitLab) -> None:
    job.sources.tag("v1.3.0", "Release v1.3.0")
    job.sources.git("push", "--quiet", "origin", "v1.3.0")
    ran = job.run(environment={"CICD_AGENTS_AGENT": "auto"}, tag="v1.3.0")
    assert ran.code == 0, ran.out
    assert "sum up" in server.forge.releases["v1.3.0"]["description"]


@pytest.mark.parametrize("effect", ["before it has an effect", "after it had its effect"])
def test_gitlab_gone_from_any_call_on_and_a_second_run_finishes(tmp_path: Path, effect: str) -> None:
    running = GitLab()
    with running:
        whole = made(tmp_path / "whole", running)
        work = whole.checkout()
        work.write("dist/app.tgz", b"\x00\x01")
        assert whole.run(work, {"CICD_AGENTS_RELEASE_ASSETS": "dist/*"}).code == 0
        calls = len(running.requests)
    for index in range(calls):
        running = GitLab()
        with running:
            job = made(tmp_path / str(index), running)
            work = job.checkout()
            work.write("dist/app.tgz", b"\x00\x01")
            answer = running.handler
            if effect.startswith("after"):
                running.handler = lambda request, running=running, answer=answer, index=index: _lost(running, answer(request), index)  # type: ignore[misc]
            running.faults.update(dict.fromkeys(range(index + effect.startswith("after"), calls + 100), Reply(reset=True)))
            job.run(work, {"CICD_AGENTS_RELEASE_ASSETS": "dist/*"})
            running.faults.clear()
            running.handler = answer
            again = job.run(work, {"CICD_AGENTS_RELEASE_ASSETS": "dist/*"})
            assert again.code == 0, (index, again.out)
            assert list(running.forge.releases) == ["v1.3.0"], index
            assert job.commit_of("v1.3.0") == git(job.remote, "rev-parse", "main"), index
            assert running.forge.asset("v1.3.0", "app.tgz") == b"\x00\x01", index
            assert running.forge.tags_made == [], index


def _lost(running: GitLab, reply: Reply, index: int) -> Reply:
    """The answer of one call is lost after it had its effect."""
    return Reply(reset=True) if len(running.requests) - 1 == index else reply


def test_by_a_merge_request(job: Job, server: GitLab) -> None:
    flow = {"CICD_AGENTS_RELEASE_FLOW": "request"}
    ran = job.run(environment=flow)
    assert ran.code == 0, ran.out
    [number] = server.merge_requests
    data = server.merge_requests[number].data
    assert data["title"] == "chore(release): v1.3.0"
    head = git(job.remote, "rev-parse", "cicd-agents/release")
    merged = git(job.remote, "commit-tree", f"{head}^{{tree}}", "-p", git(job.remote, "rev-parse", "main"), "-p", head, "-m", "Merge", variables={
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"})  # fmt: skip
    git(job.remote, "update-ref", "refs/heads/main", merged)
    server.forge.merge(number, merged)
    ran = job.run(environment=flow)
    assert ran.code == 0, ran.out
    assert job.commit_of("v1.3.0") == merged
    assert "v1.3.0" in server.forge.releases

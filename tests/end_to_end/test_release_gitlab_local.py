"""The component release-manager as teams have it: gitlab-ci-local runs a pipeline that includes it, in the image with git, with a remote and a GitLab."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.end_to_end.git_server import GitServer, git_server
from tests.end_to_end.gitlab_local import GitLabLocal, Pipeline
from tests.servers.gitlab import GitLab
from tests.servers.repositories import Repository, bare_remote, clone, git, new_repository

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "glpat-release-0123456789"
PIPELINE = """
include:
  - local: /templates/release-manager.yml
    inputs: {INPUTS}
stages: [deploy, publish]
publish:
  stage: publish
  image: IMAGE
  needs: [{job: release-manager, optional: true}]
  script:
    - if [ "$CICD_AGENTS_RESULT_RELEASED" = true ]; then echo "later job - $CICD_AGENTS_RESULT_VERSION"; fi
"""


@dataclass(slots=True)
class World:
    """GitLab with a project that has something to release, and the tool that runs its pipelines."""

    gitlab: GitLab
    tool: GitLabLocal
    git: GitServer
    sources: Repository
    remote: Path
    count: int = 0

    def run(self, inputs: str = "stage: deploy", **variables: str) -> Pipeline:
        """The pipeline of a push to main, in a new clone; as one for a tag where CI_COMMIT_TAG is given."""
        self.count += 1
        work = clone(self.remote, self.git.folder / f"clone-{self.count}")
        work.git("remote", "set-url", "origin", self.git.url(self.remote))
        tag = variables.get("CI_COMMIT_TAG", "")
        work.checkout(tag or variables.get("CI_COMMIT_SHA", "HEAD"))
        work.checkout("--detach")  # as GitLab's runner leaves it
        shutil.copytree(ROOT / "gitlab-component" / "templates", work.folder / "templates")
        work.write(".gitlab-ci.yml", PIPELINE.replace("INPUTS", inputs).replace("IMAGE", self.tool.helper))
        known = {
            "GITLAB_CI": "true", "CI_API_V4_URL": self.gitlab.api_url, "CI_SERVER_URL": self.gitlab.url, "CI_PROJECT_URL": self.gitlab.web_url,
            "CI_PROJECT_ID": "7", "CI_PROJECT_PATH": "group/app", "CI_PIPELINE_ID": "1001", "CI_PIPELINE_SOURCE": "push",
            "CI_COMMIT_SHA": work.git("rev-parse", "HEAD"), "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BRANCH": "" if tag else "main",
            "CICD_AGENTS_GITLAB_TOKEN": TOKEN,
        }  # fmt: skip
        return self.tool.run(work.folder, {**known, **variables})

    def commit_of(self, tag: str) -> str | None:
        """The commit of a tag of the remote."""
        return git(self.remote, "for-each-ref", "--format=%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)", f"refs/tags/{tag}") or None

    def tag(self, name: str) -> None:
        """A person pushes a tag."""
        self.sources.tag(name, f"Release {name}")
        self.sources.git("push", "--quiet", "origin", name)

    def state(self) -> tuple[str, str]:
        """What a pipeline can change: refs of the remote, releases."""
        return git(self.remote, "for-each-ref", "--format=%(objectname) %(refname)"), repr(self.gitlab.forge.releases)


@pytest.fixture
def world(gitlab_ci_local: GitLabLocal, release_image: str, tmp_path: Path) -> Iterator[World]:
    sources = new_repository(tmp_path / "sources")
    sources.commit("feat: begin", {"package.json": '{\n  "name": "app",\n  "version": "1.2.0"\n}\n'})
    sources.tag("v1.2.0", "Release v1.2.0")
    remote = bare_remote(tmp_path / "remote.git", sources)
    sources.commit("feat(cart): sum up", {"cart.js": "sum\n"})
    sources.git("push", "--quiet", "origin", "main")
    gitlab = GitLab()
    with gitlab, git_server(tmp_path) as served:
        made = World(gitlab, gitlab_ci_local, served, sources, remote)
        gitlab.access_token("maintainer", TOKEN)
        gitlab.forge.commit_of = made.commit_of
        yield made
        assert gitlab.problems == []


def test_a_push_to_main_becomes_a_release_and_the_second_pipeline_changes_nothing(world: World) -> None:
    sha = world.sources.git("rev-parse", "HEAD")
    first = world.run()
    assert first.code == 0, str(first)
    assert '"version": "1.3.0"' in git(world.remote, "show", "main:package.json")
    assert world.commit_of("v1.3.0") == git(world.remote, "rev-parse", "main")
    assert "sum up" in world.gitlab.forge.releases["v1.3.0"]["description"]
    assert world.gitlab.forge.tags_made == []
    assert "later job - 1.3.0" in first.printed

    before = world.state()
    again = world.run(CI_COMMIT_SHA=sha)
    assert again.code == 0, str(again)
    assert world.state() == before


def test_a_pushed_tag_gets_its_release(world: World) -> None:
    world.tag("v1.3.0")
    before = git(world.remote, "rev-parse", "main")
    done = world.run(CI_COMMIT_TAG="v1.3.0")
    assert done.code == 0, str(done)
    assert "sum up" in world.gitlab.forge.releases["v1.3.0"]["description"]
    assert git(world.remote, "rev-parse", "main") == before


def test_a_pushed_tag_that_is_too_low_fails_the_job_and_no_later_job_runs(world: World) -> None:
    world.tag("v1.2.1")
    done = world.run(CI_COMMIT_TAG="v1.2.1")
    assert re.search(r"release-manager finished in .* FAIL 1", done.printed), str(done)
    assert world.gitlab.forge.releases == {}


@pytest.mark.parametrize(
    ("inputs", "variables"),
    [
        ("release-on: both", {"CI_PIPELINE_SOURCE": "merge_request_event"}),
        ("release-on: both", {"CI_COMMIT_BRANCH": "topic"}),
        ("release-on: tag", {}),
        ("release-on: branch", {"CI_COMMIT_TAG": "v1.2.0"}),
        ("release-on: both", {"CI_PIPELINE_SOURCE": "schedule"}),
    ],
    ids=["merge request", "another branch", "branch where tags release", "tag where branches release", "schedule"],
)
def test_pipelines_that_are_not_meant_release_nothing(world: World, inputs: str, variables: dict[str, str]) -> None:
    before = world.state()
    done = world.run(inputs, **variables)
    assert done.code == 0, str(done)
    assert "release-manager" not in done.printed
    assert world.state() == before


def test_a_schedule_releases_where_that_is_asked_for(world: World) -> None:
    done = world.run("schedules: true", CI_PIPELINE_SOURCE="schedule")
    assert done.code == 0, str(done)
    assert list(world.gitlab.forge.releases) == ["v1.3.0"]


def test_without_its_token_the_job_fails_and_names_the_variable(world: World) -> None:
    before = world.state()
    done = world.run(CICD_AGENTS_GITLAB_TOKEN="", CI_JOB_TOKEN=world.gitlab.job_token())
    assert re.search(r"release-manager finished in .* FAIL 2", done.printed), str(done)
    assert "CICD_AGENTS_GITLAB_TOKEN" in done.printed
    assert world.state() == before

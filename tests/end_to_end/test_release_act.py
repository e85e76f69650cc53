"""The release action as users have it: act runs a workflow, the image with git runs in it, a remote is pushed to and GitHub's API is asked and written to."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.end_to_end.act import Act, Run
from tests.end_to_end.git_server import GitServer, git_server
from tests.servers.github import WORKFLOW_TOKEN, GitHub
from tests.servers.repositories import Repository
from tests.wiring.release_rig import Project, project

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("composite", "release", "action.yml", "requirements", "src", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE")
# act makes the workspace as root; GitHub's runner makes it as the user that the image runs as.
PREPARE = "      - uses: actions/checkout@v7\n        with: {fetch-depth: 0, persist-credentials: false}\n      - run: chown -R 1001:1001 .\n"
RELEASE = f"""
name: release
on: push
permissions: {{}}
jobs:
  release:
    runs-on: ubuntu-latest
    permissions: {{contents: write}}
    outputs:
      released: ${{{{ steps.release.outputs.released }}}}
      version: ${{{{ steps.release.outputs.version }}}}
    steps:
{PREPARE}      - uses: ACTION
        id: release
        with: {{WITH}}
  publish:
    needs: release
    if: needs.release.outputs.released == 'true'
    runs-on: ubuntu-latest
    steps:
      - env: {{VERSION: "${{{{ needs.release.outputs.version }}}}"}}
        run: printf 'later job - %s\\n' "$VERSION"
"""


@dataclass(slots=True)
class World:
    """GitHub with a project that has something to release, and act."""

    act: Act
    app: Project
    git: GitServer
    actions: Path

    def run(
        self, inputs: str = "", *, action: str = "org/cicd-agents/release@v1", ref: str = "refs/heads/main", at: str = "", in_container: bool = True
    ) -> Run:
        """One run of the workflow for a push of the ref, in a new clone."""
        work = self.app.checkout()
        work.git("remote", "set-url", "origin", self.git.url(self.app.remote))
        if at or ref.startswith("refs/tags/"):
            work.checkout(at or ref)
        self._write(work, RELEASE.replace("ACTION", action).replace("WITH", inputs), in_container=in_container)
        hub = self.app.hub
        variables = {
            "GITHUB_API_URL": hub.api_url, "GITHUB_SERVER_URL": hub.server.url, "GITHUB_TOKEN": WORKFLOW_TOKEN, "GITHUB_REPOSITORY": hub.repository.full_name,
            "GITHUB_RUN_ID": "4242", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_REF": ref, "GITHUB_SHA": work.git("rev-parse", "HEAD"),
        }  # fmt: skip
        set_up = tuple(re.findall(r"actions/setup-python@[0-9a-f]{40}", (ROOT / "composite/action.yml").read_text(encoding="utf-8")))
        return self.act.run(
            work.folder, "release.yml", "push", self._pushed(ref), variables, in_container=in_container, never_run=set_up,
            actions={"org/cicd-agents@v1": self.actions},
        )  # fmt: skip

    def state(self) -> tuple[Any, ...]:
        """What a run can change: tags, branches, releases."""
        hub = self.app.hub
        return self.app.tags(), dict(hub.branches.items()), [(release.tag, release.body, release.draft) for release in hub.releases]

    def _pushed(self, ref: str) -> dict[str, Any]:
        repository = self.app.hub.repository
        return {"ref": ref, "repository": {"id": repository.id, "full_name": repository.full_name, "default_branch": "main"}}

    def _write(self, work: Repository, workflow: str, *, in_container: bool) -> None:
        """Put the workflow beside the sources. It is no part of the commit, so that each test can have another one."""
        text = workflow if in_container else workflow.replace("      - run: chown -R 1001:1001 .\n", "")
        work.write(".github/workflows/release.yml", text)
        work.write(".git/info/exclude", ".github/\n")


@pytest.fixture
def world(act: Act, release_image: str, tmp_path: Path) -> Iterator[World]:
    actions = tmp_path / "actions"
    actions.mkdir()
    for name in SOURCES:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, actions / name)
    with GitHub() as hub, git_server(tmp_path) as git:
        yield World(act, project(tmp_path, hub), git, actions)
        assert hub.problems == []


def test_a_push_to_main_becomes_a_release_and_the_second_run_changes_nothing(world: World) -> None:
    sha = world.app.sources.git("rev-parse", "HEAD")
    first = world.run()
    assert first.code == 0, str(first)
    assert '"version": "1.3.0"' in world.app.show("package.json")
    assert "**cart:** sum up" in world.app.show("CHANGELOG.md")
    assert world.app.tags()["v1.3.0"] == world.app.hub.branches["main"]
    release = world.app.hub.release_of("v1.3.0")
    assert (release.draft, release.target) == (False, world.app.tags()["v1.3.0"])
    assert "sum up" in release.body

    before = world.state()
    again = world.run(at=sha)
    assert again.code == 0, str(again)
    assert again.outputs("release")["released"] == "true"
    assert world.state() == before


def test_outputs_reach_later_jobs_and_the_summary_tells_what_was_done(world: World) -> None:
    done = world.run()
    outputs = done.outputs("release")
    assert set(outputs) == set(yaml.safe_load((ROOT / "release/action.yml").read_text(encoding="utf-8"))["outputs"])
    assert (outputs["version"], outputs["bump"], outputs["tag"], outputs["exit-code"]) == ("1.3.0", "minor", "v1.3.0", "0")
    assert "later job - 1.3.0\n" in done.printed("publish"), str(done)
    assert "1.3.0" in done.summary("release")


def test_where_nothing_is_to_be_released_the_step_is_green_and_later_jobs_are_left_out(world: World) -> None:
    world.run()
    world.app.sources.git("pull", "--quiet", "origin", "main")
    world.app.commit("docs: more words")
    before = world.state()
    done = world.run()
    assert done.result("release") == "success", str(done)
    assert done.outputs("release")["outcome"] == "skipped"
    assert done.result("publish") == ""
    assert world.state() == before


def test_a_pushed_tag_gets_its_release_with_files(world: World) -> None:
    app = world.app
    app.commit("chore: a file to release", {"dist/app.tgz": b"\x00\x01"})
    app.sources.tag("v1.3.0", "Release v1.3.0")
    app.sources.git("push", "--quiet", "origin", "v1.3.0")
    main = app.hub.branches["main"]
    done = world.run("release-assets: dist/*", ref="refs/tags/v1.3.0")
    assert done.code == 0, str(done)
    release = app.hub.release_of("v1.3.0")
    assert {asset.name for asset in release.assets} == {"app.tgz", "SHA256SUMS"}
    assert "sum up" in release.body
    assert app.hub.branches["main"] == main


def test_a_token_that_may_not_write_stops_with_what_it_needs(world: World) -> None:
    world.app.hub.permissions -= {"contents: write"}
    done = world.run()
    assert done.step("release", "org/cicd-agents/release@v1") == "failure"
    assert "contents: write" in done.printed("release"), str(done)
    assert world.app.hub.releases == []


def test_the_image_of_the_doctor_does_nothing_on_a_tag_and_names_the_action_that_does(world: World) -> None:
    app = world.app
    app.sources.tag("v1.3.0", "Release v1.3.0")
    app.sources.git("push", "--quiet", "origin", "v1.3.0")
    before = world.state()
    done = world.run(action="org/cicd-agents@v1", ref="refs/tags/v1.3.0")
    assert done.result("release") == "success", str(done)
    assert done.outputs("release")["outcome"] == "skipped"
    assert "org/cicd-agents/release" in done.outputs("release")["title"]
    assert world.state() == before


def test_without_docker_the_runner_s_own_git_makes_the_release(world: World) -> None:
    done = world.run('agent: release-manager, python-version: ""', action="org/cicd-agents/composite@v1", in_container=False)
    assert done.code == 0, str(done)
    assert world.app.tags()["v1.3.0"] == world.app.hub.branches["main"]
    assert "sum up" in world.app.hub.release_of("v1.3.0").body
    assert "later job - 1.3.0" in done.printed("publish")

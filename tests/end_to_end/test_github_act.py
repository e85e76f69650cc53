"""The action as users have it: act runs a workflow, the image of this tree runs in it, and a stand-in for GitHub's API is asked and written to."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.end_to_end.act import Act, Run
from tests.servers.github import FORK, WORKFLOW_TOKEN, GitHub
from tests.servers.github_state import FakePull, FakeRun, Repo

ROOT = Path(__file__).resolve().parents[2]
LOG = (
    "2025-06-15T10:00:00.0000000Z ##[group]Run npm ci\n2025-06-15T10:00:01.0000000Z npm ci\n2025-06-15T10:00:01.0000000Z ##[endgroup]\n"
    "2025-06-15T10:00:09.0000000Z npm error code ENOSPC\n2025-06-15T10:00:09.0000000Z npm error nospc ENOSPC: no space left on device, write\n"
    "2025-06-15T10:00:10.0000000Z ##[error]Process completed with exit code 228.\n"
)
OTHER_LOG = (
    "2025-06-15T11:00:00.0000000Z ##[group]Run pytest\n2025-06-15T11:00:00.0000000Z ##[endgroup]\n"
    "2025-06-15T11:00:05.0000000Z E       AssertionError: assert 41 == 42\n2025-06-15T11:00:05.0000000Z tests/test_price.py:7: AssertionError\n"
    "2025-06-15T11:00:05.0000000Z FAILED tests/test_price.py::test_total - AssertionError: assert 41 == 42\n"
    "2025-06-15T11:00:06.0000000Z ##[error]Process completed with exit code 1.\n"
)
# act makes the workspace as root; GitHub's runner makes it as the user that the image runs as.
PREPARE = "      - uses: actions/checkout@v7\n      - run: chmod 777 .\n"
AFTER_A_RUN = f"""
name: doctor
on: {{workflow_run: {{workflows: [CI], types: [completed]}}}}
permissions: {{}}
jobs:
  doctor:
    runs-on: ubuntu-latest
    permissions: {{actions: read, checks: read, contents: read, pull-requests: write}}
    steps:
{PREPARE}      - uses: ./
        id: doctor
        with: {{WITH}}
      - if: always()
        env:
          OUTCOME: "${{{{ steps.doctor.outputs.outcome }}}}"
          CAUSE: "${{{{ steps.doctor.outputs.root-cause }}}}"
          REPORT: "${{{{ steps.doctor.outputs.report-path }}}}"
        run: |
          printf 'later step: %s, %s\\n' "$OUTCOME" "$CAUSE"
          head -n 1 "$REPORT"
          if [ -s memory.sqlite ]; then echo memory kept; fi
"""
SAME_WORKFLOW = f"""
name: CI
on: pull_request
permissions: {{}}
jobs:
  test:
    runs-on: ubuntu-latest
    steps: [{{run: exit 228}}]
  doctor:
    needs: test
    if: failure()
    runs-on: ubuntu-latest
    steps:
{PREPARE}      - uses: ./
"""


def named(repository: Repo) -> dict[str, Any]:
    """A repository in a payload."""
    return {"id": repository.id, "full_name": repository.full_name, "default_branch": "main"}


@dataclass(slots=True)
class World:
    """GitHub with one pull request, and the repository that act runs in."""

    github: GitHub
    act: Act
    repository: Path
    pull: FakePull
    sha: str
    head: Repo

    def failed_run(self, log: str = LOG, conclusion: str = "failure") -> FakeRun:
        """A run of the workflow CI for the pull request."""
        run = self.github.add_run("CI", conclusion, branch="feature", event="pull_request", sha=self.sha, head=self.head)
        self.github.add_job(run, "test", conclusion, log=log.encode(), steps=[("Run npm ci", conclusion)])
        return run

    def after(self, run: FakeRun, inputs: str = "") -> Run:
        """What the workflow of the first recipe in docs/github.md does when that run has ended."""
        self.write("doctor.yml", AFTER_A_RUN.replace("WITH", inputs))
        return self.run("doctor.yml", "workflow_run", self.ended(run), 99_999)

    def write(self, name: str, workflow: str) -> None:
        folder = self.repository / ".github" / "workflows"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(workflow, encoding="utf-8")

    def run(
        self, name: str, event_name: str, event: dict[str, Any], run_id: int, *, in_container: bool = True, never_run: tuple[str, ...] = ()
    ) -> Run:  # fmt: skip
        """Run a workflow as the run of this number."""
        variables = {"GITHUB_API_URL": self.github.api_url, "GITHUB_SERVER_URL": self.github.server.url, "GITHUB_TOKEN": WORKFLOW_TOKEN}
        variables |= {"GITHUB_RUN_ID": str(run_id), "GITHUB_RUN_ATTEMPT": "1"}
        return self.act.run(self.repository, name, event_name, event, variables, in_container=in_container, never_run=never_run)

    def ended(self, run: FakeRun) -> dict[str, Any]:
        """The payload of `workflow_run`, as far as it is read."""
        attempt = run.attempts[-1]
        return {
            "action": "completed", "repository": self.named(), "workflow": {"name": run.name},
            "workflow_run": {
                "id": run.id, "run_attempt": len(run.attempts), "name": run.name, "path": run.path, "status": attempt.status, "conclusion": attempt.conclusion,
                "head_sha": run.sha, "head_branch": run.branch, "event": run.event, "head_repository": named(self.head), "repository": self.named(),
                "pull_requests": [] if self.head is FORK else [self.head_and_base()],
            },
        }  # fmt: skip

    def opened(self) -> dict[str, Any]:
        """The payload of `pull_request`."""
        return {"action": "synchronize", "number": self.pull.number, "repository": self.named(), "pull_request": self.head_and_base()}

    def head_and_base(self) -> dict[str, Any]:
        head = {"ref": "feature", "sha": self.sha, "repo": named(self.head)}
        return {"number": self.pull.number, "head": head, "base": {"ref": "main", "sha": self.pull.base_sha, "repo": self.named()}}

    def named(self) -> dict[str, Any]:
        return named(self.github.repository)

    def bodies(self) -> list[str]:
        return [comment.body for comment in self.github.comments_on(self.pull.number)]


@pytest.fixture
def world(act: Act, docker_image: str, tmp_path: Path) -> Iterator[World]:
    repository = tmp_path / "app"
    repository.mkdir()
    shutil.copy(ROOT / "action.yml", repository)
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(repository)]
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["remote", "add", "origin", "https://github.com/octo/app.git"],
        ["add", "-A"],
        ["commit", "-q", "-m", "app"],
    ):
        subprocess.run([*git, *arguments], check=True)
    with GitHub() as github:
        github.add_commit("Begin", sha="b" * 40)
        commit = github.add_commit("Change the price", {"price.py": "@@ -1 +1 @@\n-41\n+42"})
        yield World(github, act, repository, github.add_pull(commit.sha), commit.sha, github.repository)


def test_a_failed_run_gets_one_comment_that_is_updated_and_then_resolved(world: World) -> None:
    first = world.after(world.failed_run())
    assert first.code == 0, first
    (comment,) = world.bodies()
    assert re.match(r"<!-- cicd-agents:pipeline-doctor:[0-9a-f]{16}:[0-9a-f]{16} -->\n", comment)
    assert "no space left on device" in comment

    second = world.after(world.failed_run(OTHER_LOG))
    assert second.code == 0, second
    (updated,) = world.bodies()
    assert "assert 41 == 42" in updated
    assert "no space left" not in updated

    third = world.after(world.failed_run("all is well\n", "success"))
    (resolved,) = world.bodies()
    assert third.code == 0, third
    assert ":resolved -->" in resolved
    assert "assert 41" not in resolved


def test_outputs_summary_and_files_reach_later_steps(world: World) -> None:
    done = world.after(world.failed_run())
    outputs = done.outputs("doctor")
    assert list(outputs) == list(dict.fromkeys(outputs))
    assert set(outputs) == set(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["outputs"])
    assert (outputs["outcome"], outputs["category"], outputs["exit-code"]) == ("fail", "disk_full", "0")
    assert outputs["comment-url"] == world.github.comments_on(world.pull.number)[0].json(world.github.url)["html_url"]
    assert "later step: fail, npm error code ENOSPC\n" in done.printed("doctor")
    assert "no space left on device" in done.summary("doctor")


def test_the_same_failure_again_changes_nothing(world: World) -> None:
    run = world.failed_run()
    world.after(run)
    before = world.bodies()
    world.after(run)
    assert world.bodies() == before
    writes = [request for request in world.github.requests if request.method != "GET" and not request.path.endswith("/graphql")]
    assert [request.path for request in writes] == [f"/repos/octo/app/issues/{world.pull.number}/comments"]


def test_a_job_after_the_failed_one_finds_it_in_its_own_run(world: World) -> None:
    run = world.failed_run()
    world.github.add_job(run, "doctor", None, log=None)
    world.write("ci.yml", SAME_WORKFLOW)
    done = world.run("ci.yml", "pull_request", world.opened(), run.id)
    assert (done.result("test"), done.result("doctor")) == ("failure", "success"), str(done)
    assert "no space left on device" in world.bodies()[0]


def from_fork(world: World) -> None:
    """The pull request comes from a fork now."""
    commit = world.github.add_commit("Change of a stranger", {"price.py": "@@ -1 +1 @@\n-41\n+43"})
    world.sha, world.head = commit.sha, FORK
    world.pull = world.github.add_pull(commit.sha, head=FORK)


def test_a_run_of_a_fork_gets_its_comment_by_the_second_workflow_and_is_not_remembered(world: World) -> None:
    trusted = world.after(world.failed_run(), "history: memory.sqlite")
    assert "memory kept" in trusted.printed("doctor"), str(trusted)

    from_fork(world)
    stranger = world.after(world.failed_run(), "history: memory.sqlite")
    assert "no space left on device" in world.bodies()[0], str(stranger)
    assert "memory kept" not in stranger.printed("doctor")


def test_the_read_only_token_of_a_fork_leaves_summary_and_exit_code(world: World) -> None:
    from_fork(world)
    world.github.permissions = {permission for permission in world.github.permissions if permission.endswith("read")}
    run = world.failed_run()
    world.write("ci.yml", SAME_WORKFLOW)
    done = world.run("ci.yml", "pull_request", world.opened(), run.id)
    assert done.result("doctor") == "success", str(done)
    assert "no space left on device" in done.summary("doctor")
    assert "Do this in a second workflow, started by `workflow_run`." in done.printed("doctor")
    assert world.bodies() == []


def test_the_gate_closes_when_it_is_asked_to(world: World) -> None:
    done = world.after(world.failed_run(), "fail-on: fail")
    assert done.step("doctor", "./") == "failure"
    assert done.outputs("doctor")["exit-code"] == "1"
    assert "exit with `FAILURE`: 1" in str(done)
    assert len(world.bodies()) == 1


def test_a_token_that_may_not_comment_changes_no_exit_code(world: World) -> None:
    world.github.permissions -= {"pull-requests: write", "issues: write"}
    done = world.after(world.failed_run())
    assert done.step("doctor", "./") == "success", str(done)
    assert done.outputs("doctor")["outcome"] == "fail"
    assert "pull-requests: write" in done.printed("doctor")
    assert "no space left on device" in done.summary("doctor")
    assert world.bodies() == []


def test_wrong_settings_are_refused_in_one_sentence(world: World) -> None:
    done = world.after(world.failed_run(), "max-jobs: many")
    assert "exit with `FAILURE`: 2" in str(done)
    assert "input max-jobs: 'many' is not a whole number from 1 to 50." in done.printed("doctor")


COMMANDS = (
    "::set-output name=pwned::1", "::set-env name=PWNED::1", "::add-path::/pwned", "::save-state name=pwned::1", "::add-mask::a",
    "::stop-commands::pwned", "::error file=pwned::1", "##[set-output name=pwned]1", "##[set-env name=PWNED]1", "##[add-path]/pwned",
    "\u2028::set-output name=pwned::1", "\x1b[0m::set-output name=pwned::1", "%0A::set-output name=pwned::1", "  ::set-output name=pwned::1",
)  # fmt: skip


def test_a_hostile_log_sets_nothing(world: World) -> None:
    """Each line of it is a cause in its own right, so that it is quoted wherever we quote."""
    hostile = "".join(f"2025-06-15T10:00:09.0000000Z {line}\nError: {line}\rfatal: {line}\n" for line in COMMANDS)
    delimiters = "Error: EOF\ncicd-agents-\noutcome<<EOF\npass\nEOF\n"
    clean = world.after(world.failed_run())
    done = world.after(world.failed_run(LOG.replace("write\n", "write ::set-output name=pwned::1 ##[set-env name=PWNED]1\n") + hostile + delimiters))
    assert done.outputs("doctor").keys() == clean.outputs("doctor").keys()
    assert done.outputs("doctor")["outcome"] == "fail"
    assert done.commands("doctor") <= clean.commands("doctor")
    assert "PWNED" not in {event.get("name") for event in done.events}
    assert len(world.bodies()) == 1


COMPOSITE = """
name: doctor
on: {workflow_run: {workflows: [CI], types: [completed]}}
permissions: {}
jobs:
  doctor:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - uses: ./composite
        id: doctor
        with: {python-version: "", max-jobs: "1"}
      - env: {CATEGORY: "${{ steps.doctor.outputs.category }}"}
        run: printf 'later step - %s\\n' "$CATEGORY"
"""


def test_the_action_without_docker_says_the_same(world: World) -> None:
    for name in ("composite", "requirements", "src", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, world.repository / name)
    world.write("doctor.yml", COMPOSITE)
    set_up = tuple(re.findall(r"actions/setup-python@[0-9a-f]{40}", (ROOT / "composite/action.yml").read_text(encoding="utf-8")))
    ended = world.ended(world.failed_run())
    done = world.run("doctor.yml", "workflow_run", ended, 99_999, in_container=False, never_run=set_up)
    assert done.code == 0, str(done)
    assert "later step - disk_full" in done.printed("doctor")
    assert len(world.bodies()) == 1


def test_a_marker_that_somebody_else_planted_is_left_alone(world: World) -> None:
    run = world.failed_run()
    world.after(run)
    ours = world.github.comments_on(world.pull.number)[0]
    body, number = ours.body, world.pull.number
    del world.github.comments[ours.id]
    planted = world.github.add_comment(number, body)
    world.after(run)
    assert planted.body == body
    assert len(world.bodies()) == 2

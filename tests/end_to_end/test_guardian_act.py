"""The guardian's action as users have it: act runs a workflow, the image with git runs in it; a real Prometheus and Argo CD are asked, GitHub is written to."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.end_to_end.act import Act, Run
from tests.end_to_end.guardian_deployment import BROKEN, HEALTHY, TOKEN, Deployment, deployment
from tests.servers.closed_port import closed_port
from tests.servers.github import WORKFLOW_TOKEN, GitHub
from tests.servers.repositories import Repository, new_repository

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("composite", "guardian", "requirements", "src", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE")
# act makes the workspace as root; GitHub's runner makes it as the user that the image runs as.
OWNED = "      - run: chown -R 1001:1001 .\n"
BAD_NUMBERS = "Error rate: 5.2% (baseline: 0.10%)\nP95 latency: 450ms (baseline: 150ms)\n"
WORKFLOW = f"""
name: guard
on: [push, deployment_status]
permissions: {{}}
jobs:
  guard:
    runs-on: ubuntu-latest
    permissions: {{contents: read, pull-requests: write, issues: write}}
    outputs:
      decision: ${{{{ steps.guardian.outputs.decision }}}}
      rolled-back: ${{{{ steps.guardian.outputs.rolled-back }}}}
    steps:
      - uses: actions/checkout@v7
        with: {{fetch-depth: 0, persist-credentials: false}}
{OWNED}      - if: github.event_name == 'push'
        run: echo deployed
      - uses: ACTION
        id: guardian
        with: WITH
      - if: always()
        env:
          PAGE: "${{{{ steps.guardian.outputs.html-path }}}}"
          CODE: "${{{{ steps.guardian.outputs.exit-code }}}}"
        run: |
          printf 'later step - code %s\\n' "$CODE"
          printf 'lines with charts - %s\\n' "$(grep -c '<svg' "$PAGE")"
          if [ -f cicd-agents-report/audit.jsonl ]; then cat cicd-agents-report/audit.jsonl; fi
  next:
    needs: guard
    if: always()
    runs-on: ubuntu-latest
    steps:
      - env:
          DECISION: "${{{{ needs.guard.outputs.decision }}}}"
          ROLLED_BACK: "${{{{ needs.guard.outputs.rolled-back }}}}"
        run: printf 'later job - %s, rolled back - %s\\n' "$DECISION" "$ROLLED_BACK"
"""


@dataclass(slots=True)
class World:
    """GitHub with a merged pull request whose commit is deployed, and act."""

    act: Act
    hub: GitHub
    work: Repository
    actions: Path
    pull: int
    sha: str

    def run(
        self, inputs: dict[str, str], *, event: str = "deployment_status", action: str = "org/cicd-agents/guardian@v1", in_container: bool = True
    ) -> Run:  # fmt: skip
        """One run of the workflow."""
        text = WORKFLOW.replace("ACTION", action).replace("WITH", json.dumps({"argocd-token": TOKEN, **inputs}))
        self.work.write(".github/workflows/guard.yml", text if in_container else text.replace(OWNED, ""))
        variables = {
            "GITHUB_API_URL": self.hub.api_url, "GITHUB_SERVER_URL": self.hub.server.url, "GITHUB_TOKEN": WORKFLOW_TOKEN,
            "GITHUB_REPOSITORY": self.hub.repository.full_name, "GITHUB_RUN_ID": "4242", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_REF": "refs/heads/main",
            "GITHUB_SHA": self.sha,
        }  # fmt: skip
        set_up = tuple(re.findall(r"actions/setup-python@[0-9a-f]{40}", (ROOT / "composite/action.yml").read_text(encoding="utf-8")))
        return self.act.run(
            self.work.folder, "guard.yml", event, self._payload(event), variables, in_container=in_container, never_run=set_up,
            actions={"org/cicd-agents@v1": self.actions},
        )  # fmt: skip

    def bodies(self) -> list[str]:
        """The comments on the pull request."""
        return [comment.body for comment in self.hub.comments_on(self.pull)]

    def _payload(self, event: str) -> dict[str, Any]:
        repository = {"id": self.hub.repository.id, "full_name": self.hub.repository.full_name, "default_branch": "main"}
        if event == "push":
            return {"ref": "refs/heads/main", "after": self.sha, "deleted": False, "repository": repository}
        return {
            "action": "created", "repository": repository, "deployment": {"sha": self.sha, "ref": "main", "environment": "prod"},
            "deployment_status": {"state": "success", "environment": "prod"},
        }  # fmt: skip


@pytest.fixture
def world(act: Act, release_image: str, tmp_path: Path) -> Iterator[World]:
    actions = tmp_path / "actions"
    actions.mkdir()
    for name in SOURCES:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, actions / name)
    work = new_repository(tmp_path / "work")
    sha = work.commit("feat: a faster cart", {"cart.js": "sum\n"})
    work.write(".git/info/exclude", ".github/\n")
    with GitHub() as hub:
        hub.add_commit("feat: a faster cart", {"cart.js": ""}, sha=sha)
        pull = hub.add_pull(sha, state="closed")
        pull.merged_at, pull.merged_as = hub.moment(), sha
        yield World(act, hub, work, actions, pull.number, sha)


def rolled_back(deployed: Deployment) -> bool:
    """Whether Argo CD was asked for exactly one rollback, to the good version, and has done it."""
    return deployed.argocd.rollbacks == [deployed.app.history[0]["id"]] and deployed.app.live == ["a" * 40]


def test_a_healthy_deployment_is_let_through_with_outputs_summary_and_comment(world: World) -> None:
    with deployment(bad=world.sha) as deployed:
        done = world.run(deployed.inputs(HEALTHY, rollback="auto"))
    assert done.code == 0, str(done)
    outputs = done.outputs("guard")
    assert set(outputs) == set(yaml.safe_load((ROOT / "guardian/action.yml").read_text(encoding="utf-8"))["outputs"])
    assert {name: outputs[name] for name in ("outcome", "exit-code", "decision", "status", "rolled-back")} == {
        "outcome": "pass", "exit-code": "0", "decision": "promote", "status": "pass", "rolled-back": "false",
    }  # fmt: skip
    assert "PROCEED" in done.summary("guard")
    assert "http_requests_total" in done.summary("guard")
    assert re.search(r"lines with charts - [1-9]", done.printed("guard"))
    assert "later job - promote, rolled back - false\n" in done.printed("next")
    assert (deployed.argocd.rollbacks, deployed.argocd.patches) == ([], [])
    (body,) = world.bodies()
    assert body.startswith("<!-- cicd-agents:deployment-guardian:")


def test_a_broken_deployment_fails_the_job_and_is_rolled_back_at_argo_cd(world: World) -> None:
    with deployment(bad=world.sha) as deployed:
        done = world.run(deployed.inputs(BROKEN, rollback="auto"))
    assert done.result("guard") == "failure", str(done)
    assert rolled_back(deployed)
    outputs = done.outputs("guard")
    assert (outputs["outcome"], outputs["exit-code"], outputs["decision"], outputs["rolled-back"]) == ("fail", "1", "rollback", "true")
    assert "exit with `FAILURE`: 1" in str(done)
    assert "ROLLBACK" in done.summary("guard")
    assert "later step - code 1\n" in done.printed("guard")
    assert len(re.findall(r'"phase": ?"intent"', done.printed("guard"))) == 3
    assert "later job - rollback, rolled back - true\n" in done.printed("next")
    (body,) = world.bodies()
    assert "ROLLBACK" in body


def test_after_the_deploy_step_of_a_push_the_gate_is_shut_and_the_rollback_suggested(world: World) -> None:
    with deployment(bad=world.sha) as deployed:
        done = world.run(deployed.inputs(BROKEN), event="push")
    assert done.printed("guard").startswith("deployed\n"), str(done)
    assert done.result("guard") == "failure"
    assert (done.outputs("guard")["exit-code"], done.outputs("guard")["rolled-back"]) == ("1", "false")
    assert "argocd app rollback api" in done.summary("guard")
    assert (deployed.argocd.rollbacks, deployed.argocd.patches) == ([], [])


def test_where_the_network_is_cut_the_step_ends_with_3_and_nothing_is_rolled_back_or_promoted(world: World) -> None:
    with deployment(bad=world.sha) as deployed, closed_port() as port:
        done = world.run({**deployed.inputs(BROKEN, rollback="auto", promote="auto"), "prometheus-url": f"http://127.0.0.1:{port}"})
    assert "exit with `FAILURE`: 3" in str(done), str(done)
    outputs = done.outputs("guard")
    assert (outputs["outcome"], outputs["exit-code"], outputs["status"], outputs["rolled-back"]) == ("inconclusive", "3", "no-data", "false")
    assert "later job - hold, rolled back - false\n" in done.printed("next")
    assert (deployed.argocd.rollbacks, deployed.argocd.patches) == ([], [])


def test_a_setting_that_makes_no_sense_ends_the_step_with_2_and_names_it(world: World) -> None:
    with deployment(bad=world.sha) as deployed:
        done = world.run({**deployed.inputs(HEALTHY), "canary-stage": "9"})
    assert "exit with `FAILURE`: 2" in str(done)
    assert "canary-stage: '9' is no stage of the policy" in done.printed("guard")
    assert TOKEN not in str(done)


@pytest.mark.parametrize(("table", "decision"), [("examples/canary/table.yml", "promote"), ("bad.txt", "rollback")])
def test_numbers_in_a_file_are_judged_without_any_server(world: World, table: str, decision: str) -> None:
    """What the self-test of this project does."""
    good = (ROOT / "examples/canary/table.yml").read_text(encoding="utf-8")
    world.work.commit("chore: numbers", {"examples/canary/table.yml": good, "bad.txt": BAD_NUMBERS})
    done = world.run({"metrics-table": table, "comment": "off"}, event="push")
    assert done.outputs("guard")["decision"] == decision, str(done)
    assert done.result("guard") == {"promote": "success", "rollback": "failure"}[decision]
    assert world.bodies() == []


def test_without_docker_the_runner_s_own_python_says_the_same(world: World) -> None:
    own = {"agent": "deployment-guardian", "python-version": ""}
    with deployment(bad=world.sha) as deployed:
        done = world.run({**own, **deployed.inputs(BROKEN)}, action="org/cicd-agents/composite@v1", in_container=False)
    assert done.result("guard") == "failure", str(done)
    assert (done.outputs("guard")["exit-code"], done.outputs("guard")["rolled-back"]) == ("1", "false")
    assert "later step - code 1\n" in done.printed("guard")
    assert "later job - rollback, rolled back - false\n" in done.printed("next")

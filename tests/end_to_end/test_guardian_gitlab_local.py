"""The component deployment-guardian as teams have it: gitlab-ci-local runs a pipeline that includes it, with a real Prometheus, Argo CD and a GitLab."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.git_server import GitServer, git_server
from tests.end_to_end.gitlab_local import GitLabLocal, Pipeline
from tests.end_to_end.guardian_deployment import BROKEN, HEALTHY, TOKEN, Deployment, deployment
from tests.servers.closed_port import closed_port
from tests.servers.gitlab import GitLab
from tests.servers.repositories import Repository, bare_remote, clone, new_repository

ROOT = Path(__file__).resolve().parents[2]
STATE = ".cicd-agents/guardian.json"
INCLUDE = """
  - local: /templates/deployment-guardian.yml
    inputs: INPUTS"""
PIPELINE = """
include:INCLUDES
stages: [deploy, verify, watch, report]
deploy:
  stage: deploy
  image: IMAGE
  script: [echo deployed]
report:
  stage: report
  image: IMAGE
  rules: [{when: always}]
  script:
    - echo "later job - $CICD_AGENTS_RESULT_DECISION, code $CICD_AGENTS_RESULT_EXIT_CODE, rolled back - $CICD_AGENTS_RESULT_ROLLED_BACK"
"""


@dataclass(slots=True)
class World:
    """GitLab with a project whose commit is deployed, and the tool that runs its pipelines."""

    gitlab: GitLab
    tool: GitLabLocal
    work: Repository
    token: str

    def run(self, *jobs: dict[str, str], **variables: str) -> Pipeline:
        """The pipeline of a push to main; `jobs` are the inputs of the component, once for each time that it is included."""
        includes = "".join(INCLUDE.replace("INPUTS", json.dumps(inputs)) for inputs in jobs)
        self.work.write(".gitlab-ci.yml", PIPELINE.replace("INCLUDES", includes).replace("IMAGE", self.tool.helper))
        known = {
            "GITLAB_CI": "true", "CI_API_V4_URL": self.gitlab.api_url, "CI_SERVER_URL": self.gitlab.url, "CI_PROJECT_URL": self.gitlab.web_url,
            "CI_PROJECT_ID": "7", "CI_PROJECT_PATH": "group/app", "CI_PIPELINE_ID": "1001", "CI_PIPELINE_SOURCE": "push",
            "CI_COMMIT_SHA": self.sha, "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BRANCH": "main", "CI_ENVIRONMENT_NAME": "prod",
            "CICD_AGENTS_GITLAB_TOKEN": self.token, "CICD_AGENTS_ARGOCD_TOKEN": TOKEN,
        }  # fmt: skip
        return self.tool.run(self.work.folder, {**known, **variables})

    @property
    def sha(self) -> str:
        """The commit that is deployed."""
        return self.work.git("rev-parse", "HEAD")

    def report(self, job: str = "deployment-guardian") -> dict[str, Any]:
        """The report among the artifacts of a job."""
        file = self.work.folder / ".gitlab-ci-local" / "artifacts" / job / "cicd-agents-report" / "report.json"
        data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return data


@pytest.fixture
def world(gitlab_ci_local: GitLabLocal, release_image: str, tmp_path: Path) -> Iterator[World]:
    sources = new_repository(tmp_path / "sources")
    sources.commit("feat: a faster cart", {"cart.js": "sum\n"})
    gitlab = GitLab()
    with gitlab, git_server(tmp_path) as served:
        work = clone(bare_remote(tmp_path / "remote.git", sources), tmp_path / "work")
        of_the_runner(work, served, tmp_path / "remote.git")
        yield World(gitlab, gitlab_ci_local, work, gitlab.access_token())
        assert gitlab.problems == []


def of_the_runner(work: Repository, served: GitServer, remote: Path) -> None:
    """The clone as GitLab's runner leaves it, with the component's file beside it."""
    work.git("remote", "set-url", "origin", served.url(remote))
    work.checkout("--detach")
    shutil.copytree(ROOT / "gitlab-component" / "templates", work.folder / "templates")


def untouched(deployed: Deployment) -> bool:
    """Whether nothing was written at Argo CD."""
    return (deployed.argocd.rollbacks, deployed.argocd.patches) == ([], [])


def test_a_healthy_deployment_is_let_through_and_the_results_reach_later_jobs(world: World) -> None:
    with deployment(bad=world.sha) as deployed:
        done = world.run(deployed.inputs(HEALTHY, rollback="auto"))
    assert done.code == 0, str(done)
    assert "later job - promote, code 0, rolled back - false" in done.printed
    assert world.report()["details"]["status"] == "pass"
    assert untouched(deployed)


def test_a_broken_deployment_fails_the_job_and_is_rolled_back_at_argo_cd(world: World) -> None:
    with deployment(bad=world.sha) as deployed:
        done = world.run(deployed.inputs(BROKEN, rollback="auto"))
    assert re.search(r"deployment-guardian finished in .* FAIL 1", done.printed), str(done)
    assert deployed.argocd.rollbacks == [deployed.app.history[0]["id"]]
    assert deployed.app.live == ["a" * 40]
    assert {one["kind"]: one["status"] for one in world.report()["operations"]} == {
        "PauseAutoSync": "applied", "Rollback": "applied", "VerifyRecovery": "applied",
    }  # fmt: skip
    assert TOKEN not in done.printed


def test_where_the_network_is_cut_the_job_fails_with_3_and_nothing_is_written(world: World) -> None:
    with deployment(bad=world.sha) as deployed, closed_port() as port:
        done = world.run({**deployed.inputs(BROKEN, rollback="auto", promote="auto"), "prometheus-url": f"http://127.0.0.1:{port}"})
    assert re.search(r"deployment-guardian finished in .* FAIL 3", done.printed), str(done)
    assert untouched(deployed)


def test_a_merge_request_has_deployed_nothing_so_there_is_no_job(world: World) -> None:
    with deployment(bad=world.sha) as deployed:
        done = world.run(deployed.inputs(BROKEN, rollback="auto"), CI_PIPELINE_SOURCE="merge_request_event", CI_COMMIT_BRANCH="")
    assert "deployment-guardian" not in done.printed, str(done)
    assert untouched(deployed)


def test_a_later_job_goes_on_with_the_watch_of_an_earlier_one_by_the_state_in_the_cache(world: World) -> None:
    """Two minutes are too short for a decision, so both jobs hold; that this shuts no gate is set here."""
    with deployment(minutes=2, bad=world.sha) as deployed:
        inputs = deployed.inputs(HEALTHY, guardian_fail_on="fail", guardian_state=STATE)
        done = world.run({**inputs, "job-name": "first-look", "stage": "verify"}, {**inputs, "job-name": "second-look", "stage": "watch"})
    assert done.code == 0, str(done)
    assert "Permission denied" not in done.printed
    timelines = [[entry["text"] for entry in world.report(job)["details"]["timeline"]] for job in ("first-look", "second-look")]
    assert "The watch is taken up again." not in timelines[0]
    assert "The watch is taken up again." in timelines[1]
    assert timelines[1][0] == timelines[0][0]
    assert "later job - hold, code 0, rolled back - false" in done.printed

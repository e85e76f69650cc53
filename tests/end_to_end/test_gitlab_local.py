"""The GitLab component as teams have it: gitlab-ci-local runs a pipeline that includes it, in the image of this tree, against a stand-in for GitLab's API."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.end_to_end.gitlab_local import GitLabLocal, Pipeline
from tests.servers.gitlab import GitLab

ROOT = Path(__file__).resolve().parents[2]
TRACE = (
    'section_start:1750000000:step_script\r\x1b[0K\x1b[0KExecuting "step_script" stage of the job script\x1b[0;m\n$ npm ci\n'
    "npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write\n"
    "section_end:1750000009:step_script\r\x1b[0K\x1b[31;1mERROR: Job failed: exit code 228\x1b[0;m\n"
)
TRACE_WITH_PLACE = (
    "$ pytest\n    def test_total():\n>       assert total() == 42\nE       assert 41 == 42\n\ntests/test_price.py:7: AssertionError\n"
    "FAILED tests/test_price.py::test_total - assert 41 == 42\n\x1b[31;1mERROR: Job failed: exit code 1\x1b[0;m\n"
)
PIPELINE = """
include:
  - local: /templates/pipeline-doctor.yml
    inputs: {INPUTS}
stages: [test]
test:
  stage: test
  image: IMAGE
  script: [exit CODE]
"""


@dataclass(slots=True)
class World:
    """GitLab with one merge request, and the repository in which pipelines run."""

    gitlab: GitLab
    tool: GitLabLocal
    repository: Path
    sha: str

    def pipeline(self, status: str = "failed", trace: str = TRACE) -> int:
        """A pipeline of the merge request with one job, as GitLab knows it."""
        number = self.gitlab.add_pipeline(status, ref="refs/merge-requests/3/head", sha=self.sha, source="merge_request_event")
        self.gitlab.add_job(number, "test", status, trace=trace.encode())
        return number

    def run(self, number: int, inputs: str = "stage: .post", *, failing: bool = True, **variables: str) -> Pipeline:
        """Run it here: its job ends as said, and then comes the doctor."""
        text = PIPELINE.replace("INPUTS", inputs).replace("IMAGE", self.tool.helper).replace("CODE", "228" if failing else "0")
        (self.repository / ".gitlab-ci.yml").write_text(text, encoding="utf-8")
        known = {
            "GITLAB_CI": "true", "CI_API_V4_URL": self.gitlab.api_url, "CI_SERVER_URL": self.gitlab.url, "CI_PROJECT_URL": self.gitlab.web_url,
            "CI_PROJECT_ID": "7", "CI_PIPELINE_ID": str(number), "CI_PIPELINE_SOURCE": "merge_request_event", "CI_COMMIT_SHA": self.sha,
            "CI_MERGE_REQUEST_IID": "3", "CI_MERGE_REQUEST_PROJECT_ID": "7", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "7",
            "CI_MERGE_REQUEST_PROJECT_PATH": "group/app", "CI_MERGE_REQUEST_PROJECT_URL": self.gitlab.web_url,
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        }  # fmt: skip
        return self.tool.run(self.repository, {**known, **variables})

    def notes(self) -> list[str]:
        return [str(note["body"]) for note in self.gitlab.merge_requests[3].notes]

    def artifact(self, name: str) -> str:
        return (self.repository / ".gitlab-ci-local" / "artifacts" / "pipeline-doctor" / "cicd-agents-report" / name).read_text(encoding="utf-8")


def commit(repository: Path, origin: str) -> None:
    """A repository of what is there."""
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(repository)]
    for arguments in (["init", "-q", "-b", "main"], ["remote", "add", "origin", origin], ["add", "-A"], ["commit", "-q", "-m", "app"]):
        subprocess.run([*git, *arguments], check=True)


@pytest.fixture
def world(gitlab_ci_local: GitLabLocal, docker_image: str, tmp_path: Path) -> Iterator[World]:
    repository = tmp_path / "app"
    shutil.copytree(ROOT / "gitlab-component" / "templates", repository / "templates")
    commit(repository, "https://gitlab.example/group/app.git")
    gitlab = GitLab()
    with gitlab:
        sha = "c" * 40
        gitlab.add_commit(sha, "Change the price", ["price.py"])
        gitlab.add_merge_request(3, sha)
        yield World(gitlab, gitlab_ci_local, repository, sha)
        assert gitlab.problems == []


def test_a_failed_pipeline_gets_one_note_that_is_resolved_when_all_is_green(world: World) -> None:
    token = world.gitlab.access_token()
    first = world.run(world.pipeline(), CICD_AGENTS_GITLAB_TOKEN=token)
    assert "pipeline-doctor" in first.printed, str(first)
    (note,) = world.notes()
    assert re.match(r"<!-- cicd-agents:pipeline-doctor:[0-9a-f]{16}:[0-9a-f]{16} -->\n", note), str(first)
    assert "no space left on device" in note

    again = world.run(world.pipeline(trace=TRACE.replace("npm ci", "npm ci --quiet")), CICD_AGENTS_GITLAB_TOKEN=token)
    assert len(world.notes()) == 1, str(again)

    third = world.run(world.pipeline("success", "all is well\n"), failing=False, CICD_AGENTS_GITLAB_TOKEN=token)
    (resolved,) = world.notes()
    assert third.code == 0, str(third)
    assert ":resolved -->" in resolved


def test_reports_and_variables_are_handed_on(world: World) -> None:
    done = world.run(world.pipeline(trace=TRACE_WITH_PLACE), CICD_AGENTS_GITLAB_TOKEN=world.gitlab.access_token())
    assert "could not be found" not in done.printed, str(done)
    assert json.loads(world.artifact("report.json"))["outcome"] == "fail"
    assert "assert 41 == 42" in world.artifact("report.md")
    (issue,) = json.loads(world.artifact("gl-code-quality-report.json"))
    assert issue["location"] == {"path": "tests/test_price.py", "lines": {"begin": 7}}


def test_without_a_token_of_its_own_the_job_says_what_is_missing_and_an_undecided_gate_is_a_warning(world: World) -> None:
    done = world.run(world.pipeline(), "fail-on: inconclusive", CI_JOB_TOKEN=world.gitlab.job_token())
    assert "CICD_AGENTS_GITLAB_TOKEN" in done.printed
    assert re.search(r"pipeline-doctor finished in .* WARN 3", done.printed), str(done)
    assert world.notes() == []


def test_a_value_that_is_none_of_the_options_is_refused_before_anything_runs(world: World) -> None:
    done = world.run(world.pipeline(), "fail-on: sometimes")
    assert done.code != 0
    assert "fail-on" in done.printed
    assert world.gitlab.requests == []


def test_where_that_is_wished_the_doctor_does_not_run_after_a_green_pipeline(world: World) -> None:
    done = world.run(world.pipeline("success"), "when: on_failure", failing=False)
    assert done.code == 0, str(done)
    assert world.gitlab.requests == []


def test_the_pipeline_of_the_component_itself_passes(gitlab_ci_local: GitLabLocal, docker_image: str, tmp_path: Path) -> None:
    """As its own project runs it: the folder is the root of a repository, and the component is named by its address."""
    repository = tmp_path / "cicd-agents"
    shutil.copytree(ROOT / "gitlab-component", repository)
    pipeline = repository / ".gitlab-ci.yml"
    pipeline.write_text(pipeline.read_text(encoding="utf-8").replace("busybox:1.37", gitlab_ci_local.helper), encoding="utf-8")
    commit(repository, "https://gitlab.example/org/cicd-agents.git")
    gitlab = GitLab("org/cicd-agents")
    with gitlab:
        known = {"CI_API_V4_URL": gitlab.api_url, "CI_JOB_TOKEN": gitlab.job_token(), "CI_PIPELINE_ID": "1001"}
        done = gitlab_ci_local.run(repository, {"GITLAB_CI": "true", **known})
    assert done.code == 0, str(done)
    assert re.search(r"PASS\W+check", done.printed), str(done)

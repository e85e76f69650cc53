"""Which agent an event calls for: a table over real payloads of GitHub (tests/data/events/github) and the variables of GitLab and Jenkins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cicd_agents.context.choice import Choice, choose
from cicd_agents.context.detect import detect
from cicd_agents.domain.errors import UsageError
from cicd_agents.settings.options import AGENTS, COMING

EVENTS = Path(__file__).parent.parent / "data" / "events" / "github"
ALL = (*AGENTS, *COMING)
DOCTOR, RELEASE, GUARDIAN, DRIFT = "pipeline-doctor", "release-manager", "deployment-guardian", "drift-detector"
GITHUB = {
    "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "Codertocat/Hello-World", "GITHUB_RUN_ID": "900", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "test",
    "GITHUB_WORKFLOW": "Doctor", "GITHUB_WORKFLOW_REF": "Codertocat/Hello-World/.github/workflows/doctor.yml@refs/heads/master",
    "GITHUB_SHA": "a" * 40, "GITHUB_REF": "refs/heads/master",
}  # fmt: skip
GITLAB = {
    "GITLAB_CI": "true", "CI_PROJECT_PATH": "group/app", "CI_PROJECT_ID": "7", "CI_PIPELINE_ID": "70", "CI_API_V4_URL": "https://gitlab.example/api/v4",
    "CI_COMMIT_SHA": "a" * 40, "CI_COMMIT_BRANCH": "main", "CI_JOB_ID": "700", "CI_PIPELINE_SOURCE": "push",
}  # fmt: skip
JENKINS = {"JENKINS_URL": "https://ci.example/", "JOB_NAME": "app", "BUILD_NUMBER": "3"}


@dataclass(frozen=True)
class Case:
    """What happened, and the agent that it calls for."""

    name: str
    agent: str | None
    reason: str
    environment: Mapping[str, str]
    event: Mapping[str, Any] = field(default_factory=dict)
    job_status: str = ""


def github(story: str, event: str, file: str, agent: str | None, reason: str, /, *, ref: str = "", job_status: str = "", **run: Any) -> Case:
    data: dict[str, Any] = json.loads((EVENTS / f"{file}.json").read_text()) if file else {}
    if run:
        data["workflow_run"].update(run)
    return Case(f"GitHub: {story}", agent, reason, {**GITHUB, "GITHUB_EVENT_NAME": event, **({"GITHUB_REF": ref} if ref else {})}, data, job_status)


def gitlab(name: str, agent: str | None, reason: str, **variables: str) -> Case:
    return Case(f"GitLab: {name}", agent, reason, {**GITLAB, **variables})


def jenkins(name: str, agent: str | None, reason: str, job_status: str = "", **variables: str) -> Case:
    return Case(f"Jenkins: {name}", agent, reason, {**JENKINS, **variables}, {}, job_status)


CI = {"path": ".github/workflows/ci.yml", "name": "CI"}
CASES = (
    github("a run failed", "workflow_run", "workflow_run", DOCTOR, "The run failed.", conclusion="failure", **CI),
    github("a run was too slow", "workflow_run", "workflow_run", DOCTOR, "The run failed.", conclusion="timed_out", **CI),
    github("a run of a pull request failed", "workflow_run", "workflow_run_pull_request", DOCTOR, "The run failed.", conclusion="failure", **CI),
    github("a run succeeded", "workflow_run", "workflow_run", DOCTOR, "earlier comment", conclusion="success", **CI),
    github("a run ended in an unknown way", "workflow_run", "workflow_run", DOCTOR, "platform is asked", conclusion="new_word", **CI),
    github("a run was cancelled", "workflow_run", "workflow_run", None, "was cancelled", conclusion="cancelled", **CI),
    github("a run was skipped", "workflow_run", "workflow_run", None, "was skipped", conclusion="skipped", **CI),
    github("a run began", "workflow_run", "workflow_run_requested", None, "has not ended", **CI),
    github("our own workflow ran", "workflow_run", "workflow_run", None, "our own workflow", path=".github/workflows/doctor.yml", name="Doctor"),
    github("our job is fine, but the run failed", "workflow_run", "workflow_run", DOCTOR, "The run failed.", job_status="success", conclusion="failure", **CI),
    github("the job failed", "push", "push", DOCTOR, "The job failed.", job_status="failure"),
    github("the job of a pull request failed", "pull_request", "pull_request", DOCTOR, "The job failed.", job_status="failure"),
    github("the job succeeded", "push", "push", DOCTOR, "earlier comment", job_status="success"),
    github("the job was cancelled", "push", "push", None, "was cancelled", job_status="cancelled"),
    github("nobody says how the job stands", "workflow_dispatch", "workflow_dispatch", DOCTOR, "platform is asked"),
    github("a merge queue", "merge_group", "merge_group", DOCTOR, "The job failed.", job_status="failure"),
    github("a tag", "push", "push_tag", RELEASE, "a tag", ref="refs/tags/simple-tag", job_status="success"),
    github("a tag was created", "create", "create", RELEASE, "a tag", ref="refs/tags/simple-tag"),
    github("a job for a tag failed", "push", "push_tag", DOCTOR, "The job failed.", ref="refs/tags/simple-tag", job_status="failure"),
    github("a release", "release", "release", RELEASE, "a release", ref="refs/tags/0.0.1"),
    github("a deployment", "deployment", "deployment", GUARDIAN, "a deployment"),
    github("a deployment's status", "deployment_status", "deployment_status", GUARDIAN, "a deployment"),
    github("a schedule", "schedule", "", DRIFT, "a schedule", job_status="success"),
    github("a job on a schedule failed", "schedule", "", DOCTOR, "The job failed.", job_status="failure"),
    gitlab("the job failed", DOCTOR, "The job failed.", CI_JOB_STATUS="failed"),
    gitlab("the job succeeded", DOCTOR, "earlier comment", CI_JOB_STATUS="success"),
    gitlab("the job was cancelled", None, "was cancelled", CI_JOB_STATUS="canceled"),
    gitlab("a job of its own", DOCTOR, "platform is asked", CI_JOB_STATUS="running"),
    gitlab("a tag", RELEASE, "a tag", CI_COMMIT_TAG="1.0.0", CI_JOB_STATUS="running"),
    gitlab("a job for a tag failed", DOCTOR, "The job failed.", CI_COMMIT_TAG="1.0.0", CI_JOB_STATUS="failed"),
    gitlab("a schedule", DRIFT, "a schedule", CI_PIPELINE_SOURCE="schedule", CI_JOB_STATUS="running"),
    gitlab("an environment", GUARDIAN, "a deployment", CI_ENVIRONMENT_NAME="production", CI_JOB_STATUS="running"),
    jenkins("a build", DOCTOR, "platform is asked"),
    jenkins("a build failed", DOCTOR, "The job failed.", "failure"),
    jenkins("a tag", RELEASE, "a tag", TAG_NAME="v1"),
    jenkins("no build", None, "Nothing to do for the event", JOB_NAME=""),
    Case("a person's machine", None, "no CI that we know", {}),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_auto_chooses_by_what_happened(case: Case) -> None:
    chosen = choose("auto", detect(case.environment, case.event), case.job_status, agents=ALL)
    assert chosen.agent == case.agent
    assert case.reason in chosen.reason


@pytest.mark.parametrize("case", [case for case in CASES if case.agent in COMING], ids=lambda case: case.name)
def test_auto_says_that_an_agent_is_not_part_of_this_release(case: Case) -> None:
    chosen = choose("auto", detect(case.environment, case.event), case.job_status, agents=AGENTS)
    assert chosen.agent is None
    assert chosen.reason.endswith(f"that is for the {case.agent}, which is not part of this release.")


def test_an_agent_that_is_asked_for_is_taken_whatever_happened() -> None:
    assert choose(DOCTOR, detect({}, {}), "", agents=AGENTS) == Choice(DOCTOR, "pipeline-doctor was asked for.")


@pytest.mark.parametrize("name", [*COMING, "pipeline-docter"])
def test_an_agent_that_does_not_exist_yet_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose(name, detect({}, {}), "", agents=AGENTS)
    assert str(caught.value) == f"The agent {name} is not part of this release; choose one of: auto, pipeline-doctor, release-manager, deployment-guardian."


def test_every_reason_is_one_sentence() -> None:
    reasons = {choose("auto", detect(case.environment, case.event), case.job_status, agents=ALL).reason for case in CASES}
    assert all(reason.endswith(".") and reason.count(". ") == 0 for reason in reasons)

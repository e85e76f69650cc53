"""The context of GitHub Actions, read from real payloads (tests/data/events/github)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cicd_agents.context.github import read, status_of
from cicd_agents.domain.ci import RunRef, Status
from cicd_agents.domain.context import Kind, Platform, PullRequest, RunContext
from cicd_agents.domain.errors import UsageError

EVENTS = Path(__file__).parent.parent / "data" / "events" / "github"
SHA = "a" * 40
OWN = RunRef("900", 2)
ENVIRONMENT = {
    "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "Codertocat/Hello-World", "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_API_URL": "https://api.github.com", "GITHUB_RUN_ID": "900", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_JOB": "doctor", "GITHUB_WORKFLOW": "Doctor",
    "GITHUB_WORKFLOW_REF": "Codertocat/Hello-World/.github/workflows/doctor.yml@refs/heads/master", "GITHUB_SHA": SHA, "GITHUB_REF": "refs/heads/master",
    "GITHUB_ACTOR": "mona", "GITHUB_WORKSPACE": "/github/workspace", "GITHUB_STEP_SUMMARY": "/s.md", "GITHUB_OUTPUT": "/o.txt",
    "RUNNER_NAME": "GitHub Actions 7",
}  # fmt: skip


def payload(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return data


def context(event: str, data: Mapping[str, Any], **variables: str) -> RunContext:
    return read({**ENVIRONMENT, "GITHUB_EVENT_NAME": event, **variables}, data)


@dataclass(frozen=True)
class Case:
    """A payload, and what must be read from it."""

    file: str
    event: str
    expected: Mapping[str, Any]
    variables: Mapping[str, str] = field(default_factory=dict)


CASES = (
    Case("push", "push", {"kind": Kind.JOB, "branch": "master", "tag": "", "config_ref": None, "trusted": True, "sha": SHA}),
    Case("push_tag", "push", {"kind": Kind.TAG, "branch": "", "tag": "simple-tag", "trusted": True}, {"GITHUB_REF": "refs/tags/simple-tag"}),
    Case("create", "create", {"kind": Kind.TAG, "tag": "simple-tag", "config_ref": None}, {"GITHUB_REF": "refs/tags/simple-tag"}),
    Case("create", "create", {"kind": Kind.JOB, "branch": "new", "tag": ""}, {"GITHUB_REF": "refs/heads/new"}),
    Case("release", "release", {"kind": Kind.RELEASE, "tag": "0.0.1", "branch": ""}, {"GITHUB_REF": "refs/tags/0.0.1"}),
    Case("deployment", "deployment", {"kind": Kind.DEPLOYMENT, "sha": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"}),
    Case("deployment_status", "deployment_status", {"kind": Kind.DEPLOYMENT, "sha": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"}),
    Case("workflow_dispatch", "workflow_dispatch", {"kind": Kind.JOB, "branch": "master", "config_ref": None, "trusted": True}),
    Case("workflow_dispatch", "workflow_dispatch", {"kind": Kind.JOB, "branch": "", "tag": "v1"}, {"GITHUB_REF": "refs/tags/v1"}),
    Case("repository_dispatch", "repository_dispatch", {"kind": Kind.JOB, "branch": "master", "trusted": True}),
    Case("push", "schedule", {"kind": Kind.SCHEDULE, "branch": "master", "config_ref": None, "trusted": True}),
    Case("merge_group", "merge_group", {
        "kind": Kind.JOB, "sha": "2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d", "trusted": True, "config_ref": "380387fbc80638b734a49e1be1c4dfec1c01b33c",
        "branch": "gh-readonly-queue/main/pr-104-929f8209d40f77f4abc622a499c93a83babdbe64",
    }),
    Case("check_suite", "check_suite", {"kind": Kind.JOB, "trusted": False, "config_ref": SHA}),
    Case("issue_comment", "issue_comment", {"kind": Kind.JOB, "trusted": True, "config_ref": SHA}),
    Case("pull_request", "pull_request", {
        "kind": Kind.JOB, "sha": "ec26c3e57ca3a959ca5aad62de7213c562f8c821", "branch": "changes", "trusted": True,
        "config_ref": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e",
    }, {"GITHUB_REF": "refs/pull/2/merge"}),
    Case("pull_request", "pull_request_target", {"kind": Kind.JOB, "branch": "changes", "config_ref": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"}),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.event} of {case.file}, {case.expected['kind']}")
def test_each_event_says_its_kind_commit_and_trust(case: Case) -> None:
    found = context(case.event, payload(case.file), **case.variables)
    assert {name: getattr(found, name) for name in case.expected} == dict(case.expected)
    assert (found.platform, found.event, found.own_run, found.target) == (Platform.GITHUB, case.event, OWN, OWN)


def test_the_variables_are_carried_over() -> None:
    found = context("push", payload("push"))
    assert found == RunContext(
        Platform.GITHUB, "push", Kind.JOB, "Codertocat/Hello-World", "", "https://github.com", "https://api.github.com", OWN, "doctor", OWN, Status.RUNNING,
        "Doctor", SHA, "master", "", "master", None, True, "mona", "https://github.com/Codertocat/Hello-World/actions/runs/900/attempts/2",
        "/github/workspace", None, "/s.md", "/o.txt", "GitHub Actions 7",
    )  # fmt: skip
    assert found.on_default_branch


def test_an_enterprise_server_is_known_by_its_urls() -> None:
    found = context("push", payload("push"), GITHUB_SERVER_URL="https://git.example.com/", GITHUB_API_URL="https://git.example.com/api/v3/")
    assert (found.server_url, found.api_url) == ("https://git.example.com", "https://git.example.com/api/v3")


def test_a_pull_request_of_the_repository_is_read_in_full() -> None:
    assert context("pull_request", payload("pull_request")).pull_request == PullRequest(
        2, "ec26c3e57ca3a959ca5aad62de7213c562f8c821", "changes", "master", "f95f852bd8fca8fcc58a9a2d6c842781e32a215e", False,
        "https://github.com/Codertocat/Hello-World/pull/2",
    )  # fmt: skip


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "pull_request_review"])
@pytest.mark.parametrize("repository", [{"id": 1, "full_name": "Codertocat/Hello-World"}, None], ids=["same name, other number", "deleted"])
def test_a_pull_request_from_a_fork_is_told_by_the_number_of_its_repository(event: str, repository: dict[str, Any] | None) -> None:
    data = payload("pull_request")
    data["pull_request"]["head"]["repo"] = repository
    found = context(event, data)
    assert found.pull_request is not None
    assert (found.pull_request.from_fork, found.trusted) == (True, False)


def test_a_bots_name_earns_no_trust() -> None:
    data = payload("pull_request")
    data["pull_request"]["head"]["repo"]["id"] = 1
    assert not context("pull_request", data, GITHUB_ACTOR="evil[bot]").trusted


def test_a_comment_on_a_pull_request_is_not_trusted() -> None:
    data = payload("issue_comment")
    data["issue"]["pull_request"] = {"url": "https://api.github.com/repos/Codertocat/Hello-World/pulls/1"}
    assert not context("issue_comment", data).trusted


def test_a_deleted_tag_or_release_starts_no_release() -> None:
    data = payload("push_tag")
    data["deleted"] = True
    assert context("push", data, GITHUB_REF="refs/tags/simple-tag").kind is Kind.JOB
    data = payload("release")
    data["action"] = "deleted"
    assert context("release", data).kind is Kind.JOB


def finished(**changes: Any) -> dict[str, Any]:
    """A failed run of CI on a branch of the repository."""
    data = payload("workflow_run")
    repository = {"id": 300029405}
    data["workflow_run"].update(
        {"name": "CI", "path": ".github/workflows/ci.yml", "event": "push", "conclusion": "failure", "run_attempt": 3, "repository": repository, **changes}
    )
    return data


def test_a_finished_run_is_the_target_and_not_the_run_we_are_in() -> None:
    found = context("workflow_run", finished())
    assert (found.kind, found.target, found.target_status, found.own_run) == (Kind.RUN_FINISHED, RunRef("289782451", 3), Status.FAILURE, OWN)
    assert (found.workflow, found.sha, found.branch) == ("CI", "3484a3fb816e0859fd6e1cea078d76385ff50625", "master")
    assert (found.trusted, found.config_ref, found.pull_request) == (True, SHA, None)
    assert found.run_url == "https://github.com/Codertocat/Hello-World/actions/runs/289782451/attempts/3"


@pytest.mark.parametrize("head", [{"id": 7, "full_name": "stranger/Hello-World"}, {"id": 7, "full_name": "Codertocat/Hello-World"}, None])
def test_a_finished_run_of_a_fork_is_not_trusted(head: dict[str, Any] | None) -> None:
    assert not context("workflow_run", finished(head_repository=head)).trusted


@pytest.mark.parametrize("event", ["issue_comment", "workflow_run", "check_suite"])
def test_a_finished_run_whose_event_may_speak_of_a_fork_is_not_trusted(event: str) -> None:
    assert not context("workflow_run", finished(event=event)).trusted


def test_the_pull_request_of_a_finished_run_is_read_from_its_list() -> None:
    data = payload("workflow_run_pull_request")
    run = data["workflow_run"]
    run["head_sha"] = run["pull_requests"][0]["head"]["sha"]
    run["repository"]["id"] = run["head_repository"]["id"] = run["pull_requests"][0]["base"]["repo"]["id"]
    found = context("workflow_run", data)
    assert found.pull_request is not None
    assert (found.pull_request.number, found.pull_request.from_fork, found.trusted) == (2, False, True)


def test_a_pull_request_of_another_repository_or_of_another_commit_is_left_out() -> None:
    assert context("workflow_run", payload("workflow_run_pull_request")).pull_request is None


def test_a_run_that_only_starts_is_not_finished() -> None:
    found = context("workflow_run", payload("workflow_run_requested"))
    assert (found.kind, found.target_status) == (Kind.OTHER, Status.RUNNING)


@pytest.mark.parametrize(
    ("run", "variables"),
    [
        ({"path": ".github/workflows/doctor.yml"}, {}),
        ({"path": ".github/workflows/doctor.yml@refs/heads/other", "name": "renamed"}, {}),
        ({"path": None, "name": "Doctor"}, {}),
        ({"path": ".github/workflows/doctor.yml", "name": "Doctor"}, {"GITHUB_WORKFLOW_REF": ""}),
        ({"id": 900, "run_attempt": 2}, {}),
    ],
    ids=["file", "file at another ref", "name", "name, no reference", "our own run"],
)
def test_a_run_of_our_own_workflow_is_no_target(run: dict[str, Any], variables: dict[str, str]) -> None:
    found = context("workflow_run", finished(**run), **variables)
    assert (found.kind, found.target, found.own_run) == (Kind.OTHER, None, OWN)


def test_another_workflow_of_the_same_name_is_a_target() -> None:
    assert context("workflow_run", finished(name="Doctor")).kind is Kind.RUN_FINISHED


@pytest.mark.parametrize(
    ("event", "data", "said"),
    [
        ("workflow_run", {}, "`workflow_run` should be an object"),
        ("workflow_run", {"workflow_run": {"id": "x"}}, "`workflow_run.id` should be a whole number"),
        ("workflow_run", {"workflow_run": {"id": True}}, "`workflow_run.id` should be a whole number"),
        ("workflow_run", finished(pull_requests={"a": 1}), "`workflow_run.pull_requests` should be a list"),
        ("workflow_run", finished(pull_requests=[1]), "`workflow_run.pull_requests` should be a list"),
        ("workflow_run", finished(pull_requests=[{"head": 4}]), "`workflow_run.pull_requests[0].head` should be an object"),
        ("workflow_run", finished(head_repository={"id": "7"}), "`workflow_run.head_repository.id` should be a whole number"),
        ("workflow_run", finished(name=["CI"]), "`workflow_run.name` should be a text"),
        ("pull_request", {"pull_request": []}, "`pull_request` should be an object"),
        ("pull_request", {"pull_request": {"head": {}, "base": {}}}, "`pull_request.number` should be a whole number"),
        ("release", {"release": None}, "`release` should be an object"),
        ("merge_group", {}, "`merge_group` should be an object"),
        ("deployment", {"deployment": "x"}, "`deployment` should be an object"),
        ("issue_comment", {}, "`issue` should be an object"),
        ("push", {"repository": {"default_branch": 1}}, "`repository.default_branch` should be a text"),
        ("push", ["not", "an", "object"], "should hold a JSON object"),
    ],
)
def test_a_payload_of_another_shape_is_refused_in_one_sentence(event: str, data: Any, said: str) -> None:
    with pytest.raises(UsageError) as problem:
        context(event, data)
    assert said in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"GITHUB_REPOSITORY": ""}, "GITHUB_REPOSITORY"),
        ({"GITHUB_REPOSITORY": "a/b/../../c"}, "GITHUB_REPOSITORY"),
        ({"GITHUB_REPOSITORY": "a/.."}, "GITHUB_REPOSITORY"),
        ({"GITHUB_RUN_ID": "1/../2"}, "GITHUB_RUN_ID"),
        ({"GITHUB_RUN_ATTEMPT": "²"}, "GITHUB_RUN_ATTEMPT"),
    ],
)
def test_a_variable_that_cannot_be_meant_is_refused(variables: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        context("push", payload("push"), **variables)


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a JSON value: (container, key)."""
    for key, value in list(data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()):
        yield data, key
        yield from places(value)


@pytest.mark.parametrize("file", sorted(path.stem for path in EVENTS.glob("*.json")))
def test_whatever_stands_in_a_payload_is_read_or_refused(file: str) -> None:
    data = payload(file)
    event = {"push_tag": "push", "workflow_run_pull_request": "workflow_run", "workflow_run_requested": "workflow_run"}.get(file, file)
    outcomes = set()
    for container, key in places(data):
        kept = container[key]
        for wrong in (None, 7, -1.5, True, "x", "\ud800", [], [3], {}, {"id": "x"}):
            container[key] = wrong
            try:
                context(event, data)
                outcomes.add("read")
            except UsageError as problem:
                outcomes.add("refused" if "\n" not in str(problem) else str(problem))
        container[key] = kept
    assert outcomes == {"read", "refused"}


def test_without_a_run_id_there_is_no_target() -> None:
    found = context("push", payload("push"), GITHUB_RUN_ID="", GITHUB_RUN_ATTEMPT="")
    assert (found.own_run, found.target, found.target_status, found.run_url) == (None, None, Status.UNKNOWN, "")


@pytest.mark.parametrize(
    ("status", "conclusion", "expected"),
    [
        ("completed", "success", Status.SUCCESS),
        ("completed", "neutral", Status.SUCCESS),
        ("completed", "failure", Status.FAILURE),
        ("completed", "startup_failure", Status.FAILURE),
        ("completed", "timed_out", Status.TIMED_OUT),
        ("completed", "cancelled", Status.CANCELLED),
        ("completed", "stale", Status.CANCELLED),
        ("completed", "skipped", Status.SKIPPED),
        ("completed", "action_required", Status.SKIPPED),
        ("completed", "a new word", Status.UNKNOWN),
        ("completed", None, Status.UNKNOWN),
        ("in_progress", None, Status.RUNNING),
        ("queued", "", Status.RUNNING),
        (None, None, Status.UNKNOWN),
    ],
)
def test_githubs_words_for_a_status(status: str | None, conclusion: str | None, expected: Status) -> None:
    assert status_of(status, conclusion) is expected

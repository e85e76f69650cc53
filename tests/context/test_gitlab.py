"""GitLab's variables read into a context."""

from __future__ import annotations

import pytest

from cicd_agents.context.gitlab import read
from cicd_agents.domain.ci import RunRef, Status
from cicd_agents.domain.context import Kind, Platform, PullRequest, RunContext
from cicd_agents.domain.errors import UsageError

SHA, BASE, HEAD = "a" * 40, "b" * 40, "c" * 40

BRANCH = {
    "GITLAB_CI": "true", "CI_PIPELINE_ID": "1201", "CI_PIPELINE_SOURCE": "push", "CI_PIPELINE_URL": "https://git.example.com/gitlab/group/app/-/pipelines/1201",
    "CI_JOB_ID": "55", "CI_JOB_NAME": "doctor", "CI_COMMIT_SHA": SHA, "CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_NAME": "main",
    "CI_DEFAULT_BRANCH": "main", "CI_PROJECT_ID": "7", "CI_PROJECT_PATH": "group/app", "CI_PROJECT_URL": "https://git.example.com/gitlab/group/app",
    "CI_SERVER_URL": "https://git.example.com/gitlab", "CI_API_V4_URL": "https://git.example.com/gitlab/api/v4", "CI_PROJECT_DIR": "/builds/group/app",
    "GITLAB_USER_LOGIN": "ada", "GITLAB_USER_ID": "3",
}  # fmt: skip

REQUEST = {
    **{name: value for name, value in BRANCH.items() if name != "CI_COMMIT_BRANCH"},
    "CI_PIPELINE_SOURCE": "merge_request_event", "CI_COMMIT_REF_NAME": "topic", "CI_MERGE_REQUEST_IID": "12", "CI_MERGE_REQUEST_ID": "9012",
    "CI_MERGE_REQUEST_PROJECT_ID": "7", "CI_MERGE_REQUEST_PROJECT_PATH": "group/app", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "7",
    "CI_MERGE_REQUEST_PROJECT_URL": "https://git.example.com/gitlab/group/app", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_MERGE_REQUEST_DIFF_BASE_SHA": BASE,
}  # fmt: skip


def test_a_branch_pipeline() -> None:
    context = read(BRANCH)
    assert context == RunContext(
        Platform.GITLAB, "push", Kind.JOB, "group/app", "7", "https://git.example.com/gitlab", "https://git.example.com/gitlab/api/v4", RunRef("1201"), "55",
        RunRef("1201"), Status.UNKNOWN, "push", SHA, "main", "", "main", None, True, "ada", "https://git.example.com/gitlab/group/app/-/pipelines/1201",
        "/builds/group/app", None,
    )  # fmt: skip
    assert context.on_default_branch


def test_a_merge_request_pipeline_takes_its_settings_from_where_the_branch_began() -> None:
    context = read(REQUEST)
    page = "https://git.example.com/gitlab/group/app/-/merge_requests/12"
    assert context.pull_request == PullRequest(12, SHA, "topic", "main", BASE, from_fork=False, url=page)
    assert (context.kind, context.branch, context.config_ref, context.trusted, context.on_default_branch) == (Kind.JOB, "topic", BASE, True, False)


def test_a_merged_results_pipeline_runs_on_a_trial_merge_and_names_the_head_apart() -> None:
    context = read({**REQUEST, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD})
    assert context.pull_request is not None
    assert (context.sha, context.pull_request.head_sha) == (SHA, HEAD)


def test_without_the_base_commit_settings_come_from_the_target_branch() -> None:
    assert read({**REQUEST, "CI_MERGE_REQUEST_DIFF_BASE_SHA": ""}).config_ref == "main"


@pytest.mark.parametrize(
    "more",
    [
        {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "99"},  # started in the project by a member
        {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "99", "CI_PROJECT_ID": "99", "CI_PROJECT_PATH": "stranger/app"},  # runs in the fork
        {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": ""},  # the fork was deleted
    ],
)
def test_a_merge_request_from_a_fork_is_not_trusted(more: dict[str, str]) -> None:
    context = read({**REQUEST, **more})
    assert context.pull_request is not None
    assert context.pull_request.from_fork
    assert not context.trusted


def test_in_a_fork_the_pipeline_is_the_forks_and_the_merge_request_that_of_the_target() -> None:
    context = read({**REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "99", "CI_PROJECT_ID": "99", "CI_PROJECT_PATH": "stranger/app"})
    assert (context.project, context.repository) == ("99", "group/app")


def test_an_external_pull_request_from_a_fork_is_not_trusted() -> None:
    ends = {"CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY": "stranger/app", "CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY": "owner/app"}
    assert not read({**BRANCH, **ends}).trusted
    assert read({**BRANCH, **ends, "CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY": "owner/app"}).trusted


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"CI_PIPELINE_SOURCE": "schedule"}, Kind.SCHEDULE), ({"CI_COMMIT_TAG": "v1.2.3", "CI_COMMIT_BRANCH": ""}, Kind.TAG),
        ({"CI_ENVIRONMENT_NAME": "production"}, Kind.DEPLOYMENT), ({"CI_PIPELINE_SOURCE": "web"}, Kind.JOB),
        ({"CI_PIPELINE_SOURCE": "schedule", "CI_ENVIRONMENT_NAME": "production"}, Kind.SCHEDULE),
    ],
)  # fmt: skip
def test_the_kind_says_what_happened(more: dict[str, str], kind: Kind) -> None:
    assert read({**BRANCH, **more}).kind is kind


def test_a_tag_is_no_branch() -> None:
    context = read({**BRANCH, "CI_COMMIT_TAG": "v1.2.3", "CI_COMMIT_BRANCH": "", "CI_COMMIT_REF_NAME": "v1.2.3"})
    assert (context.tag, context.branch) == ("v1.2.3", "")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("failed", Status.FAILURE), ("success", Status.SUCCESS), ("canceled", Status.CANCELLED), ("running", Status.RUNNING),
        ("", Status.UNKNOWN), ("odd", Status.UNKNOWN),
    ],
)  # fmt: skip
def test_after_script_knows_how_the_job_ended(word: str, status: Status) -> None:
    assert read({**BRANCH, "CI_JOB_STATUS": word}).target_status is status


def test_a_pipeline_page_is_put_together_where_it_is_not_told() -> None:
    assert read({**BRANCH, "CI_PIPELINE_URL": ""}).run_url == "https://git.example.com/gitlab/group/app/-/pipelines/1201"


@pytest.mark.parametrize("name", ["CI_PIPELINE_ID", "CI_COMMIT_SHA", "CI_PROJECT_ID", "CI_PROJECT_PATH", "CI_API_V4_URL"])
def test_a_variable_that_lacks_is_named(name: str) -> None:
    with pytest.raises(UsageError, match=f"The variable {name} is not set"):
        read({key: value for key, value in BRANCH.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CI_PIPELINE_ID", "12/jobs"), ("CI_PIPELINE_ID", "9" * 40), ("CI_COMMIT_SHA", "main"), ("CI_PROJECT_ID", "-7"), ("CI_PROJECT_PATH", "app"),
        ("CI_PROJECT_PATH", "group/app?x"), ("CI_API_V4_URL", "git.example.com"), ("CI_API_V4_URL", "file:///etc/passwd"),
        ("CI_MERGE_REQUEST_IID", "x"), ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "x"), ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "--upload-pack=x"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "x"), ("CI_MERGE_REQUEST_PROJECT_PATH", "x"), ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "a b"),
    ],
)  # fmt: skip
def test_a_variable_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"The variable {name} should be") as problem:
        read({**REQUEST, name: value})
    assert len(str(problem.value)) < 200

"""The context of a Jenkins build, read from the variables that Jenkins and its plugins set."""

from __future__ import annotations

import pytest

from cicd_agents.context.jenkins import read
from cicd_agents.domain.ci import RunRef, Status
from cicd_agents.domain.context import Kind, Platform, PullRequest, RunContext

SHA = "a" * 40
BUILD = {
    "JENKINS_URL": "https://ci.example/jenkins/", "JOB_NAME": "team/app/main", "BUILD_NUMBER": "12",
    "BUILD_URL": "https://ci.example/jenkins/job/team/job/app/job/main/12/", "GIT_COMMIT": SHA, "GIT_BRANCH": "main", "BRANCH_NAME": "main",
    "GIT_URL": "https://git.example/org/app.git", "BRANCH_IS_PRIMARY": "true", "WORKSPACE": "/var/jenkins/workspace/app", "BUILD_USER_ID": "ada",
}  # fmt: skip
CHANGE = {
    **BUILD, "JOB_NAME": "team/app/PR-7", "BRANCH_NAME": "PR-7", "GIT_BRANCH": "PR-7", "BRANCH_IS_PRIMARY": "", "CHANGE_ID": "7", "CHANGE_TARGET": "main",
    "CHANGE_BRANCH": "feature/x", "CHANGE_URL": "https://git.example/org/app/pull/7", "CHANGE_AUTHOR": "grace", "BUILD_USER_ID": "",
}  # fmt: skip


def test_a_build_of_a_branch_is_read_in_full() -> None:
    ref = RunRef("team/app/main#12")
    assert read(BUILD) == RunContext(
        Platform.JENKINS, "build", Kind.JOB, "org/app", "team/app/main", "https://ci.example/jenkins", "https://ci.example/jenkins", ref, "", ref,
        Status.UNKNOWN, "team/app/main", SHA, "main", "", "main", None, True, "ada", BUILD["BUILD_URL"], BUILD["WORKSPACE"],
    )  # fmt: skip
    assert read(BUILD).on_default_branch


def test_a_change_request_takes_its_settings_from_the_base() -> None:
    context = read(CHANGE)
    assert (context.event, context.kind, context.branch, context.config_ref, context.actor) == ("change", Kind.JOB, "feature/x", "main", "grace")
    assert context.pull_request == PullRequest(7, SHA, "feature/x", "main", url="https://git.example/org/app/pull/7")
    assert context.trusted
    assert not context.on_default_branch


def test_a_change_from_a_fork_is_not_trusted() -> None:
    context = read({**CHANGE, "CHANGE_FORK": "stranger/app"})
    assert context.pull_request is not None
    assert (context.pull_request.from_fork, context.trusted) == (True, False)


def test_a_change_without_a_number_is_no_pull_request_but_a_fork_stays_one() -> None:
    context = read({**CHANGE, "CHANGE_ID": "I8473b95934b5732ac55d26311a706c9c2bde9940", "CHANGE_FORK": "stranger/app"})
    assert (context.pull_request, context.trusted) == (None, False)


def test_a_tag_is_no_branch() -> None:
    context = read({**BUILD, "TAG_NAME": "v1.2", "BRANCH_NAME": "v1.2", "BRANCH_IS_PRIMARY": ""})
    assert (context.event, context.kind, context.tag, context.branch) == ("tag", Kind.TAG, "v1.2", "")


@pytest.mark.parametrize(
    ("git_branch", "branch"),
    [("origin/main", "main"), ("origin/f/origin/x", "f/origin/x"), ("refs/heads/x", "x"), ("refs/remotes/origin/x", "x"), ("feature/x", "feature/x")],
)
def test_the_branch_of_a_classic_job_is_freed_of_its_remote(git_branch: str, branch: str) -> None:
    assert read({"JENKINS_URL": "x", "JOB_NAME": "app", "BUILD_NUMBER": "1", "GIT_BRANCH": git_branch}).branch == branch


@pytest.mark.parametrize(
    ("url", "repository"),
    [
        ("https://git.example/org/app.git", "org/app"),
        ("https://ada:t0ps3cret@git.example:8443/scm/org/app.git", "scm/org/app"),
        ("git@git.example:org/app.git", "org/app"),
        ("ssh://git@git.example:2222/org/app", "org/app"),
        ("ssh://git@[::1]/org/app", "org/app"),
        ("https://git.example/org/app/", "org/app"),
        ("", "team/app"),
        ("app.git", "team/app"),
        ("/srv/git/app.git", "team/app"),
        ("https://ada:p@ss@git.example/org/app", "org/app"),
        ("https://ada:p@ss@git.example", "team/app"),
        ("https://ada:p/ss@git.example/org/app", "team/app"),
        ("https://ada:12/ss@git.example/org/app", "team/app"),
    ],
)
def test_the_repository_is_the_path_of_its_url_without_credentials(url: str, repository: str) -> None:
    assert read({**BUILD, "GIT_URL": url}).repository == repository


@pytest.mark.parametrize(("job", "branch", "repository"), [("app", "", "app"), ("team/app", "", "team/app"), ("app", "main", "app")])
def test_without_a_git_url_the_job_names_the_repository(job: str, branch: str, repository: str) -> None:
    assert read({**BUILD, "GIT_URL": "", "JOB_NAME": job, "BRANCH_NAME": branch}).repository == repository


@pytest.mark.parametrize("missing", [{"BUILD_NUMBER": ""}, {"JOB_NAME": ""}, {"BUILD_NUMBER": "12a"}])
def test_a_jenkins_without_a_build_only_says_where_it_is(missing: dict[str, str]) -> None:
    context = read({**BUILD, **missing})
    assert (context.kind, context.target, context.server_url) == (Kind.OTHER, None, "https://ci.example/jenkins")

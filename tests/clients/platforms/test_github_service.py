"""GitHub as a service: the words for its requests, the permissions that they need, the tokens of forks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cicd_agents.clients.platforms.github_service import naming, reads_only, repository_path, service
from cicd_agents.domain.context import Platform, PullRequest, RunContext

DESCRIPTION = Path(__file__).parents[2] / "data" / "openapi" / "github.json"
HERE = "/repos/octo/app"


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", HERE, "reading the repository"),
        ("GET", f"{HERE}/actions/runs/12", "reading run 12"),
        ("GET", f"{HERE}/actions/runs/12/attempts/3", "reading run 12"),
        ("GET", f"{HERE}/actions/runs/12/attempts/3/jobs", "reading the jobs of run 12"),
        ("GET", "/repositories/100/actions/runs/12/attempts/3/jobs", "reading the jobs of run 12"),
        ("GET", "/api/v3/repositories/100/issues/5/comments", "reading the comments of #5"),
        ("POST", f"{HERE}/actions/runs/12/rerun-failed-jobs", "starting the failed jobs of run 12 again"),
        ("GET", f"{HERE}/contents/a%20b/c.txt", "reading the file a b/c.txt"),
        ("GET", f"{HERE}/compare/aa...bb", "comparing aa...bb"),
        ("DELETE", f"{HERE}/issues/comments/5", "deleting comment 5"),
        ("GET", f"{HERE}/releases/tags/core%2Fv1.0", "reading the release of core/v1.0"),
        ("GET", f"{HERE}/git/ref/tags%2Fcore%2Fv1.0", "looking for the tag core/v1.0"),
        ("GET", "/repositories/100/releases", "reading the releases"),
        ("POST", f"{HERE}/releases/7/assets", "uploading a file to release 7"),
        ("POST", f"{HERE}/actions/workflows/deploy.yml/dispatches", "starting workflow deploy.yml"),
        ("GET", f"{HERE}/commits/aa/check-runs", "reading the checks of commit aa"),
        ("GET", "/users/github-actions%5Bbot%5D", "asking for the account github-actions[bot]"),
        ("GET", "/orgs/octo/teams/core/memberships/mona", "asking whether mona is in the team octo/core"),
        ("GET", "/user", "asking whose token this is"),
        ("POST", "/api/graphql", "asking whose token this is"),
        ("PUT", f"{HERE}/merge", f"PUT {HERE}/merge"),
        ("GET", "/elsewhere", "GET /elsewhere"),
    ],
)
def test_a_request_is_said_in_words(method: str, path: str, words: str) -> None:
    assert naming(method, path) == words


def test_every_operation_that_we_check_has_words_and_a_permission() -> None:
    """The description is cut to what we call, so both lists must agree."""
    advice = service(RunContext(Platform.GITHUB, "push", api_url="https://api.github.com"), "").advice
    for path, item in json.loads(DESCRIPTION.read_text())["paths"].items():
        real = re.sub(r"\{\w+\}", "12", path)
        for method in set(item) & {"get", "post", "patch", "delete"}:
            assert not naming(method.upper(), real).startswith(method.upper()), path
            assert re.search(r"Add `[a-z-]+: (read|write)`|account of the token", advice(method.upper(), real, 403)), path


def test_the_token_is_a_bearer_and_not_shown() -> None:
    made = service(RunContext(Platform.GITHUB, "push", api_url="https://git.example.com/api/v3"), "ghs_secret0123456789")
    assert made.headers["authorization"] == "Bearer ghs_secret0123456789"
    assert made.base_url == "https://git.example.com/api/v3"
    assert "ghs_" not in repr(made)
    assert "authorization" not in service(RunContext(Platform.GITHUB, "push"), "").headers


@pytest.mark.parametrize(
    ("event", "fork", "expected"),
    [("pull_request", True, True), ("pull_request_review", True, True), ("pull_request", False, False), ("pull_request_target", True, False)],
)
def test_only_a_forks_own_pull_request_has_a_token_that_reads_only(event: str, fork: bool, expected: bool) -> None:
    pull = PullRequest(1, "a" * 40, "x", "main", from_fork=fork)
    assert reads_only(RunContext(Platform.GITHUB, event, pull_request=pull)) is expected
    assert not reads_only(RunContext(Platform.GITHUB, "workflow_run", pull_request=pull, trusted=False))


def test_a_fork_may_still_be_given_the_right_to_read() -> None:
    context = RunContext(Platform.GITHUB, "pull_request", pull_request=PullRequest(1, "a" * 40, "x", "main", from_fork=True))
    advice = service(context, "").advice
    assert advice("GET", f"{HERE}/actions/runs/1", 403).startswith("Add `actions: read`")
    assert "workflow_run" in advice("POST", f"{HERE}/issues/1/comments", 403)


def test_what_is_absent_is_explained() -> None:
    advice = service(RunContext(Platform.GITHUB, "push"), "").advice
    assert "still runs" in advice("GET", f"{HERE}/actions/jobs/1/logs", 404)
    assert advice("POST", f"{HERE}/issues", 410) == "Are issues turned off for this repository?"
    assert "`contents: read`" in advice("GET", f"{HERE}/compare/a...b", 404)


def test_a_name_cannot_leave_its_place_in_the_path() -> None:
    assert repository_path("octo/a?b#c") == "/repos/octo/a%3Fb%23c"

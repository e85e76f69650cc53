"""The stand-in for GitHub finds what is wrong with requests; a check that cannot fail proves nothing."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from tests.servers import github_events as events
from tests.servers.github import FORK, WORKFLOW_TOKEN, GitHub
from tests.servers.http_server import Request, json_reply

from cicd_agents.context.github import read
from cicd_agents.domain.ci import RunRef
from cicd_agents.domain.context import Kind

HEADERS = {"authorization": f"Bearer {WORKFLOW_TOKEN}", "x-github-api-version": "2022-11-28", "user-agent": "cicd-agents/0"}
HERE = "/repos/octo/app"


@pytest.fixture
def hub() -> Iterator[GitHub]:
    hub = GitHub()
    yield hub
    hub.server.problems.clear()
    hub.blobs.problems.clear()
    hub.close()


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", f"{HERE}/actions/runs/1/nothing", "no such operation"),
        ("PUT", f"{HERE}/issues", "no such operation"),
        ("GET", f"{HERE}/issues?label=x", "unknown query parameters ['label']"),
        ("GET", f"{HERE}/issues?state=reopened", "is not one of"),
        ("GET", f"{HERE}/actions/runs/twelve", "twelve"),
        ("GET", f"{HERE}/pulls?per_page=many", "many"),
    ],
)
def test_a_request_that_github_does_not_know_is_a_problem(hub: GitHub, method: str, path: str, said: str) -> None:
    httpx.request(method, hub.api_url + path, headers=HEADERS)
    assert said in hub.problems[0]
    with pytest.raises(AssertionError, match=r"."):
        hub.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", f"{HERE}/issues", {"body": "x"}, "'title' is a required property"),
        ("POST", f"{HERE}/issues", {"title": "x", "label": []}, "unknown fields ['label']"),
        ("PATCH", f"{HERE}/issues/1", {"state": "reopened"}, "is not one of"),
        ("POST", f"{HERE}/issues/1/comments", {"body": 5}, "is not of type 'string'"),
        ("POST", f"{HERE}/actions/runs/1/rerun-failed-jobs", {"jobs": []}, "unknown fields ['jobs']"),
    ],
)
def test_a_body_that_github_does_not_know_is_a_problem(hub: GitHub, method: str, path: str, body: dict[str, object], said: str) -> None:
    httpx.request(method, hub.api_url + path, headers=HEADERS, json=body)
    assert said in hub.problems[0]


def test_a_missing_api_version_is_a_problem(hub: GitHub) -> None:
    httpx.get(hub.api_url + HERE, headers={**HEADERS, "x-github-api-version": ""})
    assert "API version" in hub.problems[0]


def test_a_token_that_follows_a_redirect_is_a_problem(hub: GitHub) -> None:
    job = hub.add_job(hub.add_run(), "build", log=b"x")
    httpx.get(f"{hub.blobs.url}/logs/{job.id}?sig=signed", headers=HEADERS)
    assert "authorization" in hub.problems[0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [({"id": "7", "name": "app"}, "'7' is not of type 'integer'"), ({"default_branche": "main"}, "'default_branche' was unexpected")],
)
def test_an_answer_that_github_would_not_give_is_a_problem(hub: GitHub, answer: dict[str, object], said: str) -> None:
    request = Request("GET", HERE, {}, {}, b"")
    problem = hub.description.check_answer(request, json_reply(answer))
    assert problem is not None
    assert said in problem


def test_what_is_right_is_no_problem(hub: GitHub) -> None:
    issue = hub.add_issue("x")
    assert httpx.get(f"{hub.api_url}{HERE}/issues?labels=a&state=all", headers=HEADERS).status_code == 200
    assert httpx.post(f"{hub.api_url}{HERE}/issues/{issue.number}/comments", headers=HEADERS, json={"body": "y"}).status_code == 201
    assert hub.problems == []


def test_an_unchanged_answer_is_not_sent_again(hub: GitHub) -> None:
    tag = httpx.get(hub.api_url + HERE, headers=HEADERS).headers["etag"]
    again = httpx.get(hub.api_url + HERE, headers={**HEADERS, "if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("token", ["x", "ghs_unknown"])
def test_an_unknown_token_is_refused(hub: GitHub, token: str) -> None:
    assert httpx.get(hub.api_url + HERE, headers={**HEADERS, "authorization": f"Bearer {token}"}).status_code == 401


def test_the_events_of_the_stand_in_are_read_like_githubs(hub: GitHub) -> None:
    run = hub.add_run("CI", "failure", branch="patch-1", head=FORK, event="pull_request")
    found = read(events.environment(hub, "workflow_run"), events.workflow_run(hub, run))
    assert (found.kind, found.target, found.trusted, found.branch) == (Kind.RUN_FINISHED, RunRef(str(run.id)), False, "patch-1")
    pull = hub.add_pull("a" * 40, "patch-1", head=FORK)
    found = read(events.environment(hub, "pull_request", own=run), events.pull_request(hub, pull))
    assert (found.pull_request and found.pull_request.from_fork, found.own_run, found.config_ref) == (True, RunRef(str(run.id)), pull.base_sha)
    own = hub.add_run("CI", None)
    found = read(events.environment(hub, "push", own=own), events.push(hub, own))
    assert (found.kind, found.sha, found.on_default_branch, found.run_url) == (Kind.JOB, own.sha, True, f"{hub.url}/actions/runs/{own.id}/attempts/1")

"""The operations of GitHub's REST API that the stand-in knows: method, path below the repository, permission, handler."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.servers.github_state import FakeCommit, FakePull, FakeRun, files_json
from tests.servers.http_server import Reply, Request, json_reply

if TYPE_CHECKING:
    from tests.servers.github import GitHub

# A comparison without pages holds so many.
MOST_COMMITS, MOST_FILES = 250, 300
MOST_BODY = 65536


def missing(message: str = "Not Found", status: int = 404) -> Reply:
    """There is no such thing."""
    return json_reply({"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}, status)


def refusal() -> Reply:
    """What a token without the permission is told."""
    return missing("Resource not accessible by integration", 403)


def repository(hub: GitHub, _request: Request) -> Reply:
    return json_reply({**hub.repository.json(), "default_branch": hub.default_branch, "private": False, "html_url": hub.url})


def run(hub: GitHub, _request: Request, number: str, attempt: str | None = None) -> Reply:
    found = _run(hub, number)
    if found is None or int(attempt or 1) > len(found.attempts):
        return missing()
    return json_reply(found.json(int(attempt or len(found.attempts)), hub.url))


def jobs(hub: GitHub, request: Request, number: str, attempt: str | None = None) -> Reply:
    found = _run(hub, number)
    if found is None or int(attempt or 1) > len(found.attempts):
        return missing()
    numbers = [int(attempt or len(found.attempts))] if request.query.get("filter") != "all" else range(len(found.attempts), 0, -1)
    listed = [job.json(found, attempt_number, hub.url) for attempt_number in numbers for job in found.attempts[attempt_number - 1].jobs]
    return hub.paged(request, listed, "jobs")


def job_log(hub: GitHub, _request: Request, number: str) -> Reply:
    job = hub.job(int(number))
    return missing() if job is None or job.log is None else hub.log_reply(job)


def job_annotations(hub: GitHub, request: Request, number: str) -> Reply:
    job = hub.job(int(number))
    return missing() if job is None else hub.paged(request, job.annotations)


def workflow_runs(hub: GitHub, request: Request, workflow: str) -> Reply:
    found = [run for run in reversed(hub.runs) if workflow in (str(run.workflow_id), run.path.rpartition("/")[2]) and run.fits(request.query)]
    found.sort(key=lambda run: -run.created)
    return hub.paged(request, [run.json(len(run.attempts), hub.url) for run in found], "workflow_runs")


def rerun(hub: GitHub, _request: Request, number: str) -> Reply:
    found = _run(hub, number)
    if found is None:
        return missing()
    if found.attempts[-1].status != "completed":
        return missing("This workflow is already running", 403)
    hub.restart(found)
    return json_reply({}, 201)


def commit(hub: GitHub, _request: Request, ref: str) -> Reply:
    found = hub.commits.get(ref)
    return missing(f"No commit found for SHA: {ref}", 422) if found is None else json_reply(found.json(hub.url, with_files=True))


def commit_pulls(hub: GitHub, request: Request, sha: str) -> Reply:
    pulls = [(issue, issue.pull) for issue in hub.issues.values() if issue.pull and sha in (issue.pull.sha, issue.pull.merged_as, *issue.pull.commits)]
    if sha not in hub.commits and not pulls:
        return missing(f"No commit found for SHA: {sha}", 422)
    return hub.paged(request, [hub.pull_json(issue, hub.url) for issue, pull in pulls if hub.ties_forks or pull.head == hub.repository])


def compare(hub: GitHub, _request: Request, both: str) -> Reply:
    base, _, head = both.partition("...")
    way: list[FakeCommit] = []
    sha = head
    while sha != base:
        if sha not in hub.commits:
            return missing()
        way.insert(0, hub.commits[sha])
        sha = hub.commits[sha].parent
    files = tuple({item[0]: item for one in way for item in one.files}.values())
    return json_reply({
        "status": "ahead", "ahead_by": len(way), "behind_by": 0, "total_commits": len(way), "html_url": f"{hub.url}/compare/{both}",
        "commits": [one.json(hub.url, with_files=False) for one in way[-MOST_COMMITS:]], "files": files_json(files[:MOST_FILES]),
    })  # fmt: skip


def contents(hub: GitHub, request: Request, path: str) -> Reply:
    ref = request.query.get("ref", hub.default_branch)
    if (ref, path) in hub.files:
        raw = request.headers.get("accept") == "application/vnd.github.raw+json"
        return Reply(200, hub.files[ref, path], {"content-type": "application/vnd.github.raw+json; charset=utf-8"}) if raw else missing("Ask for raw", 415)
    inside = [name for at, name in hub.files if at == ref and name.startswith(f"{path}/")]
    return json_reply([{"name": name, "path": name, "type": "file", "size": 1} for name in inside]) if inside else missing()


def pulls(hub: GitHub, request: Request) -> Reply:
    state, head, base = request.query.get("state", "open"), request.query.get("head", ""), request.query.get("base", "")
    found = [
        issue for issue in hub.issues.values()
        if issue.pull and state in ("all", issue.pull.state) and base in ("", issue.pull.base) and head in ("", _label(issue.pull))
    ]  # fmt: skip
    return hub.paged(request, [hub.pull_json(issue, hub.url) for issue in reversed(found)])


def comments(hub: GitHub, request: Request, number: str) -> Reply:
    return hub.paged(request, [comment.json(hub.url) for comment in hub.comments_on(int(number))]) if int(number) in hub.issues else missing()


def create_comment(hub: GitHub, request: Request, number: str) -> Reply:
    issue = hub.issues.get(int(number))
    if issue is None:
        return missing()
    if not _may_comment(hub, issue.number):
        return refusal()
    return _too_long(request) or json_reply(hub.write_comment(request, int(number)).json(hub.url), 201)


def update_comment(hub: GitHub, request: Request, number: str) -> Reply:
    comment = hub.comments.get(int(number))
    if comment is None:
        return missing()
    problem = _too_long(request) if _may_comment(hub, comment.number) else refusal()
    if problem is None:
        comment.body, comment.updated = request.json()["body"], hub.moment()
    return problem or json_reply(comment.json(hub.url))


def delete_comment(hub: GitHub, _request: Request, number: str) -> Reply:
    comment = hub.comments.get(int(number))
    if comment is None:
        return missing()
    if not _may_comment(hub, comment.number):
        return refusal()
    del hub.comments[comment.id]
    return Reply(204)


def issues(hub: GitHub, request: Request) -> Reply:
    label, state = request.query.get("labels", ""), request.query.get("state", "open")
    found = [issue for issue in reversed(hub.issues.values()) if label in ("", *issue.labels) and state in ("all", issue.state)]
    return hub.paged(request, [issue.json(hub.url) for issue in found])


def create_issue(hub: GitHub, request: Request) -> Reply:
    return _too_long(request) or json_reply(hub.write_issue(request).json(hub.url), 201)


def update_issue(hub: GitHub, request: Request, number: str) -> Reply:
    issue = hub.issues.get(int(number))
    if issue is None:
        return missing()
    change: dict[str, Any] = request.json()
    issue.body, issue.state = change.get("body", issue.body), change.get("state", issue.state)
    return json_reply(issue.json(hub.url))


def _label(pull: FakePull) -> str:
    """`owner:branch`, by which a list is filtered."""
    return f"{pull.head.full_name.partition('/')[0]}:{pull.branch}" if pull.head else ""


def _run(hub: GitHub, number: str) -> FakeRun | None:
    return next((run for run in hub.runs if str(run.id) == number), None)


def _may_comment(hub: GitHub, number: int) -> bool:
    """On a pull request, either permission will do."""
    return bool(hub.permissions & ({"issues: write", "pull-requests: write"} if hub.issues[number].pull else {"issues: write"}))


def _too_long(request: Request) -> Reply | None:
    body = request.json().get("body") or ""
    if len(body) <= MOST_BODY:
        return None
    return json_reply({"message": "Validation Failed", "errors": [{"code": "custom", "message": "body is too long (maximum is 65536 characters)"}]}, 422)


Handler = Callable[..., Reply]
ROUTES: tuple[tuple[str, re.Pattern[str], str, Handler], ...] = tuple(
    (method, re.compile(path), permission, handler)
    for method, path, permission, handler in (
        ("GET", r"", "", repository),
        ("GET", r"/actions/runs/(\d+)", "actions: read", run),
        ("GET", r"/actions/runs/(\d+)/attempts/(\d+)", "actions: read", run),
        ("GET", r"/actions/runs/(\d+)/attempts/(\d+)/jobs", "actions: read", jobs),
        ("GET", r"/actions/runs/(\d+)/jobs", "actions: read", jobs),
        ("POST", r"/actions/runs/(\d+)/rerun-failed-jobs", "actions: write", rerun),
        ("GET", r"/actions/jobs/(\d+)/logs", "actions: read", job_log),
        ("GET", r"/actions/workflows/([^/]+)/runs", "actions: read", workflow_runs),
        ("GET", r"/check-runs/(\d+)/annotations", "checks: read", job_annotations),
        ("GET", r"/commits/([^/]+)/pulls", "pull-requests: read", commit_pulls),
        ("GET", r"/commits/([^/]+)", "contents: read", commit),
        ("GET", r"/compare/([^/]+)", "contents: read", compare),
        ("GET", r"/contents/([^/]+)", "contents: read", contents),
        ("GET", r"/pulls", "pull-requests: read", pulls),
        ("GET", r"/issues/(\d+)/comments", "", comments),
        ("POST", r"/issues/(\d+)/comments", "", create_comment),
        ("PATCH", r"/issues/comments/(\d+)", "", update_comment),
        ("DELETE", r"/issues/comments/(\d+)", "", delete_comment),
        ("GET", r"/issues", "issues: read", issues),
        ("POST", r"/issues", "issues: write", create_issue),
        ("PATCH", r"/issues/(\d+)", "issues: write", update_issue),
    )
)

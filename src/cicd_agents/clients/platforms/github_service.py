"""GitHub as a service to call: its headers, and for each request the words for it and the permission that it needs.

Source of the permissions: docs.github.com, "Permissions required for GitHub Apps"; the names are those of a workflow's `permissions:` block.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from cicd_agents.clients.http_service import Service, plain_advice
from cicd_agents.domain.context import RunContext

NAME = "GitHub"
API_VERSION = "2022-11-28"


@dataclass(frozen=True, slots=True)
class _Call:
    """A request by method and path below the repository: the words for it, with the path's groups filled in, and the permission that it needs."""

    method: str
    path: re.Pattern[str]
    words: str
    permission: str


_CALLS = tuple(
    _Call(method, re.compile(path), words, permission)
    for method, path, words, permission in (
        ("GET", r"", "reading the repository", "contents: read"),
        ("GET", r"/actions/runs/(\d+)(?:/attempts/\d+)?/jobs", "reading the jobs of run {0}", "actions: read"),
        ("GET", r"/actions/runs/(\d+)(?:/attempts/\d+)?", "reading run {0}", "actions: read"),
        ("POST", r"/actions/runs/(\d+)/rerun-failed-jobs", "starting the failed jobs of run {0} again", "actions: write"),
        ("GET", r"/actions/runs/(\d+)/approvals", "reading what was said for the environments of run {0}", "actions: read"),
        ("GET", r"/actions/jobs/(\d+)/logs", "reading the log of job {0}", "actions: read"),
        ("GET", r"/actions/workflows/([^/]+)/runs", "reading the runs of workflow {0}", "actions: read"),
        ("POST", r"/actions/workflows/([^/]+)/dispatches", "starting workflow {0}", "actions: write"),
        ("GET", r"/check-runs/(\d+)/annotations", "reading the annotations of job {0}", "checks: read"),
        ("GET", r"/collaborators/([^/]+)/permission", "asking what {0} may do in the repository", "contents: read"),
        ("GET", r"/compare/(.+)", "comparing {0}", "contents: read"),
        ("GET", r"/commits/([^/]+)/pulls", "looking for the pull request of commit {0}", "pull-requests: read"),
        ("GET", r"/commits/([^/]+)/check-runs", "reading the checks of commit {0}", "checks: read"),
        ("GET", r"/commits/([^/]+)/status", "reading the statuses of commit {0}", "statuses: read"),
        ("GET", r"/commits/([^/]+)", "reading commit {0}", "contents: read"),
        ("GET", r"/contents/(.+)", "reading the file {0}", "contents: read"),
        ("GET", r"/git/ref/(?:tags%2F)?([^/]+)", "looking for the tag {0}", "contents: read"),
        ("GET", r"/pulls", "reading the open pull requests", "pull-requests: read"),
        ("POST", r"/pulls", "opening a pull request", "pull-requests: write"),
        ("PATCH", r"/pulls/(\d+)", "updating pull request #{0}", "pull-requests: write"),
        ("GET", r"/issues/(\d+)/comments", "reading the comments of #{0}", "pull-requests: read"),
        ("POST", r"/issues/(\d+)/comments", "writing a comment on #{0}", "pull-requests: write"),
        ("PATCH", r"/issues/comments/(\d+)", "updating comment {0}", "pull-requests: write"),
        ("DELETE", r"/issues/comments/(\d+)", "deleting comment {0}", "pull-requests: write"),
        ("GET", r"/issues/(\d+)/labels", "reading the labels of #{0}", "pull-requests: read"),
        ("POST", r"/issues/(\d+)/labels", "adding labels to #{0}", "pull-requests: write"),
        ("GET", r"/issues", "reading the issues", "issues: read"),
        ("POST", r"/issues", "opening an issue", "issues: write"),
        ("PATCH", r"/issues/(\d+)", "updating issue #{0}", "issues: write"),
        ("GET", r"/releases", "reading the releases", "contents: read"),
        ("POST", r"/releases", "making a release", "contents: write"),
        ("GET", r"/releases/latest", "reading the latest release", "contents: read"),
        ("GET", r"/releases/tags/([^/]+)", "reading the release of {0}", "contents: read"),
        ("GET", r"/releases/assets/(\d+)", "reading release asset {0}", "contents: read"),
        ("DELETE", r"/releases/assets/(\d+)", "deleting release asset {0}", "contents: write"),
        ("GET", r"/releases/(\d+)", "reading release {0}", "contents: read"),
        ("PATCH", r"/releases/(\d+)", "updating release {0}", "contents: write"),
        ("DELETE", r"/releases/(\d+)", "deleting the draft release {0}", "contents: write"),
        ("POST", r"/releases/(\d+)/assets", "uploading a file to release {0}", "contents: write"),
    )
)
# The same by the whole path.
_ELSEWHERE = tuple(
    _Call("GET", re.compile(path), words, permission)
    for path, words, permission in (
        (r"/users/([^/]+)", "asking for the account {0}", "contents: read"),
        (r"/orgs/([^/]+)/teams/([^/]+)", "looking for the team {0}/{1}", "members: read"),
        (r"/orgs/([^/]+)/teams/([^/]+)/memberships/([^/]+)", "asking whether {2} is in the team {0}/{1}", "members: read"),
    )
)
# Issues and pull requests share these, and each has a permission of its own.
_OF_ANY_THREAD = ("/comments", r"/comments/(\d+)", "/labels")
# GitHub's links to the next page name the repository by its number.
_BELOW_REPOSITORY = re.compile(r"(?:/repos/[^/]+/[^/]+|(?:/api/v3)?/repositories/\d+)(/.*)?")


def service(context: RunContext, token: str) -> Service:
    """GitHub, or an Enterprise Server, as the context names it; without a token only public things can be read."""
    headers = {"x-github-api-version": API_VERSION}
    if token:
        headers["authorization"] = f"Bearer {token}"
    return Service(NAME, context.api_url, headers, advice=_advice(reads_only(context)), naming=naming)


def reads_only(context: RunContext) -> bool:
    """Whether GitHub cut the job's token to reading, whatever `permissions:` says: a pull request from a fork started it."""
    pull = context.pull_request
    return context.event.startswith("pull_request") and context.event != "pull_request_target" and pull is not None and pull.from_fork


def repository_path(repository: str) -> str:
    """The path of `owner/name` in the API."""
    return f"/repos/{quote(repository)}"


def naming(method: str, path: str) -> str:
    """What a request does, in words."""
    if path.endswith("/graphql") or path == "/user":
        return "asking whose token this is"
    call, groups = _call(method, path)
    return call.words.format(*groups) if call else f"{method} {path}"


def _call(method: str, path: str) -> tuple[_Call | None, tuple[str, ...]]:
    below = _BELOW_REPOSITORY.fullmatch(path)
    place = (below[1] or "") if below else path
    for call in _CALLS if below else _ELSEWHERE:
        found = call.path.fullmatch(place) if call.method == method else None
        if found:
            return call, tuple(unquote(group) for group in found.groups())
    return None, ()


def _advice(fork: bool) -> Callable[[str, str, int], str]:
    def advice(method: str, path: str, status: int) -> str:
        call, _ = _call(method, path)
        if status == 403 and path == "/user":
            return "Without the account of the token, our own comments cannot be found again; use the job's token or one of a person."
        if status == 401 or call is None:
            return plain_advice(method, path, status)
        if status == 403:
            return _on_refusal(call, fork)
        return _on_absence(call, status)

    return advice


def _on_refusal(call: _Call, fork: bool) -> str:
    writes = call.permission.endswith("write")
    if call.permission.startswith("members"):
        return f"Add `{call.permission}` of the organisation to a token of a GitHub App or a person; the job's own token cannot have it."
    if fork and writes:
        return "GitHub lets the token of a pull request from a fork only read. Do this in a second workflow, started by `workflow_run`."
    also = " (on an issue: `issues: write`)" if call.path.pattern.endswith(_OF_ANY_THREAD) and writes else ""
    allowed = " The setting `Allow GitHub Actions to create and approve pull requests` must be on, too." if call.path.pattern == "/pulls" and writes else ""
    return f"Add `{call.permission}`{also} to the job's permissions; a token of your own needs the same.{allowed}"


def _on_absence(call: _Call, status: int) -> str:
    if call.path.pattern.endswith("/logs"):
        return "A job that still runs has no log yet, and logs are deleted after the repository's retention time (90 days by default)."
    if status == 410 and "/issues" in call.path.pattern:
        return "Are issues turned off for this repository?"
    if call.permission.startswith("members"):
        return f"Check the team's name (`organisation/team`), and that the token has `{call.permission}` of the organisation; the job's own cannot have it."
    if call.method == "POST" and call.path.pattern == "/releases":
        return "GitHub says so, too, where the commit changes workflow files of the default branch and the token lacks `workflows: write`."
    return f"It may be gone, or the token may not see it: check the repository's name, and that the job has `{call.permission}`."

"""A stand-in for GitHub's REST API that keeps state: runs, logs on another host, commits, pull requests, comments, issues, re-runs.

Every request is checked against GitHub's own OpenAPI description, and so are our answers; what is wrong stands in `problems`, and closing then fails.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote, urlencode

from tests.servers import github_release_routes as release_routes
from tests.servers import github_routes as routes
from tests.servers.github_release_state import ReleaseSide
from tests.servers.github_state import (
    BOT,
    PERSON,
    START,
    STRANGER,
    Account,
    Attempt,
    FakeComment,
    FakeCommit,
    FakeIssue,
    FakeJob,
    FakePull,
    FakeRun,
    Json,
    Repo,
)  # fmt: skip
from tests.servers.http_server import Reply, Request, Server, json_reply
from tests.servers.openapi import Description

__all__ = ["BOT", "FORK", "PERSON", "PERSONAL_TOKEN", "STRANGER", "WORKFLOW_TOKEN", "GitHub"]

DESCRIPTION = Path(__file__).parent.parent / "data" / "openapi" / "github.json"
WORKFLOW_TOKEN = "ghs_workflow0123456789"
PERSONAL_TOKEN = "ghp_person0123456789"
FORK = Repo(777, "mallory/app")
PERMISSIONS = frozenset({
    "actions: read", "actions: write", "checks: read", "contents: read", "contents: write", "issues: read", "issues: write",
    "pull-requests: read", "pull-requests: write", "statuses: read",
})  # fmt: skip


class SupportsClose(Protocol):
    """Something that wants to be closed."""

    def close(self) -> None: ...


class GitHub(ReleaseSide):
    """One repository on GitHub, or on an Enterprise Server (`prefix` /api/v3); what it holds for releases is told by ReleaseSide.

    `permissions` are those of the token; taking one away makes GitHub refuse. `ties_forks`: it finds a fork's pull request by its commit.
    `now`: when comments and issues are written and changed; None: each a second after the one before.
    """

    def __init__(self, repository: str = "octo/app", *, prefix: str = "", default_branch: str = "main") -> None:
        super().__init__()
        self.repository = Repo(100, repository)
        self.default_branch = default_branch
        self.permissions = set(PERMISSIONS)
        self.accounts: dict[str, Account] = {WORKFLOW_TOKEN: BOT, PERSONAL_TOKEN: PERSON}
        self.ties_forks = False
        self.graphql = True
        self.now: float | None = None
        self.runs: list[FakeRun] = []
        self.commits: dict[str, FakeCommit] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self.issues: dict[int, FakeIssue] = {}
        self.comments: dict[int, FakeComment] = {}
        self.clients: list[SupportsClose] = []
        self._ids = itertools.count(1)
        self.prefix = prefix
        self.description = Description(DESCRIPTION, prefix=prefix)
        self.blobs = Server(self._blob)
        self.server = Server(self._answer)

    # Where it is

    @property
    def api_url(self) -> str:
        """The address of the REST API (GITHUB_API_URL)."""
        return self.server.url + self.prefix

    @property
    def url(self) -> str:
        """The page of the repository; its server is the one of the API (GITHUB_SERVER_URL)."""
        return f"{self.server.url}/{self.repository.full_name}"

    @property
    def requests(self) -> list[Request]:
        """All requests to the API."""
        return self.server.requests

    @property
    def faults(self) -> dict[int, Reply]:
        """The wrong answers by index of the call to the API."""
        return self.server.faults

    @property
    def problems(self) -> list[str]:
        """What was wrong with requests and answers."""
        return [*self.server.problems, *self.blobs.problems]

    def close(self) -> None:
        """Close `clients` and stop; raises AssertionError where a request was none that GitHub knows, or a token left for another host."""
        for client in self.clients:
            client.close()
        self.server.close()
        self.blobs.close()
        assert not self.problems, self.problems

    def __enter__(self) -> GitHub:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What is there

    def add_run(
        self, name: str = "CI", conclusion: str | None = "failure", *, branch: str = "main", event: str = "push", sha: str = "", path: str = "",
        head: Repo | None = None, deleted_head: bool = False, created: float | None = None,
    ) -> FakeRun:  # fmt: skip
        """A run; without a conclusion it still runs. Runs with the same name are of one workflow."""
        number = next(self._ids)
        workflow = 4000 + sum(name.encode())
        run = FakeRun(
            1000 + number, name, path or f".github/workflows/{name.lower()}.yml", workflow, branch, sha or f"{number:040x}", event, self.repository,
            None if deleted_head else head or self.repository, START + 1000 * number if created is None else created, [_attempt(conclusion)],
        )  # fmt: skip
        self.runs.append(run)
        return run

    def add_attempt(self, run: FakeRun, conclusion: str | None = "failure") -> Attempt:
        """A further attempt, without jobs yet."""
        run.attempts.append(_attempt(conclusion))
        return run.attempts[-1]

    def add_job(
        self, run: FakeRun, name: str, conclusion: str | None = "failure", *, log: bytes | None = b"", attempt: int | None = None,
        steps: Iterable[tuple[str, str]] = (), started: float | None = None,
    ) -> FakeJob:  # fmt: skip
        """A job of an attempt (the newest); `log` None: it has none."""
        number = next(self._ids)
        job = FakeJob(
            20000 + number, name, "completed" if conclusion else "in_progress", conclusion, log, START + number if started is None else started, tuple(steps)
        )
        run.attempts[(attempt or len(run.attempts)) - 1].jobs.append(job)
        return job

    def annotate(self, job: FakeJob, message: str, *, level: str = "failure", path: str = ".github", line: int = 1, title: str = "") -> None:
        """An annotation as the runner or GitHub leaves it."""
        job.annotations.append({"annotation_level": level, "message": message, "path": path, "start_line": line, "end_line": line, "title": title})

    def add_commit(self, message: str, files: Mapping[str, str | None] | None = None, *, sha: str = "", parent: str = "", author: str = "Mona") -> FakeCommit:
        """A commit on top of the newest one (or `parent`); `files` are changed paths with their patches."""
        number = next(self._ids)
        newest = next(reversed(self.commits), "")
        changed = tuple((path, "modified", patch, "") for path, patch in (files or {}).items())
        commit = FakeCommit(sha or f"{0xC0000 + number:040x}", message, author, parent or newest, START + number, changed)
        self.commits[commit.sha] = commit
        return commit

    def add_file(self, path: str, content: bytes, ref: str = "main") -> None:
        """A file at a branch or commit."""
        self.files[ref, path] = content

    def add_pull(
        self, sha: str, branch: str = "feature", *, head: Repo | None = None, deleted_head: bool = False, state: str = "open", base: str = "main"
    ) -> FakePull:
        """A pull request, of a fork where `head` is another repository."""
        number = next(self._ids)
        pull = FakePull(number, sha, branch, base, "b" * 40, self.repository, None if deleted_head else head or self.repository, state)
        self.issues[number] = FakeIssue(number, PERSON, "A pull request", "", state=state, pull=pull)
        return pull

    def add_issue(self, title: str, body: str = "", *, labels: Iterable[str] = (), author: Account | None = PERSON, state: str = "open") -> FakeIssue:
        """An issue."""
        number = next(self._ids)
        self.issues[number] = FakeIssue(number, author, title, body, tuple(labels), state, created=self.moment(number))
        return self.issues[number]

    def add_comment(self, number: int, body: str, author: Account | None = PERSON) -> FakeComment:
        """A comment on a pull request or issue."""
        count = next(self._ids)
        comment = FakeComment(30000 + count, number, author, body, self.moment(count), self.moment(count))
        self.comments[comment.id] = comment
        return comment

    def moment(self, count: int = 0) -> float:
        """When something is written; `count` is how many things there are by then."""
        return START + (count or next(self._ids)) if self.now is None else self.now

    def comments_on(self, number: int) -> list[FakeComment]:
        """What stands on a pull request or issue now, oldest first."""
        return [comment for comment in self.comments.values() if comment.number == number]

    def restart(self, run: FakeRun) -> None:
        """A new attempt: failed jobs wait, the others are taken over under new numbers (what rerun-failed-jobs does)."""
        failed = ("failure", "timed_out", "cancelled")
        attempt = Attempt("queued", None)
        for old in run.attempts[-1].jobs:
            fresh = FakeJob(20000 + next(self._ids), old.name, old.status, old.conclusion, old.log, old.started, old.steps)
            if old.conclusion in failed:
                fresh.status, fresh.conclusion, fresh.log, fresh.started = "queued", None, None, old.started + 500
            attempt.jobs.append(fresh)
        run.attempts.append(attempt)

    def finish(self, run: FakeRun, conclusion: str = "success", log: bytes = b"") -> None:
        """End the newest attempt and its waiting jobs."""
        attempt = run.attempts[-1]
        attempt.status, attempt.conclusion = "completed", conclusion
        for job in attempt.jobs:
            if job.conclusion is None:
                job.status, job.conclusion, job.log = "completed", conclusion, log

    # How it answers

    def log_reply(self, job: FakeJob) -> Reply:
        """The way to a job's log, which lies on another host."""
        return Reply(302, b"", {"location": f"{self.blobs.url}/logs/{job.id}?sig=signed"})

    def paged(self, request: Request, items: list[Json], key: str = "") -> Reply:
        """One page of a list, with the link to the next one; GitHub names the repository by its number there."""
        size, page = min(int(request.query.get("per_page", "30")), 100), int(request.query.get("page", "1"))
        part = items[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(items):
            path = re.sub(r"/repos/[^/]+/[^/]+", f"/repositories/{self.repository.id}", request.path)
            headers["link"] = f'<{self.server.url}{path}?{urlencode({**request.query, "page": page + 1})}>; rel="next"'
        return json_reply({"total_count": len(items), key: part} if key else part, headers=headers)

    def _answer(self, request: Request) -> Reply:
        if request.path.endswith("/graphql"):
            return self._viewer(request)
        request = self._canonical(request)
        known, astray = release_routes.checked(self, request)
        problems = (self.description.check(known), astray)
        request = replace(request, path=known.path)
        self.server.problems.extend(problem for problem in problems if problem is not None)
        if request.headers.get("x-github-api-version") != "2022-11-28" or not request.headers.get("user-agent", "").startswith("cicd-agents/"):
            self.server.problems.append(f"{request.method} {request.path}: the API version or the user agent is missing")
        reply = self._authorised(request) or self._routed(request)
        if reply.status < 300 and reply.headers.get("content-type", "").startswith("application/json"):
            wrong = self.description.check_answer(known, reply)
            self.server.problems.extend([wrong] if wrong else [])
        return self.lost.get(len(self.requests) - 1) or _tagged(request, reply)

    def _canonical(self, request: Request) -> Request:
        """The path as the description has it: the repository by name, and a file's path as one part."""
        path = request.path.replace(f"/repositories/{self.repository.id}", f"/repos/{self.repository.full_name}")
        head, contents, file = path.partition("/contents/")
        return replace(request, path=head + contents + quote(unquote(file), safe=""))

    def _authorised(self, request: Request) -> Reply | None:
        account = self._account(request)
        if account is None:
            return routes.missing("Bad credentials", 401)
        if request.path.endswith("/user") and account is BOT:
            return routes.refusal()
        return None

    def _account(self, request: Request) -> Account | None:
        return self.accounts.get(request.headers.get("authorization", "").removeprefix("Bearer "))

    def _routed(self, request: Request) -> Reply:
        below = request.path.removeprefix(self.prefix)
        if below == "/user":
            return json_reply(self._author(request).json())
        path = below.removeprefix(f"/repos/{self.repository.full_name}")
        if path == below:
            return release_routes.outside(self, request, below) or routes.missing()
        for method, pattern, permission, handler in (*routes.ROUTES, *release_routes.ROUTES):
            found = pattern.fullmatch(path)
            if found and method == request.method:
                if permission and permission not in self.permissions:
                    return routes.refusal()
                return handler(self, request, *(unquote(group) for group in found.groups()))
        return routes.missing()

    def _author(self, request: Request) -> Account:
        account = self._account(request)
        assert account is not None
        return account

    def number(self) -> int:
        """The next number of a thing."""
        return next(self._ids)

    def writer(self, request: Request) -> Account:
        """The account that asks."""
        return self._author(request)

    def write_comment(self, request: Request, number: int) -> FakeComment:
        """A comment by the account that asks."""
        return self.add_comment(number, request.json()["body"], self._author(request))

    def write_issue(self, request: Request) -> FakeIssue:
        """An issue by the account that asks."""
        given = request.json()
        return self.add_issue(given["title"], given.get("body") or "", labels=given.get("labels") or (), author=self._author(request))

    def _viewer(self, request: Request) -> Reply:
        account = self._account(request)
        expected = self.prefix.removesuffix("/v3") + "/graphql"
        if request.path != expected or request.method != "POST" or "viewer" not in request.json()["query"]:
            self.server.problems.append(f"{request.method} {request.path}: not the question that GraphQL knows here")
        if account is None or not self.graphql:
            return routes.missing("Bad credentials", 401)
        return json_reply({"data": {"viewer": {"login": account.login, "databaseId": account.id}}})

    def _blob(self, request: Request) -> Reply:
        leaked = [name for name in request.headers if name in ("authorization", "cookie") or name.startswith("x-github")]
        if leaked or request.query != {"sig": "signed"}:
            self.blobs.problems.append(f"another host was sent {leaked} {dict(request.query)}")
        job = self.job(int(request.path.rpartition("/")[2]))
        return Reply(200, (job.log if job else None) or b"", {"content-type": "text/plain; charset=utf-8"})

    def job(self, number: int) -> FakeJob | None:
        """A job by its number."""
        return next((job for run in self.runs for attempt in run.attempts for job in attempt.jobs if job.id == number), None)


def _attempt(conclusion: str | None) -> Attempt:
    return Attempt("completed" if conclusion else "in_progress", conclusion)


def _tagged(request: Request, reply: Reply) -> Reply:
    """With an ETag; 304 where the client has it already."""
    if request.method != "GET" or reply.status != 200:
        return reply
    tag = f'"{hashlib.sha256(reply.body).hexdigest()[:16]}"'
    if request.headers.get("if-none-match") == tag:
        return Reply(304, b"", {"etag": tag})
    return replace(reply, headers={**reply.headers, "etag": tag})

"""What the stand-in for GitHub holds, and how each thing looks in an answer of the REST API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

START = 1_750_000_000.0
Json = dict[str, Any]


@dataclass(frozen=True)
class Account:
    """Who wrote something."""

    id: int
    login: str

    def json(self) -> Json:
        return {"id": self.id, "login": self.login, "type": "Bot" if self.login.endswith("[bot]") else "User"}


BOT = Account(41898282, "github-actions[bot]")
PERSON = Account(583231, "octocat")
STRANGER = Account(66600, "mallory")


@dataclass(frozen=True)
class Repo:
    """A repository, by number and name."""

    id: int
    full_name: str

    def json(self) -> Json:
        return {"id": self.id, "name": self.full_name.partition("/")[2], "full_name": self.full_name}


@dataclass
class FakeJob:
    """A job of one attempt."""

    id: int
    name: str
    status: str
    conclusion: str | None
    log: bytes | None
    started: float
    steps: tuple[tuple[str, str], ...] = ()
    annotations: list[Json] = field(default_factory=list)
    workflow: str = ""

    def json(self, run: FakeRun, attempt: int, url: str) -> Json:
        times = {"started_at": iso(self.started), "completed_at": iso(self.started + 5)}
        steps = [
            {"number": number, "name": name, "status": "completed", "conclusion": conclusion, **times}
            for number, (name, conclusion) in enumerate(self.steps, start=1)
        ]
        return {
            "id": self.id, "run_id": run.id, "run_attempt": attempt, "name": self.name, "workflow_name": run.name, "status": self.status,
            "conclusion": self.conclusion, "started_at": iso(self.started), "completed_at": iso(self.started + 60) if self.conclusion else None,
            "html_url": f"{url}/actions/runs/{run.id}/job/{self.id}", "head_sha": run.sha, "head_branch": run.branch, "steps": steps,
            "runner_name": "GitHub Actions 7", "labels": ["ubuntu-latest"],
        }  # fmt: skip


@dataclass
class Attempt:
    """One attempt of a run: how it stands, and its jobs."""

    status: str
    conclusion: str | None
    jobs: list[FakeJob] = field(default_factory=list)


@dataclass
class FakeRun:
    """A workflow run with its attempts, the first one first."""

    id: int
    name: str
    path: str
    workflow_id: int
    branch: str
    sha: str
    event: str
    repository: Repo
    head: Repo | None
    created: float
    attempts: list[Attempt]

    def json(self, number: int, url: str) -> Json:
        attempt = self.attempts[number - 1]
        return {
            "id": self.id, "name": self.name, "path": self.path, "workflow_id": self.workflow_id, "run_attempt": number, "run_number": self.id,
            "status": attempt.status, "conclusion": attempt.conclusion, "event": self.event, "head_branch": self.branch, "head_sha": self.sha,
            "created_at": iso(self.created), "run_started_at": iso(self.created), "updated_at": iso(self.created + 600),
            "html_url": f"{url}/actions/runs/{self.id}", "repository": self.repository.json(), "head_repository": self.head.json() if self.head else None,
            "pull_requests": [],
        }  # fmt: skip

    def fits(self, query: Mapping[str, str]) -> bool:
        """Whether a list with these filters holds the run."""
        newest = self.attempts[-1]
        words = {"branch": (self.branch,), "event": (self.event,), "head_sha": (self.sha,), "status": (newest.status, newest.conclusion)}
        created = query.get("created", "")
        if created.startswith(">=") and iso(self.created) < created[2:]:
            return False
        if created.startswith("<") and iso(self.created) >= created[1:]:
            return False
        return all(query[name] in known for name, known in words.items() if name in query)


@dataclass(frozen=True)
class FakeCommit:
    """A commit with its changed files: (path, status, patch, previous path)."""

    sha: str
    message: str
    author: str
    parent: str
    time: float
    files: tuple[tuple[str, str, str | None, str], ...] = ()

    def json(self, url: str, *, with_files: bool) -> Json:
        person = {"name": self.author, "email": "someone@example.com", "date": iso(self.time)}
        data: Json = {
            "sha": self.sha, "html_url": f"{url}/commit/{self.sha}", "author": None,
            "commit": {"message": self.message, "author": person, "committer": person},
        }  # fmt: skip
        return {**data, "files": files_json(self.files)} if with_files else data


@dataclass
class FakeIssue:
    """An issue, or the side of a pull request that is one."""

    number: int
    author: Account | None
    title: str
    body: str
    labels: tuple[str, ...] = ()
    state: str = "open"
    pull: FakePull | None = None
    created: float = START

    def json(self, url: str) -> Json:
        data: Json = {
            "id": 5000 + self.number, "number": self.number, "title": self.title, "body": self.body, "state": self.state,
            "user": self.author.json() if self.author else None, "html_url": f"{url}/issues/{self.number}",
            "labels": [{"id": 9, "name": name} for name in self.labels], "created_at": iso(self.created),
        }  # fmt: skip
        return {**data, "pull_request": {"url": f"{url}/pulls/{self.number}"}} if self.pull else data


@dataclass
class FakePull:
    """A pull request; `head` is None when its repository was deleted."""

    number: int
    sha: str
    branch: str
    base: str
    base_sha: str
    repository: Repo
    head: Repo | None
    state: str = "open"
    commits: tuple[str, ...] = ()  # those that it brings, beside its head
    merged_at: float | None = None
    merged_as: str = ""

    def json(self, url: str) -> Json:
        return {
            "id": 6000 + self.number, "number": self.number, "state": self.state, "title": f"Pull request {self.number}",
            "html_url": f"{url}/pull/{self.number}",
            "head": {"sha": self.sha, "ref": self.branch, "label": f"x:{self.branch}", "repo": self.head.json() if self.head else None},
            "base": {"sha": self.base_sha, "ref": self.base, "label": f"octo:{self.base}", "repo": self.repository.json()},
        }  # fmt: skip


@dataclass
class FakeComment:
    """A comment of an issue or pull request; `author` is None when the account was deleted."""

    id: int
    number: int
    author: Account | None
    body: str
    created: float = START
    updated: float = START

    def json(self, url: str) -> Json:
        return {
            "id": self.id, "body": self.body, "user": self.author.json() if self.author else None,
            "html_url": f"{url}/issues/{self.number}#issuecomment-{self.id}", "created_at": iso(self.created), "updated_at": iso(self.updated),
        }  # fmt: skip


def files_json(files: tuple[tuple[str, str, str | None, str], ...]) -> list[Json]:
    """Changed files as a commit or a comparison lists them."""
    listed = []
    for path, status, patch, previous in files:
        data: Json = {"filename": path, "status": status, "additions": 1, "deletions": 1, "changes": 2}
        listed.append({**data, **({} if patch is None else {"patch": patch}), **({"previous_filename": previous} if previous else {})})
    return listed


def iso(seconds: float) -> str:
    """A time as GitHub writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

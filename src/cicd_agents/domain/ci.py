"""The words of CI servers and code hosts: runs, jobs, steps, commits, changes. Times are seconds since the epoch, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a run, job or step stands. A platform's word that we don't know is `unknown`, never a guess."""

    SUCCESS = "success"
    FAILURE = "failure"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    RUNNING = "running"
    UNKNOWN = "unknown"

    @property
    def failed(self) -> bool:
        """Whether there is something to diagnose."""
        return self in (Status.FAILURE, Status.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class RunRef:
    """One attempt of a run: GitHub run id and attempt, GitLab pipeline id, Jenkins `job path#number`."""

    id: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a job as the platform's API tells it."""

    number: int
    name: str
    status: Status
    started: float | None = None
    completed: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a run. `failure_reason` is the platform's own word (GitLab); `deploys`: it targets an environment or its stage says deploy."""

    id: str
    name: str
    status: Status
    run: RunRef
    stage: str = ""
    url: str = ""
    started: float | None = None
    completed: float | None = None
    steps: tuple[Step, ...] = ()
    failure_reason: str = ""
    allowed_to_fail: bool = False
    deploys: bool = False
    runner: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A workflow run, pipeline or build. `workflow` identifies its kind for queries (GitHub: workflow id; Jenkins: job path), `path` is its file."""

    ref: RunRef
    name: str
    status: Status
    sha: str
    branch: str
    event: str
    url: str = ""
    created: float | None = None
    workflow: str = ""
    path: str = ""
    head_repository: str = ""


@dataclass(frozen=True, slots=True)
class JobResult:
    """How the same-named job ended in another run or attempt."""

    run: RunRef
    sha: str
    status: Status
    time: float | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A message that the platform itself attached to a job. `level`: notice, warning or failure."""

    level: str
    message: str
    title: str = ""
    path: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; `files` are its changed paths, None where they were not asked for."""

    sha: str
    subject: str
    author: str = ""
    time: float | None = None
    url: str = ""
    files: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs. `status`: added, modified, removed, renamed. `patch` is the unified diff, where the platform gives it."""

    path: str
    status: str = "modified"
    previous_path: str = ""
    patch: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from `base` to `head`; `complete` is false where the platform cut the lists."""

    base: str
    head: str
    commits: tuple[Commit, ...]
    files: tuple[FileChange, ...]
    complete: bool = True
    url: str = ""


@dataclass(frozen=True, slots=True)
class Author:
    """An account by its number, which cannot be imitated; the login is for people."""

    id: str
    login: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of a pull request or issue. `updated` later than `created`: its text was changed after it was written."""

    id: str
    author: Author
    body: str
    url: str = ""
    created: float | None = None
    updated: float | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue; `number` is the one that people see."""

    number: int
    author: Author
    title: str
    body: str
    open: bool
    url: str = ""
    labels: tuple[str, ...] = ()
    created: float | None = None

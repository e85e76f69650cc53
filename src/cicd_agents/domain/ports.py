"""What agents, operations and publishers need from the world, as protocols; `clients` satisfies them.

Methods raise ServiceError (domain.errors) when the service does not do what was asked, and UsageError for what the user named wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from cicd_agents.domain.ci import Annotation, Author, Comment, Commit, Comparison, Issue, Job, JobResult, Run, RunRef
from cicd_agents.domain.context import PullRequest
from cicd_agents.domain.history import PastAdvice, PastFailure, PastRerun, RerunRecord, Sightings
from cicd_agents.domain.release import HistoryCommit


@dataclass(frozen=True, slots=True)
class OpenLog:
    """A log that can be read: a binary stream that can seek, and notes on what it is a part of."""

    stream: BinaryIO
    notes: tuple[str, ...] = ()


class LogStore(Protocol):
    """Logs by name."""

    def open(self, name: str) -> AbstractContextManager[OpenLog]:
        """The log. Raises UsageError when there is no such log or it cannot be read."""
        ...


class CIServer(Protocol):
    """Runs, jobs and their logs (GitHub Actions, GitLab CI, Jenkins)."""

    def run(self, ref: RunRef) -> Run:
        """The run, as it stands in this attempt."""
        ...

    def jobs(self, ref: RunRef) -> tuple[Job, ...]:
        """All jobs of this attempt of the run, in the platform's order; of a job that was retried inside the run, the last try."""
        ...

    def open_log(self, job: Job) -> AbstractContextManager[OpenLog]:
        """The job's own log, spooled and bounded."""
        ...

    def annotations(self, job: Job) -> tuple[Annotation, ...]:
        """What the platform attached to the job; empty where it has no such thing."""
        ...

    def last_success(self, run: Run) -> Run | None:
        """The newest successful run of the same workflow and branch before this one; of the default branch where the branch has none."""
        ...

    def results_on_commit(self, run: Run, job: Job) -> tuple[JobResult, ...]:
        """How the same-named job ended in other attempts, retries and runs of the same workflow on the same commit."""
        ...

    def results_on_branch(self, run: Run, branch: str, most: int) -> tuple[JobResult, ...]:
        """How the newest `most` finished runs of the same workflow on the branch ended (other than this one), newest first."""
        ...

    def rerun_failed(self, ref: RunRef, jobs: Sequence[Job]) -> None:
        """Start the failed jobs again."""
        ...


class Repository(Protocol):
    """Commits and files of the code host."""

    def compare(self, base: str, head: str) -> Comparison:
        """Commits and files between two commits."""
        ...

    def commit(self, sha: str) -> Commit:
        """A commit with its files."""
        ...

    def read_file(self, path: str, ref: str, most: int) -> bytes | None:
        """A file at a commit or branch; None where it does not exist there. Raises Refused over `most` bytes."""
        ...


class CodeHost(Protocol):
    """Pull or merge requests and issues with their comments."""

    def me(self) -> Author:
        """The account whose credential we use."""
        ...

    def pull_request_of(self, sha: str, branch: str) -> PullRequest | None:
        """The open pull request whose head is this commit, also one from a fork."""
        ...

    def comments(self, pull_request: int) -> Iterator[Comment]:
        """All comments, oldest first, every page."""
        ...

    def create_comment(self, pull_request: int, body: str) -> Comment:
        """Write a new comment."""
        ...

    def update_comment(self, pull_request: int, comment: Comment, body: str) -> Comment:
        """Replace the text of a comment."""
        ...

    def delete_comment(self, pull_request: int, comment: Comment) -> None:
        """Delete a comment; one that is gone already is fine."""
        ...

    def issues(self, label: str) -> Iterator[Issue]:
        """All issues with the label, open and closed, newest first, every page; no pull requests."""
        ...

    def create_issue(self, title: str, body: str, labels: Sequence[str]) -> Issue:
        """Open a new issue."""
        ...

    def update_issue(self, issue: Issue, *, body: str | None = None, open: bool | None = None) -> Issue:  # noqa: A002 the field's own name
        """Change the text, or reopen or close it."""
        ...

    def comment_issue(self, issue: Issue, body: str) -> Comment:
        """Write a comment on an issue."""
        ...


class History(Protocol):
    """Memory of past failures and re-runs; bounded and safe to merge (see domain.history for what identifies a record)."""

    def record(self, failure: PastFailure) -> None:
        """Remember a failure; a second time changes nothing."""
        ...

    def sightings(self, repository: str, fingerprint: str, *, other_than: str = "") -> Sightings | None:
        """Where a fingerprint was seen before, leaving out the run id `other_than`; None: never."""
        ...

    def seen_at(self, repository: str, fingerprint: str, sha: str) -> bool:
        """Whether a run of this very commit failed so."""
        ...

    def record_rerun(self, rerun: PastRerun) -> bool:
        """Remember a re-run before it is started; False where it was remembered already (somebody else started it)."""
        ...

    def forget_rerun(self, rerun: PastRerun) -> None:
        """Take back a re-run that could not be started."""
        ...

    def settle_rerun(self, repository: str, run_id: str, attempt: int, helped: bool) -> None:
        """Say how the attempt after `attempt` ended; without such a re-run nothing happens."""
        ...

    def rerun_record(self, repository: str, signature: str) -> RerunRecord:
        """How the ended re-runs for a signature went."""
        ...

    def reruns_since(self, repository: str, since: float, pull_request: int | None = None) -> int:
        """How many re-runs were started since then, in all or for one pull request."""
        ...


class ReleaseTag(Protocol):
    """A tag of a commit; times in seconds since the epoch."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def commit(self) -> str:
        """The commit's id."""
        ...

    @property
    def time(self) -> int:
        """When it was made."""
        ...


class ReleaseHead(Protocol):
    """Where a repository stands."""

    @property
    def branch(self) -> str | None:
        """The branch; None where HEAD is detached."""
        ...


class ReleaseRepository(Protocol):
    """What the manager needs of a repository; revisions that are not there raise UsageError."""

    def require_whole(self) -> None:
        """Raise UsageError for a shallow clone."""
        ...

    def head(self) -> ReleaseHead:
        """Where HEAD is."""
        ...

    def commit(self, revision: str) -> str:
        """The id of the commit."""
        ...

    def tags(self, merged: str | None = None) -> Sequence[ReleaseTag]:
        """All tags of commits, or those that the revision reaches."""
        ...

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether the newer revision reaches the older one."""
        ...

    def history(
        self, until: str = ..., since: Sequence[str] = ..., *, paths: Sequence[str] = ..., excluded: Sequence[str] = ..., files: bool = ...
    ) -> Iterator[HistoryCommit]:
        """The commits of a range, the newest first; with the paths that each changes where `files` is true."""
        ...

    def files(self, revision: str = ...) -> tuple[str, ...]:
        """The paths of all files."""
        ...

    def read_files(self, paths: Sequence[str], revision: str, most: int) -> Mapping[str, bytes]:
        """Contents of files; those that are not there are left out."""
        ...


class Clock(Protocol):
    """Time; tests bring their own."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class AdviceMemory(Protocol):
    """Memory of what a model was asked; bounded."""

    @property
    def writable(self) -> bool:
        """Whether anything can be remembered here."""
        ...

    def record_advice(self, advice: PastAdvice) -> None:
        """Remember a question, its answer and its price."""
        ...

    def reserve(self, advice: PastAdvice, since: float, limit: float) -> PastAdvice | None:
        """Count the price of a question before it is asked, as far as the limit leaves room for it beside all since then; None: it leaves none.

        What comes back has the price that is counted (all that is left where none is given), and the time by which it is settled. Of runs at the same time
        no two get the same money. Until it is settled it counts as paid.
        """
        ...

    def settle(self, reserved: PastAdvice, advice: PastAdvice | None) -> None:
        """Remember the question with what it cost in place of what was reserved for it; None: nothing was asked."""
        ...

    def advice(self, repository: str, key: str) -> str | None:
        """The newest answer that is kept for a question; None: there is none."""
        ...

    def spent_since(self, repository: str, since: float) -> float:
        """US dollars that were paid or reserved since then, as far as prices are known."""
        ...

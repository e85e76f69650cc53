"""No CI server at all: log files that stand in for the failed jobs of one run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from cicd_agents.domain.ci import Annotation, Job, JobResult, Run, RunRef, Status
from cicd_agents.domain.errors import Refused
from cicd_agents.domain.ports import LogStore, OpenLog


@dataclass(frozen=True, slots=True)
class LogsAsRun:
    """A failed run whose jobs are log files; it knows nothing of other runs. `seen` is the run as the CI's variables tell it."""

    store: LogStore
    files: tuple[str, ...]
    seen: Run

    def run(self, ref: RunRef) -> Run:  # noqa: ARG002 there is one run only
        """The run that the log files belong to."""
        return self.seen

    def jobs(self, ref: RunRef) -> tuple[Job, ...]:
        """One failed job for each file."""
        return tuple(Job(name, name, Status.FAILURE, ref) for name in self.files)

    def open_log(self, job: Job) -> AbstractContextManager[OpenLog]:
        """The file. Raises UsageError when it cannot be read."""
        return self.store.open(job.name)

    def annotations(self, job: Job) -> tuple[Annotation, ...]:  # noqa: ARG002
        """None: files have no annotations."""
        return ()

    def last_success(self, run: Run) -> Run | None:  # noqa: ARG002
        """None is known."""
        return None

    def results_on_commit(self, run: Run, job: Job) -> tuple[JobResult, ...]:  # noqa: ARG002
        """None are known."""
        return ()

    def results_on_branch(self, run: Run, branch: str, most: int) -> tuple[JobResult, ...]:  # noqa: ARG002
        """None are known."""
        return ()

    def rerun_failed(self, ref: RunRef, jobs: Sequence[Job]) -> None:  # noqa: ARG002
        """Always Refused: a file cannot be started again."""
        raise Refused("Log files cannot be started again; run without `log` to let the platform be asked.")

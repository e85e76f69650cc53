"""GitLab CI as a CI server: pipelines, jobs and their traces (GitLab docs, api/pipelines and api/jobs).

A job that is retried stays in its pipeline, as a further job of the same name. So attempts are counted here: those of a job are its tries,
those of a pipeline the most tries of a job that failed at last, or of any job where none did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

from cicd_agents.clients.platforms import gitlab_shapes as shapes
from cicd_agents.clients.platforms.gitlab_reasons import LONGEST_REASON, explanation
from cicd_agents.clients.platforms.gitlab_service import Project
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Annotation, Job, JobResult, Run, RunRef, Status
from cicd_agents.domain.errors import NotFound, ServiceError, UsageError
from cicd_agents.domain.ports import OpenLog

# Other pipelines of the same commit that are looked at, the newest first.
MAX_PIPELINES_ON_COMMIT = 10
# Child pipelines that are looked into where the pipeline itself has no failed job.
MAX_CHILDREN = 5
# Pipelines of these sources run other jobs than those of pushes, so that they are compared among themselves;
# child pipelines are not even listed unless they are asked for.
_OWN_KIND = ("schedule", "parent_pipeline", "merge_request_event")
_ENDED = (Status.SUCCESS, Status.FAILURE, Status.TIMED_OUT, Status.CANCELLED)
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class GitLabCI:
    """The pipelines of one project (port `CIServer`). `max_log` is the most bytes of a trace that are fetched."""

    project: Project
    default_branch: str = ""
    max_log: int = 256 * _MIB

    def run(self, ref: RunRef) -> Run:
        """The pipeline, with the attempt that it stands at."""
        with self.project.surely_there():
            data = Shape.of(self.project.http.get_json(self._pipeline(ref)), f"GitLab: pipeline {ref.id}")
            jobs = self._last_tries(ref)
        counted = [job for job in jobs if job.status.failed] or jobs
        return shapes.run(data, max((job.run.attempt for job in counted), default=1))

    def jobs(self, ref: RunRef) -> tuple[Job, ...]:
        """The last try of every job, in the order of the pipeline; where none failed, also those of child pipelines that failed."""
        with self.project.surely_there():
            own = self._last_tries(ref)
            if any(job.status.failed for job in own):
                return own
            return own + tuple(job for child in self._failed_children(ref) for job in self._last_tries(child))

    @contextmanager
    def open_log(self, job: Job) -> Iterator[OpenLog]:
        """The job's trace, of a long one the end. Raises NotFound where it has none: it never ran, or the trace was erased."""
        path = self.project.path("jobs", _number(job.id, "job"), "trace")
        dropped: list[int] = []
        with ExitStack() as stack:
            with self.project.surely_there():
                stream = stack.enter_context(self.project.http.download(path, most=self.max_log, on_cut=dropped.append))
            if not stream.seek(0, 2):
                raise NotFound(f"GitLab: job {job.id} has no log: it never ran, or the log was erased.")
            stream.seek(0)
            yield OpenLog(stream, tuple(f"The log's first {size / _MIB:.0f} MiB were left out; its lines are counted from there." for size in dropped))

    def annotations(self, job: Job) -> tuple[Annotation, ...]:
        """GitLab's own reason for the failure, where the script did not give it."""
        said = explanation(job.failure_reason)
        return (Annotation("failure", said, job.failure_reason[:LONGEST_REASON]),) if said else ()

    def last_success(self, run: Run) -> Run | None:
        """The newest successful pipeline of the same kind and ref that was made before this one; else of the default branch."""
        found = self._success_before(run, run.branch, _kind(run))
        if found is None and self.default_branch not in ("", run.branch):
            found = self._success_before(run, self.default_branch, {})
        return found

    def results_on_commit(self, run: Run, job: Job) -> tuple[JobResult, ...]:
        """How the job's other tries ended, in its own pipeline and in others of the commit."""
        others = (RunRef(str(data.number("id"))) for data in self._pipelines({"sha": run.sha}))
        refs = [job.run, *islice((ref for ref in others if ref.id not in (job.run.id, run.ref.id)), MAX_PIPELINES_ON_COMMIT)]
        tries = ((ref, data) for ref in refs for data in self._tries(ref))
        found = (shapes.job_result(data, ref) for ref, data in tries if data.text("name") == job.name and str(data.number("id")) != job.id)
        return tuple(replace(result, sha=result.sha or run.sha) for result in found if result.status in _ENDED)

    def results_on_branch(self, run: Run, branch: str, most: int) -> tuple[JobResult, ...]:
        """How the newest finished pipelines of the branch ended."""
        kind = _kind(run) if branch == run.branch else {}
        found = (shapes.run_result(data) for data in self._pipelines({"ref": branch, "scope": "finished", **kind}))
        return tuple(islice((result for result in found if result.run.id != run.ref.id), most))

    def rerun_failed(self, ref: RunRef, jobs: Sequence[Job]) -> None:  # noqa: ARG002 GitLab retries jobs one by one
        """Retry each of the jobs. Where a later one is refused, the error says which were started."""
        started: list[str] = []
        for job in jobs:
            try:
                with self.project.surely_there():
                    self.project.http.send("POST", self.project.path("jobs", _number(job.id, "job"), "retry"))
            except ServiceError as problem:
                if not started:
                    raise
                raise type(problem)(f"{problem} Before that, these were started again: {', '.join(started)}.") from None
            started.append(job.name)

    def _pipeline(self, ref: RunRef, *parts: str) -> str:
        return self.project.path("pipelines", _number(ref.id, "pipeline"), *parts)

    def _pipelines(self, query: dict[str, str | int]) -> Iterator[Shape]:
        """Pipelines, the newest first."""
        return self.project.listed(self.project.path("pipelines"), {**query, "order_by": "id", "sort": "desc"}, "the pipelines")

    def _tries(self, ref: RunRef) -> Iterator[Shape]:
        """All jobs of a pipeline, also those that were retried since."""
        return self.project.listed(self._pipeline(ref, "jobs"), {"include_retried": "true"}, f"the jobs of pipeline {ref.id}")

    def _last_tries(self, ref: RunRef) -> tuple[Job, ...]:
        """Of jobs with the same name the newest, which has the highest number; in the order in which the pipeline made them."""
        tries = sorted((shapes.job(data, ref) for data in self._tries(ref)), key=lambda job: int(job.id))
        count = Counter(job.name for job in tries)
        last = {job.name: job for job in tries}
        return tuple(replace(job, run=RunRef(ref.id, count[name])) for name, job in last.items())

    def _failed_children(self, ref: RunRef) -> list[RunRef]:
        """Pipelines in this project that the pipeline started and that failed; it fails with them unless it does not wait for them."""
        found = []
        bridges = self.project.listed(self._pipeline(ref, "bridges"), {"scope": "failed"}, f"the trigger jobs of pipeline {ref.id}")
        for bridge in islice(bridges, MAX_CHILDREN):
            child, parent = bridge.maybe("downstream_pipeline"), bridge.maybe("pipeline")
            if child and parent and child.optional_number("project_id") == parent.optional_number("project_id"):
                found.append(RunRef(str(child.number("id"))))
        return found

    def _success_before(self, run: Run, branch: str, kind: dict[str, str | int]) -> Run | None:
        query = {"ref": branch, "status": "success", **kind}
        if run.created is not None:
            query["created_before"] = datetime.fromtimestamp(run.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        found = (shapes.run(data) for data in self._pipelines(query))
        return next((other for other in found if int(other.ref.id) < int(run.ref.id)), None)


def _kind(run: Run) -> dict[str, str | int]:
    return {"source": run.event} if run.event in _OWN_KIND else {}


def _number(text: str, of: str) -> str:
    """Ids come from settings and variables; in a path nothing else may stand. Raises UsageError."""
    if not (text.isascii() and text.isdecimal()):
        raise UsageError(f"GitLab: {text[:50]!r} is no {of} id; it is a whole number, as in CI_{of.upper()}_ID.")
    return text

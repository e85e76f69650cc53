"""GitHub Actions as a CI server (port `CIServer`): runs, jobs, logs, annotations, earlier results, re-runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from cicd_agents.clients.http import Http
from cicd_agents.clients.platforms import github_shapes as shapes
from cicd_agents.clients.platforms.github_service import NAME, repository_path
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Annotation, Job, JobResult, Run, RunRef, Status
from cicd_agents.domain.errors import NotAllowed, Rejected, Unavailable
from cicd_agents.domain.ports import OpenLog

# Most that one page holds (REST API, "Using pagination").
PAGE = 100
# Bounds of ours; what lies beyond is not worth the calls.
MOST_JOB_PAGES = 50
MOST_ANNOTATIONS = 200
MOST_RUNS_LOOKED_AT = 200
MOST_RUNS_OF_COMMIT = 5
_ENDED = (Status.SUCCESS, Status.FAILURE, Status.TIMED_OUT, Status.CANCELLED)


@dataclass(frozen=True, slots=True)
class GitHubActions:
    """The runs of one repository, `owner/name`. Of a log over `max_log` bytes the end is read.

    An attempt below 1 stands for the newest one.
    """

    http: Http
    repository: str
    max_log: int = 256 << 20

    def run(self, ref: RunRef) -> Run:
        """The run, as it stands in this attempt."""
        attempt = f"/attempts/{ref.attempt}" if ref.attempt > 0 else ""
        data = self.http.get_json(self._path(f"/actions/runs/{ref.id}{attempt}"), {"exclude_pull_requests": "true"})
        return shapes.run(Shape.of(data, f"{NAME}: run {ref.id}"))

    def jobs(self, ref: RunRef) -> tuple[Job, ...]:
        """All jobs of this attempt, those that were taken over from earlier attempts too."""
        attempt = f"/attempts/{ref.attempt}" if ref.attempt > 0 else ""
        return self._jobs(f"/actions/runs/{ref.id}{attempt}/jobs", {}, ref)

    @contextmanager
    def open_log(self, job: Job) -> Iterator[OpenLog]:
        """The job's own log, spooled; of a longer one than `max_log` the end, with a note that says so."""
        dropped: list[int] = []
        with self.http.download(self._path(f"/actions/jobs/{job.id}/logs"), most=self.max_log, on_cut=dropped.append) as stream:
            notes = (f"The log is too long: the first {dropped[0]:,} bytes were left out (setting `max-log-mb`).",) if dropped else ()
            yield OpenLog(stream, notes)

    def annotations(self, job: Job) -> tuple[Annotation, ...]:
        """What the runner and GitHub attached to the job, whose number is that of its check run. The runner keeps at most ten of a kind per step."""
        where = f"{NAME}: the annotations of job {job.id}"
        items = self.http.pages(self._path(f"/check-runs/{job.id}/annotations"), {"per_page": PAGE})
        return tuple(shapes.annotation(Shape.of(item, where)) for item in islice(items, MOST_ANNOTATIONS))

    def last_success(self, run: Run) -> Run | None:
        """The newest successful run of the same workflow before this one: on its branch of the same repository, else on the default branch.

        A fork's branch of the same name is another branch: its log is no measure of what is normal here.
        """
        wanted: dict[str, str | int] = {"status": "success", "per_page": 30}
        if run.created is not None:
            wanted["created"] = f"<{_iso(run.created)}"
        for owner, branch in self._branches_of(run):
            for found in self._runs(run.workflow, {**wanted, "branch": branch}, most=MOST_RUNS_LOOKED_AT):
                if found.ref.id != run.ref.id and found.head_repository.lower() == owner.lower():
                    return found
        return None

    def results_on_commit(self, run: Run, job: Job) -> tuple[JobResult, ...]:
        """How the same-named job ended in other attempts of the run, and in other runs of the same workflow and event on the same commit.

        Runs for pull requests are left out: they build the commit merged into its base, which moves on. Attempts of one run build the same code.
        """
        results: dict[tuple[str, float | None], JobResult] = {}
        for other in self._runs_of_commit(run):
            for found in self._jobs(f"/actions/runs/{other.ref.id}/jobs", {"filter": "all"}, other.ref):
                same = found.run == job.run
                if found.name == job.name and not same and found.id != job.id and found.status in _ENDED:
                    # A job that passed is taken over into later attempts, under a new number but with its own times.
                    results.setdefault((other.ref.id, found.started), JobResult(found.run, other.sha, found.status, found.completed, found.url))
        results.pop((run.ref.id, job.started), None)
        return tuple(results.values())

    def results_on_branch(self, run: Run, branch: str, most: int) -> tuple[JobResult, ...]:
        """How the newest `most` finished runs of the same workflow on the repository's own branch ended, newest first, without this one."""
        runs = self._runs(run.workflow, {"branch": branch, "status": "completed", "per_page": PAGE}, most=MOST_RUNS_LOOKED_AT)
        others = (found for found in runs if found.ref.id != run.ref.id and found.head_repository.lower() == self.repository.lower())
        return tuple(JobResult(found.ref, found.sha, found.status, found.created, found.url) for found in islice(others, most))

    def rerun_failed(self, ref: RunRef, jobs: Sequence[Job]) -> None:
        """Start the failed jobs of the run's newest attempt again, with the jobs that need them.

        GitHub starts all failed jobs; Rejected is raised where others than `jobs` failed, and where the run goes on or has a newer attempt already.
        The request is sent once: after a failure the run is read again, which tells whether it had its effect.
        """
        self._check_ended(ref)
        given = {job.id for job in jobs}
        others = [job.name for job in self.jobs(ref) if job.status.failed and job.id not in given]
        if others:
            raise Rejected(f"{NAME}: starting the failed jobs of run {ref.id} again would also start {', '.join(others[:3])}, which was not asked for.")
        try:
            self.http.send("POST", self._path(f"/actions/runs/{ref.id}/rerun-failed-jobs"))
        except Unavailable:
            if self.run(replace(ref, attempt=0)).ref.attempt <= ref.attempt:
                raise
        except NotAllowed:
            # GitHub says 403 also where somebody else was faster.
            self._check_ended(ref)
            raise

    def _check_ended(self, ref: RunRef) -> None:
        newest = self.run(replace(ref, attempt=0))
        if newest.ref.attempt > ref.attempt > 0:
            raise Rejected(f"{NAME}: run {ref.id} was started again already: it is at attempt {newest.ref.attempt}.")
        if newest.status is Status.RUNNING:
            raise Rejected(f"{NAME}: run {ref.id} still runs; its failed jobs can be started again when it has ended.")

    def _path(self, below: str) -> str:
        return repository_path(self.repository) + below

    def _jobs(self, path: str, params: Mapping[str, str], ref: RunRef) -> tuple[Job, ...]:
        items = self.http.pages(self._path(path), {**params, "per_page": PAGE}, items="jobs", most_pages=MOST_JOB_PAGES)
        return tuple(shapes.job(Shape.of(item, f"{NAME}: the jobs of run {ref.id}")) for item in items)

    def _runs(self, workflow: str, params: Mapping[str, str | int], *, most: int) -> Iterator[Run]:
        items: Iterator[Any] = self.http.pages(
            self._path(f"/actions/workflows/{workflow}/runs"), {**params, "exclude_pull_requests": "true"}, items="workflow_runs"
        )
        for item in islice(items, most):
            yield shapes.run(Shape.of(item, f"{NAME}: the runs of workflow {workflow}"))

    def _branches_of(self, run: Run) -> Iterator[tuple[str, str]]:
        """Where to look for a good run: (repository, branch)."""
        if run.branch and run.head_repository:
            yield run.head_repository, run.branch
        default = Shape.of(self.http.get_json(self._path("")), f"{NAME}: the repository").text("default_branch")
        if (run.head_repository, run.branch) != (self.repository, default):
            yield self.repository, default

    def _runs_of_commit(self, run: Run) -> Iterator[Run]:
        """This run, where it has other attempts, and the newest others of its commit."""
        newest = self.run(replace(run.ref, attempt=0))
        if newest.ref.attempt > 1:
            yield newest
        if run.event.startswith("pull_request"):
            return
        for found in self._runs(run.workflow, {"head_sha": run.sha, "event": run.event, "per_page": 30}, most=MOST_RUNS_OF_COMMIT + 1):
            if found.ref.id != run.ref.id:
                yield found


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

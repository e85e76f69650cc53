"""Jenkins as a CI server (port `CIServer`).

A build is a run of one job. A re-run is a build of its own, so attempts are counted here: builds of the same code with the same parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from urllib.parse import urlencode

from cicd_agents.clients.http import Http
from cicd_agents.clients.platforms import jenkins_shapes as shapes
from cicd_agents.clients.platforms.jenkins_builds import Builds
from cicd_agents.clients.platforms.jenkins_service import build_of, job_path
from cicd_agents.clients.platforms.jenkins_shapes import Build
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Annotation, Job, JobResult, Run, RunRef, Status, Step
from cicd_agents.domain.errors import NotFound, Rejected, ServiceError
from cicd_agents.domain.ports import OpenLog

# Jenkins keeps the newest 100 builds of a job at hand; older ones it has to read from its disk.
MAX_BUILDS = 100
# Parameters go into the query, which servers bound (Jetty: 8 KiB for all headers).
MAX_QUERY = 6000
_ENDED = (Status.SUCCESS, Status.FAILURE, Status.TIMED_OUT, Status.CANCELLED)
# Stages and jobs that write to the world outside, by their names: a build that has one is not started again unless that is allowed.
_DEPLOYS = re.compile(r"deploy|roll-?(?:out|back)|promot|publish", re.IGNORECASE)
_RELEASES = re.compile(r"release", re.IGNORECASE)  # jobs are called so for their branch, too
_MIB = 1 << 20


class Jenkins:
    """The builds of one server.

    `max_log` is the most bytes of a console that are fetched. `remote` is the URL of the repository that the job builds and `base_branch` the branch
    that a change request goes to, where they are known (GIT_URL, CHANGE_TARGET).
    """

    def __init__(self, http: Http, *, max_log: int = 256 * _MIB, remote: str = "", base_branch: str = "") -> None:
        self.http = http
        self.remote = remote
        self._max_log = max_log
        self._base_branch = base_branch
        self._builds: dict[str, Builds] = {}

    def run(self, ref: RunRef) -> Run:
        """The build, with the attempt that it is."""
        job, number = build_of(ref)
        return self._run(job, self._build(job, number))

    def jobs(self, ref: RunRef) -> tuple[Job, ...]:
        """The build as its only job, with its stages as steps.

        A build that still runs has failed when a stage has: that is how it looks from its own `post` section. Where the stages of a Pipeline cannot be
        read, the build counts as one that deploys.
        """
        job, number = build_of(ref)
        build = self._build(job, number)
        steps = self._steps(job, build)
        failed = next((step.name for step in steps or () if step.status.failed), "")
        name = _name(job, build)
        status = Status.FAILURE if failed and build.status is Status.RUNNING else build.status
        return (
            Job(
                f"{job}#{number}", name, status, self._listed(job).ref(build), failed, build.url, build.started, build.completed,
                steps or (), deploys=steps is None or _deploys(name, steps), runner=build.runner,
            ),
        )  # fmt: skip

    @contextmanager
    def open_log(self, job: Job) -> Iterator[OpenLog]:
        """The build's console, of a long one the end. Of a build that still runs it ends with the last whole line."""
        name, number = build_of(job.run)
        running = job.completed is None
        # The console of an ended build is streamed; progressive text would be put together in the memory of Jenkins before it is sent.
        path = job_path(name, str(number), "logText/progressiveText?start=0" if running else "consoleText")
        dropped: list[int] = []
        with self.http.download(path, most=self._max_log, on_cut=dropped.append) as stream:
            notes = [f"The log's first {size / _MIB:.0f} MiB were left out; line numbers count from there." for size in dropped]
            if running:
                notes.append("The build was still running when its log was read.")
            yield OpenLog(stream, tuple(notes))

    def annotations(self, job: Job) -> tuple[Annotation, ...]:  # noqa: ARG002 the port's signature
        """None: Jenkins attaches no messages to builds."""
        return ()

    def last_success(self, run: Run) -> Run | None:
        """The newest stable build of the job and branch before this one; for a change request without one, of the branch that it goes to."""
        job, number = build_of(run.ref)
        good = next((build for build in self._stable(job) if build.number < number and run.branch in ("", build.branch)), None)
        if good is not None:
            return self._run(job, good)
        base = self._sibling(job, run, self._base_branch)
        good = next(self._stable(base), None) if base else None
        return self._run(base, good) if base and good else None

    def results_on_commit(self, run: Run, job: Job) -> tuple[JobResult, ...]:
        """How other builds of the same code with the same parameters ended, the newest first; not replays, whose script may be another one."""
        name, number = build_of(job.run)
        this = self._build(name, number)
        listed = self._listed(name)
        found = (build for build in listed.same_code(this) if build.status in _ENDED and shapes.REPLAY not in (this.event, build.event))
        return tuple(JobResult(listed.ref(build), run.sha, build.status, build.started, build.url) for build in found)

    def results_on_branch(self, run: Run, branch: str, most: int) -> tuple[JobResult, ...]:
        """How the newest ended builds on the branch ended: of the branch's own job in a multibranch project, else of this job."""
        job, number = build_of(run.ref)
        other = self._sibling(job, run, branch)
        listed = self._listed(other or job)
        found = (build for build in listed if build.status in _ENDED and (other or (build.number != number and build.branch in ("", branch))))
        return tuple(JobResult(listed.ref(build), build.sha, build.status, build.started, build.url) for build in islice(found, most))

    def rerun_failed(self, ref: RunRef, jobs: Sequence[Job]) -> None:  # noqa: ARG002 a build is one job
        """Build the job again with the same parameters; a job that follows a branch builds its newest commit."""
        job, number = build_of(ref)
        parameters = self._build(job, number).parameters
        values = {name: value for name, value in parameters if value is not None}
        secret = [name for name, value in parameters if value is None]
        if secret:
            raise Rejected(f"Jenkins: {job}#{number} cannot be started again from outside: Jenkins does not tell the value of its parameter {secret[0][:100]}.")
        if len(urlencode(values)) > MAX_QUERY:
            raise Rejected(f"Jenkins: {job}#{number} cannot be started again from outside: its parameters are too long to be sent.")
        self.http.send("POST", job_path(job, "buildWithParameters" if parameters else "build"), params={**values, **self._crumb()})
        self._builds.pop(job, None)

    def _build(self, job: str, number: int) -> Build:
        answer = self.http.get_json(job_path(job, str(number), "api/json"), {"tree": shapes.BUILD})
        return shapes.build(Shape.of(answer, f"Jenkins: build {job}#{number}"), job, self.remote)

    def _listed(self, job: str) -> Builds:
        """The newest builds of a job, read once."""
        if job not in self._builds:
            data = self._of_job(job, f"builds[{shapes.BUILD}]{{0,{MAX_BUILDS}}}")
            self._builds[job] = Builds(job, shapes.builds(data, job, self.remote))
        return self._builds[job]

    def _of_job(self, job: str, tree: str) -> Shape:
        return Shape.of(self.http.get_json(job_path(job, "api/json"), {"tree": tree}), f"Jenkins: the builds of {job}")

    def _stable(self, job: str) -> Iterator[Build]:
        """The successful builds of a job, the newest first; the last one may be older than those that are listed."""
        listed = [build for build in self._listed(job) if build.status is Status.SUCCESS]
        yield from listed
        last = None if listed else self._of_job(job, f"lastStableBuild[{shapes.BUILD}]").maybe("lastStableBuild")
        if last:
            yield shapes.build(last, job, self.remote)

    def _sibling(self, job: str, run: Run, branch: str) -> str | None:
        """The job of another branch in the same multibranch project; None where it is no such project, or the branch has no job."""
        folder, _, leaf = job.rpartition("/")
        if not folder or not branch or branch == run.branch or not shapes.named_after(leaf, run.branch):
            return None
        other = f"{folder}/{shapes.branch_job(branch)}"
        try:
            self._listed(other)
        except NotFound:
            return None
        return other

    def _run(self, job: str, build: Build) -> Run:
        name = build.name or f"{job} #{build.number}"
        return Run(self._listed(job).ref(build), name, build.status, build.sha, build.branch, build.event, build.url, build.started, workflow=job)

    def _steps(self, job: str, build: Build) -> tuple[Step, ...] | None:
        """The stages; none of other kinds of jobs, None where they cannot be read (Pipeline's REST API is a plugin of its own)."""
        if not build.pipeline:
            return ()
        try:
            answer = self.http.get(job_path(job, str(build.number), "wfapi/describe"), missing_ok=True)
            return None if answer.status == 404 else shapes.steps(Shape.of(answer.json(), f"Jenkins: the stages of {job}#{build.number}"))
        except ServiceError:
            return None  # a help, not a need

    def _crumb(self) -> dict[str, str]:
        """The field against forged requests, where Jenkins wants one beside an API token; it goes with the parameters, as in a form."""
        answer = self.http.get("/crumbIssuer/api/json", missing_ok=True)
        if answer.status == 404:
            return {}
        data = Shape.of(answer.json(), "Jenkins: the crumb")
        return {data.text("crumbRequestField"): data.text("crumb")}


def _deploys(name: str, steps: Sequence[Step]) -> bool:
    return any(_DEPLOYS.search(text) for text in (name, *(step.name for step in steps))) or any(_RELEASES.search(step.name) for step in steps)


def _name(job: str, build: Build) -> str:
    """The job's path; in a multibranch project without the branch, so that the jobs of two branches have the same name."""
    folder, _, leaf = job.rpartition("/")
    return folder if folder and shapes.named_after(leaf, build.branch) else job

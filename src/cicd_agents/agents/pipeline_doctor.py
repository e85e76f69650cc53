"""pipeline-doctor: finds the line that broke a run, says why, what changed, whether it is flaky, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import BinaryIO

from cicd_agents.agents import doctor_evidence as evidence
from cicd_agents.analysis.flaky.judgement import FlakyFacts, judge
from cicd_agents.analysis.logs.diagnosis import diagnose
from cicd_agents.analysis.logs.scan import Catalogue
from cicd_agents.analysis.logs.verdict import AGENT, CLAIMED, verdict_of
from cicd_agents.domain.ci import Annotation, Comparison, Job, JobResult, Run, Status
from cicd_agents.domain.context import Platform, RunContext
from cicd_agents.domain.doctor import Diagnosis, DoctorDetails, Failure, Flaky, JobFailure
from cicd_agents.domain.errors import NotAllowed, NotFound, ServiceError
from cicd_agents.domain.finding import Evidence, Finding
from cicd_agents.domain.history import PastFailure, Sightings
from cicd_agents.domain.ports import CIServer, Clock, History, OpenLog, Repository
from cicd_agents.domain.verdict import Outcome, Verdict
from cicd_agents.operations.rerun import FailedJob

OpenJobLog = Callable[[Job], AbstractContextManager[OpenLog]]
# What only the platform knows: its annotation is believed before the log.
_PLATFORM_KNOWS = frozenset({"timeout", "infrastructure_runner", "resource_quota"})


@dataclass(frozen=True, slots=True)
class Examined:
    """A failed job with what its log, or the platform's annotations where they know better, say of it."""

    job: Job
    verdict: Verdict
    on_commit: tuple[JobResult, ...]
    failure: Failure | None

    @property
    def details(self) -> DoctorDetails:
        """The doctor's part of the verdict."""
        return self.verdict.details

    @property
    def sure(self) -> bool:
        """Whether a cause is claimed."""
        return self.verdict.outcome is Outcome.FAIL


@dataclass(frozen=True, slots=True)
class Consultation:
    """The verdict on a run, and what re-runs need to know: the run, its failed jobs, how the main one ended elsewhere on the commit.

    `comparison` is what changed since the last good run, as it was gathered.
    """

    verdict: Verdict
    run: Run | None = None
    failed: tuple[FailedJob, ...] = ()
    on_commit: tuple[JobResult, ...] = ()
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class PipelineDoctor:
    """Diagnoses the failed jobs of a run. `open_log` is where their logs come from, usually the CI server itself."""

    ci: CIServer
    open_log: OpenJobLog
    repository: Repository | None
    history: History | None
    signatures: Catalogue
    clock: Clock
    max_jobs: int = 5
    baseline: bool = True

    def consult(self, context: RunContext) -> Consultation:
        """The verdict on the run that the context points to; a platform that does not answer gives `inconclusive`, never an exception."""
        if context.target is None:
            return Consultation(_nothing(Outcome.SKIPPED, "Nothing to diagnose", "The context names no run to look at.", context))
        try:
            run = self.ci.run(context.target)
            jobs = [job for job in self.ci.jobs(run.ref) if not _is_own(job, context)]
        except ServiceError as problem:
            return Consultation(_nothing(Outcome.INCONCLUSIVE, "The run could not be read", str(problem), context))
        failed = [job for job in jobs if job.status.failed and not job.allowed_to_fail]
        run = replace(run, status=_as_if_ended(run, jobs, failed))
        if not failed:
            return Consultation(_no_failure(run, jobs, context), run)
        return self._explain(run, failed, context)

    def _explain(self, run: Run, failed: Sequence[Job], context: RunContext) -> Consultation:
        notes = evidence.Notes()
        good = evidence.last_success(self.ci, run, notes)
        good_jobs = evidence.jobs_of(self.ci, good, notes) if good and self.baseline else ()
        examined = [self._examine(job, _same_name(job, good_jobs), run, context, notes) for job in failed[: self.max_jobs]]
        main = _main(examined)
        since = self._since(good, run, main, notes)
        seen = evidence.sightings(self.history, context.repository, main.details.fingerprint, run, notes)
        flaky = self._flaky(run, main, seen, context, notes)
        if context.trusted and self.history:
            self._remember(run, examined, context, notes)
        details = replace(
            main.details, log=main.job.url or main.job.name, job=main.job.name, job_url=main.job.url or None, run_url=run.url or None,
            other_jobs=tuple(_others(examined, main, failed[self.max_jobs :])), flaky=flaky,
            changes=since.changes if since else None,
            similar=evidence.similar(main.details.fingerprint, seen),
        )  # fmt: skip
        verdict = replace(main.verdict, details=details, notes=(*main.verdict.notes, *notes.texts))
        looked_at = [FailedJob(item.job, verdict if item is main else item.verdict, flaky if item is main else Flaky()) for item in examined]
        unread = (FailedJob(job, None) for job in failed[self.max_jobs :])
        return Consultation(verdict, run, (*looked_at, *unread), main.on_commit, since.comparison if since else None)

    def _examine(self, job: Job, good: Job | None, run: Run, context: RunContext, notes: evidence.Notes) -> Examined:
        on_commit = evidence.results_on_commit(self.ci, run, job, notes)
        verdict, failure = self._read(job, good, context.platform, notes)
        return Examined(job, verdict, on_commit, failure)

    def _read(self, job: Job, good: Job | None, platform: Platform, notes: evidence.Notes) -> tuple[Verdict, Failure | None]:
        """The verdict on the job, and the failure that it claims."""
        said = evidence.annotations_of(self.ci, job, notes)
        try:
            with ExitStack() as stack:
                opened = stack.enter_context(self.open_log(job))
                before = self._baseline(stack, good, notes)
                diagnosis = diagnose(opened.stream, platform=_log_form(platform), baseline=before, signatures=self.signatures)
                diagnosis = replace(diagnosis, notes=(*opened.notes, *diagnosis.notes))
        except ServiceError as problem:
            notes.add(str(problem))
            return self._annotated(job, said) or (_unread(job), None)
        verdict = verdict_of(diagnosis, job.name)
        told = self._annotated(job, said)
        if told and (verdict.outcome is not Outcome.FAIL or told[0].details.category in _PLATFORM_KNOWS):
            return replace(told[0], notes=verdict.notes), told[1]
        return _failed_anyway(verdict, diagnosis), diagnosis.failures[0] if diagnosis.failures else None

    def _since(self, good: Run | None, run: Run, main: Examined, notes: evidence.Notes) -> evidence.Since | None:
        if good is None or self.repository is None:
            return None
        return evidence.changes_since(self.repository, good, run, main.failure, notes)

    def _flaky(self, run: Run, main: Examined, seen: Sightings | None, context: RunContext, notes: evidence.Notes) -> Flaky:
        base = context.pull_request.base_ref if context.pull_request else context.default_branch
        on_branch = evidence.results_on_branch(self.ci, run, base, notes)
        details = main.details
        facts = FlakyFacts(
            signature=details.signature, wrapper=self._is_wrapper(details.signature), transient=details.transient,
            category=details.category or "", head=run.branch,
            sha=run.sha, branch=base, base=base,
            on_commit=main.on_commit, on_branch=on_branch, fails_on_base=self._fails_on_base(run, main, on_branch, context, notes),
            sightings=seen, reruns=evidence.reruns(self.history, context.repository, details.signature, notes),
        )  # fmt: skip
        return judge(facts)

    def _is_wrapper(self, signature: str | None) -> bool:
        return any(rule.id == signature and rule.role == "wrapper" for rule in self.signatures.signatures)

    def _fails_on_base(self, run: Run, main: Examined, on_branch: Sequence[JobResult], context: RunContext, notes: evidence.Notes) -> bool | None:
        """Whether the newest run of the base branch fails in the same way; None where there is none, or nothing to compare."""
        head = next((result for result in on_branch if result.sha != run.sha), None)
        if head is None or not main.details.fingerprint:
            return None
        return head.status.failed and self._fails_there_too(head, main, context, notes)

    def _fails_there_too(self, head: JobResult, main: Examined, context: RunContext, notes: evidence.Notes) -> bool:
        """Whether the newest run of the base branch fails in the same way: as it is remembered, else by its log."""
        try:
            if self.history and self.history.seen_at(context.repository, main.details.fingerprint, head.sha):
                return True
            there = next((job for job in self.ci.jobs(head.run) if job.name == main.job.name and job.status.failed), None)
        except ServiceError as problem:
            notes.add(f"The newest run of the base branch was not read: {problem}")
            return False
        return there is not None and self._read(there, None, context.platform, notes)[0].details.fingerprint == main.details.fingerprint

    def _baseline(self, stack: ExitStack, good: Job | None, notes: evidence.Notes) -> list[BinaryIO]:
        if good is None:
            return []
        try:
            return [stack.enter_context(self.open_log(good)).stream]
        except (NotFound, NotAllowed):
            return []  # logs are kept for a time only; a baseline is a help, not a need
        except ServiceError as problem:
            notes.add(f"No baseline: {problem}")
            return []

    def _annotated(self, job: Job, said: Sequence[Annotation]) -> tuple[Verdict, Failure] | None:
        """What the platform's own messages of failure amount to; None where they say nothing that a rule knows."""
        lines = [(item, line) for item in said if item.level == "failure" for line in item.message.splitlines() if line.strip()]
        if not lines:
            return None
        log = b"".join(b"##[error]" + line.strip().encode() + b"\n" for _, line in lines)
        diagnosis = diagnose(log, platform="github", signatures=self.signatures)
        best = diagnosis.failures[0] if diagnosis.failures else None
        if best is None or best.confidence < CLAIMED or best.signature is None or best.category == "other":
            return None
        verdict = verdict_of(diagnosis, job.name)
        details = replace(verdict.details, root_cause=None, excerpt=None, candidates=(), further_failures=(), lines=0, bytes=0)
        proof = Evidence("annotation", job.url or job.name, best.text)
        finding = Finding(best.signature, best.title, "error", best.confidence, (proof,), None, best.fixes)
        return replace(verdict, details=details, findings=(finding,), notes=()), best

    def _remember(self, run: Run, examined: Sequence[Examined], context: RunContext, notes: evidence.Notes) -> None:
        try:
            for item in examined:
                if item.sure and item.details.fingerprint and self.history:
                    self.history.record(_past(run, item, context, self.clock.now()))
        except ServiceError as problem:
            notes.add(f"Not remembered: {problem}")


def _is_own(job: Job, context: RunContext) -> bool:
    """Whether it is the job that we run in. GitHub names jobs otherwise than it tells them their name, but says on which runner each runs."""
    if context.own_run is None or context.target is None or context.own_run.id != context.target.id:
        return False
    on_our_runner = bool(context.own_runner) and job.status is Status.RUNNING and job.runner == context.own_runner
    return on_our_runner or (bool(context.own_job) and context.own_job in (job.id, job.name))


def _as_if_ended(run: Run, jobs: Sequence[Job], failed: Sequence[Job]) -> Status:
    """How the run stands without us: it still runs as long as we do."""
    if run.status is not Status.RUNNING or not jobs or any(job.status in (Status.RUNNING, Status.UNKNOWN) for job in jobs):
        return run.status
    return Status.FAILURE if failed else Status.SUCCESS


def _same_name(job: Job, others: Sequence[Job]) -> Job | None:
    return next((other for other in others if other.name == job.name and other.status is Status.SUCCESS), None)


def _log_form(platform: Platform) -> str:
    return "auto" if platform is Platform.LOCAL else str(platform)


def _main(examined: Sequence[Examined]) -> Examined:
    """The job that explains the failure best: a claimed cause first, then the surer one, then the one that failed first."""

    def order(item: Examined) -> tuple[bool, float, float]:
        return not item.sure, -round(item.details.confidence, 1), item.job.completed or float("inf")

    return min(examined, key=order)


def _others(examined: Sequence[Examined], main: Examined, unread: Sequence[Job]) -> Iterator[JobFailure]:
    for item in examined:
        if item is not main:
            root, details = item.details.root_cause, item.details
            same = bool(details.fingerprint) and details.fingerprint == main.details.fingerprint
            yield JobFailure(
                item.job.name, item.verdict.title, root.line if root else None, root.text if root else "",
                details.category, details.confidence, same, item.job.url,
            )  # fmt: skip
    for job in unread:
        yield JobFailure(job.name, "Failed too; not looked at (max-jobs)", None, "", None, 0.0, url=job.url)


def _failed_anyway(verdict: Verdict, diagnosis: Diagnosis) -> Verdict:
    """The platform says that the job failed, so a log that shows no failure is no reason to skip it."""
    if diagnosis.failed is not False:
        return verdict
    return replace(verdict, outcome=Outcome.INCONCLUSIVE, title="No cause found", summary="The job failed, but its log shows no failure.")


def _unread(job: Job) -> Verdict:
    reason = f" The platform's reason: {job.failure_reason}." if job.failure_reason else ""
    return Verdict(AGENT, Outcome.INCONCLUSIVE, "The log could not be read", f"Job {job.name} failed and its log could not be read.{reason}", _empty(job.name))


def _no_failure(run: Run, jobs: Sequence[Job], context: RunContext) -> Verdict:
    if any(job.status is Status.CANCELLED for job in jobs) or run.status is Status.CANCELLED:
        return _nothing(Outcome.SKIPPED, "Nothing to diagnose", "The run was cancelled, and no job of it failed before.", context, run)
    if run.status.failed:
        return _nothing(Outcome.INCONCLUSIVE, "No failed job", "The run failed, but none of its jobs did; its configuration may be invalid.", context, run)
    if any(job.status is Status.RUNNING for job in jobs):
        return _nothing(Outcome.SKIPPED, "Nothing to diagnose", "No job has failed so far.", context, run)
    return _nothing(Outcome.PASS, "All is well", "No job of the run failed.", context, run)


def _nothing(outcome: Outcome, title: str, summary: str, context: RunContext, run: Run | None = None) -> Verdict:
    details = replace(_empty(context.target.id if context.target else ""), platform=str(context.platform), run_url=run.url if run else context.run_url or None)
    return Verdict(AGENT, outcome, title, summary, details)


def _empty(log: str) -> DoctorDetails:
    return DoctorDetails("raw", log, 0, 0, None, None, None, 0.0, None, (), (), None)


def _past(run: Run, item: Examined, context: RunContext, now: float) -> PastFailure:
    details = item.details
    return PastFailure(
        context.repository, details.fingerprint, details.signature or "", details.category or "other", item.verdict.title, run.workflow or run.name,
        item.job.name, run.branch, run.sha, run.ref.id, run.ref.attempt, run.created or now, item.job.url or run.url,
    )  # fmt: skip

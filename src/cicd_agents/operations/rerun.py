"""Whether failed jobs are started again; pure. Every rule that speaks against it says so in one sentence, which the report shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from cicd_agents.analysis.flaky.interval import wilson
from cicd_agents.domain.ci import Job, RunRef
from cicd_agents.domain.doctor import Flaky
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.history import RerunRecord
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.verdict import Outcome, Verdict
from cicd_agents.operations.policy import Mode, RerunPolicy

KIND = "RerunJobs"
# A rule is not trusted any more when its re-runs surely help in less than half of all cases: the upper end of the 95 % interval lies below this.
# The bound needs four re-runs that all failed, or one success among eight; fewer prove nothing.
HELPS_AT_LEAST = 0.5
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A failed job with the doctor's verdict on it (None: it was not looked at) and what other runs of the same commit say."""

    job: Job
    verdict: Verdict | None
    flaky: Flaky = field(default_factory=Flaky)

    @property
    def name(self) -> str:
        """The job's name for a sentence; the platform bounds its length, we more so."""
        return self.job.name if len(self.job.name) <= 80 else f"{self.job.name[:79]}…"


@dataclass(frozen=True, slots=True)
class RerunFacts:
    """All that is known before a re-run.

    `jobs` are all failed jobs, also those that were not diagnosed. `startable` is false where the platform starts only ended runs again and this one
    still runs (GitHub). `today` and `on_pull_request` count the re-runs of the last 24 hours and of this pull request, None where nothing is remembered;
    `records` tells by rule how earlier re-runs went.
    """

    repository: str
    run: RunRef
    jobs: tuple[FailedJob, ...]
    trusted: bool
    from_fork: bool = False
    pull_request: int | None = None
    startable: bool = True
    today: int | None = None
    on_pull_request: int | None = None
    records: Mapping[str, RerunRecord] = field(default_factory=dict)

    @property
    def red(self) -> tuple[FailedJob, ...]:
        """The jobs that make the run fail."""
        return tuple(item for item in self.jobs if item.job.status.failed and not item.job.allowed_to_fail)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is started again: the name of the rule and one sentence. `escalate`: people should hear of it by an issue, since the budget is spent."""

    rule: str
    reason: str
    escalate: bool = False


def rule_of(item: FailedJob, policy: RerunPolicy) -> str | None:
    """The rule by which a job may be started again: its signature, or that it was seen to pass and fail on the same commit; None where none applies.

    A flaky failure is its own rule, so that re-runs of one flaky test don't count against the signature of all failed tests.
    """
    if item.verdict is None or item.flaky.verdict == "no":
        return None
    details = item.verdict.details
    sure = item.verdict.outcome is Outcome.FAIL and details.confidence >= policy.min_confidence
    if sure and details.transient and details.category in policy.categories:
        return details.signature or f"category:{details.category}"
    if item.flaky.verdict == "yes":
        return f"flaky:{details.fingerprint or details.signature or item.name}"
    return None


def rules_of(facts: RerunFacts, policy: RerunPolicy) -> tuple[str, ...]:
    """The rules by which the failed jobs may be started again, each once; the first one is remembered with the re-run."""
    return tuple(dict.fromkeys(rule for item in facts.red if (rule := rule_of(item, policy))))


def propose(facts: RerunFacts, policy: RerunPolicy) -> Operation | Refusal:
    """One operation that starts all failed jobs again, or the first reason against it."""
    for check in _CHECKS:
        for refusal in check(facts, policy):
            return refusal
    return Operation(
        kind=KIND,
        target=f"{facts.repository} run {facts.run.id}",
        why=_why(facts.red),
        reverse="Cancel the new attempt of the run.",
        key=f"{KIND}:{facts.repository}:{facts.run.id}:{facts.run.attempt}",
        rule=rules_of(facts, policy)[0],
        evidence=tuple(_evidence(facts.red)),
        parameters=(("run", facts.run.id), ("attempt", str(facts.run.attempt)), ("jobs", ", ".join(item.name for item in facts.red[:_MOST_NAMED]))),
    )


Check = Callable[[RerunFacts, RerunPolicy], Iterator[Refusal]]


def _switched_on(_facts: RerunFacts, policy: RerunPolicy) -> Iterator[Refusal]:
    if policy.mode is Mode.OFF:
        yield Refusal("off", "Re-runs are switched off (`rerun: off`).")


def _known_origin(facts: RerunFacts, policy: RerunPolicy) -> Iterator[Refusal]:
    if facts.from_fork and not policy.forks:
        yield Refusal("fork", "The run is of a fork, whose code is a stranger's; `rerun-forks: true` allows it.")
    if not facts.trusted and not facts.from_fork:
        yield Refusal("untrusted", "The run is not of a trusted branch, so nothing is started for it.")


def _startable(facts: RerunFacts, _policy: RerunPolicy) -> Iterator[Refusal]:
    if not facts.startable:
        yield Refusal("running", "The run has not ended, and the platform starts only ended runs again; a workflow that runs after it can.")


def _first_attempts(facts: RerunFacts, policy: RerunPolicy) -> Iterator[Refusal]:
    if facts.run.attempt > policy.max_attempt:
        reason = f"This is attempt {facts.run.attempt}; the last one that may be started again is {policy.max_attempt} (`rerun-max-attempt`)."
        yield Refusal("attempt", reason)


def _failed_jobs(facts: RerunFacts, _policy: RerunPolicy) -> Iterator[Refusal]:
    if not facts.red:
        yield Refusal("no-failed-job", "No job of the run failed.")
    unread = sum(item.verdict is None for item in facts.red)
    if unread:
        yield Refusal("not-diagnosed", f"{unread} of {len(facts.red)} failed jobs were not looked at, so their causes are not known (`max-jobs`).")


def _no_deploys(facts: RerunFacts, policy: RerunPolicy) -> Iterator[Refusal]:
    for item in facts.red:
        if item.job.deploys and not policy.deploys:
            yield Refusal("deploys", f"Job {item.name} deploys; `rerun-deploys: true` allows to start it again.")


def _transient(facts: RerunFacts, policy: RerunPolicy) -> Iterator[Refusal]:
    """A run stays red as long as one job has a lasting cause, so all of them have to be transient."""
    for item in facts.red:
        if item.verdict is not None and rule_of(item, policy) is None:
            yield Refusal("lasting-cause", f"Job {item.name}: {_against(item, item.verdict, policy)}")


def _against(item: FailedJob, verdict: Verdict, policy: RerunPolicy) -> str:
    details = verdict.details
    if item.flaky.verdict == "no":
        return f"the failure does not come and go. {item.flaky.reason}"
    if verdict.outcome is not Outcome.FAIL or details.category is None:
        return "no cause was found with enough confidence."
    if details.category not in policy.categories:
        return f"the category {details.category} is not one that may be started again (`rerun-categories`)."
    if not details.transient:
        return f"a failure of this kind ({details.signature or details.category}) stays when it is tried again."
    return f"the confidence is {details.confidence:.2f}, and {policy.min_confidence:.2f} is needed (`rerun-min-confidence`)."


def _evident(facts: RerunFacts, _policy: RerunPolicy) -> Iterator[Refusal]:
    for item in facts.red:
        if not any(_evidence((item,))):
            yield Refusal("no-evidence", f"Job {item.name}: there is no line or message that shows the cause.")


def _helpful(facts: RerunFacts, policy: RerunPolicy) -> Iterator[Refusal]:
    for rule in rules_of(facts, policy):
        record = facts.records.get(rule, RerunRecord(0, 0))
        if wilson(record.helped, record.tried)[1] < HELPS_AT_LEAST:
            yield Refusal("does-not-help", f"Of {record.tried} earlier re-runs by the rule {rule} only {record.helped} helped, so it is not trusted any more.")


def _affordable(facts: RerunFacts, policy: RerunPolicy) -> Iterator[Refusal]:
    """Last, so that a spent budget is only told where it alone stands in the way. A budget of zero is a choice, not spent, and nobody is called."""
    if facts.today is None or (facts.pull_request is not None and facts.on_pull_request is None):
        yield Refusal("no-memory", "Without a memory the budgets cannot be kept; set `history` or `history-url`.")
    elif facts.today >= policy.per_day:
        reason = f"The budget is spent: {facts.today} re-runs in the last 24 hours, {policy.per_day} are allowed (`rerun-per-day`)."
        yield Refusal("budget", reason, escalate=policy.per_day > 0)
    elif facts.pull_request is not None and (facts.on_pull_request or 0) >= policy.per_pull_request:
        reason = (
            f"The budget is spent: {facts.on_pull_request} re-runs for this pull request, {policy.per_pull_request} are allowed (`rerun-per-pull-request`)."
        )
        yield Refusal("budget", reason, escalate=policy.per_pull_request > 0)


_CHECKS: tuple[Check, ...] = (
    _switched_on, _known_origin, _startable, _failed_jobs, _first_attempts, _no_deploys, _transient, _evident, _helpful, _affordable,
)  # fmt: skip


def _why(jobs: tuple[FailedJob, ...]) -> str:
    said = [_reason(item, item.verdict) for item in jobs[:_MOST_NAMED] if item.verdict is not None]
    more = f"; and {len(jobs) - _MOST_NAMED} more" if len(jobs) > _MOST_NAMED else ""
    return f"{'; '.join(said)}{more}."


def _reason(item: FailedJob, verdict: Verdict) -> str:
    details = verdict.details
    flaky = ", seen to come and go" if item.flaky.verdict == "yes" else ""
    return f"Job {item.name}: {verdict.title} ({details.category or 'no category'}, confidence {details.confidence:.2f}{flaky})"


def _evidence(jobs: tuple[FailedJob, ...]) -> Iterator[Evidence]:
    for item in jobs[:_MOST_NAMED]:
        if item.verdict is not None and item.verdict.findings:
            yield from item.verdict.findings[0].evidence
        if item.flaky.verdict == "yes":
            yield from item.flaky.evidence

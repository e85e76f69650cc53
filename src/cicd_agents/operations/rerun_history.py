"""What the memory knows of re-runs: how many there were, how a rule's re-runs went, and how one ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cicd_agents.domain.ci import JobResult, Run, RunRef, Status
from cicd_agents.domain.context import Platform
from cicd_agents.domain.ports import History
from cicd_agents.operations.policy import RerunPolicy
from cicd_agents.operations.rerun import RerunFacts, rules_of

DAY = 86_400.0


def with_memory(facts: RerunFacts, policy: RerunPolicy, history: History, now: float) -> RerunFacts:
    """The facts with the counts and records that the memory holds. Raises ServiceError where it cannot be read."""
    number = facts.pull_request
    return replace(
        facts,
        today=history.reruns_since(facts.repository, now - DAY),
        on_pull_request=None if number is None else history.reruns_since(facts.repository, 0.0, number),
        records={rule: history.rerun_record(facts.repository, rule) for rule in rules_of(facts, policy)},
    )


def attempt_before(platform: Platform, run: Run, on_commit: Sequence[JobResult]) -> RunRef | None:
    """The attempt whose re-run this run would be; None where it can be none.

    GitHub and GitLab keep the number of the run and count its attempts. In Jenkins a re-run is a build of its own: the newest earlier one of the same
    code (`on_commit`: how the job ended on it) came before.
    """
    if platform is not Platform.JENKINS:
        return RunRef(run.ref.id, run.ref.attempt - 1) if run.ref.attempt > 1 else None
    earlier = [item for item in on_commit if item.time is not None and run.created is not None and item.time < run.created]
    return max(earlier, key=lambda item: item.time or 0.0).run if earlier else None


def settle(history: History, repository: str, before: RunRef | None, status: Status, *, trusted: bool) -> bool:
    """Remember how the re-run of the attempt `before` ended: it helped when all is green after it. Whether there was anything to remember.

    A cancelled or running one says nothing. Runs of strangers are not counted, so that nobody teaches us by a forged log which rules help.
    Raises ServiceError where the memory cannot be written; an attempt that we did not start again is no error.
    """
    if before is None or not trusted or not (status.failed or status is Status.SUCCESS):
        return False
    history.settle_rerun(repository, before.id, before.attempt, status is Status.SUCCESS)
    return True

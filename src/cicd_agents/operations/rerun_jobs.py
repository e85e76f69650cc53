"""Starts failed jobs again: the applier of the operation RerunJobs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from cicd_agents.domain.errors import BadAnswer, ServiceError, Unavailable
from cicd_agents.domain.history import PastRerun
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.ports import CIServer, Clock, History
from cicd_agents.operations.apply import AlreadyDone
from cicd_agents.operations.rerun import RerunFacts


@dataclass(frozen=True, slots=True)
class RerunJobs:
    """Starts the failed jobs of the facts again, once per attempt: it is remembered before it is started, so of two runs at once only one does it."""

    server: CIServer
    history: History
    clock: Clock
    facts: RerunFacts

    def __call__(self, operation: Operation) -> str:
        """What was started. Raises AlreadyDone where this attempt was started again before, and ServiceError where it could not be."""
        facts = self.facts
        rerun = PastRerun(facts.repository, facts.run.id, facts.run.attempt, operation.rule, facts.pull_request, self.clock.now())
        if not self.history.record_rerun(rerun):
            raise AlreadyDone(f"Attempt {facts.run.attempt} of run {facts.run.id} was started again before.")
        jobs = [item.job for item in facts.red]
        try:
            self.server.rerun_failed(facts.run, jobs)
        except (Unavailable, BadAnswer) as problem:
            # It may have been started. Remembering it costs at most one re-run; forgetting it could start a job twice.
            raise Unavailable(f"{problem} It is not known whether the jobs were started again, so it is not tried a second time.") from problem
        except ServiceError:
            with suppress(ServiceError):  # the reason why it could not be started is the one to tell
                self.history.forget_rerun(rerun)
            raise
        return f"Started {len(jobs)} failed {'job' if len(jobs) == 1 else 'jobs'} again."

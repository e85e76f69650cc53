"""Re-runs from beginning to end: what came of the last one, whether another is due, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cicd_agents.domain.ci import JobResult, Run
from cicd_agents.domain.context import Kind, Platform, RunContext
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.domain.ports import CIServer, Clock, History
from cicd_agents.domain.verdict import Verdict
from cicd_agents.operations.apply import apply
from cicd_agents.operations.audit import AuditLog
from cicd_agents.operations.policy import Mode, RerunPolicy
from cicd_agents.operations.rerun import KIND, FailedJob, Refusal, RerunFacts, propose
from cicd_agents.operations.rerun_history import attempt_before, settle, with_memory
from cicd_agents.operations.rerun_jobs import RerunJobs

# The parameter of a refused operation that says: people should hear of it by an issue.
ESCALATE = ("escalate", "true")


@dataclass(frozen=True, slots=True)
class Reruns:
    """Starts failed jobs again under a policy; without a memory nothing is started (the budgets could not be kept)."""

    server: CIServer
    history: History | None
    policy: RerunPolicy
    audit: AuditLog
    clock: Clock

    def after(self, verdict: Verdict, run: Run | None, failed: tuple[FailedJob, ...], on_commit: tuple[JobResult, ...], context: RunContext) -> Verdict:
        """The verdict with the operation that was proposed, applied or refused; a memory that cannot be used becomes a note."""
        if run is None:
            return verdict
        try:
            if self.history:
                before = attempt_before(context.platform, run, on_commit or self._elsewhere(run, context))
                settle(self.history, context.repository, before, run.status, trusted=context.trusted)
            operations = self._operations(run, failed, context) if failed and self.policy.mode is not Mode.OFF else ()
        except (ServiceError, UsageError) as problem:  # UsageError: the file of the memory is damaged
            return replace(verdict, notes=(*verdict.notes, f"Re-runs were not considered: {problem}"))
        return replace(verdict, operations=(*verdict.operations, *operations))

    def _elsewhere(self, run: Run, context: RunContext) -> tuple[JobResult, ...]:
        """The other builds of a commit whose build is green, which nobody had to ask for; only Jenkins tells a re-run by them."""
        if context.platform is not Platform.JENKINS:
            return ()
        return tuple(result for job in self.server.jobs(run.ref)[:1] for result in self.server.results_on_commit(run, job))

    def _operations(self, run: Run, failed: tuple[FailedJob, ...], context: RunContext) -> tuple[Operation, ...]:
        facts = RerunFacts(
            context.repository, run.ref, failed, context.trusted, from_fork=bool(context.pull_request and context.pull_request.from_fork),
            pull_request=context.pull_request.number if context.pull_request else None, startable=_startable(context),
        )  # fmt: skip
        if self.history:
            facts = with_memory(facts, self.policy, self.history, self.clock.now())
        proposal = propose(facts, self.policy)
        if isinstance(proposal, Refusal):
            return (_refused(proposal, facts),)
        appliers = {KIND: RerunJobs(self.server, self.history, self.clock, facts)} if self.history else {}
        return apply((proposal,), appliers, self.policy.mode, self.audit, self.clock)


def escalated(operations: tuple[Operation, ...]) -> bool:
    """Whether an operation was refused for a reason that people should hear of."""
    return any(ESCALATE in operation.parameters for operation in operations)


def _startable(context: RunContext) -> bool:
    """GitHub starts only ended runs again, so not the one that we are a job of."""
    return context.platform is not Platform.GITHUB or context.kind is Kind.RUN_FINISHED or context.own_run != context.target


def _refused(refusal: Refusal, facts: RerunFacts) -> Operation:
    return Operation(
        KIND, f"{facts.repository} run {facts.run.id}", "The run failed.", "Nothing was done.", f"{KIND}:{facts.repository}:{facts.run.id}:{facts.run.attempt}",
        rule=refusal.rule, parameters=(ESCALATE,) if refusal.escalate else (), status=OperationStatus.REFUSED, result=refusal.reason,
    )  # fmt: skip

"""Approvals as the settings ask for them: which rules, who is asked where, and what then may be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cicd_agents.clients.platforms.release_services import ReleaseServices
from cicd_agents.domain.context import Platform, RunContext
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.operations.approval import Approval, gate
from cicd_agents.operations.approval_places import IssuePlace
from cicd_agents.operations.approval_rules import ApprovalRule, parse_rules, rule_of
from cicd_agents.operations.approvals import Approvals, Asking
from cicd_agents.operations.audit import AuditLog
from cicd_agents.operations.kinds import KINDS
from cicd_agents.settings.model import Settings

if TYPE_CHECKING:
    from cicd_agents.wiring.world import World

# Bytes of a text that the forges take, with room for what stands around it (65,536 characters and a million).
_MOST = {Platform.GITHUB: 60_000, Platform.GITLAB: 990_000}


@dataclass(frozen=True, slots=True)
class Passed:
    """The operations as they may be done, what was written in order to ask, and what is to be said."""

    operations: tuple[Operation, ...]
    writes: tuple[Operation, ...] = ()
    notes: tuple[str, ...] = ()
    approval: Approval | None = None
    approvals: Approvals | None = None


@dataclass(frozen=True, slots=True)
class ApprovalGate:
    """Lets operations through as the settings say."""

    settings: Settings
    context: RunContext
    services: ReleaseServices | None
    audit: AuditLog
    world: World
    dry_run: bool = False

    def passed(self, operations: Sequence[Operation], scope: str) -> Passed:
        """Ask where that is needed. Raises UsageError for rules that make no sense or nobody who could be asked, ServiceError where it cannot be found out."""
        rules = _rules(self.settings)
        if not any(rule_of(operation, rules) for operation in operations):
            return Passed(tuple(operations))
        if self.services is None:
            raise UsageError("approval-required: nobody can be asked without GitHub or GitLab and a token for it.")
        approvals = self._approvals(rules, self.services, scope)
        approval = approvals.wait(operations, self.settings.approval_wait * 60.0)
        notes = (*approval.notes, *((f"It would be asked: {approval.text}",) if self.dry_run and approval.text else ()))
        return Passed(gate(operations, approval), approval.writes, notes, approval, approvals)

    def done(self, passed: Passed, operations: Sequence[Operation]) -> str:
        """Say that an approval is used up; why that was not possible, if it was not.

        What is left out of `operations` was not needed, such as the incident of a rollback that went well.
        """
        if passed.approvals is None or passed.approval is None or self.dry_run:
            return ""
        ended = {one.key: one for one in operations}
        try:
            passed.approvals.done(passed.approval, [ended.get(one.key, replace(one, status=OperationStatus.ALREADY_DONE)) for one in passed.operations])
        except ServiceError as problem:
            return f"The request for the approval was not ended: {problem}"
        return ""

    def _approvals(self, rules: tuple[ApprovalRule, ...], services: ReleaseServices, scope: str) -> Approvals:
        context = self.context
        asking = Asking(
            context.repository, scope, context.actor, context.own_run.id if context.own_run else "",
            "run this job again" if context.own_run else "run the same command again",
            slash=context.platform is not Platform.GITLAB, most=_MOST.get(context.platform, 60_000), dry_run=self.dry_run, redactor=self.world.redactor,
        )  # fmt: skip
        return Approvals(
            rules,
            asking,
            IssuePlace(services.host, services.threads, context.repository),
            services.host,
            services.people,
            self.audit,
            self.world.clock,
            services.reviews,
        )


def approval_needed(kind: str, settings: Settings) -> bool:
    """Whether operations of a kind wait for an approval by the settings."""
    return any(rule_of(Operation(kind, "", "", "", ""), _rules(settings)) for _ in settings.approval_required[:1])


def check_approvals(settings: Settings) -> None:
    """Raises UsageError for rules that make no sense."""
    _rules(settings)


def _rules(settings: Settings) -> tuple[ApprovalRule, ...]:
    by_starter = {"yes": True, "no": False}.get(settings.approval_self)
    environment = settings.approval_environment if settings.approval_by == "environment" else ""
    if settings.approval_by == "environment" and settings.approval_required and not environment:
        raise UsageError("approval-environment: name the protected environment whose approval counts.")
    return parse_rules(
        settings.approval_required, settings.approvers, settings.approval_timeout, minimum=settings.approval_minimum, by_starter=by_starter,
        environment=environment, kinds=(*KINDS, *(f"Promote:{entry.partition('=')[0].strip()}" for entry in settings.environments)),
    )  # fmt: skip

"""`cicd-agents release rollback`: takes a release back; deletes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.agents.release_manager import AGENT
from cicd_agents.agents.release_scene import ReleaseRequest, Scene
from cicd_agents.clients.audit_file import AuditFile
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.git import open_repository
from cicd_agents.clients.platforms.release_services import context_of, forge_token, release_services
from cicd_agents.clients.platforms.services import Order
from cicd_agents.domain.context import RunContext
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.release import ReleaseDetails
from cicd_agents.domain.verdict import EXIT_UNDECIDED, FailOn, Outcome, ReleaseVerdict
from cicd_agents.operations.policy import Mode
from cicd_agents.operations.release_rollback import Rollback, RollbackSteps, reissue, rollback, rollback_operations
from cicd_agents.operations.transaction import carry_out, code_of
from cicd_agents.report.document import report_of
from cicd_agents.report.release_formats import RENDER
from cicd_agents.settings.model import Settings

if TYPE_CHECKING:
    from cicd_agents.wiring.world import World

_MOST_RELEASES = 500


def roll_back(folder: Path, tag: str, to: str, reason: str, form: str, settings: Settings, context: RunContext, world: World) -> int:
    """Take the release of a tag back; the exit code. Raises UsageError where there is no such release, or no forge to ask."""
    began = world.clock.monotonic()
    repository = open_repository(folder, world.environment)
    remote = repository.remote(settings.git_remote) if settings.git_remote in repository.remote_names() else None
    context = context_of(remote, context)
    settings = replace(settings, token=forge_token(context, settings, world.environment))
    budget = Budget(world.clock, settings.time_limit)
    with release_services(Order(context, settings, world.environment, world.clock, budget, world.say, world.timeouts)) as services:
        if services is None:
            raise UsageError("A release can be taken back on GitHub and GitLab only, with a token: set GITHUB_TOKEN or CICD_AGENTS_GITLAB_TOKEN.")
        tags = Scene(repository, ReleaseRequest(component=settings.release_component, scheme=settings.release_scheme)).formats[0]
        try:
            known = tuple(services.releases.listed(_MOST_RELEASES))
        except ServiceError as problem:
            world.say(f"The releases could not be listed, so nothing was done: {problem}")
            return EXIT_UNDECIDED
        plan = rollback(tag, to, " ".join(reason.split()), known, tags)
        audit = AuditFile(repository.git_dir / "cicd-agents" / "audit.jsonl", world.redactor, context.actor, context.run_url)
        mode = Mode.DRY_RUN if settings.dry_run else Mode.AUTO
        operations = carry_out(rollback_operations(plan), RollbackSteps(plan, services.releases).appliers(), mode, audit, world.clock)
    report = report_of(_verdict(plan, operations), FailOn.NEVER, world.clock.monotonic() - began, world.redactor)
    code = code_of(operations, dry_run=settings.dry_run)
    report = report if code is None else replace(report, exit_code=code)
    world.out(RENDER[form](report))
    return report.exit_code


def _verdict(plan: Rollback, operations: Sequence[Operation]) -> ReleaseVerdict:
    good = plan.good.tag if plan.good else None
    summary = f"{plan.bad.tag} is taken back: {plan.reason}"
    details = ReleaseDetails(plan.bad.tag, good, "none", (), "", (), summary, tag=plan.bad.tag, previous_tag=good)
    notes = (reissue(plan),) if good else (reissue(plan), "There is no stable release below it that could be the latest.")
    return ReleaseVerdict(AGENT, Outcome.PASS, f"{plan.bad.tag} taken back", summary, details, notes=notes, operations=tuple(operations))

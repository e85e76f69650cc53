"""What the guardian does by its judgement: rollback, freeze, promotion, hold, and switching on again what was switched off; each under policy and approval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.clients.platforms.release_services import ReleaseServices
from cicd_agents.domain.context import RunContext
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import REACHED, Operation, OperationStatus
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.apply import Applier
from cicd_agents.operations.audit import AuditLog
from cicd_agents.operations.delivery_way import DeliveryWay
from cicd_agents.operations.guardian_incident import IncidentSteps
from cicd_agents.operations.guardian_recovery import VERIFY, Recovery
from cicd_agents.operations.guardian_revert import REVERT, Revert, RevertSteps
from cicd_agents.operations.guardian_rollback import (
    Intent,
    RollbackPlan,
    carry_out_rollback,
    judged_operations,
    plan,
    promotion_operations,
    resume_operations,
)  # fmt: skip
from cicd_agents.operations.policy import Mode, mode_of
from cicd_agents.operations.transaction import carry_out
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.approvals import ApprovalGate, Passed

if TYPE_CHECKING:
    from cicd_agents.clients.git import GitRepository
    from cicd_agents.wiring.world import World

# More commits than a release has; beyond them the change counts as large.
_MOST_COMMITS = 500


@dataclass(slots=True)
class Acting:
    """Acts on one target. `judged` are the versions that were judged; `recovered` says why the metrics are not back to normal after a rollback, None: they are.

    `incident` makes title and text (Markdown) of what was done. `operations` and `notes` gather all that was done in this run.
    """

    way: DeliveryWay
    settings: Settings
    context: RunContext
    world: World
    services: ReleaseServices | None
    audit: AuditLog
    stack: ExitStack
    judged: tuple[str, ...]
    recovered: Callable[[], str | None]
    incident: Callable[[Sequence[Operation]], tuple[str, str]]
    tell: Callable[[Sequence[Operation], str], None] | None = None
    operations: list[Operation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def rollback(self, reason: str, evidence: tuple[Evidence, ...], *, freeze: bool) -> None:
        """Roll back, or freeze, as the settings allow. What cannot be planned is a note, and no write."""
        mode = self._mode(self.settings.rollback)
        if mode is Mode.OFF:
            return
        revert = self.settings.revert == "request"
        intent = Intent(self.judged, reason, evidence, self.settings.rollback_to, freeze, revert, self.settings.recovery_wait * 60.0)
        try:
            found = plan(self.way, intent)
        except (ServiceError, UsageError) as problem:
            self.notes.append(f"The rollback could not be planned, so nothing was written: {problem}")
            return
        self.notes += [*found.refusals, *found.standing.notes]
        if not found.operations:
            return
        self._pass(found.operations, mode, f"rollback {self.way.target}", lambda passed: self._carried_out(found, passed.operations, intent, mode))

    def promote(self, share: float | None, reason: str) -> bool:
        """Give the canary the next share (None: all); whether it has that now."""
        mode = self._mode(self.settings.promote)
        if mode is Mode.OFF:
            return False
        try:
            standing = self.way.look()
            operations, refusals = promotion_operations(self.way, standing, self.judged, share, reason)
        except (ServiceError, UsageError) as problem:
            self.notes.append(f"The promotion could not be planned, so nothing was written: {problem}")
            return False
        self.notes += refusals
        if refusals or not operations:
            return not refusals and _has(standing, share)
        appliers = self.way.appliers()
        done = self._pass(
            operations, mode, f"promotion {self.way.target}", lambda passed: carry_out(passed.operations, appliers, mode, self.audit, self._clock)
        )
        return bool(done) and all(one.status in REACHED for one in done)

    def hold(self, reason: str) -> None:
        """Keep a roll-out where it is that would go on by itself, while it cannot be told how it does."""
        self._stayed("hold", lambda standing: self.way.hold(standing, reason))

    def release(self, reason: str) -> None:
        """End a hold of ours, and nothing else that is switched off."""
        self._stayed("end of the hold", lambda standing: self.way.release(standing, reason))

    def mark_healthy(self, reason: str) -> None:
        """Note on a plain workload that this revision was judged well, so that a later rollback may go there; other tools remember it themselves."""
        from cicd_agents.operations.delivery_workload import WorkloadWay

        mode = self._mode("auto" if "auto" in (self.settings.rollback, self.settings.promote) else "off")
        if not isinstance(self.way, WorkloadWay) or mode is Mode.OFF:
            return
        try:
            operations = self.way.mark_healthy(self.way.look(), reason)
        except (ServiceError, UsageError) as problem:
            self.notes.append(f"It was not marked as healthy: {problem}")
            return
        self.operations += carry_out(operations, self.way.appliers(), mode, self.audit, self._clock)

    def resume(self, reason: str) -> None:
        """Switch on again what a rollback switched off. Raises ServiceError and UsageError where the target cannot be seen."""
        mode = Mode.DRY_RUN if self._only_shown else Mode.AUTO
        operations = resume_operations(self.way, self.way.look(), reason)
        if not operations:
            self.notes.append(f"{self.way.target}: nothing is switched off by us.")
            return
        appliers = self.way.appliers()
        self._pass(operations, mode, f"resume {self.way.target}", lambda passed: carry_out(passed.operations, appliers, mode, self.audit, self._clock))

    def standing(self) -> DeliveryStanding | None:
        """How the target stands; None, with a note, where it cannot be seen."""
        try:
            return self.way.look()
        except (ServiceError, UsageError) as problem:
            self.notes.append(f"{self.way.target} could not be looked at: {problem}")
            return None

    def changed_files(self, standing: DeliveryStanding | None) -> tuple[str, ...] | None:
        """The paths that the version changes against the one that would be gone back to, by this clone; None where that is not known."""
        from cicd_agents.clients.git import open_repository

        try:
            repository = open_repository(Path(self.context.workspace or "."), self.world.environment)
            between = self._between(standing.current if standing else None, standing.good if standing else None, repository)
            if between is None:
                return None
            history = repository.history(between[0], between[1:], files=True)
            paths = dict.fromkeys(path for commit in islice(history, _MOST_COMMITS) for path in commit.files or ())
        except UsageError:
            return None  # no clone, or not of these commits
        return tuple(paths)

    # Inside

    @property
    def _clock(self) -> Clock:
        return self.world.clock

    @property
    def _only_shown(self) -> bool:
        return self.settings.dry_run or not self.context.trusted

    def _mode(self, setting: str) -> Mode:
        return mode_of(setting, self._only_shown)

    def _stayed(self, what: str, planned: Callable[[DeliveryStanding], tuple[Operation, ...]]) -> None:
        mode = self._mode(self.settings.hold)
        if mode is Mode.OFF:
            return
        try:
            operations, refusals = judged_operations(self.way.look(), self.judged, planned)
        except (ServiceError, UsageError) as problem:
            self.notes.append(f"The {what} could not be planned, so nothing was written: {problem}")
            return
        self.notes += refusals
        if operations:
            appliers = self.way.appliers()
            self._pass(operations, mode, f"hold {self.way.target}", lambda passed: carry_out(passed.operations, appliers, mode, self.audit, self._clock))

    def _pass(
        self, operations: tuple[Operation, ...], mode: Mode, scope: str, carry: Callable[[Passed], tuple[Operation, ...]]
    ) -> tuple[Operation, ...]:  # fmt: skip
        """The operations through the approvals, and done; where nobody can be asked they are not done."""
        gate = ApprovalGate(self.settings, self.context, self.services, self.audit, self.world, mode is not Mode.AUTO)
        try:
            passed = gate.passed(operations, scope)
        except ServiceError as problem:
            self.notes.append(f"It could not be found out whether this is approved, so nothing was written: {problem}")
            self.operations += [replace(one, status=OperationStatus.NEEDS_APPROVAL) for one in operations]
            return ()
        done = carry(passed)
        ended = gate.done(passed, done)
        self.operations += [*passed.writes, *done]
        self.notes += [*passed.notes, *([ended] if ended else [])]
        return done

    def _carried_out(self, found: RollbackPlan, operations: tuple[Operation, ...], intent: Intent, mode: Mode) -> tuple[Operation, ...]:
        recovery = Recovery(self.way.look, found.to, self._clock, intent.recovery_seconds, self.recovered, found.standing, self.world.say)
        appliers: dict[str, Applier] = {**self.way.appliers(), VERIFY: recovery.verify, **self._revert(found, intent)}
        return carry_out_rollback(operations, appliers, self._incident, mode, self.audit, self._clock)

    def _incident(self, done: tuple[Operation, ...]) -> Mapping[str, Applier]:
        title, _ = self.incident(done)
        host = self.services.host if self.services else None
        return IncidentSteps(title, lambda so_far: self.incident(so_far)[1], self._labels, host, self.tell).appliers(done)

    @property
    def _labels(self) -> tuple[str, ...]:
        return self.settings.issue_labels or ("incident",)

    def _revert(self, found: RollbackPlan, intent: Intent) -> Mapping[str, Applier]:
        """The revert in Git, where it is wanted and can be: without a clone, a remote or a forge the operation is refused with the reason."""
        if not intent.revert:
            return {}
        try:
            steps = self._revert_steps(found, intent.reason)
        except (ServiceError, UsageError) as problem:
            why = str(problem)

            def refuse(_operation: Operation) -> str:
                raise UsageError(why)

            return {REVERT: refuse}
        return steps.appliers()

    def _revert_steps(self, found: RollbackPlan, reason: str) -> RevertSteps:
        from cicd_agents.clients.git import open_repository
        from cicd_agents.clients.git_release import GitWriter
        from cicd_agents.clients.git_revert import GitReverts
        from cicd_agents.clients.platforms.release_services import git_access
        from cicd_agents.wiring.release_apply import author

        if self.services is None:
            raise UsageError("revert: a request can be opened on GitHub and GitLab only, with a token for it.")
        repository = open_repository(Path(self.context.workspace or "."), self.world.environment)
        branch = self.context.default_branch or repository.head().branch
        if not branch:
            raise UsageError("revert: nobody knows which branch is deployed; check it out as a branch.")
        if self.settings.git_remote not in repository.remote_names():
            raise UsageError(f"revert: there is no remote {self.settings.git_remote}; name it by git-remote.")
        remote = repository.remote(self.settings.git_remote)
        name, email = author(self.settings.git_author, self.context.platform)
        writer = GitWriter(repository, self.settings.git_remote, name, email, git_access(self.context, remote, self.settings.token))
        wish = self._wish(found, branch, reason, repository)
        return RevertSteps(wish, GitReverts(writer), self.services.requests)

    def _wish(self, found: RollbackPlan, branch: str, reason: str, repository: GitRepository) -> Revert:
        from cicd_agents.operations.guardian_revert import revert_of

        between = self._between(found.left, found.to, repository)
        if between is None:
            raise UsageError("revert: neither the tool nor the tags of images name one commit of Git for each version; name the last good one by revert-from.")
        return revert_of(*between, branch, reason)

    def _between(self, bad: KnownRevision | None, good: KnownRevision | None, repository: GitRepository) -> tuple[str, str] | None:
        from cicd_agents.wiring.guardian_range import commits_between

        return commits_between(bad, good, self.context.sha, self.settings.revert_from, repository)


def _has(standing: DeliveryStanding, share: float | None) -> bool:
    """Whether the canary has that part of the traffic already: somebody was faster, or a run that was killed."""
    wanted = 1.0 if share is None else share
    alone = standing.share is None and standing.stable is None and standing.settled and standing.healthy is True
    return (standing.share is not None and standing.share >= wanted) or (share is None and alone)

"""Acts on what Flux reconciles: Flux has no rollback, so it is suspended, with the automations that would commit the bad image again, and the workload undone.

The undo is another way's (a Deployment's, a Rollout's, a Canary's), given as `workload`. What we suspended bears our mark; `resume` touches only that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cicd_agents.domain.delivery_flux import Flux, FluxKind, FluxState, FluxTarget, HelmSnapshot, ImageAutomation, would_come_back
from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.errors import Refused, Rejected, Unavailable, UsageError
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.apply import AlreadyDone, Applier
from cicd_agents.operations.delivery_way import DeliveryWay, write
from cicd_agents.operations.promotion_delivery import looks

SUSPEND, RESUME, RECONCILE = "SuspendReconciliation", "ResumeReconciliation", "Reconcile"
SUSPEND_AUTOMATION, RESUME_AUTOMATION = "SuspendImageAutomation", "ResumeImageAutomation"
FLUX_KINDS = (SUSPEND, RESUME, RECONCILE, SUSPEND_AUTOMATION, RESUME_AUTOMATION)
# How long a reconciliation that was asked for may take to be handled; one that waits for health may take its whole `timeout`.
SECONDS_TO_HANDLE = 300.0


@dataclass(frozen=True, slots=True)
class FluxWay:
    """One Kustomization or HelmRelease, and the workload that it deploys; without a workload it can be looked at and resumed, not rolled back."""

    reconciled: FluxTarget
    flux: Flux
    clock: Clock
    workload: DeliveryWay | None = None

    @property
    def target(self) -> str:
        """What it acts on."""
        return self.reconciled.shown

    def look(self) -> DeliveryStanding:
        """How the workload stands, and what Flux says; without a workload what was applied last, whose health is not told."""
        state = self.flux.state(self.reconciled)
        obstacles = self.flux.missing_rights(state)
        if self.workload is None:
            return _alone(self.target, state, obstacles)
        below = self.workload.look()
        return DeliveryStanding(
            self.target, below.current, below.good, below.earlier, below.stable, below.healthy, below.settled and not _busy(state),
            below.failed or ("" if state.suspended else state.stalled), f"{_health(state)}; {self.workload.target}: {below.health}".removesuffix(": "),
            below.share, (*obstacles, *below.obstacles), (*_notes(state), *below.notes),
        )  # fmt: skip

    def rollback(self, standing: DeliveryStanding, to: KnownRevision, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """Suspend, suspend what would commit the bad image again, undo the workload. Raises UsageError without a workload."""
        workload = self._workload()
        undo = workload.rollback(self._below(workload, standing), to, why, evidence)
        return (*self._suspends(why, evidence), *undo)

    def promote(self, standing: DeliveryStanding, share: float | None, why: str) -> tuple[Operation, ...]:
        """What the workload's way does; Flux itself has no such thing."""
        return () if self.workload is None else self.workload.promote(self._below(self.workload, standing), share, why)

    def freeze(self, standing: DeliveryStanding, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """What the workload's way does, with Flux suspended before, so that it does not put it back."""
        frozen = () if self.workload is None else self.workload.freeze(self._below(self.workload, standing), why, evidence)
        return (*self._suspends(why, evidence), *frozen) if frozen else ()

    def hold(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """What the workload's way does: Flux leaves alone what Git does not state, such as a pause."""
        return () if self.workload is None else self.workload.hold(self._below(self.workload, standing), why)

    def release(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """What the workload's way does."""
        return () if self.workload is None else self.workload.release(self._below(self.workload, standing), why)

    def resume(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """Resume what bears our mark, reconcile, and let the image automations write again at the end."""
        state = self.flux.state(self.reconciled)
        below = () if self.workload is None else self.workload.resume(self._below(self.workload, standing), why)
        ours = [each for each in state.automations if each.ours]
        if not state.ours and not ours:
            return below
        git = f"{why} Flux then applies what Git says: it must be reverted there."
        mine = (write(RESUME, self.target, git, self._suspend_command()),) if state.ours else ()
        token = datetime.fromtimestamp(self.clock.now(), UTC).isoformat()
        now = write(RECONCILE, self.target, why, "None: it only asks for what happens at the next interval.", given={"token": token})
        policy = f"{why} Its image policy must not choose the bad image again."
        return (*below, *mine, now, *(self._automation(RESUME_AUTOMATION, each, policy, _suspend_automation_command(each.name)) for each in ours))

    def appliers(self) -> Mapping[str, Applier]:
        """What does each kind of operation, the workload's among them."""
        own = {
            SUSPEND: self._do_suspend, RESUME: self._do_resume, RECONCILE: self._do_reconcile, SUSPEND_AUTOMATION: self._do_suspend_automation,
            RESUME_AUTOMATION: self._do_resume_automation,
        }  # fmt: skip
        return {**(self.workload.appliers() if self.workload else {}), **own}

    def commands(self, standing: DeliveryStanding, to: KnownRevision | None) -> tuple[str, ...]:
        """The rollback by hand."""
        automations = (f"flux suspend image update AUTOMATION -n {self.reconciled.name.namespace}  # each that writes to the same Git repository",)
        undo = self.workload.commands(standing, to) if self.workload else ("kubectl rollout undo deployment/NAME -n NAMESPACE --to-revision=REVISION",)
        return (self._suspend_command(), *automations, *undo, f"# then revert it in Git and: {self._suspend_command().replace('suspend', 'resume', 1)}")

    # The appliers

    def _do_suspend(self, _operation: Operation) -> str:
        if not self.flux.suspend(self.reconciled, True):
            raise AlreadyDone("It is suspended.")
        return "Suspended; a reconciliation that had begun is not stopped by that."

    def _do_resume(self, _operation: Operation) -> str:
        state = self.flux.state(self.reconciled)
        if state.ours and state.target.kind is FluxKind.KUSTOMIZATION and not state.source_revision:
            raise Refused(
                f"{self.target}: it cannot be seen what its source holds now, so it may still be the bad version: give the credential the verb `get` on "
                f"sources, or resume by hand: {self._suspend_command().replace('suspend', 'resume', 1)}."
            )
        if state.ours and would_come_back(state):
            raise Rejected(
                f"{self.target}: its source still holds {state.source_revision}, which was applied last; resumed, Flux would bring it back. Revert it."
            )
        if not self.flux.suspend(self.reconciled, False):
            raise AlreadyDone("It is not suspended by us.")
        return "Resumed."

    def _do_reconcile(self, operation: Operation) -> str:
        token, asked = dict(operation.parameters).get("token", ""), False
        for _ in looks(self.clock, SECONDS_TO_HANDLE):
            if not self.flux.request(self.reconciled, token):
                if not asked:
                    raise AlreadyDone("That reconciliation was handled.")
                return "Reconciled."
            asked = True
        raise Unavailable(f"{self.target}: the reconciliation was asked for and not handled within {SECONDS_TO_HANDLE:.0f} s; see `flux get all`.")

    def _do_suspend_automation(self, operation: Operation) -> str:
        if not self.flux.suspend_automation(_automation_of(operation), True):
            raise AlreadyDone("It is suspended, or gone.")
        return "Suspended."

    def _do_resume_automation(self, operation: Operation) -> str:
        if not self.flux.suspend_automation(_automation_of(operation), False):
            raise AlreadyDone("It is not suspended by us.")
        return "Resumed."

    # Planning

    def _workload(self) -> DeliveryWay:
        if self.workload is None:
            raise UsageError(
                f"{self.target} cannot be rolled back by itself: Flux has no such thing. Revert it in Git, or name the workload that it deploys "
                "beside it, such as `deployment:NAMESPACE/NAME`."
            )
        return self.workload

    def _below(self, workload: DeliveryWay, standing: DeliveryStanding) -> DeliveryStanding:
        """How the workload stands. Raises Rejected where that is another version than the one that was looked at."""
        below = workload.look()
        if standing.current is not None and below.current is not None and below.current.id != standing.current.id:
            raise Rejected(f"{workload.target} is at {below.current.id} by now, not at {standing.current.id}, which was judged; look again.")
        return below

    def _suspends(self, why: str, evidence: tuple[Evidence, ...]) -> tuple[Operation, ...]:
        """Those of what others suspended are planned as well, and found done."""
        resume = self._suspend_command().replace("suspend", "resume", 1)
        state = self.flux.state(self.reconciled)
        first = write(SUSPEND, self.target, f"{why} Otherwise Flux puts back what Git says.", resume, "", evidence)
        again = f"{why} Otherwise it commits the bad image again."
        automations = [
            self._automation(SUSPEND_AUTOMATION, each, again, _suspend_automation_command(each.name).replace("suspend", "resume", 1), evidence)
            for each in state.automations
        ]  # fmt: skip
        return (first, *automations)

    def _automation(self, kind: str, automation: ImageAutomation, why: str, reverse: str, evidence: tuple[Evidence, ...] = ()) -> Operation:
        name = automation.name
        target = f"imageupdateautomation:{name.shown}"
        return write(kind, target, why, reverse, "", evidence, {"namespace": name.namespace, "name": name.name, "api": automation.api})

    def _suspend_command(self) -> str:
        return f"flux suspend {self.reconciled.kind} {self.reconciled.name.name} -n {self.reconciled.name.namespace}"


def _suspend_automation_command(name: ObjectName) -> str:
    return f"flux suspend image update {name.name} -n {name.namespace}"


def _automation_of(operation: Operation) -> ImageAutomation:
    given = dict(operation.parameters)
    return ImageAutomation(ObjectName(given["namespace"], given["name"]), False, False, given["api"])


def _alone(target: str, state: FluxState, obstacles: tuple[str, ...]) -> DeliveryStanding:
    """A standing without a workload: what was applied, whose health Flux does not tell by itself."""
    releases = tuple(map(_known, state.history))
    current = releases[0] if releases else KnownRevision(state.revision, state.revision) if state.revision else None
    said = (f"Without the workload beside it, {target} can be looked at and resumed, not rolled back.",)
    return DeliveryStanding(
        target, current, next((each for each in releases[1:] if each.good), None), releases[1:], settled=not _busy(state),
        failed="" if state.suspended else state.stalled, health=_health(state), obstacles=obstacles, notes=(*_notes(state), *said),
    )  # fmt: skip


def _known(snapshot: HelmSnapshot) -> KnownRevision:
    shown = f"{snapshot.chart} (app {snapshot.app_version})" if snapshot.app_version else snapshot.chart
    return KnownRevision(str(snapshot.version), shown, snapshot.deployed, snapshot.good, f"Helm calls it {snapshot.status or 'nothing'}.")


def _busy(state: FluxState) -> bool:
    """Whether a reconciliation is going on, or about to: a suspended one is looked at by nobody."""
    return not state.suspended and (state.reconciling or not state.observed)


def _health(state: FluxState) -> str:
    word = {True: "Ready", False: "not Ready", None: "Ready unknown"}[state.ready]
    reason = f" ({state.reason})" if state.reason else ""
    return f"{state.target.kind.shown_kind} {word}{reason}{', suspended' if state.suspended else ''}"


def _notes(state: FluxState) -> Sequence[str]:
    notes = list(state.notes)
    if state.suspended:
        notes.append("It is suspended by us; `resume` switches it on." if state.ours else "It was suspended by somebody else and stays so.")
    elif state.reconciling:
        notes.append("A reconciliation is going on; suspending does not stop it, so the workload is looked at again afterwards.")
    if state.ready is False and state.message:
        notes.append(f"Flux says: {state.message}")
    if state.remediation:
        notes.append(f"Helm does by itself: {state.remediation}. A version that is bad but runs is none of that.")
    if state.target.kind is FluxKind.HELM_RELEASE and state.suspended:
        notes.append("Once resumed, Helm does not notice an undone workload by itself; it acts on the next change of chart or values.")
    return notes

"""Argo CD as a way to act (port `DeliveryWay`): a rollback to an entry of the history, with automated sync off for it; and automated sync on again after it.

What is gone back to is named by what it was (revision and source), never by a place in the history, which moves. Argo CD does not look at sync windows for a
rollback. There is no share of the traffic here: nothing is promoted or frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cicd_agents.domain.delivery_argocd import Application, Applications, Deployed, Paused
from cicd_agents.domain.errors import NotFound, Refused, Rejected, Unavailable, UsageError
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.apply import AlreadyDone, Applier
from cicd_agents.operations.delivery_argocd_standing import ACTIVE, SUCCEEDED, Habits, Rights, entry_of, going_to, serving, standing_of
from cicd_agents.operations.delivery_way import write

TERMINATE, PAUSE, ROLLBACK, RESUME = "TerminateOperation", "PauseAutoSync", "Rollback", "ResumeAutoSync"
ARGOCD_KINDS = (TERMINATE, PAUSE, ROLLBACK, RESUME)
# An operation that is ended needs a moment (argoproj/argo-cd#6494); seconds between looks and in all.
_PAUSE, _LONGEST = 2.0, 60.0


@dataclass(slots=True)
class ArgoCDWay:
    """One application. `name` as in settings: `api`, or `team-a/api` outside Argo CD's own namespace."""

    name: str
    applications: Applications
    clock: Clock
    habits: Habits = field(default_factory=Habits)
    _rights: Rights | None = field(default=None, init=False)
    _seen: Application | None = field(default=None, init=False)

    @property
    def target(self) -> str:
        """What it acts on."""
        return f"argocd:{self.name}"

    def look(self) -> DeliveryStanding:
        """How it stands, compared just now; rights are asked for once. Raises UsageError where it is not there."""
        app = self._application()
        if self._rights is None:
            self._rights = self._asked(app)
        return standing_of(self.target, app, self.habits, self._rights, self.clock.now())

    def rollback(self, standing: DeliveryStanding, to: KnownRevision, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """Automated sync off where it is on, and the rollback."""
        app = self._seen or self._application()
        left = standing.current.id if standing.current else ""
        sync, found = f"argocd app sync {self.name}", []
        if self.habits.terminate and app.operation and app.operation.phase in ACTIVE and going_to(app.operation) is None:
            found.append(write(TERMINATE, self.target, "It stands in the way of the rollback.", sync, "now"))
        if app.auto_sync or app.paused is not None:
            found.append(write(PAUSE, self.target, "A rollback is refused while automated sync is on.", self._resume_command(app), left, given={"from": left}))
        back = write(ROLLBACK, self.target, why, sync, f"{left}:{to.id}", evidence, {"from": left, "to": to.id, "version": to.version})
        return (*found, back)

    def promote(self, standing: DeliveryStanding, share: float | None, why: str) -> tuple[Operation, ...]:  # noqa: ARG002 Argo CD has no such thing
        """Nothing: Argo CD shares no traffic."""
        return ()

    def freeze(self, standing: DeliveryStanding, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:  # noqa: ARG002 as above
        """Nothing: Argo CD shares no traffic."""
        return ()

    def hold(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:  # noqa: ARG002 as above
        """Nothing: a sync is not done in stages."""
        return ()

    def release(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:  # noqa: ARG002 as above
        """Nothing is held."""
        return ()

    def resume(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:  # noqa: ARG002 what was switched off stands on the application
        """Automated sync on again, where an earlier rollback switched it off."""
        app = self._seen or self._application()
        if app.paused is None:
            return ()
        return (write(RESUME, self.target, why, f"argocd app set {self.name} --sync-policy none", app.paused.left),)

    def appliers(self) -> Mapping[str, Applier]:
        """By kind of operation."""
        return {TERMINATE: self._terminate, PAUSE: self._pause, ROLLBACK: self._roll_back, RESUME: self._resume}

    def commands(self, standing: DeliveryStanding, to: KnownRevision | None) -> tuple[str, ...]:  # noqa: ARG002 the history was seen by `look`
        """The rollback by hand."""
        entry = entry_of(self._seen.history, to.id) if self._seen and to else None
        off = () if self._seen and not self._seen.auto_sync else (f"argocd app set {self.name} --sync-policy none",)
        lists = () if entry else (f"argocd app history {self.name}",)
        return (*lists, *off, f"argocd app rollback {self.name} {entry.id if entry else '<ID>'}")

    # What the operations do

    def _terminate(self, _operation: Operation) -> str:
        if not self._busy():
            raise AlreadyDone("No operation runs.")
        told, end = False, self.clock.monotonic() + _LONGEST
        while self._busy():
            if self.clock.monotonic() >= end:
                raise Rejected(f"Argo CD: the operation of {self.name} was told to end and still runs after {_LONGEST:.0f} s.")
            told = told or self._told_to_end()
            self.clock.sleep(_PAUSE)
        return "The operation that ran was ended." if told else "The operation that ran ended by itself."

    def _told_to_end(self) -> bool:
        """Argo CD refuses where the operation has ended by itself, and where its controller has not begun it yet; the next look tells which."""
        try:
            self.applications.terminate(self.name)
        except Rejected:
            return False
        return True

    def _busy(self) -> bool:
        operation = self._application().operation
        return operation is not None and operation.phase in ACTIVE

    def _pause(self, operation: Operation) -> str:
        app = self._application()
        if not app.auto_sync:
            raise AlreadyDone("Automated sync is off.")
        _require(app, dict(operation.parameters)["from"])
        # What Git states now is what must not come back; where it follows a branch, a later commit may.
        self.applications.pause_auto_sync(self.name, Paused(app.automated or {}, app.wanted.key if app.wanted else "", app.images))
        return f"Automated sync is off; what it was is noted on {operation.target}."

    def _roll_back(self, operation: Operation) -> str:
        given = dict(operation.parameters)
        to, app = given["to"], self._application()
        if self._on_its_way(app, to):
            raise AlreadyDone(f"It is at {to}, or on its way there.")
        _require(app, given["from"])
        entry = entry_of(app.history, to)
        if entry is None:
            raise Rejected(f"Argo CD: {self.name} has no deployment of {to} in its history any more; sync it to that revision by hand.")
        try:
            self.applications.roll_back(self.name, entry.id, prune=self.habits.prune)
        except (Rejected, Unavailable):
            # The answer may be lost, or somebody was faster: the application tells.
            if not self._on_its_way(self._application(), to):
                raise
        return f"Started the rollback to {entry.what.key} (history {entry.id})."

    def _on_its_way(self, app: Application, to: str) -> bool:
        going = going_to(app.operation)
        if going is not None:
            return going.key == to
        last = app.history[-1].what.key if app.history else ""
        return last == to and (app.operation is None or app.operation.phase == SUCCEEDED)

    def _resume(self, _operation: Operation) -> str:
        app = self._application()
        if app.paused is None:
            raise AlreadyDone("Nothing of an earlier rollback is left on it.")
        if app.wanted is None:
            raise Refused(f"Argo CD: it is not known what Git states for {self.name} now, so automated sync stays off; look at its sync errors.")
        if app.wanted.key == app.paused.left:
            raise Refused(
                f"Argo CD: Git still states {app.wanted.key}, which {self.name} left by a rollback; automated sync would bring it back. Merge the revert first."
            )
        self.applications.resume_auto_sync(self.name, app.paused.automated)
        return "Automated sync is on, as it was."

    # Looking

    def _application(self) -> Application:
        try:
            self._seen = self.applications.application(self.name)
        except NotFound as problem:
            raise UsageError(str(problem)) from None
        return self._seen

    def _asked(self, app: Application) -> Rights:
        sync = self.applications.may(app, "sync")
        return Rights(sync, self.applications.may(app, "rollback") if sync is False else None, self.applications.may(app, "update") if app.auto_sync else None)

    def _resume_command(self, app: Application) -> str:
        automated = app.automated if app.automated is not None else app.paused.automated if app.paused else {}
        flags = [flag for key, flag in (("prune", "--auto-prune"), ("selfHeal", "--self-heal"), ("allowEmpty", "--allow-empty")) if automated.get(key)]
        return " ".join([f"argocd app set {self.name} --sync-policy automated", *flags])


def _require(app: Application, judged: str) -> None:
    """Refuse to take back another version than the one that was judged: a fix may have come in since, while an approval was waited for."""
    runs = serving(app)
    if runs is None or (runs.key != judged and not _same_commit(runs, judged)):
        shown = runs.key if runs else "nothing that is known"
        raise Rejected(f"Argo CD: {app.name} is at {shown} by now, not at {judged or 'what was seen'}, which was judged; look again.")


def _same_commit(runs: Deployed, judged: str) -> bool:
    """Whether both name the same commits, where of one the parameters of its source are not told: a sync that has just begun does not tell them."""
    commits, _, source = judged.partition("/")
    return commits == "+".join(runs.revisions) and not (source and runs.source)

"""Acts on a Deployment, StatefulSet or DaemonSet without any delivery tool: roll-back to the last revision that was fully available, pause and resume.

A plain rolling update has no share of the traffic to set: there is nothing to promote but a paused one, and no freeze. It can be held where it is; the new pods
that run keep what traffic their Service gives them. The roll-back notes on the workload which revision it left, so that the next one does not go back there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cicd_agents.domain.delivery_workload import HEALTHY, Workload, WorkloadKind, WorkloadRevision, Workloads, WorkloadState
from cicd_agents.domain.errors import Rejected, Unavailable
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.apply import AlreadyDone, Applier
from cicd_agents.operations.delivery_way import write

UNDO, PAUSE, UNPAUSE, MARK = "UndoWorkload", "PauseWorkload", "ResumeWorkload", "MarkHealthy"
WORKLOAD_KINDS = (UNDO, PAUSE, UNPAUSE, MARK)
# How often a change of somebody else that left the revision alone (replicas, annotations) may come between.
_TRIES = 3


@dataclass(slots=True)
class WorkloadWay:
    """One workload. `owner_handled`: whoever calls has told the tool that owns it to stand still (Flux suspended, automated sync off)."""

    workload: Workload
    workloads: Workloads
    clock: Clock
    owner_handled: bool = False
    _numbers: dict[str, int] = field(default_factory=dict, init=False)

    @property
    def target(self) -> str:
        """What it acts on."""
        return self.workload.target

    def look(self) -> DeliveryStanding:
        """How the workload stands. Raises UsageError where it is not there."""
        return standing_of(self._state(), self.owner_handled)

    def rollback(self, standing: DeliveryStanding, to: KnownRevision, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """The template of that revision is written into the workload again."""
        left = standing.current.id if standing.current else ""
        back = self._kubectl("undo", standing.current)
        parameters = {"from": left, "to": to.id, "version": to.version}
        return (write(UNDO, self.target, f"{why} {to.version} is written into the template again.", back, f"{left}:{to.id}", evidence, parameters),)

    def promote(self, standing: DeliveryStanding, share: float | None, why: str) -> tuple[Operation, ...]:
        """A rolling update that is paused goes on, of somebody else's pause only as a whole; there is nothing else to promote, and no share to set."""
        state = self._state()
        if not state.paused or (share is not None and not state.paused_by_us):
            return ()
        return (self._unpausing(standing, why),)

    def freeze(self, standing: DeliveryStanding, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:  # noqa: ARG002 of the port
        """Nothing: a workload has no way to take the traffic from the pods that are there."""
        return ()

    def hold(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """A rolling update of a Deployment that is under way stops where it is; empty otherwise. The new pods that are there keep their traffic."""
        state = self._state()
        if self.workload.kind is not WorkloadKind.DEPLOYMENT or state.complete or state.paused:
            return ()
        said = f"{why} The pods of both versions stay as they are."
        runs = _current_id(standing)
        return (write(PAUSE, self.target, said, self._kubectl("resume"), runs, given={"of": runs}),)

    def release(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """A rolling update that we paused goes on."""
        if not self._state().paused_by_us:
            return ()
        return (self._unpausing(standing, why),)

    def resume(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """The same: nothing else is switched off here."""
        return self.release(standing, why)

    def mark_healthy(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """Note on the current revision that it was fully available and judged well, so that a later roll-back may go there. Nothing where it is not healthy."""
        if standing.current is None or standing.healthy is not True:
            return ()
        undo, runs = f"Remove the annotation {HEALTHY} from {standing.current.id}.", standing.current
        return (write(MARK, self.target, why, undo, runs.id, given={"to": runs.id, "version": runs.version}),)

    def appliers(self) -> Mapping[str, Applier]:
        """What does each kind of operation."""
        return {UNDO: self._undo, PAUSE: self._pause, UNPAUSE: self._unpause, MARK: self._mark}

    def commands(self, standing: DeliveryStanding, to: KnownRevision | None) -> tuple[str, ...]:  # noqa: ARG002 the numbers were seen by `look`
        """The roll-back by hand. Numbers change with every roll-out, so the history comes first where the number is not known."""
        number = self._numbers.get(to.id) if to else None
        lists = () if number else (self._kubectl("history"),)
        return (*lists, self._kubectl("undo", to), self._kubectl("status"))

    # What the operations do

    def _undo(self, operation: Operation) -> str:
        """Looks first; a change of the revision by somebody else is refused, one of the scale or of annotations only is looked at anew."""
        given = dict(operation.parameters)
        for left in range(_TRIES - 1, -1, -1):
            state = self._state()
            revision = self._revision(state, given)
            try:
                self.workloads.undo(state, revision, self._time())
            except (Rejected, Unavailable):
                # Somebody was faster, or the answer was lost: the workload tells.
                after = self._state()
                if after.current is not None and after.current.id == revision.id:
                    break
                if not left or after.generation == state.generation:
                    raise
            else:
                break
        return f"Wrote the template of {revision.id} ({given.get('version', '')}) into {self.target}; {given['from'] or 'what it had'} is noted as rolled back."

    def _revision(self, state: WorkloadState, given: Mapping[str, str]) -> WorkloadRevision:
        """The revision to go to. Raises AlreadyDone where the template is that already, and Rejected where another one than was judged runs."""
        current = state.current.id if state.current else ""
        if current == given["to"]:
            raise AlreadyDone(f"The template of {self.target} is that of {current} already.")
        if state.paused and not state.paused_by_us:
            raise Rejected(f"{self.target} is paused, so nothing would roll out: {self._kubectl('resume')} first.")
        if current != given["from"]:
            runs = current or "a revision that is not made yet"
            raise Rejected(f"{self.target} asks for {runs} now, and not for {given['from'] or 'what was seen'}, which was judged; look again.")
        found = state.revision(given["to"])
        if found is None:
            raise Rejected(f"{self.target} has no revision {given['to']} any more (revisionHistoryLimit); deploy that version again.")
        return found

    def _pause(self, operation: Operation) -> str:
        state = self._state()
        if state.paused:
            raise AlreadyDone(f"{self.target} is paused.")
        self._require(state, dict(operation.parameters)["of"])
        if state.complete:
            raise AlreadyDone(f"The roll-out of {self.target} is done, so there is nothing left to pause.")
        self.workloads.pause(self.workload, self._time())
        return f"Paused {self.target}: {state.updated} of {state.wanted} pods are of the new version."

    def _unpause(self, operation: Operation) -> str:
        """A template that somebody wrote while it was paused would roll out unjudged."""
        state, judged = self._state(), dict(operation.parameters)["of"]
        if not state.paused:
            raise AlreadyDone(f"{self.target} is not paused.")
        self._require(state, judged)
        self.workloads.unpause(self.workload)
        return f"The roll-out of {self.target} goes on."

    def _mark(self, operation: Operation) -> str:
        wanted = dict(operation.parameters)["to"]
        state = self._state()
        current = state.current
        if current is None or current.id != wanted:
            raise Rejected(f"{self.target} does not ask for {wanted} any more, so it is not marked as healthy.")
        if current.good and current.why.startswith("it was marked"):
            raise AlreadyDone(f"{wanted}: {current.why}.")
        if not state.complete:
            raise Rejected(f"{self.target} is not fully available, so {wanted} is not marked as healthy.")
        self.workloads.mark_healthy(self.workload, current, self._time())
        return f"Marked {wanted} as healthy."

    def _require(self, state: WorkloadState, judged: str) -> None:
        """Refuse to act on another version than the one that was judged."""
        if (state.current.id if state.current else "") != judged:
            runs = state.current.id if state.current else "a revision that is not made yet"
            raise Rejected(f"{self.target} asks for {runs} now, and not for {judged or 'what was seen'}; look again.")

    def _state(self) -> WorkloadState:
        state = self.workloads.state(self.workload)
        self._numbers.update({each.id: each.number for each in state.revisions})
        return state

    def _time(self) -> str:
        return datetime.fromtimestamp(self.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _kubectl(self, verb: str, to: KnownRevision | None = None) -> str:
        number = f" --to-revision={self._numbers.get(to.id) if to and to.id in self._numbers else 'REVISION'}" if verb == "undo" else ""
        return f"kubectl -n {self.workload.name.namespace} rollout {verb} {self.workload.kind}/{self.workload.name.name}{number}"

    def _unpausing(self, standing: DeliveryStanding, why: str) -> Operation:
        return write(UNPAUSE, self.target, why, self._kubectl("pause"), _current_id(standing), given={"of": _current_id(standing)})


def standing_of(state: WorkloadState, owner_handled: bool = False) -> DeliveryStanding:
    """A workload in the words of the guardian. `good` is the newest revision below the current one that is known to have been fully available."""
    current = state.current
    earlier = tuple(each for each in state.revisions if current is None or each.id != current.id)
    before = [each for each in earlier if current is None or each.number < current.number]
    good = next((each for each in before if each.good), None)
    settled = state.observed and bool(state.complete or state.failed or state.paused)
    beside = next((each for each in earlier if each.ready), None) if not state.complete else None
    obstacles, notes = _owner(state, owner_handled)
    return DeliveryStanding(
        state.workload.target, known(current) if current else None, known(good) if good else None, tuple(map(known, earlier)),
        known(beside) if beside else None, _healthy(state), settled, state.failed, _health(state),
        _share(state, beside), (*_obstacles(state), *obstacles), (*_notes(state), *notes),
    )  # fmt: skip


def known(revision: WorkloadRevision) -> KnownRevision:
    """A revision for people and for comparison: with its hash, so that two of the same images and other settings are not taken for one."""
    version = f"{', '.join(revision.images)} (template={revision.hash})"
    return KnownRevision(revision.id, version, revision.created, revision.good, revision.why)


def _current_id(standing: DeliveryStanding) -> str:
    return standing.current.id if standing.current else ""


def _healthy(state: WorkloadState) -> bool | None:
    """None where it is not known yet, or where no pods are wanted: then nothing shows that they would start."""
    return None if not state.observed or not state.wanted or state.current is None else state.complete


def _health(state: WorkloadState) -> str:
    seen = "" if state.observed else "; the newest change is not seen by its controller yet"
    return f"{state.updated} of {state.wanted} pods are updated, {state.available} available{', paused' if state.paused else ''}{seen}"


def _share(state: WorkloadState, beside: WorkloadRevision | None) -> float | None:
    """The part of the pods that answer; a Service spreads its traffic about so. None where no two versions run."""
    if beside is None or state.current is None:
        return None
    old = sum(each.ready for each in state.revisions if each.id != state.current.id)
    return state.current.ready / (state.current.ready + old)


def _obstacles(state: WorkloadState) -> tuple[str, ...]:
    target = state.workload.target
    found = {
        f"{target} is being deleted.": state.deleting,
        f"{target} is paused by somebody, so nothing would roll out; resume it first.": state.paused and not state.paused_by_us,
        f"The credential may not patch {target}: add the verb `patch` on `{state.workload.kind}s` (group apps) to its Role.": state.may_patch is False,
        f"The controller of {target} has not seen its newest change yet.": not state.observed,
    }
    return tuple(text for text, holds in found.items() if holds)


def _owner(state: WorkloadState, handled: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Obstacles and notes for a workload that a tool has written."""
    if not state.owner:
        return (), ()
    if not state.reconciled:
        return (), (f"It belongs to {state.owner}, which does not see a roll-back here: its next release brings back what it states.",)
    if handled:
        return (), (f"It belongs to {state.owner}, which puts its own version back as soon as it goes on: change what it states as well.",)
    return (f"{state.workload.target} belongs to {state.owner}, which may put its own version back at once: roll back by that tool.",), ()


def _notes(state: WorkloadState) -> tuple[str, ...]:
    current = state.current
    found = [state.limit]
    if current is not None and current.earlier_numbers:
        found.append(f"It was gone back to {current.id} before: that was revision {current.earlier_numbers}, and is {current.number} now.")
    if state.paused_by_us:
        found.append(f"It was paused by the guardian at {state.paused_by_us}; a roll-back ends that.")
    if current is None:
        found.append("Its controller has made no revision of the newest template yet.")
    return tuple(filter(None, found))

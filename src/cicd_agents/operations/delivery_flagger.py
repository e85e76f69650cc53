"""Acts on one Canary of Flagger, which has no field that aborts: while a version is analysed, its target goes back to what the primary runs.

Flagger takes a target that is as it was promoted last for a rollback by hand and starts no new analysis. Where the bad version is promoted already, the older
one is brought in without an analysis. The undo is another way's (the target's Deployment), given as `workload`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cicd_agents.domain.delivery_flagger import PROMOTING, Flagger, FlaggerPhase, FlaggerState
from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.delivery_traffic import Traffic
from cicd_agents.domain.errors import Refused, Rejected, ServiceError, UsageError
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation
from cicd_agents.operations.apply import AlreadyDone, Applier
from cicd_agents.operations.delivery_traffic import SET_WEIGHT, TrafficWay
from cicd_agents.operations.delivery_way import DeliveryWay, write
from cicd_agents.operations.guardian_versions import shown

SUSPEND, RESUME = "SuspendCanary", "ResumeCanary"
SKIP, STOP_SKIPPING = "SkipAnalysis", "StopSkippingAnalysis"
FLAGGER_KINDS = (SUSPEND, RESUME, SKIP, STOP_SKIPPING)
_PRIMARY = "primary"


@dataclass(frozen=True, slots=True)
class FlaggerWay:
    """One Canary; `workload` is its target, `traffic` the splits of its cluster (without them a freeze is not possible)."""

    name: ObjectName
    flagger: Flagger
    workload: DeliveryWay | None = None
    traffic: Traffic | None = None

    @property
    def target(self) -> str:
        """What it acts on."""
        return f"canary:{self.name.shown}"

    def look(self) -> DeliveryStanding:
        """How the Canary stands: the target's revisions, and which of them the primary runs."""
        state = self.flagger.state(self.name)
        below = self.workload.look() if self.workload else None
        found = standing_of(self.target, state, below, self.flagger.missing_rights(self.name))
        if not (state.coming and state.suspended and state.split and self.traffic):
            return found
        # While Flagger is suspended its own word for the weight may be an old one.
        try:
            return replace(found, share=self.traffic.split(state.split).share)
        except (ServiceError, UsageError) as problem:
            return replace(found, notes=(*found.notes, f"The weights could not be read, so its share is Flagger's own word: {problem}"))

    def rollback(self, standing: DeliveryStanding, to: KnownRevision, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """Undo the target; where the bad version is the primary's already, skip the analysis of the older one first. Raises UsageError without a workload."""
        if self.workload is None:
            raise UsageError(
                f"{self.target} cannot be rolled back by itself: Flagger has no such field. Name its target beside it, such as "
                "`deployment:NAMESPACE/NAME` by `workload`, or open its `rollback` gate."
            )
        state = self._fresh(standing)
        undo = self.workload.rollback(self.workload.look(), to, why, evidence)
        promoted = state.phase in (*PROMOTING, FlaggerPhase.SUCCEEDED, FlaggerPhase.INITIALIZED)
        quick = f"{why} The way back is not analysed; resume the target when it is done."
        skip = (self._skip(standing, quick, "Resume the target.", evidence),) if promoted else ()
        return (*skip, *undo, *self._awake(state, why))

    def promote(self, standing: DeliveryStanding, share: float | None, why: str) -> tuple[Operation, ...]:
        """Skip the rest of the analysis: Flagger has no single step, so a share gives nothing."""
        state = self._fresh(standing)
        if share is not None or not state.coming:
            return ()
        said = f"{why} Analyses stay skipped until the target is resumed."
        return (*self._awake(state, why), self._skip(standing, said, "Resume the target; what is promoted stays."))

    def freeze(self, standing: DeliveryStanding, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """Suspend it, so that it neither weighs nor scales, and give all traffic to the primary where Flagger weighs it; empty where that is not known.

        Raises Refused where the weights may not be written: suspended alone, the canary would keep its traffic.
        """
        state = self._fresh(standing)
        split = self._weighed(state)
        if split is None or not state.coming:
            return ()
        if missing := split.traffic.missing_rights(split.split_target):
            raise Refused(f"{self.target} cannot be frozen: {' '.join(missing)}")
        suspend = self._suspend(standing, f"{why} Otherwise Flagger sets the weights and takes the pods away.", evidence)
        return (suspend, *split.freeze(split.look(), why, evidence))

    def hold(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """Suspend it while a version is analysed: the traffic stays split as it is."""
        state = self._fresh(standing)
        return (self._suspend(standing, f"{why} The traffic stays split as it is."),) if state.coming and not state.suspended else ()

    def release(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """Let Flagger go on where we suspended it."""
        return self._awake(self._fresh(standing), why)

    def resume(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """Switch on what we switched off: analyses, Flagger itself, and what the target's way did."""
        state = self._fresh(standing)
        analyses = (
            (write(STOP_SKIPPING, self.target, f"{why} The next version is analysed again.", "Set `skipAnalysis` by hand."),) if state.skipping_by_us else ()
        )
        below = self.workload.resume(self.workload.look(), why) if self.workload else ()
        return (*below, *self._awake(state, why), *analyses)

    def appliers(self) -> Mapping[str, Applier]:
        """What does each kind of operation, those of the target and the traffic among them."""
        own = {
            SUSPEND: self._do_suspend, RESUME: self._do_resume, SKIP: self._do_skip, STOP_SKIPPING: self._do_stop_skipping, SET_WEIGHT: self._do_set_weight,
        }  # fmt: skip
        return {**(self.workload.appliers() if self.workload else {}), **own}

    def commands(self, standing: DeliveryStanding, to: KnownRevision | None) -> tuple[str, ...]:
        """The rollback by hand."""
        skip = f'kubectl patch canary {self.name.name} -n {self.name.namespace} --type merge -p \'{{"spec":{{"skipAnalysis":true}}}}\''
        undo = self.workload.commands(standing, to) if self.workload else ("kubectl rollout undo deployment/NAME -n NAMESPACE --to-revision=REVISION",)
        return undo if standing.stable is not None else (f"{skip}  # false again afterwards", *undo)

    # The appliers

    def _do_suspend(self, operation: Operation) -> str:
        self._require(operation)
        if not self.flagger.suspend(self.name, True):
            raise AlreadyDone("It is suspended.")
        return "Suspended; the traffic stays split as it is."

    def _do_resume(self, _operation: Operation) -> str:
        if not self.flagger.suspend(self.name, False):
            raise AlreadyDone("It is not suspended by us.")
        return "Resumed."

    def _do_set_weight(self, operation: Operation) -> str:
        split = self._weighed(self.flagger.state(self.name))
        if split is None:
            raise Rejected(f"{self.target} does not tell any more what weighs its traffic; look again.")
        return split.appliers()[SET_WEIGHT](operation)

    def _do_skip(self, operation: Operation) -> str:
        self._require(operation)
        if not self.flagger.skip_analysis(self.name, True):
            raise AlreadyDone("Analyses are skipped.")
        return "Analyses are skipped."

    def _do_stop_skipping(self, _operation: Operation) -> str:
        state = self.flagger.state(self.name)
        if state.skipping_by_us and (state.coming or state.phase in PROMOTING):
            raise Rejected(f"{self.target}: Flagger is not done ({state.word}); would analyses begin now, that version would be analysed. Resume it later.")
        if not self.flagger.skip_analysis(self.name, False):
            raise AlreadyDone("We do not skip analyses.")
        return "Analyses are made again."

    # Planning

    def _fresh(self, standing: DeliveryStanding) -> FlaggerState:
        """How it stands now. Raises Rejected where a version came in, or is in, since it was looked at."""
        state = self.flagger.state(self.name)
        if (standing.stable is not None) != state.coming:
            raise Rejected(f"{self.target} is {state.word or 'new'} by now, which is not how it was when it was judged; look again.")
        return state

    def _require(self, operation: Operation) -> None:
        """Refuse to act on another version than the one that was judged."""
        judged, runs = dict(operation.parameters), self.look().current
        if runs is None or (runs.id, runs.version) != (judged.get("id"), judged.get("version")):
            raise Rejected(f"{self.target} has {shown(runs) if runs else 'an unknown version'} by now, which was not judged; look again.")

    def _weighed(self, state: FlaggerState) -> TrafficWay | None:
        return TrafficWay(state.split, self.traffic) if state.split and self.traffic else None

    def _suspend(self, standing: DeliveryStanding, why: str, evidence: tuple[Evidence, ...] = ()) -> Operation:
        return write(SUSPEND, self.target, why, "Resume the target.", "", evidence, _bound(standing))

    def _awake(self, state: FlaggerState, why: str) -> tuple[Operation, ...]:
        return (write(RESUME, self.target, f"{why} Flagger goes on.", "Suspend it again by hand."),) if state.ours else ()

    def _skip(self, standing: DeliveryStanding, why: str, reverse: str, evidence: tuple[Evidence, ...] = ()) -> Operation:
        """Without an analysis whatever is on its way goes in, so the write is bound to what was judged."""
        return write(SKIP, self.target, why, reverse, "", evidence, _bound(standing))


def _bound(standing: DeliveryStanding) -> dict[str, str]:
    """What binds a write to the version that was looked at."""
    runs = standing.current
    return {"id": runs.id, "version": runs.version} if runs else {}


def standing_of(target: str, state: FlaggerState, below: DeliveryStanding | None, missing: tuple[str, ...] = ()) -> DeliveryStanding:
    """A Canary as a standing. While a version is analysed it is the current one and the primary's stands beside; else the primary's is the current one."""
    revisions = () if below is None else (*((below.current,) if below.current else ()), *below.earlier)
    primary = _primary(state, revisions)
    newest = below.current if below else KnownRevision("target", ", ".join(state.target.images)) if state.target else None
    current = newest if state.coming or state.phase in PROMOTING else primary
    rolled_back = revisions[0].id if revisions and state.phase is FlaggerPhase.FAILED else ""
    earlier = tuple(_failed(each) if each.id == rolled_back else each for each in revisions if current is None or each.id != current.id)
    good = primary if state.coming else next((each for each in earlier if each.good), None)
    side = state.target if state.coming else state.primary
    return DeliveryStanding(
        target, current, good, earlier, primary if state.coming else None, side.healthy if side else None, _settled(state, below),
        below.failed if below else "", _health(state), state.weight / 100 if state.coming else None,
        (*_obstacles(state, below), *missing, *(below.obstacles if below else ())),
        (*_notes(state), *(below.notes if below else ())),
    )  # fmt: skip


def _failed(revision: KnownRevision) -> KnownRevision:
    return replace(revision, good=False, why="Flagger rolled it back.")


def _primary(state: FlaggerState, revisions: tuple[KnownRevision, ...]) -> KnownRevision | None:
    """The target's revision that the primary runs; where none is found, one that says so by its name."""
    if state.primary is None:
        return None
    found = next((each for each in revisions if each.id in state.primary_ids), None)
    why = "Flagger's primary runs it."
    if found is None:
        return KnownRevision(_PRIMARY, ", ".join(state.primary.images), good=True, why=f"{why} No revision of the target is known to be the same.")
    return replace(found, good=True, why=f"{found.why} {why}".strip())


def _settled(state: FlaggerState, below: DeliveryStanding | None) -> bool:
    """Whether nothing is going on. An analysis of what the primary runs anyway changes nothing; only the target's pods are waited for."""
    if state.phase in (FlaggerPhase.SUCCEEDED, FlaggerPhase.FAILED, FlaggerPhase.INITIALIZED):
        return bool(below is None or below.settled or state.phase is FlaggerPhase.FAILED)
    if state.same and state.phase not in PROMOTING:
        return bool(below is None or below.settled)
    return state.phase in (FlaggerPhase.WAITING, FlaggerPhase.WAITING_PROMOTION) or state.suspended


def _health(state: FlaggerState) -> str:
    word = f"{state.word} (a word that is not known)" if state.phase is FlaggerPhase.UNKNOWN else state.word or "new"
    checks = f", {state.failed_checks} of {state.threshold} failed checks" if state.failed_checks else ""
    return f"{word}{', suspended' if state.suspended else ''}{checks}{f': {state.message}' if state.message else ''}"


def _obstacles(state: FlaggerState, below: DeliveryStanding | None) -> tuple[str, ...]:
    found = []
    if state.phase in (FlaggerPhase.NEW, FlaggerPhase.INITIALIZING, FlaggerPhase.TERMINATING, FlaggerPhase.TERMINATED):
        found.append(f"It is {state.word or 'new'}: there is no primary that serves yet, or not any more.")
    if state.target_kind not in ("Deployment", "DaemonSet"):
        found.append(f"Its target is a {state.target_kind[:60]}, whose versions are not told apart here; open its `rollback` gate instead.")
    if state.phase is FlaggerPhase.UNKNOWN:
        found.append(f"Its phase {state.word[:60]!r} is not known, so it is not told what a change of the target would do.")
    if state.suspended and not state.ours and not state.coming:
        found.append("It is suspended by somebody else: what is promoted stays, whatever becomes of the target. Resume it first.")
    if below is not None and state.coming and _primary(state, (*((below.current,) if below.current else ()), *below.earlier)) == _primary(state, ()):
        found.append("Which revision of the target the primary runs cannot be told, so there is none to go back to; see `revisionHistoryLimit`.")
    return tuple(found)


def _notes(state: FlaggerState) -> list[str]:
    notes = []
    if state.suspended:
        notes.append("It is suspended by us." if state.ours else "It is suspended by somebody else: Flagger does nothing, and weights stay as they are.")
    if state.skipping:
        notes.append("Analyses are skipped, by us; resume the target when it is done." if state.skipping_by_us else "Analyses are skipped (`skipAnalysis`).")
    if state.phase is FlaggerPhase.FAILED:
        notes.append("Flagger rolled it back: the primary serves, but the target still names the bad version; revert that in Git.")
    if state.coming and "rollback" in state.hooks:
        notes.append("It has a `rollback` gate: answered with 200, Flagger rolls back by itself.")
    if state.coming and state.split is None:
        notes.append(f"A freeze is not possible: {_unweighed(state)}.")
    return notes


def _unweighed(state: FlaggerState) -> str:
    """Why it is not known what weighs the traffic."""
    if not state.provider:
        return "its Canary does not say what weighs the traffic; set `provider` there to istio or nginx"
    if state.provider == "nginx":
        return "its traffic is split by headers or cookies, which go before any weight"
    return f"its provider is {state.provider}, and only the weights of istio and nginx are written here"

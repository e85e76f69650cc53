"""Acts on one Rollout of Argo Rollouts: abort while a version is coming in, undo where it is the stable one already, the next step, all steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.delivery_rollouts import RolloutPhase, Rollouts, RolloutState, RolloutStrategy
from cicd_agents.domain.errors import Refused, Rejected, Unavailable, UsageError
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.apply import AlreadyDone, Applier
from cicd_agents.operations.delivery_rollouts_standing import serving, standing_of
from cicd_agents.operations.delivery_way import write
from cicd_agents.operations.promotion_delivery import looks

ABORT, UNDO = "AbortRollout", "UndoRollout"
PROMOTE, PROMOTE_FULLY = "PromoteRollout", "PromoteRolloutFully"
HOLD, RELEASE = "HoldRollout", "ReleaseRollout"
KEEP_PODS, RESTORE_DELAY = "KeepAbortedPods", "RestoreAbortDelay"
ROLLOUT_KINDS = (ABORT, UNDO, PROMOTE, PROMOTE_FULLY, HOLD, RELEASE, KEEP_PODS, RESTORE_DELAY)
# How long the controller may take to see a template that was written.
SECONDS_TO_OBSERVE = 30.0


@dataclass(frozen=True, slots=True)
class RolloutWay:
    """One Rollout."""

    name: ObjectName
    rollouts: Rollouts
    clock: Clock

    @property
    def target(self) -> str:
        """What it acts on."""
        return f"rollout:{self.name.shown}"

    def look(self) -> DeliveryStanding:
        """How the Rollout stands."""
        state = self.rollouts.state(self.name)
        return standing_of(self.target, state, self.rollouts.missing_rights(state))

    def rollback(self, standing: DeliveryStanding, to: KnownRevision, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """Abort where the stable version is wanted and another one is coming in; else undo, and skip the steps on the way back."""
        state = self._fresh(standing)
        if state.revision(to.id) is None:
            raise UsageError(f"{self.target} has no revision {to.id[:60]!r} (a pod-template hash): {', '.join(each.hash for each in state.revisions[:10])}.")
        if to.id == state.stable:
            return self._aborting(state, why, evidence) if state.running else ()
        written = f"{why} {to.version} is written into the template again."
        undo = write(UNDO, self.target, written, self._kubectl("undo"), to.id, evidence, {"from": state.current, "to": to.id})
        quick, no_way_back = f"{why} The way back skips steps, pauses and analyses.", "None: roll forward with the next version."
        full = write(PROMOTE_FULLY, self.target, quick, no_way_back, to.id, evidence, {"to": to.id})
        coming = state.running and not state.aborted and state.current != to.id
        return (*(self._aborting(state, why, evidence) if coming else ()), undo, full)

    def promote(self, standing: DeliveryStanding, share: float | None, why: str) -> tuple[Operation, ...]:
        """End the pause or step; without a share skip all that are left. Nothing where the canary has that share, or no version is coming in.

        Raises Refused where the next step gives more than the share.
        """
        state = self._fresh(standing)
        if not state.running or state.aborted:
            return ()
        abort = self._kubectl("abort")
        if share is None:
            return (write(PROMOTE_FULLY, self.target, why, abort, state.current, given={"to": state.current}),)
        if state.share is not None and state.share >= share:
            return ()
        if _next_weight(state) > round(share * 100):
            raise Refused(
                f"{self.target}: its next step gives the canary {_next_weight(state)} % of the traffic, but {share:.0%} is what may be given now; "
                "make the stages of the policy those of the Rollout's steps."
            )
        step = "" if state.step is None else str(state.step)
        return (write(PROMOTE, self.target, f"{why} {_next(state)}", abort, f"{state.current}:{step}", given={"to": state.current, "step": step}),)

    def freeze(self, standing: DeliveryStanding, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """Abort, and keep the pods: not where pods alone split the traffic, since an abort then is a rolling update back."""
        state = self._fresh(standing)
        if not state.running or not state.can_keep_pods:
            return ()
        kept, back = f"{why} The pods of the new version are kept (`abortScaleDownDelaySeconds: 0`).", "Resume the target, or set the delay again by hand."
        return (write(KEEP_PODS, self.target, kept, back, state.current, evidence), *self._aborting(state, why, evidence))

    def hold(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """Pause where it is, except at a pause without an end, which holds it already. The traffic stays split."""
        state = self._fresh(standing)
        if not state.running or state.aborted or state.held or _waits(state):
            return ()
        return (write(HOLD, self.target, f"{why} The traffic stays split as it is.", "Resume the target.", state.current, given={"to": state.current}),)

    def release(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """End the pause that we set."""
        return self._released(self._fresh(standing), why)

    def resume(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """Put back the delay and end the pause that we set; an abort stays."""
        state = self._fresh(standing)
        found = self._released(state, why)
        if state.kept_delay is not None:
            found = (write(RESTORE_DELAY, self.target, why, "Set `abortScaleDownDelaySeconds: 0` by hand.", state.kept_delay), *found)
        return found

    def appliers(self) -> Mapping[str, Applier]:
        """What does each kind of operation."""
        return {
            ABORT: self._do_abort, UNDO: self._do_undo, PROMOTE: self._do_promote, PROMOTE_FULLY: self._do_promote_fully, KEEP_PODS: self._do_keep,
            RESTORE_DELAY: self._do_restore, HOLD: self._do_hold, RELEASE: self._do_release,
        }  # fmt: skip

    def commands(self, standing: DeliveryStanding, to: KnownRevision | None) -> tuple[str, ...]:
        """The rollback by hand."""
        if to is None or (standing.stable is not None and to.id == standing.stable.id):
            return (self._kubectl("abort"),)
        number = to.why.removeprefix("Revision ").partition(".")[0] if to.why.startswith("Revision ") else "REVISION"
        return self._kubectl("undo", f" --to-revision={number}"), self._kubectl("promote", " --full")

    # The appliers

    def _do_abort(self, operation: Operation) -> str:
        state = self.rollouts.state(self.name)
        if not state.running:
            raise Rejected(f"{self.target}: {state.stable or 'the version'} is the stable one by now, so there is nothing to abort; plan the rollback again.")
        self._require(state, operation)
        if not self.rollouts.abort(self.name):
            raise AlreadyDone("It is aborted.")
        return f"Aborted: the traffic goes back to {state.stable}. The spec still names {state.current}, so Argo Rollouts says Degraded until that is reverted."

    def _do_undo(self, operation: Operation) -> str:
        judged, wanted = _parameter(operation, "from"), _parameter(operation, "to")
        state = self.rollouts.state(self.name)
        # What the spec holds is the judged version, or, in a run that goes on with an earlier one, the one that is wanted.
        newer = state.phase is RolloutPhase.OBSERVING and not state.template_hash
        if newer or state.current not in (judged, wanted) or state.template_hash not in ("", judged, wanted):
            raise Rejected(f"{self.target} holds another version than {judged} by now, which was judged; look again.")
        if not self.rollouts.undo(self.name, wanted):
            raise AlreadyDone(f"The template is that of {wanted}.")
        return f"The template of {wanted} was written."

    def _do_promote(self, operation: Operation) -> str:
        state = self.rollouts.state(self.name)
        step = _parameter(operation, "step")
        if state.running:
            self._require(state, operation)
        if not self.rollouts.promote(self.name, int(step) if step else None):
            raise AlreadyDone("It is past that step.")
        return f"Goes on. {_next(state)}"

    def _do_promote_fully(self, operation: Operation) -> str:
        wanted = _parameter(operation, "to")
        for _ in looks(self.clock, SECONDS_TO_OBSERVE):
            state = self.rollouts.state(self.name)
            # Asked for before the controller has seen the template, it would be forgotten when it does.
            if state.phase is not RolloutPhase.OBSERVING and (state.current == wanted or state.template_hash != wanted):
                break
        else:
            raise Unavailable(f"{self.target}: the controller has not seen the template within {SECONDS_TO_OBSERVE:.0f} s. Is Argo Rollouts running?")
        if not self.rollouts.promote_fully(self.name, wanted):
            raise AlreadyDone("It is, or is being, promoted fully.")
        return "Skips the remaining steps."

    def _do_keep(self, _operation: Operation) -> str:
        if not self.rollouts.keep_pods(self.name, True):
            raise AlreadyDone("Pods of an aborted version are kept.")
        return "Pods of an aborted version are kept."

    def _do_restore(self, _operation: Operation) -> str:
        if not self.rollouts.keep_pods(self.name, False):
            raise AlreadyDone("The delay is as it was.")
        return "The delay is as it was before; pods of an aborted version may go."

    def _do_hold(self, operation: Operation) -> str:
        self._require(self.rollouts.state(self.name), operation)
        if not self.rollouts.hold(self.name, True):
            raise AlreadyDone("It is paused.")
        return "Paused where it is; the traffic stays split."

    def _do_release(self, _operation: Operation) -> str:
        if not self.rollouts.hold(self.name, False):
            raise AlreadyDone("It is not paused by us.")
        return "Our pause was ended."

    # Planning

    def _fresh(self, standing: DeliveryStanding) -> RolloutState:
        """How it stands now. Raises Rejected where that is another version than the one that was looked at, and judged."""
        state = self.rollouts.state(self.name)
        if standing.current is not None and standing.current.id != serving(state):
            raise Rejected(f"{self.target} is at {serving(state)} by now, not at {standing.current.id}, which was judged; look again.")
        return state

    def _aborting(self, state: RolloutState, why: str, evidence: tuple[Evidence, ...]) -> tuple[Operation, ...]:
        """The abort, and behind it the end of a pause of ours, by which neither pods nor the active Service would change (rollout/context.go, haltProgress)."""
        abort = write(ABORT, self.target, why, self._kubectl("retry rollout"), state.current, evidence, {"to": state.current})
        return (abort, *self._released(state, f"{why} Held, it would not scale back."))

    def _released(self, state: RolloutState, why: str) -> tuple[Operation, ...]:
        pause = self._kubectl("pause")
        return (write(RELEASE, self.target, why, pause, state.current),) if state.held and state.held_by_us else ()

    def _kubectl(self, verb: str, options: str = "") -> str:
        return f"kubectl argo rollouts {verb} {self.name.name} -n {self.name.namespace}{options}"

    def _require(self, state: RolloutState, operation: Operation) -> None:
        """Refuse to act on another version than the one that was judged."""
        judged = _parameter(operation, "to")
        if state.current != judged:
            raise Rejected(f"{self.target} brings in {state.current} by now, not {judged}, which was judged; look again.")


def _waits(state: RolloutState) -> bool:
    """Whether it stands at a pause that has no end."""
    return bool(state.pauses) and state.step is not None and state.step < len(state.steps) and state.steps[state.step].endless


def _next(state: RolloutState) -> str:
    return f"The next weight is {_next_weight(state)} %."


def _next_weight(state: RolloutState) -> int:
    """What the canary gets by its next step, in percent: without a further weight all of it, as with blue/green."""
    following = (step.weight for step in state.steps[(state.step or 0) + 1 :] if step.weight is not None)
    return 100 if state.strategy is RolloutStrategy.BLUE_GREEN else next(following, 100)


def _parameter(operation: Operation, key: str) -> str:
    return dict(operation.parameters).get(key, "")

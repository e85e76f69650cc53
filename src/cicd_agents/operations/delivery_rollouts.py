"""Acts on one Rollout of Argo Rollouts: abort while a version is coming in, undo where it is the stable one already, the next step, all steps.

What an abort leaves behind: the stable version serves everything at once, the spec still names the bad one, and Argo Rollouts calls that Degraded until the
template goes back. Here an aborted Rollout counts as being at its stable version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.delivery_rollouts import RolloutPhase, RolloutRevision, Rollouts, RolloutState, RolloutStrategy, known
from cicd_agents.domain.errors import Refused, Rejected, Unavailable, UsageError
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.apply import AlreadyDone, Applier
from cicd_agents.operations.promotion_delivery import looks

ABORT, UNDO, RETRY = "AbortRollout", "UndoRollout", "RetryRollout"
PROMOTE, PROMOTE_FULLY = "PromoteRollout", "PromoteRolloutFully"
HOLD, RELEASE = "HoldRollout", "ReleaseRollout"
KEEP_PODS, RESTORE_DELAY = "KeepAbortedPods", "RestoreAbortDelay"
ROLLOUT_KINDS = (ABORT, UNDO, RETRY, PROMOTE, PROMOTE_FULLY, HOLD, RELEASE, KEEP_PODS, RESTORE_DELAY)
# How long the controller may take to see a template that was written.
SECONDS_TO_OBSERVE = 30.0


@dataclass(frozen=True, slots=True)
class RolloutWay:
    """One Rollout. `retry`: `resume` also takes an abort back, so that the same version starts again from its first step."""

    name: ObjectName
    rollouts: Rollouts
    clock: Clock
    retry: bool = False

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
            return (self._abort(state, why, evidence),) if state.running else ()
        undo = self._operation(
            UNDO, f"{why} {to.version} is written into the template again.", f"kubectl argo rollouts undo {self.name.name} -n {self.name.namespace}",
            to.id, evidence, to=to.id,
        )  # fmt: skip
        full = self._operation(
            PROMOTE_FULLY, f"{why} The way back skips steps, pauses and analyses.", "None: roll forward with the next version.", to.id, evidence, to=to.id
        )
        coming = state.running and not state.aborted and state.current != to.id
        return (*((self._abort(state, why, evidence),) if coming else ()), undo, full)

    def promote(self, standing: DeliveryStanding, share: float | None, why: str) -> tuple[Operation, ...]:
        """End the pause or step; without a share skip all that are left. Nothing where the canary has that share, or no version is coming in.

        Raises Refused where the next step gives more than the share.
        """
        state = self._fresh(standing)
        if not state.running or state.aborted:
            return ()
        abort = f"kubectl argo rollouts abort {self.name.name} -n {self.name.namespace}"
        if share is None:
            return (self._operation(PROMOTE_FULLY, why, abort, state.current, to=state.current),)
        if state.share is not None and state.share >= share:
            return ()
        if _next_weight(state) > round(share * 100):
            raise Refused(
                f"{self.target}: its next step gives the canary {_next_weight(state)} % of the traffic, but {share:.0%} is what may be given now; "
                "make the stages of the policy those of the Rollout's steps."
            )
        step = "" if state.step is None else str(state.step)
        return (self._operation(PROMOTE, f"{why} {_next(state)}", abort, f"{state.current}:{step}", to=state.current, step=step),)

    def freeze(self, standing: DeliveryStanding, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """Abort, and keep the pods: not where pods alone split the traffic, since an abort then is a rolling update back."""
        state = self._fresh(standing)
        if not state.running or not state.can_keep_pods:
            return ()
        keep = self._operation(
            KEEP_PODS, f"{why} The pods of the new version are kept (`abortScaleDownDelaySeconds: 0`).", "Resume the target, or set the delay again by hand.",
            state.current, evidence,
        )  # fmt: skip
        return keep, self._abort(state, why, evidence)

    def hold(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """Pause where it is: a pause with an end would go on by itself. The traffic stays split."""
        state = self._fresh(standing)
        if not state.running or state.held:
            return ()
        return (self._operation(HOLD, why, "Resume the target.", state.current, to=state.current),)

    def resume(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """Put back the delay and end the pause that we set; with `retry` take the abort back."""
        state = self._fresh(standing)
        found = []
        if state.kept_delay is not None:
            found.append(self._operation(RESTORE_DELAY, why, "Set `abortScaleDownDelaySeconds: 0` by hand.", state.kept_delay))
        if state.held and state.held_by_us:
            found.append(self._operation(RELEASE, why, "kubectl argo rollouts pause, by hand.", state.current))
        if self.retry and state.aborted:
            found.append(self._operation(RETRY, f"{why} The version starts again from its first step.", "Roll back again.", state.current))
        return tuple(found)

    def appliers(self) -> Mapping[str, Applier]:
        """What does each kind of operation."""
        return {
            ABORT: self._do_abort, UNDO: self._do_undo, PROMOTE: self._do_promote, PROMOTE_FULLY: self._do_promote_fully, KEEP_PODS: self._do_keep,
            RESTORE_DELAY: self._do_restore, HOLD: self._do_hold, RELEASE: self._do_release, RETRY: self._do_retry,
        }  # fmt: skip

    def commands(self, standing: DeliveryStanding, to: KnownRevision | None) -> tuple[str, ...]:
        """The rollback by hand."""
        place = f"{self.name.name} -n {self.name.namespace}"
        if to is None or (standing.stable is not None and to.id == standing.stable.id):
            return (f"kubectl argo rollouts abort {place}",)
        number = to.why.removeprefix("Revision ").partition(".")[0] if to.why.startswith("Revision ") else "REVISION"
        return f"kubectl argo rollouts undo {place} --to-revision={number}", f"kubectl argo rollouts promote {place} --full"

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
        wanted = _parameter(operation, "to")
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

    def _do_retry(self, _operation: Operation) -> str:
        if not self.rollouts.retry(self.name):
            raise AlreadyDone("It is not aborted.")
        return "The abort was taken back."

    # Planning

    def _fresh(self, standing: DeliveryStanding) -> RolloutState:
        """How it stands now. Raises Rejected where that is another version than the one that was looked at, and judged."""
        state = self.rollouts.state(self.name)
        if standing.current is not None and standing.current.id != _serving(state):
            raise Rejected(f"{self.target} is at {_serving(state)} by now, not at {standing.current.id}, which was judged; look again.")
        return state

    def _abort(self, state: RolloutState, why: str, evidence: tuple[Evidence, ...]) -> Operation:
        retry = f"kubectl argo rollouts retry rollout {self.name.name} -n {self.name.namespace}"
        return self._operation(ABORT, why, retry, state.current, evidence, to=state.current)

    def _operation(self, kind: str, why: str, reverse: str, about: str, evidence: tuple[Evidence, ...] = (), **parameters: str) -> Operation:
        key = f"{kind}:{self.target}:{about}"
        return Operation(kind, self.target, why, reverse, key, evidence=evidence, parameters=tuple(parameters.items()))

    def _require(self, state: RolloutState, operation: Operation) -> None:
        """Refuse to act on another version than the one that was judged."""
        judged = _parameter(operation, "to")
        if state.current != judged:
            raise Rejected(f"{self.target} brings in {state.current} by now, not {judged}, which was judged; look again.")


def standing_of(target: str, state: RolloutState, missing: tuple[str, ...] = ()) -> DeliveryStanding:
    """A Rollout as a standing; `missing` rights are obstacles."""
    back = state.running and state.aborted
    serving = _serving(state)
    current, stable = _known(state, serving), _known(state, state.stable)
    earlier = tuple(known(state, each) for each in state.revisions if each.hash != serving)
    good = stable if state.running and not back else next((each for each in earlier if each.good), None)
    return DeliveryStanding(
        target, current, good, earlier, stable if state.running and not back else None, _healthy(state, serving, back), _settled(state, back),
        f"{state.word}: {state.message}" if state.phase is RolloutPhase.DEGRADED and not state.aborted else "",
        _health(state), state.share, (*_obstacles(state), *missing), tuple(_notes(state)),
    )  # fmt: skip


def _serving(state: RolloutState) -> str:
    """What a standing calls current: the version that is coming in, or has; after an abort the stable one."""
    return state.stable if state.running and state.aborted else state.current


def _known(state: RolloutState, template_hash: str) -> KnownRevision | None:
    found = state.revision(template_hash)
    return known(state, found) if found else None


def _healthy(state: RolloutState, serving: str, back: bool) -> bool | None:
    """Whether all pods of what serves, or is coming in, are ready; after an abort those of the stable version, which must be all."""
    revision = state.revision(serving)
    if revision is None or state.phase is RolloutPhase.OBSERVING:
        return None
    wanted = revision.wanted if state.running and not back else state.replicas
    return 0 < wanted <= revision.ready


def _settled(state: RolloutState, back: bool) -> bool:
    """Whether nothing is going on: it waits, is done or has given up. An abort is done when the traffic is back."""
    if back:
        canary: RolloutRevision | None = state.revision(state.current)
        gone = canary is None or canary.available == 0
        return state.phase is RolloutPhase.DEGRADED and (not state.weight if state.routed else state.strategy is RolloutStrategy.BLUE_GREEN or gone)
    return state.phase in (RolloutPhase.HEALTHY, RolloutPhase.DEGRADED, RolloutPhase.PAUSED)


def _health(state: RolloutState) -> str:
    word = state.word or "no word yet"
    if state.phase is RolloutPhase.UNKNOWN and state.word:
        word = f"{word} (a word that is not known)"
    return f"{word}: {state.message}" if state.message else word


def _obstacles(state: RolloutState) -> tuple[str, ...]:
    if not state.stable:
        return ("It is the first version: there is no stable one to go back to.",)
    if state.workload_ref and state.workload_ref[0] != "Deployment":
        return (f"Its template is in a {state.workload_ref[0]}, which is not written to; an abort is possible, an undo is not.",) if not state.running else ()
    return ()


def _notes(state: RolloutState) -> list[str]:
    notes = []
    if state.running and state.aborted:
        notes.append(f"It is aborted: the stable version serves, but the spec still names {state.current}; revert that in Git, a retry would start it again.")
    if state.held:
        notes.append("It is held by `spec.paused`, by us." if state.held_by_us else "It is held by `spec.paused`, which somebody else set.")
    step = state.steps[state.step] if state.running and state.step is not None and state.step < len(state.steps) else None
    if step and step.kind == "pause" and not step.endless and not state.aborted:
        notes.append(f"The pause of step {(state.step or 0) + 1} ends by itself after {step.seconds} (seconds where it has no unit), whatever is judged.")
    if state.running and not state.can_keep_pods:
        notes.append("The number of pods splits the traffic: an abort is a rolling update back, and a freeze that keeps the pods is not possible.")
    return notes


def _next(state: RolloutState) -> str:
    return f"The next weight is {_next_weight(state)} %."


def _next_weight(state: RolloutState) -> int:
    """What the canary gets by its next step, in percent: without a further weight all of it, as with blue/green."""
    following = (step.weight for step in state.steps[(state.step or 0) + 1 :] if step.weight is not None)
    return 100 if state.strategy is RolloutStrategy.BLUE_GREEN else next(following, 100)


def _parameter(operation: Operation, key: str) -> str:
    return dict(operation.parameters).get(key, "")

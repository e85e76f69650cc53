"""How a Rollout of Argo Rollouts stands, in the words of all tools. Pure.

After an abort the stable version serves everything at once, the spec still names the bad one, and Argo Rollouts says Degraded until the template goes back:
here an aborted Rollout counts as being at its stable version.
"""

from __future__ import annotations

from cicd_agents.domain.delivery_rollouts import RolloutPhase, RolloutRevision, RolloutState, RolloutStrategy, known
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision


def standing_of(target: str, state: RolloutState, missing: tuple[str, ...] = ()) -> DeliveryStanding:
    """A Rollout as a standing; `missing` rights are obstacles."""
    back = state.running and state.aborted
    serves = serving(state)
    current, stable = _known(state, serves), _known(state, state.stable)
    earlier = tuple(known(state, each) for each in state.revisions if each.hash != serves)
    good = stable if state.running and not back else next((each for each in earlier if each.good), None)
    return DeliveryStanding(
        target, current, good, earlier, stable if state.running and not back else None, _healthy(state, serves, back), _settled(state, back),
        f"{state.word}: {state.message}" if state.phase is RolloutPhase.DEGRADED and not state.aborted else "",
        _health(state), state.share, (*_obstacles(state), *missing), tuple(_notes(state)),
    )  # fmt: skip


def serving(state: RolloutState) -> str:
    """What a standing calls current: the version that is coming in, or has; after an abort the stable one."""
    return state.stable if state.running and state.aborted else state.current


def _known(state: RolloutState, template_hash: str) -> KnownRevision | None:
    found = state.revision(template_hash)
    return known(state, found) if found else None


def _healthy(state: RolloutState, serves: str, back: bool) -> bool | None:
    """Whether all pods of what serves, or is coming in, are ready; after an abort those of the stable version, which must be all."""
    revision = state.revision(serves)
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
    if state.held and not state.held_by_us and not (state.running and state.routed):
        return ("It is held by `spec.paused`, which somebody else set: pods would not go back while it is. Resume it first.",)
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

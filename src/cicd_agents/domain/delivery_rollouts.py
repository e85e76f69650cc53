"""Argo Rollouts in our words: what a Rollout says of itself, and the port that reads and changes one.

Source of the names: the Rollout CRD (argoproj.io/v1alpha1) and Argo Rollouts docs, "Rollout Specification".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cicd_agents.domain.delivery_objects import ObjectName, pods_of
from cicd_agents.domain.guardian import KnownRevision, Sides

# The label that pods of each version carry.
HASH_LABEL = "rollouts-pod-template-hash"


class RolloutPhase(StrEnum):
    """Where a Rollout stands; `unknown` for a word that is not one of Argo Rollouts', `observing`: the controller has not seen the newest change."""

    HEALTHY = "Healthy"
    DEGRADED = "Degraded"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    OBSERVING = "observing"
    UNKNOWN = "unknown"

    @staticmethod
    def of(word: str) -> RolloutPhase:
        """The phase of a word."""
        known = {phase.value: phase for phase in RolloutPhase if phase not in (RolloutPhase.OBSERVING, RolloutPhase.UNKNOWN)}
        return known.get(word, RolloutPhase.UNKNOWN)


class RolloutStrategy(StrEnum):
    """How a Rollout brings a new version in."""

    CANARY = "canary"
    BLUE_GREEN = "blue-green"


@dataclass(frozen=True, slots=True)
class RolloutRevision:
    """A version, as its ReplicaSet tells. `hash` is its pod-template hash; `number` grows, and moves when a version comes back. Replicas count pods."""

    hash: str
    number: int
    images: tuple[str, ...]
    created: float | None
    wanted: int
    ready: int
    available: int


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """A step of a canary; `weight` is the percentage that it sets, `endless` a pause without an end, `seconds` when it ends by itself."""

    kind: str
    weight: int | None = None
    endless: bool = False
    seconds: str = ""

    @property
    def shown(self) -> str:
        """The step in words."""
        if self.weight is not None:
            return f"setWeight {self.weight}"
        return f"{self.kind} {self.seconds}" if self.seconds else self.kind


@dataclass(frozen=True, slots=True)
class RolloutState:
    """How a Rollout stands. `current` and `stable` are template hashes; they are equal where no version is on its way.

    `routed`: a service mesh or ingress splits the traffic, so `weight` is what the canary gets (percent); without it the number of pods decides.
    `abort_delay`: seconds that pods of an aborted version live (0: for ever, None: the default of 30). `kept_delay`: what it was before we set it.
    `template_hash`: the revision whose template the spec (or the referenced workload) holds now, empty: none of the known ones.
    `workload_ref` is the kind and name of the workload that holds the template.
    """

    name: ObjectName
    strategy: RolloutStrategy
    phase: RolloutPhase
    word: str
    message: str
    current: str
    stable: str
    revisions: tuple[RolloutRevision, ...]
    replicas: int
    aborted: bool = False
    held: bool = False
    held_by_us: bool = False
    pauses: tuple[str, ...] = ()
    controller_pause: bool = False
    promoting_fully: bool = False
    step: int | None = None
    steps: tuple[RolloutStep, ...] = ()
    routed: bool = False
    weight: int | None = None
    active: str = ""
    preview: str = ""
    abort_delay: int | None = None
    kept_delay: str | None = None
    template_hash: str = ""
    workload_ref: tuple[str, str] | None = None

    @property
    def running(self) -> bool:
        """Whether a version is on its way beside the stable one, also an aborted one."""
        return bool(self.stable) and self.current != self.stable

    @property
    def unpausing(self) -> bool:
        """Whether the end of its pause was asked for and its controller has not seen that (utils/rollout, IsUnpausing)."""
        return self.controller_pause and not self.pauses

    @property
    def can_keep_pods(self) -> bool:
        """Whether an aborted version's pods can be kept (docs, "Scaledown New Replicaset on Aborted Rollout"): not where pods alone split the traffic."""
        return self.strategy is RolloutStrategy.BLUE_GREEN or self.routed

    @property
    def share(self) -> float | None:
        """The canary's part of the traffic: as the mesh has it, else its part of the available pods; of blue/green all or nothing. None: there is none."""
        if not self.running:
            return None
        if self.strategy is RolloutStrategy.BLUE_GREEN:
            return 1.0 if self.active == self.current else 0.0
        if self.routed:
            return None if self.weight is None else self.weight / 100
        pods = sum(revision.available for revision in self.revisions)
        canary = self.revision(self.current)
        return canary.available / pods if canary and pods else None

    def revision(self, template_hash: str) -> RolloutRevision | None:
        """The revision of a hash."""
        return next((revision for revision in self.revisions if revision.hash == template_hash), None)


def sides(state: RolloutState) -> Sides | None:
    """Which pods are the canary's and which the stable version's, for queries; None where no version is on its way."""
    if not state.running:
        return None

    def pods(template_hash: str) -> str:
        return f'pod=~"{pods_of(f"{state.name.name}-{template_hash}")}"'

    return Sides(pods(state.current), pods(state.stable), f'namespace="{state.name.namespace}"')


def known(state: RolloutState, revision: RolloutRevision) -> KnownRevision:
    """A revision as one that can be gone to. An aborted one is bad; only what is stable, or has all its pods now, is known to be good: there is no record."""
    good: bool | None
    if state.running and state.aborted and revision.hash == state.current:
        good, why = False, "It was aborted."
    elif revision.hash == state.stable:
        good, why = True, "Argo Rollouts holds it for stable."
    elif revision.hash != state.current and state.replicas and revision.available >= state.replicas:
        good, why = True, f"All of its {revision.available} pods are available."
    else:
        good, why = None, "Argo Rollouts does not tell whether it was ever fully available."
    return KnownRevision(revision.hash, ", ".join(revision.images) or revision.hash, revision.created, good, f"Revision {revision.number}. {why}")


class Rollouts(Protocol):
    """The Rollouts of a cluster. The writes look first and answer False where nothing was to be done; all raise ServiceError."""

    def state(self, name: ObjectName) -> RolloutState:
        """How a Rollout stands. Raises UsageError where there is none."""
        ...

    def missing_rights(self, state: RolloutState) -> tuple[str, ...]:
        """Which rights the credential has not, in sentences."""
        ...

    def abort(self, name: ObjectName) -> bool:
        """Give the traffic back to the stable version."""
        ...

    def undo(self, name: ObjectName, template_hash: str) -> bool:
        """Write a revision's template into the Rollout, or into the workload that it refers to."""
        ...

    def promote(self, name: ObjectName, from_step: int | None) -> bool:
        """End the pause, or the step `from_step` (None: none is known) where nothing pauses."""
        ...

    def promote_fully(self, name: ObjectName, template_hash: str) -> bool:
        """Skip the remaining steps of this version, which must be the current one."""
        ...

    def hold(self, name: ObjectName, hold: bool) -> bool:
        """Pause the Rollout where it is, or end a pause that we made."""
        ...

    def keep_pods(self, name: ObjectName, keep: bool) -> bool:
        """Let the pods of an aborted version live, or put back what was set before we did."""
        ...

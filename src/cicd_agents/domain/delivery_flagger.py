"""Flagger in our words: what a Canary says of itself, and the port that reads and changes it.

Source of the names: the Canary CRD (flagger.app/v1beta1); Flagger docs, "How it works".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cicd_agents.domain.delivery_objects import ObjectName, escaped, pods_of
from cicd_agents.domain.delivery_traffic import TrafficTarget
from cicd_agents.domain.guardian import Sides


class FlaggerPhase(StrEnum):
    """Where a Canary stands; `new` before Flagger has seen it, `unknown` for a word that is not one of Flagger's."""

    NEW = "new"
    INITIALIZING = "Initializing"
    INITIALIZED = "Initialized"
    WAITING = "Waiting"
    PROGRESSING = "Progressing"
    WAITING_PROMOTION = "WaitingPromotion"
    PROMOTING = "Promoting"
    FINALISING = "Finalising"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    TERMINATED = "Terminated"
    UNKNOWN = "unknown"

    @staticmethod
    def of(word: str) -> FlaggerPhase:
        """The phase of a word."""
        if not word:
            return FlaggerPhase.NEW
        known = {phase.value: phase for phase in FlaggerPhase if phase not in (FlaggerPhase.NEW, FlaggerPhase.UNKNOWN)}
        return known.get(word, FlaggerPhase.UNKNOWN)


# A version is analysed, and the primary is still the old one.
ANALYSING = frozenset({FlaggerPhase.WAITING, FlaggerPhase.PROGRESSING, FlaggerPhase.WAITING_PROMOTION})
# The new version is being copied to the primary.
PROMOTING = frozenset({FlaggerPhase.PROMOTING, FlaggerPhase.FINALISING})


@dataclass(frozen=True, slots=True)
class FlaggerSide:
    """The target or its primary, as the workload tells: pods wanted and ready."""

    name: str
    images: tuple[str, ...]
    wanted: int
    ready: int

    @property
    def healthy(self) -> bool:
        """Whether all its pods are ready, and there are some."""
        return 0 < self.wanted <= self.ready


@dataclass(frozen=True, slots=True)
class FlaggerState:
    """How a Canary stands. `weight` is the canary's percent of the traffic, `threshold` the failed checks that roll it back.

    `same`: the target's pods are those of the primary, so nothing new is there; None where that cannot be told. `primary_ids` name the target's own
    ReplicaSet that the primary's pods were made of: by its hash and by its name. `skipping`: analyses are skipped; `skipping_by_us`, `ours`: we set that.
    `hooks` are the kinds of webhooks that are set. `provider` weighs the traffic, empty: that of the whole installation; `split` is where, as far as we know.
    """

    name: ObjectName
    phase: FlaggerPhase
    word: str
    message: str
    weight: int
    failed_checks: int
    threshold: int
    target_kind: str
    target: FlaggerSide | None
    primary: FlaggerSide | None
    same: bool | None = None
    primary_ids: tuple[str, ...] = ()
    suspended: bool = False
    ours: bool = False
    skipping: bool = False
    skipping_by_us: bool = False
    hooks: tuple[str, ...] = ()
    provider: str = ""
    split: TrafficTarget | None = None

    @property
    def coming(self) -> bool:
        """Whether a new version is on its way in beside the primary."""
        return self.phase in ANALYSING and not self.same


def sides(state: FlaggerState) -> Sides | None:
    """Which pods are the canary's and which the primary's, for queries; None where no version is on its way in."""
    if not state.coming or state.target is None:
        return None
    name = state.target.name
    # A Deployment's pods are NAME-HASH-ID, the primary's NAME-primary-HASH-ID: one part more.
    canary = f"{escaped(name)}-[a-z0-9]+" + ("-[a-z0-9]+" if state.target_kind == "Deployment" else "")
    primary = pods_of(f"{name}-primary") if state.target_kind != "Deployment" else f"{pods_of(f'{name}-primary')}-[a-z0-9]+"
    return Sides(f'pod=~"{canary}"', f'pod=~"{primary}"', f'namespace="{state.name.namespace}"')


class Flagger(Protocol):
    """The Canaries of a cluster. The writes look first and answer False where nothing was to be done; all raise ServiceError."""

    def state(self, name: ObjectName) -> FlaggerState:
        """How a Canary stands. Raises UsageError where there is none."""
        ...

    def missing_rights(self, name: ObjectName) -> tuple[str, ...]:
        """Which rights the credential has not, in sentences."""
        ...

    def suspend(self, name: ObjectName, suspend: bool) -> bool:
        """Suspend it with our mark, or resume what bears that."""
        ...

    def skip_analysis(self, name: ObjectName, skip: bool) -> bool:
        """Skip analyses, with our mark, or end what bears that."""
        ...

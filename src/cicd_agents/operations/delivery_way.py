"""What a delivery tool must be able to do so that the guardian can act by it. One file per tool beside this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation
from cicd_agents.operations.apply import Applier


def write(
    kind: str, target: str, why: str, reverse: str, about: str = "", evidence: tuple[Evidence, ...] = (), given: Mapping[str, str] | None = None
) -> Operation:  # fmt: skip
    """One write on a target. `about` is what beside kind and target makes it the same write when it is planned again; `given` is for its applier."""
    key = f"{kind}:{target}:{about}" if about else f"{kind}:{target}"
    return Operation(kind, target, why, reverse, key, evidence=evidence, parameters=tuple((given or {}).items()))


class DeliveryWay(Protocol):
    """One target of one delivery tool. It plans writes as operations, in order, and does each; waiting for health is the caller's (`look` again and again).

    Each applier looks first and raises AlreadyDone where the world is as it should be, so that a run that was killed anywhere can be run again.
    What it switches off in order to act (auto-sync, reconciliation) it marks on the object itself, so that `resume` finds it without a memory.
    """

    @property
    def target(self) -> str:
        """What it acts on, as settings name it: `argocd:api`, `deployment:prod/api`."""
        ...

    def look(self) -> DeliveryStanding:
        """How the target stands now. Raises ServiceError, and UsageError for a target that is not there."""
        ...

    def rollback(self, standing: DeliveryStanding, to: KnownRevision, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """The writes that bring the target back to a revision."""
        ...

    def promote(self, standing: DeliveryStanding, share: float | None, why: str) -> tuple[Operation, ...]:
        """The writes that give the canary the next share of the traffic, None: all of it; empty where this tool has no such thing."""
        ...

    def freeze(self, standing: DeliveryStanding, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """The writes that give all traffic to the stable version and keep the canary's pods; empty where this tool has no such thing."""
        ...

    def hold(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """The writes that keep a roll-out where it is, marked as ours; empty where nothing would go on by itself."""
        ...

    def release(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """The writes that end such a hold of ours and nothing else; empty where there is none."""
        ...

    def resume(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
        """The writes that switch on again what an earlier rollback switched off; empty where there is nothing of that."""
        ...

    def appliers(self) -> Mapping[str, Applier]:
        """What does each kind of operation."""
        ...

    def commands(self, standing: DeliveryStanding, to: KnownRevision | None) -> tuple[str, ...]:
        """The rollback by hand, as commands for a terminal; with placeholders where something is not known."""
        ...

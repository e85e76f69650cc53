"""Acts on a split of traffic: all to the stable version, or a share to the canary. Pods are left as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cicd_agents.domain.delivery_traffic import Traffic, TrafficKind, TrafficTarget
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation
from cicd_agents.operations.apply import AlreadyDone, Applier
from cicd_agents.operations.delivery_way import write

SET_WEIGHT = "SetTrafficWeight"


@dataclass(frozen=True, slots=True)
class TrafficWay:
    """One split. Its revisions are the two sides, named as in the target; which versions those are the split does not tell, but may be given."""

    split_target: TrafficTarget
    traffic: Traffic
    canary_version: str = ""
    stable_version: str = ""

    @property
    def target(self) -> str:
        """What it acts on."""
        return self.split_target.shown

    def look(self) -> DeliveryStanding:
        """How the traffic is split. The canary's side is the current one, also where it has no traffic; nobody tells of health here."""
        split = self.traffic.split(self.split_target)
        canary, stable = self._sides()
        owned = (f"{split.owner} sets these weights itself and would put them back: act on that.",) if split.owner else ()
        return DeliveryStanding(
            self.target, canary, stable, (stable,), stable, share=split.share, health=f"the canary has {split.weight} of {split.total}",
            obstacles=(*owned, *self.traffic.missing_rights(self.split_target)), notes=split.notes,
        )  # fmt: skip

    def rollback(self, standing: DeliveryStanding, to: KnownRevision, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """All traffic to the stable side."""
        if to.id != self.split_target.stable:
            raise UsageError(f"{self.target} can only go back to {self.split_target.stable!r}, not to {to.id[:60]!r}.")
        return (self._operation(0.0, standing, why, evidence),)

    def promote(self, standing: DeliveryStanding, share: float | None, why: str) -> tuple[Operation, ...]:
        """This share to the canary, None: all; nothing where it has it."""
        wanted = 1.0 if share is None else share
        return () if standing.share is not None and standing.share >= wanted else (self._operation(wanted, standing, why),)

    def freeze(self, standing: DeliveryStanding, why: str, evidence: tuple[Evidence, ...] = ()) -> tuple[Operation, ...]:
        """All traffic to the stable side; the canary's pods stay anyway."""
        return (self._operation(0.0, standing, why, evidence),)

    def hold(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:  # noqa: ARG002 the protocol's signature
        """Nothing: weights do not change by themselves."""
        return ()

    def release(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:  # noqa: ARG002 the protocol's signature
        """Nothing is held."""
        return ()

    def resume(self, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:  # noqa: ARG002 the protocol's signature
        """Nothing was switched off."""
        return ()

    def appliers(self) -> Mapping[str, Applier]:
        """What does each kind of operation."""
        return {SET_WEIGHT: self._do_set}

    def commands(self, standing: DeliveryStanding, to: KnownRevision | None) -> tuple[str, ...]:  # noqa: ARG002 the protocol's signature
        """The rollback by hand."""
        name = self.split_target.name
        if self.split_target.kind is TrafficKind.NGINX:
            return (f"kubectl annotate ingress {name.name} -n {name.namespace} --overwrite nginx.ingress.kubernetes.io/canary-weight=0",)
        return (f"kubectl edit virtualservice {name.name} -n {name.namespace}  # weight 0 for {self.split_target.canary}, 100 for {self.split_target.stable}",)

    def _do_set(self, operation: Operation) -> str:
        share = float(dict(operation.parameters)["share"])
        if not self.traffic.set_share(self.split_target, share):
            raise AlreadyDone(f"The canary has {share:.0%} of the traffic.")
        return f"The canary has {share:.0%} of the traffic now."

    def _sides(self) -> tuple[KnownRevision, KnownRevision]:
        canary, stable = self.split_target.canary, self.split_target.stable
        versions = self.canary_version or canary, self.stable_version or stable
        return KnownRevision(canary, versions[0]), KnownRevision(stable, versions[1], good=True, why="It is the stable side of the split.")

    def _operation(self, share: float, standing: DeliveryStanding, why: str, evidence: tuple[Evidence, ...] = ()) -> Operation:
        back = "what it was" if standing.share is None else f"{standing.share:.0%}"
        reverse = f"Set the canary's part of the traffic to {back} again."
        return write(SET_WEIGHT, self.target, why, reverse, f"{share:.6g}", evidence, {"share": f"{share:.6g}"})

"""By what the guardian acts, as the settings name it, and which of these tools tells the canary's part of the traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.errors import UsageError
from cicd_agents.wiring.guardian_cluster import PODS, images_of

if TYPE_CHECKING:
    from cicd_agents.domain.delivery_traffic import TrafficTarget
    from cicd_agents.operations.delivery_way import DeliveryWay
    from cicd_agents.wiring.guardian_sources import Sources

_WORKLOADS = ("deployment", "statefulset", "daemonset")
_FLUX = ("kustomization", "helmrelease")
_TRAFFIC = ("istio", "nginx")
_TARGETS = ("argocd:APP", *(f"{kind}:NAMESPACE/NAME" for kind in (*_WORKLOADS, "rollout", "canary", *_FLUX, *_TRAFFIC)))


@dataclass(frozen=True, slots=True)
class Ways:
    """Builds them. Methods raise UsageError for targets that make no sense."""

    sources: Sources

    def way(self) -> DeliveryWay | None:
        """By what to act; None where the settings name nothing."""
        settings = self.sources.settings
        target = settings.delivery or settings.workload
        return self._way(target) if target else None

    def share(self) -> Callable[[], float | None] | None:
        """What tells the canary's part of the traffic; None: nothing does. Of a plain workload the requests tell more than the number of pods."""
        settings = self.sources.settings
        for target in (settings.delivery, settings.workload):
            kind, _, name = target.partition(":")
            if kind == "rollout":
                return self._of_rollout(ObjectName.of(name, "a Rollout"))
            if kind == "canary":
                return self._of_canary(ObjectName.of(name, "a Canary"))
            if kind in _TRAFFIC:
                return self._of_split(_split(kind, name))
        return None

    def _of_rollout(self, name: ObjectName) -> Callable[[], float | None]:
        from cicd_agents.clients.delivery.argo_rollouts import ArgoRollouts

        rollouts = ArgoRollouts(self.sources.cluster())
        return lambda: rollouts.state(name).share

    def _of_canary(self, name: ObjectName) -> Callable[[], float | None]:
        from cicd_agents.clients.delivery.flagger import FlaggerCanaries

        canaries = FlaggerCanaries(self.sources.cluster())

        def told() -> float | None:
            state = canaries.state(name)
            return state.weight / 100 if state.coming else None

        return told

    def _of_split(self, target: TrafficTarget) -> Callable[[], float | None]:
        from cicd_agents.clients.delivery.traffic import TrafficSplits

        splits = TrafficSplits(self.sources.cluster())
        return lambda: splits.split(target).share

    def _way(self, target: str) -> DeliveryWay:
        kind, _, name = target.partition(":")
        if kind == "argocd":
            return self._argocd(name)
        if kind in _WORKLOADS:
            return self._workload(target, owner_handled=False)
        if kind == "rollout":
            from cicd_agents.clients.delivery.argo_rollouts import ArgoRollouts
            from cicd_agents.operations.delivery_rollouts import RolloutWay

            return RolloutWay(ObjectName.of(name, "a Rollout"), ArgoRollouts(self.sources.cluster()), self.sources.world.clock)
        if kind in _FLUX:
            from cicd_agents.clients.delivery.flux import FluxObjects
            from cicd_agents.domain.delivery_flux import FluxKind, FluxTarget
            from cicd_agents.operations.delivery_flux import FluxWay

            reconciled = FluxTarget(FluxKind(kind), ObjectName.of(name, f"a {kind}"))
            return FluxWay(reconciled, FluxObjects(self.sources.cluster()), self.sources.world.clock, self._below())
        if kind == "canary":
            from cicd_agents.clients.delivery.flagger import FlaggerCanaries
            from cicd_agents.clients.delivery.traffic import TrafficSplits
            from cicd_agents.operations.delivery_flagger import FlaggerWay

            cluster = self.sources.cluster()
            return FlaggerWay(ObjectName.of(name, "a Canary"), FlaggerCanaries(cluster), self._below(), TrafficSplits(cluster))
        if kind in _TRAFFIC:
            return self._traffic(_split(kind, name))
        setting = "delivery" if target == self.sources.settings.delivery else "workload"
        raise UsageError(f"{setting}: {target[:60]!r} is nothing that can be acted by; write one of {', '.join(_TARGETS)}.")

    def _below(self) -> DeliveryWay | None:
        """The workload under Flux or Flagger; whoever owns it is told to stand still by the way above."""
        target = self.sources.settings.workload
        if not target or target == self.sources.settings.delivery:
            return None
        return self._workload(target, owner_handled=True) if target.partition(":")[0] in _WORKLOADS else self._way(target)

    def _workload(self, target: str, *, owner_handled: bool) -> DeliveryWay:
        from cicd_agents.clients.delivery.kubernetes_workloads import KubernetesWorkloads
        from cicd_agents.domain.delivery_workload import Workload
        from cicd_agents.operations.delivery_workload import WorkloadWay

        return WorkloadWay(Workload.of(target), KubernetesWorkloads(self.sources.cluster()), self.sources.world.clock, owner_handled)

    def _argocd(self, name: str) -> DeliveryWay:
        from cicd_agents.clients.delivery.argocd_rollback import ArgoCDRollback
        from cicd_agents.operations.delivery_argocd import ArgoCDWay
        from cicd_agents.operations.delivery_argocd_standing import Habits

        sources, given = self.sources, self.sources.settings
        if not given.argocd_url:
            raise UsageError(f"delivery: argocd:{name} needs argocd-url.")
        server = ArgoCDRollback(
            given.argocd_url, given.argocd_token, sources.world.clock, sources.budget, project=given.argocd_project, allow_http=given.allow_http,
            note=sources.note,
        )  # fmt: skip
        sources.stack.callback(server.close)
        habits = Habits(60.0 * given.argocd_good_minutes, given.argocd_owned, given.argocd_terminate, given.argocd_prune)
        return ArgoCDWay(name, server, sources.world.clock, habits)

    def _traffic(self, split: TrafficTarget) -> DeliveryWay:
        """A split of traffic, whose canary runs what the pods of `workload` do, where the settings name one; asked anew with every look."""
        from cicd_agents.clients.delivery.traffic import TrafficSplits
        from cicd_agents.wiring.guardian_split import SplitOfPods

        target = self.sources.settings.workload
        versions = (lambda: images_of(self.sources.pods(), target)) if target.partition(":")[0] in PODS else None
        return SplitOfPods(split, TrafficSplits(self.sources.cluster()), versions_now=versions)


def _split(kind: str, text: str) -> TrafficTarget:
    """`NAMESPACE/NAME`, behind it `#ROUTE` and `=CANARY,STABLE` where the object does not say."""
    from cicd_agents.domain.delivery_traffic import TrafficKind, TrafficTarget

    place, _, sides = text.partition("=")
    name, _, route = place.partition("#")
    canary, _, stable = sides.partition(",")
    return TrafficTarget(TrafficKind(kind), ObjectName.of(name, "a split of traffic"), route, canary.strip() or "canary", stable.strip() or "stable")

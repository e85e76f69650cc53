"""The services that the guardian asks and acts by, built as the settings say, each when it is needed and closed at the end."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cicd_agents.clients.clock import Budget
from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.errors import UsageError
from cicd_agents.settings.model import Settings

if TYPE_CHECKING:
    from cicd_agents.clients.http import Retry
    from cicd_agents.clients.metrics.prometheus_check import CheckedStore
    from cicd_agents.domain.cluster import Cluster
    from cicd_agents.domain.dashboards import Dashboards
    from cicd_agents.domain.delivery_traffic import TrafficTarget
    from cicd_agents.domain.delivery_workload import Pods
    from cicd_agents.domain.guardian import Sides
    from cicd_agents.domain.log_counts import LogCounts
    from cicd_agents.operations.delivery_way import DeliveryWay
    from cicd_agents.wiring.world import World

_WORKLOADS = ("deployment", "statefulset", "daemonset")
_FLUX = ("kustomization", "helmrelease")
_TRAFFIC = ("istio", "nginx")
_TARGETS = ("argocd:APP", *(f"{kind}:NAMESPACE/NAME" for kind in (*_WORKLOADS, "rollout", "canary", *_FLUX, *_TRAFFIC)))


@dataclass(slots=True)
class Sources:
    """The services of one run. Methods raise UsageError where the settings are missing or make no sense."""

    settings: Settings
    world: World
    budget: Budget
    stack: ExitStack
    _cluster: Cluster | None = field(default=None, init=False)

    @property
    def has_metrics(self) -> bool:
        """Whether there is a server of metrics to ask."""
        return bool(self.settings.prometheus_url or self.settings.grafana_url)

    def metrics(self) -> CheckedStore:
        """Prometheus, or Grafana's data source."""
        given = self.settings
        if given.prometheus_url:
            from cicd_agents.clients.metrics.prometheus import PrometheusStore
            from cicd_agents.clients.metrics.prometheus_access import Access, tls_of

            store = PrometheusStore(
                given.prometheus_url, self.world.clock, self.budget, tls=tls_of(given.prometheus_ca, given.prometheus_cert, given.prometheus_key),
                access=Access(given.prometheus_token, given.prometheus_user, given.prometheus_password, given.prometheus_tenant),
                allow_http=given.allow_http, note=self._note,
            )  # fmt: skip
            self.stack.callback(store.close)
            return store
        if given.grafana_url:
            from cicd_agents.clients.metrics.grafana import GrafanaStore

            proxied = GrafanaStore(
                given.grafana_url, given.grafana_token, self.world.clock, self.budget, source=given.grafana_datasource, allow_http=given.allow_http,
                note=self._note,
            )  # fmt: skip
            self.stack.callback(proxied.close)
            return proxied
        raise UsageError("Nothing says where the metrics are: set prometheus-url (or grafana-url), or give numbers by metrics-table.")

    def dashboards(self) -> Dashboards | None:
        """Grafana, where there is one."""
        if not self.settings.grafana_url:
            return None
        from cicd_agents.clients.metrics.grafana_dashboards import GrafanaDashboards

        given = self.settings
        found = GrafanaDashboards(given.grafana_url, given.grafana_token, self.world.clock, self.budget, allow_http=given.allow_http, note=self._note)
        self.stack.callback(found.close)
        return found

    def logs(self) -> LogCounts | None:
        """Loki, where the logs of both versions are named."""
        given = self.settings
        if not given.canary_logs and not given.baseline_logs:
            return None
        if not given.loki_url:
            raise UsageError("canary-logs and baseline-logs need loki-url.")
        from cicd_agents.clients.loki_counts import LokiCounts

        loki = LokiCounts(
            given.loki_url, given.loki_token, self.world.clock, self.budget, org_id=given.loki_tenant, allow_http=given.allow_http, note=self._note
        )  # fmt: skip
        self.stack.callback(loki.close)
        return loki

    def cluster(self) -> Cluster:
        """The Kubernetes API."""
        if self._cluster is None:
            from cicd_agents.clients.delivery.kubernetes_access import AccessWishes, access
            from cicd_agents.clients.delivery.kubernetes_client import Kubernetes

            given = self.settings
            way = access(AccessWishes(given.kubeconfig, given.kube_context, given.kube_exec), self.world.environment, self.world.clock)
            client = Kubernetes(way, self.world.clock, self.budget, allow_http=given.allow_http, note=self._note)
            self.stack.callback(client.close)
            self._cluster = client
        return self._cluster

    def pods(self) -> Pods:
        """The cluster's pods."""
        from cicd_agents.clients.delivery.kubernetes_pods import KubernetesPods

        return KubernetesPods(self.cluster())

    def sides_of_canary(self, name: str) -> Sides | None:
        """Which pods are the canary's and which the primary's of one of Flagger's Canaries; None while no version is on its way in."""
        from cicd_agents.clients.delivery.flagger import FlaggerCanaries
        from cicd_agents.domain.delivery_flagger import sides

        return sides(FlaggerCanaries(self.cluster()).state(ObjectName.of(name, "a Canary")))

    def way(self) -> DeliveryWay | None:
        """By what to act; None where the settings name nothing."""
        target = self.settings.delivery or self.settings.workload
        return self._way(target) if target else None

    def _way(self, target: str) -> DeliveryWay:
        kind, _, name = target.partition(":")
        if kind == "argocd":
            return self._argocd(name)
        if kind in _WORKLOADS:
            return self._workload(target, owner_handled=False)
        if kind == "rollout":
            from cicd_agents.clients.delivery.argo_rollouts import ArgoRollouts
            from cicd_agents.operations.delivery_rollouts import RolloutWay

            return RolloutWay(ObjectName.of(name, "a Rollout"), ArgoRollouts(self.cluster()), self.world.clock)
        if kind in _FLUX:
            from cicd_agents.clients.delivery.flux import FluxObjects
            from cicd_agents.domain.delivery_flux import FluxKind, FluxTarget
            from cicd_agents.operations.delivery_flux import FluxWay

            reconciled = FluxTarget(FluxKind(kind), ObjectName.of(name, f"a {kind}"))
            return FluxWay(reconciled, FluxObjects(self.cluster()), self.world.clock, self._below())
        if kind == "canary":
            from cicd_agents.clients.delivery.flagger import FlaggerCanaries
            from cicd_agents.operations.delivery_flagger import FlaggerWay

            return FlaggerWay(ObjectName.of(name, "a Canary"), FlaggerCanaries(self.cluster()), self._below())
        if kind in _TRAFFIC:
            from cicd_agents.clients.delivery.traffic import TrafficSplits
            from cicd_agents.operations.delivery_traffic import TrafficWay

            return TrafficWay(_split(kind, name), TrafficSplits(self.cluster()))
        raise UsageError(f"delivery: {target[:60]!r} is nothing that can be acted by; write one of {', '.join(_TARGETS)}.")

    def _below(self) -> DeliveryWay | None:
        """The workload under Flux or Flagger; whoever owns it is told to stand still by the way above."""
        target = self.settings.workload
        if not target or target == self.settings.delivery:
            return None
        return self._workload(target, owner_handled=True) if target.partition(":")[0] in _WORKLOADS else self._way(target)

    def _workload(self, target: str, *, owner_handled: bool) -> DeliveryWay:
        from cicd_agents.clients.delivery.kubernetes_workloads import KubernetesWorkloads
        from cicd_agents.domain.delivery_workload import Workload
        from cicd_agents.operations.delivery_workload import WorkloadWay

        return WorkloadWay(Workload.of(target), KubernetesWorkloads(self.cluster()), self.world.clock, owner_handled)

    def _argocd(self, name: str) -> DeliveryWay:
        from cicd_agents.clients.delivery.argocd_rollback import ArgoCDRollback
        from cicd_agents.operations.delivery_argocd import ArgoCDWay
        from cicd_agents.operations.delivery_argocd_standing import Habits

        given = self.settings
        if not given.argocd_url:
            raise UsageError(f"delivery: argocd:{name} needs argocd-url.")
        server = ArgoCDRollback(
            given.argocd_url, given.argocd_token, self.world.clock, self.budget, project=given.argocd_project, allow_http=given.allow_http, note=self._note
        )  # fmt: skip
        self.stack.callback(server.close)
        return ArgoCDWay(name, server, self.world.clock, Habits(prune=given.argocd_prune))

    def _note(self, retry: Retry) -> None:
        self.world.say(str(retry))


def _split(kind: str, text: str) -> TrafficTarget:
    """`NAMESPACE/NAME`, behind it `#ROUTE` and `=CANARY,STABLE` where the object does not say."""
    from cicd_agents.domain.delivery_traffic import TrafficKind, TrafficTarget

    place, _, sides = text.partition("=")
    name, _, route = place.partition("#")
    canary, _, stable = sides.partition(",")
    return TrafficTarget(TrafficKind(kind), ObjectName.of(name, "a split of traffic"), route, canary.strip() or "canary", stable.strip() or "stable")

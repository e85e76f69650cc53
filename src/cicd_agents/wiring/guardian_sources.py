"""The services that the guardian asks and acts by, built as the settings say, each when it is needed and closed at the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cicd_agents.clients.clock import Budget
from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.errors import Refused, UsageError
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.guardian_cluster import PODS, InCluster, not_seen, of_canary, of_workload, rollout_not_seen, wait_until_seen
from cicd_agents.wiring.guardian_ways import Ways

if TYPE_CHECKING:
    from cicd_agents.clients.http import Retry
    from cicd_agents.clients.metrics.prometheus_check import CheckedStore
    from cicd_agents.domain.cluster import Cluster
    from cicd_agents.domain.dashboards import Dashboards
    from cicd_agents.domain.delivery_workload import Pods
    from cicd_agents.domain.log_counts import LogCounts
    from cicd_agents.operations.delivery_way import DeliveryWay
    from cicd_agents.wiring.world import World


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

            self._check_address("prometheus-url", given.prometheus_url)
            tls = tls_of(given.prometheus_ca, given.prometheus_cert, given.prometheus_key)
            files = [name for name in ("prometheus_ca", "prometheus_cert", "prometheus_key") if getattr(given, name)]
            if files and given.prometheus_url.lower().startswith("http://"):
                raise UsageError(f"{files[0].replace('_', '-')} is of no use without TLS: begin prometheus-url with https://, or leave it out.")
            store = PrometheusStore(
                given.prometheus_url, self.world.clock, self.budget, tls=tls,
                access=Access(given.prometheus_token, given.prometheus_user, given.prometheus_password, given.prometheus_tenant),
                allow_http=given.allow_http, note=self.note,
            )  # fmt: skip
            self.stack.callback(store.close)
            return store
        if given.grafana_url:
            from cicd_agents.clients.metrics.grafana import GrafanaStore

            self._check_address("grafana-url", given.grafana_url)
            proxied = GrafanaStore(
                given.grafana_url, given.grafana_token, self.world.clock, self.budget, source=given.grafana_datasource, allow_http=given.allow_http,
                note=self.note,
            )  # fmt: skip
            self.stack.callback(proxied.close)
            return proxied
        raise UsageError("Nothing says where the metrics are: set prometheus-url (or grafana-url), or give numbers by metrics-table or metrics-samples.")

    def dashboards(self) -> Dashboards | None:
        """Grafana, where there is one."""
        if not self.settings.grafana_url:
            return None
        from cicd_agents.clients.metrics.grafana_dashboards import GrafanaDashboards

        given = self.settings
        found = GrafanaDashboards(given.grafana_url, given.grafana_token, self.world.clock, self.budget, allow_http=given.allow_http, note=self.note)
        self.stack.callback(found.close)
        return found

    def logs(self) -> LogCounts | None:
        """Loki, where the logs of both versions are named."""
        given = self.settings
        if not given.canary_logs and not given.baseline_logs:
            return None
        if not given.loki_url:
            raise UsageError("canary-logs and baseline-logs need loki-url.")
        if not (given.canary_logs and given.baseline_logs):
            raise UsageError(f"{'baseline' if given.canary_logs else 'canary'}-logs is empty: the logs of both versions are compared, so name both.")
        self._check_address("loki-url", given.loki_url)
        from cicd_agents.clients.loki_counts import LokiCounts

        loki = LokiCounts(
            given.loki_url, given.loki_token, self.world.clock, self.budget, org_id=given.loki_tenant, allow_http=given.allow_http, note=self.note
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
            client = Kubernetes(way, self.world.clock, self.budget, allow_http=given.allow_http, note=self.note)
            self.stack.callback(client.close)
            self._cluster = client
        return self._cluster

    def pods(self) -> Pods:
        """The cluster's pods."""
        from cicd_agents.clients.delivery.kubernetes_pods import KubernetesPods

        return KubernetesPods(self.cluster())

    @property
    def target_of_pods(self) -> str:
        """The target whose pods are judged: a Canary of Flagger before its workload, since it alone knows the primary; empty: the settings name none."""
        targets = [target for target in (self.settings.workload, self.settings.delivery) if target]
        canaries = [target for target in targets if target.partition(":")[0] == "canary"]
        return next((target for target in (*canaries, *targets) if target.partition(":")[0] in ("canary", *PODS)), "")

    def in_cluster(self) -> InCluster:
        """What the cluster tells of that target. Raises UsageError where it cannot be one, and ServiceError."""
        from cicd_agents.domain.delivery_workload import Workload

        target = self.target_of_pods
        kind, _, name = target.partition(":")
        if kind == "canary":
            from cicd_agents.clients.delivery.flagger import FlaggerCanaries

            return of_canary(FlaggerCanaries(self.cluster()), self.pods(), name, self.world.clock)
        if kind == "rollout":
            from cicd_agents.clients.delivery.argo_rollouts import ArgoRollouts

            rollouts, place = ArgoRollouts(self.cluster()), ObjectName.of(name, "a Rollout")
            wait_until_seen(lambda: rollout_not_seen(rollouts.state(place)), self.world.clock)
        else:
            from cicd_agents.clients.delivery.kubernetes_workloads import KubernetesWorkloads

            workloads, workload = KubernetesWorkloads(self.cluster()), Workload.of(target)
            wait_until_seen(lambda: not_seen(workloads.state(workload)), self.world.clock)
        return of_workload(self.pods(), target)

    def share(self) -> Callable[[], float | None] | None:
        """What tells the canary's part of the traffic; None: nothing does."""
        return Ways(self).share()

    def way(self) -> DeliveryWay | None:
        """By what to act; None where the settings name nothing."""
        return Ways(self).way()

    def _check_address(self, setting: str, url: str) -> None:
        """Raises UsageError for an address that cannot be one, or is never called: looking again would not change that."""
        from cicd_agents.clients.http_addresses import AddressRules, parsed

        try:
            AddressRules(setting, self.settings.allow_http).check(parsed(url, setting))
        except Refused as problem:
            raise UsageError(str(problem)) from None

    def note(self, retry: Retry) -> None:
        """Tell of a call that is made again."""
        self.world.say(str(retry))

"""Traffic weights through the API of a cluster: routes of Istio's VirtualServices and canary Ingresses of ingress-nginx."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cicd_agents.clients.delivery import traffic_istio as istio
from cicd_agents.clients.delivery import traffic_nginx as nginx
from cicd_agents.clients.delivery.cluster_objects import missing_rights, object_path, read
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.cluster import Cluster, PatchForm
from cicd_agents.domain.delivery_traffic import TrafficKind, TrafficSplit, TrafficTarget
from cicd_agents.domain.errors import NotFound, Rejected


@dataclass(frozen=True, slots=True)
class _Api:
    """How a kind is served and read: group, versions from the newest, plural, its name, what it says, and the patch that sets a whole weight."""

    group: str
    versions: tuple[str, ...]
    plural: str
    title: str
    split: Callable[[TrafficTarget, Shape], TrafficSplit]
    patch: Callable[[TrafficTarget, Shape, int], tuple[Any, PatchForm]]


_APIS: Mapping[TrafficKind, _Api] = {
    TrafficKind.ISTIO: _Api(
        "networking.istio.io", ("v1", "v1beta1", "v1alpha3"), "virtualservices", "Istio: the VirtualService", istio.split, istio.patch
    ),
    TrafficKind.NGINX: _Api("networking.k8s.io", ("v1",), "ingresses", "NGINX: the canary Ingress", nginx.split, nginx.patch),
}  # fmt: skip


class TrafficSplits:
    """The splits of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def split(self, target: TrafficTarget) -> TrafficSplit:
        """How the traffic is split. Raises UsageError where there is no such object, Refused for one that is split in another way."""
        _, data = self._read(target)
        return _APIS[target.kind].split(target, data)

    def missing_rights(self, target: TrafficTarget) -> tuple[str, ...]:
        """Which rights the credential has not."""
        api = _APIS[target.kind]
        return missing_rights(self._cluster, target.name, [("patch", api.group, api.plural)])

    def set_share(self, target: TrafficTarget, share: float) -> bool:
        """Give the canary this part, to the nearest whole weight; False where it has it."""
        if not 0 <= share <= 1:
            raise ValueError("a share is between 0 and 1")
        api = _APIS[target.kind]
        path, data = self._read(target)
        split = api.split(target, data)
        weight = round(share * split.total)
        if split.weight == weight:
            return False
        body, form = api.patch(target, data, weight)
        try:
            self._cluster.patch(path, body, form)
        except Rejected:
            # Sent twice after a broken connection, the patch's test fails the second time.
            if api.split(target, self._read(target)[1]).weight != weight:
                raise
        return True

    def _read(self, target: TrafficTarget) -> tuple[str, Shape]:
        """The object and its path, in the newest version that the cluster serves."""
        api = _APIS[target.kind]
        where = f"{api.title} {target.name.shown}"
        paths = [object_path(f"{api.group}/{version}", api.plural, target.name) for version in api.versions]
        for path in paths[:-1]:
            try:
                return path, Shape.of(self._cluster.read(path), where)
            except NotFound:
                continue
        return paths[-1], read(self._cluster, paths[-1], where, f"{where} is not there: check the target `{target.shown}`")

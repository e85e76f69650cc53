"""Flagger through the API of its cluster: read, suspend, skip the analysis. Flagger has no field that aborts (Canary CRD)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cicd_agents.clients.delivery import flagger_shapes as shapes
from cicd_agents.clients.delivery.cluster_objects import APPS, list_path, missing_rights, object_path, owned, read
from cicd_agents.clients.delivery.kubernetes_shapes import matching
from cicd_agents.clients.delivery.object_shapes import annotation, metadata
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.cluster import Cluster, PatchForm
from cicd_agents.domain.delivery_flagger import FlaggerState
from cicd_agents.domain.delivery_objects import SUSPENDED_BY_US, ObjectName
from cicd_agents.domain.errors import NotFound

GROUP, API = "flagger.app", "flagger.app/v1beta1"
_PLURALS = {"Deployment": "deployments", "DaemonSet": "daemonsets"}


@dataclass(frozen=True, slots=True)
class _Switch:
    """A field of the spec that we set, and the annotation that says so."""

    field: str
    mark: str


_SUSPEND = _Switch("suspend", SUSPENDED_BY_US)
_SKIP = _Switch("skipAnalysis", shapes.SKIPPED_BY_US)


class FlaggerCanaries:
    """The Canaries of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def state(self, name: ObjectName) -> FlaggerState:
        """How a Canary stands, with its target and primary. Raises UsageError where there is none."""
        data = self._read(name)
        kind, target = shapes.target_of(data)
        plural = _PLURALS.get(kind)
        if plural is None:
            return shapes.state(name, data, None, None, ())
        workload = self._workload(plural, ObjectName(name.namespace, target))
        primary = self._workload(plural, ObjectName(name.namespace, f"{target}{shapes.PRIMARY}"))
        made = self._replica_sets(name, workload) if workload and kind == "Deployment" else ()
        return shapes.state(name, data, workload, primary, made)

    def missing_rights(self, name: ObjectName) -> tuple[str, ...]:
        """Which rights the credential has not."""
        return missing_rights(self._cluster, name, [("patch", GROUP, "canaries")])

    def suspend(self, name: ObjectName, suspend: bool) -> bool:
        """Suspend it with our mark, or resume what bears that; False where it is so."""
        return self._set(name, _SUSPEND, suspend)

    def skip_analysis(self, name: ObjectName, skip: bool) -> bool:
        """Skip analyses with our mark, or end what bears that; False where it is so."""
        return self._set(name, _SKIP, skip)

    def _set(self, name: ObjectName, switch: _Switch, on: bool) -> bool:
        data = self._read(name)
        is_on, ours = data.inner("spec").flag(switch.field), annotation(data, switch.mark) is not None
        if (on and is_on) or (not on and not ours):
            return False
        body: Mapping[str, Any] = {"metadata": {"annotations": {switch.mark: "true" if on else None}}, "spec": {switch.field: on}}
        self._cluster.patch(object_path(API, "canaries", name), body, PatchForm.MERGE)
        return True

    def _read(self, name: ObjectName) -> Shape:
        missing = f"There is no Canary {name.shown}, or Flagger is not installed: check the target `canary:{name.shown}`"
        return read(self._cluster, object_path(API, "canaries", name), f"Flagger: {name.shown}", missing)

    def _workload(self, plural: str, name: ObjectName) -> Shape | None:
        """The target or its primary; None where it is not there yet."""
        try:
            return Shape.of(self._cluster.read(object_path(APPS, plural, name)), f"Kubernetes: {plural} {name.shown}")
        except NotFound:
            return None

    def _replica_sets(self, name: ObjectName, workload: Shape) -> tuple[Shape, ...]:
        """The ReplicaSets of the target."""
        path = list_path(APPS, "replicasets", name.namespace)
        return owned(self._cluster, path, (metadata(workload).text("uid"),), matching(workload.inner("spec")))

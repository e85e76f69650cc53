"""Deployments, StatefulSets and DaemonSets by the port `Cluster` (port `Workloads`): how they stand, and their roll-back as `kubectl rollout undo` does it.

Sources: Kubernetes docs, "Deployments" (roll-out status, rolling back, pausing), "StatefulSets" (partition, OnDelete, forced rollback), "Perform a Rollback on
a DaemonSet"; API reference apps/v1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cicd_agents.clients.delivery import kubernetes_shapes as shapes
from cicd_agents.clients.delivery.cluster_objects import APPS, core_path, list_path, object_path, owned, read
from cicd_agents.clients.delivery.kubernetes_revisions import Found, kept_template, revisions
from cicd_agents.clients.delivery.kubernetes_undo import undo_patch
from cicd_agents.clients.delivery.object_shapes import annotation, annotations_of, condition, holds, metadata
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.cluster import Cluster, PatchForm
from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.delivery_workload import HEALTHY, PAUSED, Workload, WorkloadKind, WorkloadRevision, WorkloadState, owned_by
from cicd_agents.domain.errors import Rejected

PLURALS = {WorkloadKind.DEPLOYMENT: "deployments", WorkloadKind.STATEFUL_SET: "statefulsets", WorkloadKind.DAEMON_SET: "daemonsets"}


def revision_plural(kind: WorkloadKind) -> str:
    """What keeps the earlier templates of a kind."""
    return "replicasets" if kind is WorkloadKind.DEPLOYMENT else "controllerrevisions"


class KubernetesWorkloads:
    """The workloads of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def state(self, workload: Workload) -> WorkloadState:
        """How it stands now. Raises UsageError where it is not there, and ServiceError."""
        found = self._found(workload)
        spec, meta = found.workload.inner("spec"), metadata(found.workload)
        wanted, updated, available = _counts(found, spec)
        complete = found.observed and _complete(found, spec, wanted, updated, available)
        history, current = revisions(found, wanted, complete)
        owner, reconciled = owned_by(meta.data)
        paused = spec.flag("paused")
        return WorkloadState(
            workload, meta.text("uid"), meta.number("generation"), history, current, wanted, updated, available, found.observed, complete, _failed(found),
            paused, (annotation(found.workload, PAUSED) or "")[:40] if paused else "", meta.optional_text("deletionTimestamp") is not None,
            _limit(found, spec, complete), owner, reconciled, self._may_patch(workload),
        )  # fmt: skip

    def undo(self, state: WorkloadState, revision: WorkloadRevision, time: str) -> None:
        """Bring back the template of a revision. Raises Rejected where the workload was changed since `state` was read, or the revision is gone."""
        workload = state.workload
        data = self._read(workload)
        if (metadata(data).text("uid"), metadata(data).number("generation")) != (state.uid, state.generation):
            raise Rejected(f"{workload.target} was changed by somebody else just now; nothing is written. Look again.")
        path = _revision_path(workload, revision)
        kept = read(self._cluster, path, "Kubernetes: the revision", f"The revision {revision.id} of {workload.target} is gone")
        steps = undo_patch(state, data, kept_template(kept, workload.kind), annotations_of(kept).data, time)
        self._cluster.patch(_path(workload), steps, PatchForm.JSON)

    def pause(self, workload: Workload, time: str) -> None:
        """Stop the rolling update of a Deployment where it is, with our mark."""
        self._merge(_path(workload), {"metadata": {"annotations": {PAUSED: time}}, "spec": {"paused": True}})

    def unpause(self, workload: Workload) -> None:
        """Let it go on, without our mark."""
        self._merge(_path(workload), {"metadata": {"annotations": {PAUSED: None}}, "spec": {"paused": False}})

    def mark_healthy(self, workload: Workload, revision: WorkloadRevision, time: str) -> None:
        """Note on the ReplicaSet or ControllerRevision that it was fully available then."""
        self._merge(_revision_path(workload, revision), {"metadata": {"annotations": {HEALTHY: f"{revision.hash}@{time}"}}})

    def _merge(self, path: str, body: Mapping[str, Any]) -> None:
        self._cluster.patch(path, body, PatchForm.MERGE)

    def _read(self, workload: Workload) -> Shape:
        return read(self._cluster, _path(workload), "Kubernetes: the workload", f"There is no {workload.target}")

    def _found(self, workload: Workload) -> Found:
        data = self._read(workload)
        uid, namespace = metadata(data).text("uid"), workload.name.namespace
        matching = {"labelSelector": shapes.selector(data.inner("spec"))}
        kept = owned(self._cluster, list_path(APPS, revision_plural(workload.kind), namespace), (uid,), matching)
        of_sets = workload.kind is not WorkloadKind.DEPLOYMENT
        return Found(workload.kind, data, kept, owned(self._cluster, core_path("pods", namespace), (uid,), matching) if of_sets else ())

    def _may_patch(self, workload: Workload) -> bool | None:
        return self._cluster.allowed("patch", "apps", PLURALS[workload.kind], workload.name.namespace, workload.name.name)


def _path(workload: Workload) -> str:
    return object_path(APPS, PLURALS[workload.kind], workload.name)


def _revision_path(workload: Workload, revision: WorkloadRevision) -> str:
    return object_path(APPS, revision_plural(workload.kind), ObjectName(workload.name.namespace, revision.id))


def _counts(found: Found, spec: Shape) -> tuple[int, int, int]:
    """How many pods are wanted, are of the newest revision, and are available."""
    status = found.status
    if found.kind is WorkloadKind.DAEMON_SET:
        return status.number("desiredNumberScheduled", 0), status.number("updatedNumberScheduled", 0), status.number("numberAvailable", 0)
    available = status.number("availableReplicas", 0 if found.kind is WorkloadKind.DEPLOYMENT else status.number("readyReplicas", 0))
    return spec.number("replicas", 1), status.number("updatedReplicas", 0), available


def _complete(found: Found, spec: Shape, wanted: int, updated: int, available: int) -> bool:
    """As `kubectl rollout status` sees it: all wanted pods are updated, no old one is left, all are available."""
    if found.kind is WorkloadKind.DEPLOYMENT:
        return updated >= wanted and found.status.number("replicas", 0) <= updated and available >= updated
    return updated >= wanted - _partition(spec) and available >= wanted


def _failed(found: Found) -> str:
    """Why a Deployment's controller has given up; sets never do."""
    if not found.observed:
        return ""  # it speaks of what was before
    progress, refused = condition(found.status, "Progressing"), condition(found.status, "ReplicaFailure")
    if progress is not None and progress.text("reason", "") == "ProgressDeadlineExceeded":
        return f"ProgressDeadlineExceeded: {progress.text('message', '')}"[:300]
    if refused is not None and holds(refused):
        return f"its pods cannot be made: {refused.text('message', '')}"[:300]
    return ""


def _partition(spec: Shape) -> int:
    strategy = spec.maybe("updateStrategy")
    rolling = strategy.maybe("rollingUpdate") if strategy else None
    return rolling.number("partition", 0) if rolling else 0


def _limit(found: Found, spec: Shape, complete: bool) -> str:
    """What a changed template does not reach."""
    strategy = spec.maybe("updateStrategy")
    if strategy and strategy.text("type", "") == "OnDelete":
        return "Its update strategy is OnDelete: a pod takes another template only when somebody deletes it."
    if found.kind is WorkloadKind.STATEFUL_SET:
        if kept := _partition(spec):
            return f"Its partition is {kept}: the pods 0 to {kept - 1} keep their revision whatever the template says."
        if not complete and spec.text("podManagementPolicy", "OrderedReady") == "OrderedReady":
            return "A StatefulSet waits for a pod that is not ready even after its template was set back: delete that pod if it stays."
    return ""

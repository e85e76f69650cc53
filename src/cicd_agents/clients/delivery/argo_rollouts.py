"""Argo Rollouts through the API of its cluster: read, abort, undo, promote, hold.

The patches are those of its kubectl plugin: merge patches, of the status first and, where there is no such subresource (before 0.10), of the object; undo is a
JSON patch of the template.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cicd_agents.clients.delivery import argo_rollouts_shapes as shapes
from cicd_agents.clients.delivery.cluster_objects import APPS, list_path, missing_rights, object_path, owned, read
from cicd_agents.clients.delivery.kubernetes_shapes import matching
from cicd_agents.clients.delivery.object_shapes import metadata, whole
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.cluster import Cluster, PatchForm
from cicd_agents.domain.delivery_objects import SUSPENDED_BY_US, ObjectName
from cicd_agents.domain.delivery_rollouts import RolloutPhase, RolloutState, RolloutStrategy
from cicd_agents.domain.errors import NotFound, Refused, Rejected

GROUP, API = "argoproj.io", "argoproj.io/v1alpha1"
# Workloads that can hold the template (Rollout CRD, spec.workloadRef); of these only a Deployment has one that we may write.
_WRITABLE = "Deployment"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A Rollout with what belongs to it. `holder` is the path of what holds the template, `generation` its generation."""

    state: RolloutState
    replica_sets: tuple[Shape, ...]
    holder: str
    generation: int


class ArgoRollouts:
    """The Rollouts of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def state(self, name: ObjectName) -> RolloutState:
        """How a Rollout stands. Raises UsageError where there is none, Refused for one without a strategy."""
        return self._seen(name).state

    def missing_rights(self, state: RolloutState) -> tuple[str, ...]:
        """Which rights the credential has not."""
        found = missing_rights(self._cluster, state.name, [("patch", GROUP, "rollouts"), ("patch", GROUP, "rollouts/status")])
        if state.workload_ref is None or state.workload_ref[0] != _WRITABLE:
            return found
        return (*found, *missing_rights(self._cluster, ObjectName(state.name.namespace, state.workload_ref[1]), [("patch", "apps", "deployments")]))

    def abort(self, name: ObjectName) -> bool:
        """Give the traffic back to the stable version; False where it is aborted."""
        if self._own(name).aborted:
            return False
        self._patch_status(name, {"abort": True})
        return True

    def undo(self, name: ObjectName, template_hash: str) -> bool:
        """Write a revision's template; False where it is written. Raises Refused where there is no such revision, or nothing that we could write to."""
        seen = self._seen(name)
        if seen.state.template_hash == template_hash:
            return False
        source = next((each for each in seen.replica_sets if shapes.hash_of(each) == template_hash), None)
        if source is None:
            raise Refused(f"Argo Rollouts: {name.shown} has no ReplicaSet {template_hash} any more; see `revisionHistoryLimit`.")
        if not seen.holder:
            kind = seen.state.workload_ref[0] if seen.state.workload_ref else "workload"
            raise Refused(f"Argo Rollouts: the template of {name.shown} is in a {kind}, which is not written to; only that of a {_WRITABLE} is.")
        # The generation counts changes of the spec: the patch fails where somebody changed it since we looked.
        patch = [
            {"op": "test", "path": "/metadata/generation", "value": seen.generation},
            {"op": "replace", "path": "/spec/template", "value": shapes.plain_template(source)},
        ]
        try:
            self._cluster.patch(seen.holder, patch, PatchForm.JSON)
        except Rejected:
            # Sent twice after a broken connection, the test fails the second time.
            if self._seen(name).state.template_hash != template_hash:
                raise
        return True

    def promote(self, name: ObjectName, from_step: int | None) -> bool:
        """End the pause, or the step where nothing pauses; False where that is done. Raises Rejected where there is nothing to end, or somebody holds it.

        A pause of ours is ended last: before that the controller takes no step, so that it cannot take one by itself beside the one that is asked for.
        """
        state = self._free(name)
        past = from_step is not None and state.step is not None and state.step > from_step
        if state.running and state.held and (past or state.unpausing):
            return self.hold(name, False)  # a run that was killed here has asked for the step
        if past or not state.running:
            return False
        if state.phase is RolloutPhase.OBSERVING:
            return False
        if state.pauses:
            self._patch_status(name, {"pauseConditions": None})
        elif state.strategy is RolloutStrategy.CANARY and state.steps:
            self._patch_status(name, {"pauseConditions": None, "currentStepIndex": min((state.step or 0) + 1, len(state.steps))})
        elif not state.held:
            raise Rejected(f"Argo Rollouts: nothing pauses {name.shown}, so there is nothing to end; it goes on by itself or can be promoted fully.")
        if state.held:
            self.hold(name, False)
        return True

    def promote_fully(self, name: ObjectName, template_hash: str) -> bool:
        """Skip the remaining steps; False where that is done or asked for. Raises Rejected where another version is on its way, or somebody holds it."""
        state = self._free(name)
        if state.current != template_hash:
            raise Rejected(f"Argo Rollouts: {name.shown} brings in {state.current or 'nothing'}, not {template_hash}, so it is not promoted.")
        if not state.running or (state.promoting_fully and not state.held):
            return False
        self._patch_status(name, {"promoteFull": True})
        if state.held:
            self.hold(name, False)
        return True

    def hold(self, name: ObjectName, hold: bool) -> bool:
        """Pause where it is, marked as ours, or end such a pause; False where it is so."""
        state = self._own(name)
        if state.held == hold or (not hold and not state.held_by_us):
            return False
        self._patch({"metadata": {"annotations": {SUSPENDED_BY_US: "paused" if hold else None}}, "spec": {"paused": hold}}, name)
        return True

    def keep_pods(self, name: ObjectName, keep: bool) -> bool:
        """Let the pods of an aborted version live, with what was set before in an annotation, or put that back; False where it is so.

        Raises Refused where the number of pods alone splits the traffic: then an abort is a rolling update back.
        """
        state = self._own(name)
        if keep and not state.can_keep_pods:
            raise Refused(f"Argo Rollouts: {name.shown} splits its traffic by the number of pods, so an aborted version's pods cannot be kept.")
        if (keep and state.abort_delay == 0) or (not keep and state.kept_delay is None):
            return False
        before = shapes.NOT_SET if state.abort_delay is None else str(state.abort_delay)
        marker, delay = (before, 0) if keep else (None, whole(state.kept_delay))
        rules = "blueGreen" if state.strategy is RolloutStrategy.BLUE_GREEN else "canary"
        self._patch(
            {"metadata": {"annotations": {shapes.KEPT_DELAY: marker}}, "spec": {"strategy": {rules: {"abortScaleDownDelaySeconds": delay}}}}, name
        )  # fmt: skip
        return True

    def _free(self, name: ObjectName) -> RolloutState:
        """What the Rollout alone tells. Raises Rejected where somebody else holds it."""
        state = self._own(name)
        if state.held and not state.held_by_us:
            raise Rejected(f"Argo Rollouts: {name.shown} is held by `spec.paused`, which somebody else set; end that by hand first.")
        return state

    def _own(self, name: ObjectName) -> RolloutState:
        """What the Rollout alone tells, without its revisions."""
        return shapes.state(name, self._read(name), (), None)

    def _seen(self, name: ObjectName) -> _Seen:
        data = self._read(name)
        template, holder, generation = self._template(name, data)
        replica_sets = self._replica_sets(name, data)
        return _Seen(shapes.state(name, data, replica_sets, template), replica_sets, holder, generation)

    def _read(self, name: ObjectName) -> Shape:
        missing = f"There is no Rollout {name.shown}, or Argo Rollouts is not installed: check the target `rollout:{name.shown}`"
        return read(self._cluster, object_path(API, "rollouts", name), f"Argo Rollouts: {name.shown}", missing)

    def _template(self, name: ObjectName, data: Shape) -> tuple[Mapping[str, Any] | None, str, int]:
        """The template that is wanted now, the path of what holds it and its generation; no path where we may not write to it."""
        spec = data.inner("spec")
        reference = shapes.workload_ref(spec)
        if reference is None:
            return spec.inner("template").data, object_path(API, "rollouts", name), metadata(data).number("generation", 0)
        kind, workload = reference
        if kind != _WRITABLE:
            return None, "", 0
        path = object_path(APPS, "deployments", ObjectName(name.namespace, workload))
        where = f"Kubernetes: the Deployment {name.namespace}/{workload}"
        held = read(self._cluster, path, where, f"{where} is not there, which the Rollout {name.shown} refers to")
        return held.inner("spec").inner("template").data, path, metadata(held).number("generation", 0)

    def _replica_sets(self, name: ObjectName, data: Shape) -> tuple[Shape, ...]:
        """The ReplicaSets that the Rollout controls."""
        return owned(self._cluster, list_path(APPS, "replicasets", name.namespace), (metadata(data).text("uid"),), matching(data.inner("spec")))

    def _patch(self, body: Mapping[str, Any], name: ObjectName, sub: str = "") -> None:
        self._cluster.patch(object_path(API, "rollouts", name, sub), body, PatchForm.MERGE)

    def _patch_status(self, name: ObjectName, status: Mapping[str, Any]) -> None:
        try:
            self._patch({"status": status}, name, "status")
        except NotFound:
            self._patch({"status": status}, name)

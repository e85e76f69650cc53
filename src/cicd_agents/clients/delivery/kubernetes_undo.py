"""The patch that brings a workload back to an earlier template, as `kubectl rollout undo` does, but only where nobody changed the workload meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cicd_agents.clients.delivery import kubernetes_shapes as shapes
from cicd_agents.clients.delivery.object_shapes import annotations_of
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.delivery_workload import HEALTHY, PAUSED, ROLLED_BACK, WorkloadKind, WorkloadState, with_mark

# These stay as the Deployment has them; all others come from the ReplicaSet (kubectl, rollout undo).
_KEPT = (
    "kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision", "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas", "deprecated.deployment.rollback.to",
)  # fmt: skip
# Ours speak of one object; controllers copy them from a workload to its revisions.
_OURS = (HEALTHY, PAUSED, ROLLED_BACK)

Step = dict[str, Any]


def undo_patch(state: WorkloadState, workload: Shape, template: Shape, revision_notes: Mapping[str, Any], time: str) -> list[Step]:
    """The steps of the JSON patch. They begin with tests: another object of the name, or a change of its spec, and the server refuses all of it."""
    tests: list[Step] = [
        {"op": "test", "path": "/metadata/generation", "value": state.generation},
        {"op": "test", "path": "/metadata/uid", "value": state.uid},
    ]
    change: list[Step] = [{"op": "replace", "path": "/spec/template", "value": shapes.template(template.data)}]
    if state.paused_by_us:
        change.append({"op": "replace", "path": "/spec/paused", "value": False})
    notes = annotations_of(workload).data
    mark = {ROLLED_BACK: with_mark(notes, ROLLED_BACK, state.current.hash, time)} if state.current else {}
    if state.workload.kind is WorkloadKind.DEPLOYMENT:
        kept = {key: value for key, value in notes.items() if key in _KEPT or key == ROLLED_BACK}
        brought = {key: value for key, value in revision_notes.items() if key not in _KEPT and key not in _OURS}
        change.append({"op": "add", "path": "/metadata/annotations", "value": {**kept, **brought, **mark}})
    elif mark:
        # Changes of annotations alone are no new generation of a set, so only our own key is written.
        at = ("/metadata/annotations/" + ROLLED_BACK.replace("/", "~1"), mark[ROLLED_BACK]) if notes else ("/metadata/annotations", mark)
        change.append({"op": "add", "path": at[0], "value": at[1]})
    return [*tests, *change]

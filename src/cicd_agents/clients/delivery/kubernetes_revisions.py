"""The revisions of a workload: which there are, which one is asked for, and whether each was ever fully available, as far as anything tells.

Sources: Kubernetes docs, "Deployments" (ReplicaSets with the annotation `deployment.kubernetes.io/revision`, condition Progressing), reference
"ControllerRevision" (apps/v1), and StatefulSet status (`currentRevision` follows `updateRevision` when all pods are updated and ready).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cicd_agents.clients.delivery import kubernetes_shapes as shapes
from cicd_agents.clients.delivery.object_shapes import annotation, annotations_of, condition, holds, images, label, metadata, status_of, whole
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.delivery_workload import HEALTHY, ROLLED_BACK, WorkloadKind, WorkloadRevision, marked

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
POD_REVISION = "controller-revision-hash"
NOT_TOLD = "the cluster does not keep whether it was ever fully available"


@dataclass(frozen=True, slots=True)
class Found:
    """What a cluster gave: the workload, its ReplicaSets or ControllerRevisions, and, of sets, its pods."""

    kind: WorkloadKind
    workload: Shape
    revisions: tuple[Shape, ...]
    pods: tuple[Shape, ...] = ()

    @property
    def status(self) -> Shape:
        """The status of the workload."""
        return status_of(self.workload)

    @property
    def observed(self) -> bool:
        """Whether its controller has seen the newest change."""
        return self.status.number("observedGeneration", 0) >= metadata(self.workload).number("generation", 0)


def revisions(found: Found, wanted: int, complete: bool) -> tuple[tuple[WorkloadRevision, ...], WorkloadRevision | None]:
    """The revisions from the newest number down, and the one that the template asks for, None where its controller has not made it yet."""
    plain = _replica_sets(found) if found.kind is WorkloadKind.DEPLOYMENT else _controller_revisions(found)
    current = _current_id(found, plain)
    judged = sorted((_judged(found, each, each.id == current, wanted, complete) for each in plain), key=lambda each: each.number, reverse=True)
    return tuple(judged), next((each for each in judged if each.id == current), None)


def _replica_sets(found: Found) -> list[WorkloadRevision]:
    made: list[WorkloadRevision] = []
    for data in found.revisions:
        meta, status = metadata(data), status_of(data)
        pods = data.inner("spec").inner("template").maybe("spec")
        made.append(WorkloadRevision(
            meta.text("name"), whole(annotation(data, REVISION)) or 0, label(data, shapes.TEMPLATE_HASH), images(pods),
            meta.time("creationTimestamp"), status.number("replicas", 0), status.number("availableReplicas", 0),
            earlier_numbers=(annotation(data, REVISION_HISTORY) or "")[:100],
        ))  # fmt: skip
    return made


def _controller_revisions(found: Found) -> list[WorkloadRevision]:
    counts, ready = _by_revision(found.pods)
    made: list[WorkloadRevision] = []
    for data in found.revisions:
        meta = metadata(data)
        # Pods of a StatefulSet carry the name of their revision, those of a DaemonSet its hash.
        version = meta.text("name") if found.kind is WorkloadKind.STATEFUL_SET else label(data, POD_REVISION)
        pods = kept_template(data, found.kind).maybe("spec")
        number = data.number("revision", 0)
        made.append(WorkloadRevision(meta.text("name"), number, version, images(pods), meta.time("creationTimestamp"), counts[version], ready[version]))
    return made


def kept_template(revision: Shape, kind: WorkloadKind) -> Shape:
    """The pod template that a ReplicaSet or ControllerRevision keeps."""
    holder = revision if kind is WorkloadKind.DEPLOYMENT else revision.inner("data")
    return holder.inner("spec").inner("template")


def _by_revision(pods: Iterable[Shape]) -> tuple[Counter[str], Counter[str]]:
    counts: Counter[str] = Counter()
    ready: Counter[str] = Counter()
    for pod in pods:
        version = label(pod, POD_REVISION)
        counts[version] += 1
        ready[version] += holds(condition(pod.maybe("status"), "Ready"))
    return counts, ready


def _current_id(found: Found, made: Sequence[WorkloadRevision]) -> str:
    """The revision that the template asks for. A controller uses the oldest ReplicaSet with the template; of sets, it names the revision once it has looked."""
    if found.kind is not WorkloadKind.DEPLOYMENT and found.observed and made:
        newest = max(made, key=lambda each: each.number).id
        return found.status.text("updateRevision", "") if found.kind is WorkloadKind.STATEFUL_SET else newest
    wanted = found.workload.inner("spec").inner("template").data
    equal = [data for data in found.revisions if shapes.same_template(kept_template(data, found.kind).data, wanted)]
    times = {each.id: each.created or 0.0 for each in made}
    names = sorted((metadata(data).text("name") for data in equal), key=lambda name: (times[name], name))
    return names[0] if names else ""


def _judged(found: Found, revision: WorkloadRevision, current: bool, wanted: int, complete: bool) -> WorkloadRevision:
    """The revision with what is known of whether it was ever good, and how."""
    data = next(each for each in found.revisions if metadata(each).text("name") == revision.id)
    marked_good = marked(annotations_of(data).data, HEALTHY).get(revision.hash, "")
    marked_bad = marked(annotations_of(found.workload).data, ROLLED_BACK).get(revision.hash, "")
    if marked_bad >= marked_good and marked_bad:
        return replace(revision, good=False, why=f"it was rolled back at {marked_bad}")
    if marked_good:
        return replace(revision, good=True, why=f"it was marked healthy at {marked_good}")
    if current and complete and wanted:
        return replace(revision, good=True, why="all its pods are available")
    if _completed(found, revision, current):
        return replace(revision, good=True, why="the cluster says that a roll-out to it was completed")
    if not current and revision.pods and revision.pods == revision.ready:
        return replace(revision, good=True, why=f"its pods that are left ({revision.pods}) are available")
    return replace(revision, why=NOT_TOLD)


def _completed(found: Found, revision: WorkloadRevision, current: bool) -> bool:
    """Whether the workload's own status says that all its pods were of this revision, and available."""
    if found.kind is WorkloadKind.DEPLOYMENT:
        progress = condition(found.status, "Progressing")
        done = progress is not None and progress.text("reason", "") == "NewReplicaSetAvailable"
        return bool(current and found.observed and done and progress and f'"{revision.id}"' in progress.text("message", ""))
    if found.kind is WorkloadKind.STATEFUL_SET:
        # The first revision is called the current one from the start, before any of its pods is ready.
        first = min(each.number("revision", 0) for each in found.revisions)
        return not current and revision.number > first and found.status.text("currentRevision", "") == revision.id
    return False

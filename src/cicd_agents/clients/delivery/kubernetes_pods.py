"""The pods behind a target as evidence (port `Pods`): of which version each is, whether it answers, restarts, waits or ran out of memory.

Sources: Kubernetes API reference, core/v1 (PodStatus, ContainerStatus) and apps/v1; docs, "Pod Lifecycle".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cicd_agents.clients.delivery import kubernetes_shapes as shapes
from cicd_agents.clients.delivery.cluster_objects import APPS, core_path, list_path, object_path, owned, read
from cicd_agents.clients.delivery.kubernetes_revisions import POD_REVISION, REVISION
from cicd_agents.clients.delivery.object_shapes import annotation, condition, holds, images, label, metadata, owner_ids, status_of, whole
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.cluster import Cluster
from cicd_agents.domain.delivery_objects import ObjectName, escaped
from cicd_agents.domain.delivery_workload import PodsVersion, PodsVersions
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import PodState

# A part of every start, no trouble.
_STARTING = frozenset({"ContainerCreating", "PodInitializing"})
_ENDED = frozenset({"Succeeded", "Failed"})
# Kubernetes cuts a generated name before its five random signs (apiserver, names.SimpleNameGenerator).
_LONGEST_BASE = 58


@dataclass(frozen=True, slots=True)
class PodOwner:
    """A kind of object that has pods. `label` is what tells the versions of its pods apart.

    `revision` is the annotation with the number of a ReplicaSet; empty: there are no ReplicaSets between, and the pods are its own.
    """

    word: str
    api: str
    plural: str
    label: str
    revision: str = ""


OWNERS = (
    PodOwner("deployment", APPS, "deployments", shapes.TEMPLATE_HASH, REVISION),
    PodOwner("statefulset", APPS, "statefulsets", POD_REVISION),
    PodOwner("daemonset", APPS, "daemonsets", POD_REVISION),
    PodOwner("rollout", "argoproj.io/v1alpha1", "rollouts", "rollouts-pod-template-hash", "rollout.argoproj.io/revision"),
)


@dataclass(frozen=True, slots=True)
class _Seen:
    owner: PodOwner
    name: ObjectName
    data: Shape
    sets: tuple[Shape, ...]
    pods: tuple[Shape, ...]


class KubernetesPods:
    """Pods of the targets of one cluster. `owners` are the kinds that a target may have."""

    def __init__(self, cluster: Cluster, owners: Iterable[PodOwner] = OWNERS) -> None:
        self._cluster = cluster
        self._owners = {owner.word: owner for owner in owners}

    def pods(self, target: str) -> tuple[PodState, ...]:
        """Its pods that are not ended and not ending, by name. Raises UsageError for a target that is none or is not there, and ServiceError."""
        seen = self._seen(target)
        return tuple(sorted((pod_state(pod, seen.owner.label) for pod in seen.pods), key=lambda pod: pod.name))

    def versions(self, target: str) -> PodsVersions:
        """Which versions have pods now, or are asked for, and how their pods are named."""
        seen = self._seen(target)
        found = _of_sets(seen) if seen.owner.revision else _of_pods(seen)
        new = next((each for each in found if each.current), None)
        return PodsVersions(seen.name.namespace, new, tuple(each for each in found if not each.current and each.names))

    def _seen(self, target: str) -> _Seen:
        word, _, text = target.partition(":")
        owner = self._owners.get(word)
        if owner is None:
            raise UsageError(f"{target[:60]!r} has no pods to look at: write one of {', '.join(f'{each}:NAMESPACE/NAME' for each in self._owners)}.")
        name = ObjectName.of(text, f"a {word}")
        data = read(self._cluster, object_path(owner.api, owner.plural, name), f"Kubernetes: the {word}", f"There is no {target}")
        holder = self._holder(owner, name, data)
        matching = {"labelSelector": shapes.selector(holder.inner("spec"))}
        owners = {metadata(data).text("uid")}
        sets: tuple[Shape, ...] = ()
        if owner.revision:
            sets = owned(self._cluster, list_path(APPS, "replicasets", name.namespace), owners, matching)
            owners = {metadata(each).text("uid") for each in sets}
        found = owned(self._cluster, core_path("pods", name.namespace), owners, matching)
        return _Seen(owner, name, data, sets, tuple(pod for pod in found if _lives(pod)))

    def _holder(self, owner: PodOwner, name: ObjectName, data: Shape) -> Shape:
        """What has the selector: the object itself, or the Deployment that a Rollout refers to without a selector of its own."""
        spec = data.inner("spec")
        reference = spec.maybe("workloadRef")
        if spec.maybe("selector") or reference is None:
            return data
        other = ObjectName(name.namespace, reference.text("name"))
        return read(self._cluster, object_path(APPS, "deployments", other), f"Kubernetes: the {owner.word}", f"There is no deployment:{other.shown}")


def pod_state(data: Shape, version_label: str) -> PodState:
    """A pod as evidence; the label is what names its version."""
    status, spec = status_of(data), data.inner("spec")
    running = _containers(spec, status)
    ready = condition(status, "Ready")
    waiting = [reason for each in running if (reason := _waiting(each)) and reason not in _STARTING]
    return PodState(
        metadata(data).text("name"), label(data, version_label), images(spec), status.time("startTime"), holds(ready),
        sum(each.number("restartCount", 0) for each in running), sum(_out_of_memory(each) for each in running), waiting[0] if waiting else "",
        _limit(spec, "memory"), _limit(spec, "cpu"), ready.time("lastTransitionTime") if ready is not None and holds(ready) else None,
    )  # fmt: skip


def _lives(pod: Shape) -> bool:
    """As controllers see it: neither ended nor being deleted."""
    return metadata(pod).optional_text("deletionTimestamp") is None and status_of(pod).text("phase", "") not in _ENDED


def _containers(spec: Shape, status: Shape) -> list[Shape]:
    """The states of the containers, and of sidecars, which are init containers that stay. An init container that is stuck holds all others up."""
    sidecars = {each.text("name", "") for each in spec.items("initContainers", missing_ok=True) if each.text("restartPolicy", "") == "Always"}
    first = status.items("initContainerStatuses", missing_ok=True)
    kept = [each for each in first if each.text("name", "") in sidecars or _waiting(each) or each.number("restartCount", 0)]
    return [*kept, *status.items("containerStatuses", missing_ok=True)]


def _waiting(container: Shape) -> str:
    state = container.maybe("state")
    waits = state.maybe("waiting") if state else None
    return waits.text("reason", "") if waits else ""


def _out_of_memory(container: Shape) -> bool:
    """Whether its last end, or the one that it stands at now, was by memory."""
    ends = (holder.maybe("terminated") for key in ("state", "lastState") if (holder := container.maybe(key)))
    return any(end is not None and end.text("reason", "") == "OOMKilled" for end in ends)


def _limit(spec: Shape, resource: str) -> float | None:
    """The limit of the whole pod, where it has one, else of all its containers together; None where one has none."""
    limits = [_limit_of(each, resource) for each in spec.items("containers", missing_ok=True)]
    whole = _limit_of(spec, resource)
    if whole is not None:
        return whole
    return sum(each for each in limits if each is not None) if limits and None not in limits else None


def _limit_of(holder: Shape, resource: str) -> float | None:
    resources = holder.maybe("resources")
    limits = resources.maybe("limits") if resources else None
    return shapes.quantity(limits.data.get(resource)) if limits else None


def _of_sets(seen: _Seen) -> list[PodsVersion]:
    """One version for each ReplicaSet, the newest first; the newest number is what the template asks for."""

    def number(data: Shape) -> int:
        return whole(annotation(data, seen.owner.revision)) or 0

    made = []
    for place, each in enumerate(sorted(seen.sets, key=number, reverse=True)):
        uid, name = metadata(each).text("uid"), metadata(each).text("name")
        names = tuple(sorted(metadata(pod).text("name") for pod in seen.pods if uid in owner_ids(pod)))
        pictures = images(each.inner("spec").inner("template").maybe("spec"))
        pattern = f"{escaped(f'{name}-'[:_LONGEST_BASE])}[a-z0-9]{{5}}"
        made.append(PodsVersion(label(each, seen.owner.label), pattern, pictures, names, lasting=True, current=place == 0))
    return made


def _of_pods(seen: _Seen) -> list[PodsVersion]:
    """One version for each revision that pods are of. Their names do not tell it, so the pattern lists them."""
    by_version: dict[str, list[Shape]] = {}
    for pod in seen.pods:
        by_version.setdefault(label(pod, seen.owner.label), []).append(pod)
    update = status_of(seen.data).text("updateRevision", "")
    newest = update or max(by_version, key=lambda version: max(_started(pod) for pod in by_version[version]), default="")
    made = []
    for version, pods in by_version.items():
        names = tuple(sorted(metadata(pod).text("name") for pod in pods))
        pattern = "|".join(map(escaped, names))
        made.append(PodsVersion(version, pattern, images(pods[0].inner("spec")), names, lasting=False, current=version == newest))
    return sorted(made, key=lambda each: each.version != newest)


def _started(pod: Shape) -> float:
    return metadata(pod).time("creationTimestamp") or 0.0

"""The words of plain workloads: Deployments, StatefulSets and DaemonSets, their revisions, and what a reader and a writer of them can do.

Kubernetes keeps earlier templates as ReplicaSets (Deployment) or ControllerRevisions (StatefulSet, DaemonSet); it does not keep whether they ever worked.
So two annotations of ours say it: one on a revision that was seen healthy, one on a workload that was brought back from a revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import PodState

# On a ReplicaSet or ControllerRevision, `HASH@TIME`. The hash is in it because controllers copy annotations from one object to another.
HEALTHY = "cicd-agents/healthy-at"
# On the workload, `HASH@TIME` for each revision that was rolled back from, with blanks between, the newest last.
ROLLED_BACK = "cicd-agents/rolled-back"
MOST_MARKS = 10
# On a Deployment that we paused: when.
PAUSED = "cicd-agents/paused"


class WorkloadKind(StrEnum):
    """A kind of workload, as settings name it."""

    DEPLOYMENT = "deployment"
    STATEFUL_SET = "statefulset"
    DAEMON_SET = "daemonset"


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload of a cluster."""

    kind: WorkloadKind
    name: ObjectName

    @staticmethod
    def of(target: str) -> Workload:
        """The workload in a text such as `deployment:prod/api`. Raises UsageError for what cannot be one."""
        kind, _, name = target.partition(":")
        if kind not in tuple(WorkloadKind):
            kinds = ", ".join(f"{each}:NAMESPACE/NAME" for each in WorkloadKind)
            raise UsageError(f"{target[:60]!r} is no workload: write one of {kinds}.")
        return Workload(WorkloadKind(kind), ObjectName.of(name, f"a {kind}"))

    @property
    def target(self) -> str:
        """As settings name it."""
        return f"{self.kind}:{self.name.shown}"


@dataclass(frozen=True, slots=True)
class WorkloadRevision:
    """A template that the workload has or had. `id` is the name of its ReplicaSet or ControllerRevision, `hash` what its pods carry as a label.

    `number` changes when a revision is used again; `id` and `hash` do not. `pods` are those that are not ending, `ready` those that answer.
    `good`: it was fully available once; None where nothing tells. `earlier_numbers`: it was gone back to, and had these numbers before.
    """

    id: str
    number: int
    hash: str
    images: tuple[str, ...]
    created: float | None = None
    pods: int = 0
    ready: int = 0
    good: bool | None = None
    why: str = ""
    earlier_numbers: str = ""


@dataclass(frozen=True, slots=True)
class WorkloadState:
    """How a workload stands. `revisions` go from the newest number down and hold `current`, the revision that its template asks for, None: not made yet.

    `observed`: its controller has seen the newest change; `complete`: all wanted pods are of the current revision and available; `failed`: why it has given up.
    `paused_by_us`: when, empty where somebody else did. `limit` says what a changed template does not reach (partition, OnDelete). `owner` and `reconciled`:
    which tool wrote it, and whether that tool puts things back by itself. `may_patch`: None where the server does not tell.
    """

    workload: Workload
    uid: str
    generation: int
    revisions: tuple[WorkloadRevision, ...]
    current: WorkloadRevision | None
    wanted: int
    updated: int = 0
    available: int = 0
    observed: bool = True
    complete: bool = False
    failed: str = ""
    paused: bool = False
    paused_by_us: str = ""
    deleting: bool = False
    limit: str = ""
    owner: str = ""
    reconciled: bool = False
    may_patch: bool | None = None

    def revision(self, revision_id: str) -> WorkloadRevision | None:
        """The revision of that id, None: it is not kept any more."""
        return next((each for each in self.revisions if each.id == revision_id), None)


class Workloads(Protocol):
    """Reads and changes workloads. Methods raise ServiceError, and UsageError for a workload that is not there."""

    def state(self, workload: Workload) -> WorkloadState:
        """How it stands now."""
        ...

    def undo(self, state: WorkloadState, revision: WorkloadRevision, time: str) -> None:
        """Bring back the template of a revision, and note that it was rolled back at that time (ISO 8601); a pause of ours ends.

        Raises Rejected where the workload was changed since it was looked at.
        """
        ...

    def pause(self, workload: Workload, time: str) -> None:
        """Stop a rolling update of a Deployment where it is, marked with the time (ISO 8601)."""
        ...

    def unpause(self, workload: Workload) -> None:
        """Let it go on, without our mark."""
        ...

    def mark_healthy(self, workload: Workload, revision: WorkloadRevision, time: str) -> None:
        """Note on a revision that it was fully available at a time (ISO 8601)."""
        ...


# Evidence


@dataclass(frozen=True, slots=True)
class PodsVersion:
    """The pods of one version. `pattern` is a regular expression for their names, for a PromQL matcher `pod=~"…"` as it is (anchored by PromQL).

    `lasting`: the pattern also fits pods of this version that are gone; otherwise it lists those that there are now.
    """

    version: str
    pattern: str
    images: tuple[str, ...]
    names: tuple[str, ...]
    lasting: bool
    current: bool


@dataclass(frozen=True, slots=True)
class PodsVersions:
    """The versions that have pods now, or are asked for. `new` is the one that the template asks for, `old` the others, the newest first."""

    namespace: str
    new: PodsVersion | None
    old: tuple[PodsVersion, ...] = ()


class Pods(Protocol):
    """The pods behind a target such as `deployment:prod/api`. Methods raise ServiceError, and UsageError for a target that is none or is not there."""

    def pods(self, target: str) -> tuple[PodState, ...]:
        """Its pods that are not ended and not ending, by name."""
        ...

    def versions(self, target: str) -> PodsVersions:
        """Which of its versions there are, and how their pods are named."""
        ...


def marked(annotations: Mapping[str, Any], key: str) -> dict[str, str]:
    """The marks `HASH@TIME` under a key: the newest time by hash. What has another form is left out."""
    value = annotations.get(key)
    parts = value.split()[-MOST_MARKS:] if isinstance(value, str) else []
    return {name: time for name, sign, time in (part.partition("@") for part in parts) if name and sign and time}


def with_mark(annotations: Mapping[str, Any], key: str, version: str, time: str) -> str:
    """The value under a key with one more mark."""
    kept = {name: at for name, at in marked(annotations, key).items() if name != version}
    others = [f"{name}@{at}" for name, at in kept.items()]
    return " ".join((*others[1 - MOST_MARKS :], f"{version}@{time}"))


# What was made of the owner's marks: (annotation or label, tool, whether it puts things back by itself).
OWNERS = (
    ("annotations", "argocd.argoproj.io/tracking-id", "Argo CD", True),
    ("labels", "argocd.argoproj.io/instance", "Argo CD", True),
    ("labels", "kustomize.toolkit.fluxcd.io/name", "the Flux Kustomization", True),
    ("labels", "helm.toolkit.fluxcd.io/name", "the Flux HelmRelease", True),
    ("annotations", "meta.helm.sh/release-name", "the Helm release", False),
)


def owned_by(metadata: Mapping[str, Any]) -> tuple[str, bool]:
    """Which tool wrote an object, in words, and whether it puts things back by itself; empty where nobody signed.

    Sources: Argo CD docs, user-guide/resource_tracking; Flux docs, components kustomize and helm; Helm docs, chart best practices, labels.
    """
    for place, key, words, reconciles in OWNERS:
        holder = metadata.get(place)
        value = holder.get(key) if isinstance(holder, Mapping) else None
        if isinstance(value, str) and value:
            off = isinstance(metadata.get("annotations"), Mapping) and metadata["annotations"].get("kustomize.toolkit.fluxcd.io/reconcile") == "disabled"
            return f"{words} {value.partition(':')[0]}", reconciles and not (off and "Kustomization" in words)
    return "", False

"""The kinds that the stand-in for Kubernetes serves, and how its API describes them (discovery), which kubectl asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind that the server serves. `status`: it has a status subresource, so that a write to the object itself leaves the status alone."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    status: bool = True

    @property
    def api_version(self) -> str:
        """As objects carry it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """As messages name it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def custom(self) -> bool:
        """Made by a CustomResourceDefinition: its group has a domain that is not Kubernetes' own."""
        return "." in self.group and not self.group.endswith(".k8s.io")


KINDS = (
    Kind("", "v1", "pods", "Pod"),
    Kind("", "v1", "services", "Service"),
    Kind("", "v1", "events", "Event", status=False),
    Kind("", "v1", "configmaps", "ConfigMap", status=False),
    Kind("", "v1", "secrets", "Secret", status=False),
    Kind("", "v1", "namespaces", "Namespace", namespaced=False),
    Kind("apps", "v1", "deployments", "Deployment"),
    Kind("apps", "v1", "replicasets", "ReplicaSet"),
    Kind("apps", "v1", "statefulsets", "StatefulSet"),
    Kind("apps", "v1", "daemonsets", "DaemonSet"),
    Kind("apps", "v1", "controllerrevisions", "ControllerRevision", status=False),
    Kind("networking.k8s.io", "v1", "ingresses", "Ingress"),
)


def described(path: str, kinds: Sequence[Kind]) -> Any:
    """What discovery answers for a path; None for one that is none of its own."""
    groups = sorted({kind.group for kind in kinds} - {""})
    match path.strip("/").split("/"):
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(group, kinds) for group in groups]}
        case ["api", version]:
            return _resources([kind for kind in kinds if (kind.group, kind.version) == ("", version)], version)
        case ["apis", group, version]:
            return _resources([kind for kind in kinds if (kind.group, kind.version) == (group, version)], f"{group}/{version}")
    return None


def _group(group: str, kinds: Sequence[Kind]) -> Any:
    versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in sorted({kind.version for kind in kinds if kind.group == group})]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _resources(kinds: Sequence[Kind], version: str) -> Any:
    if not kinds:
        return None
    verbs = ["create", "delete", "get", "list", "patch"]
    found = [{"name": kind.plural, "singularName": kind.kind.lower(), "namespaced": kind.namespaced, "kind": kind.kind, "verbs": verbs} for kind in kinds]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}

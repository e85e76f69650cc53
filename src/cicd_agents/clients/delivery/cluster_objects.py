"""Objects as a cluster serves them: their paths, how they are read and listed, and what the credential may do to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import quote

from cicd_agents.clients.delivery.object_shapes import owner_ids
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.cluster import Cluster
from cicd_agents.domain.delivery_objects import ObjectName, missing_right
from cicd_agents.domain.errors import NotFound, UsageError

# The API of Deployments, ReplicaSets and the like.
APPS = "apps/v1"


def object_path(api: str, plural: str, name: ObjectName, sub: str = "") -> str:
    """The path of an object; `api` is its group and version."""
    return f"{list_path(api, plural, name.namespace)}/{quote(name.name, safe='')}{f'/{sub}' if sub else ''}"


def list_path(api: str, plural: str, namespace: str = "") -> str:
    """The path of all objects of a kind, in a namespace or in all."""
    within = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"/apis/{api}{within}/{plural}"


def core_path(plural: str, namespace: str) -> str:
    """The path of the objects of a kind of the core group in a namespace."""
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/{plural}"


def read(cluster: Cluster, path: str, where: str, missing: str) -> Shape:
    """An object that somebody named in settings. Raises UsageError, saying `missing`, where it is not there."""
    try:
        return Shape.of(cluster.read(path), where)
    except NotFound as problem:
        raise UsageError(f"{missing} ({problem})") from problem


def owned(cluster: Cluster, path: str, owners: Collection[str], params: Mapping[str, str] | None = None) -> tuple[Shape, ...]:
    """The objects of a list that belong to one of these, by their ids."""
    found = (Shape.of(item, "Kubernetes: an object of the list") for item in cluster.listed(path, params))
    return tuple(each for each in found if any(uid in owners for uid in owner_ids(each)))


def missing_rights(cluster: Cluster, name: ObjectName, needs: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    """What of (verb, group, resource) the credential may not do to the object, in sentences; what a server does not tell is taken for allowed."""

    def denied(verb: str, group: str, resource: str) -> bool:
        return cluster.allowed(verb, group, resource, name.namespace, name.name) is False

    return tuple(missing_right(verb, resource, group, name) for verb, group, resource in needs if denied(verb, group, resource))

"""Objects of the tools of progressive delivery as a cluster serves them: their paths, conditions and markers, and what the credential may do."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.cluster import Cluster
from cicd_agents.domain.delivery_objects import ObjectName, missing_right
from cicd_agents.domain.errors import NotFound, UsageError


def object_path(api: str, plural: str, name: ObjectName, sub: str = "") -> str:
    """The path of an object; `api` is its group and version."""
    return f"{list_path(api, plural, name.namespace)}/{quote(name.name, safe='')}{f'/{sub}' if sub else ''}"


def list_path(api: str, plural: str, namespace: str = "") -> str:
    """The path of all objects of a kind, in a namespace or in all."""
    within = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"/apis/{api}{within}/{plural}"


def read(cluster: Cluster, path: str, where: str, missing: str) -> Shape:
    """An object that somebody named in settings. Raises UsageError, saying `missing`, where it is not there."""
    try:
        return Shape.of(cluster.read(path), where)
    except NotFound as problem:
        raise UsageError(f"{missing} ({problem})") from problem


def condition(status: Shape | None, kind: str) -> Shape | None:
    """A condition by its type."""
    found = status.items("conditions", missing_ok=True) if status else ()
    return next((each for each in found if each.text("type", "") == kind), None)


def annotation(data: Shape, key: str) -> str | None:
    """An annotation of an object, None where it has none of that key."""
    return annotations_of(data).optional_text(key)


def annotations_of(data: Shape) -> Shape:
    """All annotations of an object."""
    return data.inner("metadata").maybe("annotations") or Shape({}, data.where, "metadata.annotations")


def owner(data: Shape, kind: str) -> str:
    """The name of the object of a kind that owns this one, empty where none does."""
    owners = data.inner("metadata").items("ownerReferences", missing_ok=True)
    return next((each.text("name", "") for each in owners if each.text("kind", "") == kind), "")


def owner_ids(data: Shape) -> tuple[str, ...]:
    """The ids of the objects that own this one."""
    return tuple(each.text("uid", "") for each in data.inner("metadata").items("ownerReferences", missing_ok=True))


def missing_rights(cluster: Cluster, name: ObjectName, needs: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    """What of (verb, group, resource) the credential may not do to the object, in sentences; what a server does not tell is taken for allowed."""

    def denied(verb: str, group: str, resource: str) -> bool:
        return cluster.allowed(verb, group, resource, name.namespace, name.name) is False

    return tuple(missing_right(verb, resource, group, name) for verb, group, resource in needs if denied(verb, group, resource))

"""What all objects of a cluster have alike: metadata, labels, annotations, owners, conditions. Every function raises BadAnswer where one has another shape.

Source of the names: Kubernetes API conventions, "Metadata" and "Typical status properties".
"""

from __future__ import annotations

from cicd_agents.clients.shapes import Shape

# As long as a number of 64 bits may be.
_MOST_DIGITS = 18


def metadata(data: Shape) -> Shape:
    """The metadata of an object."""
    return data.inner("metadata")


def status_of(data: Shape) -> Shape:
    """The status of an object; empty where its controller has not written any."""
    return data.maybe("status") or Shape({}, data.where, "status")


def label(data: Shape, key: str) -> str:
    """A label of an object, empty where it has none of that key."""
    labels = metadata(data).maybe("labels")
    return labels.text(key, "") if labels else ""


def annotation(data: Shape, key: str) -> str | None:
    """An annotation of an object, None where it has none of that key."""
    return annotations_of(data).optional_text(key)


def annotations_of(data: Shape) -> Shape:
    """All annotations of an object."""
    return metadata(data).maybe("annotations") or Shape({}, data.where, "metadata.annotations")


def owner(data: Shape, kind: str) -> str:
    """The name of the object of a kind that owns this one, empty where none does."""
    owners = metadata(data).items("ownerReferences", missing_ok=True)
    return next((each.text("name", "") for each in owners if each.text("kind", "") == kind), "")


def owner_ids(data: Shape) -> tuple[str, ...]:
    """The ids of the objects that own this one."""
    return tuple(each.text("uid", "") for each in metadata(data).items("ownerReferences", missing_ok=True))


def condition(status: Shape | None, kind: str) -> Shape | None:
    """A condition by its type."""
    found = status.items("conditions", missing_ok=True) if status else ()
    return next((each for each in found if each.text("type", "") == kind), None)


def holds(found: Shape | None) -> bool:
    """Whether a condition is there and true."""
    return found is not None and found.text("status", "") == "True"


def images(pod_spec: Shape | None) -> tuple[str, ...]:
    """The images of the containers of a pod or a template."""
    return tuple(each.text("image", "") for each in pod_spec.items("containers", missing_ok=True)) if pod_spec else ()


def whole(text: str | None) -> int | None:
    """A whole number that stands as text, as in annotations; None for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None

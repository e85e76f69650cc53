"""The API of a Kubernetes cluster as a port: objects by path, as plain mappings; clients make typed values of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Protocol

Object = Mapping[str, Any]


class PatchForm(StrEnum):
    """How a patch is written (Kubernetes API conventions, patch operations)."""

    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"


class Cluster(Protocol):
    """One API server with one credential. Paths begin with /api or /apis and are quoted by the caller (`object_path`). Methods raise ServiceError."""

    def read(self, path: str, params: Mapping[str, str] | None = None) -> Object:
        """An object. Raises NotFound where there is none, or none of its kind."""
        ...

    def listed(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Object]:
        """The objects of a list, every page, at most 5,000."""
        ...

    def patch(self, path: str, body: Any, form: PatchForm) -> Object:
        """Change an object; as it is then. A merge patch may be repeated after a broken connection, a JSON patch when it begins with a `test`."""
        ...

    def allowed(self, verb: str, group: str, resource: str, namespace: str, name: str = "") -> bool | None:
        """Whether the credential may do this (SelfSubjectAccessReview); None where the server does not tell."""
        ...

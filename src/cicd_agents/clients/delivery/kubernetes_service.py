"""The API server of Kubernetes as a service to call: what each call does, in words, and what to mend when it is refused.

Source of the paths and verbs: Kubernetes docs, reference/using-api/api-concepts and access-authn-authz/authorization.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from cicd_agents.clients.delivery.kubernetes_access import Access
from cicd_agents.clients.http import Service

NAME = "Kubernetes"
_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)(?:/namespaces/(?P<namespace>[^/]+)(?=/))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[^/]+))?)?"
)
_REVIEWS = "selfsubjectaccessreviews"
_VERBS = {"PATCH": "patch", "POST": "create", "PUT": "update", "DELETE": "delete"}
_WORDS = {"get": "reading", "list": "listing", "patch": "changing", "create": "making", "update": "changing", "delete": "deleting"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks for, as RBAC sees it."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str

    @staticmethod
    def of(method: str, path: str) -> Asked | None:
        """What it is, None for a path of another kind."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        verb = _VERBS.get(method) or ("get" if found["name"] else "list")
        resource = f"{found['resource']}/{found['sub']}" if found["sub"] else found["resource"]
        return Asked(verb, found["group"] or "", resource, unquote(found["namespace"] or ""), unquote(found["name"] or ""))

    @property
    def words(self) -> str:
        """In words: `reading deployments prod/api`."""
        place = "/".join(filter(None, (self.namespace, self.name)))
        return f"{_WORDS[self.verb]} {self.resource}{f' {place}' if self.name else f' in {place}' if place else ''}"


def service(reached: Access) -> Service:
    """The API server that is reached so."""

    def advice(method: str, path: str, status: int) -> str:
        if status == 401:
            return f"The credential of {reached.user or reached.origin} ({reached.origin}) is missing, wrong or expired: log in again, or renew the token."
        asked = Asked.of(method, path)
        if asked is None:
            return "Is this the address of a Kubernetes API?"
        return _right_to_add(asked) if status == 403 else _what_is_missing(asked)

    return Service(NAME, reached.server, reached.headers, advice, naming, reached.secrets)


def naming(method: str, path: str) -> str:
    """What a call does, in words."""
    asked = Asked.of(method, path)
    if asked is None:
        return f"{method} {path}"
    return "asking for our rights" if asked.resource == _REVIEWS else asked.words


def _right_to_add(asked: Asked) -> str:
    group = f" of the group {asked.group}" if asked.group else ""
    place = f"a Role in the namespace {asked.namespace}" if asked.namespace else "a ClusterRole"
    return f"Give the credential the verb `{asked.verb}` on `{asked.resource}`{group} by {place}."


def _what_is_missing(asked: Asked) -> str:
    if not asked.name:
        return f"The cluster does not know {asked.resource}{f' of {asked.group}' if asked.group else ''}: is what brings them installed?"
    return f"Check the name and the namespace, and that this cluster knows {asked.resource}."

"""Argo CD's API as a service to call: how the token is sent, how an application is named, what is said when it refuses.

Rights: Argo CD docs, operator-manual/rbac. Errors are those of its gRPC gateway: `{error, code, message}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from cicd_agents.clients.http import Service
from cicd_agents.domain.errors import UsageError

API = "/api/v1/applications"
CAN_I = "/api/v1/account/can-i"
# Names of Kubernetes: RFC 1123 subdomains for applications, labels for namespaces.
_LONGEST = 253
_NAME = re.compile(r"(?:([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)/)?([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?:#([1-9][0-9]?))?")
_RIGHTS = {"GET": "get", "PATCH": "update", "POST": "sync", "DELETE": "sync"}
_NAMES = tuple(
    (method, re.compile(pattern), words)
    for method, pattern, words in (
        ("GET", r".*/applications", "looking for the application"),
        ("GET", r".*/applications/([^/]+)", "reading the application {}"),
        ("PATCH", r".*/applications/([^/]+)", "changing the application {}"),
        ("POST", r".*/applications/([^/]+)/sync", "syncing the application {}"),
        ("POST", r".*/applications/([^/]+)/rollback", "rolling back the application {}"),
        ("DELETE", r".*/applications/([^/]+)/operation", "ending the operation of the application {}"),
        ("GET", r".*/account/can-i/([^/]+)/([^/]+)/([^/]+)", "asking for the right `{}, {}` on {}"),
    )
)


@dataclass(frozen=True, slots=True)
class ApplicationName:
    """How an application is named in settings: `NAME`, `NAMESPACE/NAME` outside Argo CD's own namespace, with `#N` the N-th of its sources (from 1)."""

    namespace: str
    name: str
    source: int | None = None

    @staticmethod
    def of(text: str) -> ApplicationName:
        """The name in a text. Raises UsageError for what cannot be one."""
        found = _NAME.fullmatch(text) if len(text) <= _LONGEST else None
        if found is None:
            raise UsageError(f"{text[:60]!r} is no name of an Argo CD application: write NAME or NAMESPACE/NAME, with #2 behind it for its second source.")
        return ApplicationName(found[1] or "", found[2], int(found[3]) if found[3] else None)

    @property
    def path(self) -> str:
        """The path of the application in the API."""
        return f"{API}/{quote(self.name, safe='')}"

    @property
    def shown(self) -> str:
        """The name for a message."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def service(url: str, token: str) -> Service:
    """The server at `url` (its address without `/api`), called with an API token of an account or a project role."""
    return Service("Argo CD", url, {"authorization": f"Bearer {token}"} if token else {}, advice, naming)


def naming(method: str, path: str) -> str:
    """What a call does, in words."""
    for of, pattern, words in _NAMES:
        if of == method and (match := pattern.fullmatch(path)):
            return words.format(*(unquote(part) for part in match.groups()))
    return f"{method} {path}"


def advice(method: str, path: str, status: int) -> str:
    """What to do when a call was answered with 401, 403 or 404."""
    if status == 401:
        return "Check `argocd-token`: it is missing, wrong or expired."
    if status == 403 and path.endswith("/rollback"):
        return "The token needs the right `applications, sync` on it, or `applications, rollback` where `server.rbac.rollback.enforce.enable` is on."
    if status == 403:
        right = _RIGHTS.get(method, "get")
        return f"The token needs the right `applications, {right}` on it; a sync is also refused outside its sync windows."
    return "It is not there, or the token may not see it: check the name and the project, and the right `applications, get`."

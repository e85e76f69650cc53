"""Argo CD by its HTTP API (port `Delivery`): how an application stands, which revision it follows, and syncs.

Source: Argo CD's swagger (ApplicationService) and docs, developer-guide/api-docs. A name that is not there is answered with 403 unless the project goes with
it, so every call sends the project; where the settings name none, the list of applications tells it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.delivery import argocd_shapes as shapes
from cicd_agents.clients.delivery.argocd_service import API, ApplicationName, service
from cicd_agents.clients.http import Http, Retry, ignore
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.errors import NotFound, Rejected, UsageError
from cicd_agents.domain.forge import DeliveryState
from cicd_agents.domain.ports import Clock

_WHERE = "Argo CD: the application"


class ArgoCD:
    """One Argo CD server. `project`: the one that all applications belong to, empty: each is looked up. `prune`: syncs also delete what left the source."""

    def __init__(
        self, url: str, token: str, clock: Clock, budget: Budget, *,
        project: str = "", prune: bool = False, allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore,
    ) -> None:  # fmt: skip
        self._http = Http(service(url, token), clock, budget, allow_http=allow_http, note=note)
        self._project = project
        self._projects: dict[ApplicationName, str] = {}
        self._prune = prune

    def state(self, application: str) -> DeliveryState:
        """How the application stands after a comparison made just now. Raises UsageError for what is no name, and ServiceError."""
        name = ApplicationName.of(application)
        return shapes.state(self._read(name, refresh="normal"), name)

    def set_revision(self, application: str, revision: str) -> DeliveryState:
        """Make the application follow the revision; doing it twice does no harm. Raises Refused where it is not clear which source is meant."""
        name = ApplicationName.of(application)
        index, source = shapes.source(self._read(name), name)
        patch = _merge_patch(revision) if index is None else _json_patch(index, source.text("repoURL", ""), revision)
        body = {**self._identity(name), **patch}
        return shapes.state(Shape.of(self._http.send("PATCH", name.path, body, repeatable=True).json(), _WHERE), name)

    def sync(self, application: str, revision: str) -> None:
        """Start a sync to the revision, which the application must follow already; one that runs already for it is fine. Raises Rejected for another one."""
        name = ApplicationName.of(application)
        data = self._read(name)
        if shapes.busy_with(data, revision):
            return
        # Of several sources each is synced to what it follows: the API wants all revisions or none.
        single = not data.inner("spec").items("sources", missing_ok=True) and data.inner("spec").maybe("source") is not None
        body = {**self._identity(name), "prune": self._prune} | ({"revision": revision} if single else {})
        try:
            Shape.of(self._http.send("POST", f"{name.path}/sync", body).json(), _WHERE)  # a page of a proxy is no sync
        except Rejected:
            if not shapes.busy_with(self._read(name), revision):
                raise

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _read(self, name: ApplicationName, **query: str) -> Shape:
        place = self._identity(name)
        params = query | {key: place[key] for key in ("project", "appNamespace") if key in place}
        return Shape.of(self._http.get(name.path, params).json(), _WHERE)

    def _identity(self, name: ApplicationName) -> dict[str, str]:
        """What says which application is meant; with its project a wrong name is answered with 404."""
        if name not in self._projects:
            self._projects[name] = self._project or self._found_project(name)
        return {"project": self._projects[name], **_named(name)}

    def _found_project(self, name: ApplicationName) -> str:
        answer = Shape.of(self._http.get(API, _named(name)).json(), "Argo CD: the list of applications")
        found = [item for item in answer.items("items", missing_ok=True) if item.inner("metadata").text("name", "") == name.name]
        if not found:
            raise NotFound(f"Argo CD: there is no application {name.shown}, or the token may not see it (right `applications, get`).")
        if len(found) > 1:
            places = ", ".join(item.inner("metadata").text("namespace", "") for item in found[:5])
            raise UsageError(f"Argo CD has {len(found)} applications {name.name} (in {places}); name one as NAMESPACE/{name.name}.")
        return shapes.project(found[0])


def _named(name: ApplicationName) -> dict[str, str]:
    return {"name": name.name, **({"appNamespace": name.namespace} if name.namespace else {})}


def _merge_patch(revision: str) -> dict[str, str]:
    return {"patchType": "merge", "patch": json.dumps({"spec": {"source": {"targetRevision": revision}}})}


def _json_patch(index: int, repository: str, revision: str) -> dict[str, str]:
    """A merge patch would replace the whole list; the test fails where somebody changed the order meanwhile."""
    at = f"/spec/sources/{index}"
    steps = [{"op": "test", "path": f"{at}/repoURL", "value": repository}, {"op": "add", "path": f"{at}/targetRevision", "value": revision}]
    return {"patchType": "json", "patch": json.dumps(steps)}

"""How an application of Argo CD is found, read and patched, whatever for.

A name that is not there is answered with 403 unless the project goes with it, so every call sends the project; where the settings name none, the list of
applications tells it.
"""

from __future__ import annotations

import json
from typing import Any

from cicd_agents.clients.delivery import argocd_shapes as shapes
from cicd_agents.clients.delivery.argocd_service import API, ApplicationName
from cicd_agents.clients.http import Http
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.errors import NotFound, UsageError

_WHERE = "Argo CD: the application"


class ApplicationCalls:
    """Calls about single applications of one server; `project` is the one that all belong to, empty: each is looked up, once."""

    def __init__(self, http: Http, project: str = "") -> None:
        self._http = http
        self._project = project
        self._projects: dict[ApplicationName, str] = {}

    def read(self, name: ApplicationName, **query: str) -> Shape:
        """The application as Argo CD knows it; with `refresh="normal"` after a comparison made just now."""
        return Shape.of(self._http.get(name.path, query | self.place(name)).json(), _WHERE)

    def identity(self, name: ApplicationName) -> dict[str, str]:
        """What says in a body which application is meant; with its project a wrong name is answered with 404."""
        return {"project": self._project_of(name), **_named(name)}

    def place(self, name: ApplicationName) -> dict[str, str]:
        """What says so in a query, where the path has the name."""
        return {key: value for key, value in self.identity(name).items() if key != "name"}

    def patch(self, name: ApplicationName, kind: str, patch: Any) -> Shape:
        """Change the application; `kind` is `merge` or `json`. It must be fine to do it twice."""
        body = {**self.identity(name), "patchType": kind, "patch": json.dumps(patch)}
        return Shape.of(self._http.send("PATCH", name.path, body, repeatable=True).json(), _WHERE)

    def start(self, name: ApplicationName, verb: str, body: dict[str, Any]) -> None:
        """Start an operation (`sync`, `rollback`); never sent twice."""
        Shape.of(self._http.send("POST", f"{name.path}/{verb}", {**self.identity(name), **body}).json(), _WHERE)  # a page of a proxy is no start

    def _project_of(self, name: ApplicationName) -> str:
        if name not in self._projects:
            self._projects[name] = self._project or self._found_project(name)
        return self._projects[name]

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

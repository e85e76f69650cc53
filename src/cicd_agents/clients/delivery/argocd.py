"""Argo CD by its HTTP API (port `Delivery`): how an application stands, which revision it follows, and syncs.

Source: Argo CD's swagger (ApplicationService) and docs, developer-guide/api-docs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.delivery import argocd_shapes as shapes
from cicd_agents.clients.delivery.argocd_application import ApplicationCalls
from cicd_agents.clients.delivery.argocd_service import ApplicationName, service
from cicd_agents.clients.http import Http, Retry, ignore
from cicd_agents.domain.errors import Rejected
from cicd_agents.domain.forge import DeliveryState
from cicd_agents.domain.ports import Clock


class ArgoCD:
    """One Argo CD server. `project`: the one that all applications belong to, empty: each is looked up. `prune`: syncs also delete what left the source."""

    def __init__(
        self, url: str, token: str, clock: Clock, budget: Budget, *,
        project: str = "", prune: bool = False, allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore,
    ) -> None:  # fmt: skip
        self._http = Http(service(url, token), clock, budget, allow_http=allow_http, note=note)
        self._calls = ApplicationCalls(self._http, project)
        self._prune = prune

    def state(self, application: str) -> DeliveryState:
        """How the application stands after a comparison made just now. Raises UsageError for what is no name, and ServiceError."""
        name = ApplicationName.of(application)
        return shapes.state(self._calls.read(name, refresh="normal"), name)

    def set_revision(self, application: str, revision: str) -> DeliveryState:
        """Make the application follow the revision; doing it twice does no harm. Raises Refused where it is not clear which source is meant."""
        name = ApplicationName.of(application)
        index, source = shapes.source(self._calls.read(name), name)
        if index is None:
            answer = self._calls.patch(name, "merge", {"spec": {"source": {"targetRevision": revision}}})
        else:
            answer = self._calls.patch(name, "json", _one_source(index, source.text("repoURL", ""), revision))
        return shapes.state(answer, name)

    def sync(self, application: str, revision: str) -> None:
        """Start a sync to the revision, which the application must follow already; one that runs already for it is fine. Raises Rejected for another one."""
        name = ApplicationName.of(application)
        data = self._calls.read(name)
        if shapes.busy_with(data, revision):
            return
        # Of several sources each is synced to what it follows: the API wants all revisions or none.
        single = not data.inner("spec").items("sources", missing_ok=True) and data.inner("spec").maybe("source") is not None
        try:
            self._calls.start(name, "sync", {"prune": self._prune} | ({"revision": revision} if single else {}))
        except Rejected:
            if not shapes.busy_with(self._calls.read(name), revision):
                raise

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def _one_source(index: int, repository: str, revision: str) -> list[dict[str, Any]]:
    """A JSON patch: a merge patch would replace the whole list; the test fails where somebody changed the order meanwhile."""
    at = f"/spec/sources/{index}"
    return [{"op": "test", "path": f"{at}/repoURL", "value": repository}, {"op": "add", "path": f"{at}/targetRevision", "value": revision}]

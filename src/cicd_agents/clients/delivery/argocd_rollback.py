"""Argo CD as a rollback needs it (port `Applications`): history, rights, automated sync off and on, rollback, ending an operation.

Source: Argo CD's swagger (ApplicationService, AccountService); server/application/application.go for what `Rollback` refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.delivery import argocd_rollback_shapes as shapes
from cicd_agents.clients.delivery.argocd_application import ApplicationCalls
from cicd_agents.clients.delivery.argocd_service import CAN_I, ApplicationName, service
from cicd_agents.clients.http import Http, Retry, ignore
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.delivery_argocd import PAUSED_BY_US, Application, Paused
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Rejected
from cicd_agents.domain.ports import Clock

_ANSWERS = {"yes": True, "no": False}


class ArgoCDRollback:
    """One Argo CD server. `project`: the one that all applications belong to, empty: each is looked up."""

    def __init__(
        self, url: str, token: str, clock: Clock, budget: Budget, *,
        project: str = "", allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore,
    ) -> None:  # fmt: skip
        self._http = Http(service(url, token), clock, budget, allow_http=allow_http, note=note)
        self._calls = ApplicationCalls(self._http, project)

    def application(self, name: str) -> Application:
        """How it stands after a comparison made just now. Raises UsageError for what is no name, and ServiceError."""
        named = ApplicationName.of(name)
        return shapes.application(self._calls.read(named, refresh="normal"), named)

    def may(self, application: Application, action: str) -> bool | None:
        """Whether the token has a right on it; None where the server does not know such a right, or does not tell."""
        target = f"{application.project}/{application.name}"
        try:
            answer = Shape.of(self._http.get(f"{CAN_I}/applications/{action}/{quote(target, safe='')}").json(), "Argo CD: the answer about a right")
        except (Rejected, NotFound, NotAllowed, BadAnswer):
            return None
        return _ANSWERS.get(answer.text("value", ""))

    def pause_auto_sync(self, name: str, paused: Paused) -> None:
        """Switch automated sync off and note on the application what it was, in one change; doing it twice does no harm."""
        self._merge(name, shapes.paused_note(paused), None)

    def resume_auto_sync(self, name: str, automated: Mapping[str, bool]) -> None:
        """Switch automated sync on as it was and take the note away, in one change; doing it twice does no harm."""
        self._merge(name, None, dict(automated))

    def roll_back(self, name: str, id: int, *, prune: bool) -> None:  # noqa: A002 Argo CD's own word
        """Start the sync to an entry of the history; never sent twice."""
        # A number, though the swagger says a text: the server decodes with encoding/json (util/grpc/json.go), and its own pages send a number.
        self._calls.start(ApplicationName.of(name), "rollback", {"id": id, "dryRun": False, "prune": prune})

    def terminate(self, name: str) -> None:
        """End the operation that runs."""
        named = ApplicationName.of(name)
        self._http.send("DELETE", f"{named.path}/operation", params=self._calls.place(named))

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _merge(self, name: str, note: str | None, automated: dict[str, bool] | None) -> None:
        """A merge patch (RFC 7396): None takes away."""
        self._calls.patch(
            ApplicationName.of(name), "merge", {"metadata": {"annotations": {PAUSED_BY_US: note}}, "spec": {"syncPolicy": {"automated": automated}}}
        )

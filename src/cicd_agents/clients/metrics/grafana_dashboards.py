"""Marks on Grafana's dashboards, and links to them (port `Dashboards`).

Source: Grafana, "Annotations API", `GET` and `POST /api/annotations`: times in milliseconds; an annotation without a dashboard is one of the organisation and
shown by every dashboard that asks for its tags.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote, urlencode

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import Http, Retry, Tls, ignore
from cicd_agents.clients.metrics.grafana_service import advised, grafana_service
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.dashboards import Mark
from cicd_agents.domain.errors import BadAnswer
from cicd_agents.domain.guardian import Link
from cicd_agents.domain.ports import Clock

# A run that is repeated later finds what it has written.
_DAY = 86_400
_MOST = 1000


class GrafanaDashboards:
    """Writes and finds annotations of one Grafana. `token` is that of a service account that may do so (role Editor)."""

    def __init__(
        self, url: str, token: str, clock: Clock, budget: Budget, *,
        tls: Tls | None = None, allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore,
    ) -> None:  # fmt: skip
        service = grafana_service(url, token)
        self._url = service.base_url
        self._http = Http(service, clock, budget, allow_http=allow_http, note=note, tls=advised(tls))

    def find(self, mark: Mark) -> str | None:
        """The id of the newest annotation with the same tags and text, on the same dashboard, within a day of the mark; None: there is none."""
        window = {"from": _ms(mark.start - _DAY), "to": _ms((mark.end or mark.start) + _DAY)}
        # One filter is enough, since the rest is compared here; a dashboard's annotations are not looked for by tags.
        narrow = {"dashboardUID": mark.dashboard} if mark.dashboard else {"tags": mark.tags[0]} if mark.tags else {}
        data = self._http.get("/api/annotations", {**window, **narrow, "type": "annotation", "limit": _MOST}).json()
        if not isinstance(data, list):
            raise BadAnswer("Grafana: the annotations are no list. Check `grafana-url`: it is the address before /api.")
        shapes = (Shape.of(item, "Grafana: the annotations", f"[{index}]") for index, item in enumerate(data))
        return next((str(shape.number("id")) for shape in shapes if _is(mark, shape)), None)

    def annotate(self, mark: Mark) -> str:
        """Write the mark unless it is there; its id."""
        there = self.find(mark)
        if there is not None:
            return there
        body = {"text": mark.text, "tags": list(mark.tags), "time": _ms(mark.start)}
        body |= {"timeEnd": _ms(mark.end)} if mark.end is not None else {}
        body |= {"dashboardUID": mark.dashboard} if mark.dashboard else {}
        made = Shape.of(self._http.send("POST", "/api/annotations", body).json(), "Grafana: the new annotation")
        return str(made.number("id"))

    def link(self, dashboard: str, start: float, end: float, variables: Mapping[str, str] | None = None) -> Link:
        """The page of a dashboard (by its uid) with the window of time and the values of its variables."""
        query = {"from": str(_ms(start)), "to": str(_ms(end)), **{f"var-{name}": value for name, value in (variables or {}).items()}}
        return Link("Grafana dashboard", f"{self._url}/d/{quote(dashboard, safe='')}?{urlencode(query)}")

    def close(self) -> None:
        """Close all connections."""
        self._http.close()


def _is(mark: Mark, found: Shape) -> bool:
    same = found.text("text", "") == mark.text and set(found.texts("tags", missing_ok=True)) == set(mark.tags)
    return same and found.text("dashboardUID", "") == mark.dashboard


def _ms(seconds: float) -> int:
    return round(seconds * 1000)

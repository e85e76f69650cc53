"""Which of Grafana's data sources is asked for metrics.

Source: Grafana, "Data source HTTP API", `GET /api/datasources`: a list without pages; reading it takes the right `datasources:read`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cicd_agents.clients.http import Http
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.errors import BadAnswer, NotFound

# Plugins that speak Prometheus' API: its own, those of Amazon and Azure, VictoriaMetrics'.
_SPEAKING = ("prometheus", "victoriametrics-metrics")
_MAX_NAMES = 10


@dataclass(frozen=True, slots=True)
class Source:
    """A data source: its uid, its name, and the plugin that serves it, empty where that is not known."""

    uid: str
    name: str
    type: str

    @property
    def speaks_promql(self) -> bool:
        """Whether the plugin is known to be one for Prometheus' API."""
        return any(word in self.type for word in _SPEAKING)


def listed(http: Http) -> tuple[Source, ...]:
    """All data sources of the organisation of the token. Raises ServiceError."""
    data = http.get("/api/datasources").json()
    if not isinstance(data, list):
        raise BadAnswer("Grafana: the list of data sources is no list. Check `grafana-url`: it is the address before /api.")
    shapes = (Shape.of(item, "Grafana: the list of data sources", f"[{index}]") for index, item in enumerate(data))
    return tuple(Source(shape.text("uid"), shape.text("name"), shape.text("type", "")) for shape in shapes)


def chosen(sources: Sequence[Source], wanted: str) -> Source:
    """The one with this uid or name; without a wish the only Prometheus. Raises NotFound with the names that there are."""
    if wanted:
        found = next((one for one in sources if one.uid == wanted), None) or next((one for one in sources if one.name == wanted), None)
        if found is None:
            raise NotFound(f"Grafana: there is no data source `{wanted}`. {_there_are(sources)} Check `grafana-datasource`.")
        if not found.speaks_promql:
            raise NotFound(f"Grafana: the data source `{wanted}` is of the type {found.type or 'nothing'}, not a Prometheus. Check `grafana-datasource`.")
        return found
    speaking = [one for one in sources if one.speaks_promql]
    if len(speaking) != 1:
        count = "no" if not speaking else "more than one"
        raise NotFound(f"Grafana: there is {count} Prometheus among the data sources. {_there_are(speaking or sources)} Name one in `grafana-datasource`.")
    return speaking[0]


def _there_are(sources: Sequence[Source]) -> str:
    names = [one.name for one in sources]
    return f"There are: {', '.join(names[:_MAX_NAMES])}{', …' if len(names) > _MAX_NAMES else ''}." if names else "There are none that this token may see."

"""Metrics by Grafana: the same questions to Prometheus, sent through Grafana's proxy for data sources (port `MetricsStore`).

Source: Grafana, "Data source HTTP API", `/api/datasources/proxy/uid/<uid>/…`; it lets GET through, and POST to Prometheus' queries. A 401 of the data source
comes as 400.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from urllib.parse import quote

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import TIMEOUTS, Retry, Timeouts, Tls, ignore
from cicd_agents.clients.http_retry import Jitter, no_jitter
from cicd_agents.clients.metrics.grafana_service import advised, grafana_service
from cicd_agents.clients.metrics.grafana_sources import Source, chosen, listed
from cicd_agents.clients.metrics.prometheus_check import Build, build_of
from cicd_agents.clients.metrics.prometheus_http import QueryHttp, Wording
from cicd_agents.clients.metrics.prometheus_queries import Queries
from cicd_agents.domain.errors import NotAllowed
from cicd_agents.domain.guardian import MetricsAnswer
from cicd_agents.domain.ports import Clock

_WORDING = Wording("Grafana", "grafana-url", "For Grafana there is no setting for one; let it be reached without.", "the data source in Grafana")


class GrafanaStore:
    """Asks the data source `source` (name or uid; empty: the only Prometheus there is) of one Grafana; several threads may call.

    `token` is that of a service account. Which source it is, is looked up with the first question.
    """

    def __init__(
        self, url: str, token: str, clock: Clock, budget: Budget, *, source: str = "", tls: Tls | None = None,
        allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore, timeouts: Timeouts = TIMEOUTS, jitter: Jitter = no_jitter,
    ) -> None:  # fmt: skip
        service = grafana_service(url, token)
        self._http = QueryHttp(
            service, clock, budget, _WORDING, allow_http=allow_http, note=note, timeouts=timeouts, jitter=jitter, tls=advised(tls)
        )  # fmt: skip
        self._wanted = source
        self._found: Source | None = None
        self._looking = threading.Lock()
        self._queries = Queries(self._http, self._root, "Grafana")

    def query(self, promql: str, at: float) -> MetricsAnswer:
        """The value at a time; of `name[30m]` all raw samples of that window, at the times of their scrapes."""
        return self._queries.query(promql, at)

    def query_range(self, promql: str, start: float, end: float, step: float) -> MetricsAnswer:
        """A value per step, at `start` and every `step` seconds from there up to `end`."""
        return self._queries.query_range(promql, start, end, step)

    def source(self) -> Source:
        """The data source that is asked. Raises NotFound where it is not there or cannot be told, NotAllowed where it must be named by its uid."""
        with self._looking:
            if self._found is None:
                self._found = self._look()
            return self._found

    def build(self) -> Build:
        """What the server behind Grafana is, and what the clock says."""
        with self._http.mended():
            return build_of(self._http, self._root())

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _look(self) -> Source:
        try:
            return chosen(listed(self._http), self._wanted)
        except NotAllowed:
            if not self._wanted:
                raise
            # A viewer may ask a source but not list them all: then it can only be the uid. A wrong token is said by the first question.
            return Source(self._wanted, self._wanted, "")

    def _root(self) -> str:
        return f"/api/datasources/proxy/uid/{quote(self.source().uid, safe='')}"

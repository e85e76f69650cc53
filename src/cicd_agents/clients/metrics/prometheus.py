"""Prometheus, and what speaks its API: Thanos, Mimir, Cortex, VictoriaMetrics (port `MetricsStore`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import TIMEOUTS, Retry, Service, Timeouts, Tls, ignore
from cicd_agents.clients.http_retry import Jitter, no_jitter
from cicd_agents.clients.metrics.prometheus_access import Access
from cicd_agents.clients.metrics.prometheus_check import Build, build_of
from cicd_agents.clients.metrics.prometheus_http import QueryHttp, Wording
from cicd_agents.clients.metrics.prometheus_queries import Queries
from cicd_agents.domain.guardian import MetricsAnswer
from cicd_agents.domain.ports import Clock

_WORDING = Wording(
    "Prometheus", "prometheus-url", "Give one that its authority has signed by `prometheus-cert` and `prometheus-key`.",
    files="`prometheus-ca`, `prometheus-cert` and `prometheus-key`",
)  # fmt: skip
_CA_ADVICE = "Check the host in `prometheus-url`, or name the file with the server's authority in `prometheus-ca`."


class PrometheusStore:
    """Asks one server; several threads may call. `url` is the address before /api/v1, with the path that a proxy serves it under.

    `tls` holds the server's authority and our certificate, where they are special.
    """

    def __init__(
        self, url: str, clock: Clock, budget: Budget, *, access: Access | None = None, tls: Tls | None = None,
        allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore, timeouts: Timeouts = TIMEOUTS, jitter: Jitter = no_jitter,
    ) -> None:  # fmt: skip
        base = url.rstrip("/").removesuffix("/api/v1")
        service = Service("Prometheus", base, (access or Access()).headers(), advice=_advice, naming=naming)
        advised = replace(tls or Tls(), advice=_CA_ADVICE)
        self._http = QueryHttp(service, clock, budget, _WORDING, allow_http=allow_http, note=note, timeouts=timeouts, jitter=jitter, tls=advised)
        self._queries = Queries(self._http, _no_path, "Prometheus")

    def query(self, promql: str, at: float) -> MetricsAnswer:
        """The value at a time; of `name[30m]` all raw samples of that window, at the times of their scrapes."""
        return self._queries.query(promql, at)

    def query_range(self, promql: str, start: float, end: float, step: float) -> MetricsAnswer:
        """A value per step, at `start` and every `step` seconds from there up to `end`."""
        return self._queries.query_range(promql, start, end, step)

    def build(self) -> Build:
        """What the server is and what its clock says."""
        with self._http.mended():
            return build_of(self._http, "")

    def close(self) -> None:
        """Close all connections."""
        self._http.close()


def naming(_method: str, path: str) -> str:
    """What was asked, in words."""
    return "the check of the server" if path.endswith("/status/buildinfo") else "a query"


def _no_path() -> str:
    return ""


def _advice(_method: str, _path: str, status: int) -> str:
    if status in (401, 403):
        return "Check `prometheus-token`, or `prometheus-user` and `prometheus-password`; a server with several tenants also wants `prometheus-tenant`."
    return "Check `prometheus-url`: it is the address before /api/v1."

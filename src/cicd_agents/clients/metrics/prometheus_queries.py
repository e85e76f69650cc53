"""The two questions of the port `MetricsStore`, by Prometheus' HTTP API."""

from __future__ import annotations

from collections.abc import Callable

from cicd_agents.clients.metrics.prometheus_answers import answer_of, joined
from cicd_agents.clients.metrics.prometheus_http import QueryHttp
from cicd_agents.clients.metrics.prometheus_windows import as_text, milliseconds, parts
from cicd_agents.domain.guardian import MetricsAnswer


class Queries:
    """Asks `who` below the path that `root` gives, which ends before `/api/v1`. Several threads may call."""

    def __init__(self, http: QueryHttp, root: Callable[[], str], who: str) -> None:
        self._http = http
        self._root = root
        self._who = who

    def query(self, promql: str, at: float) -> MetricsAnswer:
        """The value at a time; of `name[30m]` all samples of the window."""
        data = self._http.ask(f"{self._root()}/api/v1/query", {"query": promql, "time": as_text(milliseconds(at))})
        return answer_of(data, self._who, promql)

    def query_range(self, promql: str, start: float, end: float, step: float) -> MetricsAnswer:
        """A value per step, at `start` and every `step` seconds from there up to `end`; in parts beyond the server's limit."""
        answers = []
        for first, last in parts(start, end, step):
            form = {"query": promql, "start": as_text(first), "end": as_text(last), "step": as_text(milliseconds(step))}
            answers.append(answer_of(self._http.ask(f"{self._root()}/api/v1/query_range", form), self._who, promql))
        return answers[0] if len(answers) == 1 else joined(promql, answers, self._who)

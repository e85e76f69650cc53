"""The lines that a service's versions wrote, from Grafana Loki, the newest first up to a bound (port `LogCounts`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import Retry, ignore
from cicd_agents.clients.loki import MAX_PAGES, NANOSECONDS, PAGE, Entry, LokiApi
from cicd_agents.domain.log_counts import LogLine, LogLines
from cicd_agents.domain.ports import Clock


class LokiCounts:
    """Reads lines of one Loki server; not for several threads at once. `org_id` is the tenant of a server that serves several."""

    def __init__(
        self, url: str, token: str, clock: Clock, budget: Budget, *,
        org_id: str = "", allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore, page: int = PAGE,
    ) -> None:  # fmt: skip
        self._api = LokiApi(url, token, clock, budget, org_id=org_id, allow_http=allow_http, note=note)
        self._page = page

    def lines(self, query: str, start: float, end: float, *, most_lines: int, most_bytes: int) -> LogLines:
        """The lines of a log query between two times (seconds since the epoch; the second one is not part of it), the last ones of many."""
        first, until = int(start * NANOSECONDS), int(end * NANOSECONDS)
        kept: dict[Entry, None] = {}
        size, complete = 0, until
        for _ in range(MAX_PAGES):
            entries = self._api.page(query, first, until, self._page, newest=True)
            for entry in reversed(entries):
                size += 0 if entry in kept else len(entry.line.encode(errors="replace"))
                kept[entry] = None
            if len(entries) < self._page:
                complete = first
                break
            oldest = entries[0].time
            complete = oldest + 1
            if len(kept) >= most_lines or size >= most_bytes:
                break
            # More lines may bear the oldest time; where it fills a page, they are beyond reach.
            until = oldest + 1 if entries[-1].time > oldest else oldest
        return _bounded(list(kept), complete, most_lines, most_bytes)

    def close(self) -> None:
        """Close the connection."""
        self._api.close()


def _bounded(newest_first: list[Entry], complete: int, most_lines: int, most_bytes: int) -> LogLines:
    """The newest entries within the bounds. What is cut leaves out the rest of its nanosecond too."""
    size, kept = 0, 0
    for entry in newest_first:
        size += len(entry.line.encode(errors="replace"))
        if kept == most_lines or size > most_bytes:
            complete = max(complete, entry.time + 1)
            break
        kept += 1
    lines = [entry for entry in newest_first[:kept] if entry.time >= complete]
    lines.sort(key=lambda entry: entry.time)
    return LogLines(tuple(LogLine(entry.time / NANOSECONDS, entry.line.rstrip("\n"), _labels(entry.stream)) for entry in lines), complete / NANOSECONDS)


@lru_cache(maxsize=1024)
def _labels(stream: str) -> Mapping[str, str]:
    labels = json.loads(stream)
    return {str(name): str(value) for name, value in labels.items()} if isinstance(labels, dict) else {}

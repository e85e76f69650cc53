"""Logs of CI jobs that were shipped to Grafana Loki, read by its HTTP API as one log in the order of time.

Source: Grafana Loki, "Loki HTTP API", `GET /loki/api/v1/query_range`: times in nanoseconds, `start` inclusive, `end` exclusive, `direction=forward`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import Http, Retry, Service, ignore
from cicd_agents.clients.http_bodies import TailSpool
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.errors import BadAnswer, NotFound, UsageError
from cicd_agents.domain.ports import Clock, OpenLog

# Loki's own default for max_entries_limit_per_query.
PAGE = 5000
MAX_PAGES = 2000
_MAX_PAGE_BYTES = 64 << 20
NANOSECONDS = 1_000_000_000
# Strings of LogQL: double quotes with Go's escapes, or backquotes without any.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`', re.DOTALL)
_PLACEHOLDER = re.compile(r"\{(job|job_id|run_id|repository)\}")
# What may mean something in an RE2 pattern; other characters must not be escaped there.
_REGEX_SIGN = re.compile(r"[!-/:-@\[-^`{-~]")
_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line with its time in nanoseconds and the labels of its stream, as JSON with sorted keys."""

    time: int
    line: str
    stream: str


class LokiApi:
    """Reads pages of entries from one Loki server. `org_id` is the tenant of a server that serves several."""

    def __init__(
        self, url: str, token: str, clock: Clock, budget: Budget, *, org_id: str = "", allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore
    ) -> None:  # fmt: skip
        headers = {**({"authorization": f"Bearer {token}"} if token else {}), **({"x-scope-orgid": org_id} if org_id else {})}
        service = Service("Loki", url, headers, advice=_advice, naming=lambda _method, _path: "reading the log")
        self._http = Http(service, clock, budget, allow_http=allow_http, note=note)

    def page(self, query: str, start: int, end: int, limit: int, *, newest: bool = False) -> list[Entry]:
        """At most `limit` entries between two times in nanoseconds (the second one is not part of it), by time; the oldest, or the `newest`.

        Lines of one stream and time keep their order.
        """
        direction = "backward" if newest else "forward"
        params: dict[str, str | int] = {"query": query, "start": start, "end": end, "limit": limit, "direction": direction}
        answer = self._http.get("/loki/api/v1/query_range", params, most=_MAX_PAGE_BYTES).json()
        data = Shape.of(answer, "Loki: the log").inner("data")
        if data.text("resultType") != "streams":
            raise BadAnswer('Loki: `loki-query` gives numbers, not lines. Use a log query, such as {job="ci"}, without a function around it.')
        entries = [entry for stream in data.items("result") for entry in _entries(stream)]
        return sorted((entry for entry in entries if start <= entry.time < end), key=lambda entry: entry.time)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


class LokiLogs:
    """Reads logs from one Loki server. `org_id` is the tenant of a server that serves several."""

    def __init__(
        self, url: str, token: str, clock: Clock, budget: Budget, *,
        org_id: str = "", allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore, page: int = PAGE, most_pages: int = MAX_PAGES,
    ) -> None:  # fmt: skip
        self._api = LokiApi(url, token, clock, budget, org_id=org_id, allow_http=allow_http, note=note)
        self._page = page
        self._most_pages = most_pages

    @contextmanager
    def open(self, query: str, start: float, end: float, most: int) -> Iterator[OpenLog]:
        """The lines of a log query between two times (seconds since the epoch), all streams merged by time; of more than `most` bytes the last ones.

        Raises NotFound when the query gives no line, and ServiceError.
        """
        spool = TailSpool(most)
        try:
            notes = self._read(query, int(start * NANOSECONDS), int(end * NANOSECONDS), spool)
            if not spool.written:
                raise NotFound(
                    f"Loki: no line between {start:.0f} and {end:.0f} (seconds since 1970) matches {query[:300]}. "
                    "Check `loki-query`: labels and values must be those of the shipped logs."
                )
            if spool.dropped:
                notes.append(f"Only the last {most >> 20} MiB of the log were read; {spool.dropped >> 20} MiB before them were left out.")
            yield OpenLog(spool.stream(), tuple(notes))
        finally:
            spool.close()

    def close(self) -> None:
        """Close the connection."""
        self._api.close()

    def _read(self, query: str, start: int, end: int, spool: TailSpool) -> list[str]:
        """Write all lines into the spool, page by page; what is to be said of them.

        A page begins at the last time of the one before, since more lines may bear that time; those that were written already are left out.
        """
        seen: set[Entry] = set()
        notes: list[str] = []
        for _ in range(self._most_pages):
            entries = self._api.page(query, start, end, self._page)
            for entry in entries:
                if entry not in seen:
                    spool.write(entry.line.rstrip("\n").encode(errors="replace") + b"\n")
            if len(entries) < self._page:
                return notes
            last = entries[-1].time
            if last == start and entries[0].time == start:
                notes = [f"More than {self._page} lines of the log bear the same time; some of them may be missing."]
                last += 1
            seen = {entry for entry in entries if entry.time == last} | {entry for entry in seen if entry.time == last}
            start = last
        return [*notes, f"Only the first {self._most_pages} pages of {self._page} lines of the log were read."]


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with {job}, {job_id}, {run_id} and {repository} filled in, escaped for LogQL; inside a regular expression also for that.

    Raises UsageError for a placeholder outside double quotes, where a value could change the query, and for one that has no value here.
    """
    pieces, done = [], 0
    for string in _STRING.finditer(template):
        between = template[done : string.start()]
        pieces += [_without_placeholder(between), _filled(string[0], between.rstrip().endswith("~"), values)]
        done = string.end()
    return "".join([*pieces, _without_placeholder(template[done:])])


def _filled(string: str, is_regex: bool, values: Mapping[str, str]) -> str:
    if string[0] == "`":
        return _without_placeholder(string)

    def value(placeholder: re.Match[str]) -> str:
        text = values.get(placeholder[1], "")
        if not text:
            raise UsageError(f"loki-query: {placeholder[0]} is not known here; name the log by another value.")
        return "".join(_ESCAPES.get(character, character) for character in (_REGEX_SIGN.sub(r"\\\g<0>", text) if is_regex else text))

    return _PLACEHOLDER.sub(value, string)


def _without_placeholder(text: str) -> str:
    if found := _PLACEHOLDER.search(text):
        raise UsageError(f'loki-query: {found[0]} must stand inside double quotes, as in {{job="{found[0]}"}}.')
    return text


def _entries(stream: Shape) -> Iterator[Entry]:
    labels = json.dumps(stream.data.get("stream"), sort_keys=True)
    values = stream.data.get("values")
    if not isinstance(values, list):
        raise BadAnswer("Loki: the log: a stream comes without `values`.")
    for value in values:
        yield Entry(*_time_and_line(value), labels)


def _time_and_line(value: Any) -> tuple[int, str]:
    """An entry is [nanoseconds as text, line], with structured metadata after it in newer versions."""
    if isinstance(value, list) and len(value) >= 2 and isinstance(value[1], str) and re.fullmatch(r"[0-9]{1,20}", str(value[0])):
        return int(value[0]), value[1]
    raise BadAnswer("Loki: the log: an entry is not a time in nanoseconds and a line.")


def _advice(_method: str, _path: str, status: int) -> str:
    if status in (401, 403):
        return "Check `loki-token`; a server with several tenants also wants the tenant."
    return "Check `loki-url`: it is the address before /loki/api/v1."

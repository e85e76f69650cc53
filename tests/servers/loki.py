"""A stand-in for Grafana Loki: label selectors, line filters, time ranges, limits and directions of `GET /loki/api/v1/query_range`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import re2
from tests.servers.http_server import Reply, Request, Server, json_reply

_MATCHER = re.compile(r'\s*([a-z_]+)\s*(=~|=)\s*("(?:[^"\\]|\\.)*")\s*(,|\})', re.DOTALL)
_FILTER = re.compile(r'\s*(\|=|!=|\|~|!~)\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\s*', re.DOTALL)

Terms = list[tuple[str, str, str]]
LineFilter = Callable[[str], bool]


@dataclass(slots=True)
class Stream:
    """Labels and lines with their times in nanoseconds."""

    labels: Mapping[str, str]
    lines: list[tuple[int, str]] = field(default_factory=list)


class LokiServer:
    """Answers from `streams`; `token` and `tenant` are asked for when they are set."""

    def __init__(self, token: str = "", tenant: str = "", most_entries: int = 5000) -> None:
        self.streams: list[Stream] = []
        self.token = token
        self.tenant = tenant
        self.most_entries = most_entries
        self.http = Server(self._answer)

    def add(self, labels: Mapping[str, str], *lines: tuple[int, str]) -> None:
        """Ship lines."""
        self.streams.append(Stream(labels, list(lines)))

    def __enter__(self) -> LokiServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def _answer(self, request: Request) -> Reply:
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return _text(401, "no credentials provided")
        if self.tenant and request.headers.get("x-scope-orgid") != self.tenant:
            return _text(401, "no org id")
        if request.path != "/loki/api/v1/query_range":
            return _text(404, "404 page not found")
        limit = int(request.query["limit"])
        if limit > self.most_entries:
            return _text(400, f"max entries limit per query exceeded, limit > max_entries_limit ({limit} > {self.most_entries})")
        if request.query["query"].startswith("count_over_time"):
            return json_reply({"status": "success", "data": {"resultType": "matrix", "result": []}})
        parsed = _parsed(request.query["query"])
        if parsed is None:
            return _text(400, "parse error at line 1, col 1: syntax error")
        return json_reply({"status": "success", "data": {"resultType": "streams", "result": self._result(*parsed, request.query, limit)}})

    def _result(self, matchers: Terms, filters: list[LineFilter], query: Mapping[str, str], limit: int) -> list[dict[str, object]]:
        start, end = int(query["start"]), int(query["end"])
        entries = [
            (time, index, line)
            for index, stream in enumerate(self.streams)
            if all(_matches(stream.labels.get(name, ""), operator, value) for name, operator, value in matchers)
            for time, line in stream.lines
            if start <= time < end and all(passes(line) for passes in filters)
        ]
        # sorted() is stable: the lines of one stream and time keep their order.
        entries = sorted(entries, key=lambda entry: entry[0], reverse=query["direction"] == "backward")[:limit]
        return [
            {"stream": dict(stream.labels), "values": [[str(time), line] for time, place, line in entries if place == index]}
            for index, stream in enumerate(self.streams)
            if any(place == index for _, place, _ in entries)
        ]


def _parsed(query: str) -> tuple[Terms, list[LineFilter]] | None:
    """The matchers of a log query and its line filters, None for what is no log query. Regular expressions are RE2, as in Loki."""
    matchers: Terms = []
    filters: list[LineFilter] = []
    done, closed = 1, False
    while not closed:
        found = _MATCHER.match(query, done) if query.startswith("{") else None
        if not found:
            return None
        matchers.append((found[1], found[2], json.loads(found[3])))
        done, closed = found.end(), found[4] == "}"
    while query[done:].strip():
        found = _FILTER.match(query, done)
        if not found:
            return None
        filters.append(_line_filter(found[1], found[2][1:-1] if found[2][0] == "`" else json.loads(found[2])))
        done = found.end()
    return matchers, filters


def _line_filter(operator: str, text: str) -> LineFilter:
    pattern = re2.compile(text) if operator[1] == "~" else None
    wanted = operator[0] == "|"
    return lambda line: (pattern.search(line) is not None if pattern else text in line) is wanted


def _matches(label: str, operator: str, value: str) -> bool:
    return label == value if operator == "=" else re.fullmatch(value, label) is not None


def _text(status: int, words: str) -> Reply:
    return Reply(status, f"{words}\n".encode(), {"content-type": "text/plain; charset=utf-8"})

"""A stand-in for Grafana Loki: label selectors, time ranges, limits and directions of `GET /loki/api/v1/query_range`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.servers.http_server import Reply, Request, Server, json_reply

_SELECTOR = re.compile(r"\{(.*)\}\s*", re.DOTALL)
_MATCHER = re.compile(r'\s*([a-z_]+)\s*(=~|=)\s*("(?:[^"\\]|\\.)*")\s*(?:,|$)', re.DOTALL)


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
        matchers = _matchers(request.query["query"])
        if matchers is None:
            return _text(400, "parse error at line 1, col 1: syntax error")
        return json_reply({"status": "success", "data": {"resultType": "streams", "result": self._result(matchers, request.query, limit)}})

    def _result(self, matchers: list[tuple[str, str, str]], query: Mapping[str, str], limit: int) -> list[dict[str, object]]:
        start, end = int(query["start"]), int(query["end"])
        entries = [
            (time, index, line)
            for index, stream in enumerate(self.streams)
            if all(_matches(stream.labels.get(name, ""), operator, value) for name, operator, value in matchers)
            for time, line in stream.lines
            if start <= time < end
        ]
        # sorted() is stable: the lines of one stream and time keep their order.
        entries = sorted(entries, key=lambda entry: entry[0], reverse=query["direction"] == "backward")[:limit]
        return [
            {"stream": dict(stream.labels), "values": [[str(time), line] for time, place, line in entries if place == index]}
            for index, stream in enumerate(self.streams)
            if any(place == index for _, place, _ in entries)
        ]


def _matchers(query: str) -> list[tuple[str, str, str]] | None:
    selector = _SELECTOR.fullmatch(query)
    if not selector:
        return None
    matchers, done = [], 0
    while done < len(selector[1]):
        found = _MATCHER.match(selector[1], done)
        if not found:
            return None
        matchers.append((found[1], found[2], json.loads(found[3])))
        done = found.end()
    return matchers


def _matches(label: str, operator: str, value: str) -> bool:
    return label == value if operator == "=" else re.fullmatch(value, label) is not None


def _text(status: int, words: str) -> Reply:
    return Reply(status, f"{words}\n".encode(), {"content-type": "text/plain; charset=utf-8"})

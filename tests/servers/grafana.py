"""A stand-in for Grafana: data sources, its proxy to a Prometheus (a real one, in the tests), and annotations.

Requests and answers other than the proxied ones are checked against tests/data/openapi/grafana.json; what is wrong goes into `problems`.
The proxy lets through what Grafana's plugin for Prometheus allows: every GET, and POST to the queries.
"""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.servers.http_server import Reply, Request, Server, json_reply
from tests.servers.openapi import Description

DESCRIPTION = Path(__file__).parents[1] / "data" / "openapi" / "grafana.json"
TOKEN = "glsa_token-of-the-tests"
_PROXIED = re.compile(r"/api/datasources/proxy/uid/([^/]+)/(.*)")
# The rights of the roles Viewer and Editor, and what only an administrator has.
VIEWER = frozenset({"datasources:query", "annotations:read"})
EDITOR = VIEWER | {"annotations:create"}
ADMIN = EDITOR | {"datasources:read"}

Data = dict[str, Any]


class GrafanaServer(Server):
    """The server. `upstream` is the address of the Prometheus behind every data source of that type; `rights` are those of the token.

    `dead_from`: from this call on (from 0) connections are cut; with `dead_after_work` that call is still carried out.
    """

    def __init__(self, upstream: str = "") -> None:
        self.upstream = upstream
        self.rights = ADMIN
        self.sources: list[Data] = []
        self.annotations: list[Data] = []
        self.dead_from: int | None = None
        self.dead_after_work = False
        self.calls = 0
        self._description = Description(DESCRIPTION)
        super().__init__(self._served)

    def add_source(self, uid: str, name: str, kind: str = "prometheus") -> None:
        """A data source."""
        self.sources.append({"id": len(self.sources) + 1, "orgId": 1, "uid": uid, "name": name, "type": kind, "access": "proxy", "jsonData": {}})

    def _served(self, request: Request) -> Reply:
        self.calls += 1
        dead = self.dead_from is not None and self.calls > self.dead_from
        last = self.dead_from is not None and self.calls == self.dead_from + 1
        if dead and not (last and self.dead_after_work):
            return Reply(reset=True)
        proxied = _PROXIED.fullmatch(request.path)
        reply = self._proxied(proxied[1], proxied[2], request) if proxied else self._checked(request)
        return Reply(reset=True) if dead else reply

    def _checked(self, request: Request) -> Reply:
        if problem := self._description.check(request):
            self.problems.append(problem)
        reply = self._routed(request)
        if problem := self._description.check_answer(request, reply):
            self.problems.append(problem)
        return reply

    def _routed(self, request: Request) -> Reply:
        routes = {
            ("GET", "/api/datasources"): ("datasources:read", self._list_sources),
            ("GET", "/api/annotations"): ("annotations:read", self._list_annotations),
            ("POST", "/api/annotations"): ("annotations:create", self._annotate),
        }
        found = routes.get((request.method, request.path))
        if found is None:
            return _error(404, "Not found")
        return self._refusal(request, found[0]) or found[1](request)

    def _refusal(self, request: Request, right: str) -> Reply | None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "Invalid API key", messageId="api-key.invalid", statusCode=401, traceID="")
        if right not in self.rights:
            words = f"You'll need additional permissions to perform this action. Permissions needed: {right}"
            return _error(403, words, accessErrorId="ACE0123456789", title="Access denied")
        return None

    def _list_sources(self, _request: Request) -> Reply:
        return json_reply(self.sources)

    def _list_annotations(self, request: Request) -> Reply:
        start, end = int(request.query["from"]), int(request.query["to"])
        found = [
            one
            for one in self.annotations
            if one["timeEnd"] >= start and one["time"] <= end
            and ("tags" not in request.query or request.query["tags"] in one["tags"])
            and request.query.get("dashboardUID") in (None, one.get("dashboardUID"))
        ]  # fmt: skip
        newest = sorted(found, key=lambda one: one["time"], reverse=True)
        return json_reply(newest[: int(request.query.get("limit", "100"))])

    def _annotate(self, request: Request) -> Reply:
        given = request.json()
        if not given["text"]:
            return _error(400, "text field should not be empty")
        made = {"id": len(self.annotations) + 1, "alertId": 0, "userId": 7, "login": "sa-guardian", "email": "", **given}
        self.annotations.append({**made, "tags": given.get("tags", []), "timeEnd": given.get("timeEnd", given["time"])})
        return json_reply({"message": "Annotation added", "id": made["id"]})

    def _proxied(self, uid: str, path: str, request: Request) -> Reply:
        if refused := self._refusal(request, "datasources:query"):
            return refused
        if uid not in [one["uid"] for one in self.sources]:
            return _error(404, "Unable to find datasource")
        if request.method == "POST" and not path.startswith("api/v1/query"):
            return _error(403, "non allow-listed POSTs not allowed on proxied Prometheus datasource")
        headers = {name: request.headers[name] for name in ("content-type", "accept", "accept-encoding") if name in request.headers}
        status, answered, body = _forwarded(f"{self.upstream}/{path}?{urlencode(request.query)}", request, headers)
        if status == 401:
            return Reply(400, b"Authentication to data source failed", {"content-type": "text/plain; charset=utf-8"})
        return Reply(status, body, {name: value for name, value in answered.items() if name.lower() in ("content-type", "content-encoding")})


def _forwarded(url: str, request: Request, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
    """What the server behind answers; 502 where it does not."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    sent = urllib.request.Request(url, data=request.body or None, headers=dict(headers), method=request.method)  # noqa: S310 the tests' own address
    try:
        with opener.open(sent, timeout=30) as answer:
            return answer.status, dict(answer.headers.items()), answer.read()
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code, dict(problem.headers.items()), problem.read()
    except OSError:
        return 502, {}, b""


def _error(status: int, message: str, **more: object) -> Reply:
    return json_reply({"message": message, **more}, status)

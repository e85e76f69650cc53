"""A real HTTP server inside the test process, on which the stand-ins for GitHub, GitLab and others are built.

It remembers every request, can answer wrongly at a chosen call, and is asked over a real socket.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. `cut`: send only so many bytes of the body, then close; `reset`: close without an answer; `hang`: never answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    reset: bool = False
    hang: bool = False


def json_reply(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer in JSON."""
    return Reply(status, json.dumps(data).encode(), {"content-type": "application/json; charset=utf-8", **(headers or {})})


Handler = Callable[[Request], Reply]


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # with the library's 5, threads that connect at once wait a second for each other

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is no fault: what would be printed of it could stand in the output of the next test."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Server:
    """Serves `handler` on a free port of 127.0.0.1 until closed; `faults` maps the index of a call (from 0) to the wrong answer that it gets."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[Request] = []
        self.faults: dict[int, Reply] = {}
        self.problems: list[str] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        outer = self

        class _Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body are two writes; without this the second waits 40 ms for the client's delayed acknowledgement.
            disable_nagle_algorithm = True

            def _any(self) -> None:
                outer._serve(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any  # noqa: N815 names of http.server

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the method's own signature
                """Say nothing."""

        self._server = _Listening(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop serving; answers that hang are dropped."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self, http: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(http.path)
        length = int(http.headers.get("content-length") or 0)
        request = Request(
            http.command, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in http.headers.items()}, http.rfile.read(length),
        )  # fmt: skip
        with self._lock:
            index = len(self.requests)
            self.requests.append(request)
            fault = self.faults.get(index)
            if fault is None:
                try:
                    reply = self.handler(request)
                except Exception as problem:  # noqa: BLE001 a fault of the stand-in must be seen by the test
                    self.problems.append(f"{request.method} {request.path}: {problem!r}")
                    reply = Reply(599, repr(problem).encode())
            else:
                reply = fault
        self._answer(http, reply)

    def _answer(self, http: BaseHTTPRequestHandler, reply: Reply) -> None:
        http.close_connection = reply.reset or reply.hang or reply.cut is not None
        if reply.hang:
            self._closing.wait()
            return
        if reply.reset:
            http.connection.shutdown(socket.SHUT_RDWR)
            return
        http.send_response(reply.status)
        for name, value in reply.headers.items():
            http.send_header(name, value)
        if "content-length" not in {name.lower() for name in reply.headers}:
            http.send_header("content-length", str(len(reply.body)))
        http.end_headers()
        if http.command != "HEAD":
            http.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])

"""A stand-in for the Gemini API and for Vertex AI, by REST: it checks every request against the published reference and answers by a script.

Source: the reference of `models.generateContent` and `models.streamGenerateContent` (v1beta) and its guides; written anew from them. JSON of protocol buffers
takes names in camel case and in snake case. A request that the service would refuse is refused, and stands in `problems`.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.servers.clock import FakeClock
from tests.servers.gemini_rules import Refusal, Rules, check_shape, in_camel_case
from tests.servers.http_server import Handler, Reply, Request, Server, json_reply

KEY = "AIzaSy-a-key-of-the-tests-0123456789abc"
TOKEN = "ya29.a-token-of-the-tests"
USAGE = {"promptTokenCount": 1200, "cachedContentTokenCount": 800, "candidatesTokenCount": 90, "thoughtsTokenCount": 40, "totalTokenCount": 1330}
_GEMINI = re.compile(r"(?P<prefix>/.*)?/(?P<version>v1[a-z0-9]*)/models/(?P<model>[^/:]+):(?P<method>generateContent|streamGenerateContent)")
_VERTEX = re.compile(
    r"(?P<prefix>/.*)?/(?P<version>v1[a-z0-9]*)/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/publishers/google/models/(?P<model>[^/:]+)"
    r":(?P<method>generateContent|streamGenerateContent)"
)
# What is answered

Piece = dict[str, Any]
Turn = Reply | list[Piece] | Callable[[Mapping[str, Any]], "Reply | list[Piece]"]


@dataclass(frozen=True, slots=True)
class Drip(Reply):
    """An answer that comes byte by byte, a step of the clock before each, and never ends; `head` only drips its header lines."""

    clock: FakeClock | None = None
    step: float = 1.0
    bytes: int = 40
    head: bool = False


def says(*texts: str, finish: str | None = "STOP", usage: Mapping[str, Any] | None = USAGE) -> list[Piece]:
    """An answer in pieces; without `finish` it just ends."""
    return _finished([{"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}]} for text in texts or ("",)], finish, usage)


def answers(data: Any) -> list[Piece]:
    """A structured answer, in two pieces."""
    text = json.dumps(data)
    return says(text[: len(text) // 2], text[len(text) // 2 :])


def call(name: str, arguments: Mapping[str, Any] | None = None, *, call_id: str = "", signature: bytes = b"") -> Piece:
    """A part that calls a function."""
    identity = {"id": call_id} if call_id else {}
    signed = {"thoughtSignature": base64.b64encode(signature).decode()} if signature else {}
    return {"functionCall": {"name": name, "args": dict(arguments or {}), **identity}, **signed}


def calls(*parts: Piece, text: str = "", usage: Mapping[str, Any] | None = USAGE) -> list[Piece]:
    """A turn that calls functions."""
    said = [{"text": text}] if text else []
    return _finished([{"candidates": [{"content": {"role": "model", "parts": [*said, *parts]}, "index": 0}]}], "STOP", usage)


def stops(reason: str, *blocked: str) -> list[Piece]:
    """An answer that is stopped, with the categories that were to blame."""
    pieces = says("half a sent", finish=reason)
    pieces[-1]["candidates"][0]["safetyRatings"] = [
        *({"category": category, "probability": "HIGH", "blocked": True} for category in blocked),
        {"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "NEGLIGIBLE"},
    ]
    return pieces


def refuses(reason: str) -> list[Piece]:
    """A prompt that is refused: there is no candidate."""
    return [{"promptFeedback": {"blockReason": reason}, "usageMetadata": {"promptTokenCount": 1200, "totalTokenCount": 1200}}]


def error(status: int, *details: Mapping[str, Any], message: str = "An error.", headers: Mapping[str, str] | None = None) -> Reply:
    """A google.rpc.Status."""
    return json_reply({"error": {"code": status, "message": message, "status": "ERROR_OF_TESTS", "details": list(details)}}, status, headers)


def sse(pieces: Iterable[Any]) -> bytes:
    """Server-sent events as the service sends them."""
    return b"".join(b"data: " + json.dumps(piece).encode() + b"\r\n\r\n" for piece in pieces)


def stream(body: bytes, content_type: str = "text/event-stream", *, cut: int | None = None) -> Reply:
    """Any bytes as the answer of a stream."""
    return Reply(200, body, {"content-type": content_type}, cut=cut)


def _finished(pieces: list[Piece], finish: str | None, usage: Mapping[str, Any] | None) -> list[Piece]:
    if finish:
        pieces[-1]["candidates"][0]["finishReason"] = finish
    for piece in pieces:
        piece |= {"modelVersion": "a-model-of-the-tests", "responseId": "response-1"}
    if usage:
        pieces[-1]["usageMetadata"] = dict(usage)
    return pieces


# The server


class GeminiServer:
    """Answers request by request as the script says, the last turn of it for ever; a turn may be a function of the request's JSON.

    `key` is asked for from the Gemini API, `token` from Vertex AI; `models` are those that exist (None: all); `prefix` stands before the version in the path.
    """

    def __init__(self, *script: Turn, key: str = KEY, token: str = TOKEN, models: frozenset[str] | None = None, prefix: str = "") -> None:
        self.script: list[Turn] = list(script)
        self.refused: list[str] = []
        self._key = key
        self._token = token
        self._models = models
        self._prefix = prefix
        self._signatures: set[str] = set()
        self._turn = 0
        self._server = _Dripping(self._answer)

    @property
    def url(self) -> str:
        """The address with the prefix, without a version."""
        return self._server.url + self._prefix

    @property
    def requests(self) -> list[Request]:
        """Every request as it came."""
        return self._server.requests

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The JSON of every request, with names in camel case."""
        return [in_camel_case(json.loads(request.body)) for request in self.requests if request.path.endswith("GenerateContent")]

    @property
    def problems(self) -> list[str]:
        """What was wrong about requests, or about the stand-in itself."""
        return [*self.refused, *self._server.problems]

    def sent(self) -> bytes:
        """All that ever came here, in one: paths, queries, headers and bodies."""
        return b"\n".join(
            b"\n".join([f"{request.method} {request.path} {dict(request.query)} {dict(request.headers)}".encode(), request.body]) for request in self.requests
        )

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def __enter__(self) -> GeminiServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def secured(self, secure: Callable[[Server], str]) -> str:
        """The address by https; `secure` is tests.servers.secure.secured with its certificates."""
        return secure(self._server) + self._prefix

    def _answer(self, request: Request) -> Reply:
        if request.path == "/token":  # of OAuth, for service accounts
            return json_reply({"access_token": self._token, "expires_in": 3600, "token_type": "Bearer"})
        try:
            found, body = self._checked(request)
        except Refusal as refusal:
            self.refused.append(str(refusal))
            return error(refusal.status, {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": refusal.reason}, message=str(refusal))
        turn = self.script[min(self._turn, len(self.script) - 1)]
        self._turn += 1
        made = turn(body) if callable(turn) else turn
        return made if isinstance(made, Reply) else self._told(made, found["method"] == "streamGenerateContent", request.query.get("alt") == "sse")

    def _told(self, pieces: list[Piece], streamed: bool, events: bool) -> Reply:
        self._signatures |= {part["thoughtSignature"] for piece in pieces for part in _parts_of(piece) if "thoughtSignature" in part}
        if not streamed:
            return json_reply(_whole(pieces))
        return stream(sse(pieces)) if events else json_reply(pieces)

    def _checked(self, request: Request) -> tuple[Mapping[str, str], dict[str, Any]]:
        path = request.path.removeprefix(self._prefix) if request.path.startswith(self._prefix) else ""
        found = _VERTEX.fullmatch(path) or _GEMINI.fullmatch(path)
        if found is None or found["prefix"] or request.method != "POST":
            raise Refusal(f"{request.method} {request.path} is no method.", 404)
        self._check_credential(request, vertex="/projects/" in path)
        if self._models is not None and found["model"] not in self._models:
            raise Refusal(f"models/{found['model']} is not found.", 404)
        body = json.loads(request.body)
        check_shape(body)
        body = in_camel_case(body)
        Rules(found["model"], self._signatures).check(body)
        return found.groupdict(), body

    def _check_credential(self, request: Request, *, vertex: bool) -> None:
        if "key" in request.query:
            raise Refusal("The key stands in the address, where it gets into logs.", 400)
        if vertex and request.headers.get("authorization") != f"Bearer {self._token}":
            raise Refusal("The token is missing or wrong.", 401)
        if not vertex and request.headers.get("x-goog-api-key") != self._key:
            raise Refusal("API key not valid.", 400, "API_KEY_INVALID")


class _Dripping(Server):
    def __init__(self, handler: Handler) -> None:
        super().__init__(handler)
        # A client that goes away in the middle is what many tests want; what is wrong with the stand-in itself stands in `problems`.
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]

    def _answer(self, http: BaseHTTPRequestHandler, reply: Reply) -> None:
        if not isinstance(reply, Drip):
            super()._answer(http, reply)
            return
        http.close_connection = True
        http.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n" + (b"x-slow: " if reply.head else b"transfer-encoding: chunked\r\n\r\n"))
        with contextlib.suppress(OSError):  # the client goes away when it has had enough
            for _ in range(reply.bytes):
                if reply.clock:
                    reply.clock.advance(reply.step)
                http.wfile.write(b"x" if reply.head else b"1\r\nd\r\n")
                http.wfile.flush()
            self._closing.wait()


def _parts_of(piece: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [part for candidate in piece.get("candidates", []) for part in candidate.get("content", {}).get("parts", [])]


def _whole(pieces: list[Piece]) -> Piece:
    """All pieces as one answer."""
    last = json.loads(json.dumps(pieces[-1]))
    if last.get("candidates"):
        last["candidates"][0]["content"] = {"role": "model", "parts": [part for piece in pieces for part in _parts_of(piece)]}
    return dict(last)

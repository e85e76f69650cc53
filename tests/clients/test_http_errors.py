"""Errors are of the kind that says what the user can do, name the service and the deed, and never hold a credential."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.servers.calling import SHORT, TOKEN, calling
from tests.servers.clock import FakeClock
from tests.servers.http_server import Reply, Server, json_reply
from tests.servers.wire import Wire

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import Http, Service
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, RateLimited, Refused, Rejected, ServiceError, Unavailable

NO_PERMISSION = {"message": "Resource not accessible by integration", "documentation_url": "https://docs.example"}
INVALID = {"message": "Validation Failed", "errors": [{"resource": "Issue", "code": "missing_field", "field": "title"}, {"message": "body is too long"}]}


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (json_reply({"message": "Bad credentials"}, 401), NotAllowed,
         "GitHub: GET /x was refused (401): Bad credentials. Check that the token is set, complete and not expired."),
        (json_reply(NO_PERMISSION, 403), NotAllowed,
         "GitHub: GET /x was refused (403): Resource not accessible by integration. Give the token the permission for it."),
        (json_reply({"message": "Not Found"}, 404), NotFound, "GitHub: GET /x found nothing (404): Not Found. Check the name and the address"),
        (json_reply({"message": "Gone"}, 410), NotFound, "GitHub: GET /x found nothing (410): Gone."),
        (json_reply({"message": "Conflict"}, 409), Rejected, "GitHub: GET /x was rejected (409): Conflict."),
        (json_reply(INVALID, 422), Rejected, "GitHub: GET /x was rejected (422): Validation Failed; missing_field; body is too long."),
        (json_reply({"message": {"base": ["is taken"]}}, 400), Rejected, 'was rejected (400): {"base": ["is taken"]}.'),
        (json_reply({"error": "invalid_token", "error_description": "Token was revoked."}, 401), NotAllowed, "(401): Token was revoked. Check"),
        (json_reply({"error": "insufficient_scope"}, 403), NotAllowed, "(403): insufficient_scope."),
        (Reply(400, b"Bad job name\n", {"content-type": "text/plain"}), Rejected, "(400): Bad job name."),
        (Reply(400, b"<html>no</html>", {"content-type": "text/html"}), Rejected, "was rejected (400)."),
        (Reply(400, b"x" * 5000, {"content-type": "text/plain"}), Rejected, "was rejected (400)."),
        (json_reply({"id": 1}, 400), Rejected, "was rejected (400)."),
        (json_reply([1], 400), Rejected, "was rejected (400)."),
        (json_reply({"message": ["x"], "errors": "x"}, 400), Rejected, '(400): ["x"].'),
        (Reply(400, b'{"message": "cut', {"content-type": "application/json"}), Rejected, "was rejected (400)."),
        (Reply(400, b"[" * 60_000), Rejected, "was rejected (400)."),
        (Reply(500, b"<html>"), Unavailable, "GitHub: GET /x failed (500). The service has trouble; try again later."),
        (Reply(501), Unavailable, "failed (501)"),
        (Reply(599), Unavailable, "failed (599)"),
        (Reply(304), BadAnswer, "status 304, which makes no sense"),
        (Reply(300), BadAnswer, "status 300, which makes no sense"),
        (Reply(429, headers={"retry-after": "400"}), RateLimited, "has to wait 400 s"),
        (Reply(reset=True), Unavailable, "GitHub: GET /x failed: the connection broke off. Is the network up, and 127.0.0.1 reachable from here?"),
        (Reply(hang=True), Unavailable, "GitHub: GET /x failed: no answer in time."),
        (Reply(200, b"{}" * 10, cut=3), Unavailable, "the connection broke off"),
        (Reply(200, b"no gzip", {"content-encoding": "gzip"}), Unavailable, "cut or damaged"),
        (Reply(200, b"{}", {"content-encoding": "br"}), Unavailable, "cut or damaged"),
        (Reply(200, b"<html>"), BadAnswer, "a web page"),
    ],
)  # fmt: skip
def test_each_failure_has_its_kind_and_words(reply: Reply, error: type[ServiceError], text: str) -> None:
    with Server(lambda _: reply) as server, calling(server.url, timeouts=SHORT if reply.hang else None) as it, pytest.raises(error) as caught:
        it.http.get_json("/x", {"token": TOKEN})
    assert type(caught.value) is error
    assert text in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_the_client_says_what_was_asked_and_what_to_do() -> None:
    seen: list[tuple[str, str, int]] = []

    def advice(method: str, path: str, status: int) -> str:
        seen.append((method, path, status))
        return "Add `actions: read` to the job's permissions."

    clock = FakeClock()
    with Server(lambda _: json_reply(NO_PERMISSION, 403)) as server:
        service = Service("GitHub", f"{server.url}/api/v3", advice=advice, naming=lambda _method, path: f"reading the jobs of run {path.split('/')[-2]}")
        http = Http(service, clock, Budget(clock, 60))
        with pytest.raises(NotAllowed, match=r"^GitHub: reading the jobs of run 12 was refused \(403\): .*\. Add `actions: read` to the job's permissions\.$"):
            list(http.pages(f"{server.url}/api/v3/repos/o/r/runs/12/jobs?page=2"))
        http.close()
    assert seen == [("GET", "/repos/o/r/runs/12/jobs", 403)]


def test_words_of_the_service_come_in_one_visible_short_line() -> None:
    hostile = "::error::a\r\nb\x1b[31m\u202e\u2028c" + "x" * 500
    with Server(lambda _: json_reply({"message": hostile}, 400)) as server, calling(server.url) as it, pytest.raises(Rejected) as caught:
        it.http.get("/x")
    text = str(caught.value)
    assert "::error::a b" in text
    assert len(text) < 300
    assert all(character.isprintable() for character in text)


def test_a_token_that_cannot_be_sent_is_refused_without_its_text() -> None:
    for token in (f"{TOKEN}\n", f"{TOKEN}\r\nx: y", f"{TOKEN}é", f" {TOKEN}", "", f"{TOKEN}\0"):
        clock = FakeClock()
        http = Http(Service("GitHub", "https://github.example", {"authorization": token}), clock, Budget(clock, 1))
        with pytest.raises(NotAllowed, match="authorization holds characters that cannot be sent") as caught:
            http.get("/x")
        http.close()
        assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_a_header_of_one_call_that_cannot_be_sent_is_refused_without_its_text() -> None:
    with Server(lambda _: Reply()) as server, calling(server.url) as it:
        with pytest.raises(Refused, match="cannot be sent as it is") as caught:
            it.http.get("/x", headers={"x-y": f"{TOKEN}\r\nz: 1"})
        assert TOKEN not in "".join(traceback.format_exception(caught.value))
        assert server.requests == []


@pytest.mark.parametrize("login", ["!!!-no-base64-!!!", base64.b64encode(b"\xff" * 6).decode()])
def test_a_login_that_is_no_basic_login_is_hidden_as_it_is(login: str) -> None:
    echo = Server(lambda request: json_reply({"message": request.headers["authorization"]}, 401))
    with echo, calling(echo.url, headers={"authorization": f"Basic {login}"}) as it, pytest.raises(NotAllowed) as caught:
        it.http.get("/x")
    assert login not in str(caught.value)


def test_a_service_is_shown_without_its_secrets() -> None:
    service = Service("Slack", f"https://h.example/{TOKEN}", {"authorization": TOKEN}, secrets=(TOKEN,))
    assert TOKEN not in repr(service)


TOKENS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=12, max_size=40).filter(lambda token: not token.isalpha())
LOGIN = "doctor"


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"{LOGIN}:{token}".encode()).decode()


Answering = Callable[[str], Reply]
# What a server may do with the token that it was given.
ECHOES: list[Answering] = [
    lambda token: json_reply({"message": f"the token {token} is wrong"}, 401),
    lambda token: json_reply({"message": {"token": token}}, 403),
    lambda token: json_reply({"message": "x", "errors": [token, {"message": token}]}, 422),
    lambda token: Reply(400, f"{token} is wrong".encode(), {"content-type": "text/plain"}),
    lambda token: Reply(400, (" " * 4080 + token).encode(), {"content-type": "text/plain"}),
    lambda token: Reply(400, (token[:6] + "\u200b" + token[6:]).encode(), {"content-type": "text/plain"}),
    lambda token: Reply(404, quote(token, safe="").encode(), {"content-type": "text/plain"}),
    lambda token: Reply(429, token.encode(), {"retry-after": "9999"}),
    lambda token: Reply(302, headers={"location": f"/y?token={quote(token, safe='')}"}),
    lambda token: Reply(302, headers={"location": f"https://169.254.169.254/{quote(token, safe='')}"}),
    lambda token: Reply(302, headers={"location": f"https://{quote(token, safe='')}@h.example/"}),
    lambda token: Reply(302, headers={"location": f"http://h.example/{quote(token, safe='')}?t={quote(token, safe='')}"}),
    lambda token: Reply(200, token.encode()),
    lambda token: Reply(500, json.dumps({"error": token}).encode()),
    lambda token: json_reply([], headers={"link": f'<https://h.example/?t={quote(token, safe="")}>; rel="next"'}),
]  # fmt: skip


class Echoing:
    """A server whose answer can be changed between examples."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.server = Server(lambda _: self.reply)


@pytest.fixture(scope="module")
def echoing() -> object:
    echo = Echoing()
    yield echo
    echo.server.close()


@settings(max_examples=120)
@given(token=TOKENS, answering=st.sampled_from(ECHOES), basic_login=st.booleans(), write=st.booleans())
def test_no_error_holds_the_token_whatever_the_server_does_with_it(echoing: Echoing, token: str, answering: Answering, basic_login: bool, write: bool) -> None:
    echoing.reply = answering(token)
    header = basic(token) if basic_login else f"Bearer {token}"
    with calling(echoing.server.url, headers={"authorization": header}) as it:
        try:
            if write:
                it.http.send("POST", "/x", {"a": 1}).json()
            else:
                list(it.http.pages("/x", {"t": token}))
        except ServiceError as error:
            texts = [str(error), repr(error), "".join(traceback.format_exception(error))]
            for retry in it.retries:
                texts.append(repr(retry))
            assert not [text for text in texts if token in text or header in text or quote(token, safe="") in text]


@pytest.mark.parametrize(
    "piece", [b"HTTP/1.1 200 OK\r\nx: \0\r\n\r\n", b"HTTP/9 200\r\n\r\n", b"\x16\x03\x01", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 30_000, b""]
)
def test_an_answer_that_is_not_http_is_a_broken_connection(piece: bytes) -> None:
    with Wire(lambda _: iter([piece])) as wire, calling(wire.url) as it, pytest.raises(Unavailable, match="the connection broke off"):
        it.http.send("POST", "/x", {})


def test_logging_at_its_finest_shows_no_token_and_no_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), Server(lambda _: Reply(200, b"{}")) as server, calling(server.url) as it:
        server.faults[0] = Reply(302, headers={"location": "/y?sig=s3cret-of-the-query"})
        it.http.get("/x", {"sig": "s3cret-of-the-query"})
    assert TOKEN not in caplog.text
    assert "s3cret-of-the-query" not in caplog.text


REFUSALS = st.sampled_from([401, 403, 404, 410, 409, 422, 429, 500, 502, 503])


@given(status=REFUSALS, body=st.binary(max_size=200), kind=st.sampled_from(["application/json", "text/plain", "text/html", ""]))
def test_any_body_of_a_refusal_becomes_an_error_of_ours(echoing: Echoing, status: int, body: bytes, kind: str) -> None:
    echoing.reply = Reply(status, body, {"content-type": kind})
    with calling(echoing.server.url) as it, pytest.raises(ServiceError, match=r"^GitHub: POST /x "):
        it.http.send("POST", "/x", {})


def test_refusals_of_ours_are_not_tried_again() -> None:
    with Server(lambda _: Reply(200, b"x" * 100)) as server, calling(server.url) as it:
        with pytest.raises(Refused):
            it.http.get("/x", most=10)
        assert it.clock.slept == []

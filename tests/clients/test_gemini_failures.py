"""Whatever Gemini, a gateway or the network does: one sentence, in time, without the key, the prompt or a word of the model."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.servers.clock import FakeClock
from tests.servers.gemini import KEY, Drip, GeminiServer, Turn, answers, call, calls, error, refuses, says, sse, stops, stream
from tests.servers.http_server import Reply

from cicd_agents.clients.gemini import MAX_TRIES, Gemini
from cicd_agents.clients.gemini_access import GeminiAccess
from cicd_agents.clients.gemini_failures import GeminiFailed
from cicd_agents.clients.http_retry import Retry
from cicd_agents.domain import advice
from cicd_agents.domain.advice import ModelFailed, ModelRequest, Usage

PROMPT = "the-prompt-of-the-tests"
WORDS = "words-of-the-model"
ASKED = ModelRequest("gemini-2.5-flash", "You explain.", (advice.Turn("user", PROMPT),), (), {"type": "object"}, 0.2, 4096, 20.0)
INVALID_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
SPENT = Usage(prompt=1200, cached=800, output=90, thoughts=40)
HTML = b"<html><body>Log in</body></html>"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def silent(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is printed or logged, whatever happens."""
    caplog.set_level(logging.WARNING)
    yield
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def failed(*script: Turn, asked: ModelRequest = ASKED, clock: FakeClock | None = None, most: int = 1 << 20, **access: Any) -> tuple[GeminiFailed, GeminiServer]:
    """The failure that a script leads to, which holds no secret, and what came to the server."""
    with GeminiServer(*script) as server:
        gemini = Gemini(GeminiAccess(**{"key": KEY, "base_url": server.url, **access}), clock or FakeClock(), most=most)
        with pytest.raises(ModelFailed) as caught:
            gemini.reply(asked)
        said = str(caught.value)
        assert not {secret for secret in (KEY, PROMPT, WORDS, "half a sent", "An error") if secret in said + repr(caught.value)}
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
        assert said.startswith("Gemini: ")
        assert "\n" not in said
        assert isinstance(caught.value, GeminiFailed)
        return caught.value, server


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error(400, INVALID_KEY, message=f"API key not valid: {KEY}"), "refused (400); check GEMINI_API_KEY"),
        (error(400, message=PROMPT), "rejected (400)"),
        (error(401), "refused (401); check GEMINI_API_KEY"),
        (error(403), "may not use this model (403)"),
        (error(404), "the model gemini-2.5-flash is not known there (404)"),
        (error(413), "too long (413)"),
        (Reply(302, headers={"location": f"http://127.0.0.1:9/?{KEY}"}), "redirected (302)"),
        (Reply(401, HTML, {"content-type": "text/html"}), "refused (401)"),
        (Reply(400, b'"text"', {"content-type": "application/json"}), "rejected (400)"),
        (Reply(418, b"[]", {"content-type": "application/json"}), "rejected (418)"),
    ],
)  # fmt: skip
def test_a_refusal_is_said_with_what_to_do_and_not_tried_again(answer: Reply, words: str) -> None:
    problem, server = failed(answer)
    assert words in str(problem)
    assert len(server.requests) == 1


BUSY = Reply(503, HTML, {"content-type": "text/html"})


@pytest.mark.parametrize(
    ("answer", "slept"),
    [
        (error(429), [1.0, 2.0]),
        (error(500), [1.0, 2.0]),
        (error(503), [1.0, 2.0]),
        (replace(BUSY, status=429), [1.0, 2.0]),
        (replace(BUSY, headers={"content-type": "text/html", "retry-after": "3"}), [3.0, 3.0]),
    ],
    ids=["429", "500", "503", "a gateway's 429", "a gateway's 503 that says when to come again"],
)  # fmt: skip
def test_what_may_pass_and_was_surely_not_paid_for_is_tried_a_few_times(answer: Reply, slept: list[float]) -> None:
    clock = FakeClock()
    problem, server = failed(answer, clock=clock)
    assert f"({answer.status})" in str(problem)
    assert (len(server.requests), clock.slept) == (MAX_TRIES, slept)
    assert not problem.untold


@pytest.mark.parametrize(
    "answer",
    [error(408), error(502), error(504), BUSY, replace(BUSY, status=500), Reply(503, b'{"error": "x"}'), Reply(500, b'{"error": {"code": 500}}')],
    ids=["408", "502", "504", "a gateway's 503", "a gateway's 500", "no status", "half a status"],
)
def test_what_may_have_been_answered_and_lost_on_its_way_is_not_paid_for_twice_and_counts(answer: Reply) -> None:
    problem, server = failed(answer)
    assert f"({answer.status})" in str(problem)
    assert len(server.requests) == 1
    assert problem.untold


def test_a_try_after_a_failure_can_succeed_and_is_noted() -> None:
    heard: list[Retry] = []
    with GeminiServer(error(503), answers({"a": 1})) as server:
        reply = Gemini(GeminiAccess(KEY, base_url=server.url), FakeClock(), note=heard.append).reply(ASKED)
    assert json.loads(reply.text) == {"a": 1}
    assert [(retry.service, retry.wait, retry.attempt) for retry in heard] == [("Gemini", 1.0, 2)]


@pytest.mark.parametrize(
    ("answer", "waited"),
    [
        (error(429, headers={"retry-after": "7"}), [7.0, 7.0]),
        (error(429, {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "4.25s"}), [5.0, 5.0]),
        (error(429, {"retryDelay": "21s"}), []),
        (error(429, headers={"retry-after": "99999"}), []),
    ],
)  # fmt: skip
def test_the_service_says_how_long_to_wait_and_a_wait_beyond_the_time_is_none(answer: Reply, waited: list[float]) -> None:
    clock = FakeClock()
    problem, _ = failed(answer, clock=clock)
    assert "(429)" in str(problem)
    assert clock.slept == waited


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (stops("SAFETY", "HARM_CATEGORY_DANGEROUS_CONTENT"), "stopped by a safety filter (dangerous content)."),
        (stops("SAFETY", "HARM_CATEGORY_NEWLY_MADE"), "stopped by a safety filter."),
        (stops("RECITATION"), "the filter for recited text"),
        (stops("MALFORMED_FUNCTION_CALL"), "a malformed function call"),
        (stops("MAX_TOKENS"), "the limit of tokens"),
        (stops(WORDS), "something that is not known here"),
        (stops("CONTINUATION"), "something that is not known here"),
    ],
)  # fmt: skip
def test_a_stopped_answer_is_no_answer_but_is_paid_for(pieces: list[dict[str, Any]], words: str) -> None:
    problem, server = failed(pieces)
    assert words in str(problem)
    assert problem.usage == SPENT
    assert len(server.requests) == 1


@pytest.mark.parametrize(("reason", "words"), [("PROHIBITED_CONTENT", "prohibited content"), ("BLOCKLIST", "forbidden terms"), (WORDS, "not known here")])
def test_a_refused_prompt_is_said(reason: str, words: str) -> None:
    problem, _ = failed(refuses(reason))
    assert str(problem).startswith("Gemini: the question was refused by ")
    assert words in str(problem)
    assert problem.usage == Usage(prompt=1200)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (stream(HTML, "text/html; charset=utf-8"), "a web page"),
        (stream(HTML), "not what the API describes"),
        (stream(b"", "application/json"), "broke off"),
        (stream(b"data: {\"candidates\": [{\"conte\r\n\r\n"), "not what the API describes"),
        (stream(b"data: [1]\r\n\r\n"), "not what the API describes"),
        (stream(b"data: null\r\n\r\n"), "not what the API describes"),
        (stream(sse([{"candidates": "words-of-the-model"}])), "broke off"),
        (stream(sse([{"candidates": [{"content": {"parts": [{"text": {"x": WORDS}}]}}]}])), "not what the API describes"),
        (stream(sse([{"candidates": [{"finishReason": 7}]}])), "not what the API describes"),
        (stream(sse([{"usageMetadata": {"promptTokenCount": WORDS}}])), "not what the API describes"),
        (stream(sse([{"error": {"code": 503, "message": WORDS}}])), "the service failed (503)"),
        (stream(sse([{"error": WORDS}])), "not what the API describes"),
        (stream(sse([{"error": {"code": "503"}}])), "not what the API describes"),
        (stream(b"data: " + b"[" * 100_000 + b"\r\n\r\n"), "not what the API describes"),
        (stream(b"\xff\xfe" * 100), "not what the API describes"),
        (Reply(200, b"x", {"content-type": "text/event-stream", "content-encoding": "gzip"}), "a web page, or packed"),
        (Reply(204, b""), "the service reported an error"),
    ],
)  # fmt: skip
def test_an_answer_of_another_kind_is_junk(answer: Reply, words: str) -> None:
    problem, server = failed(answer)
    assert words in str(problem)
    assert len(server.requests) == 1


def test_an_answer_in_the_old_way_without_events_is_junk_not_a_crash() -> None:
    problem, _ = failed(Reply(200, json.dumps(says("x")).encode(), {"content-type": "application/json"}))
    assert "not what the API describes" in str(problem)


def test_a_stream_that_ends_before_the_model_did_is_seen_and_not_paid_for_twice() -> None:
    problem, server = failed(says("half a sent", "ence", finish=None))
    assert "broke off before its end" in str(problem)
    assert (problem.usage, len(server.requests)) == (SPENT, 1)


def test_a_stream_that_is_cut_is_seen_and_not_paid_for_twice() -> None:
    body = sse(says("half a sent", "ence"))
    problem, server = failed(stream(body, cut=len(body) // 2))
    assert "broke off before its end" in str(problem)
    assert len(server.requests) == 1


def test_a_connection_that_breaks_before_an_answer_may_have_been_paid_for_and_is_not_tried_again() -> None:
    problem, server = failed(Reply(reset=True))
    assert "broke off before an answer came" in str(problem)
    assert len(server.requests) == 1


def test_nobody_at_the_address_is_tried_again() -> None:
    clock = FakeClock()
    problem, _ = failed(says("x"), clock=clock, base_url="http://127.0.0.1:9")
    assert "no connection to the server" in str(problem)
    assert clock.slept == [1.0, 2.0]


def test_too_large_an_answer_is_not_read_on() -> None:
    problem, server = failed(says("x" * 5000), most=2000)
    assert "larger than may be read" in str(problem)
    assert len(server.requests) == 1


def test_too_large_an_error_is_not_read_on() -> None:
    assert "larger than may be read" in str(failed(error(500, message="x" * 5000), most=2000)[0])


@pytest.mark.parametrize("head", [False, True])
def test_a_server_that_drips_is_left_when_the_time_is_over(head: bool) -> None:
    clock = FakeClock()
    problem, server = failed(Drip(clock=clock, head=head), clock=clock)
    assert "no whole answer within 20 s" in str(problem)
    assert len(server.requests) == 1


def test_a_server_that_says_nothing_is_left_when_the_time_is_over() -> None:
    problem, _ = failed(Reply(hang=True), asked=ModelRequest("gemini-2.5-flash", "s", ASKED.turns, (), {}, 0.2, 99, 0.3))
    assert "no whole answer within 0.3 s" in str(problem)


def test_no_time_is_no_call() -> None:
    problem, server = failed(says("x"), asked=ModelRequest("gemini-2.5-flash", "s", ASKED.turns, (), {}, 0.2, 99, 0.0))
    assert "no whole answer within 0 s" in str(problem)
    assert server.requests == []


def test_tries_end_with_the_time_of_the_request() -> None:
    clock = FakeClock()
    problem, server = failed(error(503), clock=clock, asked=ModelRequest("gemini-2.5-flash", "s", ASKED.turns, (), {}, 0.2, 99, 2.5))
    assert "(503)" in str(problem)
    assert (len(server.requests), clock.slept) == (2, [1.0])


@pytest.mark.parametrize(
    ("script", "untold"),
    [
        ([Reply(reset=True)], True),
        ([error(503), Reply(reset=True)], True),
        ([error(503)], False),
        ([error(429, headers={"retry-after": "99999"})], False),
        ([error(403)], False),
        ([says("half a sent", finish=None, usage=None)], True),
        ([says("half a sent", finish=None)], False),  # the pieces told what they took
        ([stops("SAFETY")], False),
        ([stream(b"data: {}\r\n\r\n")], True),
        ([stream(sse([{"error": {"code": 503, "status": "UNAVAILABLE"}}]))], True),  # in the middle of an answer
        ([Reply(200, HTML, {"content-type": "text/html"})], True),
        ([Reply(302, headers={"location": "http://127.0.0.1:9/"})], False),
    ],
)  # fmt: skip
def test_a_question_that_may_have_been_paid_for_without_a_word_of_its_tokens_is_counted(script: list[Turn], untold: bool) -> None:
    assert failed(*script)[0].untold is untold


def test_a_question_that_never_arrived_cost_nothing_and_one_that_was_left_may_have() -> None:
    assert not failed(says("x"), base_url="http://127.0.0.1:9")[0].untold
    assert not failed(says("x"), key="")[0].untold
    clock = FakeClock()
    assert failed(Drip(clock=clock), clock=clock)[0].untold


@pytest.mark.parametrize(
    ("access", "words"),
    [
        ({"base_url": "http://gateway.example/gemini"}, "gateway.example would be called without TLS"),
        ({"base_url": "https://user:pass-word@gateway.example"}, "holds a user name or password"),
        ({"base_url": "https://169.254.169.254/"}, "never called"),
        ({"base_url": "ftp://gateway.example"}, "must begin with https://"),
        ({"base_url": "https://gateway.example/?key=1"}, "nothing after"),
        ({"key": ""}, "there is no key"),
        ({"key": "two\nlines"}, "characters that cannot be sent"),
        ({"key": "schlüssel"}, "characters that cannot be sent"),
        ({"api_version": "../v1"}, "version of the API"),
        ({"project": "p/../q"}, "not a name of one"),
        ({"project": "p", "location": "evil.example/"}, "not a name of one"),
    ],
)  # fmt: skip
def test_an_access_that_cannot_be_is_refused_before_anything_is_sent(access: dict[str, Any], words: str) -> None:
    problem, server = failed(says("x"), **access)
    assert words in str(problem)
    assert server.requests == []


@pytest.mark.parametrize("name", ["", "../../other", "gemini?x=1", "a b", "models/../x", "x" * 200])
def test_a_name_that_leads_to_another_path_is_no_model(name: str) -> None:
    problem, server = failed(says("x"), asked=ModelRequest(name, "s", ASKED.turns, (), {}, 0.2, 99, 20.0))
    assert "the name of the model is none" in str(problem)
    assert server.requests == []


def test_hostile_calls_are_given_on_as_they_are_or_refused() -> None:
    odd = call("rm -rf /", {"__class__": {"x": [1, None]}}, call_id="x" * 500)
    with GeminiServer(calls(odd)) as server:
        reply = Gemini(GeminiAccess(KEY, base_url=server.url), FakeClock()).reply(ASKED)
    assert reply.calls[0].arguments == {"__class__": {"x": [1, None]}}
    pieces = calls(odd)
    pieces[0]["candidates"][0]["content"]["parts"][0]["functionCall"]["args"] = "text"
    assert "not what the API describes" in str(failed(pieces)[0])


def test_without_google_genai_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.genai", None)
    assert "Install `cicd-agents[llm]`" in str(failed(says("x"))[0])

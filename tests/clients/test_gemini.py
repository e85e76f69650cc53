"""Gemini by google-genai's real client: what is asked, what comes back, and that a conversation goes on as the service wants it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.servers.clock import FakeClock
from tests.servers.gemini import KEY, GeminiServer, answers, call, calls, says
from tests.servers.gemini_rules import Refusal, Rules, check_shape

from cicd_agents.clients.gemini import Gemini
from cicd_agents.clients.gemini_access import GeminiAccess
from cicd_agents.domain.advice import LanguageModel, ModelRequest, ToolCall, ToolSpec, Turn, Usage

SCHEMA = {
    "type": "object",
    "properties": {"narrative": {"type": "string", "maxLength": 2000}, "maxLength": {"type": "integer"}},
    "required": ["narrative"],
    "additionalProperties": False,
}
TOOL = ToolSpec("read_log", "More lines.", {"type": "object", "properties": {"first": {"type": "integer", "minimum": 1}}, "required": ["first"]})
ASKED = ModelRequest("gemini-2.5-flash", "You explain.", (Turn("user", "Why did it fail?"),), (TOOL,), SCHEMA, 0.2, 8192, 20.0)
ANSWER = {"narrative": "The test failed."}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer(answers(ANSWER)) as gemini:
        yield gemini
        assert gemini.problems == []


def model(server: GeminiServer, **access: Any) -> LanguageModel:
    return Gemini(GeminiAccess(**{"key": KEY, "base_url": server.url, **access}), FakeClock())


def test_an_answer_comes_whole_out_of_its_pieces_with_what_it_used(server: GeminiServer) -> None:
    reply = model(server).reply(ASKED)
    assert json.loads(reply.text) == ANSWER
    assert (reply.calls, reply.usage, reply.finish) == ((), Usage(prompt=1200, cached=800, output=90, thoughts=40), "STOP")


def test_the_fixed_part_stands_alone_in_the_system_instruction(server: GeminiServer) -> None:
    model(server).reply(ASKED)
    assert server.bodies[0]["systemInstruction"]["parts"] == [{"text": "You explain."}]
    assert server.bodies[0]["contents"] == [{"role": "user", "parts": [{"text": "Why did it fail?"}]}]


def test_an_older_model_gets_the_functions_first_and_the_schema_in_the_turn_without(server: GeminiServer) -> None:
    model(server).reply(ASKED)
    model(server).reply(replace(ASKED, tools=()))
    first, last = server.bodies
    assert [tool["name"] for tool in first["tools"][0]["functionDeclarations"]] == ["read_log"]
    assert "responseJsonSchema" not in first["generationConfig"]
    assert "tools" not in last
    assert last["generationConfig"]["responseMimeType"] == "application/json"
    assert last["generationConfig"]["responseJsonSchema"]["required"] == ["narrative"]


def test_a_newer_model_gets_functions_and_schema_at_once(server: GeminiServer) -> None:
    model(server).reply(replace(ASKED, model="gemini-3.5-flash-lite"))
    assert server.bodies[0]["tools"]
    assert server.bodies[0]["generationConfig"]["responseJsonSchema"]


def test_a_schema_loses_the_keywords_that_the_service_does_not_know_and_no_property(server: GeminiServer) -> None:
    model(server).reply(replace(ASKED, tools=()))
    assert server.bodies[0]["generationConfig"]["responseJsonSchema"]["properties"] == {"narrative": {"type": "string"}, "maxLength": {"type": "integer"}}


@pytest.mark.parametrize(
    ("name", "most", "expected"),
    [
        ("gemini-2.5-flash", 8192, {"temperature": 0.2, "maxOutputTokens": 8192, "thinkingConfig": {"thinkingBudget": 2048}}),
        ("gemini-2.5-flash-lite", 1000, {"temperature": 0.2, "maxOutputTokens": 1000, "thinkingConfig": {"thinkingBudget": 512}}),
        ("gemini-2.5-pro", 65536, {"temperature": 0.2, "maxOutputTokens": 65536, "thinkingConfig": {"thinkingBudget": 8192}}),
        ("gemini-3.8-flash", 8192, {"maxOutputTokens": 8192, "thinkingConfig": {"thinkingLevel": "LOW"}}),
        ("gemini-flash-latest", 8192, {"maxOutputTokens": 8192, "thinkingConfig": {"thinkingLevel": "LOW"}}),
        ("our-own-model", 8192, {"temperature": 0.2, "maxOutputTokens": 8192}),
    ],
)
def test_temperature_limit_and_thinking_are_what_the_generation_takes(name: str, most: int, expected: dict[str, Any]) -> None:
    with GeminiServer(answers(ANSWER)) as server:
        model(server).reply(replace(ASKED, model=name, max_tokens=most, tools=(), schema={}))
        assert server.problems == []
        assert server.bodies[0]["generationConfig"] == expected


def test_calls_go_back_with_ids_signatures_and_results_in_order() -> None:
    script = calls(call("read_log", {"first": 7}, call_id="c1", signature=b"\xfb\xffopaque"), call("read_log", {"first": 9}, call_id="c2"), text="Let me see.")
    with GeminiServer(script, answers(ANSWER)) as server:
        asked = replace(ASKED, model="gemini-3.5-flash")
        first = model(server).reply(asked)
        assert first.text == "Let me see."
        assert first.calls == (ToolCall("read_log", {"first": 7}, "c1", b"\xfb\xffopaque"), ToolCall("read_log", {"first": 9}, "c2"))
        said = Turn("model", first.text, first.calls)
        results = Turn("user", results=((first.calls[0], "line 7"), (first.calls[1], "line 9")))
        model(server).reply(replace(asked, turns=(*asked.turns, said, results)))
        assert server.problems == []
        assert server.bodies[1]["contents"][2]["parts"] == [
            {"functionResponse": {"name": "read_log", "response": {"output": "line 7"}, "id": "c1"}},
            {"functionResponse": {"name": "read_log", "response": {"output": "line 9"}, "id": "c2"}},
        ]


def test_calls_without_ids_go_back_without(server: GeminiServer) -> None:
    server.script.insert(0, calls(call("read_log")))
    first = model(server).reply(ASKED)
    turns = (*ASKED.turns, Turn("model", calls=first.calls), Turn("user", results=((first.calls[0], "line 1"),)))
    model(server).reply(replace(ASKED, turns=turns))
    assert "id" not in server.bodies[1]["contents"][1]["parts"][0]["functionCall"]


def test_neighbours_of_one_role_are_sent_as_one(server: GeminiServer) -> None:
    model(server).reply(replace(ASKED, turns=(*ASKED.turns, Turn("model"), Turn("user", "Answer now."))))
    assert server.bodies[0]["contents"] == [{"role": "user", "parts": [{"text": "Why did it fail?"}, {"text": "Answer now."}]}]


def test_thoughts_are_no_part_of_the_text() -> None:
    pieces = says("shown")
    pieces[0]["candidates"][0]["content"]["parts"].insert(0, {"text": "hidden", "thought": True})
    with GeminiServer(pieces) as server:
        assert model(server).reply(ASKED).text == "shown"


def test_a_count_below_zero_is_none() -> None:
    with GeminiServer(says("x", usage={"promptTokenCount": -5, "candidatesTokenCount": 3})) as server:
        assert model(server).reply(ASKED).usage == Usage(output=3)


def test_another_endpoint_is_called_below_its_path_and_version() -> None:
    with GeminiServer(answers(ANSWER), prefix="/gateway/google") as server:
        model(server).reply(ASKED)
        model(server, base_url=f"{server.url}/v1/").reply(ASKED)
        model(server, api_version="v1alpha").reply(ASKED)
        assert server.problems == []
        assert [request.path for request in server.requests] == [
            f"/gateway/google/{version}/models/gemini-2.5-flash:streamGenerateContent" for version in ("v1beta", "v1", "v1alpha")
        ]


def test_the_environment_sends_nothing_elsewhere(server: GeminiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9", "GOOGLE_GENAI_USE_VERTEXAI": "true", "GOOGLE_API_KEY": "another", "GOOGLE_CLOUD_PROJECT": "other",
        "GOOGLE_GENAI_CLIENT_MODE": "record", "GOOGLE_GENAI_REPLAYS_DIRECTORY": str(tmp_path), "GOOGLE_GENAI_API_VERSION": "v9",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    model(server).reply(ASKED)
    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_but_the_request_and_the_key_is_sent(server: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "planted-canary-1")
    model(server, key=f" {KEY}\n").reply(ASKED)
    sent = server.sent()
    assert b"planted-canary-1" not in sent
    assert sent.count(KEY.encode()) == 1
    assert set(server.requests[0].headers) <= {
        "host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length", "x-goog-api-key", "x-goog-api-client",
    }  # fmt: skip


def test_google_is_imported_by_the_first_question_only() -> None:
    code = (
        "import sys; from cicd_agents.clients.gemini import Gemini; from cicd_agents.clients.gemini_access import GeminiAccess;"
        "from cicd_agents.clients.clock import SystemClock; import cicd_agents.clients.model_record, cicd_agents.clients.model_prices;"
        "Gemini(GeminiAccess('a-key'), SystemClock()); print([name for name in sys.modules if name.split('.')[0] in ('google', 'pydantic', 'httpx2')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_key_is_in_no_repr() -> None:
    access = GeminiAccess(KEY, base_url="https://user:word@example.com")
    assert KEY not in repr(access) + repr(Gemini(access, FakeClock()))
    assert "word" not in repr(access)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"contents": [{"role": "model", "parts": [{"text": "x"}]}]}, "roles"),
        ({"contents": [{"role": "user", "parts": [{"text": "x"}]}, {"role": "user", "parts": [{"text": "x"}]}]}, "roles"),
        ({"contents": [{"role": "user", "parts": [{"functionResponse": {"name": "f"}}]}]}, "not those of the calls"),
        ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}, "thinkingLevel"),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 99999}}}, "range"),
        ({"generationConfig": {"responseJsonSchema": {}}}, "responseMimeType"),
        ({"generationConfig": {"maxOutputTokens": 0}}, "range"),
        ({"tools": [{"functionDeclarations": [{"name": "f"}]}], "generationConfig": {"responseMimeType": "application/json"}}, "unsupported"),
        ({"tools": [{"functionDeclarations": [{"name": "a b"}]}]}, "no name"),
        ({"generationConfig": {"temprature": 1}}, "Unknown name"),
        ({"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": {"pattern": "x"}}}, "not supported"),
        ({"contents": [{"role": "user", "parts": [{"text": "x", "functionCall": {"name": "f"}}]}]}, "exactly one"),
        ({"systemInstruction": {"parts": [{"text": 1}]}}, "not of type"),
    ],
)  # fmt: skip
def test_the_stand_in_refuses_what_the_service_refuses(change: dict[str, Any], words: str) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "x"}]}], **change}

    def check() -> None:
        check_shape(body)
        Rules("gemini-2.5-flash", set()).check(body)

    with pytest.raises(Refusal, match=words):
        check()

"""Exchanges are recorded without secrets and answered again from the file."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from cicd_agents.clients.model_record import Recorder, Replay
from cicd_agents.domain.advice import ModelFailed, ModelReply, ModelRequest, ToolCall, ToolSpec, Turn, Usage
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.redaction import Redactor

SECRET = "planted-canary-of-the-tests"
REDACTOR = Redactor((SECRET,))
TOOL = ToolSpec("read_log", "More lines.", {"type": "object", "properties": {"first": {"type": "integer"}}})
ASKED = ModelRequest("gemini-2.5-flash", "You explain.", (Turn("user", f"It printed {SECRET}."),), (TOOL,), {"type": "object"}, 0.2, 4096, 60.0)
CALL = ToolCall("read_log", {"first": 1, SECRET: [SECRET, None, 1.5]}, "c1", b"\xffopaque")
CALLED = ModelReply("Let me see.", (CALL,), Usage(1200, 800, 90, 40), "STOP")
ANSWERED = ModelReply(f'{{"narrative": "{SECRET}"}}', (), Usage(1500, 800, 50, 0), "STOP")


def redact(text: str) -> str:
    return REDACTOR.redact(text).text


@dataclass
class Scripted:
    """A model that says what it is told to."""

    script: list[ModelReply | ModelFailed]
    asked: list[ModelRequest] = field(default_factory=list)

    def reply(self, request: ModelRequest) -> ModelReply:
        self.asked.append(request)
        said = self.script.pop(0)
        if isinstance(said, ModelFailed):
            raise said
        return said


def followed(request: ModelRequest, reply: ModelReply) -> ModelRequest:
    """The next request of a conversation."""
    results = tuple((call, f"line {SECRET}") for call in reply.calls)
    return replace(request, turns=(*request.turns, Turn("model", reply.text, reply.calls), Turn("user", results=results)), seconds=33.0)


def test_a_conversation_is_replayed_turn_by_turn(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    recorder = Recorder(Scripted([CALLED, ANSWERED]), path, redact)
    first = recorder.reply(ASKED)
    assert first == CALLED
    assert recorder.reply(followed(ASKED, first)) == ANSWERED
    replay = Replay(path, redact)
    again = replay.reply(replace(ASKED, seconds=1.0))
    assert (again.usage, again.finish, again.calls[0].name, again.calls[0].id) == (CALLED.usage, "STOP", "read_log", "c1")
    assert json.loads(replay.reply(followed(ASKED, again)).text) == {"narrative": "[redacted:known-value]"}


def test_a_request_that_is_redacted_already_is_found_without_redaction(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    Recorder(Scripted([ANSWERED]), path, redact).reply(ASKED)
    turns = (Turn("user", "It printed [redacted:known-value]."),)
    assert Replay(path).reply(replace(ASKED, turns=turns)).finish == "STOP"


def test_no_secret_and_no_signature_stands_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    recorder = Recorder(Scripted([CALLED, ANSWERED, ModelFailed(f"It said {SECRET}.")]), path, redact)
    recorder.reply(followed(ASKED, recorder.reply(ASKED)))
    with pytest.raises(ModelFailed):
        recorder.reply(ASKED)
    data = path.read_bytes()
    assert SECRET.encode() not in data
    assert b"opaque" not in data
    assert len(data.splitlines()) == 3
    assert SECRET not in repr(recorder)


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    Recorder(Scripted([ANSWERED]), path, redact).reply(ASKED)
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_a_failure_is_replayed_as_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    with pytest.raises(ModelFailed):
        Recorder(Scripted([ModelFailed("Gemini: the rate limit is reached.")]), path, redact).reply(ASKED)
    with pytest.raises(ModelFailed, match="the rate limit is reached"):
        Replay(path, redact).reply(ASKED)


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, model="gemini-2.5-pro"), replace(ASKED, system="Else."), replace(ASKED, turns=(Turn("user", "Else."),)), replace(ASKED, tools=()),
        replace(ASKED, schema={}), replace(ASKED, temperature=0.1), replace(ASKED, max_tokens=1),
    ],
)  # fmt: skip
def test_another_request_has_no_reply(tmp_path: Path, other: ModelRequest) -> None:
    path = tmp_path / "exchanges.jsonl"
    Recorder(Scripted([ANSWERED]), path, redact).reply(ASKED)
    with pytest.raises(ModelFailed, match="no such request"):
        Replay(path, redact).reply(other)


def test_of_two_records_of_a_request_the_last_holds(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    recorder = Recorder(Scripted([ANSWERED, replace(ANSWERED, text="{}")]), path, redact)
    recorder.reply(ASKED)
    recorder.reply(ASKED)
    assert Replay(path, redact).reply(ASKED).text == "{}"


def test_a_file_that_cannot_be_written_costs_no_reply_and_is_told(tmp_path: Path) -> None:
    heard: list[str] = []
    assert Recorder(Scripted([ANSWERED]), tmp_path / "nowhere" / "x.jsonl", redact, heard.append).reply(ASKED) == ANSWERED
    assert "could not be recorded" in heard[0]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("as it was")
    (tmp_path / "x.jsonl").symlink_to(target)
    Recorder(Scripted([ANSWERED]), tmp_path / "x.jsonl", redact).reply(ASKED)
    assert target.read_text() == "as it was"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "should be an object"),
        ('{"version": 2}', "another version"),
        ('{"version": 1, "request": {}}', "`failed` should be a text"),
        ('{"version": 1, "request": {}, "reply": {"usage": 1}}', "`reply.usage` should be an object"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_file_that_is_no_recording_is_said_with_its_line(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "exchanges.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(UsageError, match=r"exchanges.jsonl, line 2") as caught:
        Replay(path)
    assert words in str(caught.value)


@pytest.mark.parametrize("words", ["See https://evil.example/x.", "@octo must look.", "/approve", "x" * 301, "All is well.\n/approve", "<img src=x>"])
def test_the_sentence_of_a_recorded_failure_is_held_to_the_rules_of_prose(tmp_path: Path, words: str) -> None:
    path = tmp_path / "exchanges.jsonl"
    with pytest.raises(ModelFailed):
        Recorder(Scripted([ModelFailed(words)]), path, redact).reply(ASKED)
    with pytest.raises(ModelFailed, match=r"^The recording holds a failure whose words are not shown\.$"):
        Replay(path, redact).reply(ASKED)


def test_what_a_failure_took_is_replayed_and_gives_no_money_back(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    with pytest.raises(ModelFailed):
        Recorder(Scripted([ModelFailed("Cut.", Usage(7, 1, 2, 3), untold=True)]), path, redact).reply(ASKED)
    with pytest.raises(ModelFailed) as caught:
        Replay(path, redact).reply(ASKED)
    assert (caught.value.usage, caught.value.untold) == (Usage(7, 1, 2, 3), True)
    path.write_text(path.read_text().replace('"prompt": 7', '"prompt": -7000000').replace('"untold": 1', '"untold": -9'))
    with pytest.raises(ModelFailed) as caught:
        Replay(path, redact).reply(ASKED)
    assert (caught.value.usage, caught.value.untold) == (Usage(0, 1, 2, 3), False)


def test_a_pipe_in_place_of_the_file_holds_nobody(tmp_path: Path) -> None:
    heard: list[str] = []
    os.mkfifo(tmp_path / "x.jsonl")
    assert Recorder(Scripted([ANSWERED]), tmp_path / "x.jsonl", redact, heard.append).reply(ASKED) == ANSWERED
    assert "could not be recorded" in heard[0]
    with pytest.raises(UsageError, match="is no file"):
        Replay(tmp_path / "x.jsonl")


def test_a_recording_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Replay(tmp_path / "missing.jsonl")

"""Exchanges with a model, recorded into a file of JSON lines without secrets and answered from it again: for tests and for users' bug reports."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cicd_agents.advisor.prose import Allowed, fault
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.advice import LanguageModel, ModelFailed, ModelReply, ModelRequest, ToolCall, Turn, Usage
from cicd_agents.domain.errors import BadAnswer, UsageError
from cicd_agents.domain.invisible import seen

VERSION = 1
MAX_FILE = 64 << 20
Redact = Callable[[str], str]
# A link in place of the file could lead our lines anywhere; Windows has no such flag.
# A pipe that nobody reads would hold the run; without a wait it is an error.
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_MARK = b"sha256:"
_MOST_TOKENS = 10**9
_MOST_OF_SENTENCE = 300
_NOT_SHOWN = "The recording holds a failure whose words are not shown."


def _silent(_text: str) -> None:
    """Says nothing."""


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Recorder:
    """Asks `model` and appends every exchange to the file, failures too. `note` hears that nothing could be written, which does not cost the reply."""

    model: LanguageModel = field(repr=False)
    path: Path
    redact: Redact = field(repr=False)
    note: Callable[[str], None] = field(default=_silent, repr=False)

    def reply(self, request: ModelRequest) -> ModelReply:
        """The model's reply. Raises ModelFailed."""
        try:
            reply = self.model.reply(request)
        except ModelFailed as failed:
            self._write(request, {"failed": self.redact(str(failed)), "usage": _usage_data(failed.usage), "untold": int(failed.untold)})
            raise
        self._write(request, {"reply": _reply_data(reply, self.redact)})
        return reply

    def _write(self, request: ModelRequest, outcome: Mapping[str, Any]) -> None:
        line = {"version": VERSION, "request": _request_data(request, self.redact), **outcome}
        try:
            descriptor = os.open(self.path, _FLAGS, 0o600)
            with os.fdopen(descriptor, "ab") as stream:
                stream.write(json.dumps(line, sort_keys=True).encode() + b"\n")
        except OSError as problem:
            self.note(f"The exchange with the model could not be recorded in {self.path}: {problem.strerror or 'it cannot be written'}.")


@dataclass(frozen=True, slots=True)
class _Failure:
    sentence: str
    usage: Usage
    untold: bool


class Replay:
    """Answers as it was recorded: the same request gets the same reply, or the same failure; of several records of one request the last holds.

    `redact` is the one of the recording, for requests that are not free of secrets already.
    """

    def __init__(self, path: Path, redact: Redact = _as_it_is) -> None:
        self._redact = redact
        self._outcomes = dict(_outcome(line, f"{path}, line {number}") for number, line in enumerate(_lines(path), 1) if line.strip())

    def reply(self, request: ModelRequest) -> ModelReply:
        """The recorded reply. Raises ModelFailed."""
        outcome = self._outcomes.get(_digest(_request_data(request, self._redact)))
        if outcome is None:
            raise ModelFailed("The recording holds no such request to the model. Record it again.")
        if isinstance(outcome, _Failure):
            raise ModelFailed(outcome.sentence, outcome.usage, outcome.untold)
        return outcome


def _lines(path: Path) -> list[bytes]:
    try:
        if not path.is_file() and path.exists():  # a pipe that nobody writes to would hold the run
            raise UsageError(f"The recording {path} is no file.")
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as problem:
        raise UsageError(f"The recording {path} cannot be read: {problem.strerror or problem}.") from None
    if len(data) > MAX_FILE:
        raise UsageError(f"The recording {path} is larger than {MAX_FILE >> 20} MiB.")
    return data.split(b"\n")


def _outcome(line: bytes, where: str) -> tuple[str, ModelReply | _Failure]:
    """The digest of a line's request, and what came of it."""
    try:
        shape = Shape.of(json.loads(line), where)
        if shape.number("version") != VERSION:
            raise UsageError(f"{where}: this is a recording of another version of cicd-agents. Record it again.")
        reply = shape.maybe("reply")
        outcome = _read_reply(reply) if reply else _read_failure(shape)
        return _digest(shape.inner("request").data), outcome
    except BadAnswer as problem:
        raise UsageError(str(problem)) from None
    except (ValueError, RecursionError):
        raise UsageError(f"{where}: this is no recording of a model: the line is not JSON.") from None


def _digest(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def _request_data(request: ModelRequest, redact: Redact) -> dict[str, Any]:
    """The request without its seconds, which differ from run to run."""
    data = {
        "model": request.model, "system": request.system, "turns": [_turn_data(turn) for turn in request.turns],
        "tools": [{"name": tool.name, "description": tool.description, "parameters": tool.parameters} for tool in request.tools],
        "schema": request.schema, "temperature": request.temperature, "max_tokens": request.max_tokens,
    }  # fmt: skip
    return dict(_clean(data, redact))


def _turn_data(turn: Turn) -> dict[str, Any]:
    return {
        "role": turn.role, "text": turn.text, "calls": [_call_data(call) for call in turn.calls],
        "results": [{"call": _call_data(call), "text": text} for call, text in turn.results],
    }  # fmt: skip


def _reply_data(reply: ModelReply, redact: Redact) -> dict[str, Any]:
    calls = [_call_data(call) for call in reply.calls]
    data = {"text": reply.text, "calls": calls, "finish": reply.finish, "usage": _usage_data(reply.usage)}
    return dict(_clean(data, redact))


def _usage_data(usage: Usage) -> dict[str, int]:
    return {"prompt": usage.prompt, "cached": usage.cached, "output": usage.output, "thoughts": usage.thoughts}


def _call_data(call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": call.arguments, "id": call.id, "signature": _signature(call.signature)}


def _signature(signature: bytes) -> str:
    """What stands for a signature, which is long and of use to the service only; once taken from a recording, it stands for itself."""
    if not signature or signature.startswith(_MARK):
        return signature.decode(errors="replace")
    return (_MARK + hashlib.sha256(signature).hexdigest().encode()).decode()


def _clean(value: Any, redact: Redact) -> Any:
    """The value without secrets, in its keys as well."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): _clean(item, redact) for key, item in value.items()}
    return [_clean(item, redact) for item in value] if isinstance(value, list | tuple) else value


def _read_reply(shape: Shape) -> ModelReply:
    usage = _read_usage(shape.inner("usage"))
    calls = tuple(_read_call(call) for call in shape.items("calls"))
    return ModelReply(shape.text("text"), calls, usage, shape.text("finish"))


def _read_failure(shape: Shape) -> _Failure:
    """Its sentence is checked like words of a model: an answer in a recording is, and whoever can write a file here must not be heard by this way instead."""
    sentence = seen(shape.text("failed"))
    shown = _NOT_SHOWN if "\n" in sentence or fault(sentence, _MOST_OF_SENTENCE, Allowed()) else sentence
    return _Failure(shown, _read_usage(shape.inner("usage")), shape.number("untold", 0) > 0)


def _read_usage(shape: Shape) -> Usage:
    return Usage(*(max(0, min(shape.number(name), _MOST_TOKENS)) for name in ("prompt", "cached", "output", "thoughts")))


def _read_call(shape: Shape) -> ToolCall:
    return ToolCall(shape.text("name"), shape.inner("arguments").data, shape.text("id"), shape.text("signature").encode())

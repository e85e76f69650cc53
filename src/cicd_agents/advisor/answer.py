"""The shape of a model's answer: what it is told of it, and the reading of what came. The checks of shape are our own; pydantic is no run-time dependency."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeVar

from cicd_agents.advisor.rules import SCOPES
from cicd_agents.domain.advice import Citation, Hypothesis, ModelFailed, Suggestion

_MOST = 200_000  # characters of an answer
_MOST_ITEMS = 200  # of one list; more is junk
T = TypeVar("T")


class NotAnAnswer(ModelFailed):
    """The model answered with something of another shape."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said, of the right shape and otherwise not checked. `unasked` counts parts that nobody asked for."""

    narrative: str = ""
    citations: tuple[Citation, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
    concern: str = ""
    concern_citations: tuple[Citation, ...] = ()
    confidence: float = 0.0
    unasked: int = 0


_TEXT: dict[str, Any] = {"type": "string"}
_SHARE: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 1}


def _object(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(required)}


def _array(of: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(of)}


_CITATION = _object({"item": _TEXT, "line": {"type": "integer"}, "quote": _TEXT}, "item", "line", "quote")
_CITATIONS = _array(_CITATION)


def schema(agent: str) -> dict[str, Any]:
    """The JSON Schema of an agent's answer."""
    scope = SCOPES[agent]
    parts: dict[str, Any] = {"narrative": _TEXT, "citations": _CITATIONS, "confidence": _SHARE}
    if scope.hypotheses:
        of = {"candidate": _TEXT, "why": _TEXT, "confidence": _SHARE, "citations": _CITATIONS}
        parts["hypotheses"] = _array(_object(of, *of))
    if scope.patches or scope.commands:
        parts["suggestions"] = _array(_object(_suggestion_parts(agent), "title"))
    if scope.extra:
        parts["extra"] = _object({name: {**_TEXT, "description": what} for name, what in scope.extra})
    parts["concern"] = _object({"text": _TEXT, "citations": _CITATIONS}, "text", "citations")
    return _object(parts, "narrative", "citations", "confidence")


def _suggestion_parts(agent: str) -> dict[str, Any]:
    scope = SCOPES[agent]
    parts: dict[str, Any] = {"title": _TEXT}
    if scope.patches:
        parts["patch"] = _TEXT
    if scope.commands:
        parts["commands"] = _array(_TEXT)
    return parts


def answer_words(agent: str) -> str:
    """The shape in words: some models may not be held to a schema while they may call functions."""
    return f"Answer with one JSON object of this JSON Schema and nothing else:\n{json.dumps(schema(agent), separators=(',', ':'))}"


def read(text: str, agent: str) -> Answer:
    """The answer in a text. Raises NotAnAnswer, whose words are ours."""
    if len(text) > _MOST:
        raise NotAnAnswer("The model's answer is too long.")
    try:
        found = json.loads(_unwrapped(text), parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise NotAnAnswer("The model's answer is no JSON.") from None
    whole = _mapping(found, "the answer")
    unasked = _unasked(whole, schema(agent))
    asked = schema(agent)["properties"]
    nothing: dict[str, Any] = {}
    concern = _optional(whole, "concern", _mapping, nothing)
    return Answer(
        narrative=_text(whole.get("narrative"), "narrative"),
        citations=_list(whole.get("citations"), "citations", _citation),
        hypotheses=_optional(whole, "hypotheses", lambda value, where: _list(value, where, _hypothesis), ()) if "hypotheses" in asked else (),
        suggestions=_optional(whole, "suggestions", lambda value, where: _list(value, where, _suggestion), ()) if "suggestions" in asked else (),
        extra=_extra(_optional(whole, "extra", _mapping, nothing), agent),
        concern=_text(concern.get("text"), "concern.text") if concern else "",
        concern_citations=_list(concern.get("citations"), "concern.citations", _citation) if concern else (),
        confidence=_number(whole.get("confidence"), "confidence"),
        unasked=unasked,
    )


def _unwrapped(text: str) -> str:
    """Without the code fence that some models put around JSON."""
    bare = text.strip()
    if bare.startswith("```") and bare.endswith("```") and "\n" in bare:
        return bare.partition("\n")[2][:-3]
    return bare


def _no_number(constant: str) -> float:
    raise ValueError(constant)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object. Of a name that stands there twice each reader takes another one, so there must be none."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands there twice")
    return made


def _unasked(value: Any, shape: Mapping[str, Any]) -> int:
    """How many fields, at any depth, are not in the schema."""
    if isinstance(value, dict) and "properties" in shape:
        known = shape["properties"]
        return sum(_unasked(part, known[name]) if name in known else 1 for name, part in value.items())
    if isinstance(value, list) and "items" in shape:
        return sum(_unasked(part, shape["items"]) for part in value)
    return 0


def _wrong(where: str) -> NotAnAnswer:
    return NotAnAnswer(f"The model's answer has the wrong shape ({where}).")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(where)
    return value


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 10**9 or not isfinite(value):
        raise _wrong(where)
    return float(value)


def _whole(value: Any, where: str) -> int:
    number = _number(value, where)
    if number != int(number):
        raise _wrong(where)
    return int(number)


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(where)
    return value


def _list(value: Any, where: str, each: Callable[[Any, str], T]) -> tuple[T, ...]:
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise _wrong(where)
    return tuple(each(part, f"{where}[{index}]") for index, part in enumerate(value))


def _optional(parts: Mapping[str, Any], name: str, reads: Callable[[Any, str], T], default: T) -> T:
    value = parts.get(name)
    return default if value is None else reads(value, name)


def _citation(value: Any, where: str) -> Citation:
    parts = _mapping(value, where)
    return Citation(_text(parts.get("item"), f"{where}.item"), _whole(parts.get("line"), f"{where}.line"), _text(parts.get("quote"), f"{where}.quote"))


def _hypothesis(value: Any, where: str) -> Hypothesis:
    parts = _mapping(value, where)
    return Hypothesis(
        _text(parts.get("candidate"), f"{where}.candidate"),
        _text(parts.get("why"), f"{where}.why"),
        _number(parts.get("confidence"), f"{where}.confidence"),
        _list(parts.get("citations"), f"{where}.citations", _citation),
    )


def _suggestion(value: Any, where: str) -> Suggestion:
    """Patches and commands are read for every agent; the checks drop what was not asked for."""
    parts = _mapping(value, where)
    given = {name: default if parts.get(name) is None else parts[name] for name, default in (("patch", ""), ("commands", []))}
    commands = _list(given["commands"], f"{where}.commands", _text)
    return Suggestion(_text(parts.get("title"), f"{where}.title"), _text(given["patch"], f"{where}.patch"), commands)


def _extra(parts: Mapping[str, Any], agent: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, _text(parts[name], f"extra.{name}")) for name, _ in SCOPES[agent].extra if parts.get(name) is not None)

"""A ModelRequest in the words of the Gemini API: contents and configuration as plain data, by what the model's generation can do; no I/O.

Sources: the references of the method `models.generateContent`, and the guides "Function calling", "Structured outputs", "Thinking", "Thought signatures" and
those to the Gemini 3 models of ai.google.dev.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cicd_agents.domain.advice import ModelRequest, Turn

# Of what may be answered, how much may be thought: thoughts count as output and would else use up the answer's tokens.
_THOUGHT_SHARE = 4
# The least that all models of generation 2.5 take, and what a question of ours never needs more of.
_THOUGHTS = (512, 8192)
_GENERATION = re.compile(r"gemini-(\d{1,2})(?:\.(\d{1,2}))?(?:-|$)")
_NEWEST = re.compile(r"gemini-(?:[a-z-]+-)?latest$")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._@-]{0,99}){0,7}")
# What the API understands of JSON Schema.
_KEYWORDS = frozenset({
    "$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems", "minItems", "maxItems", "minimum", "maximum",
    "anyOf", "oneOf", "properties", "additionalProperties", "required", "propertyOrdering",
})  # fmt: skip
_OF_SCHEMAS_BY_NAME = frozenset({"properties", "$defs"})


@dataclass(frozen=True, slots=True)
class Traits:
    """What a model takes. `both`: an answer by schema beside functions; `level`, `budget`: how its thinking is bounded; `sampling`: a temperature."""

    both: bool = False
    level: bool = False
    budget: bool = False
    sampling: bool = True


def traits(model: str) -> Traits:
    """What a model takes, by its name; of a model that is not a Gemini nothing special is asked."""
    name = model.rpartition("/")[2].lower()
    found = _GENERATION.match(name)
    if found is None:
        return Traits(both=True, level=True, sampling=False) if _NEWEST.match(name) else Traits()
    generation = (int(found[1]), int(found[2] or 0))
    if generation >= (3, 0):  # Google asks that no temperature be sent; newer ones ignore or refuse it
        return Traits(both=True, level=True, sampling=False)
    return Traits(budget=generation >= (2, 5))


def is_model_name(model: str) -> bool:
    """Whether it can be a model's name or resource, so that it leads to no other path."""
    return bool(_MODEL.fullmatch(model)) and ".." not in model


def contents(turns: tuple[Turn, ...]) -> list[dict[str, Any]]:
    """The conversation. Neighbours of one role become one, since roles must take turns; calls and results keep their order, ids and signatures."""
    made: list[dict[str, Any]] = []
    for turn in turns:
        parts = _parts(turn)
        if made and made[-1]["role"] == turn.role:
            made[-1]["parts"] += parts
        elif parts:
            made.append({"role": turn.role, "parts": parts})
    return made


def config(request: ModelRequest) -> dict[str, Any]:
    """The configuration of the call. A model that cannot do both at once gets the functions while there are any, and the schema in the turn without."""
    able = traits(request.model)
    made: dict[str, Any] = {
        "system_instruction": {"parts": [{"text": request.system}]},
        "max_output_tokens": request.max_tokens,
        "automatic_function_calling": {"disable": True},
        "automatic_continuation": False,
    }
    if able.sampling:
        made["temperature"] = request.temperature
    if able.level:
        made["thinking_config"] = {"thinking_level": "LOW"}
    elif able.budget:
        least, most = _THOUGHTS
        made["thinking_config"] = {"thinking_budget": max(least, min(most, request.max_tokens // _THOUGHT_SHARE))}
    if request.tools:
        made["tools"] = [{"function_declarations": [_declaration(tool.name, tool.description, tool.parameters) for tool in request.tools]}]
    if request.schema and (able.both or not request.tools):
        made |= {"response_mime_type": "application/json", "response_json_schema": understood(request.schema)}
    return made


def understood(schema: Any) -> Any:
    """The schema with the keywords that the API understands; what it does not, such as a text's length, is checked by us alone."""
    if isinstance(schema, list | tuple):
        return [understood(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _OF_SCHEMAS_BY_NAME and isinstance(value, Mapping):
            made[key] = {name: understood(inner) for name, inner in value.items()}
        elif key in ("enum", "required", "propertyOrdering"):
            made[key] = list(value)
        elif key in _KEYWORDS:
            made[key] = understood(value)
    return made


def _declaration(name: str, description: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "description": description, "parameters_json_schema": understood(parameters)}


def _parts(turn: Turn) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"text": turn.text}] if turn.text else []
    for call in turn.calls:
        part: dict[str, Any] = {"function_call": {"name": call.name, "args": dict(call.arguments), **_identity(call.id)}}
        parts.append(part | ({"thought_signature": call.signature} if call.signature else {}))
    for call, text in turn.results:
        parts.append({"function_response": {"name": call.name, "response": {"output": text}, **_identity(call.id)}})
    return parts


def _identity(call_id: str) -> dict[str, str]:
    return {"id": call_id} if call_id else {}

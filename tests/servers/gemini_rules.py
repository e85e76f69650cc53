"""What the Gemini API takes: the messages of a request with all their fields, and rules beyond, written anew from its reference and guides."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ANY = "any"
_OBJECT = "an object"
_SCHEMA = "a schema"
_SIGNATURE = "bytes"
# The messages that a request may hold: field → what stands in it; a list is repeated.
MESSAGES: Mapping[str, Mapping[str, Any]] = {
    "Request": {
        "contents": ["Content"], "systemInstruction": "Content", "tools": ["Tool"], "toolConfig": "ToolConfig", "generationConfig": "GenerationConfig",
        "safetySettings": ["SafetySetting"], "cachedContent": str, "labels": _OBJECT,
    },
    "Content": {"role": str, "parts": ["Part"]},
    "Part": {"text": str, "thought": bool, "thoughtSignature": _SIGNATURE, "functionCall": "FunctionCall", "functionResponse": "FunctionResponse"},
    "FunctionCall": {"id": str, "name": str, "args": _OBJECT},
    "FunctionResponse": {"id": str, "name": str, "response": _OBJECT},
    "Tool": {"functionDeclarations": ["FunctionDeclaration"]},
    "FunctionDeclaration": {"name": str, "description": str, "parametersJsonSchema": _SCHEMA},
    "ToolConfig": {"functionCallingConfig": "FunctionCallingConfig"},
    "FunctionCallingConfig": {"mode": str, "allowedFunctionNames": [str]},
    "SafetySetting": {"category": str, "threshold": str},
    "GenerationConfig": {
        "temperature": float, "topP": float, "topK": int, "candidateCount": int, "maxOutputTokens": int, "stopSequences": [str], "seed": int,
        "responseMimeType": str, "responseJsonSchema": _SCHEMA, "thinkingConfig": "ThinkingConfig",
    },
    "ThinkingConfig": {"includeThoughts": bool, "thinkingBudget": int, "thinkingLevel": str},
}  # fmt: skip
_KEYWORDS = frozenset({
    "$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems", "minItems", "maxItems", "minimum", "maximum",
    "anyOf", "oneOf", "properties", "additionalProperties", "required", "propertyOrdering",
})  # fmt: skip
_BUDGETS = {"gemini-2.5-flash": (0, 24576), "gemini-2.5-flash-lite": (512, 24576), "gemini-2.5-pro": (128, 32768)}


class Refusal(Exception):
    """What the service would refuse, with its status."""

    def __init__(self, text: str, status: int = 400, reason: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules beyond the shape of the messages, by the model's generation."""

    model: str
    signatures: set[str]

    def check(self, body: Mapping[str, Any]) -> None:
        """Raises Refusal."""
        config = body.get("generationConfig", {})
        self._check_turns(body.get("contents", []))
        self._check_tools(body, config)
        self._check_thinking(config.get("thinkingConfig", {}))
        if "temperature" in config and (self._generation >= (3, 6) or not 0 <= config["temperature"] <= 2):
            raise Refusal("temperature is not supported, or out of its range.")
        if not 1 <= config.get("maxOutputTokens", 1) <= 65536:
            raise Refusal("maxOutputTokens is out of its range.")
        if body.get("systemInstruction", {"parts": [{"text": "x"}]})["parts"] == []:
            raise Refusal("systemInstruction is empty.")

    @property
    def _generation(self) -> tuple[int, int]:
        if self.model.endswith("-latest"):
            return (3, 8)
        found = re.match(r"gemini-(\d+)(?:\.(\d+))?", self.model)
        return (int(found[1]), int(found[2] or 0)) if found else (0, 0)

    def _check_turns(self, contents: list[Mapping[str, Any]]) -> None:
        roles = [content.get("role") for content in contents]
        if not roles or roles[0] != "user" or roles[-1] != "user" or any(one == other for one, other in itertools.pairwise(roles)):
            raise Refusal(f"The roles must be user and model in turns, user first and last, but are {roles}.")
        open_calls: list[Mapping[str, Any]] = []
        for content in contents:
            parts = content.get("parts", [])
            if not parts:
                raise Refusal("A content has no parts.")
            results = [part["functionResponse"] for part in parts if "functionResponse" in part]
            called = [part["functionCall"] for part in parts if "functionCall" in part]
            if [_who(result) for result in results] != [_who(called) for called in open_calls]:
                raise Refusal("The function responses are not those of the calls before them.")
            if called and content["role"] != "model":
                raise Refusal("A user calls a function.")
            if called and self._generation >= (3, 0):
                self._check_signature(next(part for part in parts if "functionCall" in part))
            open_calls = called

    def _check_signature(self, first: Mapping[str, Any]) -> None:
        given = {_standard(signature) for signature in self.signatures}
        if _standard(first.get("thoughtSignature", "")) not in given:
            raise Refusal("A function call comes back without its thought signature.")

    def _check_tools(self, body: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        tools = [declaration for tool in body.get("tools", []) for declaration in tool.get("functionDeclarations", [])]
        for declaration in tools:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", declaration.get("name", "")):
                raise Refusal(f"{declaration.get('name')} is no name of a function.")
        as_json = config.get("responseMimeType") == "application/json"
        if "responseJsonSchema" in config and not as_json:
            raise Refusal("A schema without responseMimeType.")
        if tools and as_json and self._generation < (3, 0):
            raise Refusal("Function calling with a response mime type: 'application/json' is unsupported")

    def _check_thinking(self, thinking: Mapping[str, Any]) -> None:
        if "thinkingLevel" in thinking and ("thinkingBudget" in thinking or self._generation < (3, 0)):
            raise Refusal("thinkingLevel is not supported here.")
        if thinking.get("thinkingLevel", "LOW") not in ("LOW", "MEDIUM", "HIGH"):
            raise Refusal("This thinkingLevel is not known.")
        if "thinkingBudget" in thinking:
            least, most = _BUDGETS.get(self.model, (1, 0))
            if not least <= thinking["thinkingBudget"] <= most:
                raise Refusal(f"thinkingBudget is out of the range of {self.model}.")


def check_shape(body: Any) -> None:
    """Raises Refusal where a request has a field that is not known, or a value of another type."""
    _check(body, "Request", "")


def in_camel_case(body: Any) -> Any:
    """The request with all names of fields in camel case."""
    return _camel_message(body, "Request")


def _check(value: Any, kind: Any, where: str) -> None:
    """Raises Refusal where a value is not of its kind, and for every field that is not known."""
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise Refusal(f"{where} is no list.")
        for index, item in enumerate(value):
            _check(item, kind[0], f"{where}[{index}]")
    elif kind in MESSAGES:
        _check_message(value, kind, where)
    elif kind == _SCHEMA:
        _check_schema(value, where)
    elif kind == _SIGNATURE:
        _standard(value)
    elif kind == _OBJECT:
        _check_type(value, dict, where)
    elif kind is float:
        _check_type(value, (int, float), where)
    elif kind is not _ANY:
        _check_type(value, kind, where)


def _check_message(value: Any, kind: str, where: str) -> None:
    _check_type(value, dict, where)
    fields = MESSAGES[kind]
    for name, inner in value.items():
        if _camel(name) not in fields:
            raise Refusal(f'Unknown name "{name}" at {where or "the request"} ({kind}).')
        _check(inner, fields[_camel(name)], f"{where}.{name}")
    if kind == "Part" and sum(_camel(name) in ("text", "functionCall", "functionResponse") for name in value) != 1:
        raise Refusal(f"{where} has not exactly one kind of data.")


def _check_type(value: Any, kind: Any, where: str) -> None:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Refusal(f"{where} is not of type {kind}.")


def _check_schema(schema: Any, where: str) -> None:
    if isinstance(schema, bool):
        return
    _check_type(schema, dict, where)
    if unknown := set(schema) - _KEYWORDS:
        raise Refusal(f"{where}: the keywords {sorted(unknown)} are not supported.")
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            _check_schema(schema[keyword], f"{where}.{keyword}")
    for keyword in ("anyOf", "oneOf", "prefixItems"):
        for index, inner in enumerate(schema.get(keyword, [])):
            _check_schema(inner, f"{where}.{keyword}[{index}]")
    for keyword in ("properties", "$defs"):
        for name, inner in schema.get(keyword, {}).items():
            _check_schema(inner, f"{where}.{keyword}.{name}")


def _who(call_or_response: Mapping[str, Any]) -> tuple[Any, Any]:
    return call_or_response.get("name"), call_or_response.get("id")


def _standard(signature: str) -> bytes:
    """Bytes of base64, which JSON of protocol buffers takes in both alphabets."""
    try:
        return base64.b64decode(signature.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        raise Refusal("A signature is not base64.") from None


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def _camel_message(value: Any, kind: Any) -> Any:
    """The message with all field names in camel case; objects and schemas stay."""
    if isinstance(kind, list):
        return [_camel_message(item, kind[0]) for item in value]
    if kind in MESSAGES:
        return {_camel(name): _camel_message(inner, MESSAGES[kind].get(_camel(name), _ANY)) for name, inner in value.items()}
    return value

"""Layers of text → Settings. The first layer that gives a setting wins: command line, inputs, environment, file, default. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any

from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.verdict import FailOn
from cicd_agents.settings.model import Settings
from cicd_agents.settings.names import FILE_NAME
from cicd_agents.settings.options import BY_NAME, EVERYWHERE, OPTIONS, Kind, Option

_INPUT, _VARIABLE = "INPUT_", "CICD_AGENTS_"
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")  # YAML 1.2 core schema
# How alike a name must be to ours to be taken for a misspelling of it.
_ALIKE = 0.8
_MONEY = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")


def read(command_line: Mapping[str, str], environment: Mapping[str, str], file: Mapping[str, Any] | None, platform: str) -> Settings:
    """All settings, and from where each came.

    `command_line` and `file` use the kebab-case names; `file` is the parsed settings file. Raises UsageError for an unknown or unreadable value.
    """
    _refuse_misspelt(environment)
    in_file = _file_texts(file or {})
    values: dict[str, Any] = {}
    sources: list[tuple[str, str]] = []
    for option in OPTIONS:
        text, source = _found(option, command_line, environment, in_file, platform)
        values[option.field] = _READERS[option.kind](option, text, source)
        if source != "default":
            sources.append((option.name, source))
    for gate in ("fail_on", "guardian_fail_on"):
        values[gate] = FailOn(values[gate])
    return Settings(**values, sources=tuple(sources))


def _found(option: Option, command_line: Mapping[str, str], environment: Mapping[str, str], file: Mapping[str, str], platform: str) -> tuple[str, str]:
    """The text of a setting and where it stands; empty text means: not given (platforms hand on unset inputs so)."""
    layers = [
        (command_line.get(option.name, ""), f"option --{option.name}"),
        (environment.get(_INPUT + option.name.upper(), ""), f"input {option.name}"),
        (environment.get(_VARIABLE + option.field.upper(), ""), f"variable {_VARIABLE}{option.field.upper()}"),
        *((environment.get(variable, ""), f"variable {variable}") for where, variable in option.falls_back_to if where in (platform, EVERYWHERE)),
        (file.get(option.name, ""), f"{FILE_NAME}: {option.name}"),
    ]
    return next(((text.strip(), source) for text, source in layers if text.strip()), (option.default, "default"))


def _file_texts(file: Mapping[str, Any]) -> dict[str, str]:
    texts = {}
    for key, value in file.items():
        option = BY_NAME.get(str(key))
        if option is None:
            raise UsageError(f"{FILE_NAME}: {str(key)[:60]!r} is no setting{_suggestion(str(key))}; see docs/settings.md.")
        if not option.in_file:
            raise UsageError(f"{FILE_NAME}: {option.name} may not stand in the file; give it as an input or as {_VARIABLE}{option.field.upper()}.")
        texts[option.name] = _file_text(option, value)
    return texts


def _file_text(option: Option, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, list) and option.kind in (Kind.LIST, Kind.LINES) and all(isinstance(item, (str, int)) for item in value):
        return "\n".join(str(item) for item in value)
    raise UsageError(f"{FILE_NAME}: {option.name} must be {_expected(option)}.")


def _refuse_misspelt(environment: Mapping[str, str]) -> None:
    """A misspelt gate must not stay open. Names that are like none of ours may be somebody else's variables."""
    for name, value in environment.items():
        for prefix, word in ((_INPUT, "input"), (_VARIABLE, "variable")):
            key = name.removeprefix(prefix).lower().replace("_", "-")
            if not name.startswith(prefix) or not value.strip() or key in BY_NAME or name in _fallbacks():
                continue
            if suggestion := _suggestion(key):
                raise UsageError(f"{word} {name if word == 'variable' else key}: no such setting{suggestion}.")


def _fallbacks() -> set[str]:
    return {variable for option in OPTIONS for _, variable in option.falls_back_to}


def _suggestion(key: str) -> str:
    alike = difflib.get_close_matches(key, BY_NAME, 1, _ALIKE)
    return f"; did you mean {alike[0]}?" if alike else ""


def _expected(option: Option) -> str:
    match option.kind:
        case Kind.FLAG:
            return "true or false"
        case Kind.COUNT:
            return f"a whole number from {option.least} to {option.most}"
        case Kind.SHARE:
            return "a number from 0 to 1"
        case Kind.CHOICE:
            return "one of " + ", ".join(choice for choice in option.choices if choice)
        case Kind.LIST:
            return "a list" + (" of " + ", ".join(option.choices) if option.choices else "")
        case Kind.LINES:
            return "a list, one item in a line"
        case Kind.MONEY:
            return "an amount of US dollars, such as 5 or 0.25"
        case _:
            return "a text"


def _wrong(option: Option, text: str, source: str) -> UsageError:
    return UsageError(f"{source}: {text[:60]!r} is not {_expected(option)}.")


def _text(option: Option, text: str, source: str) -> str:
    if len(text) > 10_000 or any(ord(character) < 32 for character in text):
        raise UsageError(f"{source}: {option.name} is too long or holds control characters.")
    return text


def _choice(option: Option, text: str, source: str) -> str:
    if text not in option.choices:
        raise _wrong(option, text, source)
    return text


def _flag(option: Option, text: str, source: str) -> bool:
    if text not in (*_TRUE, *_FALSE):
        raise _wrong(option, text, source)
    return text in _TRUE


def _count(option: Option, text: str, source: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10) or not option.least <= int(text) <= option.most:
        raise _wrong(option, text, source)
    return int(text)


def _share(option: Option, text: str, source: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise _wrong(option, text, source) from None
    if not 0 <= number <= 1:
        raise _wrong(option, text, source)
    return number


def _money(option: Option, text: str, source: str) -> float | None:
    """Plain digits only: a limit that reads as infinite or as no number would be none."""
    if not text:
        return None
    if not _MONEY.fullmatch(text):
        raise _wrong(option, text, source)
    return float(text)


def _list(option: Option, text: str, source: str) -> tuple[str, ...]:
    """Items stand on lines of their own or between commas."""
    items = tuple(dict.fromkeys(item.strip() for item in text.replace(",", "\n").split("\n") if item.strip()))
    if option.choices and not set(items) <= set(option.choices):
        raise _wrong(option, text, source)
    return items


def _lines(_option: Option, text: str, _source: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.strip() for item in text.split("\n") if item.strip()))


_READERS: dict[Kind, Callable[[Option, str, str], Any]] = {
    Kind.TEXT: _text, Kind.SECRET: _text, Kind.CHOICE: _choice, Kind.FLAG: _flag, Kind.COUNT: _count, Kind.SHARE: _share, Kind.LIST: _list, Kind.LINES: _lines,
    Kind.MONEY: _money,
}  # fmt: skip

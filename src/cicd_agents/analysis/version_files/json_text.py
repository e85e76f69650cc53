"""Members of JSON objects and where they stand in the text: the standard decoder reads, so a brace in a string is a character (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cicd_agents.analysis.version_files.places import Place, Role

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object: its value stands from `start` to before `end`."""

    key: str
    value: Any
    start: int
    end: int


def members(text: str, start: int = 0) -> Iterator[Member]:
    """The members of the object that begins at `start` or after white space; none where there is no object. What stands behind a fault is not read."""
    at = _after_space(text, start)
    more = text[at : at + 1] == "{"
    while more:
        member = _member(text, _after_space(text, at + 1))
        if member is None:
            return
        yield member
        at = _after_space(text, member.end)
        more = text[at : at + 1] == ","


def document(text: str) -> tuple[Member, ...]:
    """The members of the whole text, none where it is not one JSON object."""
    found = tuple(members(text))
    end = _after_space(text, found[-1].end) if found else 0
    return found if text[end : end + 1] == "}" and _after_space(text, end + 1) == len(text) else ()


def place(text: str, member: Member, role: Role = Role.OWN, name: str = "") -> Iterator[Place]:
    """The text of a member that is a string without escapes."""
    start, end = member.start + 1, member.end - 1
    if isinstance(member.value, str) and text[start:end] == member.value:
        yield Place(start, end, member.value, role, name=name)


def string(found: tuple[Member, ...], key: str) -> str:
    """The text of the last member of that key, as parsers take it; empty for other things."""
    return next((member.value for member in reversed(found) if member.key == key and isinstance(member.value, str)), "")


def _member(text: str, at: int) -> Member | None:
    try:
        key, end = _DECODER.raw_decode(text, at)
        colon = _after_space(text, end)
        start = _after_space(text, colon + 1)
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return Member(key, value, start, end) if isinstance(key, str) and text[colon] == ":" else None


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at

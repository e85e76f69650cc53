"""Signatures: what a failure message looks like, what it means, what to do. Parsed from TOML (docs/signatures.md)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cicd_agents.analysis.logs import pattern
from cicd_agents.domain.doctor import CATEGORIES, PHASES
from cicd_agents.domain.errors import SignatureError

ROLES = ("cause", "headline", "symptom", "wrapper")
FIX_KINDS = ("quick", "lasting", "prevention")
# `${NAME}` in a text is the tool's own notation.
_PLACEHOLDER = re.compile(r"(?<!\$)\{(\w+)(?:\|([^{}]*))?\}")
_ID = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)+")
_KEYS = {
    "id", "tool", "category", "phase", "weight", "role", "match", "unless", "nearby", "title", "cause", "docs", "place", "transient",
    "fixes", "examples", "near_misses",
}  # fmt: skip
# Lines that a rule may look at around its hit; a window is read once per candidate.
MAX_REACH = 200


@dataclass(frozen=True, slots=True)
class Nearby:
    """A pattern searched around the hit; `first` and `last` are line offsets (negative: before)."""

    match: str
    first: int
    last: int
    required: bool = False
    root: bool = False


@dataclass(frozen=True, slots=True)
class FixTemplate:
    """A fix whose texts may hold placeholders."""

    kind: str
    title: str
    detail: str = ""
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Signature:
    """One failure message of one tool."""

    id: str
    tool: str
    category: str
    weight: int
    match: str
    title: str
    cause: str
    phase: str | None = None
    role: str = "cause"
    unless: str | None = None
    nearby: tuple[Nearby, ...] = ()
    docs: str | None = None
    place: str | None = None
    transient: bool = False
    fixes: tuple[FixTemplate, ...] = ()
    examples: tuple[str, ...] = field(default=(), repr=False)
    near_misses: tuple[str, ...] = field(default=(), repr=False)

    @property
    def family(self) -> str:
        """The part of the id that names the tool's family."""
        return self.id.partition(".")[0]

    @cached_property
    def compiled(self) -> Any:
        """The exact pattern, compiled."""
        return pattern.exact(self.match)

    @cached_property
    def compiled_unless(self) -> Any:
        """The pattern that excuses a line, compiled, or None."""
        return pattern.exact(self.unless) if self.unless else None

    @cached_property
    def compiled_nearby(self) -> tuple[Any, ...]:
        """The patterns of `nearby`, compiled, in their order."""
        return tuple(pattern.exact(near.match) for near in self.nearby)


def fill(template: str, captures: Mapping[str, str]) -> str | None:
    """The text with its placeholders filled, or None when one has neither a capture nor a default."""
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        chosen = captures.get(found[1]) or found[2]
        missing = missing or chosen is None
        return chosen or ""

    text = _PLACEHOLDER.sub(value, template)
    return None if missing else text


def parse_file(text: str, name: str) -> tuple[Signature, ...]:
    """All signatures of a TOML text; `name` is used in errors. Raises SignatureError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise SignatureError(f"{name}: not valid TOML: {problem}.") from None
    unknown = set(document) - {"signature"}
    if unknown:
        raise SignatureError(f"{name}: unknown key '{min(unknown)}' at the top; only [[signature]] tables are read.")
    entries = document.get("signature", [])
    if not isinstance(entries, list) or not entries:
        raise SignatureError(f"{name}: no [[signature]] table; see docs/signatures.md for the form.")
    return tuple(parse_entry(entry, name) for entry in entries)


def parse_entry(entry: Mapping[str, Any], name: str) -> Signature:
    """One signature of its TOML table; raises SignatureError with file, rule and reason."""
    rule = str(entry.get("id", "(without id)"))

    def refuse(reason: str) -> SignatureError:
        return SignatureError(f"{name}: rule {rule}: {reason}.")

    unknown = set(entry) - _KEYS
    if unknown:
        raise refuse(f"unknown key '{min(unknown)}'")
    for key in ("id", "tool", "category", "match", "title", "cause"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise refuse(f"'{key}' must be a text that is not empty")
    if not _ID.fullmatch(rule):
        raise refuse("'id' must look like family.slug in lower case")
    weight = entry.get("weight")
    if type(weight) is not int or not 0 <= weight <= 100:
        raise refuse("'weight' must be a whole number from 0 to 100")
    _one_of(refuse, "category", entry["category"], CATEGORIES)
    _one_of(refuse, "role", entry.get("role", "cause"), ROLES)
    if entry.get("phase") is not None:
        _one_of(refuse, "phase", entry["phase"], PHASES)
    for key in ("docs", "unless", "place"):
        if not isinstance(entry.get(key, ""), str):
            raise refuse(f"'{key}' must be a text")
    if not isinstance(entry.get("transient", False), bool):
        raise refuse("'transient' must be true or false")
    return Signature(
        id=rule, tool=entry["tool"], category=entry["category"], weight=weight, match=entry["match"], title=entry["title"],
        cause=entry["cause"], phase=entry.get("phase"), role=entry.get("role", "cause"), unless=entry.get("unless"),
        nearby=tuple(_nearby(item, refuse) for item in _list(entry, "nearby", refuse)), docs=entry.get("docs"), place=entry.get("place"),
        transient=entry.get("transient", False), fixes=tuple(_fix(item, refuse) for item in _list(entry, "fixes", refuse)),
        examples=_texts(entry, "examples", refuse), near_misses=_texts(entry, "near_misses", refuse),
    )  # fmt: skip


def _one_of(refuse: Any, key: str, value: object, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise refuse(f"'{key}' is {value!r}; use one of {', '.join(allowed)}")


def _list(entry: Mapping[str, Any], key: str, refuse: Any) -> list[Any]:
    value = entry.get(key, [])
    if not isinstance(value, list):
        raise refuse(f"'{key}' must be a list")
    return value


def _texts(entry: Mapping[str, Any], key: str, refuse: Any) -> tuple[str, ...]:
    values = _list(entry, key, refuse)
    if not all(isinstance(value, str) for value in values):
        raise refuse(f"'{key}' must hold texts")
    return tuple(values)


def _nearby(item: Any, refuse: Any) -> Nearby:
    if not isinstance(item, dict) or set(item) - {"match", "lines", "required", "root"}:
        raise refuse("each 'nearby' is {match, lines = [from, to], required, root}")
    lines = item.get("lines")
    if not isinstance(item.get("match"), str) or not isinstance(lines, list) or len(lines) != 2:
        raise refuse("each 'nearby' needs 'match' and 'lines = [from, to]'")
    first, last = lines
    if type(first) is not int or type(last) is not int or not -MAX_REACH <= first <= last <= MAX_REACH:
        raise refuse(f"'lines' of a 'nearby' must be two numbers in order, within {MAX_REACH} lines")
    return Nearby(item["match"], first, last, bool(item.get("required", False)), bool(item.get("root", False)))


def _fix(item: Any, refuse: Any) -> FixTemplate:
    if not isinstance(item, dict) or set(item) - {"kind", "title", "detail", "commands"}:
        raise refuse("each fix is {kind, title, detail, commands}")
    _one_of(refuse, "kind", item.get("kind"), FIX_KINDS)
    commands = item.get("commands", [])
    if not isinstance(item.get("title"), str) or not isinstance(item.get("detail", ""), str):
        raise refuse("a fix needs a 'title'; 'detail' is a text")
    if not isinstance(commands, list) or not all(isinstance(command, str) for command in commands):
        raise refuse("'commands' of a fix must be a list of texts")
    return FixTemplate(item["kind"], item["title"], item.get("detail", ""), tuple(commands))

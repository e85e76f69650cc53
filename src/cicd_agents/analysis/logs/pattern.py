"""Patterns of signatures: RE2 only, so that every rule runs in time linear in the line.

Two forms are made of each pattern: the exact one, matched against one cleaned line, and the scan form, matched against the
raw log. The scan form is wider than the exact one (anchors relaxed, greedy tails dropped): it only finds the lines that are
worth cleaning. RE2 syntax: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from typing import Any

import re2

_TOKEN = re.compile(rb"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|[\^$]|.", re.DOTALL)
_GREEDY_TAIL = re.compile(rb"(?<!\\)(?:\.\*\??|\((?:\?:)?\.\*\??\)\??|\\s\*|\[\^[^\]\\]*\]\*|\((?:\?:)?\[\^[^\]\\]*\]\*\)\??)$")
_ONCE_IS_ENOUGH = re.compile(rb"(?<!\\)(?:\.\+\??|\((?:\?:)?\.\+\??\))$")
_OPTIONAL = re.compile(rb"(?:[*?]|\{0,\d*\})\??")
_OPEN_GROUP_NAME = re.compile(rb"\(\?P<\w+>")


class PatternError(ValueError):
    """The pattern is outside the language that signatures may use; the text says why."""


def options(max_mem: int = 8 << 20) -> Any:
    """RE2 options that all patterns share: UTF-8 with ASCII classes, never across a line feed."""
    chosen = re2.Options()
    chosen.never_nl = True
    chosen.log_errors = False
    chosen.max_mem = max_mem
    return chosen


def exact(pattern: str) -> Any:
    """Compile a pattern for one cleaned line (str). Raises PatternError where it is not RE2 or matches the empty line."""
    if "\n" in pattern:
        raise PatternError("contains a line feed; a pattern sees one line")
    try:
        compiled = re2.compile(pattern, options())
    except re2.error as problem:
        raise PatternError(f"not valid RE2 syntax: {_text(problem)}") from None
    if compiled.search(""):
        raise PatternError("matches the empty line")
    return compiled


def check(pattern: str) -> bytes:
    """The pattern of a `match` as bytes; raises PatternError where the scan form could not be made of it."""
    body = pattern.encode()
    _flags, anchored, core, ended = _split(body)
    for token in _TOKEN.findall(core):
        if token in (b"^", b"$"):
            raise PatternError("'^' may stand only at the very start and '$' only at the very end; write ^(?:a|b)$ for alternatives")
        if token[:1] == b"[" and any(byte > 127 for byte in token):
            raise PatternError("a character class holds a non-ASCII character; write (?:x|y) instead")
    if (anchored or ended) and _has_top_level_alternative(core):
        raise PatternError("an anchor binds only the first or last alternative; write ^(?:a|b)$")
    return body


def scan_form(pattern: str) -> bytes:
    """The wider pattern for the raw log: no captures, no anchors, greedy tail dropped."""
    flags, _anchored, core, _ended = _split(pattern.encode())
    core = _OPEN_GROUP_NAME.sub(b"(?:", core)
    core = _without_head(core)
    core = b"".join(_in_one_line(token) for token in _without_tail(_TOKEN.findall(core)))
    return (b"(?i:" if flags else b"(?:") + core + b")"


def _in_one_line(token: bytes) -> bytes:
    r"""The token without the line feed: `\s` and `[^x]` would run into the next line. (Hyperscan 5.4 also loses matches of some patterns
    with `\s+`, which the tests over all examples would show.)"""
    if token == b"\\s":
        return b"[ \\t\\r]"
    if token == b"\\W":
        return b"[^\\w\\n]"
    if token[:2] == b"[^":
        return b"[^\\n" + token[2:]
    return token.replace(b"\\s", b" \\t\\r") if token[:1] == b"[" else token


def _without_head(core: bytes) -> bytes:
    """The pattern without what may be absent at its beginning: an unanchored search finds the rest all the same.

    A leading word boundary goes too: the "m" that ends a colour code is a word character.
    """
    tokens = _TOKEN.findall(core)
    while tokens:
        if tokens[0] == b"\\b":
            tokens = tokens[1:]
            continue
        size = _atom(tokens)
        rest = b"".join(tokens[size:])
        optional = _OPTIONAL.match(rest)
        if not optional or _has_top_level_alternative(b"".join(tokens)):
            break
        tokens = _TOKEN.findall(rest[optional.end() :])
    return b"".join(tokens) or core


def _atom(tokens: list[bytes]) -> int:
    """How many tokens the first atom of the pattern has: one, or a whole group."""
    if tokens[0] != b"(":
        return 1
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token == b"(") - (token == b")")
        if depth == 0:
            return index + 1
    return len(tokens)


def _without_tail(tokens: list[bytes]) -> list[bytes]:
    """The pattern without what may be absent at its end, also inside a group that ends it: it only makes more matches of one line."""
    alternatives = _alternatives(tokens)
    if len(alternatives) > 1:
        return _joined([_without_tail(one) for one in alternatives])
    text = b"".join(tokens)
    while (tail := _GREEDY_TAIL.search(text)) and tail.start():
        text = text[: tail.start()]
    text = _ONCE_IS_ENOUGH.sub(rb".", text)
    tokens = _TOKEN.findall(text)
    if tokens and tokens[-1] == b")":
        begin = _group_start(tokens)
        inner = tokens[begin + 1 : -1]
        mark = 2 if inner[:2] == [b"?", b":"] else 3 if inner[:3] == [b"?", b"i", b":"] else 0
        tokens = [*tokens[: begin + 1], *inner[:mark], *_without_tail(inner[mark:]), b")"]
    return tokens


def _group_start(tokens: list[bytes]) -> int:
    """The index of the bracket that the last token closes."""
    depth = 0
    for index in range(len(tokens) - 1, -1, -1):
        depth += (tokens[index] == b")") - (tokens[index] == b"(")
        if depth == 0:
            return index
    raise PatternError("has unbalanced brackets")


def _alternatives(tokens: list[bytes]) -> list[list[bytes]]:
    found: list[list[bytes]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token == b"(") - (token == b")")
        if token == b"|" and depth == 0:
            found.append([])
        else:
            found[-1].append(token)
    return found


def _joined(alternatives: list[list[bytes]]) -> list[bytes]:
    tokens = alternatives[0]
    for one in alternatives[1:]:
        tokens = [*tokens, b"|", *one]
    return tokens


def _split(body: bytes) -> tuple[bool, bool, bytes, bool]:
    """(ignores case, anchored at the start, core, anchored at the end)."""
    ignore_case = body.startswith(b"(?i)")
    core = body[4:] if ignore_case else body
    anchored = core.startswith(b"^")
    core = core[1:] if anchored else core
    ended = core.endswith(b"$") and _TOKEN.findall(core)[-1:] == [b"$"]
    return ignore_case, anchored, core[:-1] if ended else core, ended


def _has_top_level_alternative(core: bytes) -> bool:
    return len(_alternatives(_TOKEN.findall(core))) > 1


def _text(problem: Exception) -> str:
    message = problem.args[0] if problem.args else problem
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)

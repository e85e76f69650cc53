"""Patterns of signatures: RE2 only, so that every rule runs in time linear in the line.

Each pattern is matched against one cleaned line. RE2 syntax: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from typing import Any

TOKEN = re.compile(rb"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|[\^$]|.", re.DOTALL)


class PatternError(ValueError):
    """The pattern is outside the language that signatures may use; the text says why."""


def options(max_mem: int = 8 << 20) -> Any:
    """RE2 options that all patterns share: UTF-8 with ASCII classes, never across a line feed."""
    import re2

    chosen = re2.Options()
    chosen.never_nl = True
    chosen.log_errors = False
    chosen.max_mem = max_mem
    return chosen


def raw_options() -> Any:
    """Options for raw bytes, which need not be UTF-8."""
    import re2

    chosen = options(16 << 20)
    chosen.encoding = re2.Options.Encoding.LATIN1
    return chosen


def exact(pattern: str) -> Any:
    """Compile a pattern for one cleaned line (str). Raises PatternError where it is not RE2 or matches the empty line."""
    import re2

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
    """The pattern of a `match` as bytes; raises PatternError where an anchor or class would mislead."""
    body = pattern.encode()
    _flags, anchored, core, ended = split(body)
    for token in TOKEN.findall(core):
        if token in (b"^", b"$"):
            raise PatternError("'^' may stand only at the very start and '$' only at the very end; write ^(?:a|b)$ for alternatives")
        if token[:1] == b"[" and any(byte > 127 for byte in token):
            raise PatternError("a character class holds a non-ASCII character; write (?:x|y) instead")
    if (anchored or ended) and _has_top_level_alternative(core):
        raise PatternError("an anchor binds only the first or last alternative; write ^(?:a|b)$")
    return body


def split(body: bytes) -> tuple[bool, bool, bytes, bool]:
    """(ignores case, anchored at the start, core, anchored at the end)."""
    ignore_case = body.startswith(b"(?i)")
    core = body[4:] if ignore_case else body
    anchored = core.startswith(b"^")
    core = core[1:] if anchored else core
    ended = core.endswith(b"$") and TOKEN.findall(core)[-1:] == [b"$"]
    return ignore_case, anchored, core[:-1] if ended else core, ended


def alternatives(tokens: list[bytes]) -> list[list[bytes]]:
    """The token lists between the bars that stand outside every group."""
    found: list[list[bytes]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token == b"(") - (token == b")")
        if token == b"|" and depth == 0:
            found.append([])
        else:
            found[-1].append(token)
    return found


def _has_top_level_alternative(core: bytes) -> bool:
    return len(alternatives(TOKEN.findall(core))) > 1


def _text(problem: Exception) -> str:
    message = problem.args[0] if problem.args else problem
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)

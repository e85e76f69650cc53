"""Patterns of signatures: RE2 only, so that every rule runs in time linear in the line.

Each pattern is matched against one cleaned line. In a large log, interesting lines are found by the literals that the patterns
need. RE2 syntax: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import re2

_TOKEN = re.compile(rb"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|[\^$]|.", re.DOTALL)
_QUANTIFIER = re.compile(rb"[*+?]\??|\{\d*,?\d*\}\??")
_SMALL_CLASS = re.compile(rb"\[[^^\\\]\[\x80-\xff-][^\\\]\[\x80-\xff-]{0,4}\]")
_EMPTY: frozenset[bytes] = frozenset()
_NOTHING = frozenset({b""})
# Shorter literals, and these, stand in too many lines of build and test logs to find anything by them.
_SHORTEST_LITERAL = 3
_SIGNS = re.compile(rb"[0-9\\[\\](){}<>=#@*|'\"`~^_$!&]|[A-Z][A-Z]")
_EVERYWHERE = (
    b" test tests test_ #test_ /test .py .pyi .js .ts .tsx .go .rb .java error errors parse code check response missing timeout expected warn warning"
    b" failure failures failures: fail skipped: coverage retry failed passed null_ "
)
# Literals are cut to this length, and a pattern's fixed texts are spelt out up to this number.
_LONGEST_LITERAL = 32
_MOST_TEXTS = 32
_GROUP_HEAD = re.compile(rb"\((?:\?P<\w+>|\?:)")


class PatternError(ValueError):
    """The pattern is outside the language that signatures may use; the text says why."""


def options(max_mem: int = 8 << 20) -> Any:
    """RE2 options that all patterns share: UTF-8 with ASCII classes, never across a line feed."""
    chosen = re2.Options()
    chosen.never_nl = True
    chosen.log_errors = False
    chosen.max_mem = max_mem
    return chosen


def raw_options() -> Any:
    """Options for raw bytes, which need not be UTF-8."""
    chosen = options(16 << 20)
    chosen.encoding = re2.Options.Encoding.LATIN1
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
    """The pattern of a `match` as bytes; raises PatternError where an anchor or class would mislead."""
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


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that a line must hold for a pattern to match it."""

    text: bytes
    ignore_case: bool


def needed_literals(pattern: str) -> tuple[Literal, ...]:
    """Literals one of which stands in every line that the pattern matches: the longest such set. Empty when none is rare enough.

    The same idea as RE2's FilteredRE2 and the literal optimisations of ripgrep.
    """
    ignore_case, _anchored, core, _ended = _split(pattern.encode())
    texts = _needed(_TOKEN.findall(_GROUP_HEAD.sub(b"(", core)))
    if _worth(texts)[0] < _SHORTEST_LITERAL:
        return ()
    return tuple(Literal(text[:_LONGEST_LITERAL], ignore_case) for text in sorted(texts))


def _needed(tokens: list[bytes]) -> frozenset[bytes]:
    alternatives = _alternatives(tokens)
    if len(alternatives) > 1:
        each = [_needed(one) for one in alternatives]
        return _EMPTY.union(*each) if all(each) else _EMPTY
    best, run = _EMPTY, _NOTHING
    for atom, optional, repeated in _atoms(tokens):
        texts = _texts(atom)
        if texts is None:
            inside = _needed(_inner(atom)) if len(atom) > 1 and not optional else _EMPTY
            best, run = max(best, inside, key=_worth), _NOTHING
            continue
        alone = _NOTHING if optional else texts
        longer = _extended(run, texts, optional)
        if len(longer) > _MOST_TEXTS:
            longer = alone
        best = max(best, longer, key=_worth)
        run = alone if repeated else longer
    return best


def _texts(atom: list[bytes]) -> frozenset[bytes] | None:
    """All texts that an atom matches, where they are few and fixed; None else."""
    if len(atom) == 1:
        token = atom[0]
        if _SMALL_CLASS.fullmatch(token):
            return frozenset(bytes([byte]) for byte in token[1:-1])
        text = _literal_of(token)
        return frozenset({text}) if text else None
    found = _EMPTY
    for one in _alternatives(_inner(atom)):
        run = _NOTHING
        for part, optional, repeated in _atoms(one):
            texts = _texts(part)
            if texts is None or repeated:
                return None
            run = _extended(run, texts, optional)
        found = found | run
        if len(found) > _MOST_TEXTS:
            return None
    return found


def _extended(heads: frozenset[bytes], tails: frozenset[bytes], optional: bool) -> frozenset[bytes]:
    return frozenset(head + tail for head in heads for tail in (tails | _NOTHING if optional else tails))


def _inner(atom: list[bytes]) -> list[bytes]:
    """What stands in the brackets of a group; nothing for one with flags of its own."""
    return [] if atom[1:2] == [b"?"] else atom[1:-1]


def _atoms(tokens: list[bytes]) -> Iterator[tuple[list[bytes], bool, bool]]:
    """(atom, may be absent, may repeat) of a pattern without alternatives."""
    at = 0
    while at < len(tokens):
        size = _atom(tokens, at)
        atom = tokens[at : at + size]
        optional, repeated, at = _quantifier(tokens, at + size)
        yield atom, optional, repeated


def _worth(texts: frozenset[bytes]) -> tuple[int, int]:
    """Long is rare, digits and signs are rarer than words, and few are better than many."""
    return (min(map(_rarity, texts), default=0), -len(texts))


def _rarity(text: bytes) -> int:
    low = text.lower().strip(b" ,")
    if b" " + low in _EVERYWHERE and not text[:1].isupper():
        return 1
    return len(text) + (_SIGNS.search(text) is not None and len(text) > 1) * 2


def _literal_of(token: bytes) -> bytes:
    if len(token) == 1:
        return token if token not in (b".", b"^", b"$") else b""
    return token[1:] if token[:1] == b"\\" and not token[1:2].isalnum() else b""


def _quantifier(tokens: list[bytes], at: int) -> tuple[bool, bool, int]:
    """(may be absent, may repeat, where it ends) of the quantifier that begins at `at`, if one does."""
    found = _QUANTIFIER.match(b"".join(tokens[at : at + 12]))
    if not found:
        return False, False, at
    end, size = at, 0
    while size < found.end():
        size += len(tokens[end])
        end += 1
    sign = found[0]
    return sign[:1] in b"*?" or sign[:2] in (b"{0", b"{,"), sign[:1] != b"?", end


def _atom(tokens: list[bytes], at: int) -> int:
    """How many tokens the atom at `at` has: one, or a whole group."""
    if tokens[at] != b"(":
        return 1
    depth = 0
    for index in range(at, len(tokens)):
        depth += (tokens[index] == b"(") - (tokens[index] == b")")
        if depth == 0:
            return index - at + 1
    return len(tokens) - at


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

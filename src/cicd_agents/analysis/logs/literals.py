"""The texts that a line must hold for a pattern to match it: how interesting lines of a large log are found (pure).

The same idea as RE2's FilteredRE2 and the literal optimisations of ripgrep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from cicd_agents.analysis.logs.pattern import TOKEN, alternatives, split

_QUANTIFIER = re.compile(rb"[*+?]\??|\{\d*,?\d*\}\??")
_SMALL_CLASS = re.compile(rb"\[[^^\\\]\[\x80-\xff-][^\\\]\[\x80-\xff-]{0,4}\]")
_DIGITS = re.compile(rb"\[([1-9])-([1-9])\]")
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


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that a line must hold for a pattern to match it."""

    text: bytes
    ignore_case: bool


# How good a set of texts is to find lines by; the greatest is the best.
Worth = Callable[[frozenset[bytes]], tuple[int, int]]


def needed_literals(pattern: str) -> tuple[Literal, ...]:
    """Literals one of which stands in every line that the pattern matches: the rarest such set. Empty when none is rare enough."""
    texts, ignore_case = _chosen(pattern, _worth)
    return _literals(texts, ignore_case) if _worth(texts)[0] >= _SHORTEST_LITERAL else ()


class Sample:
    """Some of a log, and how often it holds a text."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._lowered = data.lower()
        self._counts: dict[tuple[bytes, bool], int] = {}

    def count(self, text: bytes, ignore_case: bool) -> int:
        """How often; a text that is too short to look for counts as if it stood everywhere."""
        if len(text) < _SHORTEST_LITERAL:
            return len(self.data)
        key = (text, ignore_case)
        if key not in self._counts:
            self._counts[key] = self._lowered.count(text.lower()) if ignore_case else self.data.count(text)
        return self._counts[key]


def literals_rare_in(sample: Sample, pattern: str) -> tuple[Literal, ...]:
    """Like needed_literals, but the set that the sample holds least often; of such sets, the one whose shortest text is the longest."""
    ignore_case = split(pattern.encode())[0]

    def worth(texts: frozenset[bytes]) -> tuple[int, int]:
        count = sum(sample.count(text, ignore_case) for text in texts) if texts else len(sample.data)
        return (-count, min(map(len, texts), default=0))

    texts, _ = _chosen(pattern, worth)
    return _literals(texts, ignore_case) if texts and min(map(len, texts)) >= _SHORTEST_LITERAL else needed_literals(pattern)


def _chosen(pattern: str, worth: Worth) -> tuple[frozenset[bytes], bool]:
    ignore_case, _anchored, core, _ended = split(pattern.encode())
    return _needed(TOKEN.findall(_GROUP_HEAD.sub(b"(", core)), worth), ignore_case


def _literals(texts: frozenset[bytes], ignore_case: bool) -> tuple[Literal, ...]:
    return tuple(Literal(text[:_LONGEST_LITERAL], ignore_case) for text in sorted(texts))


def _needed(tokens: list[bytes], worth: Worth) -> frozenset[bytes]:
    branches = alternatives(tokens)
    if len(branches) > 1:
        each = [_needed(one, worth) for one in branches]
        return _EMPTY.union(*each) if all(each) else _EMPTY
    best, run = _EMPTY, _NOTHING
    for atom, optional, repeated in _atoms(tokens):
        texts = _texts(atom)
        if texts is None:
            inside = _needed(_inner(atom), worth) if len(atom) > 1 and not optional else _EMPTY
            best, run = max(best, _told(run), inside, key=worth), _NOTHING
            continue
        alone = _NOTHING if optional else texts
        longer = _extended(run, texts, optional)
        if len(longer) != len(run):  # a longer text is rarer, but more texts may not be
            best = max(best, _told(run), key=worth)
        if len(longer) > _MOST_TEXTS:
            longer = alone
        if repeated:
            best = max(best, _told(longer), key=worth)
        run = alone if repeated else longer
    return max(best, _told(run), key=worth)


def _told(run: frozenset[bytes]) -> frozenset[bytes]:
    """The texts, unless there may be none of them."""
    return _EMPTY if b"" in run else run


def _texts(atom: list[bytes]) -> frozenset[bytes] | None:
    """All texts that an atom matches, where they are few and fixed; None else."""
    if len(atom) == 1:
        token = atom[0]
        if _SMALL_CLASS.fullmatch(token):
            return frozenset(bytes([byte]) for byte in token[1:-1])
        if digits := _DIGITS.fullmatch(token):
            return frozenset(b"%d" % digit for digit in range(int(digits[1]), int(digits[2]) + 1))
        text = _literal_of(token)
        return frozenset({text}) if text else None
    found = _EMPTY
    for one in alternatives(_inner(atom)):
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


@cache
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

"""Hides secrets in text, before the text is stored, shown, sent or explained.

A secret is hidden where it has the documented shape of a vendor's credential, where its name says so, where it stands in a
URL or a private-key block, or where it is one of the values that we know from our own environment, in any usual encoding.
Each is replaced by `[redacted:KIND]`. What was hidden once stays as it is: redacting twice gives the same text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from cicd_agents.domain.invisible import INVISIBLE
from cicd_agents.domain.literals import Literals
from cicd_agents.domain.secret_assignments import assigned
from cicd_agents.domain.secret_shapes import AT_WORD_START, DISTINCTIVE, IN_CONTEXT
from cicd_agents.domain.secret_spellings import MIN_LENGTH, spellings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# A replacement can bring another secret to light (it ends a word, it closes a value), so passes repeat until none is found.
# Two are usual; the bound only stops texts that were made to prolong it.
MAX_PASSES = 16


@dataclass(frozen=True, slots=True)
class Redacted:
    """The text without its secrets, and how many were replaced."""

    text: str
    count: int


class Span(NamedTuple):
    """Where a secret stands; of overlapping spans the one with the lowest rank names the whole."""

    start: int
    end: int
    rank: int
    kind: str


@dataclass(frozen=True, slots=True)
class Redactor:
    """Hides secrets; `known` are secret values from the environment (those under 6 characters are ignored)."""

    known: tuple[str, ...] = field(default=(), repr=False)
    _forms: Literals = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_forms", Literals(form for value in self.known for form in spellings(value)))

    def redact(self, text: str) -> Redacted:
        """The text with every secret replaced by `[redacted:KIND]`."""
        return self._redacted(text, _marker)

    def redact_lines(self, lines: Sequence[str]) -> tuple[str, ...]:
        """The lines of one text, redacted as a whole, and as many as before: a secret of several lines is hidden in each of them."""
        text = "\n".join(line.replace("\n", " ") for line in lines)
        return tuple(self._redacted(text, _marker_of_each_line).text.split("\n")) if lines else ()

    def _redacted(self, text: str, marker: Callable[[str, Span], str]) -> Redacted:
        count = 0
        if len(text) < MIN_LENGTH:  # no finder sees anything in so short a text
            return Redacted(text, count)
        for _ in range(MAX_PASSES):
            spans = _merged(_found(text, self._forms), text)
            if not spans:
                break
            text, count = _replaced(text, spans, marker), count + len(spans)
        return Redacted(text, count)


def redact(text: str, known: Sequence[str] = ()) -> str:
    """The text with every secret hidden; for many texts build one Redactor."""
    return Redactor(tuple(known)).redact(text).text


def _word_start(literal: str) -> str:
    """A condition behind a prefix (so that the search for the prefix stays fast): it begins a word.

    A word also begins after an escaped line feed and after a percent-encoded character.
    """
    return rf"(?:(?<![A-Za-z0-9]{literal})|(?<=\\[nrt]{literal})|(?<=%[0-9A-Fa-f]{{2}}{literal}))"


def _catalogue() -> Iterator[tuple[str, bool, str, str]]:
    """(kind, whether the hint may occur in any case, hint, pattern) of every shape, the most telling first."""
    for kind, prefix, rest in DISTINCTIVE:
        yield kind, False, prefix, re.escape(prefix) + rest
    for kind, prefix, rest in AT_WORD_START:
        literal = re.escape(prefix)
        yield kind, False, prefix, literal + _word_start(literal) + rest
    for kind, hint, pattern in IN_CONTEXT:
        yield kind, hint.islower(), hint, pattern


def _by_hint() -> dict[str, list[tuple[str, str]]]:
    """Kind and pattern of the shapes that a hint may begin."""
    found: dict[str, list[tuple[str, str]]] = {}
    for kind, _, hint, pattern in _CATALOGUE:
        found.setdefault(hint, []).append((kind, pattern))
    return found


_CATALOGUE = tuple(_catalogue())
_AS_WRITTEN, _IN_ANY_CASE = (Literals(row[2] for row in _CATALOGUE if row[1] is any_case) for any_case in (False, True))
_SHAPES = _by_hint()
_compiled = cache(re.compile)  # a pattern is compiled when its hint first occurs: most never are
_ASSIGNED_KINDS = ("password", "authorization", "token", "secret", "key")
KINDS = tuple(dict.fromkeys(["known-value", "private-key", *(row[0] for row in _CATALOGUE), "url-password", "url-token", *_ASSIGNED_KINDS]))
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}
_MARKED = "marked"
_MARKER = re.compile(r"\[redacted:[a-z0-9-]{1,40}\]")
_SEEN = bytes(byte for byte in range(128) if not INVISIBLE.match(chr(byte)))
_COLOUR = re.compile(r"\x1b\[(?:\??+[0-9;]++[A-Za-z]|[mK])")


def _found(text: str, forms: Literals) -> list[Span]:
    """Every secret, also one that colour codes or invisible characters interrupt: they would be dropped later and join it."""
    if text.isascii() and not text.encode().translate(None, _SEEN):  # ten times faster than the pattern
        return list(_secrets(text, forms))
    hidden = [(match.start(), match.end()) for match in INVISIBLE.finditer(text)]
    if not hidden:
        return list(_secrets(text, forms))
    original = _positions(hidden)
    shown = _secrets(INVISIBLE.sub("", text), forms)
    spans = [span._replace(start=original(span.start), end=original(span.end - 1) + 1) for span in shown]
    if any(end - start > 1 and not _COLOUR.fullmatch(text, start, end) for start, end in hidden):
        spans += _secrets(text, forms)  # a longer sequence may carry a secret itself
    return spans


def _positions(hidden: list[tuple[int, int]]) -> Callable[[int], int]:
    """The way back from a position in the shown text to the one in the original."""
    marks, removed, total = [], [0], 0
    for start, end in hidden:
        marks.append(start - total)
        total += end - start
        removed.append(total)
    return lambda position: position + removed[bisect_right(marks, position)]


def _secrets(text: str, forms: Literals) -> Iterator[Span]:
    """Every secret that any of the finders sees; spans may overlap."""
    lowered = text.replace("\u0130", "i").lower()  # U+0130 alone changes the length
    for start, end in _known_values(text, forms):
        yield Span(start, end, 0, "known-value")
    for needed, finder in _FINDERS:
        if needed in text:
            for start, end, kind in finder(text, lowered):
                yield Span(start, end, _RANK[kind], kind)


def _known_values(text: str, forms: Literals) -> Iterator[tuple[int, int]]:
    for form in forms.inside(text):
        start = text.find(form)
        while start >= 0:
            yield start, start + len(form)
            start = text.find(form, start + len(form))


def _shapes(text: str, lowered: str) -> Iterator[tuple[int, int, str]]:
    """The catalogue; a pattern runs only where its literal occurs at all."""
    for hint in chain(_AS_WRITTEN.inside(text), _IN_ANY_CASE.inside(lowered)):
        for kind, pattern in _SHAPES[hint]:
            shape = _compiled(pattern)
            group = "secret" if "secret" in shape.groupindex else 0
            for found in shape.finditer(text):
                yield found.start(group), found.end(group), kind


_BLANK = r"(?:[ +]|%20)"
_KEY_BEGIN = re.compile(rf"-----BEGIN(?:[A-Z0-9]|{_BLANK}){{0,60}}?PRIVATE{_BLANK}KEY(?:{_BLANK}BLOCK)?-----")
_BORDER = re.compile(r"-----(?:BEGIN|END)|\[redacted:private-key\]")
_KEY_END = re.compile(rf"-----END(?:[A-Z0-9]|{_BLANK}){{0,60}}?PRIVATE{_BLANK}KEY(?:{_BLANK}BLOCK)?-----")
# The lines of a key whose end was cut off, each with at most one prefix such as a time stamp.
_KEY_BODY = re.compile(r"(?>(?:(?>(?:\\{1,3}[nr]|\s)*)(?>(?:\S{1,40}+[ \t]{1,4}+)?)[A-Za-z0-9+/=]{20,}+)+)")
_MAX_KEY = 65536


def _private_keys(text: str, lowered: str) -> Iterator[tuple[int, int, str]]:
    """Private-key blocks (PEM, OpenSSH, PGP), on many lines or on one; also one whose end is missing."""
    del lowered
    for begin in _KEY_BEGIN.finditer(text):
        border = _BORDER.search(text, begin.end())
        end = _KEY_END.match(text, border.start()) if border else None
        if end and end.start() - begin.end() <= _MAX_KEY:
            yield begin.start(), end.end(), "private-key"
        elif body := _KEY_BODY.match(text, begin.end()):
            yield begin.start(), body.end(), "private-key"


_AUTHORITY = re.compile(r":\\?/\\?/([^\s/?#\"'<>\\`]{1,4096}+)")
_BEYOND = re.compile(r"[^\s@\"'<>\\`]{1,200}+@")
_PORT = re.compile(r"[0-9]{0,5}|.*\]")
_URL_PLACEHOLDER = re.compile(r"[*\0]*|[$<{%:].*|x-oauth-basic|x{3,}|[A-Za-z0-9]")
_TOKEN_LIKE = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_-]{16,}")


def _in_urls(text: str, lowered: str) -> Iterator[tuple[int, int, str]]:
    """Passwords and tokens before the host of a URL; scheme, user and host stay visible."""
    del lowered
    for found in _AUTHORITY.finditer(text):
        userinfo = _userinfo(text, found)
        if userinfo:
            yield from _in_userinfo(userinfo, found.start(1))


def _userinfo(text: str, authority: re.Match[str]) -> str:
    """What stands before the last @ of the authority; a password with an unescaped / ? or # is followed beyond it."""
    before, at, host = authority[1].rpartition("@")
    if at:
        return "" if host.startswith("sha256:") else before
    port = authority[1].partition(":")[2]
    if not port or _PORT.fullmatch(port):
        return ""
    beyond = _BEYOND.match(text, authority.end())
    return authority[1] + beyond[0][:-1] if beyond else ""


def _in_userinfo(userinfo: str, offset: int) -> Iterator[tuple[int, int, str]]:
    plain = _MARKER.sub(lambda marker: "\0" * len(marker[0]), userinfo)
    user, _, password = plain.partition(":")
    if _TOKEN_LIKE.fullmatch(user):
        yield offset, offset + len(user), "url-token"
    if not _URL_PLACEHOLDER.fullmatch(password):
        yield offset + len(user) + 1, offset + len(plain), "url-password"


# What must stand in a text for a finder to see something.
_FINDERS: tuple[tuple[str, Callable[[str, str], Iterator[tuple[int, int, str]]]], ...] = (
    ("-----BEGIN", _private_keys), ("", _shapes), ("/", _in_urls), ("", assigned),
)  # fmt: skip


def _merged(found: list[Span], text: str) -> list[Span]:
    """Overlapping spans as one, without those that hold nothing but what is hidden already."""
    if not found:
        return []
    marked = [Span(marker.start(), marker.end(), len(_RANK), _MARKED) for marker in _MARKER.finditer(text)]
    groups: list[list[Span]] = []
    end = -1
    for span in sorted([*found, *marked]):
        if span.start >= end:
            groups.append([])
        groups[-1].append(span)
        end = max(end, span.end)
    return [_union(group) for group in groups if _holds_news(group)]


def _union(group: list[Span]) -> Span:
    rank, kind = min((span.rank, span.kind) for span in group)
    return Span(group[0].start, max(span.end for span in group), rank, kind)


def _holds_news(group: list[Span]) -> bool:
    """Whether the spans reach beyond the markers among them."""
    hidden = sum(span.end - span.start for span in group if span.kind == _MARKED)
    return max(span.end for span in group) - group[0].start > hidden


def _replaced(text: str, spans: list[Span], marker: Callable[[str, Span], str]) -> str:
    parts: list[str] = []
    position = 0
    for span in spans:
        parts += (text[position : span.start], marker(text, span))
        position = span.end
    return "".join([*parts, text[position:]])


def _marker(_text: str, span: Span) -> str:
    return f"[redacted:{span.kind}]"


def _marker_of_each_line(text: str, span: Span) -> str:
    return "\n".join([f"[redacted:{span.kind}]"] * (1 + text.count("\n", span.start, span.end)))

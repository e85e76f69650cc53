"""Keys of TOML documents and where their values stand, for edits that touch nothing else (pure).

A scanner by the grammar of TOML 1.0 and 1.1: tables, arrays of tables, dotted and quoted keys, inline tables, comments, strings of all four sorts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cicd_agents.analysis.version_files.places import Place, Role, Spelling

Path = tuple[str | int, ...]

_KEY_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\[^\n])*"|'[^'\n]*')"""
_KEY = rf"{_KEY_PART}(?:[ \t]*\.[ \t]*{_KEY_PART})*"
_PARTS = re.compile(_KEY_PART)
_IDLE = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*+")
_HEADER = re.compile(rf"\[[ \t]*({_KEY})[ \t]*\]|\[\[[ \t]*({_KEY})[ \t]*\]\]")
_ASSIGNMENT = re.compile(rf"({_KEY})[ \t]*=[ \t]*")
_STRING = (
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*+"{3,5}'
    r"|'''(?:[^']|'(?!''))*+'{3,5}"
    r'|"(?!"")(?:[^"\\\n]|\\[^\n])*+"'
    r"|'(?!'')[^'\n]*'"
)
_VALUE = re.compile(rf"{_STRING}|[^\s,#\[\]{{}}\"']+(?: [0-9][^\s,#\[\]{{}}\"']*)?")
_INSIDE = re.compile(rf"({_STRING})|(#[^\n]*)|([\[{{])|([\]}}])|[^\"'#\[\]{{}}]+")
_LINE_END = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)")
_DEEPEST = 32  # inline tables within inline tables


class _NotToml(Exception):
    """The text is not TOML; nothing of it is used."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value, from `start` to before `end`. In `path` the items of an array of tables are counted from 0 behind its name."""

    path: Path
    start: int
    end: int
    raw: str

    @property
    def string(self) -> str | None:
        """The text of a string on one line without escapes, None for anything else."""
        if len(self.raw) < 2 or self.raw[0] not in "\"'" or self.raw[:3] in {'"""', "'''"} or "\\" in self.raw:
            return None
        return self.raw[1:-1]

    def place(self, role: Role = Role.OWN, spelling: Spelling = Spelling.PLAIN, name: str = "") -> Iterator[Place]:
        """The text of the string."""
        if self.string is not None:
            yield Place(self.start + 1, self.end - 1, self.string, role, spelling, name)


def entries(text: str) -> dict[Path, Entry]:
    """All keys of a document that have a value, those of inline tables too; empty where the text is not TOML."""
    try:
        return {entry.path: entry for entry in _Scanner(text).document()}
    except _NotToml:
        return {}


def string(found: dict[Path, Entry], *path: str | int) -> str:
    """The text under a path, empty where there is none."""
    entry = found.get(path)
    return (entry.string or "") if entry else ""


class _Scanner:
    """Reads from `at` on; every method leaves `at` behind what it has read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._arrays: dict[Path, int] = {}

    def document(self) -> Iterator[Entry]:
        """All entries. Raises _NotToml at the first fault."""
        table: Path = ()
        self._take(_IDLE)
        while self._at < len(self._text):
            if header := _HEADER.match(self._text, self._at):
                table = self._table(_names(header[1] or header[2]), array=bool(header[2]))
                self._at = header.end()
            else:
                yield from self._assignment(table, 0)
            self._take(_LINE_END)
            self._take(_IDLE)

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if not found:
            raise _NotToml
        self._at = found.end()
        return found

    def _table(self, names: Path, *, array: bool) -> Path:
        """The path of a table header: names of arrays of tables are followed by the number of their last item."""
        path: Path = ()
        for position, name in enumerate(names):
            path = (*path, name)
            if array and position == len(names) - 1:
                self._arrays[path] = self._arrays.get(path, -1) + 1
            if path in self._arrays:
                path = (*path, self._arrays[path])
        return path

    def _assignment(self, table: Path, depth: int) -> Iterator[Entry]:
        """The entries of one `key = value`: those within it, then itself."""
        path = (*table, *_names(self._take(_ASSIGNMENT)[1]))
        start = self._at
        if self._next() == "{":
            yield from self._inline(path, depth + 1)
        elif self._next() == "[":
            self._array()
        else:
            self._take(_VALUE)
        yield Entry(path, start, self._at, self._text[start : self._at])

    def _inline(self, path: Path, depth: int) -> Iterator[Entry]:
        """The entries of an inline table; line ends, comments and a trailing comma are of TOML 1.1."""
        if depth > _DEEPEST:
            raise _NotToml
        more = True
        while more:
            self._step()
            if self._next() != "}":
                yield from self._assignment(path, depth)
                self._take(_IDLE)
            more = self._next() == ","
        if self._next() != "}":
            raise _NotToml
        self._at += 1

    def _array(self) -> None:
        """Over an array, whatever is in it."""
        depth = 1
        self._step()
        while depth:
            inside = self._take(_INSIDE)
            depth += bool(inside[3]) - bool(inside[4])

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _step(self) -> None:
        self._at += 1
        self._take(_IDLE)


def _names(key: str) -> Path:
    return tuple(part.strip("\"'") for part in _PARTS.findall(key))

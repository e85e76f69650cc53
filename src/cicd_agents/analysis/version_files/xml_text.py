"""Elements of XML documents that hold text only, and where the text stands: expat reads (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

from cicd_agents.analysis.version_files.places import Place, Role, Spelling

_DEEPEST = 100


class _Refused(Exception):
    """A document that declares entities, or is nested too deeply: nothing of it is used."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element without child elements: `path` are the local names from the root; its text, stripped, stands from `start` to before `end`."""

    path: tuple[str, ...]
    value: str
    start: int
    end: int

    def place(self, role: Role = Role.OWN, spelling: Spelling = Spelling.PLAIN, name: str = "") -> Place:
        """The place of the text."""
        return Place(self.start, self.end, self.value, role, spelling, name)


def elements(text: str) -> tuple[Element, ...]:
    """The elements with text, in order; none where the text is not well-formed XML, or declares entities."""
    data = text.encode("utf-8", "replace")
    reader = _Reader(data)
    try:
        reader.parser.Parse(data, True)
    except (expat.ExpatError, _Refused, ValueError):
        return ()
    return tuple(_in_characters(data, reader.found))


def _in_characters(data: bytes, found: list[Element]) -> Iterator[Element]:
    """expat counts bytes; the offsets rise, so that each stretch is decoded once."""
    byte = characters = 0
    for element in found:
        characters += len(data[byte : element.start].decode("utf-8"))
        byte = element.start
        yield Element(element.path, element.value, characters, characters + len(element.value))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._path: list[str] = []
        self._start: int | None = None
        self._expect = False
        self.found: list[Element] = []
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartElementHandler = self._opened
        self.parser.EndElementHandler = self._closed
        self.parser.DefaultHandler = self._read
        self.parser.EntityDeclHandler = self._refuse

    def _opened(self, name: str, _attributes: dict[str, str]) -> None:
        if len(self._path) >= _DEEPEST:
            raise _Refused
        self._path.append(name.rpartition(":")[2])
        self._start, self._expect = None, True

    def _read(self, _data: str) -> None:
        """Text, a comment or a processing instruction: the first one behind a start tag shows where that ended."""
        if self._expect:
            self._start, self._expect = self.parser.CurrentByteIndex, False

    def _closed(self, _name: str) -> None:
        if self._start is not None:
            raw = self._data[self._start : self.parser.CurrentByteIndex]
            value = raw.strip()
            start = self._start + len(raw) - len(raw.lstrip())
            if value and b"<" not in value and b"&" not in value:
                self.found.append(Element(tuple(self._path), value.decode("utf-8"), start, start + len(value)))
        self._path.pop()
        self._start, self._expect = None, False

    def _refuse(self, *_declaration: object) -> None:
        raise _Refused

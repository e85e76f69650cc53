"""Scalars of YAML documents and where they stand: PyYAML's parser reads, its marks point (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cicd_agents.analysis.version_files.places import Place, Role, Spelling

Path = tuple[str | int, ...]
_SINGLE, _DOUBLE = "'", '"'
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Scalar:
    """A plain or quoted scalar: its text from `start` to before `end`, without quotes. Items of lists are counted from 0 in `path`."""

    path: Path
    value: str
    start: int
    end: int

    def place(self, role: Role = Role.OWN, spelling: Spelling = Spelling.PLAIN) -> Place:
        """The place of this scalar."""
        return Place(self.start, self.end, self.value, role, spelling)


def scalars(text: str) -> Iterator[Scalar]:
    """The scalars of the first document, in order; the reading stops at the first fault. Aliases and block scalars are left out."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    reader = _Reader(text)
    try:
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.DocumentEndEvent) or len(reader.levels) > _DEEPEST:
                return
            yield from reader.read(type(event).__name__, event)
    except (yaml.YAMLError, ValueError):
        return


@dataclass(slots=True)
class _Level:
    """A list or mapping that is open: `at` is the key or number of the value that comes, None where a key comes."""

    mapping: bool
    at: str | int | None


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self.levels: list[_Level] = []

    def read(self, kind: str, event: Any) -> Iterator[Scalar]:
        match kind:
            case "ScalarEvent":
                yield from self._scalar(event)
            case "AliasEvent":
                self._done("")
            case "MappingStartEvent":
                self.levels.append(_Level(True, None))
            case "SequenceStartEvent":
                self.levels.append(_Level(False, 0))
            case "MappingEndEvent" | "SequenceEndEvent":
                self.levels.pop()
                self._done("")

    def _scalar(self, event: Any) -> Iterator[Scalar]:
        level = self.levels[-1] if self.levels else None
        is_value = level is not None and level.at is not None
        if is_value and (found := self._located(event)):
            yield found
        self._done(event.value)

    def _done(self, key: str) -> None:
        """A node is read: its level waits for the next one."""
        if not self.levels:
            return
        level = self.levels[-1]
        if level.mapping:
            level.at = key if level.at is None else None
        elif isinstance(level.at, int):
            level.at += 1

    def _located(self, event: Any) -> Scalar | None:
        end = event.end_mark.index - (1 if event.style in {_SINGLE, _DOUBLE} else 0)
        start = end - len(event.value)
        if event.style not in {None, "", _SINGLE, _DOUBLE} or start < event.start_mark.index or self._text[start:end] != event.value:
            return None
        return Scalar(tuple(level.at for level in self.levels if level.at is not None), event.value, start, end)

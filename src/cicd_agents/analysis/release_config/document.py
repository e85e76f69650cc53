"""Configuration text → plain tables, with errors that name the file and the line. Bounded in size and depth; nothing is executed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cicd_agents.domain.errors import UsageError

# Real ones are below 50 kB; package.json and manifests of large monorepos below 200 kB.
MAX_BYTES = 512 * 1024
# Values of a YAML file when its aliases are followed; more is a bomb of anchors.
_MAX_VALUES = 100_000
_TOML_LINE = re.compile(r"\(at line ([0-9]+), column [0-9]+\)")
_KINDS: dict[type, str] = {str: "a text", bool: "true or false", list: "a list", dict: "a table", int: "a number"}


@dataclass(frozen=True, slots=True)
class Document:
    """A table of a configuration file. `text` is the file, `start` where the table begins in it: both serve the line of an error."""

    file: str
    table: Mapping[str, Any]
    text: str = ""
    start: int = 0

    def __contains__(self, key: str) -> bool:
        return self.table.get(key) is not None

    def line(self, key: str) -> int:
        """The line where a key stands, counted from 1; the table's first one where it is not found."""
        return self.text.count("\n", 0, max(self._place(key), 0)) + 1

    def refuse(self, key: str, why: str) -> UsageError:
        """The error for a key, to be raised."""
        return UsageError(f"{self.file}:{self.line(key)}: {key[:80]} {why}.")

    def text_at(self, key: str, default: str = "") -> str:
        """A text."""
        return str(self._typed(key, str, default))

    def flag(self, key: str, default: bool | None = None) -> bool | None:
        """True, false, or the default where the key is absent."""
        value = self._typed(key, bool, default)
        return value if value is None else bool(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one."""
        value = self.table.get(key)
        if isinstance(value, str):
            return (value,)
        items = self._typed(key, list, [])
        if not all(isinstance(item, str) for item in items):
            raise self.refuse(key, "must be a list of texts")
        return tuple(items)

    def items(self, key: str) -> tuple[Any, ...]:
        """A list of anything; one thing is a list of one."""
        value = self.table.get(key)
        return tuple(value) if isinstance(value, list) else () if value is None else (value,)

    def section(self, key: str) -> Document:
        """A table inside; empty where it is absent."""
        return Document(self.file, self._typed(key, dict, {}), self.text, max(self._place(key), self.start))

    def sections(self, key: str) -> Iterator[tuple[str, Document]]:
        """The tables inside a table of tables, with their names."""
        outer = self.section(key)
        for name in outer.table:
            yield name, outer.section(name)

    def rows(self, key: str) -> Iterator[Document]:
        """The tables of a list of tables."""
        place = max(self._place(key), self.start)
        for item in self._typed(key, list, []):
            if not isinstance(item, dict):
                raise self.refuse(key, "must be a list of tables")
            yield Document(self.file, item, self.text, place)

    def _typed(self, key: str, kind: type, default: Any) -> Any:
        value = self.table.get(key)
        if value is None:
            return default
        if not isinstance(value, kind):
            raise self.refuse(key, f"must be {_KINDS[kind]}")
        return value

    def _place(self, key: str) -> int:
        """Where the key stands in the text, with or without quotes, or -1."""
        at = self.text.find(key, self.start)
        while at >= 0:
            around = self.text[at - 1 : at] + self.text[at + len(key) : at + len(key) + 1]
            if not any(sign.isalnum() or sign in "_-" for sign in around):
                return at
            at = self.text.find(key, at + 1)
        return -1


def decode(file: str, data: bytes) -> str:
    """The text of a file. Raises UsageError for one that is too large or is not UTF-8."""
    if len(data) > MAX_BYTES:
        raise UsageError(f"{file}:1: the file is larger than {MAX_BYTES // 1024} KiB.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise UsageError(f"{file}:{data.count(10, 0, problem.start) + 1}: the file is not UTF-8.") from problem


def read_json(file: str, data: bytes) -> Document:
    """A JSON object."""
    import json

    text = decode(file, data)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as problem:
        raise UsageError(f"{file}:{problem.lineno}: no JSON: {problem.msg}.") from problem
    except (RecursionError, ValueError) as problem:
        raise _too_deep(file) from problem
    return _table(file, text, value)


def read_yaml(file: str, data: bytes) -> Document:
    """A YAML or JSON mapping, by the safe loader."""
    import yaml

    text = decode(file, data)
    try:
        # libyaml, where it is there: it bounds nesting, and the pure loader takes quadratic time on open brackets. Both make plain values only.
        value = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise UsageError(f"{file}:{line}: no YAML: {problem.problem or 'it cannot be read'}.") from problem
    except (RecursionError, ValueError, yaml.YAMLError) as problem:
        raise _too_deep(file) from problem
    _refuse_bombs(file, value)
    return _table(file, text, {} if value is None else value)


def read_toml(file: str, data: bytes) -> Document:
    """A TOML file."""
    import tomllib

    text = decode(file, data)
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        found = _TOML_LINE.search(str(problem))
        line = found[1] if found else text.count("\n") + 1
        raise UsageError(f"{file}:{line}: no TOML: {str(problem).split(' (at')[0]}.") from problem
    except (RecursionError, ValueError) as problem:
        raise _too_deep(file) from problem
    return _table(file, text, value)


def read_ini(file: str, data: bytes) -> Document:
    """An INI file such as setup.cfg; all values are texts, sections are tables."""
    import configparser

    text = decode(file, data)
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text, file)
    except configparser.MissingSectionHeaderError as problem:
        raise UsageError(f"{file}:{problem.lineno}: a line stands before the first section.") from problem
    except configparser.ParsingError as problem:
        raise UsageError(f"{file}:{problem.errors[0][0] if problem.errors else 1}: a line cannot be read.") from problem
    return _table(file, text, {name: dict(parser.items(name)) for name in parser.sections()})


def by_suffix(file: str) -> Callable[[str, bytes], Document]:
    """The reader for a file's name; a name without a known ending is YAML, which JSON is part of."""
    return {"json": read_json, "toml": read_toml, "cfg": read_ini}.get(file.rpartition(".")[2], read_yaml)


def _table(file: str, text: str, value: object) -> Document:
    if not isinstance(value, dict):
        raise UsageError(f"{file}:1: the file must hold a table of settings.")
    return Document(file, value, text)


def _too_deep(file: str) -> UsageError:
    return UsageError(f"{file}:1: the file is nested too deeply, or a number or date in it is none.")


def _refuse_bombs(file: str, value: object) -> None:
    """Refuse a value that is small in the file and huge when its aliases are followed, or that holds itself."""
    seen, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        inside = list(item.values()) if isinstance(item, dict) else item if isinstance(item, list) else []
        seen += 1 + len(inside)
        if seen > _MAX_VALUES:
            raise UsageError(f"{file}:1: the file's aliases make it larger than {_MAX_VALUES:,} values.")
        waiting.extend(inside)

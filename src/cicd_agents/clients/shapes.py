"""Answers of services read with types: a value of another shape is said by its dotted path, never a crash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from cicd_agents.domain.errors import BadAnswer

# Beyond 64 bits no service counts, and a float overflows.
_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Shape:
    """A mapping from an answer. `where` says whose answer it is ("GitHub: the run"); every method raises BadAnswer on another shape.

    A key that is missing and one that is null are the same.
    """

    data: Mapping[str, Any] = field(repr=False)
    where: str
    path: str = ""

    @staticmethod
    def of(data: Any, where: str, path: str = "") -> Shape:
        """The mapping in `data`."""
        if not isinstance(data, Mapping):
            raise BadAnswer(f"{where}: {_place(path)} should be an object, but is {_kind(data)}. Is this the address of the API?")
        return Shape(data, where, path)

    def text(self, key: str, default: str | None = None) -> str:
        """A text; `default` where there is none."""
        value = self.optional_text(key)
        if value is not None:
            return value
        return default if default is not None else self._wrong(key, "a text")

    def number(self, key: str, default: int | None = None) -> int:
        """A whole number; `default` where there is none."""
        value = self.optional_number(key)
        if value is not None:
            return value
        return default if default is not None else self._wrong(key, "a whole number")

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false; `default` where there is none."""
        value = self.data.get(key)
        if value is None:
            return default
        return value if isinstance(value, bool) else self._wrong(key, "true or false")

    def optional_text(self, key: str) -> str | None:
        """A text, or None."""
        value = self.data.get(key)
        return value if value is None or isinstance(value, str) else self._wrong(key, "a text")

    def optional_number(self, key: str) -> int | None:
        """A whole number, or None."""
        value = self.data.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value < _LARGEST):
            return value
        return self._wrong(key, "a whole number")

    def inner(self, key: str) -> Shape:
        """A mapping inside."""
        return self.maybe(key) or self._wrong(key, "an object")

    def maybe(self, key: str) -> Shape | None:
        """A mapping inside, or None."""
        value = self.data.get(key)
        return None if value is None else Shape.of(value, self.where, self._at(key))

    def items(self, key: str, *, missing_ok: bool = False) -> tuple[Shape, ...]:
        """A list of mappings; with `missing_ok` none where the key is missing."""
        return tuple(Shape.of(item, self.where, f"{self._at(key)}[{index}]") for index, item in enumerate(self._list(key, missing_ok)))

    def texts(self, key: str, *, missing_ok: bool = False) -> tuple[str, ...]:
        """A list of texts; with `missing_ok` none where the key is missing."""
        values = self._list(key, missing_ok)
        return tuple(value if isinstance(value, str) else self._wrong(key, "a list of texts") for value in values)

    def time(self, key: str) -> float | None:
        """ISO 8601 as seconds since the epoch; without a zone it is UTC. None where there is none, or it lies before 1970 (GitHub's year 1)."""
        text = self.optional_text(key)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            self._wrong(key, "a time in ISO 8601")
        return seconds if seconds >= 0 else None

    def _list(self, key: str, missing_ok: bool) -> list[Any]:
        value = self.data.get(key)
        if value is None and missing_ok:
            return []
        return value if isinstance(value, list) else self._wrong(key, "a list")

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _wrong(self, key: str, expected: str) -> NoReturn:
        raise BadAnswer(f"{self.where}: {_place(self._at(key))} should be {expected}, but is {_kind(self.data.get(key))}.")


def _place(path: str) -> str:
    return f"`{path}`" if path else "the answer"


def _kind(value: Any) -> str:
    """What a value is, without the value itself, which may be secret."""
    for kind, name in ((bool, "true or false"), (str, "a text"), (int | float, "a number"), (Mapping, "an object"), (list, "a list")):
        if isinstance(value, kind):
            return name
    return "missing"

"""The items of a dossier as they are gathered, and the whole of each for what a model asks for later (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cicd_agents.domain.advice import DossierItem, DossierKind
from cicd_agents.domain.redaction import Redactor

_MOST_NAME = 160  # a path is read by it, and a patch needs it whole
_MOST_LINE = 600


class Logs(Protocol):
    """Logs that were kept, by name; their lines are cleaned and redacted."""

    def lines(self, name: str, first: int, last: int) -> tuple[str, ...] | None:
        """The lines from `first` to `last` (from 1) as far as there are any; None where the log is not kept."""
        ...

    def count(self, name: str) -> int | None:
        """How many lines it has; None where it is not kept."""
        ...


@dataclass(slots=True)
class Shelf:
    """Collects items, all redacted, under ids that differ. It is their Archive (domain.advice)."""

    redactor: Redactor
    logs: Logs
    items: list[DossierItem] = field(default_factory=list)
    _texts: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    _logs: dict[str, str] = field(default_factory=dict)

    def add(self, kind: DossierKind, name: str, title: str, lines: Sequence[str], *, first: int = 1, shown: slice = slice(None)) -> str:
        """Put a text there whose first line has the number `first`; of its lines those in `shown` are shown at first. Returns the id."""
        return self.put(kind, name, title, self.redactor.redact_lines(lines), first=first, shown=shown)

    def put(self, kind: DossierKind, name: str, title: str, redacted: Sequence[str], *, first: int = 1, shown: slice = slice(None)) -> str:
        """The same for lines that are redacted already."""
        whole = tuple(line[:_MOST_LINE] for line in redacted)
        begin, end, _ = shown.indices(len(whole))
        made = DossierItem(self._id(kind, name), kind, self.name(title, 160), whole[begin:end], first + begin, first + len(whole) - 1)
        self._texts[made.id] = first, whole
        self.items.append(made)
        return made.id

    def add_log(self, name: str, title: str, log: str, first: int, last: int) -> str:
        """Put a window of a kept log there. Returns the id, by which the whole log can be read."""
        lines = self.logs.lines(log, first, last) or ()
        made = DossierItem(self._id(DossierKind.LOG, name), DossierKind.LOG, self.name(title, 160), lines, first, self.logs.count(log) or 0)
        self._logs[made.id] = log
        self.items.append(made)
        return made.id

    def lines(self, item: str, first: int, last: int) -> tuple[str, ...] | None:
        """The lines of an item from `first` to `last` as far as there are any; None where there is no such item."""
        if item in self._logs:
            return self.logs.lines(self._logs[item], first, last)
        if item not in self._texts:
            return None
        begin, whole = self._texts[item]
        return whole[max(0, first - begin) : max(0, last - begin + 1)]

    def name(self, text: str, most: int = _MOST_NAME) -> str:
        """A name from outside, redacted, on one line of at most `most` characters."""
        flat = self.redactor.redact(" ".join(text.split())).text
        return flat if len(flat) <= most else f"{flat[: most - 1]}…"

    def _id(self, kind: DossierKind, name: str) -> str:
        """An id that no other item has."""
        plain = f"{kind.value}:{self.name(name)}"
        taken = {item.id for item in self.items}
        return next(made for number in range(1, len(taken) + 2) if (made := plain if number == 1 else f"{plain} ({number})") not in taken)

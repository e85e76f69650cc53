"""What a model has been shown, line by line, so that its citations can be held against it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cicd_agents.advisor.evidence_text import label, one_line
from cicd_agents.domain.advice import Dossier, DossierItem

_PACKAGE = re.compile(r"(?:node_modules/|[\"'])(@[a-z0-9][\w.-]*/[a-z0-9][\w.-]*)")


class Shown:
    """Grows with every answer to the model's questions; holds lines as they were shown."""

    def __init__(self, dossier: Dossier) -> None:
        """Of two items with the same shown name the first counts."""
        self._items = {label(item.id): item for item in reversed(dossier.items)}
        self._lines: dict[str, dict[int, str]] = {}
        for item in dossier.items:
            self.add(item.id, item.first, item.lines)

    def item(self, name: object) -> DossierItem | None:
        """The item that a model names."""
        return self._items.get(label(name)) if isinstance(name, str) else None

    def add(self, item: str, first: int, lines: Sequence[str]) -> None:
        """More lines of an item were shown."""
        self._lines.setdefault(item, {}).update((number, one_line(line)) for number, line in enumerate(lines, first))

    def line(self, item: str, number: int) -> str | None:
        """A line that was shown."""
        return self._lines.get(item, {}).get(number)

    def names(self, word: str) -> bool:
        """Whether a name stands somewhere in what was shown, as a whole word."""
        whole = re.compile(rf"(?<![\w@/.-]){re.escape(word)}(?![\w/-]|\.\w)")
        return any(whole.search(line) for lines in self._lines.values() for line in lines.values() if word in line)

    def packages(self) -> frozenset[str]:
        """Names like `@scope/name` that stand there as packages: quoted, or below node_modules."""
        return frozenset(found for lines in self._lines.values() for line in lines.values() if "@" in line for found in _PACKAGE.findall(line))

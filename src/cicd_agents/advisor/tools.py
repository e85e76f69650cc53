"""What a model may ask for: more lines of an item of its dossier. It can do nothing else, and that only so often and so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cicd_agents.advisor.evidence_text import border, fenced, numbered
from cicd_agents.advisor.rules import TOOLS, Reading
from cicd_agents.advisor.shown import Shown
from cicd_agents.domain.advice import Archive, Dossier, ToolCall, ToolSpec

_MOST_LINE = 10**7


def specs(dossier: Dossier) -> tuple[ToolSpec, ...]:
    """The functions that make sense for this dossier."""
    kinds = {item.kind for item in dossier.items}
    return tuple(ToolSpec(name, about, _parameters()) for name, (about, reads) in TOOLS.items() if reads & kinds)


def _parameters() -> dict[str, Any]:
    parts = {
        "item": {"type": "string", "description": "id of an item of the dossier"},
        "first": {"type": "integer", "description": "number of the first line, from 1"},
        "last": {"type": "integer", "description": "number of the last line"},
    }
    return {"type": "object", "properties": parts, "required": list(parts)}


class Desk:
    """Answers a model's questions from the archive within its limits, and notes what was shown."""

    def __init__(self, archive: Archive, shown: Shown, limits: Reading) -> None:
        """One desk serves one conversation."""
        self._archive, self._shown, self._limits = archive, shown, limits
        self._calls, self._bytes = limits.calls, limits.bytes

    @property
    def open(self) -> bool:
        """Whether anything can be asked for still."""
        return self._calls > 0 and self._bytes > 0

    def answer(self, call: ToolCall) -> str:
        """The lines that were asked for, between borders, or one line that says why not. Nothing of the arguments is repeated."""
        if not self.open:
            return "Refused: no more lines may be asked for. Answer with what there is."
        self._calls -= 1
        if call.name not in TOOLS:
            return "Refused: there is no such function."
        item = self._shown.item(call.arguments.get("item"))
        if item is None or item.kind not in TOOLS[call.name][1]:
            return "Refused: no item of the dossier that this function reads has this id."
        span = _span(call.arguments, self._limits.lines)
        if span is None:
            return "Refused: first and last must be whole numbers from 1, first not after last."
        return self._lines(item.id, *span)

    def _lines(self, item: str, first: int, last: int) -> str:
        lines = self._archive.lines(item, first, last)
        if not lines:
            return "There are no such lines."
        body = numbered(first, lines[: last - first + 1])
        kept: list[str] = []
        for line in body:
            self._bytes -= len(line.encode()) + 1
            if self._bytes < 0:
                break
            kept.append(line)
        self._shown.add(item, first, lines[: len(kept)])
        whole = fenced(border(kept), "lines", kept)
        return whole if len(kept) == len(body) else f"{whole}\nCut here: no more lines may be asked for."


def _span(arguments: Mapping[str, Any], most: int) -> tuple[int, int] | None:
    first, last = _number(arguments.get("first")), _number(arguments.get("last"))
    if first is None or last is None or last < first:
        return None
    return first, min(last, first + most - 1)


def _number(value: object) -> int | None:
    """A line number; some services send whole numbers as floats."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= _MOST_LINE or value != int(value):
        return None
    return int(value)

"""A Markdown text as a list of sections, so that one that is too long loses whole sections and never half a table or an open code block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
_NOTE_BYTES = 600  # what the note on left-out sections takes at most; their names are few and short


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a text. `name` is for people; the higher the rank, the sooner it is left out; rank 0 goes last of all."""

    name: str
    text: str
    rank: int = 0


def fitted(sections: Sequence[Section], most: int) -> str:
    """The sections with a blank line between them, in at most `most` bytes of UTF-8 as long as the first one fits: it is always kept.

    Sections are left out by rank, of equal rank the later one first; a note at the end names them.
    """
    sizes = [len(section.text.encode()) + 2 for section in sections]
    total, gone = sum(sizes) - 1, set[int]()
    for index in sorted(range(1, len(sections)), key=lambda index: (-sections[index].rank, -index)):
        if total + (_NOTE_BYTES if gone else 0) <= most:
            break
        gone.add(index)
        total -= sizes[index]
    kept = [section.text for index, section in enumerate(sections) if index not in gone]
    if gone:
        kept.append(_note([sections[index].name for index in sorted(gone)]))
    return "\n\n".join(kept) + "\n"


def _note(names: Sequence[str]) -> str:
    shown = [f"{name} ({count} times)" if count > 1 else name for name, count in Counter(names).items()]
    return f"> Left out because the text would be too long here: {', '.join(shown)}. The report files hold everything."


def listed(items: Sequence[T], most: int, line: Callable[[T], str]) -> str:
    """A Markdown list of the first items, with a last line that counts the rest."""
    lines = [f"- {line(item)}" for item in items[:most]]
    rest = len(items) - most
    return "\n".join([*lines, f"- … and {rest} more"] if rest > 0 else lines)

"""Evidence as text for a model: every line has its number before it, and every piece stands between borders that occur in none of them.

So no log, path or title can end its piece early, begin another one or speak in our name. Nothing here is random: the same evidence gives the same text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cicd_agents.domain.invisible import seen

MOST_OF_LINE = 500
MOST_OF_NAME = 200
_BORDER = re.compile(r"evidence-border-([0-9]+)\.", re.IGNORECASE)


def one_line(text: str, most: int = MOST_OF_LINE) -> str:
    """What a reader sees of a text, on one line of at most `most` characters; tabs and blanks at the beginning stay."""
    flat = seen(text).replace("\n", " ").rstrip()
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def label(name: str) -> str:
    """An id or title as it is shown."""
    return one_line(" ".join(seen(name).split()), MOST_OF_NAME)


def border(texts: Sequence[str]) -> str:
    """The first border that occurs in none of the texts."""
    taken = {found[1] for text in texts for found in _BORDER.finditer(text)}
    number = next(number for number in range(len(taken) + 1) if str(number) not in taken)
    return f"evidence-border-{number}."


def numbered(first: int, lines: Sequence[str]) -> list[str]:
    """The lines, each on one line behind its number."""
    return [f"{number}| {one_line(line)}" for number, line in enumerate(lines, first)]


def fenced(mark: str, what: str, body: Sequence[str]) -> str:
    """A piece of evidence between borders; `what` is ours, the body has its prefixes already."""
    return "\n".join([f"{mark} begin {what}", *body, f"{mark} end {what}"])

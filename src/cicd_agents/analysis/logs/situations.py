"""Advice for common situations of a category, told by the words of the message; the texts stand in situations.toml (pure but for reading them)."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from itertools import islice

from cicd_agents.analysis.logs.signature import FixTemplate

MOST = 2
_LONGEST = 600


def situations(category: str, message: str) -> tuple[FixTemplate, ...]:
    """The fixes for what the message speaks of, in the order of the file, at most MOST."""
    head = message[:_LONGEST]
    return tuple(islice((fix for categories, shape, fix in _table() if category in categories and shape.search(head)), MOST))


@cache
def _table() -> tuple[tuple[frozenset[str], re.Pattern[str], FixTemplate], ...]:
    document = tomllib.loads((files("cicd_agents.analysis.logs") / "situations.toml").read_text(encoding="utf-8"))
    return tuple(
        (frozenset(entry["categories"]), re.compile("|".join(entry["any"]), re.IGNORECASE), FixTemplate("lasting", entry["title"], entry["detail"]))
        for entry in document["situation"]
    )

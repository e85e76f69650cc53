"""What a message that no signature knows is about: by its own words, else by the work that was going on; the words stand in meaning.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

_Table = tuple[tuple[str, re.Pattern[str]], ...]


def meaning(message: str, work: Iterable[str] = ()) -> str:
    """The category of a message; `work`: the commands and the step's name, the most telling first. `other` where nothing tells."""
    words, works = _tables()
    for category, shape in words:
        if shape.search(message):
            return category
    return next((category for text in work if text for category, shape in works if shape.search(text)), "other")


@cache
def _tables() -> tuple[_Table, _Table]:
    document = tomllib.loads((files("cicd_agents.analysis.logs") / "meaning.toml").read_text(encoding="utf-8"))
    return _table(document["words"]), _table(document["work"])


def _table(entries: Iterable[dict[str, list[str] | str]]) -> _Table:
    return tuple((str(entry["category"]), re.compile("|".join(entry["any"]), re.IGNORECASE)) for entry in entries)

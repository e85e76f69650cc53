"""Where a program comes from that a job does not find; the table stands in programs.toml (pure but for reading it)."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from cicd_agents.analysis.logs.signature import FixTemplate


def brings(category: str, command: str) -> tuple[FixTemplate, ...]:
    """The fix that names what to install for the command; none for other categories than a missing tool, or where it is not known."""
    name = command.strip("'\"`").rpartition("/")[2]
    source = _table().get(name) if category == "missing_tool_or_file" else None
    return (FixTemplate("quick", f"Install {name}", source[:1].upper() + source[1:] + "."),) if source else ()


@cache
def _table() -> dict[str, str]:
    text = (files("cicd_agents.analysis.logs") / "programs.toml").read_text(encoding="utf-8")
    programs: dict[str, str] = tomllib.loads(text)["programs"]
    return programs

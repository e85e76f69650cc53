"""General advice by category: what helps when a signature's own fixes do not settle it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from cicd_agents.analysis.logs.signature import FixTemplate


@cache
def advice() -> dict[str, FixTemplate]:
    """Category → the fix that applies to all failures of it; read from advice.toml."""
    text = (files("cicd_agents.analysis.logs") / "advice.toml").read_text(encoding="utf-8")
    return {category: FixTemplate("lasting", entry["title"], entry["detail"]) for category, entry in tomllib.loads(text).items()}

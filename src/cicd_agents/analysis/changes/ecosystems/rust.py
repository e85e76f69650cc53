"""Cargo.lock (pure)."""

from __future__ import annotations

import re

from cicd_agents.analysis.changes.ecosystems.toml_packages import plain, tables
from cicd_agents.analysis.changes.packages import Pairs, at_commit

_COMMIT = re.compile(r"^git\+[^#]{1,2000}#([0-9a-f]{40})$")


def cargo(text: str) -> Pairs:
    """A package without a source is a member of the workspace or a path dependency."""
    for package in tables(text):
        source = plain(package.get("source", ""))
        if source:
            commit = _COMMIT.match(source)
            yield plain(package.get("name", "")), at_commit(plain(package.get("version", "")), commit[1] if commit else "")

"""composer.lock (pure)."""

from __future__ import annotations

from cicd_agents.analysis.changes.ecosystems import json_shapes as shapes
from cicd_agents.analysis.changes.packages import Pairs, at_commit


def composer(text: str) -> Pairs:
    """A branch (`dev-main`, `2.x-dev`) moves, so its commit is told with it."""
    data = shapes.loaded(text)
    for group in ("packages", "packages-dev"):
        for package in shapes.items(data, group):
            if shapes.text(package.get("dist"), "type") == "path":
                continue
            version = shapes.text(package, "version")
            branch = version.startswith("dev-") or version.endswith("-dev")
            yield shapes.text(package, "name"), at_commit(version, shapes.text(package.get("source"), "reference") if branch else "")

"""NuGet's packages.lock.json (pure)."""

from __future__ import annotations

from cicd_agents.analysis.changes.ecosystems import json_shapes as shapes
from cicd_agents.analysis.changes.packages import Pairs


def nuget(text: str) -> Pairs:
    """Packages of every target framework; entries of the type Project are the solution's own."""
    frameworks = shapes.entries(shapes.loaded(text), "dependencies")
    for framework in frameworks:
        for name, entry in shapes.entries(frameworks, framework).items():
            if shapes.text(entry, "type") != "Project":
                yield name, shapes.text(entry, "resolved")

"""Gradle's lock files (pure)."""

from __future__ import annotations

from cicd_agents.analysis.changes.packages import Pairs, lines_of


def gradle(text: str) -> Pairs:
    """`group:name:version=configurations`; in the older form, one file per configuration, without the equals sign."""
    for line in lines_of(text):
        parts = line.partition("=")[0].strip().split(":", 3)
        if len(parts) == 3 and not line.startswith("#"):
            yield f"{parts[0]}:{parts[1]}", parts[2]

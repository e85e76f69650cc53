"""The signatures that come with the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from cicd_agents.analysis.logs.scan import Catalogue, catalogue
from cicd_agents.analysis.logs.signature import Signature, parse_file


@cache
def signatures() -> tuple[Signature, ...]:
    """All bundled signatures, in the order of file names."""
    folder = files("cicd_agents.analysis.logs") / "signatures"
    entries = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    return tuple(rule for entry in entries for rule in parse_file(entry.read_text(encoding="utf-8"), entry.name))


@cache
def bundled() -> Catalogue:
    """The bundled signatures, compiled."""
    return catalogue(signatures())

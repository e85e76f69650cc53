"""The signatures that come with the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from cicd_agents.analysis.logs import compiled
from cicd_agents.analysis.logs.literals import Literal, needed_literals
from cicd_agents.analysis.logs.scan import Catalogue, catalogue
from cicd_agents.analysis.logs.signature import Signature, parse_file

COMPILED = "signatures.json"
# What the compiled form depends on beside the signature files.
_CODE = ("signature.py", "literals.py", "pattern.py", "compiled.py")


@cache
def signatures() -> tuple[Signature, ...]:
    """All bundled signatures with their examples, in the order of file names."""
    return tuple(rule for name, text in sorted(_sources().items()) if name.endswith(".toml") for rule in parse_file(text.decode(), name))


@cache
def bundled() -> Catalogue:
    """The bundled signatures, ready for scanning."""
    ready = _compiled()
    return catalogue(*ready) if ready else catalogue(signatures())


def compiled_form() -> str:
    """The text that belongs into the file COMPILED."""
    rules = signatures()
    return compiled.dump(rules, (needed_literals(rule.match) for rule in rules), compiled.digest(_sources()))


def _compiled() -> tuple[tuple[Signature, ...], tuple[tuple[Literal, ...], ...]] | None:
    """From the file that was made with the package; None where there is none or it is not of these sources (a working tree in change)."""
    file = files(__package__) / COMPILED
    return compiled.load(file.read_text(encoding="utf-8"), compiled.digest(_sources())) if file.is_file() else None


@cache
def _sources() -> dict[str, bytes]:
    folder = files(__package__)
    tables = [entry for entry in (folder / "signatures").iterdir() if entry.name.endswith(".toml")]
    return {entry.name: entry.read_bytes() for entry in (*tables, *(folder / name for name in _CODE))}

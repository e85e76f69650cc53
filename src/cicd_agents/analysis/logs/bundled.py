"""The signatures that come with the package."""

from __future__ import annotations

import zlib
from functools import cache
from importlib.resources import files

from cicd_agents.analysis.logs import compiled
from cicd_agents.analysis.logs.matchers import FilterMatcher, LiteralMatcher, Matcher, database_of, owners_of
from cicd_agents.analysis.logs.scan import Catalogue, catalogue, literals_of, patterns_of
from cicd_agents.analysis.logs.signature import Signature, parse_file

COMPILED = "signatures.json.z"
DATABASE = "signatures.hs"
# What the compiled form depends on beside the signature files.
_CODE = ("signature.py", "literals.py", "matchers.py", "pattern.py", "compiled.py", "scan.py", "structure.py")


@cache
def signatures() -> tuple[Signature, ...]:
    """All bundled signatures in the order of file names; with their examples where the files are there: the image has the compiled form alone."""
    if not _has_files():
        ready = _compiled()
        return ready.signatures if ready else ()
    return tuple(rule for name, text in sorted(_sources().items()) if name.endswith(".toml") for rule in parse_file(text.decode(), name))


@cache
def bundled() -> Catalogue:
    """The bundled signatures, ready for scanning."""
    ready = _compiled()
    if ready is None:
        return catalogue(signatures())
    patterns = [text.encode() for text in patterns_of(ready.signatures)]
    return Catalogue(ready.signatures, _matcher(patterns, ready), ready.literals)


def compiled_form() -> bytes:
    """What belongs into the file COMPILED: packed, since an image is as large as its files."""
    rules = signatures()
    return zlib.compress(compiled.dump(rules, literals_of(rules), _digest()).encode(), 9)


def compiled_database() -> bytes | None:
    """What belongs into the file DATABASE: hyperscan's matcher of all literals; None where hyperscan is not installed."""
    try:
        import hyperscan
    except ImportError:
        return None
    rules = signatures()
    database: bytes = hyperscan.dumpb(database_of(owners_of(literals_of(rules))))
    return _digest().encode() + database


def _compiled() -> compiled.Loaded | None:
    """From the file that was made with the package; None where there is none or it is not of these sources (a working tree in change)."""
    text = _packed()
    return compiled.load(text, _digest()) if text else None


def _matcher(patterns: list[bytes], ready: compiled.Loaded) -> Matcher:
    """The quick one where its database was made from the same sources and can be used on this machine, else the one that needs nothing."""
    file, of = files(__package__) / DATABASE, _digest().encode()
    data = file.read_bytes() if file.is_file() else b""
    if data.startswith(of):
        try:
            return LiteralMatcher(patterns, ready.owners, data[len(of) :])
        except (ImportError, ValueError):
            pass
    return FilterMatcher(patterns)


@cache
def _digest() -> str:
    """Of the sources; where only the compiled form is, the one that stands in it."""
    return compiled.digest(_sources()) if _has_files() else compiled.told_digest(_packed())


def _packed() -> str:
    """The text of the file COMPILED; empty where there is none."""
    file = files(__package__) / COMPILED
    return zlib.decompress(file.read_bytes()).decode() if file.is_file() else ""


def _has_files() -> bool:
    return any(name.endswith(".toml") for name in _sources())


@cache
def _sources() -> dict[str, bytes]:
    folder = files(__package__)
    signatures_there = folder / "signatures"
    tables = [entry for entry in signatures_there.iterdir() if entry.name.endswith(".toml")] if signatures_there.is_dir() else []
    return {entry.name: entry.read_bytes() for entry in (*tables, *(folder / name for name in _CODE))}

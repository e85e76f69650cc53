"""The bundled signatures in a form that is read quickly; made when the package is built (hatch_build.py), checked by digest (pure)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from cicd_agents.analysis.logs.literals import Literal
from cicd_agents.analysis.logs.signature import FixTemplate, Nearby, Signature

# Examples serve the test suite only.
_LEFT_OUT = ("examples", "near_misses")
_DEFAULTS = {item.name: item.default for item in fields(Signature)}


def digest(sources: Mapping[str, bytes]) -> str:
    """What the compiled form was made from: the signature files and the code that reads them, by name."""
    seen = hashlib.sha256()
    for name in sorted(sources):
        seen.update(f"{name}\0{len(sources[name])}\0".encode())
        seen.update(sources[name])
    return seen.hexdigest()


def dump(signatures: Iterable[Signature], needed: Iterable[tuple[Literal, ...]], of: str) -> str:
    """The compiled form; `needed` are the literals of the signatures' patterns, in their order; `of` is the digest."""
    rows = [{name: value for name, value in asdict(one).items() if name not in _LEFT_OUT and value != _DEFAULTS[name]} for one in signatures]
    literals = [[[one.text.decode("latin-1"), one.ignore_case] for one in each] for each in needed]
    return json.dumps({"digest": of, "signatures": rows, "needed": literals}, ensure_ascii=False, separators=(",", ":"))


def load(text: str, of: str) -> tuple[tuple[Signature, ...], tuple[tuple[Literal, ...], ...]] | None:
    """What was dumped, without examples; None when it was made from other sources."""
    head = json.dumps({"digest": of}, separators=(",", ":"))[:-1]
    if not text.startswith(head):
        return None
    document: dict[str, Any] = json.loads(text)
    needed = tuple(tuple(Literal(one.encode("latin-1"), ignore_case) for one, ignore_case in each) for each in document["needed"])
    return tuple(map(_signature, document["signatures"])), needed


def _signature(row: dict[str, Any]) -> Signature:
    if "nearby" in row:
        row["nearby"] = tuple(Nearby(**item) for item in row["nearby"])
    if "fixes" in row:
        row["fixes"] = tuple(_fix(item) for item in row["fixes"])
    return Signature(**row)


def _fix(item: dict[str, Any]) -> FixTemplate:
    commands: Sequence[str] = item.pop("commands")
    return FixTemplate(**item, commands=tuple(commands))

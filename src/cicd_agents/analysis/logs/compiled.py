"""The bundled signatures in a form that is read quickly; made when the package is built (hatch_build.py), checked by digest (pure)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from cicd_agents.analysis.logs.literals import Literal
from cicd_agents.analysis.logs.matchers import owners_of
from cicd_agents.analysis.logs.signature import FixTemplate, Nearby, Signature

# Examples serve the test suite only.
_LEFT_OUT = ("examples", "near_misses")
_HEAD = re.compile(r'\{"digest":"([^"\\]{1,64})",')
_DEFAULTS = {item.name: item.default for item in fields(Signature)}


def digest(sources: Mapping[str, bytes]) -> str:
    """What the compiled form was made from: the signature files and the code that reads them, by name."""
    seen = hashlib.sha256()
    for name in sorted(sources):
        seen.update(f"{name}\0{len(sources[name])}\0".encode())
        seen.update(sources[name])
    return seen.hexdigest()


@dataclass(frozen=True, slots=True)
class Loaded:
    """Signatures without examples, the patterns that own each literal of the database, and the literals that each pattern needs."""

    signatures: tuple[Signature, ...]
    owners: Sequence[Sequence[int]]
    raw_literals: Sequence[Sequence[tuple[str, bool]]]

    def literals(self) -> tuple[tuple[Literal, ...], ...]:
        """The literals of each pattern; only large logs need them."""
        return tuple(tuple(Literal(text.encode("latin-1"), ignore_case) for text, ignore_case in each) for each in self.raw_literals)


def dump(signatures: Iterable[Signature], needed: Sequence[tuple[Literal, ...]], of: str) -> str:
    """The compiled form; `needed` are the literals of all patterns (scan.literals_of), `of` is the digest of the sources."""
    rows = [{name: value for name, value in asdict(one).items() if name not in _LEFT_OUT and value != _DEFAULTS[name]} for one in signatures]
    literals = [[[one.text.decode("latin-1"), one.ignore_case] for one in each] for each in needed]
    document = {"digest": of, "signatures": rows, "owners": list(owners_of(needed).values()), "needed": literals}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def load(text: str, of: str) -> Loaded | None:
    """What was dumped; None when it was made from other sources."""
    if told_digest(text) != of:
        return None
    document: dict[str, Any] = json.loads(text)
    return Loaded(tuple(map(_signature, document["signatures"])), document["owners"], document["needed"])


def told_digest(text: str) -> str:
    """The digest that stands at the head of what was dumped; empty where there is none."""
    found = _HEAD.match(text)
    return found[1] if found else ""


def _signature(row: dict[str, Any]) -> Signature:
    if "nearby" in row:
        row["nearby"] = tuple(Nearby(**item) for item in row["nearby"])
    if "fixes" in row:
        row["fixes"] = tuple(_fix(item) for item in row["fixes"])
    return Signature(**row)


def _fix(item: dict[str, Any]) -> FixTemplate:
    commands: Sequence[str] = item.pop("commands")
    return FixTemplate(**item, commands=tuple(commands))

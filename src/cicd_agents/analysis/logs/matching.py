"""Does a signature hold at a line, seen with its neighbours, and what does it capture there (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cicd_agents.analysis.logs.signature import Signature


@dataclass(frozen=True, slots=True)
class Match:
    """A signature that holds: its captures, and the index of the line that is the root."""

    captures: dict[str, str]
    root: int


def match_at(signature: Signature, lines: Sequence[str], at: int) -> Match | None:
    """The match of the signature on lines[at] (cleaned lines), or None."""
    found = signature.compiled.search(lines[at])
    if not found or (signature.compiled_unless and signature.compiled_unless.search(lines[at])):
        return None
    captures, root = _groups(found), at
    for near, compiled in zip(signature.nearby, signature.compiled_nearby, strict=True):
        other = _nearest(compiled, lines, at, near.first, near.last)
        if other is None:
            if near.required:
                return None
            continue
        index, groups = other
        for name, value in groups.items():
            captures.setdefault(name, value)
        if near.root and root == at:
            root = index
    return Match(captures, root)


def _nearest(compiled: Any, lines: Sequence[str], at: int, first: int, last: int) -> tuple[int, dict[str, str]] | None:
    """The hit nearest to the line `at`, looked for in lines [at+first, at+last]."""
    for step in sorted(range(first, last + 1), key=lambda offset: (abs(offset), -offset)):
        if 0 <= at + step < len(lines) and (found := compiled.search(lines[at + step])):
            return at + step, _groups(found)
    return None


def _groups(found: Any) -> dict[str, str]:
    """The named groups that took part; RE2 allows a name once, so alternatives call theirs `path`, `path2`, …"""
    groups: dict[str, str] = {}
    for name, value in found.groupdict().items():
        if value:
            groups.setdefault(name.rstrip("0123456789"), value.strip())
    return groups

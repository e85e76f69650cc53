"""The hidden first line by which a comment is found again: `<!-- cicd-agents:AGENT:KEY:HASH -->`.

Anybody can write such a line, so it counts only in comments of our own account. It is looked for in the first line alone: what a log
brings along further down is text.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

RESOLVED = "resolved"  # stands in place of the hash once the run is green
_MARKER = re.compile(r"\s*<!-- cicd-agents:([a-z0-9-]{1,40}):([0-9a-f]{1,64}):([0-9a-z]{1,64}) -->")


@dataclass(frozen=True, slots=True)
class Marker:
    """Which agent wrote the comment, for which scope (`key`), and the hash of what stands in it."""

    agent: str
    key: str
    hash: str

    def __str__(self) -> str:
        return f"<!-- cicd-agents:{self.agent}:{self.key}:{self.hash} -->"


def read_marker(body: str) -> Marker | None:
    """The marker that a text begins with."""
    found = _MARKER.match(body)
    return Marker(*found.groups()) if found else None


def marked(agent: str, key: str, body: str, state: str = "") -> str:
    """The body with its marker; `state` stands for the hash of the body where it is given."""
    return f"{Marker(agent, key, state or digest(body))}\n{body}"


def scope_key(*parts: str) -> str:
    """A key for what a comment is about, such as the name of a workflow: the same parts give the same key."""
    return digest("\0".join(parts))


def digest(text: str) -> str:
    """16 hex digits that stand for a text."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]

"""Facts with a place, and what they amount to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the project's sources, as the log prints it; line and column count from 1."""

    path: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A located fact that a claim rests on. `where` is a log line number as text, a commit, a query or a field path."""

    kind: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Something to do; commands can be run as they are. `kind`: quick, lasting or prevention. Nothing here has been tried."""

    kind: str
    title: str
    detail: str
    commands: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim with its evidence; one without evidence is not rendered."""

    id: str
    title: str
    severity: str
    confidence: float
    evidence: tuple[Evidence, ...]
    location: Location | None = None
    fixes: tuple[Fix, ...] = ()

"""Reads and changes the versions of one text; all but the changed versions stays as it is, byte for byte (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cicd_agents.analysis.version_files.places import FoundVersion, Kind, Place, Role, line_of, places
from cicd_agents.analysis.version_files.spelling import agrees, spelt


@dataclass(frozen=True, slots=True)
class Located:
    """A place and the kind that found it."""

    kind: Kind
    place: Place


def located(kinds: Iterable[Kind], text: str) -> tuple[Located, ...]:
    """The places of all kinds in a text, in order. Where two kinds found the same, what was asked for counts, then the earlier kind."""
    found = [Located(kind, place) for kind in kinds for place in places(kind, text)]
    found.sort(key=lambda one: (one.place.start, one.place.role is not Role.ASKED))
    kept: list[Located] = []
    for one in found:
        if not kept or one.place.start >= kept[-1].place.end:
            kept.append(one)
        elif one.place.role is Role.ASKED and kept[-1].place.role is not Role.ASKED:
            kept[-1] = one
    return tuple(kept)


def read(kind: Kind, text: str, path: str = "") -> FoundVersion | None:
    """The version that a file of this kind states for its package, else the first that it names; None where there is none."""
    found = places(kind, text)
    first = next((place for place in found if place.role is Role.OWN), found[0] if found else None)
    return FoundVersion(path, first.text, line_of(text, first.start), kind.name) if first else None


def write(kind: Kind, text: str, old: str, new: str) -> str:
    """The text with the new version wherever the kind finds the old one, in any of its spellings, and at places that somebody marked.

    A text where none of that stands comes back as it is. Raises UsageError only where PEP 440 cannot spell the new version.
    """
    return rewritten(text, places(kind, text), new, lambda place: place.role is Role.ASKED or agrees(place, old))


def rewritten(text: str, found: Iterable[Place], new: str, changes: Callable[[Place], bool]) -> str:
    """The text with the new version at those of the places (in order) that change."""
    pieces, at = [], 0
    for place in found:
        if changes(place):
            pieces += [text[at : place.start], spelt(place, new)]
            at = place.end
    return "".join([*pieces, text[at:]])

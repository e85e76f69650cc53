"""Where versions stand in files, and what a kind of version file is (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """How a place relates to the version of the package that is released."""

    OWN = "own"  # the version of the package itself: told where it is not the current one
    LOCKED = "locked"  # the package's entry in a lock file, or a reactor's version in its modules: goes with the package of that name
    FOLLOWS = "follows"  # names the package or something else: it changes only where it says the current version
    ASKED = "asked"  # somebody marked it: it changes whatever it says


class Spelling(StrEnum):
    """How a version is written at a place."""

    PLAIN = "plain"  # as it is
    PEP440 = "pep440"  # 1.2.0-rc.1 as 1.2.0rc1
    GEM = "gem"  # 1.2.0-rc.1 as 1.2.0.pre.rc.1, which is how RubyGems turns it round
    NUMBERS = "numbers"  # numbers only, as many as before: 1.2.0.0
    BUILD = "build"  # 1.2.0+7: the number behind the plus rises with each release
    REQUIREMENT = "requirement"  # as many numbers as before: 1.2
    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


@dataclass(frozen=True, slots=True)
class Place:
    """A version in a text: the characters from `start` to before `end`. `name` is the package that it is the version of, where the file says so."""

    start: int
    end: int
    text: str
    role: Role = Role.OWN
    spelling: Spelling = Spelling.PLAIN
    name: str = ""


@dataclass(frozen=True, slots=True)
class FoundVersion:
    """The version that a file states for its package; `line` counts from 1, `kind` is the name of the kind of file."""

    path: str
    version: str
    line: int
    kind: str


def _nothing(_text: str) -> tuple[tuple[str, str], ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of version file. Its functions never raise, whatever the text.

    `belongs` says whether a path (with `/`) is of this kind. `find` gives the places where the version stands. `inherits` gives pairs of a package
    that the file describes and the package whose version it takes over. `family` is the package manager: names are compared within it.
    """

    name: str
    family: str
    belongs: Callable[[str], bool]
    find: Callable[[str], Iterable[Place]]
    inherits: Callable[[str], Iterable[tuple[str, str]]] = _nothing


# What may be a version at all: bounded, and no `${revision}`, `attr: x` or `{{ version }}`.
_VERSION = re.compile(r"[vV]?[0-9][0-9A-Za-z.+_-]{0,127}")
_LINE_END = re.compile(r"\r\n|\r|\n")
_MARK = "\ufeff"


def places(kind: Kind, text: str) -> tuple[Place, ...]:
    """The places of a kind in a text, in order and without overlap; what cannot be a version is left out. A byte order mark counts as a character."""
    shift = 1 if text.startswith(_MARK) else 0
    found: list[Place] = []
    for place in sorted(kind.find(text[shift:]), key=lambda place: place.start):
        if _VERSION.fullmatch(place.text) and (not found or place.start + shift >= found[-1].end):
            found.append(Place(place.start + shift, place.end + shift, place.text, place.role, place.spelling, place.name))
    return tuple(found)


def line_of(text: str, at: int) -> int:
    """The number of the line, from 1, on which a character stands."""
    return len(_LINE_END.findall(text, 0, at)) + 1


def file_name(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2]


def named(*names: str) -> Callable[[str], bool]:
    """A `belongs` for files of these exact names."""
    return lambda path: file_name(path) in names


def ending(*ends: str) -> Callable[[str], bool]:
    """A `belongs` for files whose names end so, with something before it."""
    return lambda path: file_name(path).endswith(ends) and not file_name(path).startswith(ends)

"""Packages and their locked versions: what the readers of lock files yield, and what differs between two of them (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from cicd_agents.domain.doctor import PackageChange

# What a reader yields: a package and a version of it, the same package as often as it has versions.
Pairs = Iterator[tuple[str, str]]

# npm allows 214 characters in a name; a module path of Go may be somewhat longer.
MAX_NAME = 300
MAX_VERSION = 100
# More versions of one package than this are counted, not listed.
MAX_VERSIONS = 12
_NUMBERS = re.compile(r"(\d{1,100})", re.ASCII)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


class Unreadable(ValueError):
    """A lock file that is not what its name says; the text says why in a few words."""


def collected(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """The versions of each package. Names and versions that no package manager writes (control characters, endless ones) are left out."""
    found: dict[str, set[str]] = {}
    for name, version in pairs:
        if 0 < len(name) <= MAX_NAME and 0 < len(version) <= MAX_VERSION and not _UNPRINTABLE.search(name) and not _UNPRINTABLE.search(version):
            found.setdefault(name, set()).add(version)
    return found


def differing(file: str, old: Mapping[str, set[str]], new: Mapping[str, set[str]]) -> tuple[PackageChange, ...]:
    """The packages whose set of versions differs, by name."""
    names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    return tuple(PackageChange(file, name, _joined(old.get(name)), _joined(new.get(name))) for name in names)


def at_commit(version: str, commit: str) -> str:
    """A version that was taken from a repository: without the commit two of them look the same."""
    if not commit:
        return version
    return f"{version} (git {commit[:7]})" if version else f"git {commit[:7]}"


def lines_of(text: str) -> Iterator[str]:
    """The lines of a text, without their ends; only LF and CR LF end a line."""
    return (line.removesuffix("\r") for line in text.split("\n"))


def _joined(versions: set[str] | None) -> str | None:
    if not versions:
        return None
    ordered = sorted(versions, key=_natural)
    more = [f"and {len(ordered) - MAX_VERSIONS} more"] if len(ordered) > MAX_VERSIONS else []
    return ", ".join([*ordered[:MAX_VERSIONS], *more])


def _natural(version: str) -> tuple[list[tuple[int, int, str]], str]:
    """1.9 before 1.10; the text itself decides between what reads as equal (1.0 and 1.00)."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _NUMBERS.split(version) if part], version

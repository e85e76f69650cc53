"""Semantic Versioning 2.0.0 (https://semver.org/spec/v2.0.0.html): parse, print, order, step."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from cicd_agents.domain.release import Bump

# The specification sets no limit; node-semver takes 256 characters, and so do we: a longer tag is an odd tag.
MAX_LENGTH = 256

_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version. Two versions are equal when all parts are, the build too; `precedence` is the order of section 11.

    `text`: how a calendar version is written, whose parts SemVer would write otherwise (`2026.03.1`).
    """

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        if self.text:
            return self.text
        pre = "-" + ".".join(self.prerelease) if self.prerelease else ""
        build = "+" + ".".join(self.build) if self.build else ""
        return f"{self.major}.{self.minor}.{self.patch}{pre}{build}"

    @property
    def core(self) -> tuple[int, int, int]:
        """Major, minor and patch."""
        return self.major, self.minor, self.patch

    @property
    def stable(self) -> bool:
        """True without a prerelease."""
        return not self.prerelease

    @property
    def precedence(self) -> tuple[int, int, int, bool, tuple[tuple[int, int, str], ...]]:
        """A key to sort by (section 11): the build does not count, a prerelease is before its version, numbers are before words."""
        return *self.core, self.stable, tuple(map(_identifier_key, self.prerelease))


@lru_cache(maxsize=10_000)  # a plan asks several times what the tags of a repository are
def parse(text: str) -> Version | None:
    """The version that `text` is, or None where it is none; no prefix, no blanks, nothing is repaired."""
    if len(text) > MAX_LENGTH:
        return None
    found = _SEMVER.fullmatch(text)
    if found is None:
        return None
    major, minor, patch, pre, build = found.groups()
    return Version(int(major), int(minor), int(patch), tuple(pre.split(".")) if pre else (), tuple(build.split(".")) if build else ())


def step(version: Version, bump: Bump) -> Version:
    """The next stable version. A prerelease that already stands for as large a change becomes its own stable version (as node-semver's `inc`)."""
    major, minor, patch = version.core
    ahead = not version.stable
    if bump is Bump.MAJOR:
        return Version(major if ahead and minor == patch == 0 else major + 1, 0, 0)
    if bump is Bump.MINOR:
        return Version(major, minor if ahead and patch == 0 else minor + 1, 0)
    if bump is Bump.PATCH:
        return Version(major, minor, patch if ahead else patch + 1)
    return version


def _identifier_key(identifier: str) -> tuple[int, int, str]:
    return (0, int(identifier), "") if identifier.isdigit() else (1, 0, identifier)

"""Gemfile.lock of Bundler: the gems of PATH sections, where they depend on one another, and their lines among the checksums."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cicd_agents.analysis.version_files.places import Kind, Place, Role, Spelling, named

# Bundler writes a gem with four spaces, its dependencies with six, checksums with two. A platform may follow the version.
_LINE = re.compile(r"^(?:(?P<section>[A-Z]+)|(?P<indent> {2}| {4}| {6})(?P<name>[^\s(]+) \((?P<equal>= )?(?P<version>[^\s(),]+)\))", re.MULTILINE)


def _find(text: str) -> Iterator[Place]:
    section, own = "", set[tuple[str, str]]()
    later = []
    for line in _LINE.finditer(text):
        section = line["section"] or section
        if section == "PATH" and line["indent"] == "    ":
            own.add((line["name"], line["version"]))
            yield _place(line)
        elif line["equal"] or (section == "CHECKSUMS" and line["indent"] == "  "):
            later.append(line)
    yield from (_place(line) for line in later if (line["name"], line["version"]) in own)


def _place(line: re.Match[str]) -> Place:
    return Place(line.start("version"), line.end("version"), line["version"], Role.FOLLOWS, Spelling.GEM, line["name"])


KIND = Kind("Gemfile.lock", "ruby", named("Gemfile.lock", "gems.locked"), _find)

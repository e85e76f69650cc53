"""Cargo.toml: https://doc.rust-lang.org/cargo/reference/manifest.html#the-version-field

`[package]` and `[workspace.package]`, and the requirements of dependencies that have a path and a version: Cargo refuses a path whose version does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cicd_agents.analysis.version_files import toml_text as toml
from cicd_agents.analysis.version_files.places import Kind, Place, Role, Spelling, named

# A name that no crate can have: what `version.workspace = true` takes its version from.
WORKSPACE = "[workspace]"
_TABLES = {"dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies"}
_REQUIREMENT = re.compile(r"([=^~]?[ \t]*)([0-9][^,\s*]*)")


def _find(text: str) -> Iterator[Place]:
    found = toml.entries(text)
    for path, entry in found.items():
        if path == ("package", "version"):
            yield from entry.place(name=toml.string(found, "package", "name"))
        elif path == ("workspace", "package", "version"):
            yield from entry.place(name=WORKSPACE)
        elif path[-1] == "version" and _is_dependency(path[:-1]) and (*path[:-1], "path") in found:
            yield from _requirement(entry, toml.string(found, *path[:-1], "package") or str(path[-2]))


def _is_dependency(path: toml.Path) -> bool:
    """Whether a table is a dependency: of the package, of the workspace or of a target."""
    match path:
        case (table, _) | ("workspace", table, _) | ("target", _, table, _):
            return table in _TABLES
    return False


def _requirement(entry: toml.Entry, name: str) -> Iterator[Place]:
    """The version of a plain requirement; ranges and wildcards are the author's."""
    if found := _REQUIREMENT.fullmatch(entry.string or ""):
        start = entry.start + 1 + found.start(2)
        yield Place(start, entry.end - 1, found[2], Role.LOCKED, Spelling.REQUIREMENT, name)


def _inherits(text: str) -> Iterator[tuple[str, str]]:
    found = toml.entries(text)
    if ("package", "version", "workspace") in found:
        yield toml.string(found, "package", "name"), WORKSPACE


KIND = Kind("Cargo.toml", "cargo", named("Cargo.toml"), _find, _inherits)

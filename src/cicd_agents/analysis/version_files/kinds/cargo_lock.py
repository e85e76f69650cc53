"""Cargo.lock: the packages without a `source` are the workspace's own.

Formats 1 to 4; the first names versions in `dependencies` always, the later ones where a name alone would be ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cicd_agents.analysis.version_files import toml_text as toml
from cicd_agents.analysis.version_files.places import Kind, Place, Role, named

_DEPENDENCY = re.compile(r'"([^"\s]+) ([^"\s]+)"')


def _find(text: str) -> Iterator[Place]:
    found = toml.entries(text)
    own = {(toml.string(found, *path[:-1], "name"), entry.string): entry for path, entry in found.items() if _is_own(path, found)}
    for (name, _), entry in own.items():
        yield from entry.place(Role.LOCKED, name=name)
    for path, entry in found.items():
        if path[-1] == "dependencies" and path[0] in {"package", "root"}:
            for one in _DEPENDENCY.finditer(entry.raw):
                if (one[1], one[2]) in own:
                    yield Place(entry.start + one.start(2), entry.start + one.end(2), one[2], Role.LOCKED, name=one[1])


def _is_own(path: toml.Path, found: dict[toml.Path, toml.Entry]) -> bool:
    match path:
        case ("package", int(), "version") | ("root", "version"):
            return (*path[:-1], "source") not in found
    return False


KIND = Kind("Cargo.lock", "cargo", named("Cargo.lock"), _find)

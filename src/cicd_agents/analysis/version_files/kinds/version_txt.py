"""Files that hold nothing but a version in their first line: VERSION, version.txt and their like."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cicd_agents.analysis.version_files.places import Kind, Place, file_name

_NAMES = {"version", "version.txt", ".version"}
_FIRST = re.compile(r"\s*+(\S{1,128})[^\S\n]*(?:\n|\r|\Z)")


def _find(text: str) -> Iterator[Place]:
    if found := _FIRST.match(text):
        yield Place(found.start(1), found.end(1), found[1])


KIND = Kind("version.txt", "version.txt", lambda path: file_name(path).lower() in _NAMES, _find)

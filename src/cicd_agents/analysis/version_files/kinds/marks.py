"""Marks that people put beside a version in any file: `x-release-please-version` of release-please and our own `cicd-agents-version`.

On a line, a mark means the first version of that line; between a start and an end mark, the first version of every line.
`-major`, `-minor` and `-patch` stand for one number.
Source of the peer's marks: https://github.com/googleapis/release-please/blob/main/docs/customizing.md#updating-arbitrary-files
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cicd_agents.analysis.version_files.places import Kind, Place, Role, Spelling

_PARTS = "version|major|minor|patch"
_MARK = re.compile(rf"\b(?:x-release-please|cicd-agents)-(?:(start)-({_PARTS})|({_PARTS})|(end))(?![\w-])")
_VERSION = re.compile(
    r"(?<![\w.])v?[0-9]+\.[0-9]+\.[0-9]+(?:(?:a|b|rc)[0-9]+)?(?:\.(?:dev|post)[0-9]+)?(?:-[0-9A-Za-z.-]*[0-9A-Za-z])?(?:\+[0-9A-Za-z.-]*[0-9A-Za-z])?"
)
_NUMBER = re.compile(r"\b[0-9]+\b")
_LINE = re.compile(r"[^\r\n]+")


def _find(text: str, spelling: Spelling) -> Iterator[Place]:
    if "x-release-please-" not in text and "cicd-agents-" not in text:
        return
    block = ""
    for line in _LINE.finditer(text):
        mark = _MARK.search(line[0])
        if mark and (mark[2] or mark[4]):
            block = mark[2] or ""
            continue
        part = mark[3] if mark else block
        # The digits of the mark itself are none, so the whole line can be searched.
        found = (_VERSION if part == "version" else _NUMBER).search(text, line.start(), line.end()) if part else None
        if found:
            yield Place(found.start(), found.end(), found[0], Role.ASKED, spelling if part == "version" else Spelling(part))


def _is_python(path: str) -> bool:
    return path.endswith(".py")


KINDS = (
    Kind("marks in Python", "marks", _is_python, partial(_find, spelling=Spelling.PEP440)),
    Kind("marks", "marks", lambda path: not _is_python(path), partial(_find, spelling=Spelling.PLAIN)),
)

"""The headings of a Markdown file and our own marks in it, by a scan of its lines. What stands in code blocks and comments is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?[ \t#]*")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()\s]*\)|\[[^\[\]]*\])?")
_DECORATION = re.compile(r"^(?:release|version)\b[: ]*|[*_`]", re.IGNORECASE)
_VERSION = re.compile(r"(?:[A-Za-z@][\w@./-]{0,80}[@/-]|(?P<product>[A-Za-z][\w.-]{0,80} ))?[vV]?(?P<version>\d+(?:\.\d+)+[\w.+-]*)(?=[\s:,(–—-]|$)")
_LOWEST = 3  # the level of the deepest headings of releases: some tools write ### for patches
_UNRELEASED = re.compile(r"unreleased\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: where its line begins and where the text below it begins, its level and its text. `version` is the one that it names, "" for none."""

    start: int
    end: int
    level: int
    text: str
    version: str
    unreleased: bool


def headings(text: str) -> Iterator[Heading]:
    """All headings of a file, in their order."""
    before: tuple[int, str] = (0, "")  # the line above, for headings that are underlined
    for start, end, line in plain_lines(text):
        if found := _ATX.fullmatch(line):
            yield _heading(start, end, len(found[1]), found[2] or "")
            before = (end, "")
        elif before[1].strip() and (found := _SETEXT.fullmatch(line)):
            yield _heading(before[0], end, 1 if found[1][0] == "=" else 2, before[1])
            before = (end, "")
        else:
            before = (start, line if not line.lstrip().startswith((">", "- ", "* ", "+ ", "|")) else "")


def _heading(start: int, end: int, level: int, text: str) -> Heading:
    shown = _DECORATION.sub("", _LINK.sub(r"\1", text.replace("\\", "").strip()[:500]).strip("[] ")).strip("[] ")
    found = _VERSION.match(shown) if level <= _LOWEST else None
    if found and found["product"] and level == 1:
        found = None  # the title of the file names the product, perhaps with a version
    return Heading(start, end, level, text, found["version"] if found else "", level <= _LOWEST and _UNRELEASED.match(shown) is not None)


def plain_lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end (after the line feed) and content of every line that is in no code block and no comment of several lines."""
    fence = ""
    comment = False
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        line = text[start:end].rstrip("\r\n")
        if comment:
            comment = "-->" not in line
        elif fence:
            closing = line.strip()
            fence = "" if closing.startswith(fence) and not closing.strip(fence[0]) else fence
        elif opened := _FENCE.match(line):
            fence = opened[1]
        elif line.lstrip(" ").startswith("<!--") and "-->" not in line:
            comment = True
        else:
            yield start, end, line
        start = end

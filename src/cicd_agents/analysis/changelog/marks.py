"""The hidden marks around what we wrote into a changelog, by which it is found again and told from what people wrote.

`<!-- cicd-agents:release VERSION CHECKSUM -->` … `<!-- /cicd-agents:release VERSION -->`, each on a line of its own at its beginning. No text of a commit
can make such a line: entries and notes are indented, and `<` is escaped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

_MARK = re.compile(
    r"^<!-- (?:cicd-agents:release (?P<begun>\S{1,200}) (?P<checksum>[0-9a-f]{12})|/cicd-agents:release (?P<ended>\S{1,200})) -->[ \t]*\r?(?:\n|\Z)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a file that is ours: from the line of its first mark to after that of its last. `edited`: somebody changed it since."""

    start: int
    end: int
    version: str
    content: str
    edited: bool


def marked(version: str, content: str) -> str:
    """The content, which ends in a line feed, between its marks."""
    name = _name(version)
    return f"<!-- cicd-agents:release {name} {_checksum(content)} -->\n{content}<!-- /cicd-agents:release {name} -->\n"


def regions(text: str, version: str | None = None) -> Iterator[Region]:
    """All parts of a file that are ours, or those of one version. A mark without its partner counts for nothing; where it stands does not matter."""
    begun: re.Match[str] | None = None
    for mark in _MARK.finditer(text):
        if mark["checksum"]:
            begun = mark
        elif begun and mark["ended"] == begun["begun"]:
            if version is None or begun["begun"] == _name(version):
                content = text[begun.end() : mark.start()]
                yield Region(begun.start(), mark.end(), begun["begun"], content, _checksum(content) != begun["checksum"])
            begun = None


def without_marks(text: str, version: str) -> str:
    """A text without our parts for a version."""
    made, end = "", 0
    for region in regions(text, version):
        made += text[end : region.start]
        end = region.end
    return made + text[end:]


def _name(version: str) -> str:
    return re.sub(r"[^\w.+@/-]", "_", version, flags=re.ASCII)[:200] or "_"


def _checksum(content: str) -> str:
    """Stays the same when git or an editor changes line ends and blanks at the end of lines."""
    lines = "\n".join(line.rstrip() for line in content.splitlines())
    return hashlib.sha256(lines.encode(errors="replace")).hexdigest()[:12]

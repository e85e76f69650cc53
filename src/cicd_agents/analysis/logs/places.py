"""The place in the project that a failure points to: named, in a frame of the same step, or the file that such a message is always about (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from cicd_agents.analysis.logs.frames import best_location, is_foreign
from cicd_agents.analysis.logs.named_file import named_file
from cicd_agents.analysis.logs.reader import Line
from cicd_agents.analysis.logs.signature import Signature
from cicd_agents.domain.finding import Location

# What failed is no code of the project: frames and places that stand around such a message are of something else.
_NOWHERE = ("infrastructure_runner", "git_checkout")
# A file that such a message names is what was read or written when it came, not what is wrong.
_NO_FILE = (*_NOWHERE, "disk_full", "out_of_memory", "timeout", "auth_secret", "resource_quota", "dependency_network", "permission")
# Here another step begins, or the platform speaks: what stands beyond is of something else.
_BORDER = re.compile(
    rb"\[Pipeline\] (?:\{ \(|// stage|stage$)|Stage \".{1,200}\" skipped due to|section_(?:start|end):|Finished: [A-Z]{6}"
    rb"|(?:Error: )?Process completed with exit code"
    rb"|(?:Post job cleanup|Cleaning up orphan processes|Cleaning up project directory|Running after_script|Uploading artifacts for failed job)\b"
)


def place_of(rule: Signature, captures: Mapping[str, str], window: Sequence[Line], at: int) -> Location | None:
    """The place for the message at window[at]."""
    before, root, after = _same_step(window, at)
    line, column = _number(captures.get("line")), _number(captures.get("column"))
    named = Location(captures["path"], line, column) if captures.get("path") else None
    place = named if rule.category in _NOWHERE else best_location(named, before, root, after, beside=not rule.place)
    if rule.place and (place is None or is_foreign(place)):
        return Location(rule.place, line, column)
    return place or (named_file(root) if rule.category not in _NO_FILE else None)


def shown(place: Location | None, commands: Iterable[str]) -> Location | None:
    """The place as a path of the project is written: with slashes, and as the step's command names the file (`docker build -f docker/Dockerfile .`
    fails at "Dockerfile:7")."""
    if place is None:
        return None
    path = place.path.replace("\\", "/") if re.match(r"[A-Za-z]:\\|[^/]+\\", place.path) else place.path
    if "/" not in path:
        word = re.compile(rf"(?:^|[\s=])(?:\./)?([\w@.+/-]*/{re.escape(path)})(?=\s|$)")
        found = next(filter(None, map(word.search, commands)), None)
        path = found[1] if found else path
    return replace(place, path=path)


def _same_step(window: Sequence[Line], at: int) -> tuple[list[bytes], bytes, list[bytes]]:
    """(the lines before, the line, the lines after) of the step of window[at]."""
    before = list(_until_border(reversed(window[:at])))[::-1]
    return before, window[at].text, list(_until_border(window[at + 1 :]))


def _until_border(lines: Iterable[Line]) -> Iterator[bytes]:
    for line in lines:
        if _BORDER.match(line.text) or (line.marker == b"group" and line.text.startswith((b"Run ", b"Post "))):
            return
        yield line.text


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else None

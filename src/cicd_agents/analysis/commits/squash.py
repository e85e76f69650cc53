"""Messages that hold several changes: squashed requests of GitHub, GitLab and Bitbucket, `git merge --squash`, and marked blocks."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cicd_agents.analysis.commits.conventional import Header, Part, header_of
from cicd_agents.analysis.commits.lines import Quoted
from cicd_agents.analysis.commits.reading import KNOWN_TYPES, Reading

# A message that holds more changes than this is a changelog.
MAX_PARTS = 500

_BULLET = re.compile(r" {0,3}([*-])[ \t]+(?=\S)")
_GIT_COMMIT = re.compile(r"commit [0-9a-f]{7,64}\b")
_ONLY_REFERENCE = re.compile(r"(?:[#!]\d+|[A-Z]+-\d+)[\s,.]*$")
_INDENT = "    "
# A word that a line begins with, and that a sign of a header or footer follows.
_OPENING = re.compile(r"\n[ \t|*-]*([\w-]++)[(!:]")
_LOOSE = re.compile(r"\n[\s|*]*breaking[ -]change", re.IGNORECASE)


@dataclass(slots=True)
class _Start:
    """Where a change begins in a body: the index of its line, and whether git indented what belongs to it."""

    index: int
    title: str
    header: Header
    indented: bool = False


def may_hold(text: str, start: int, types: Collection[str], loose: bool) -> bool:
    """Whether the body, which begins here, must be read line by line; all others hold no change of their own, no breaking mark and no forced version."""
    for word in _OPENING.findall(text, start):
        name = word.casefold()
        if name in types or name == "release-as":
            return True
    return loose and _LOOSE.search(text, start) is not None


def parts_of(first: Part, reading: Reading, types: Collection[str] = KNOWN_TYPES) -> list[Part]:
    """The message's own part, then one part for each change in its body. A change that only repeats another one is left out.

    `types` may begin a change in a body.
    """
    starts = _starts(first, reading, types)
    if not starts:
        return [first]
    own = Part(first.title, first.header, first.line, first.body[: starts[0].index], first.quoted[: starts[0].index])
    ends = [start.index for start in starts[1:]] + [len(first.body)]
    parts = [own, *(_part(first, start, end) for start, end in zip(starts, ends, strict=True))]
    return _unrepeated(parts)


def _starts(first: Part, reading: Reading, types: Collection[str]) -> list[_Start]:
    found: list[_Start] = []
    before_blank, listed, expects_title = True, False, False
    for index, line in enumerate(first.body):
        blank = not line.strip()
        if first.quoted[index] is not Quoted.NO and not reading.every_line:
            before_blank = listed = False
            continue
        if blank:
            before_blank = True
            continue
        start: _Start | None = None
        if reading.every_line:
            start = _start(index, line, reading, ())
        elif reading.bullets and _GIT_COMMIT.match(line):
            expects_title = True
        elif expects_title and line.startswith(_INDENT):
            start, expects_title = _start(index, line.strip(), reading, (), indented=True), False
        elif line[0] in " *-":
            start = _bullet(index, line, reading, types, before_blank or listed) if reading.bullets else None
        elif reading.paragraphs and (before_blank or listed):
            start = _start(index, line, reading, types)
        if start:
            found.append(start)
            if len(found) == MAX_PARTS:
                break
        before_blank, listed = False, start is not None
    return found


def _bullet(index: int, line: str, reading: Reading, types: Collection[str], opens: bool) -> _Start | None:
    """A change behind a star; behind a dash only where a paragraph begins, or such a line stands above."""
    mark = _BULLET.match(line)
    if not mark or (mark[1] == "-" and not opens):
        return None
    return _start(index, line[mark.end() :], reading, types)


def _start(index: int, title: str, reading: Reading, types: Collection[str], indented: bool = False) -> _Start | None:
    header = header_of(title, reading)
    if header is None or (types and header.type not in types) or _ONLY_REFERENCE.match(header.subject):
        return None
    return _Start(index, title, header, indented)


def _part(first: Part, start: _Start, end: int) -> Part:
    body: Sequence[str] = first.body[start.index + 1 : end]
    if start.indented:
        body = [line.removeprefix(_INDENT) for line in body]
    return Part(start.title, start.header, first.line + 1 + start.index, body, first.quoted[start.index + 1 : end])


def _unrepeated(parts: list[Part]) -> list[Part]:
    """Forges write the title of the request, and then the titles of its commits, one of which is often the same."""
    kept: dict[tuple[str, str | None, str], Part] = {}
    others: list[Part] = []
    for part in parts:
        if part.header is None:
            others.append(part)
            continue
        subject = part.header.subject.rpartition(" (#")[0] if part.header.subject.endswith(")") and " (#" in part.header.subject else part.header.subject
        key = (part.header.type, part.header.scope, subject.strip().casefold())
        same = kept.get(key)
        kept[key] = part if same is None else _together(same, part)
    return others + list(kept.values())


def _together(first: Part, second: Part) -> Part:
    """Two parts that tell of the same change: the marks of both count."""
    header = first.header
    if header and second.header and second.header.breaking:
        header = Header(header.type, header.scope, True, header.subject)
    return Part(first.title, header, first.line, [*first.body, *second.body], [*first.quoted, *second.quoted])

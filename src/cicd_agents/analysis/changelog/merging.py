"""Our entries set between those that people wrote for the same release."""

from __future__ import annotations

import re
from collections.abc import Callable

from cicd_agents.analysis.changelog.marks import marked
from cicd_agents.analysis.changelog.outline import headings

_LINK_DEFINITION = re.compile(r" {0,3}\[[^\]]+\]:\s*\S.*")
_LEVEL = 3  # of the headings within a release


def merged(section: str, people: str, version: str, with_line_ends: Callable[[str], str]) -> str:
    """The content of a release's section: the heading, then the lines of people with our entries after those of the same title, then our other entries.

    Without lines of people all of ours stands in one part.
    """
    heading, parts = _parts(section)
    if not people.strip() or not parts:
        return with_line_ends(marked(version, section)) + people
    places = _places(people)
    insertions: list[tuple[int, str]] = []
    rest = []
    for title, entries in parts:
        place = places.get(title.casefold())
        if place is None:
            rest.append(f"### {title}\n\n{entries}\n")
        else:
            insertions.append((place, entries + "\n"))
    if rest:
        insertions.append((body_end(people, 0, len(people)), "\n" + "\n".join(rest) + "\n"))
    return with_line_ends(marked(version, heading + "\n")) + _with(people, insertions, version, with_line_ends)


def body_end(text: str, begin: int, end: int) -> int:
    """Where the content of a part of a text ends: after its last line that is neither blank nor the address of a link."""
    while end > begin:
        start = text.rfind("\n", begin, end - 1) + 1 or begin
        line = text[start:end].rstrip("\r\n")
        if line.strip() and not _LINK_DEFINITION.fullmatch(line):
            return end
        end = start
    return begin


def _parts(section: str) -> tuple[str, list[tuple[str, str]]]:
    """The heading of a section of ours, and its parts: title and entries."""
    found = [heading for heading in headings(section) if heading.level == _LEVEL]
    if not found:
        return section.strip("\n"), []
    ends = [*(heading.start for heading in found[1:]), len(section)]
    return section[: found[0].start].strip("\n"), [(heading.text, section[heading.end : end].strip("\n")) for heading, end in zip(found, ends, strict=True)]


def _places(people: str) -> dict[str, int]:
    """For each title of people's own where an entry may follow theirs. Of two parts with one title it is the first."""
    places: dict[str, int] = {}
    found = [heading for heading in headings(people) if heading.level <= _LEVEL]
    for index, heading in enumerate(found):
        end = found[index + 1].start if index + 1 < len(found) else len(people)
        places.setdefault(heading.text.strip().casefold(), max(heading.end, body_end(people, heading.end, end)))
    return places


def _with(people: str, insertions: list[tuple[int, str]], version: str, with_line_ends: Callable[[str], str]) -> str:
    made, end = "", 0
    for place, content in sorted(insertions, key=lambda insertion: insertion[0]):
        made += people[end:place]
        made += with_line_ends(("" if made.endswith("\n") or not made else "\n") + marked(version, content))
        end = place
    return made + people[end:]

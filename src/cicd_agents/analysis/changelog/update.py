"""A release's section put into CHANGELOG.md. No byte that people wrote is changed; what we wrote stands between hidden marks and is ours to replace."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cicd_agents.analysis.changelog.marks import Region, marked, regions, without_marks
from cicd_agents.analysis.changelog.merging import body_end, merged
from cicd_agents.analysis.changelog.outline import Heading, headings
from cicd_agents.analysis.changelog.section import beginning
from cicd_agents.analysis.changelog.style import Form


@dataclass(frozen=True, slots=True)
class Updated:
    """The file as it should be, and what people must be told."""

    text: str
    notes: tuple[str, ...] = ()


def update_changelog(existing: str, section: str, version: str, form: Form = Form.CONVENTIONAL) -> Updated:
    """The changelog with the section of a version, above the older releases and below the title and an Unreleased heading.

    A section of that version which we wrote is replaced; one that people wrote, or ours which they edited since, is left and told. In the form
    keep-a-changelog what stands below Unreleased moves under the release: its lines stay as they are, and our entries follow those of the same title.
    Running it again changes nothing. Line ends are those of the file; a byte order mark stays.
    """
    text = existing.removeprefix("\ufeff")
    file = _File(text, tuple(headings(text)), tuple(regions(text)))
    section = section.strip("\n") + "\n"
    own = tuple(regions(text, version))
    if own:
        if any(region.edited for region in own):
            return Updated(existing, (f"The section of {version} was edited since it was written, so it is left as it is.",))
        changed = _replaced(file, own, section, version)
    elif any(heading.version == version.removeprefix("v") for heading in file.headings):
        return Updated(existing, (f"There is a section of {version} already that was written by others, so it is left as it is.",))
    else:
        changed = _inserted(file, section, version, form)
    return Updated(existing[: len(existing) - len(text)] + changed)


@dataclass(frozen=True, slots=True)
class _File:
    """A changelog with its headings and all that is ours in it."""

    text: str
    headings: tuple[Heading, ...]
    regions: tuple[Region, ...]

    def start_of(self, heading: Heading) -> int:
        """Where a heading begins, with our mark above it."""
        return next((region.start for region in self.regions if region.start < heading.start < region.end), heading.start)

    def end_of_section(self, begin: int, level: int) -> int:
        """Where the section ends whose content begins at `begin`: before the next release or heading of its level, and before addresses at the end."""
        after = (heading for heading in self.headings if heading.start >= begin and (heading.version or heading.level <= level))
        following = next(after, None)
        return body_end(self.text, begin, self.start_of(following) if following else len(self.text))

    def with_line_ends(self, ours: str) -> str:
        """Our text with the line ends that most lines of the file have."""
        return ours.replace("\n", "\r\n") if self.text.count("\r\n") * 2 > self.text.count("\n") else ours


def _replaced(file: _File, own: tuple[Region, ...], section: str, version: str) -> str:
    text, first = file.text, own[0]
    if len(own) == 1 and len(first.content.split("\n", 2)) > 2:  # the whole section in one part; what people wrote below it stays there
        return text[: first.start] + file.with_line_ends(marked(version, section)) + text[first.end :]
    level = next((heading.level for heading in file.headings if first.start < heading.start < first.end), 2)
    end = file.end_of_section(first.end, level)
    people = without_marks(text[first.end : end], version)
    return text[: first.start] + merged(section, people, version, file.with_line_ends) + text[end:]


def _inserted(file: _File, section: str, version: str, form: Form) -> str:
    text = file.text
    if not text.strip():
        return beginning(form) + marked(version, section)
    unreleased = next((heading for heading in file.headings if heading.unreleased), None)
    release = next((heading for heading in file.headings if heading.version), None)
    people, end = "", -1
    if unreleased and form is Form.KEEP_A_CHANGELOG:
        place = unreleased.end
        end = file.end_of_section(place, unreleased.level)
        people = text[place:end]
    elif release:
        place = file.start_of(release)
    elif unreleased:
        place = file.end_of_section(unreleased.end, unreleased.level)
    else:
        place = body_end(text, 0, len(text))
    before, after = text[:place], text[max(place, end) :]
    made = merged(section, people, version, file.with_line_ends)
    gap = "\n" if after.strip() and not re.match(r"\r?\n", after) else ""
    return before + file.with_line_ends(_gap_after(before)) + made + file.with_line_ends(gap) + after


def _gap_after(before: str) -> str:
    """What is missing so that a blank line stands above the section."""
    if not before or re.search(r"(?:^|\n)\r?\n\Z", before):
        return ""
    return "\n" if before.endswith("\n") else "\n\n"

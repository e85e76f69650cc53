"""A release's section of the changelog, and the changelog of a whole history."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cicd_agents.analysis.changelog.entries import EntryWriter
from cicd_agents.analysis.changelog.escape import escaped, visible
from cicd_agents.analysis.changelog.forge import Forge
from cicd_agents.analysis.changelog.people import Contributor, Newcomers, contributors
from cicd_agents.analysis.changelog.prose import LINE, line
from cicd_agents.analysis.changelog.style import Form, Style
from cicd_agents.domain.release import Change, HistoryCommit

# Letters that no Markdown and no forge brings to life, up to the longest version.
_ORDINARY = re.compile(r"v?[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}(?:[-+][0-9A-Za-z.+-]{1,60})?")
_TITLE = "# Changelog\n\n"
_INTRO = "All notable changes to this project are documented in this file, in the form of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).\n\n"


@dataclass(frozen=True, slots=True)
class Release:
    """What a section is made from. `version` None: not released yet; `time` of the release in seconds since the epoch, 0 where there is none.

    `changes` in the order in which they shall stand (as a rule the newest first); `commits` are theirs and tell the authors, empty where nobody asks.
    """

    version: str | None
    changes: tuple[Change, ...]
    tag: str = ""
    previous_tag: str = ""
    time: int = 0
    commits: tuple[HistoryCommit, ...] = ()


def changelog_section(release: Release, style: Style, forge: Forge | None = None, newcomers: Newcomers | None = None) -> str:
    """The section of a release, from its heading to a final line feed. Nothing in it but the style's own templates is raw."""
    return _section(release, style, forge, newcomers, EntryWriter(style, forge))


def _section(release: Release, style: Style, forge: Forge | None, newcomers: Newcomers | None, writer: EntryWriter) -> str:
    date = date_of(release.time)
    template = style.templates.release if release.version and date else style.templates.unreleased
    values = {
        "version": _name(release.version or "Unreleased"), "title": _title(release, style, forge), "date": date,
        "tag": _name(release.tag), "previous_tag": _name(release.previous_tag),
        "compare_url": forge.compare(release.previous_tag, release.tag or "HEAD") if forge else "",
        "sections": "\n\n".join(_sections(release, style, writer)),
    }  # fmt: skip
    if template.names & {"contributors", "new_contributors"}:
        people = contributors(release.commits, newcomers)
        values["contributors"] = contributor_lines(people)
        values["new_contributors"] = contributor_lines(tuple(person for person in people if person.first_time))
    return template.filled(values).strip("\n") + "\n"


def full_changelog(releases: Iterable[Release], style: Style, forge: Forge | None = None, newcomers: Newcomers | None = None) -> Iterator[str]:
    """The changelog of a whole history in parts, one for each release in the order given (as a rule the newest first). Linear; holds one release at a time."""
    yield beginning(style.form)
    writer = EntryWriter(style, forge)
    before = ""
    for release in releases:
        yield before + _section(release, style, forge, newcomers, writer)
        before = "\n"


def beginning(form: Form) -> str:
    """The title of a new changelog, with the words that its form asks for."""
    return _TITLE + (_INTRO if form is Form.KEEP_A_CHANGELOG else "")


def date_of(time: int) -> str:
    """YYYY-MM-DD in UTC; "" for no time and for years that no calendar has."""
    try:
        return datetime.fromtimestamp(time, UTC).date().isoformat() if time > 0 else ""
    except (OverflowError, ValueError, OSError):
        return ""


def contributor_lines(people: tuple[Contributor, ...]) -> str:
    """A list of names; newcomers are marked."""
    return "\n".join(f"- {line(person.name, None, limit=100)}" + (" (first contribution)" if person.first_time else "") for person in people)


def _name(text: str) -> str:
    """A version or tag: as it is where it is an ordinary one (nothing in it is markup after the mark of a heading), else made safe."""
    return text if _ORDINARY.fullmatch(text) else line(text, None)


def _title(release: Release, style: Style, forge: Forge | None) -> str:
    """The version, linked to its comparison; keepachangelog.com puts it in brackets."""
    name = _name(release.version or "Unreleased")
    if forge and release.tag:
        plain = escaped(" ".join(visible(release.version or "Unreleased", LINE).split()))
        return f"[{plain}]({forge.compare(release.previous_tag, release.tag)})"
    return f"\\[{name}\\]" if style.form is Form.KEEP_A_CHANGELOG else name


def _sections(release: Release, style: Style, writer: EntryWriter) -> Iterator[str]:
    groups = writer.grouped(release.changes, release.commits)
    for title in (*style.titles, *(title for title in groups if title not in style.titles)):
        if entries := groups.get(title):
            yield style.templates.section.filled({"title": title, "entries": "\n".join(entries)})

"""The notes of a release on its forge: highlights, breaking changes, migration, upgrade path, all changes, people, and how to go back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from cicd_agents.analysis.changelog.entries import EntryWriter, scope_text
from cicd_agents.analysis.changelog.escape import code, visible
from cicd_agents.analysis.changelog.forge import Forge
from cicd_agents.analysis.changelog.highlights import highlights, parted_note
from cicd_agents.analysis.changelog.people import Newcomers, contributors
from cicd_agents.analysis.changelog.prose import blocks, line
from cicd_agents.analysis.changelog.section import Release, contributor_lines
from cicd_agents.analysis.changelog.style import Style
from cicd_agents.domain.release import Change

# A release on GitHub holds 125,000 characters (a longer text is answered with 422), one on GitLab 1,000,000.
MOST = 120_000
_MOST_SCRIPTS = 20
_MOST_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class ReleaseNotes:
    """`title` is plain text, `body` Markdown."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class _Writer:
    """What all parts of the notes need."""

    release: Release
    style: Style
    forge: Forge | None
    entries: EntryWriter
    breaking: tuple[Change, ...]
    scripts: tuple[str, ...]


def release_notes(
    release: Release,
    style: Style,
    forge: Forge | None = None,
    newcomers: Newcomers | None = None,
    name: str = "",
    reworded: Mapping[str, str] | None = None,
    most: int = MOST,
) -> ReleaseNotes:
    """The notes of a release, of at most `most` characters: where they would be longer, changes are left out and counted.

    `name` is the software's; `reworded` as for `highlights`.
    """
    breaking = tuple(change for change in release.changes if change.breaking)
    writer = _Writer(release, style, forge, EntryWriter(style, forge), breaking, _migration_scripts(release))
    before = [
        _part("Highlights", _highlights(writer, reworded)),
        _part("Breaking changes", _fitted(_breaking(writer), most // 4, "more breaking changes")),
        _part("Migration required", _fitted(_migration(writer), most // 4, "more steps")),
        _part("Upgrade path", _upgrade(writer)),
    ]
    people = contributors(release.commits, newcomers)
    after = [_part("Contributors", [contributor_lines(people[:_MOST_PEOPLE])]), _part("Rollback plan", _rollback(writer)), _compare(writer)]
    room = most - sum(len(part) + 2 for part in (*before, *after))
    parts = [*before, _part("Changes", _changes(writer, room - 200)), *after]
    body = "\n\n".join(part for part in parts if part) + "\n"
    title = " ".join(visible(f"{name} {release.version or 'Unreleased'}", 200).split())
    return ReleaseNotes(title, body[:most])


def _part(title: str, lines: Iterable[str]) -> str:
    text = "\n".join(lines).strip("\n")
    return f"## {title}\n\n{text}" if text.strip() else ""


def _fitted(entries: Iterable[str], room: int, what: str) -> Iterator[str]:
    """As many whole entries as there is room for; the others are counted."""
    left_out = 0
    for entry in entries:
        room -= len(entry) + 1
        if room < 0:
            left_out += 1
        else:
            yield entry
    if left_out:
        yield f"- … and {left_out} {what}"


def _highlights(writer: _Writer, reworded: Mapping[str, str] | None) -> Iterator[str]:
    for item in highlights(writer.release.changes, reworded):
        yield f"- {'**Breaking:** ' if item.breaking else ''}{line(item.text, writer.forge)}"


def _breaking(writer: _Writer) -> Iterator[str]:
    """Each with its text but for what says how to migrate."""
    calm = [replace(change, note=parted_note(change)[0]) for change in writer.breaking]
    yield from chain.from_iterable(EntryWriter(_plain(writer.style), writer.forge).grouped(calm).values())


def _plain(style: Style) -> Style:
    """The style with one section for breaking changes, whatever its form."""
    return replace(style, sections={**style.sections, "breaking": "Breaking changes"})


def _migration(writer: _Writer) -> Iterator[str]:
    if not writer.breaking and not writer.scripts:
        yield "No. Nothing in this release is marked as breaking."
        return
    yield "Yes.\n"
    for change in writer.breaking:
        how = parted_note(change)[1]
        told = [f"  {each}" if each else "" for each in blocks(how, writer.forge)] if how else ["  The commit does not say how; see the breaking change above."]
        scope = scope_text(change.scope[:100]) if change.scope else ""
        yield "\n".join([f"- {scope}{line(change.subject, writer.forge, change.scope or '')}\n", *told])
    if writer.scripts:
        named = ", ".join(code(" ".join(visible(path, 200).split())) for path in writer.scripts[:_MOST_SCRIPTS])
        yield f"- Scripts that change the database are new or were changed: {named}"


def _upgrade(writer: _Writer) -> Iterator[str]:
    release = writer.release
    here = _tag(release.tag or release.version or "this release")
    if not release.previous_tag:
        yield f"This is the first release; there is nothing to update from. Install {here}."
    elif writer.breaking or writer.scripts:
        yield f"1. Be on {_tag(release.previous_tag)}; from an older release, follow the notes of those between first."
        yield f"2. Do the steps of the migration.\n3. Update to {here}."
    else:
        yield f"Update from {_tag(release.previous_tag)} to {here}; nothing else is needed."


def _rollback(writer: _Writer) -> Iterator[str]:
    release = writer.release
    if not release.previous_tag:
        yield "There is no older release to go back to: mark this one as a prerelease, and release a fix."
        return
    steps = [f"Deploy or install {_tag(release.previous_tag)} again."]
    if writer.breaking or writer.scripts:
        steps.append("Take back the steps of the migration, in reverse order; data written since then may need care.")
    here = _tag(release.tag or release.version or "")
    steps.append(f"Mark {here} as a prerelease and {_tag(release.previous_tag)} as the latest release; delete nothing.")
    steps.append("Release the fix as a new version.")
    yield from (f"{number}. {step}" for number, step in enumerate(steps, 1))


def _compare(writer: _Writer) -> str:
    release = writer.release
    if not writer.forge or not release.tag:
        return ""
    return f"[All changes]({writer.forge.compare(release.previous_tag, release.tag)})" + (
        f" since {_tag(release.previous_tag)}" if release.previous_tag else ""
    )


def _changes(writer: _Writer, room: int) -> Iterator[str]:
    """The sections, as far as there is room; breaking changes stand above."""
    groups = writer.entries.grouped((change for change in writer.release.changes if not change.breaking), writer.release.commits)
    for title in (*writer.style.titles, *(title for title in groups if title not in writer.style.titles)):
        if entries := groups.get(title):
            yield f"### {title}\n\n" + "\n".join(_fitted(entries, max(room, 0), "more")) + "\n"
            room -= sum(len(entry) + 1 for entry in entries) + len(title) + 40


def _migration_scripts(release: Release) -> tuple[str, ...]:
    """Changed files that look like scripts of database migrations, by the folders in which frameworks keep them."""
    found = (path for commit in release.commits for path in commit.files or () if _is_migration(path.lower()))
    return tuple(dict.fromkeys(found))


def _is_migration(path: str) -> bool:
    folders = path.split("/")[:-1]
    named = "migrations" in folders or folders[-2:] in (["db", "migrate"], ["alembic", "versions"], ["db", "migration"])
    return (
        named and path.endswith((".sql", ".py", ".rb", ".php", ".js", ".ts", ".go", ".java", ".kt", ".cs", ".ex", ".exs")) and not path.endswith("__init__.py")
    )


def _tag(tag: str) -> str:
    return code(" ".join(visible(tag, 200).split()) or "this release")

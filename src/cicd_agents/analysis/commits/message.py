"""A whole commit message as the changes that it tells of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from cicd_agents.analysis.commits.blocks import nested_in, override_of
from cicd_agents.analysis.commits.conventional import Part, change_of, header_of, plain_change
from cicd_agents.analysis.commits.lines import Quoted, cleaned, is_bot, quotes
from cicd_agents.analysis.commits.merges import is_merge_title, real_title
from cicd_agents.analysis.commits.reading import DEFAULT_READING, KNOWN_TYPES, Reading
from cicd_agents.analysis.commits.squash import may_hold, parts_of
from cicd_agents.domain.release import Change, HistoryCommit


def changes_of(
    commit: HistoryCommit, reading: Reading = DEFAULT_READING, types: frozenset[str] = KNOWN_TYPES, bodies: bool = True
) -> tuple[Change, ...]:  # fmt: skip
    """The changes that the message tells of, at least one; one of type "" where nothing can be read. Never raises.

    `types` may begin a change inside a body. Of a bot's message the title alone is read. Without `bodies` text and footers may be left out of the changes:
    who only lists them saves a fifth of the time.
    """
    text, skipped = cleaned(commit.message)
    title, _, rest = text.partition("\n")
    if title.startswith("Merge") and is_merge_title(title):
        return _merge(commit, title, rest, skipped, reading, types)
    body = "" if rest and is_bot(commit.author, commit.email) else rest.strip("\n")
    if body and not body.isspace() and _telling(text, title, body, reading, types):
        return _whole(commit.sha, title, rest.split("\n"), 1 + skipped, reading, types)
    change = plain_change(commit.sha, title, header_of(title, reading), body, bodies)
    return (replace(change, line=1 + skipped) if skipped else change,)


def _telling(text: str, title: str, body: str, reading: Reading, types: frozenset[str]) -> bool:
    """Whether the body must be read line by line. Cheap, and right for nearly all messages."""
    return (
        ("B" in body and ("BREAKING" in body or "BEGIN_" in body))
        or "evert" in body
        or "commit " in body
        or title[:6].lower() in ("revert", "reappl")
        or reading.every_line
        or may_hold(text, len(title), types, reading.loose_breaking)
    )


def _merge(commit: HistoryCommit, title: str, rest: str, skipped: int, reading: Reading, types: frozenset[str]) -> tuple[Change, ...]:
    body = rest.split("\n") if rest else []
    real = real_title(title, body, len(commit.parents)) if reading.merge_titles else None
    if real:
        name, number = real
        return _whole(commit.sha, name, body[number - 1 :], number + skipped, reading, types)
    if reading.every_line:
        return _whole(commit.sha, title, body, 1 + skipped, reading, types)
    return (Change(commit.sha, "", None, title, line=1 + skipped),)


def _whole(sha: str, title: str, body: list[str], line: int, reading: Reading, types: Collection[str]) -> tuple[Change, ...]:
    quoted = [Quoted.NO] * len(body) if reading.every_line else list(quotes(body))
    if not reading.blocks:
        return _parts(sha, Part(title, header_of(title, reading), line, body, quoted), reading, types)
    override = override_of(body, quoted)
    if override:
        return _inner(sha, override.lines, line + 1 + override.start, reading, types)
    nested, taken = nested_in(body, quoted)
    for index in taken:
        body[index] = ""
    found = _parts(sha, Part(title, header_of(title, reading), line, body, quoted), reading, types)
    for block in nested:
        found += _inner(sha, block.lines, line + 1 + block.start, reading, types)
    return found


def _inner(sha: str, lines: tuple[str, ...], line: int, reading: Reading, types: Collection[str]) -> tuple[Change, ...]:
    """The message of a marked block."""
    first = next((index for index, text in enumerate(lines) if text.strip()), None)
    if first is None:
        return ()
    body = list(lines[first + 1 :])
    title = lines[first].strip()
    return _parts(sha, Part(title, header_of(title, reading), line + first, body, list(quotes(body))), reading, types)


def _parts(sha: str, first: Part, reading: Reading, types: Collection[str]) -> tuple[Change, ...]:
    parts = parts_of(first, reading, types)
    changes = [change_of(sha, part, reading) for part in parts]
    own = changes[0]
    if len(changes) > 1 and not own.type and not (own.breaking or own.reverts or own.release_as):
        return tuple(changes[1:])
    return tuple(changes)

"""What of a release is worth saying first, and a short announcement. These are texts as people wrote them: whoever shows them escapes them for the place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cicd_agents.analysis.changelog.escape import visible
from cicd_agents.domain.release import Change

_MOST = 5
_TEXT = 200  # characters of a highlight
_FEATURES, _IMPROVEMENTS = ("feat", "feature"), ("perf", "security")
_LABEL = re.compile(r"\W{0,6}(?:how to |to )?(?:migrat(?:e|ion|ing)|upgrad(?:e|ing))\b", re.IGNORECASE)
_FOOTERS = frozenset({"migration", "migration-guide", "migration-path", "migrate", "upgrade", "upgrade-guide", "upgrade-path"})


@dataclass(frozen=True, slots=True)
class Highlight:
    """A change that is named first. `text` is one line, not escaped."""

    sha: str
    text: str
    breaking: bool


@dataclass(frozen=True, slots=True)
class Announcement:
    """A release in a few lines, for a chat. Nothing is escaped; `url` is the release's page or comparison, "" where there is none."""

    title: str
    lines: tuple[str, ...]
    url: str


def highlights(changes: Sequence[Change], reworded: Mapping[str, str] | None = None, most: int = _MOST) -> tuple[Highlight, ...]:
    """Breaking changes, then features, then what became faster or safer; where there is none of these, fixes.

    `reworded` has better words for some of them by commit: nothing else can be changed by it, and it is cut like any other text.
    """
    chosen = [change for change in changes if change.breaking]
    for types in (_FEATURES, _IMPROVEMENTS):
        chosen += [change for change in changes if not change.breaking and change.type in types]
    chosen = chosen or [change for change in changes if change.type == "fix"]
    return tuple(Highlight(change.sha, _text(change, reworded or {}), change.breaking) for change in chosen[:most])


def announcement(name: str, changes: Sequence[Change], url: str = "", reworded: Mapping[str, str] | None = None) -> Announcement:
    """The announcement of a release; `name` is its title, such as `app 1.2.0`."""
    found = highlights(changes, reworded)
    lines = [f"{'Breaking: ' if item.breaking else ''}{item.text}" for item in found]
    if len(changes) > len(found):
        rest = len(changes) - len(found)
        lines.append(f"and {rest} more change{'s' if rest > 1 else ''}" if found else f"{rest} change{'s' if rest > 1 else ''}")
    return Announcement(_one_line(name), tuple(lines), url)


def parted_note(change: Change) -> tuple[str, str]:
    """The text of a breaking change and, apart from it, how to migrate: from the line on that says so, or from a footer such as `Migration:`."""
    lines = change.note.split("\n")
    at = next((index for index, line in enumerate(lines) if index and _LABEL.match(line)), len(lines))
    footers = [text for token, text in change.footers if token.lower() in _FOOTERS]
    return "\n".join(lines[:at]).strip(), "\n\n".join(part for part in ("\n".join(lines[at:]).strip(), *footers) if part)


def _text(change: Change, reworded: Mapping[str, str]) -> str:
    if words := _one_line(reworded.get(change.sha, "")):
        return words
    return _one_line(f"{change.scope}: {change.subject}" if change.scope else change.subject)


def _one_line(text: str) -> str:
    return " ".join(visible(text, _TEXT).split())

"""Whether a suggested patch may be shown: a strict unified diff of text files that exist or are made, and nothing else between its lines.

Every line is accounted for, so that `git apply` cannot read more out of the patch than was checked here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from cicd_agents.advisor.paths import path_fault
from cicd_agents.advisor.prose import blob, foreign_links
from cicd_agents.domain.invisible import seen

_MOST_BYTES, _MOST_LINES, _MOST_FILES = 8_000, 300, 8
_NEW, _OLD = re.compile(r"\+\+\+ b/(.+)"), re.compile(r"--- (?:a/(.+)|/dev/null)")
_GIT, _INDEX, _MADE = re.compile(r"diff --git a/(.+) b/(.+)"), re.compile(r"index [0-9a-f]{4,64}\.\.[0-9a-f]{4,64}(?: 100644)?"), "new file mode 100644"
_HUNK = re.compile(r"@@ -([0-9]{1,7})(?:,([0-9]{1,5}))? \+([0-9]{1,7})(?:,([0-9]{1,5}))? @@(?: .*)?")
_NO_END = "\\ No newline at end of file"
_INSTALL_HOOK = re.compile(r"[\"'](?:pre|post)?(?:install|prepare|prepublish|publish|pack)(?:Only)?[\"']\s*:|dependencies\s*:|cmdclass|build\.rs")
_WORKFLOW = re.compile(
    r"^[ +-]?\s*::|##[\w.-]*\[|section_(?:start|end):\s*\d|::(?:set-output|set-env|add-path|add-mask|save-state)\b|GITHUB_(?:ENV|PATH|OUTPUT|STATE)"
)
_SHAPE = "no plain unified diff"


@dataclass(frozen=True, slots=True)
class PatchRules:
    """What is allowed beyond the ordinary, and how to try whether a patch applies."""

    applies: Callable[[str], bool]
    lock_files: bool = False
    hosts: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that follow each other, with their signs; `ends` are the places of those that have no line feed behind them."""

    old_start: int
    new_start: int
    lines: tuple[str, ...]
    ends: frozenset[int] = frozenset()

    @property
    def added(self) -> tuple[str, ...]:
        """What it puts there."""
        return tuple(line[1:] for line in self.lines if line.startswith("+"))

    @property
    def at_begin(self) -> bool:
        """Whether it stands at the beginning of the file and nowhere else."""
        return self.old_start <= 1

    @property
    def at_end(self) -> bool:
        """Whether it stands at the end of the file and nowhere else: nothing is kept behind its last change."""
        return not self.lines[-1].startswith(" ")

    def before(self) -> list[bytes]:
        """The lines that stand there before."""
        return self._with(" -")

    def after(self) -> list[bytes]:
        """The lines that stand there after."""
        return self._with(" +")

    def _with(self, signs: str) -> list[bytes]:
        return [line[1:].encode() + (b"" if at in self.ends else b"\n") for at, line in enumerate(self.lines) if line[0] in signs]


@dataclass(frozen=True, slots=True)
class Change:
    """What a patch does to one file; `old` is its path before, None for a file that is made."""

    path: str
    old: str | None
    hunks: tuple[Hunk, ...]


class _NoDiff(Exception):
    """The text is not of the one shape that is read."""


def patch_fault(patch: str, rules: PatchRules) -> str:
    """Why the patch may not be kept; empty where it may. `git apply --check` is asked last, and only for a patch that is harmless otherwise."""
    body = patch.removesuffix("\n")
    if len(patch.encode(errors="replace")) > _MOST_BYTES or body.count("\n") >= _MOST_LINES:
        return "too long"
    if seen(body) != body:
        return "invisible or unusual characters"
    changes = changes_of(body + "\n")
    if changes is None:
        return _SHAPE
    if any(_WORKFLOW.search(line) for line in body.split("\n")):
        return "workflow command"
    reasons = (reason for change in changes if (reason := _change_fault(change, rules)))
    return next(reasons, "") or ("" if rules.applies(body + "\n") else "does not apply")


def changes_of(patch: str) -> tuple[Change, ...] | None:
    """What the patch does, file by file; None where it is no unified diff of the one shape that is read."""
    try:
        return _changes(patch.removesuffix("\n").split("\n"))
    except _NoDiff:
        return None


def _change_fault(change: Change, rules: PatchRules) -> str:
    if change.old is not None and change.old != change.path:
        return _SHAPE
    if reason := path_fault(change.path, rules.lock_files):
        return reason
    lines = [line for hunk in change.hunks for line in hunk.added]
    added = "\n".join(lines)
    if "[redacted:" in added:
        return "placeholder of a hidden secret"
    if foreign_links(added, rules.hosts):
        return "link"
    if not rules.lock_files and blob(added):
        return "data URL or encoded blob"
    return "hook or Git configuration" if change.path.rpartition("/")[2] == "package.json" and any(map(_INSTALL_HOOK.search, lines)) else ""


def _changes(lines: list[str]) -> tuple[Change, ...]:
    found: list[Change] = []
    at = 0
    while at < len(lines):
        change, at = _change(lines, at)
        found.append(change)
    if not found or len(found) > _MOST_FILES or len({change.path.casefold() for change in found}) != len(found):
        raise _NoDiff
    return tuple(found)


def _change(lines: list[str], at: int) -> tuple[Change, int]:
    """One file's part, and where the next begins."""
    names, made = set[str](), False
    if git := _GIT.fullmatch(_line(lines, at)):
        names |= {git[1], git[2]}
        at += 1
        if _line(lines, at) == _MADE:
            made, at = True, at + 1
        if _INDEX.fullmatch(_line(lines, at)):
            at += 1
    old, new = _OLD.fullmatch(_line(lines, at)), _NEW.fullmatch(_line(lines, at + 1))
    if not old or not new or names - {new[1]} or (made and old[1] is not None):
        raise _NoDiff
    at += 2
    hunks: list[Hunk] = []
    while head := _HUNK.fullmatch(_peek(lines, at)):
        hunk, at = _hunk(lines, at + 1, head)
        hunks.append(hunk)
    if not hunks:
        raise _NoDiff
    return Change(new[1], old[1], tuple(hunks)), at


def _hunk(lines: list[str], at: int, head: re.Match[str]) -> tuple[Hunk, int]:
    """A hunk whose lines are as many as its head says, and where it ends."""
    old, new = int(head[2] or 1), int(head[4] or 1)
    found: list[str] = []
    ends: set[int] = set()
    while old or new:
        line = _line(lines, at) or " "  # editors strip the blank of an empty line
        old, new = old - (line[0] in " -"), new - (line[0] in " +")
        if line[0] not in " +-":
            raise _NoDiff
        found.append(line)
        at += 1
        if _peek(lines, at) == _NO_END:
            ends.add(len(found) - 1)
            at += 1
    if all(line.startswith(" ") for line in found):
        raise _NoDiff
    return Hunk(int(head[1]), int(head[3]), tuple(found), frozenset(ends)), at


def _line(lines: list[str], at: int) -> str:
    if at >= len(lines):
        raise _NoDiff
    return lines[at]


def _peek(lines: list[str], at: int) -> str:
    return lines[at] if at < len(lines) else ""

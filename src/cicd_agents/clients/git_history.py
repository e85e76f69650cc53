"""The history of a range in one pass of `git log`, streamed: linear in the commits, independent of the number of tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, takewhile

from cicd_agents.clients.git_command import Git
from cicd_agents.clients.git_errors import FULL_HISTORY
from cicd_agents.clients.git_refs import seconds
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import HistoryCommit

# %aN and %aE heed .mailmap, as git log itself does. No field can hold NUL: git ends a message there.
_FIELDS = "%H%x00%P%x00%aN%x00%aE%x00%ct%x00%B"
# With files each commit begins with an empty field, which no path can be.
_WITH_FILES = "%x00" + _FIELDS
_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Range:
    """Commits that `until` reaches and none of `since` does (whole ids).

    `paths` limit it to commits that change something under them, `excluded` names what does not count (both from the top of the repository, `/` as the
    separator, no patterns). With `files` each commit tells its changed paths; a merge tells what it brought to its first parent.
    """

    until: str
    since: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    files: bool = False

    @property
    def limited(self) -> bool:
        """Whether only some paths count."""
        return bool(self.paths or self.excluded)


def history(git: Git, wanted: Range, boundary: frozenset[str] = frozenset()) -> Iterator[HistoryCommit]:
    """The commits, the newest first (a child before its parents where the clocks were right), as they come from git.

    `boundary` are the commits where a shallow clone ends: a range that reaches one is not whole. Bytes that are no text of the commit's encoding become
    U+FFFD. Raises UsageError for a range that the shallow clone cuts.
    """
    pieces = git.stream("log", *_options(wanted), "--end-of-options", wanted.until, *(f"^{commit}" for commit in wanted.since), "--", *_limits(wanted))
    fields = chain.from_iterable(_split(pieces))
    for commit in _commits(fields, wanted):
        if commit.sha in boundary:
            raise UsageError(f"{git.folder}: the clone is shallow and ends at {commit.sha[:12]}, before the range does; {FULL_HISTORY}.")
        yield commit


def _commits(fields: Iterator[str], wanted: Range) -> Iterator[HistoryCommit]:
    if wanted.files:
        found = _with_files(fields)
        return (commit for commit in found if commit.files) if wanted.limited else found
    if wanted.limited:
        return (replace(commit, files=None) for commit in _with_files(fields) if commit.files)
    return _without_files(fields)


def _options(wanted: Range) -> list[str]:
    with_files = wanted.files or wanted.limited
    options = ["-z", "--no-color", "--no-decorate", "--no-notes", "--no-abbrev-commit", f"--format={_WITH_FILES if with_files else _FIELDS}"]
    if with_files:
        options += ["--name-only", "--no-renames", "--diff-merges=first-parent", "--no-ext-diff", "--ignore-submodules=none"]
    if wanted.limited:
        # Else git follows only one side of a merge, and leaves out commits of the other that touch the path. With it git also shows merges that brought
        # nothing to the path; those tell no files, and are dropped.
        options.append("--full-history")
    return options


def _limits(wanted: Range) -> Sequence[str]:
    included = [f":(top,literal){_place(path)}" for path in wanted.paths] or ([":(top)"] if wanted.excluded else [])
    return [*included, *(f":(top,literal,exclude){_place(path)}" for path in wanted.excluded)]


def _place(path: str) -> str:
    """The path as git spells it, empty for the top; git itself takes `.` and `..` here for names, and finds nothing."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts or "\0" in path:
        raise UsageError(f"{path!r}: a path of a component must lie inside the repository, without `..`.")
    return "/".join(parts)


def _split(pieces: Iterable[bytes]) -> Iterator[list[str]]:
    """The fields that are whole, piece by piece; a field of any length is put together in linear time."""
    held: list[bytes] = []
    for piece in pieces:
        end = piece.rfind(b"\0")
        if end < 0:
            held.append(piece)
            continue
        yield (b"".join(held) + piece[:end]).decode("utf-8", "replace").split("\0")
        held = [piece[end + 1 :]]


def _without_files(fields: Iterator[str]) -> Iterator[HistoryCommit]:
    names: dict[str, str] = {}
    for sha, parents, author, email, time, message in zip(fields, fields, fields, fields, fields, fields):
        yield HistoryCommit(sha, tuple(parents.split()), names.setdefault(author, author), names.setdefault(email, email), seconds(time), message.rstrip("\n"))


def _with_files(fields: Iterator[str]) -> Iterator[HistoryCommit]:
    # "" id parents … message [LF path, path, …], and again.
    next(fields, None)
    while head := tuple(islice(fields, _LENGTH)):
        files = list(takewhile(bool, fields))
        if files:
            files[0] = files[0].removeprefix("\n")
        sha, parents, author, email, time, message = head
        yield HistoryCommit(sha, tuple(parents.split()), author, email, seconds(time), message.rstrip("\n"), tuple(files))

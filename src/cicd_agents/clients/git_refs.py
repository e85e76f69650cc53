"""Names of branches, tags and commits: which are allowed (pure), what they point at, and all tags in one call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cicd_agents.clients.git_command import Git
from cicd_agents.clients.git_errors import usage_problem
from cicd_agents.domain.errors import UsageError

LONGEST_NAME = 1000
# git-check-ref-format(1), rules 1 to 10 for one-level names: what may stand nowhere, and how no part between slashes may begin or end.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|//|@\{|(?:^|/)\.|\.lock(?:/|$)|^/|/$|\.$|^@$", re.ASCII)
# A revision: a name and steps back from it (gitrevisions(7)); no ranges, no `:path`, no `@{…}`, no searches by text.
_REVISION = re.compile(r"(?P<name>[^~^]+)(?P<steps>(?:[~^][0-9]{0,6}){0,20})")
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

_TAG_FIELDS = ("refname:lstrip=2", "objecttype", "objectname", "*objecttype", "*objectname", "creatordate:unix")
_TAG_FORMAT = "%00".join(f"%({field})" for field in _TAG_FIELDS)
_LONGEST_TIME = 11
# Ids that were seen to be commits, by repository. They stay so, and asking git once more costs as much as to read a hundred commits.
_SEEN: set[tuple[Path, str]] = set()
_MOST_SEEN = 100_000


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a commit. `commit` is the commit, not the tag object; `time` when the tag was made, seconds since the epoch.

    A light tag, and one that does not tell when it was made, has the time of its commit.
    """

    name: str
    commit: str
    time: int
    annotated: bool = False


def is_ref_name(name: str) -> bool:
    """Whether git allows the name for a branch or tag (git-check-ref-format(1), one level is enough); none that begins with `-`."""
    return 0 < len(name) <= LONGEST_NAME and not name.startswith("-") and _FORBIDDEN.search(name) is None


def is_revision(text: str) -> bool:
    """Whether the text is a name or commit id, perhaps with steps back such as `HEAD~2` or `v1.0.0^`."""
    found = _REVISION.fullmatch(text)
    return found is not None and is_ref_name(found["name"])


def is_sha(text: str) -> bool:
    """Whether the text is a whole commit id, SHA-1 or SHA-256."""
    return _SHA.fullmatch(text) is not None


def commits_of(git: Git, revisions: Sequence[str]) -> dict[str, str | None]:
    """The commit of each revision, None where there is none; one call for all. Raises UsageError for a text that is no revision."""
    for revision in revisions:
        if not is_revision(revision):
            raise UsageError(f"{revision!r} is no name of a branch, tag or commit; give one such as v1.2.3, main or HEAD~2.")
    found: dict[str, str | None] = {revision: revision for revision in revisions if (git.folder, revision) in _SEEN}
    asked = [revision for revision in revisions if revision not in found]
    if asked:
        lines = "".join(f"{revision}^{{commit}}\n" for revision in asked)
        answers = git.output("cat-file", "--batch-check", given=lines.encode("utf-8", "surrogateescape")).decode("utf-8", "replace").splitlines()
        found.update(zip(asked, map(_commit_in, answers), strict=True))
        _remember(git, filter(None, found.values()))
    return {revision: found[revision] for revision in revisions}


def _remember(git: Git, commits: Iterable[str]) -> None:
    if len(_SEEN) > _MOST_SEEN:
        _SEEN.clear()
    _SEEN.update((git.folder, commit) for commit in commits)


def commit_of(git: Git, revision: str) -> str:
    """The commit of a revision. Raises UsageError where there is none."""
    found = commits_of(git, [revision])[revision]
    if found is None and revision == "HEAD":
        raise UsageError(f"{git.folder}: HEAD is at no commit: the repository, or the branch that HEAD names, has none yet.")
    if found is None:
        raise UsageError(f"{revision!r} is no commit, branch or tag of {git.folder}; correct it, or fetch it (git fetch --tags).")
    return found


def tags(git: Git, merged: str | None = None) -> tuple[Tag, ...]:
    """All tags of commits by name, in one call; with `merged` only those that this commit (its whole id) can reach. Tags of trees and blobs are left out."""
    limit = [] if merged is None else [f"--merged={merged}"]
    lines = git.output("for-each-ref", f"--format={_TAG_FORMAT}", *limit, "refs/tags").decode("utf-8", "replace").splitlines()
    rows = [line.split("\0") for line in lines]
    nested = _nested(git, [name for name, _, _, inner, _, created in rows if inner == "tag" or (inner and not seconds(created))])
    found = tuple(tag for row in rows if (tag := _tag(row, nested)) is not None)
    _remember(git, (tag.commit for tag in found))
    return found


def is_ancestor(git: Git, older: str, newer: str) -> bool:
    """Whether the commit `newer` can reach the commit `older` (whole ids); a commit reaches itself. Raises UsageError for a commit that is not there."""
    done = git.run("merge-base", "--is-ancestor", older, newer)
    if done.code not in {0, 1}:
        raise usage_problem(done.said, done.code, "merge-base", str(git.folder))
    return done.code == 0


def _commit_in(answer: str) -> str | None:
    # "<id> commit <size>", or "<what was asked> missing" (or ambiguous).
    words = answer.split(" ")
    return words[0] if len(words) == 3 and words[1] == "commit" and is_sha(words[0]) else None


def _tag(row: Sequence[str], nested: dict[str, tuple[str, int]]) -> Tag | None:
    name, kind, own, inner, target, created = row
    if kind == "commit":
        return Tag(name, own, seconds(created))
    if name in nested:
        commit, commit_time = nested[name]
        return Tag(name, commit, seconds(created) or commit_time, annotated=True)
    return Tag(name, target, seconds(created), annotated=True) if inner == "commit" else None


def _nested(git: Git, names: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Commit and its time for tags without a time of their own, and for tags of tags, whose inner tag is all that for-each-ref tells of before git 2.45."""
    if not names:
        return {}
    found = commits_of(git, [f"refs/tags/{name}" for name in names])
    commits = {name: commit for name in names if (commit := found[f"refs/tags/{name}"]) is not None}
    listing = git.output("log", "--no-walk=unsorted", "--stdin", "--format=%H %ct", given="\n".join(sorted(set(commits.values()))).encode()) if commits else b""
    times = dict(line.split(" ") for line in listing.decode().splitlines())
    return {name: (commit, seconds(times[commit])) for name, commit in commits.items()}


def seconds(text: str) -> int:
    """A time as git prints it; 0 for one that is missing, broken or beyond the calendar (eleven digits end in the year 5138)."""
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_TIME else 0

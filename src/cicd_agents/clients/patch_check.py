"""Whether a suggested patch applies to the files of the work tree: by `git apply --check`, and by reading the files ourselves where there is no git.

Nothing is changed and nothing of the repository is run. Git is shown the files and no repository: a configuration in `.git` can name programs for the files
that it reads (filters), and a job may have run a stranger's code before us. Both ways ask first whether the paths are plain files of the tree.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from cicd_agents.advisor.patches import Change, Hunk, changes_of
from cicd_agents.clients.git_command import git_in, has_git
from cicd_agents.domain.errors import UsageError

_SECONDS = 10.0
_MOST_FILE = 4 << 20
_MOST_LINES = 100_000  # of a file that is searched for a hunk
_NO_NAMES = frozenset({"", ".", ".."})
# Read no configuration and find no repository: `git apply` works on any folder.
_ALONE = {"GIT_DIR": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "0"}


def applies(patch: str, workspace: Path, environment: Mapping[str, str]) -> bool:
    """Whether it applies; False where there is no work tree, or it cannot be told. `environment` says where git is."""
    changes = changes_of(patch)
    if changes is None or not os.path.lexists(workspace / ".git") or not all(_plain(change, workspace) for change in changes):
        return False
    return git_accepts(patch, workspace, environment) if has_git(environment) else stands(changes, workspace)


def git_accepts(patch: str, workspace: Path, environment: Mapping[str, str]) -> bool:
    """What git says."""
    try:
        done = git_in(workspace, environment, _SECONDS).run("apply", "--check", "--whitespace=nowarn", "-", given=patch.encode(), extra=_ALONE)
    except (UsageError, OSError, UnicodeError):
        return False
    return done.code == 0


def stands(changes: tuple[Change, ...], workspace: Path) -> bool:
    """Whether each line that a patch keeps or takes away stands there, one hunk after the other, by git's rules and without any fuzz."""
    for change in changes:
        lines = [] if change.old is None else _lines(workspace / change.path)
        if lines is None or not _all_stand(change.hunks, lines):
            return False
    return True


def _plain(change: Change, workspace: Path) -> bool:
    """Whether the file is one of the tree or can become one: no link and no other repository (a submodule) on the way, and nothing but a file."""
    place = workspace
    parts = change.path.split("/")
    if not _NO_NAMES.isdisjoint(parts):
        return False
    for part in parts[:-1]:
        place /= part
        mode = _mode(place)
        if mode is not None and (not stat.S_ISDIR(mode) or os.path.lexists(place / ".git")):
            return False
    mode = _mode(place / parts[-1])
    return mode is None if change.old is None else mode is not None and stat.S_ISREG(mode)


def _mode(path: Path) -> int | None:
    """The kind of what is there, not following a link; None where there is nothing, 0 where that cannot be told."""
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return 0


def _lines(path: Path) -> list[bytes] | None:
    """The lines of a file with their ends; None where it is too large or cannot be read."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_FILE + 1)
    except OSError:
        return None
    lines = data.split(b"\n")
    whole = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    return whole if len(data) <= _MOST_FILE and len(whole) <= _MOST_LINES else None


def _all_stand(hunks: tuple[Hunk, ...], lines: list[bytes]) -> bool:
    """What a hunk has put there (marked by None) belongs to no later one."""
    image: list[bytes | None] = list(lines)
    for hunk in hunks:
        old, new = hunk.before(), hunk.after()
        at = _found(image, old, hunk)
        if at is None:
            return False
        image[at : at + len(old)] = [None] * len(new)
    return True


def _found(image: list[bytes | None], old: list[bytes], hunk: Hunk) -> int | None:
    """Where the old lines stand, nearest to the line that the hunk names; a hunk without lines before or behind stands at that end of the file."""
    last = len(image) - len(old)
    if last < 0:
        return None
    if hunk.at_begin:
        places = [0] if not hunk.at_end or last == 0 else []
    elif hunk.at_end:
        places = [last]
    else:
        wanted = max(0, hunk.new_start - 1)
        places = sorted(range(last + 1), key=lambda place: (abs(place - wanted), place < wanted))
    return next((place for place in places if image[place : place + len(old)] == old), None)

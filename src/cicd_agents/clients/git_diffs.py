"""What commits changed in files, from git's objects: bounded in bytes and seconds. Nothing that a repository configures is run, and nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.git_command import Git
from cicd_agents.clients.git_refs import is_sha
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.git import FileDiff

SECONDS = 20.0  # for all diffs of a run
_MOST_PATH_BYTES = 1 << 18
_MOST_BYTES = 1 << 16
_SINGLE_SECONDS = 10.0
# In a partial clone git would fetch what is missing, with the user's transports and helpers. The variable is heeded from 2.44 on, no protocol by all.
_NOT_FETCHING = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
_TREE = ("diff-tree", "-r", "--root", "--no-commit-id", "--diff-merges=first-parent", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
# The same text on each machine, whatever is configured there.
_PATCH = (
    "-p", "--submodule=short", "--ignore-submodules=none", "--diff-algorithm=myers", "--indent-heuristic", "--unified=3", "--inter-hunk-context=0",
    "--src-prefix=a/", "--dst-prefix=b/", "--no-relative",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GitDiffs:
    """Reads diffs (port `CommitDiffs`); a merge is compared with its first parent. All that goes wrong, or takes too long, gives None."""

    git: Git
    budget: Budget

    def paths(self, sha: str) -> tuple[str, ...] | None:
        """The paths that a commit changes, as many as are looked at."""
        read = self._read(_MOST_PATH_BYTES, *_TREE, "--name-only", "-z", "--end-of-options", sha) if is_sha(sha) else None
        if read is None:
            return None
        names, whole = read
        return tuple(name.decode("utf-8", "surrogateescape") for name in names.split(b"\0")[: None if whole else -1] if name)

    def diff(self, sha: str, path: str) -> FileDiff | None:
        """The diff of one file, its beginning where it is long."""
        if not is_sha(sha) or not path or "\0" in path:
            return None
        read = self._read(_MOST_BYTES, *_TREE, *_PATCH, "--end-of-options", sha, "--", f":(top,literal){path}")
        return None if read is None else FileDiff(path, read[0].decode("utf-8", "replace"), read[1])

    def _read(self, most: int, *arguments: str) -> tuple[bytes, bool] | None:
        """What git prints, at most so many bytes of it, and whether that is all."""
        seconds = min(_SINGLE_SECONDS, self.budget.left())
        if seconds <= 0:
            return None
        git = replace(self.git, seconds=seconds, environment={**self.git.environment, **_NOT_FETCHING})
        try:
            read = b"".join(_first(git.stream(*arguments), most))
        except (UsageError, OSError):  # the machine may have no process left for it
            return None
        return read[:most], len(read) <= most


def _first(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """The pieces up to the one that passes the limit."""
    for piece in pieces:
        yield piece
        most -= len(piece)
        if most < 0:
            return

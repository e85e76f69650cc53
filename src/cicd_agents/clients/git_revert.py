"""A revert of all commits between two, as one commit on top of a remote's branch (port `Reverts`). Only objects are written; no work tree is needed.

For each file that the two commits differ in: where the branch has it as the bad commit has it, it becomes what it was; where others changed it since, the
reverse change is merged into it (git-merge-file), and what conflicts is left to a person.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cicd_agents.clients.git_refs import is_sha
from cicd_agents.clients.git_release import GitWriter
from cicd_agents.clients.git_writes import commit_files
from cicd_agents.domain.errors import Rejected, ServiceError, UsageError
from cicd_agents.domain.git import Identity, RefUpdate, Standing
from cicd_agents.operations.apply import AlreadyDone
from cicd_agents.operations.guardian_revert import Revert

_MOST_FILES, _MOST_BYTES, _MOST_NAMED = 500, 4 << 20, 50
_SHORT = 12
_NONE, _FILE, _PROGRAM = "000000", "100644", "100755"


@dataclass(frozen=True, slots=True)
class GitReverts:
    """Makes and pushes reverts; the writer says where and as whom."""

    writer: GitWriter

    def pushed(self, head: str) -> bool:
        """Whether the remote has our branch."""
        return bool(self.writer.remote_commit(f"refs/heads/{head}"))

    def commit(self, revert: Revert) -> str:
        """Make the commit on top of the remote's branch.

        Raises AlreadyDone where the branch states it so already, UsageError for a commit that is not of this repository and for a shallow clone, Rejected for
        what a person has to do.
        """
        self.writer.repository.require_whole()
        head = self._head(revert.branch)
        bad, good = self._present(revert.bad), self._present(revert.good)
        self._check_reached(head, bad, revert)
        changes = self._changes(head, bad, good, revert)
        if not changes:
            raise AlreadyDone(f"{revert.branch} states it as at {good[:_SHORT]} already.")
        commits = [one.sha for one in islice(self.writer.repository.history(bad, (good,), paths=revert.paths), _MOST_NAMED)]
        reverts = "".join(f"\nThis reverts commit {sha}." for sha in commits)
        time = next(self.writer.repository.history(head)).time  # follows from the base, so that two runs make the same commit
        identity = Identity(self.writer.name, self.writer.email, time)
        return commit_files(self.writer.repository, head, changes, f"{revert.title}\n{reverts}", identity)

    def push(self, head: str, commit: str) -> None:
        """Push our branch; never forced."""
        told = self.writer.push([RefUpdate(commit, f"refs/heads/{head}")])[0]
        if told.standing not in (Standing.DONE, Standing.ALREADY):
            raise Rejected(f"The branch {head} was not pushed: {told.reason or told.standing}.")

    def _head(self, branch: str) -> str:
        head = self.writer.remote_commit(f"refs/heads/{branch}")
        if not head:
            raise UsageError(f"The remote has no branch {branch}.")
        self.writer.fetch(f"refs/heads/{branch}")
        return head

    def _present(self, commit: str) -> str:
        """The commit, fetched where it is not here (it came after this clone was made)."""
        if not is_sha(commit):
            raise UsageError(f"{commit[:60]!r} is no commit: what is deployed is no Git revision (a chart's version?), so there is nothing to revert in Git.")
        if self.writer.repository.commits([commit])[commit] is None:
            try:
                self.writer.fetch(commit)
            except ServiceError as problem:
                raise UsageError(f"{commit[:_SHORT]} is no commit of this repository; revert in the one that the deployment follows. ({problem})") from None
        return self.writer.repository.commit(commit)

    def _check_reached(self, head: str, bad: str, revert: Revert) -> None:
        if not self.writer.reaches(head, bad):
            raise Rejected(f"{bad[:_SHORT]} is not on {revert.branch}, so a revert there would undo nothing; name the branch that the deployment follows.")

    def _changes(self, head: str, bad: str, good: str, revert: Revert) -> Mapping[str, bytes | None]:
        """The contents to write by path (None: deleted)."""
        paths = self._paths(bad, good, revert)
        then, wanted, now = (self.writer.repository.read_files(paths, commit, _MOST_BYTES) for commit in (bad, good, head))
        changes: dict[str, bytes | None] = {}
        for path in paths:
            old, new, present = then.get(path), wanted.get(path), now.get(path)
            if present == new:
                continue
            if present == old:
                changes[path] = new
            elif old is None or new is None or present is None:
                raise _by_hand(f"{path} was changed on {revert.branch} since", revert)
            else:
                changes[path] = self._merged(path, present, old, new, revert)
        return {path: content for path, content in changes.items() if content != now.get(path)}

    def _paths(self, bad: str, good: str, revert: Revert) -> tuple[str, ...]:
        limits = [f":(top,literal){path}" for path in revert.paths]  # as they are: no patterns
        told = self.writer.repository.git.output("diff-tree", "-r", "-z", "--raw", "--no-renames", bad, good, "--", *limits)
        paths = []
        for path, before, after in _differences(told.decode("utf-8", "surrogateescape")):
            if {before, after} - {_NONE, _FILE, _PROGRAM}:
                raise _by_hand(f"{path} is a symbolic link or submodule", revert)
            if after != before and _PROGRAM in (before, after) and after != _NONE:
                raise _by_hand(f"the mode of {path} changed", revert)
            paths.append(path)
        if len(paths) > _MOST_FILES:
            raise _by_hand(f"{len(paths)} files changed, more than the {_MOST_FILES} that are done here", revert)
        return tuple(paths)

    def _merged(self, path: str, present: bytes, old: bytes, new: bytes, revert: Revert) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / name for name in ("present", "old", "new")]
            for file, content in zip(files, (present, old, new), strict=True):
                file.write_bytes(content)
            done = self.writer.repository.git.run("merge-file", "-p", *map(str, files))
        if done.code:
            raise _by_hand(f"{path} was changed on {revert.branch} since, in the same place", revert)
        return done.output


def _differences(told: str) -> Iterator[tuple[str, str, str]]:
    """Path and modes of each line of `diff-tree --raw -z`: `:MODE MODE ID ID STATUS`, NUL, path, NUL."""
    fields = told.split("\0")
    for about, path in zip(fields[::2], fields[1::2], strict=False):
        before, after = about[1:14].split(" ")
        yield path, before, after


def _by_hand(reason: str, revert: Revert) -> Rejected:
    below = f" -- {' '.join(revert.paths)}" if revert.paths else ""
    return Rejected(
        f"It cannot be reverted without a person: {reason}. By hand: `git switch -c {revert.head} origin/{revert.branch}`, then "
        f"`git revert --no-edit {revert.good[:_SHORT]}..{revert.bad[:_SHORT]}` (what differs: `git diff {revert.good[:_SHORT]} {revert.bad[:_SHORT]}{below}`)."
    )

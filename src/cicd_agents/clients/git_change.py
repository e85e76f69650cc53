"""A version in a file of the remote's branch, changed by a commit that is pushed (operations.promotion_steps.GitChange)."""

from __future__ import annotations

from dataclasses import dataclass

from cicd_agents.clients.git_release import GitWriter
from cicd_agents.domain.errors import Rejected, UsageError
from cicd_agents.domain.git import RefUpdate, Standing
from cicd_agents.operations.apply import AlreadyDone
from cicd_agents.operations.promotion_files import stated_version, with_version

_MOST_BYTES = 4 << 20
# Others may push between our look and our push; then it is looked again.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class GitChanges:
    """Changes files of one branch of the remote. Nothing of this clone changes but objects."""

    writer: GitWriter
    branch: str

    def version(self, path: str) -> str:
        """The version that the file states on the remote's branch now."""
        return stated_version(path, self._text(path, self._head()))

    def set_version(self, path: str, version: str, message: str) -> str:
        """Write the version into the file, commit and push it; the commit's id. Raises AlreadyDone, UsageError, Rejected where the push is refused."""
        reason = ""
        for _ in range(_TRIES):
            head = self._head()
            text = self._text(path, head)
            changed = with_version(path, text, version)
            if changed == text:
                raise AlreadyDone(f"{path} says {version} already.")
            commit = self.writer.make_commit(head, {path: changed.encode("utf-8", "surrogateescape")}, message, self._time(head))
            told = self.writer.push([RefUpdate(commit, f"refs/heads/{self.branch}")])[0]
            if told.standing in (Standing.DONE, Standing.ALREADY):
                return commit
            reason = told.reason or str(told.standing)
            if told.standing is not Standing.BEHIND:
                break
        raise Rejected(f"The change of {path} on {self.branch} was not taken: {reason}.")

    def _head(self) -> str:
        head = self.writer.remote_commit(f"refs/heads/{self.branch}")
        if not head:
            raise UsageError(f"The remote has no branch {self.branch}.")
        self.writer.fetch(f"refs/heads/{self.branch}")
        return head

    def _text(self, path: str, commit: str) -> str:
        data = self.writer.repository.read_file(path, commit, _MOST_BYTES)
        if data is None:
            raise UsageError(f"{path}: there is no such file on {self.branch}.")
        return data.decode("utf-8", "surrogateescape")

    def _time(self, commit: str) -> int:
        return next(self.writer.repository.history(commit)).time

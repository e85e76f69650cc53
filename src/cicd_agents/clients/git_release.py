"""Git as a release writes to it (port `ReleaseWriter`): one repository, one remote, one identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cicd_agents.clients.git import GitRepository
from cicd_agents.clients.git_command import Access
from cicd_agents.clients.git_refs import is_ref_name
from cicd_agents.clients.git_writes import advance, commit_files, create_tag, push, remote_commits
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.git import Identity, PushedRef, RefUpdate, Standing, TagResult


@dataclass(frozen=True, slots=True)
class GitWriter:
    """Writes to a repository and its remote. `access` is None where git itself knows how to log in."""

    repository: GitRepository
    remote: str
    name: str
    email: str
    access: Access | None = None

    def make_commit(self, parent: str, files: Mapping[str, bytes], message: str, time: int, also: Sequence[str] = ()) -> str:
        """Write a commit; no branch moves."""
        return commit_files(self.repository, parent, dict(files), message, self._identity(time), also)

    def make_tag(self, name: str, commit: str, message: str, time: int) -> TagResult:
        """Make the annotated tag here; one that is there stays as it is."""
        return create_tag(self.repository, name, commit, message, self._identity(time))

    def remote_commit(self, ref: str) -> str:
        """Where the remote's ref points."""
        return remote_commits(self.repository, self.remote, [ref], self.access).get(ref, "")

    def fetch(self, ref: str) -> None:
        """Get the commit of a remote's ref; no ref of ours moves."""
        if not is_ref_name(ref):
            raise UsageError(f"{ref!r} is no full name of a ref.")
        self._fetch("--no-tags", "--end-of-options", self.remote, ref)

    def fetch_tags(self) -> None:
        """Get the remote's tags; one that we have at another commit stays as it is, and that is no error here."""
        self._fetch("--tags", "--end-of-options", self.remote)

    def same_release(self, one: str, other: str) -> bool:
        """Whether two commits say the same: first parent, files and message."""
        return self._said(one) == self._said(other)

    def reaches(self, newer: str, older: str) -> bool:
        """Whether a commit can reach another one."""
        return self.repository.is_ancestor(older, newer)

    def _said(self, sha: str) -> tuple[str, bytes]:
        told = self.repository.git.output("log", "-1", "--format=%P%x00%T%x00%B", self.repository.commit(sha))
        parents, _, rest = told.partition(b"\0")
        return parents.decode().partition(" ")[0], rest

    def push(self, updates: Sequence[RefUpdate]) -> tuple[PushedRef, ...]:
        """Push these refs, all or none."""
        return push(self.repository, self.remote, updates, self.access)

    def follow(self, branch: str, commit: str) -> Standing:
        """Move the branch here forward to the commit."""
        return advance(self.repository, branch, commit)

    def _identity(self, time: int) -> Identity:
        return Identity(self.name, self.email, time)

    def _fetch(self, *arguments: str) -> None:
        if self.remote not in self.repository.remote_names():
            raise UsageError(f"{self.repository.git.folder}: there is no remote {self.remote!r}.")
        self.repository.git.remote("fetch", "--quiet", "--no-recurse-submodules", *arguments, access=self.access, fine="would clobber existing tag")

"""A git repository on this machine: where HEAD is, tags, history, files at a commit, remotes. Reading changes nothing and runs no hook.

Writing is in `git_writes`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cicd_agents.clients import git_history, git_refs, git_trees
from cicd_agents.clients.git_command import LOCAL_SECONDS, Git, git_in
from cicd_agents.clients.git_errors import FULL_HISTORY
from cicd_agents.clients.git_refs import Tag
from cicd_agents.clients.git_remotes import Remote, parse_remote
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import HistoryCommit

_BRANCH = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Head:
    """Where the repository stands; `branch` is None where HEAD is detached, as in most CI jobs."""

    commit: str
    branch: str | None


@dataclass(frozen=True, slots=True)
class GitRepository:
    """A repository, made by `open_repository`. `top` is the top of its work tree, None where it has none (bare).

    `boundary` are the commits where a shallow clone ends, empty for a whole one. Revisions are names or ids, perhaps with steps (`HEAD~2`); methods raise
    UsageError for one that is not there.
    """

    git: Git
    git_dir: Path
    top: Path | None
    boundary: frozenset[str] = frozenset()

    @property
    def bare(self) -> bool:
        """Whether it has no work tree."""
        return self.top is None

    @property
    def shallow(self) -> bool:
        """Whether older history and most tags were not fetched."""
        return bool(self.boundary)

    def require_whole(self) -> None:
        """Raise UsageError for a shallow clone, with the way to mend it."""
        if self.shallow:
            raise UsageError(f"{self.git.folder}: the clone is shallow, so older tags and commits are missing; {FULL_HISTORY}.")

    def head(self) -> Head:
        """Commit and branch of HEAD. Raises UsageError where there are no commits yet."""
        commit = self.commit("HEAD")
        name = self.git.run("symbolic-ref", "--quiet", "HEAD").output.decode("utf-8", "replace").strip()
        return Head(commit, name.removeprefix(_BRANCH) if name.startswith(_BRANCH) else None)

    def commit(self, revision: str) -> str:
        """The id of the commit that the revision names."""
        return git_refs.commit_of(self.git, revision)

    def commits(self, revisions: Sequence[str]) -> dict[str, str | None]:
        """The same for many in one call; None where there is none."""
        return git_refs.commits_of(self.git, revisions)

    def changed_files(self) -> tuple[str, ...]:
        """Tracked files that differ from HEAD, staged or not; the repository is dirty where there are any. Files that git does not track don't count."""
        if self.top is None:
            return ()
        listing = self.git.output("status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules=none")
        return tuple(entry[3:] for entry in listing.decode("utf-8", "replace").split("\0") if entry)

    def tags(self, merged: str | None = None) -> tuple[Tag, ...]:
        """All tags of commits by name, in one call; with `merged` those that this revision can reach."""
        return git_refs.tags(self.git, None if merged is None else self.commit(merged))

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether the newer revision can reach the older one."""
        old, new = (revision if git_refs.is_sha(revision) else self.commit(revision) for revision in (older, newer))
        return git_refs.is_ancestor(self.git, old, new)

    def history(
        self, until: str = "HEAD", since: Sequence[str] = (), *, paths: Sequence[str] = (), excluded: Sequence[str] = (), files: bool = False
    ) -> Iterator[HistoryCommit]:  # fmt: skip
        """The commits that `until` reaches and none of `since` does, the newest first, in one streamed pass; see `git_history.Range` for the rest.

        Raises UsageError while it is read where a shallow clone cuts the range.
        """
        found = self.commits([until, *since])
        start, *ends = (commit or self.commit(revision) for revision, commit in found.items())
        return git_history.history(self.git, git_history.Range(start, tuple(ends), tuple(paths), tuple(excluded), files), self.boundary)

    def files(self, revision: str = "HEAD") -> tuple[str, ...]:
        """The paths of all regular files at the revision, from the top of the repository; no symbolic links and no submodules."""
        return git_trees.files(self.git, self.commit(revision))

    def read_file(self, path: str, revision: str, most: int) -> bytes | None:
        """A file at the revision; None where it does not exist there. Raises Refused over `most` bytes."""
        return self.read_files([path], revision, most).get(path)

    def read_files(self, paths: Collection[str], revision: str, most: int) -> dict[str, bytes]:
        """Files at the revision, two calls for all; those that do not exist there are left out. Raises Refused over `most` bytes of one file."""
        return git_trees.read_files(self.git, self.commit(revision), paths, most)

    def remote_names(self) -> tuple[str, ...]:
        """The names of the remotes."""
        return tuple(self.git.output("remote").decode("utf-8", "replace").splitlines())

    def remote(self, name: str = "") -> Remote | None:
        """Where a remote lies on a forge: of the name, else `origin`, else the first. None without remotes, and for one that is a folder."""
        names = self.remote_names()
        chosen = name or ("origin" if "origin" in names else next(iter(names), ""))
        if name and name not in names:
            raise UsageError(f"{self.git.folder}: there is no remote {name!r}; it has {', '.join(names) or 'none'}.")
        if not chosen or not git_refs.is_ref_name(chosen):
            return None
        return parse_remote(self.git.output("remote", "get-url", chosen).decode("utf-8", "replace").strip())


def open_repository(folder: Path, environment: Mapping[str, str], seconds: float = LOCAL_SECONDS) -> GitRepository:
    """The repository that the folder lies in: with a work tree, bare, a linked work tree, or one that shares objects with another.

    `environment` is that of our process; `seconds` limits each command. Raises UsageError in one sentence where there is no folder, no repository, no git,
    or where git does not trust its owner.
    """
    git = git_in(folder, environment, seconds)
    asked = ("--is-inside-work-tree", "--is-shallow-repository", "--absolute-git-dir", "--git-common-dir", "--show-cdup")
    inside, shallow, git_dir, common, *up = git.output("rev-parse", *asked).decode("utf-8", "surrogateescape").split("\n")
    top = (folder / up[0]).resolve() if inside == "true" else None
    boundary = _boundary(folder / common / "shallow") if shallow == "true" else frozenset()
    return GitRepository(git, Path(git_dir), top, boundary)


def _boundary(file: Path) -> frozenset[str]:
    # gitformat-shallow: one commit id per line.
    return frozenset(file.read_text(encoding="ascii", errors="replace").split())

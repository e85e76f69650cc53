"""A repository that is asked the same by each component of a monorepo and looks only once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cicd_agents.domain.release import HistoryCommit

if TYPE_CHECKING:
    from cicd_agents.domain.ports import ReleaseHead, ReleaseRepository, ReleaseTag

# So many questions about ancestors are asked one by one, which walks only what lies between; then all commits with tags are settled in one walk.
_SINGLE = 4


@dataclass(frozen=True, slots=True)
class Remembered:
    """The repository behind it, with answers that stay the same during a plan kept. A port as the repository itself."""

    repository: ReleaseRepository
    _commits: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    _tags: dict[str | None, Sequence[ReleaseTag]] = field(default_factory=dict, repr=False, compare=False)
    _files: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    _answers: dict[tuple[str, str], bool] = field(default_factory=dict, repr=False, compare=False)
    _reached: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    def require_whole(self) -> None:
        """Raise UsageError for a shallow clone."""
        self.repository.require_whole()

    def head(self) -> ReleaseHead:
        """Where HEAD is."""
        return self.repository.head()

    def commit(self, revision: str) -> str:
        """The id of the commit."""
        if revision not in self._commits:
            self._commits[revision] = self.repository.commit(revision)
        return self._commits[revision]

    def tags(self, merged: str | None = None) -> Sequence[ReleaseTag]:
        """All tags of commits, or those that the revision reaches."""
        if merged not in self._tags:
            self._tags[merged] = self.repository.tags(merged)
        return self._tags[merged]

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether the newer revision reaches the older one."""
        target = self.commit(newer)
        if (older, target) not in self._answers:
            self._answers[older, target] = self._is_ancestor(older, target)
        return self._answers[older, target]

    def _is_ancestor(self, older: str, target: str) -> bool:
        if len(self._answers) < _SINGLE or all(tag.commit != older for tag in self.tags()):
            return self.repository.is_ancestor(older, target)
        if target not in self._reached:
            self._reached[target] = frozenset(tag.commit for tag in self.tags(target))
        return older in self._reached[target]

    def history(
        self, until: str = "HEAD", since: Sequence[str] = (), *, paths: Sequence[str] = (), excluded: Sequence[str] = (), files: bool = False
    ) -> Iterator[HistoryCommit]:  # fmt: skip
        """The commits of a range, the newest first; with the paths that each changes where `files` is true."""
        return self.repository.history(until, since, paths=paths, excluded=excluded, files=files)

    def files(self, revision: str = "HEAD") -> tuple[str, ...]:
        """The paths of all files."""
        if revision not in self._files:
            self._files[revision] = self.repository.files(revision)
        return self._files[revision]

    def read_files(self, paths: Sequence[str], revision: str, most: int) -> Mapping[str, bytes]:
        """Contents of files; those that are not there are left out."""
        return self.repository.read_files(paths, revision, most)

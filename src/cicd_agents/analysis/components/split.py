"""The commits of one pass over the history → the commits of each component since its own last release (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cicd_agents.analysis.components.ownership import Ownership
from cicd_agents.domain.release import HistoryCommit

# Of a merge in a component's history so many ways back are followed; more say nothing new about what it brought.
_MOST_PARENTS = 8


@dataclass(frozen=True, slots=True)
class Split:
    """The histories of the components in their order, and the commits since the last release of any of them that touch none; all in the order of the pass."""

    histories: tuple[tuple[HistoryCommit, ...], ...]
    strays: tuple[HistoryCommit, ...]


class Reach:
    """Which of some commits reach which commits of a pass. Linear in the commits, whatever the order in which clocks put them."""

    def __init__(self, commits: Sequence[HistoryCommit], starts: Iterable[str]) -> None:
        self._bits = {sha: 1 << place for place, sha in enumerate(dict.fromkeys(starts))}
        self._at = {commit.sha: index for index, commit in enumerate(commits)}
        self._commits = commits
        self.order = self._children_first()
        self._masks = [0] * len(commits)
        self._below: dict[str, int] = {}  # what the pass does not hold → the starts that reach it
        for index in self.order:
            commit = commits[index]
            mask = self._masks[index] = self._masks[index] | self._bits.get(commit.sha, 0)
            for parent in commit.parents if mask else ():
                if parent in self._at:
                    self._masks[self._at[parent]] |= mask
                else:
                    self._below[parent] = self._below.get(parent, 0) | mask

    def reaches(self, start: str, sha: str) -> bool:
        """Whether a start reaches a commit of the pass."""
        return bool(self._masks[self._at[sha]] & self._bits.get(start, 0))

    def any_reaches(self, sha: str) -> bool:
        """Whether any of the starts does."""
        return bool(self._masks[self._at[sha]])

    def all_reach(self, base: str) -> bool:
        """Whether all starts but the base itself reach the commit at which the pass ends: only then does the pass hold what is after each of them."""
        return all(sha == base or self._below.get(base, 0) & bit for sha, bit in self._bits.items())

    def _children_first(self) -> list[int]:
        waiting = [0] * len(self._commits)
        for commit in self._commits:
            for parent in commit.parents:
                if parent in self._at:
                    waiting[self._at[parent]] += 1
        ready = [index for index, count in enumerate(waiting) if not count]
        for index in ready:  # grows while it is read
            for parent in self._commits[index].parents:
                if parent in self._at:
                    waiting[self._at[parent]] -= 1
                    if not waiting[self._at[parent]]:
                        ready.append(self._at[parent])
        return ready


def split(commits: Sequence[HistoryCommit], ownership: Ownership, since: Sequence[str | None], reach: Reach) -> Split:
    """The histories of the components. `commits` have their files; `since` are the last releases, None where there is none.

    In a component's history a commit has those parents that its own history knows, so that a merge is known by what it brought.
    """
    histories: list[list[HistoryCommit]] = [[] for _ in ownership.parts]
    strays: list[HistoryCommit] = []
    for commit in commits:
        bare = replace(commit, files=None)
        owners = ownership.owners(commit.files or (), len(commit.parents) > 1)
        for index in owners:
            start = since[index]
            if start is None or not reach.reaches(start, commit.sha):
                histories[index].append(bare)
        if not owners and not reach.any_reaches(commit.sha):
            strays.append(bare)
    return Split(tuple(_joined(history, commits, reach.order) for history in histories), tuple(strays))


def _joined(history: list[HistoryCommit], commits: Sequence[HistoryCommit], order: Sequence[int]) -> tuple[HistoryCommit, ...]:
    """The history with parents that are in it; as it is where there is no merge, since then nobody asks for parents."""
    if len(history) == len(commits) or not any(len(commit.parents) > 1 for commit in history):
        return tuple(history)
    ours = {commit.sha for commit in history}
    nearest: dict[str, tuple[str, ...]] = {}
    for index in reversed(order):
        commit = commits[index]
        if commit.sha in ours:
            nearest[commit.sha] = (commit.sha,)
        else:
            found = dict.fromkeys(sha for parent in commit.parents for sha in nearest.get(parent, ()))
            nearest[commit.sha] = tuple(found)[:_MOST_PARENTS]
    return tuple(_with_parents(commit, nearest) for commit in history)


def _with_parents(commit: HistoryCommit, nearest: dict[str, tuple[str, ...]]) -> HistoryCommit:
    """What a merge brought of this history stands behind its first parent; a merge that brought nothing of it stays as it is."""
    first, *others = commit.parents or ("",)
    mainline = nearest.get(first) or (first,)
    brought = dict.fromkeys(sha for parent in others for sha in nearest.get(parent, ()) if sha not in mainline)
    return replace(commit, parents=tuple(filter(None, (mainline[0], *(brought or others)))))

"""Which commits of a range are taken back by others of it, however the revert names them: SHA, request or title."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cicd_agents.analysis.commits.reading import Withdraw
from cicd_agents.analysis.commits.references import request_of
from cicd_agents.analysis.commits.reverts import exact_pair, is_partial, is_revert, quoted_title, taken_back
from cicd_agents.domain.release import Change, HistoryCommit

_FULL_SHA = 40
# Each revert of a merge costs a walk of the range; so many are followed.
MAX_MERGES = 100


@dataclass(slots=True)
class Range:
    """The commits of a range, newest first, found by SHA (or the beginning of one), by request and by title; each index is built when it is needed."""

    commits: Sequence[HistoryCommit]
    by_sha: dict[str, int] = field(init=False)
    _sorted: list[str] = field(default_factory=list)
    _by_title: dict[str, list[int]] = field(default_factory=dict)
    _by_request: dict[str, list[int]] = field(default_factory=dict)
    _merges: int = 0

    def __post_init__(self) -> None:
        self.by_sha = {commit.sha: index for index, commit in enumerate(self.commits)}

    def find(self, name: str, before: int) -> int | None:
        """The commit that a SHA, the beginning of one (when it is of one commit only), or a request such as `#12` names; a request's commit is older."""
        if name[0] in "#!":
            return self._older(self._requests().get(name, ()), before)
        exact = self.by_sha.get(name)
        if exact is not None or len(name) >= _FULL_SHA:
            return exact
        self._sorted = self._sorted or sorted(self.by_sha)
        at = bisect_left(self._sorted, name)
        fits = [sha for sha in self._sorted[at : at + 2] if sha.startswith(name)]
        return self.by_sha[fits[0]] if len(fits) == 1 else None

    def titled(self, title: str, before: int) -> int | None:
        """The newest older commit with that title."""
        if not self._by_title:
            for index, commit in enumerate(self.commits):
                self._by_title.setdefault(_title(commit), []).append(index)
        return self._older(self._by_title.get(title, ()), before)

    def brought_by(self, index: int) -> list[int]:
        """The commits of the range that came in with a merge, without the merge."""
        first, *others = self.commits[index].parents or ("",)
        if not others or self._merges >= MAX_MERGES:
            return []
        self._merges += 1
        mainline = self._reachable([first], set())
        return sorted(self._reachable(others, mainline))

    def _reachable(self, heads: Sequence[str], without: set[int]) -> set[int]:
        seen: set[int] = set()
        open_ends = [self.by_sha[sha] for sha in heads if sha in self.by_sha]
        while open_ends:
            index = open_ends.pop()
            if index not in seen and index not in without:
                seen.add(index)
                open_ends.extend(self.by_sha[sha] for sha in self.commits[index].parents if sha in self.by_sha)
        return seen

    def _requests(self) -> dict[str, list[int]]:
        if not self._by_request:
            for index, commit in enumerate(self.commits):
                request = request_of(_title(commit))[1]
                if request:
                    self._by_request.setdefault(request, []).append(index)
        return self._by_request

    def _older(self, found: Sequence[int], before: int) -> int | None:
        return next((index for index in found if index > before), None)


def _title(commit: HistoryCommit) -> str:
    return commit.message.lstrip().partition("\n")[0].strip()


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The outcome: commit → the standing commit that takes it back; reverting commit → what it takes back; and for each revert the names not found."""

    by: dict[int, int]
    targets: dict[int, list[int]]
    unknown: dict[int, list[str]]


def withdrawn(within: Range, changes: Sequence[Sequence[Change]], how: Withdraw) -> Withdrawn:
    """Who takes back whom. `changes` are those of each commit of the range, empty for commits that are not read."""
    finder: Callable[[Range, int, Change], tuple[list[int], list[str]]] = _exactly if how is Withdraw.EXACT else _named
    targets: dict[int, list[int]] = {}
    unknown: dict[int, list[str]] = {}
    for index, told in enumerate(changes):
        for change in told if how is not Withdraw.NEVER else ():
            if not change.reverts and ((change.type and change.type != "revert") or not is_revert(change.type, change.subject)):
                continue
            found, missing = finder(within, index, change)
            if found:
                targets.setdefault(index, []).extend(found)
            if missing:
                unknown.setdefault(index, []).extend(missing)
    if how is Withdraw.EXACT:
        return Withdrawn({target: index for index, found in targets.items() for target in found}, targets, unknown)
    return Withdrawn(taken_back(targets), targets, unknown)


def _named(within: Range, index: int, change: Change) -> tuple[list[int], list[str]]:
    found: dict[int, None] = {}
    missing: list[str] = []
    for name in change.reverts:
        target = within.find(name, index)
        if target is None or target == index:
            missing.append(name)
            continue
        found[target] = None
        found.update(dict.fromkeys(within.brought_by(target)))
    if not change.reverts and not is_partial(change.subject):
        target = _by_title(within, index, change)
        if target is not None:
            found[target] = None
    found.pop(index, None)
    return list(found), missing


def _by_title(within: Range, index: int, change: Change) -> int | None:
    """`Revert "title"` without a SHA, or `revert: title`."""
    quoted = quoted_title(change.subject) or (change.subject if change.type == "revert" else None)
    return within.titled(quoted, index) if quoted else None


def _exactly(within: Range, index: int, _: Change) -> tuple[list[int], list[str]]:
    pair = exact_pair(within.commits[index].message)
    if pair is None:
        return [], []
    target = within.find(pair[1], index)
    if target is None or target == index or _title(within.commits[target]) != pair[0]:
        return [], [pair[1]]
    return [target], []

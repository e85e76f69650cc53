"""For each commit of a range: what it asks for, by which rule, and which line of its message decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from cicd_agents.analysis.commits.bump import RANK, Judge
from cicd_agents.analysis.commits.hints import hint_for_title, hint_for_type
from cicd_agents.analysis.commits.merges import is_merge_title
from cicd_agents.analysis.commits.message import changes_of
from cicd_agents.analysis.commits.own_releases import is_own_release
from cicd_agents.analysis.commits.reading import KNOWN_TYPES, Reading, Withdraw
from cicd_agents.analysis.commits.reverts import exact_pair, is_revert
from cicd_agents.analysis.commits.withdrawal import Range, Withdrawn, withdrawn
from cicd_agents.domain.release import Bump, Change, Decision, HistoryCommit

# A decision shows the line of the message that decided, cut here.
MAX_TEXT = 300
WITHDRAWN, REVERT_IN_RANGE = "withdrawn", "revert in this range"
_COUNTS_NOT = (WITHDRAWN, REVERT_IN_RANGE, "own release")


@dataclass(frozen=True, slots=True)
class Decided:
    """The changes that count, and one decision for each commit; both newest first."""

    changes: tuple[Change, ...]
    decisions: tuple[Decision, ...]


class _Asked(NamedTuple):
    """What one change of a commit asks for."""

    bump: Bump
    rule: str
    change: Change
    hint: str = ""


class _Read(NamedTuple):
    """A range as it was read: for each commit the decision that sets it aside or its changes; and who takes back whom."""

    aside: list[Decision | None]
    told: list[tuple[Change, ...]]
    taken: Withdrawn


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides by rules and reading; `released` as in `World`."""

    judge: Judge
    reading: Reading
    released: Callable[[str], bool] | None = None

    def decide(self, history: Sequence[HistoryCommit]) -> Decided:
        """One decision for each commit of the range, in its order (newest first)."""
        types = self._types()
        read = self._read(history, types, bodies=True)
        taken = read.taken
        decisions: list[Decision] = []
        changes: list[Change] = []
        for index, commit in enumerate(history):
            decision = read.aside[index] or self._decision(index, commit, read.told[index], taken, types)
            if index in taken.by:
                by = history[taken.by[index]].sha[:9]
                decision = Decision(commit.sha, Bump.NONE, WITHDRAWN, decision.text, f"{by} takes it back")
            decisions.append(decision)
            if decision.rule not in _COUNTS_NOT:
                changes.extend(read.told[index])
        return Decided(tuple(changes), tuple(decisions))

    def counted(self, history: Sequence[HistoryCommit]) -> tuple[Change, ...]:
        """The changes of `decide` without decisions, texts and footers, which take as long again; for a changelog, which shows none of them."""
        types = self._types()
        read = self._read(history, types, bodies=False)
        changes: list[Change] = []
        for index, told in enumerate(read.told):
            if index in read.taken.by or (len(told) == 1 and is_own_release(told[0])):
                continue
            if index not in read.taken.targets or self._decision(index, history[index], told, read.taken, types).rule not in _COUNTS_NOT:
                changes.extend(told)
        return tuple(changes)

    def _read(self, history: Sequence[HistoryCommit], types: frozenset[str], bodies: bool) -> _Read:
        within = Range(history)
        rules, reading = self.judge.rules, self.reading
        every_one = bool(rules.path or rules.excluded or rules.ignored)
        aside = [self._set_aside(commit, within) if every_one or len(commit.parents) > 1 else None for commit in history]
        told = [() if left_out else changes_of(commit, reading, types, bodies) for commit, left_out in zip(history, aside, strict=True)]
        return _Read(aside, told, withdrawn(within, told, reading.withdraw))

    def _types(self) -> frozenset[str]:
        """What may begin a change inside of a body: the known types, and those that the rules name."""
        return KNOWN_TYPES | {rule.type for rule in self.judge.rules.types if rule.type.replace("-", "").isalnum()}

    def _set_aside(self, commit: HistoryCommit, within: Range) -> Decision | None:
        """The decision on a commit whose message does not count; None for all others."""
        rules = self.judge.rules
        if (rules.path or rules.excluded) and commit.files is not None and not touches(commit.files, rules.path, rules.excluded):
            return Decision(commit.sha, Bump.NONE, "other path", _line(commit.message, 1))
        if rules.ignored:
            title = _line(commit.message, 1)
            if any(commit.sha.startswith(pattern) or fnmatchcase(title, pattern) for pattern in rules.ignored if pattern):
                return Decision(commit.sha, Bump.NONE, "ignored", title)
        if len(commit.parents) > 1 and not self.reading.every_line and any(sha in within.by_sha for sha in commit.parents[1:]):
            title = _line(commit.message, 1)
            if is_merge_title(title):
                return Decision(commit.sha, Bump.NONE, "merge", title, "its commits are counted themselves")
        return None

    def _decision(self, index: int, commit: HistoryCommit, changes: tuple[Change, ...], taken: Withdrawn, types: frozenset[str]) -> Decision:
        if len(changes) == 1 and is_own_release(changes[0]):
            return Decision(commit.sha, Bump.NONE, "own release", _line(commit.message, 1))
        best = self._asked(index, commit, changes[0], taken)
        for change in changes[1:]:
            asked = self._asked(index, commit, change, taken)
            if RANK[asked.bump] > RANK[best.bump]:
                best = asked
        hint = best.hint or (self._hint(best, types) if best.bump is Bump.NONE else "")
        return Decision(commit.sha, best.bump, best.rule, _deciding_line(commit.message, best), hint)

    def _asked(self, index: int, commit: HistoryCommit, change: Change, taken: Withdrawn) -> _Asked:
        bump, rule = self.judge.bump(change)
        if rule.startswith("breaking") or not is_revert(change.type, change.subject):
            return _Asked(bump, rule, change)
        if index in taken.targets and index not in taken.unknown:
            return _Asked(Bump.NONE, REVERT_IN_RANGE, change)
        reverted, hint = self._reverted(index, commit, change, taken)
        if reverted and RANK[self.judge.rules.reverts] > RANK[bump]:
            return _Asked(self.judge.rules.reverts, "revert", change)
        return _Asked(bump, rule, change, hint)

    def _reverted(self, index: int, commit: HistoryCommit, change: Change, taken: Withdrawn) -> tuple[bool, str]:
        """Whether a revert takes back something that was released before, and a hint where that cannot be said."""
        if self.reading.withdraw is Withdraw.EXACT:
            return exact_pair(commit.message) is not None, ""
        names = taken.unknown.get(index, change.reverts)
        if not names:
            return False, "it names no commit that it takes back"
        if self.released is None or any(map(self.released, names)):
            return True, ""
        return False, "what it takes back is neither in this range nor released before"

    def _hint(self, asked: _Asked, types: frozenset[str]) -> str:
        if not asked.change.type:
            return hint_for_title(asked.change.subject, types)
        return hint_for_type(asked.change.type, types) if asked.rule == "other type" else ""


def touches(files: Sequence[str], path: str, excluded: Sequence[str]) -> bool:
    """Whether one of the files belongs to a component: below its path, and below none of the excluded ones. The root takes commits without files too."""
    root = _folder(path)
    without = tuple(map(_folder, excluded))
    if not files:
        return not root
    return any(file.startswith(root) and not (without and f"{file}/".startswith(without)) for file in files)


def _folder(path: str) -> str:
    trimmed = path.strip().removeprefix("./").strip("/")
    return f"{trimmed}/" if trimmed and trimmed != "." else ""


def _deciding_line(message: str, asked: _Asked) -> str:
    change = asked.change
    if asked.rule.startswith("breaking") and change.note != change.subject:
        return f"BREAKING CHANGE: {change.note}".partition("\n")[0][:MAX_TEXT]
    return _line(message, change.line)


def _line(message: str, number: int) -> str:
    """A line of the message, counted from 1; the first one that is not blank for 1."""
    if number == 1:
        return message.lstrip().partition("\n")[0][:MAX_TEXT].rstrip()
    lines = message.split("\n", number)
    return lines[min(number, len(lines)) - 1][:MAX_TEXT].strip()

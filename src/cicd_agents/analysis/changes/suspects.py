"""The commits that may have broken the build, each with the reasons why (pure). Where no clue points to a commit, there is no suspect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cicd_agents.analysis.changes.clues import Clue, FailureFacts, clues_of, facts_of
from cicd_agents.domain.ci import Commit, Comparison
from cicd_agents.domain.doctor import PackageChange, Suspect

__all__ = ["FailureFacts", "facts_of", "suspects"]

MAX_SUSPECTS = 5
MAX_REASONS = 3
# Bounds for what a platform may send.
MAX_FILES = 3000
MAX_COMMITS = 1000
MAX_SUBJECT = 200


def suspects(failure: FailureFacts, comparison: Comparison, packages: Sequence[PackageChange]) -> tuple[Suspect, ...]:
    """At most 5, the best first. A commit whose files are not known is suspected only where it is the only one.

    Commits come oldest first; of equals the newer one stands first.
    """
    commits = comparison.commits[-MAX_COMMITS:]
    previous = {change.path: change.previous_path for change in comparison.files if change.previous_path}
    tied: dict[str, list[_Tie]] = {}
    for clue in clues_of(failure, comparison.files[:MAX_FILES], packages):
        touching = _touching(commits, {clue.path, previous.get(clue.path, clue.path)}, comparison.complete)
        alone = len(touching) == 1 and comparison.complete and (len(commits) == 1 or all(commit.files is not None for commit in commits))
        for commit in touching:
            tied.setdefault(commit.sha, []).append(_Tie(clue, clue.alone if alone else clue.shared))
    age = {commit.sha: (commit.time if commit.time is not None else 0.0, number) for number, commit in enumerate(commits)}
    ranked = sorted(((_score(ties), age[commit.sha], commit) for commit in commits if (ties := tied.get(commit.sha))), key=lambda item: item[:2], reverse=True)
    return tuple(_suspect(commit, tied[commit.sha]) for _, _, commit in ranked[:MAX_SUSPECTS])


@dataclass(frozen=True, slots=True)
class _Tie:
    """A clue that points to a commit, with the words for it."""

    clue: Clue
    reason: str


def _touching(commits: Sequence[Commit], paths: set[str], complete: bool) -> list[Commit]:
    if len(commits) == 1 and complete and commits[0].files is None:
        return list(commits)
    return [commit for commit in commits if commit.files and not paths.isdisjoint(commit.files)]


def _score(ties: Sequence[_Tie]) -> float:
    """The best clue decides; further kinds of clue count a little."""
    weights = sorted({tie.clue.rule: tie.clue.weight for tie in ties}.values(), reverse=True)
    return weights[0] + sum(weights[1:]) / 100


def _suspect(commit: Commit, ties: Sequence[_Tie]) -> Suspect:
    subject = " ".join(commit.subject.split("\n", 1)[0].split())[:MAX_SUBJECT]
    return Suspect(commit.sha, subject, commit.author[:MAX_SUBJECT], tuple(_reasons(ties)), commit.url)


def _reasons(ties: Sequence[_Tie]) -> Iterator[str]:
    """The weightiest reasons: one of each kind (packages apart), and none that says of a file less than another one does."""
    given: list[_Tie] = []
    for tie in sorted(ties, key=lambda tie: -tie.clue.weight):
        repeated = any(tie.clue.path == other.clue.path or tie.clue.rule == other.clue.rule for other in given)
        if tie.clue.rule in {"package", "installed package"} or not repeated:
            given.append(tie)
    return (tie.reason for tie in given[:MAX_REASONS])

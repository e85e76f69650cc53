"""What a model is shown of a planned release: the version and why, what breaks, the changelog, the commits, the diffs of what breaks. Writes nothing.

The same commits and rules make the same dossier: nothing of the clock, of the run or of the forge stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from cicd_agents.agents.dossier_shelf import Shelf
from cicd_agents.agents.evidence_lines import diff_lines, text_lines
from cicd_agents.agents.release_manager import AGENT, Planned
from cicd_agents.analysis.changelog.section import Release, changelog_section
from cicd_agents.analysis.changelog.style import Style
from cicd_agents.analysis.changes.lockfiles import is_lock_file
from cicd_agents.domain.advice import Archive, Dossier, DossierKind
from cicd_agents.domain.git import FileDiff
from cicd_agents.domain.redaction import Redactor
from cicd_agents.domain.release import Change, Decision, HistoryCommit, ReleaseRules
from cicd_agents.domain.verdict import ReleaseVerdict

QUESTION = (
    "What does this release bring to those who use the software? Write a title and the highlights and, where changes break something, a guide for those who "
    "upgrade. Does a change look breaking that is not marked as such? Then that is the concern."
)
MOST_COMMITS, MOST_DIFFS = 50, 24
_OF_ONE_COMMIT = 8  # diffs
_MOST_PLANS, _MOST_BREAKING, _MOST_ENTRIES = 8, 40, 300
_NOTE_LINES, _SHOWN = 12, slice(200)
_ID = 10
# Words of a commit that may break something without being marked so.
_TELLING = re.compile(r"\b(?:remov|delet|drop|renam|replac|incompatib|no longer|migrat|requir)", re.IGNORECASE)
_SAID = 2000  # characters of a message in which they are looked for
# What is read after everything else: it follows the change, and tells the least of what users must do.
_BESIDE = re.compile(r"(?:^|/)(?:tests?|specs?|__tests__|fixtures|testdata|vendor|third_party|dist|\.github)/|[._](?:test|spec)\.|(?:^|/)(?:test_|CHANGELOG)")


class CommitDiffs(Protocol):
    """What commits changed, read from this machine."""

    def paths(self, sha: str) -> tuple[str, ...] | None:
        """The paths that a commit changes; None where that cannot be told."""
        ...

    def diff(self, sha: str, path: str) -> FileDiff | None:
        """The diff of one of them; None where it cannot be told."""
        ...


@dataclass(frozen=True, slots=True)
class ReleaseDossiers:
    """Makes dossiers of releases. `styled` gives the form of the changelog for the rules."""

    styled: Callable[[ReleaseRules], Style]
    diffs: CommitDiffs
    redactor: Redactor

    def made(self, verdict: ReleaseVerdict, plans: Sequence[Planned]) -> tuple[Dossier, Archive]:
        """The dossier of the plans that are released, and all that may be read beyond what it shows."""
        plans = plans[:_MOST_PLANS]
        changes = tuple(dict.fromkeys(change for planned in plans for change in planned.plan.changes))
        commits = _commits(plans, changes)
        looked = _looked_at(changes, commits)
        diffs = tuple(islice(self._diffs(looked), MOST_DIFFS))
        shelf = Shelf(self.redactor, _NoLogs())
        shelf.add(DossierKind.TABLE, "plan", "the plan", [*_plan(verdict, plans), *_told(changes, commits, looked, diffs)])
        breaking = [self._clean(change) for change in changes if change.breaking][:_MOST_BREAKING]
        if breaking:
            marked = [line for change in breaking for line in _breaking(change)]
            shelf.add(DossierKind.TABLE, "breaking", "what is marked as breaking, with the footers", marked, shown=_SHOWN)
        for planned in plans:
            self._add_changelog(shelf, planned)
        self._add_commits(shelf, commits, plans)
        for sha, found in diffs:
            lines = diff_lines(found.text, self.redactor, whole=found.whole)
            shelf.put(DossierKind.DIFF, f"{sha}:{found.path}", f"{found.path}, {_fate(found.text)} in {sha}", lines, shown=_SHOWN)
        return Dossier(AGENT, QUESTION, f"{verdict.outcome}, a {verdict.details.bump} release", tuple(shelf.items)), shelf

    def _add_changelog(self, shelf: Shelf, planned: Planned) -> None:
        """Without links and date: neither says anything about the release."""
        changes = tuple(map(self._clean, planned.plan.changes[:_MOST_ENTRIES]))
        if changes:
            section = changelog_section(Release(planned.plan.next_version, changes), self.styled(planned.scene.rules))
            name = _name(planned)
            title = f"the changelog's section{f' of {name}' if name else ''}"
            shelf.put(DossierKind.TABLE, f"changelog{f' of {name}' if name else ''}", title, text_lines(section, self.redactor), shown=_SHOWN)

    def _add_commits(self, shelf: Shelf, commits: Sequence[HistoryCommit], plans: Sequence[Planned]) -> None:
        decisions = {decision.sha: decision for planned in reversed(plans) for decision in planned.plan.decisions}
        for commit in commits:
            sha = commit.sha[:_ID]
            title = f"commit {sha}{_counted(decisions.get(commit.sha))}"
            shelf.put(DossierKind.COMMIT, sha, title, text_lines(commit.message, self.redactor), shown=_SHOWN)

    def _clean(self, change: Change) -> Change:
        """The change without secrets in its texts: what is made of them breaks and indents their lines."""
        scope = None if change.scope is None else self._redact(change.scope)
        return replace(change, scope=scope, subject=self._redact(change.subject), note=self._redact(change.note), body=self._redact(change.body))

    def _redact(self, text: str) -> str:
        return self.redactor.redact(text).text

    def _diffs(self, commits: Sequence[HistoryCommit]) -> Iterator[tuple[str, FileDiff]]:
        """The diffs of the commits that hold text, up to the first that cannot be read: what follows would take as long to fail."""
        for commit in commits:
            paths = self.diffs.paths(commit.sha)
            if paths is None:
                return
            for path in _worth(paths)[:_OF_ONE_COMMIT]:
                found = self.diffs.diff(commit.sha, path)
                if found is None:
                    return
                if "\n@@" in found.text:
                    yield commit.sha[:_ID], found


class _NoLogs:
    """No logs belong to a release."""

    def lines(self, name: str, first: int, last: int) -> tuple[str, ...] | None:
        """There are none."""

    def count(self, name: str) -> int | None:
        """There are none."""


def _commits(plans: Sequence[Planned], changes: Sequence[Change]) -> tuple[HistoryCommit, ...]:
    """The commits that are shown: those of breaking changes first, then the newest."""
    known = {commit.sha: commit for planned in plans for commit in planned.history}
    order = dict.fromkeys([*(change.sha for change in changes if change.breaking), *(change.sha for change in changes)])
    return tuple(known[sha] for sha in order if sha in known)[:MOST_COMMITS]


def _looked_at(changes: Sequence[Change], commits: Sequence[HistoryCommit]) -> tuple[HistoryCommit, ...]:
    """The commits whose diffs are read: those that break something, then those whose words say that they might."""
    marked = {change.sha for change in changes if change.breaking}
    likely = [commit for commit in commits if commit.sha not in marked and _TELLING.search(commit.message[:_SAID])]
    return (*(commit for commit in commits if commit.sha in marked), *likely)


def _plan(verdict: ReleaseVerdict, plans: Sequence[Planned]) -> Iterator[str]:
    for planned in plans:
        plan, name = planned.plan, _name(planned)
        begin = f"{name}: " if name else ""
        yield f"{begin}{plan.current_version or 'first release'} → {plan.next_version} ({plan.bump}), since {plan.previous_tag or 'the first commit'}"
        yield f"{begin}why: {plan.reason}"
    yield f"in all: {verdict.summary}"


def _told(changes: Sequence[Change], commits: Sequence[HistoryCommit], looked: Sequence[HistoryCommit], diffs: Sequence[object]) -> Iterator[str]:
    """What stands in the dossier, and what does not."""
    counted = len({change.sha for change in changes})
    yield f"{counted} commits count; {len(commits)} of them stand here, those that break something first, then the newest"
    if not looked:
        yield "no diffs stand here: no commit is marked as breaking or sounds so"
    elif diffs:
        yield f"{len(diffs)} diffs stand here, at most {_OF_ONE_COMMIT} of a commit and {MOST_DIFFS} in all"
    else:
        yield "no diffs stand here: they could not be read, or hold no text"


def _breaking(change: Change) -> Iterator[str]:
    scope = f"{change.scope}: " if change.scope else ""
    yield f"{change.sha[:_ID]} {scope}{change.subject}"
    yield from (f"  {line}" for line in change.note.split("\n")[:_NOTE_LINES] if line.strip())


def _counted(decision: Decision | None) -> str:
    return f", counts as {decision.bump} ({decision.rule})" if decision else ""


def _name(planned: Planned) -> str:
    part = planned.scene.component
    return (part.name or part.path) if part and len(planned.scene.config.components) > 1 else ""


def _worth(paths: Sequence[str]) -> list[str]:
    """The paths whose diffs tell the most, in the order of git otherwise; no lock files."""
    return sorted((path for path in paths if not is_lock_file(path)), key=lambda path: bool(_BESIDE.search(path)))


def _fate(text: str) -> str:
    """What the head of a diff says that became of the file."""
    head = text[: max(text.find("\n@@"), 0)]
    if "\nnew file mode " in head:
        return "new"
    return "deleted" if "\ndeleted file mode " in head else "changed"

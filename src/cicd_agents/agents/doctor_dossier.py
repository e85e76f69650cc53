"""What a model is shown of a failed run: the question in our words, and what the doctor gathered anyway, redacted and bounded (pure).

The same evidence gives the same dossier: no times, durations or numbers of runs of our own stand in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from cicd_agents.agents.doctor_log_windows import Anchor, windows
from cicd_agents.agents.dossier_shelf import Logs, Shelf
from cicd_agents.agents.evidence_lines import diff_lines
from cicd_agents.analysis.changes.lockfiles import is_lock_file
from cicd_agents.domain.advice import Archive, Candidate, Dossier, DossierKind
from cicd_agents.domain.ci import Comparison, FileChange
from cicd_agents.domain.doctor import DoctorDetails, Flaky, JobFailure, Suspect
from cicd_agents.domain.finding import Evidence, Finding, Location
from cicd_agents.domain.redaction import Redactor
from cicd_agents.domain.verdict import Outcome, Verdict
from cicd_agents.report.paths import in_repository
from cicd_agents.report.wording import package, passed

_CANDIDATES, _FURTHER, _OTHER_LOGS, _FINDINGS, _SUSPECTS, _DIFFS, _SOURCES = 3, 4, 4, 5, 5, 12, 3
_SHOWN_OF_DIFF, _AROUND_PLACE = 300, 100
_MOST_ROWS = 40
_GENERIC = "generic"
_EXPLAIN = (
    " Explain in plain words what broke, where and why, in this code, from the first cause to the line that ended the run. "
    "Suggest the smallest patch of the sources that you were shown, where they show enough of it; else say what to look at."
)
_KNOWN = "A CI run failed. Rules found the cause: the first candidate." + _EXPLAIN
_UNKNOWN = (
    "A CI run failed, and the rules are not sure of the cause. Read the best three candidates with the lines around them, and say which of them is the "
    "cause, or that none is, and why; the cause may stand in lines that you can ask for." + _EXPLAIN
)
_FLAKY = (
    " The failure comes and goes on unchanged code. Say in the strategy what makes it do so (timing, a race, the order of tests or an external service), "
    "and what to do against it: wait, mock, isolate or raise the limit."
)
_TRANSIENT = " Failures of this kind often pass on a second try; where this one comes and goes, say in the strategy why, and what to do against it."
_OTHERS = " Other jobs of the run failed too: say whether for the same reason."


class Sources(Protocol):
    """Source files of the checkout."""

    def read(self, path: str) -> tuple[str, ...] | None:
        """The lines of a file; None where there is none that may be read."""
        ...


@dataclass(frozen=True, slots=True)
class FailedLog:
    """A failed job, or a log on its own: what people call it, under which name its log is kept, and what the doctor says of it."""

    name: str
    log: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was gathered: `verdict` is the run's, `main` the log that explains it, `others` further failed ones; `comparison` what changed."""

    verdict: Verdict
    main: FailedLog
    others: tuple[FailedLog, ...]
    logs: Logs
    sources: Sources
    redactor: Redactor
    comparison: Comparison | None = None
    repository: str = ""


def dossier_of(gathered: Gathered) -> tuple[Dossier, Archive]:
    """The dossier, and where its items can be read on."""
    shelf = Shelf(gathered.redactor, gathered.logs)
    details = gathered.verdict.details
    candidates = _main_log(shelf, gathered)
    for number, finding in enumerate(gathered.verdict.findings[:_FINDINGS], 1):
        shelf.add(DossierKind.FINDING, str(number), finding.title, list(_finding(finding)))
    candidates = candidates or _without_lines(shelf, details, gathered.verdict)
    _sources(shelf, gathered)
    _other_logs(shelf, gathered)
    _changes(shelf, gathered)
    _elsewhere(shelf, details)
    return Dossier(gathered.verdict.agent, _question(gathered.verdict), _told(gathered.verdict), tuple(shelf.items), tuple(candidates)), shelf


def _question(verdict: Verdict) -> str:
    details = verdict.details
    comes_and_goes = _FLAKY if details.flaky.verdict == "yes" else _TRANSIENT if details.transient else ""
    return (_KNOWN if _known(verdict) else _UNKNOWN) + comes_and_goes + (_OTHERS if details.other_jobs else "")


def _known(verdict: Verdict) -> bool:
    """Whether a rule knows the message: the generic ones only say that a line speaks of trouble."""
    return verdict.outcome is Outcome.FAIL and (verdict.details.signature or _GENERIC).partition(".")[0] != _GENERIC


def _told(verdict: Verdict) -> str:
    """The verdict in words of ours alone."""
    details = verdict.details
    return f"{verdict.outcome}; category {details.category or 'unknown'}, phase {details.phase or 'unknown'}, confidence {details.confidence:.0%}"


# Logs


def _main_log(shelf: Shelf, gathered: Gathered) -> list[Candidate]:
    """The windows of the log that explains the failure; the candidates that stand in them."""
    main, excerpt = gathered.main, gathered.verdict.details.excerpt
    total = gathered.logs.count(main.log)
    if total:
        for order, (first, last) in enumerate(windows(list(_anchors(gathered.verdict, total)), total)):
            shelf.add_log(f"{main.name}:{first}" if order else main.name, f"log of {main.name}", main.log, first, last)
    elif excerpt:
        shelf.add(DossierKind.LOG, main.name, f"excerpt from the log of {main.name}", excerpt.lines, first=excerpt.first)
    return list(_candidates(shelf, gathered.verdict))


def _anchors(verdict: Verdict, total: int) -> Iterator[Anchor]:
    details = verdict.details
    wide = not _known(verdict)
    if details.root_cause:
        yield Anchor(details.root_cause.line, 80, 60)
    for candidate in details.candidates[:_CANDIDATES]:
        yield Anchor(candidate.line, 60 if wide else 25, 40 if wide else 15)
    for failure in details.further_failures[:_FURTHER]:
        yield Anchor(failure.line, 25, 15)
    yield Anchor(total, 25 if details.root_cause else 100, 0)


def _candidates(shelf: Shelf, verdict: Verdict) -> Iterator[Candidate]:
    """The engine's best three, the root cause first, each where it stands in what is shown. Called before anything else is put there."""
    root = verdict.details.root_cause
    best = {root.line: verdict.details.signature} if root else {}
    for found in verdict.details.candidates:
        best.setdefault(found.line, found.signature)
    taken = set[str]()
    for line, signature in list(best.items())[:_CANDIDATES]:
        item = next((item for item in shelf.items if item.first <= line <= item.last), None)
        if item is None:
            continue
        name = shelf.name(signature or "line")
        name = name if signature and name not in taken else f"{name}:{line}"
        taken.add(name)
        text = verdict.title if root and line == root.line else item.lines[line - item.first].strip()
        yield Candidate(name, shelf.name(text, 160), item.id, line)


def _without_lines(shelf: Shelf, details: DoctorDetails, verdict: Verdict) -> list[Candidate]:
    """What the platform alone knows has no line in a log: the finding is the candidate."""
    finding = next((item for item in shelf.items if item.kind is DossierKind.FINDING), None)
    return [Candidate(shelf.name(details.signature), shelf.name(verdict.title, 160), finding.id)] if finding and details.signature else []


def _other_logs(shelf: Shelf, gathered: Gathered) -> None:
    """What else failed, and the lines around those failures that are not the same one."""
    others = gathered.verdict.details.other_jobs
    if others:
        shelf.add(DossierKind.TABLE, "jobs", "other failed jobs", [_job(job) for job in others[:_MOST_ROWS]])
    main = gathered.verdict.details.fingerprint
    differ = [other for other in gathered.others if not main or other.verdict.details.fingerprint != main]
    for other in differ[:_OTHER_LOGS]:
        total, root = gathered.logs.count(other.log), other.verdict.details.root_cause
        if total:
            [(first, last)] = windows([Anchor(root.line, 30, 25) if root else Anchor(total, 40, 0)], total)
            shelf.add_log(other.name, f"log of {other.name}", other.log, first, last)


def _job(job: JobFailure) -> str:
    if job.same:
        return f"{job.job}: the same failure"
    return f"{job.job}: {job.title}" + (f", line {job.line}: {job.text.strip()}" if job.line else "")


# What the engine says


def _finding(finding: Finding) -> Iterator[str]:
    yield finding.title
    yield f"rule {finding.id}, {finding.severity}, confidence {finding.confidence:.0%}"
    if finding.location:
        yield f"place {finding.location.path}" + (f" line {finding.location.line}" if finding.location.line else "")
    yield from map(_proof, finding.evidence)
    yield from (f"known fix ({fix.kind}): {fix.title}" for fix in finding.fixes)


def _proof(item: Evidence) -> str:
    """Without addresses: they hold the numbers of runs."""
    return f"log line {item.where}: {item.text}" if item.kind == "log-line" else f"{item.kind}: {item.text}"


# The code


def _sources(shelf: Shelf, gathered: Gathered) -> None:
    """The sources around the places that the failures point to, as they lie in the checkout."""
    details = gathered.verdict.details
    roots = (details.root_cause, *details.further_failures, *(other.verdict.details.root_cause for other in gathered.others))
    found = [root.location for root in roots if root and root.location] + [item.location for item in gathered.verdict.findings[:1] if item.location]
    places: dict[str, Location] = {}
    for place in found:
        if path := in_repository(place.path, gathered.repository):
            places.setdefault(path, place)
    for path, place in list(places.items())[:_SOURCES]:
        if lines := gathered.sources.read(path):
            line = place.line or 1
            shown = slice(max(0, line - 1 - _AROUND_PLACE), line - 1 + _AROUND_PLACE)
            shelf.add(DossierKind.SOURCE, path, f"{path} as it is checked out here, maybe at another commit", lines, shown=shown)


def _changes(shelf: Shelf, gathered: Gathered) -> None:
    changes, comparison = gathered.verdict.details.changes, gathered.comparison
    if changes is None or comparison is None:
        return
    files = {commit.sha: commit.files or () for commit in comparison.commits}
    for suspect in changes.suspects[:_SUSPECTS]:
        shelf.add(DossierKind.COMMIT, suspect.sha[:10], "a commit that may have to do with it", list(_commit(suspect, files.get(suspect.sha, ()))))
    suspected = {path for suspect in changes.suspects for path in files.get(suspect.sha, ())}
    for change in _by_weight(comparison, gathered, suspected)[:_DIFFS]:
        lines = diff_lines(change.patch or "", gathered.redactor, whole=True)
        shelf.add(DossierKind.DIFF, change.path, f"{change.path}, {change.status} since the last good run", lines, shown=slice(_SHOWN_OF_DIFF))
    shelf.add(DossierKind.TABLE, "changes", "what changed since the last good run", list(_rows(comparison)))
    if changes.packages:
        rows = [f"{package(change)} in {change.file}" for change in changes.packages[:_MOST_ROWS]]
        shelf.add(DossierKind.TABLE, "packages", "dependencies whose locked version changed since the last good run", rows)


def _commit(suspect: Suspect, files: Sequence[str]) -> Iterator[str]:
    yield suspect.subject
    yield from (f"suspected: {reason}" for reason in suspect.reasons)
    yield from (f"changes {path}" for path in files[:_MOST_ROWS])


def _by_weight(comparison: Comparison, gathered: Gathered, suspected: set[str]) -> list[FileChange]:
    """The files whose diff is known: the failing one first, then those of suspects. Lock files are long, and stand in the table of packages."""
    root = gathered.verdict.details.root_cause
    failing = in_repository(root.location.path, gathered.repository) if root and root.location else None
    known = [change for change in comparison.files if change.patch and not is_lock_file(change.path)]
    return sorted(known, key=lambda change: (change.path != failing, change.path not in suspected))


def _rows(comparison: Comparison) -> Iterator[str]:
    yield from (f"commit {commit.sha[:10]} {commit.subject}" for commit in comparison.commits[-_MOST_ROWS:])
    yield from (f"{change.status} {change.path}" for change in comparison.files[:_MOST_ROWS])
    if not comparison.complete or len(comparison.files) > _MOST_ROWS or len(comparison.commits) > _MOST_ROWS:
        yield "there is more that is not named here"


# Other runs


def _elsewhere(shelf: Shelf, details: DoctorDetails) -> None:
    if details.flaky != Flaky():
        rows = [f"flaky: {details.flaky.verdict}", details.flaky.reason, passed(details.flaky), *map(_proof, details.flaky.evidence)]
        shelf.add(DossierKind.TABLE, "flaky", "whether the failure comes and goes", [row for row in rows if row])
    if details.similar:
        seen = details.similar
        rows = [f"The same failure was seen in {seen.count} earlier runs.", f"First at {seen.first_seen}, last at {seen.last_seen}."]
        shelf.add(DossierKind.PAST, "same", "the same failure earlier", [*rows, *(f"on branch {branch}" for branch in seen.branches[:_MOST_ROWS])])

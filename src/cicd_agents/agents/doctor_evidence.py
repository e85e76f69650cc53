"""What the doctor gathers beside the log: the last good run, what changed since, other runs, memory. Each part may be missing; then a note says why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cicd_agents.analysis.changes.clues import FailureFacts, facts_of
from cicd_agents.analysis.changes.lockfiles import compared, is_lock_file
from cicd_agents.analysis.changes.report import changes_of
from cicd_agents.domain.ci import Annotation, Commit, Comparison, Job, JobResult, Run
from cicd_agents.domain.doctor import Changes, Failure, PackageChange, Similar
from cicd_agents.domain.errors import ServiceError
from cicd_agents.domain.history import RerunRecord, Sightings
from cicd_agents.domain.ports import CIServer, History, Repository

# Each commit and each lock file costs a call or two.
MAX_COMMITS = 20
MAX_LOCK_FILES = 6
MAX_LOCK_BYTES = 8 << 20
RUNS_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Since:
    """What changed since the last good run: in the report's words, and as it was gathered, with the commits' files and the diffs."""

    changes: Changes
    comparison: Comparison


@dataclass(slots=True)
class Notes:
    """Remarks on evidence that is missing, each once."""

    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Remember a remark."""
        if text not in self.texts:
            self.texts.append(text)


def annotations_of(ci: CIServer, job: Job, notes: Notes) -> tuple[Annotation, ...]:
    """What the platform attached to the job; nothing where it may not be read."""
    try:
        return ci.annotations(job)
    except ServiceError as problem:
        notes.add(f"Annotations were not read: {problem}")
        return ()


def last_success(ci: CIServer, run: Run, notes: Notes) -> Run | None:
    """The last good run of the same workflow."""
    try:
        return ci.last_success(run)
    except ServiceError as problem:
        notes.add(f"The last good run was not found: {problem}")
        return None


def jobs_of(ci: CIServer, run: Run, notes: Notes) -> tuple[Job, ...]:
    """The jobs of a run that serves for comparison."""
    try:
        return ci.jobs(run.ref)
    except ServiceError as problem:
        notes.add(f"The jobs of the last good run were not read: {problem}")
        return ()


def changes_since(repository: Repository, good: Run, run: Run, failure: Failure | None, notes: Notes) -> Since | None:
    """What changed from the last good run to this one, and the commits that may have to do with the failure; None where nothing did or may be read."""
    if not good.sha or not run.sha or good.sha == run.sha:
        return None
    try:
        comparison = repository.compare(good.sha, run.sha)
    except ServiceError as problem:
        notes.add(f"What changed since the last good run was not read: {problem}")
        return None
    comparison = replace(comparison, commits=tuple(_with_files(repository, comparison.commits, notes)))
    facts = facts_of(failure) if failure else FailureFacts()
    return Since(changes_of(comparison, _packages(repository, comparison, notes), facts, good_url=good.url), comparison)


def _with_files(repository: Repository, commits: Sequence[Commit], notes: Notes) -> Iterator[Commit]:
    """The newest commits with their files, the others as they are."""
    asked = {commit.sha for commit in commits[-MAX_COMMITS:]}
    failed = False
    for commit in commits:
        if commit.files is None and commit.sha in asked and not failed:
            try:
                commit = repository.commit(commit.sha)  # noqa: PLW2901 the same commit, with more known of it
            except ServiceError as problem:
                failed = True
                notes.add(f"The files of commits were not read: {problem}")
        yield commit


def _packages(repository: Repository, comparison: Comparison, notes: Notes) -> tuple[PackageChange, ...]:
    found: list[PackageChange] = []
    locks = [change for change in comparison.files if is_lock_file(change.path)]
    if len(locks) > MAX_LOCK_FILES:
        notes.add(f"Of {len(locks)} changed lock files {MAX_LOCK_FILES} were read.")
    for change in locks[:MAX_LOCK_FILES]:
        try:
            old = None if change.status == "added" else repository.read_file(change.previous_path or change.path, comparison.base, MAX_LOCK_BYTES)
            new = None if change.status == "removed" else repository.read_file(change.path, comparison.head, MAX_LOCK_BYTES)
        except ServiceError as problem:
            notes.add(f"{change.path} was not compared: {problem}")
            continue
        difference = compared(change.path, old, new)
        found.extend(difference.changes)
        if difference.note:
            notes.add(difference.note)
    return tuple(found)


def results_on_commit(ci: CIServer, run: Run, job: Job, notes: Notes) -> tuple[JobResult, ...]:
    """How the job ended before on the same commit."""
    try:
        return ci.results_on_commit(run, job)
    except ServiceError as problem:
        notes.add(f"Other runs of the commit were not read: {problem}")
        return ()


def results_on_branch(ci: CIServer, run: Run, branch: str, notes: Notes) -> tuple[JobResult, ...]:
    """How the newest runs of the workflow on the branch ended."""
    if not branch:
        return ()
    try:
        return ci.results_on_branch(run, branch, RUNS_LOOKED_AT)
    except ServiceError as problem:
        notes.add(f"Earlier runs on {branch} were not read: {problem}")
        return ()


def sightings(history: History | None, repository: str, fingerprint: str, run: Run, notes: Notes) -> Sightings | None:
    """Where the failure was seen in other runs."""
    if history is None or not fingerprint:
        return None
    try:
        return history.sightings(repository, fingerprint, other_than=run.ref.id)
    except ServiceError as problem:
        notes.add(f"The memory was not read: {problem}")
        return None


def reruns(history: History | None, repository: str, signature: str | None, notes: Notes) -> RerunRecord | None:
    """How re-runs for the signature went."""
    if history is None or signature is None:
        return None
    try:
        return history.rerun_record(repository, signature)
    except ServiceError as problem:
        notes.add(f"The memory was not read: {problem}")
        return None


def similar(fingerprint: str, seen: Sightings | None) -> Similar | None:
    """The sightings in the report's words."""
    if seen is None:
        return None
    return Similar(fingerprint, seen.count, _iso(seen.first), _iso(seen.last), seen.branches, seen.latest[0].url if seen.latest else "")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

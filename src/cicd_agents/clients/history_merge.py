"""Two memories become one: two CI jobs may start from the same cached file and each go on with its own copy."""

from __future__ import annotations

from pathlib import Path

from cicd_agents.clients import history_records as records
from cicd_agents.clients.history_schema import BOUNDS, Bounds
from cicd_agents.clients.history_sqlite import SqliteDatabase, open_copy, open_sqlite
from cicd_agents.clients.history_store import ADVICE, DECISIONS, KEEP_ADVICE, KEEP_DECISION, prune
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.ports import Clock

_FAILURES = "SELECT repository, fingerprint, signature, category, title, workflow, job, branch, sha, run_id, attempt, time, url FROM cicd_agents_failures"
_RERUNS = "SELECT repository, run_id, attempt, signature, pull_request, time, helped FROM cicd_agents_reruns"
# Of two records with one identity the newer stays, whichever file it comes from: the order of merging must not matter, also where the oldest are pruned.
_MERGE_FAILURE = """INSERT INTO cicd_agents_failures AS mine
    (repository, fingerprint, signature, category, title, workflow, job, branch, sha, run_id, attempt, time, url)
    VALUES (:repository, :fingerprint, :signature, :category, :title, :workflow, :job, :branch, :sha, :run_id, :attempt, :time, :url)
    ON CONFLICT (repository, run_id, attempt, job, fingerprint) DO UPDATE SET
        signature = excluded.signature, category = excluded.category, title = excluded.title, workflow = excluded.workflow,
        branch = excluded.branch, sha = excluded.sha, time = excluded.time, url = excluded.url
    WHERE (excluded.time, excluded.signature, excluded.category, excluded.title, excluded.workflow, excluded.branch, excluded.sha, excluded.url)
        > (mine.time, mine.signature, mine.category, mine.title, mine.workflow, mine.branch, mine.sha, mine.url)"""
# An outcome wins over none, and "did not help" over "helped": a rule is trusted too little rather than too much.
_MERGE_OUTCOME = """UPDATE cicd_agents_reruns SET helped = min(coalesce(helped, :helped), coalesce(:helped, helped))
    WHERE repository = :repository AND run_id = :run_id AND attempt = :attempt
        AND helped IS NOT min(coalesce(helped, :helped), coalesce(:helped, helped))"""
_MERGE_RERUN = """INSERT INTO cicd_agents_reruns AS mine (repository, run_id, attempt, signature, pull_request, time, helped)
    VALUES (:repository, :run_id, :attempt, :signature, :pull_request, :time, :helped)
    ON CONFLICT (repository, run_id, attempt) DO UPDATE SET
        signature = excluded.signature, pull_request = excluded.pull_request, time = excluded.time
    WHERE (excluded.time, excluded.signature, coalesce(excluded.pull_request, -1)) > (mine.time, mine.signature, coalesce(mine.pull_request, -1))"""


def merge(path: Path, other: Path, clock: Clock, *, bounds: Bounds = BOUNDS) -> int:
    """Take the records of the other file into this one; how many were new or replaced one. The other file is not changed.

    All or nothing. The order of merging makes no difference, and merging again changes nothing. A re-run that one side took back and the other has not
    seen taken back is there afterwards: it counts against the budget. Raises UsageError when a file is missing or no memory of ours.
    """
    if not other.exists():
        raise UsageError(f"{other}: no such file; give the path of a memory.")
    with open_copy(other) as source, open_sqlite(path) as database:
        return take(database, source, clock.now(), bounds)


def take(database: SqliteDatabase, source: SqliteDatabase, now: float, bounds: Bounds) -> int:
    """`merge` on open databases."""
    with source.reading() as transaction:
        failures = [records.failure_row(row) for row in transaction.rows(_FAILURES)]
        reruns = [records.rerun_row(row) for row in transaction.rows(_RERUNS)]
        decisions = [records.decision_row(row) for row in transaction.rows(DECISIONS)]
        advice = [records.advice_row(row) for row in transaction.rows(ADVICE)]
    with database.writing("") as transaction:
        changed = sum(transaction.change(_MERGE_FAILURE, **row) for row in failures)
        changed += sum(transaction.change(KEEP_DECISION, **row) for row in decisions)
        changed += sum(transaction.change(KEEP_ADVICE, **row) for row in advice)
        for row in reruns:
            changed += max(transaction.change(_MERGE_OUTCOME, **row), transaction.change(_MERGE_RERUN, **row))
        for repository in sorted({str(row["repository"]) for row in (*failures, *reruns, *decisions, *advice)}):
            prune(transaction, repository, now, bounds)
    return changed

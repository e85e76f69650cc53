"""The memory (ports `History` and `AdviceMemory`, and the decisions of the guardian) on an SQL database; SQLite and PostgreSQL run the same statements."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from cicd_agents.clients import history_records as records
from cicd_agents.clients.history_records import Row, Value, storable
from cicd_agents.clients.history_schema import BOUNDS, DAY, Bounds
from cicd_agents.domain.history import PastAdvice, PastDecision, PastFailure, PastRerun, RerunRecord, Sightings
from cicd_agents.domain.ports import Clock
from cicd_agents.domain.redaction import redact as without_secrets

NOT_WRITTEN = "The memory of failures was read but not written: this run may not write it."
MAX_LATEST = 5
MAX_BRANCHES = 20

_INSERT_FAILURE = """INSERT INTO cicd_agents_failures
    (repository, fingerprint, signature, category, title, workflow, job, branch, sha, run_id, attempt, time, url)
    VALUES (:repository, :fingerprint, :signature, :category, :title, :workflow, :job, :branch, :sha, :run_id, :attempt, :time, :url)
    ON CONFLICT DO NOTHING"""
_COUNT_SIGHTINGS = """SELECT count(*), min(first), max(last) FROM (
    SELECT min(time) AS first, max(time) AS last FROM cicd_agents_failures
    WHERE repository = :repository AND fingerprint = :fingerprint AND (:other_than = '' OR run_id <> :other_than)
    GROUP BY run_id, attempt) AS seen"""
_BRANCHES = """SELECT branch FROM cicd_agents_failures
    WHERE repository = :repository AND fingerprint = :fingerprint AND (:other_than = '' OR run_id <> :other_than) AND branch <> ''
    GROUP BY branch ORDER BY max(time) DESC, branch LIMIT :most"""
_LATEST = """SELECT repository, fingerprint, signature, category, title, workflow, job, branch, sha, run_id, attempt, time, url FROM cicd_agents_failures
    WHERE repository = :repository AND fingerprint = :fingerprint AND (:other_than = '' OR run_id <> :other_than)
    ORDER BY time DESC, run_id DESC, attempt DESC, job DESC LIMIT :most"""
_SEEN_AT = """SELECT 1 FROM cicd_agents_failures
    WHERE repository = :repository AND fingerprint = :fingerprint AND sha = :sha LIMIT 1"""
_INSERT_RERUN = """INSERT INTO cicd_agents_reruns (repository, run_id, attempt, signature, pull_request, time, helped)
    VALUES (:repository, :run_id, :attempt, :signature, :pull_request, :time, :helped)
    ON CONFLICT DO NOTHING"""
_FORGET_RERUN = "DELETE FROM cicd_agents_reruns WHERE repository = :repository AND run_id = :run_id AND attempt = :attempt AND helped IS NULL"
_SETTLE_RERUN = "UPDATE cicd_agents_reruns SET helped = :helped WHERE repository = :repository AND run_id = :run_id AND attempt = :attempt"
_RERUN_RECORD = """SELECT count(helped), coalesce(sum(CASE WHEN helped = 1 THEN 1 ELSE 0 END), 0) FROM cicd_agents_reruns
    WHERE repository = :repository AND signature = :signature"""
_RERUNS_SINCE = "SELECT count(*) FROM cicd_agents_reruns WHERE repository = :repository AND time >= :since"
_RERUNS_OF_PULL_REQUEST = f"{_RERUNS_SINCE} AND pull_request = :pull_request"
# Of one stage, version and run the newest decision stays, whichever is written first (two files may be merged).
KEEP_DECISION = """INSERT INTO cicd_agents_decisions AS mine
    (repository, service, environment, version, stage, run_id, time, since, status, decision, reason, risk, canary, baseline, common)
    VALUES (:repository, :service, :environment, :version, :stage, :run_id, :time, :since, :status, :decision, :reason, :risk, :canary, :baseline, :common)
    ON CONFLICT (repository, service, environment, version, stage, run_id) DO UPDATE SET
        time = excluded.time, since = excluded.since, status = excluded.status, decision = excluded.decision, reason = excluded.reason, risk = excluded.risk,
        canary = excluded.canary, baseline = excluded.baseline, common = excluded.common
    WHERE (excluded.time, excluded.decision, excluded.reason) > (mine.time, mine.decision, mine.reason)"""
DECISIONS = """SELECT repository, service, environment, version, stage, run_id, time, since, status, decision, reason, risk, canary, baseline, common
    FROM cicd_agents_decisions"""
_DECISIONS_OF = f"""{DECISIONS} WHERE repository = :repository AND service = :service AND environment = :environment
    ORDER BY time DESC, version DESC, stage DESC, run_id DESC LIMIT :most"""
# Of one question the fuller record stays, whichever is written first: a text that one memory has forgotten may stand in another.
KEEP_ADVICE = """INSERT INTO cicd_agents_advice AS mine (repository, key, run_id, time, agent, model, text, usd, tokens)
    VALUES (:repository, :key, :run_id, :time, :agent, :model, :text, :usd, :tokens)
    ON CONFLICT (repository, key, run_id, time) DO UPDATE SET
        agent = excluded.agent, model = excluded.model, text = excluded.text, usd = excluded.usd, tokens = excluded.tokens
    WHERE (excluded.text, coalesce(excluded.usd, -1), excluded.tokens, excluded.agent, excluded.model)
        > (mine.text, coalesce(mine.usd, -1), mine.tokens, mine.agent, mine.model)"""
# A reservation is a question without an answer: all that counts what was paid counts it. One that nobody settles (its run was killed) stays one.
_RESERVE = """INSERT INTO cicd_agents_advice (repository, key, run_id, time, agent, model, text, usd, tokens)
    VALUES (:repository, :key, :run_id, :time, :agent, :model, :text, :usd, :tokens)
    ON CONFLICT DO NOTHING"""
_FORGET_QUESTION = "DELETE FROM cicd_agents_advice WHERE repository = :repository AND key = :key AND run_id = :run_id AND time = :time"
ADVICE = "SELECT repository, key, run_id, time, agent, model, text, usd, tokens FROM cicd_agents_advice"
_ANSWER = """SELECT text FROM cicd_agents_advice WHERE repository = :repository AND key = :key AND text <> '' ORDER BY time DESC, run_id DESC LIMIT 1"""
_SPENT_SINCE = "SELECT coalesce(sum(usd), 0.0) FROM cicd_agents_advice WHERE repository = :repository AND time >= :since"

_OLD_FAILURES = "DELETE FROM cicd_agents_failures WHERE repository = :repository AND time < :oldest"
_OLD_RERUNS = "DELETE FROM cicd_agents_reruns WHERE repository = :repository AND time < :oldest"
_OLD_DECISIONS = "DELETE FROM cicd_agents_decisions WHERE repository = :repository AND time < :oldest"
_OLD_ADVICE = "DELETE FROM cicd_agents_advice WHERE repository = :repository AND time < :oldest"
_COUNT_FAILURES = "SELECT count(*) FROM cicd_agents_failures WHERE repository = :repository"
_COUNT_RERUNS = "SELECT count(*) FROM cicd_agents_reruns WHERE repository = :repository"
_COUNT_DECISIONS = "SELECT count(*) FROM cicd_agents_decisions WHERE repository = :repository"
_COUNT_ANSWERS = "SELECT count(*) FROM cicd_agents_advice WHERE repository = :repository AND text <> ''"
_COUNT_QUESTIONS = "SELECT count(*) FROM cicd_agents_advice WHERE repository = :repository"
# The order is total, so that of two merged memories the same records are kept, whichever was merged into which.
_EXCESS_FAILURES = """DELETE FROM cicd_agents_failures WHERE repository = :repository AND (run_id, attempt, job, fingerprint) IN (
    SELECT run_id, attempt, job, fingerprint FROM cicd_agents_failures WHERE repository = :repository
    ORDER BY time, run_id, attempt, job, fingerprint LIMIT :excess)"""
_EXCESS_RERUNS = """DELETE FROM cicd_agents_reruns WHERE repository = :repository AND (run_id, attempt) IN (
    SELECT run_id, attempt FROM cicd_agents_reruns WHERE repository = :repository
    ORDER BY time, run_id, attempt LIMIT :excess)"""
_EXCESS_DECISIONS = """DELETE FROM cicd_agents_decisions WHERE repository = :repository AND (service, environment, version, stage, run_id) IN (
    SELECT service, environment, version, stage, run_id FROM cicd_agents_decisions WHERE repository = :repository
    ORDER BY time, service, environment, version, stage, run_id LIMIT :excess)"""
_EXCESS_ANSWERS = """UPDATE cicd_agents_advice SET text = '' WHERE repository = :repository AND (key, run_id, time) IN (
    SELECT key, run_id, time FROM cicd_agents_advice WHERE repository = :repository AND text <> ''
    ORDER BY time, key, run_id LIMIT :excess)"""
_EXCESS_QUESTIONS = """DELETE FROM cicd_agents_advice WHERE repository = :repository AND (key, run_id, time) IN (
    SELECT key, run_id, time FROM cicd_agents_advice WHERE repository = :repository
    ORDER BY time, key, run_id LIMIT :excess)"""


class Transaction(Protocol):
    """Statements with named parameters (`:name`) inside one transaction."""

    def rows(self, sql: str, **values: Value) -> list[Row]:
        """What a query finds."""
        ...

    def change(self, sql: str, **values: Value) -> int:
        """Run a statement; how many rows it touched."""
        ...


class Database(Protocol):
    """A database with our tables."""

    def reading(self) -> AbstractContextManager[Transaction]:
        """A transaction that sees one state of the data."""
        ...

    def writing(self, repository: str) -> AbstractContextManager[Transaction]:
        """A transaction that alone writes records of the repository; nothing of it stays when it ends with an error."""
        ...


class StoredHistory:
    """The ports `History` and `AdviceMemory`, and the guardian's decisions.

    Where it is not `writable` the writing methods do nothing, `record_rerun` answers False, and `notes` says so.

    Not for several threads. Raises ServiceError (PostgreSQL) or UsageError (a damaged file), and Unavailable where another process holds the file too long.
    """

    def __init__(
        self, database: Database, clock: Clock, *, writable: bool = True, bounds: Bounds = BOUNDS, redact: Callable[[str], str] = without_secrets
    ) -> None:  # fmt: skip
        self.notes: list[str] = []
        self._database = database
        self._clock = clock
        self._writable = writable
        self._bounds = bounds
        self._redact = redact

    @property
    def writable(self) -> bool:
        """Whether anything can be remembered here."""
        return self._writable

    def record(self, failure: PastFailure) -> None:
        """Remember a failure; a second time changes nothing."""
        if not self._may_write():
            return
        now = self._clock.now()
        values = records.failure_values(failure, now, self._redact)
        repository = storable("repository", failure.repository)
        with self._database.writing(repository) as transaction:
            transaction.change(_INSERT_FAILURE, **values)
            prune(transaction, repository, now, self._bounds)

    def sightings(self, repository: str, fingerprint: str, *, other_than: str = "") -> Sightings | None:
        """Where a fingerprint was seen before, leaving out the run id `other_than`; None: never. Jobs that failed so in one attempt of a run count once."""
        wanted: dict[str, Value] = {
            "repository": storable("repository", repository), "fingerprint": storable("fingerprint", fingerprint), "other_than": storable("run_id", other_than),
        }  # fmt: skip
        with self._database.reading() as transaction:
            ((count, first, last),) = transaction.rows(_COUNT_SIGHTINGS, **wanted)
            if not count:
                return None
            branches = transaction.rows(_BRANCHES, **wanted, most=MAX_BRANCHES)
            latest = transaction.rows(_LATEST, **wanted, most=MAX_LATEST)
        return Sightings(
            records.whole(count), records.real(first), records.real(last), records.texts(branches), tuple(records.failure_of(row) for row in latest)
        )

    def seen_at(self, repository: str, fingerprint: str, sha: str) -> bool:
        """Whether a run of this very commit failed so."""
        with self._database.reading() as transaction:
            return bool(sha) and bool(
                transaction.rows(
                    _SEEN_AT, repository=storable("repository", repository), fingerprint=storable("fingerprint", fingerprint), sha=storable("sha", sha)
                )
            )

    def record_rerun(self, rerun: PastRerun) -> bool:
        """Remember a re-run before it is started; False where it was remembered already (somebody else started it) or may not be written."""
        if not self._may_write():
            return False
        now = self._clock.now()
        repository = storable("repository", rerun.repository)
        with self._database.writing(repository) as transaction:
            added = transaction.change(_INSERT_RERUN, **records.rerun_values(rerun, now))
            prune(transaction, repository, now, self._bounds)
        return added == 1

    def forget_rerun(self, rerun: PastRerun) -> None:
        """Take back a re-run that could not be started; one that has ended stays."""
        if self._may_write():
            self._change_rerun(_FORGET_RERUN, rerun.repository, rerun.run_id, rerun.attempt)

    def settle_rerun(self, repository: str, run_id: str, attempt: int, helped: bool) -> None:
        """Say how the attempt after `attempt` ended; without such a re-run nothing happens. The last word counts."""
        if self._may_write():
            self._change_rerun(_SETTLE_RERUN, repository, run_id, attempt, helped=int(helped))

    def rerun_record(self, repository: str, signature: str) -> RerunRecord:
        """How the ended re-runs for a signature went."""
        with self._database.reading() as transaction:
            ((tried, helped),) = transaction.rows(
                _RERUN_RECORD, repository=storable("repository", repository), signature=storable("signature", signature)
            )  # fmt: skip
        return RerunRecord(records.whole(tried), records.whole(helped))

    def reruns_since(self, repository: str, since: float, pull_request: int | None = None) -> int:
        """How many re-runs were started since then (that second included), in all or for one pull request."""
        wanted: dict[str, Value] = {"repository": storable("repository", repository), "since": since}
        with self._database.reading() as transaction:
            if pull_request is None:
                ((count,),) = transaction.rows(_RERUNS_SINCE, **wanted)
            else:
                ((count,),) = transaction.rows(_RERUNS_OF_PULL_REQUEST, **wanted, pull_request=records.number(pull_request))
        return records.whole(count)

    def record_decision(self, decision: PastDecision) -> None:
        """Remember a decision; a later one of the same stage, version and run takes its place."""
        if not self._may_write():
            return
        now = self._clock.now()
        repository = storable("repository", decision.repository)
        with self._database.writing(repository) as transaction:
            transaction.change(KEEP_DECISION, **records.decision_values(decision, now, self._redact))
            prune(transaction, repository, now, self._bounds)

    def decisions(self, repository: str, service: str, environment: str, most: int) -> tuple[PastDecision, ...]:
        """The newest decisions of a service in an environment, newest first."""
        wanted = records.decision_place(repository, service, environment)
        with self._database.reading() as transaction:
            return tuple(records.decision_of(row) for row in transaction.rows(_DECISIONS_OF, **wanted, most=most))

    def record_advice(self, advice: PastAdvice) -> None:
        """Remember a question, its answer and its price; an answer that is too long is not kept, its price is."""
        if not self._may_write():
            return
        now = self._clock.now()
        repository = storable("repository", advice.repository)
        with self._database.writing(repository) as transaction:
            transaction.change(KEEP_ADVICE, **records.advice_values(advice, now, self._redact))
            prune(transaction, repository, now, self._bounds)

    def reserve(self, advice: PastAdvice, since: float, limit: float) -> PastAdvice | None:
        """Count the price of a question before it is asked, as far as the limit leaves room for it beside all since then.

        None where it leaves none, or nothing may be written. The sum is read and the price added in one transaction, which alone writes here.
        """
        if not self._may_write():
            return None
        now = self._clock.now()
        repository = storable("repository", advice.repository)
        with self._database.writing(repository) as transaction:
            left = limit - _spent(transaction, repository, since)
            if left <= 0:
                return None
            granted = replace(advice, time=records.time_of(advice.time, now), usd=left if advice.usd is None else min(advice.usd, left))
            # Where the same run asks the same at the very same time, it is another question all the same: its price counts too.
            while not transaction.change(_RESERVE, **records.advice_values(granted, now, self._redact)):
                granted = replace(granted, time=math.nextafter(granted.time, 0.0))
            prune(transaction, repository, now, self._bounds)
        return granted

    def settle(self, reserved: PastAdvice, advice: PastAdvice | None) -> None:
        """Remember the question with what it cost in place of what was reserved for it; None: nothing was asked."""
        if not self._may_write():
            return
        now = self._clock.now()
        repository = storable("repository", reserved.repository)
        with self._database.writing(repository) as transaction:
            transaction.change(_FORGET_QUESTION, **records.advice_identity(reserved))
            if advice is not None:
                transaction.change(KEEP_ADVICE, **records.advice_values(advice, now, self._redact))
                prune(transaction, repository, now, self._bounds)

    def advice(self, repository: str, key: str) -> str | None:
        """The newest answer that is kept for a question; None: there is none."""
        with self._database.reading() as transaction:
            found = records.texts(transaction.rows(_ANSWER, **records.advice_place(repository, key)))
        return found[0] if found else None

    def spent_since(self, repository: str, since: float) -> float:
        """US dollars that were paid or reserved since then (that second included), as far as prices are known."""
        with self._database.reading() as transaction:
            return _spent(transaction, storable("repository", repository), since)

    def _may_write(self) -> bool:
        if not self._writable and NOT_WRITTEN not in self.notes:
            self.notes.append(NOT_WRITTEN)
        return self._writable

    def _change_rerun(self, sql: str, repository: str, run_id: str, attempt: int, **values: Value) -> None:
        repository = storable("repository", repository)
        with self._database.writing(repository) as transaction:
            transaction.change(sql, repository=repository, run_id=storable("run_id", run_id), attempt=records.number(attempt), **values)


def _spent(transaction: Transaction, repository: str, since: float) -> float:
    ((spent,),) = transaction.rows(_SPENT_SINCE, repository=repository, since=since)
    return records.real(spent)


def prune(transaction: Transaction, repository: str, now: float, bounds: Bounds) -> None:
    """Forget what is over the bounds of a repository, oldest first."""
    oldest = now - bounds.days * DAY
    transaction.change(_OLD_FAILURES, repository=repository, oldest=oldest)
    transaction.change(_OLD_RERUNS, repository=repository, oldest=oldest)
    transaction.change(_OLD_DECISIONS, repository=repository, oldest=oldest)
    transaction.change(_OLD_ADVICE, repository=repository, oldest=oldest)
    kinds = (
        (_COUNT_FAILURES, _EXCESS_FAILURES, bounds.failures),
        (_COUNT_RERUNS, _EXCESS_RERUNS, bounds.reruns),
        (_COUNT_DECISIONS, _EXCESS_DECISIONS, bounds.decisions),
        (_COUNT_QUESTIONS, _EXCESS_QUESTIONS, bounds.questions),
        (_COUNT_ANSWERS, _EXCESS_ANSWERS, bounds.answers),
    )
    for count, delete, most in kinds:
        ((kept,),) = transaction.rows(count, repository=repository)
        if kept > most:
            transaction.change(delete, repository=repository, excess=kept - most)

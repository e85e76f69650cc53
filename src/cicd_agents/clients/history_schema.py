"""The tables of the memory, the same in SQLite and PostgreSQL: versions, column types and bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept of each repository; the oldest records are forgotten at its next write.

    5,000 failures are two years of seven a day and about 4 MB, which a CI cache restores in a second. After 400 days the links are dead: GitHub keeps
    logs no longer than that (docs: "Configuring the retention period for GitHub Actions artifacts and logs"). A model's answers are longer than all else, so
    few are kept; of the questions before them the price stays, as a month's budget counts it.
    """

    failures: int = 5_000
    reruns: int = 5_000
    days: int = 400
    decisions: int = 2_000
    answers: int = 500
    questions: int = 5_000


BOUNDS = Bounds()

Migrations = Sequence[Sequence[str]]

# The statements that lift the schema from version n to n + 1, first those that make version 1. Released steps never change: add one.
MIGRATIONS: Migrations = (
    (
        """CREATE TABLE cicd_agents_failures (
            repository {text} NOT NULL, run_id {text} NOT NULL, attempt {integer} NOT NULL, job {text} NOT NULL, fingerprint {text} NOT NULL,
            signature {text} NOT NULL, category {text} NOT NULL, title {text} NOT NULL, workflow {text} NOT NULL, branch {text} NOT NULL,
            sha {text} NOT NULL, time {real} NOT NULL, url {text} NOT NULL,
            PRIMARY KEY (repository, run_id, attempt, job, fingerprint))""",
        "CREATE INDEX cicd_agents_failures_by_fingerprint ON cicd_agents_failures (repository, fingerprint)",
        "CREATE INDEX cicd_agents_failures_by_time ON cicd_agents_failures (repository, time)",
        """CREATE TABLE cicd_agents_reruns (
            repository {text} NOT NULL, run_id {text} NOT NULL, attempt {integer} NOT NULL,
            signature {text} NOT NULL, pull_request {integer}, time {real} NOT NULL, helped {integer},
            PRIMARY KEY (repository, run_id, attempt))""",
        "CREATE INDEX cicd_agents_reruns_by_time ON cicd_agents_reruns (repository, time)",
    ),
    (
        """CREATE TABLE cicd_agents_decisions (
            repository {text} NOT NULL, service {text} NOT NULL, environment {text} NOT NULL, version {text} NOT NULL, stage {integer} NOT NULL,
            run_id {text} NOT NULL, time {real} NOT NULL, since {real} NOT NULL, status {text} NOT NULL, decision {text} NOT NULL, reason {text} NOT NULL,
            risk {real} NOT NULL, canary {text} NOT NULL, baseline {text} NOT NULL, common {text} NOT NULL,
            PRIMARY KEY (repository, service, environment, version, stage, run_id))""",
        "CREATE INDEX cicd_agents_decisions_by_time ON cicd_agents_decisions (repository, time)",
    ),
    (
        """CREATE TABLE cicd_agents_advice (
            repository {text} NOT NULL, key {text} NOT NULL, run_id {text} NOT NULL, time {real} NOT NULL, agent {text} NOT NULL, model {text} NOT NULL,
            text {text} NOT NULL, usd {real}, tokens {integer} NOT NULL,
            PRIMARY KEY (repository, key, run_id, time))""",
        "CREATE INDEX cicd_agents_advice_by_time ON cicd_agents_advice (repository, time)",
    ),
)

# The tables of each version of the schema.
_FIRST = frozenset({"cicd_agents_failures", "cicd_agents_reruns"})
TABLES = (_FIRST, _FIRST | {"cicd_agents_decisions"}, _FIRST | {"cicd_agents_decisions", "cicd_agents_advice"})

SQLITE_TYPES: Mapping[str, str] = MappingProxyType({"text": "TEXT", "integer": "INTEGER", "real": "REAL"})
# Collation C compares bytes, as SQLite does; the order of records must not depend on the database's locale.
POSTGRES_TYPES: Mapping[str, str] = MappingProxyType({"text": 'TEXT COLLATE "C"', "integer": "BIGINT", "real": "DOUBLE PRECISION"})


def statements(migrations: Migrations, version: int, types: Mapping[str, str]) -> list[str]:
    """What lifts a schema of this version (0: nothing is there) to the newest."""
    return [statement.format_map(types) for step in migrations[version:] for statement in step]

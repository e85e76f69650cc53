"""Rollback, freeze, hotfix or hold: what to do with a canary, with the reasons in sentences. Advice only; pure.

A rollback is the quickest way back, except where it makes things worse: an old version on a database that a migration changed may break, or lose data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from cicd_agents.domain.canary import Status

# Folders of migration tools (Rails, Django, Laravel, Alembic, Flyway, Liquibase, Prisma, Knex, golang-migrate, Entity Framework, dbmate, Atlas): single ones,
# and pairs of one in another.
_FOLDERS = frozenset(("migration", "migrations", "migrate", "alembic", "flyway", "liquibase"))
_PAIRS = frozenset((("changelog", "db"), ("changelogs", "db"), ("db", "changelog")))
_ENDINGS = frozenset(("sql", "py", "rb", "php", "js", "ts", "xml", "yml", "yaml", "json", "cs", "java", "go", "prisma"))
# The schema itself, whatever its folder; of two names the first is the folder.
_SCHEMAS = frozenset(("schema.prisma", "db/schema.rb", "db/structure.sql"))
_MOST_NAMED = 3
# A change of so many files or less is quickly mended forward; a share of so much or less hurts few.
_SMALL_CHANGE, _SMALL_SHARE = 3, 0.10
# After so many minutes others have built on the version: data in its form, clients that know it.
_LONG_MINUTES = 24 * 60.0


class Advice(StrEnum):
    """What to do."""

    ROLLBACK = "rollback"
    FREEZE = "freeze"  # all traffic to the stable version, nothing else
    HOTFIX = "hotfix"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known. `share` is the canary's part of the traffic (1: all), `minutes` since the deployment, None: not known.

    `files` are the paths that the change touches, None: not known. `can_freeze`: the tool can send all traffic to a stable version that still runs.
    """

    status: Status
    share: float
    minutes: float | None = None
    known_good: bool = True
    files: tuple[str, ...] | None = None
    can_freeze: bool = False


@dataclass(frozen=True, slots=True)
class Advised:
    """The advice with its reasons, the deciding one first."""

    advice: Advice
    reasons: tuple[str, ...]


def advise(facts: Facts) -> Advised:
    """What to do, and why."""
    if facts.status is not Status.FAIL:
        return Advised(Advice.HOLD, (_undecided(facts.status),))
    migrations = migration_files(facts.files or ())
    notes = _notes(facts)
    if migrations:
        return _with_migration(facts, migrations, notes)
    if not facts.known_good:
        freeze = facts.can_freeze and facts.share < 1
        first = "No earlier version is known to be good, so a rollback may go from bad to bad."
        return Advised(Advice.FREEZE if freeze else Advice.HOTFIX, (first, *notes))
    return Advised(Advice.ROLLBACK, ("An earlier version is known to be good, and going back to it is the quickest way to end the harm.", *notes))


def migration_files(files: Iterable[str]) -> tuple[str, ...]:
    """The files of a change that look like database migrations, by their names alone."""
    return tuple(path for path in files if _migrates(path.lower().split("/")))


def _migrates(parts: list[str]) -> bool:
    """Paths are of others and may be long, so they are not searched by a pattern."""
    *folders, name = parts
    stem, dot, ending = name.rpartition(".")
    ending = ending if dot else ""
    if ending == "sql" or name in _SCHEMAS or "/".join(parts[-2:]) in _SCHEMAS:
        return True
    placed = not _FOLDERS.isdisjoint(folders) or not _PAIRS.isdisjoint(pairwise(folders))
    return (placed and ending in _ENDINGS) or (ending == "java" and _versioned(stem))


def _versioned(stem: str) -> bool:
    """Flyway's names: V, U or R, a number, two underscores and words."""
    number, underscores, words = stem[1:].partition("__")
    return stem[:1] in ("v", "u", "r") and bool(underscores and words) and number[:1].isdigit() and all(sign in "0123456789_." for sign in number)


def _with_migration(facts: Facts, migrations: tuple[str, ...], notes: tuple[str, ...]) -> Advised:
    more = f" and {len(migrations) - _MOST_NAMED} more" if len(migrations) > _MOST_NAMED else ""
    named = f"The change migrates the database ({', '.join(migrations[:_MOST_NAMED])}{more})"
    if facts.can_freeze and facts.share < 1:
        why = "all traffic goes to the stable version, which served beside the migrated database until now, and nothing is undone that data depends on."
        return Advised(Advice.FREEZE, (f"{named}: {why}", *notes))
    why = "the version before may not fit the new schema, and undoing a migration may lose data; mend it forward, or check by hand that it can go back."
    return Advised(Advice.HOTFIX, (f"{named}: {why}", *notes))


def _undecided(status: Status) -> str:
    if status is Status.PASS:
        return "The canary is not worse than the policy allows, so there is nothing to take back."
    if status is Status.NO_DATA:
        return "The canary cannot be seen, and blindness is no reason to take it back; mend the metrics first."
    return "It cannot be told yet whether the canary is worse; wait for more traffic at this share."


def _notes(facts: Facts) -> tuple[str, ...]:
    found = []
    if facts.share <= _SMALL_SHARE:
        found.append(f"Only {facts.share:.0%} of the traffic is on it, so few are hurt while this is done.")
    if facts.files is None:
        found.append("It is not known which files the change touches (a whole clone and revert-from would tell): check that it migrates no database first.")
    elif len(facts.files) <= _SMALL_CHANGE:
        found.append(f"The change is small ({len(facts.files)} file{'s' if len(facts.files) != 1 else ''}): a fix forward may follow soon.")
    if facts.minutes is not None and facts.minutes >= _LONG_MINUTES:
        found.append(f"It has run for {facts.minutes / 60:.0f} hours: data may have its form by now, so look at that before going back.")
    return tuple(found)

"""The memory as a file that CI caches: what lies on the disk, whose file it is, and what a killed process leaves."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.servers.clock import START, FakeClock

from cicd_agents.clients.history import open_history
from cicd_agents.clients.history_schema import BOUNDS, MIGRATIONS
from cicd_agents.clients.history_sqlite import APPLICATION_ID, MAX_COPIED, SqliteDatabase, open_copy, open_sqlite
from cicd_agents.domain.errors import BadAnswer, Unavailable, UsageError
from cicd_agents.domain.history import PastFailure

FAILURE = PastFailure("acme/shop", "f" * 16, "rule", "other", "title", "build.yml", "job", "main", "c0ffee", "17", 1, START)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def remember(path: Path, *failures: PastFailure) -> None:
    with open_history(str(path), "", True, FakeClock()) as history:
        for failure in failures or (FAILURE,):
            history.record(failure)


def count(path: Path, *, writable: bool = True) -> int:
    with open_history(str(path), "", writable, FakeClock()) as history:
        found = history.sightings(FAILURE.repository, FAILURE.fingerprint)
    return found.count if found else 0


def foreign(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def test_the_folder_is_made_and_only_the_file_lies_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "history.db"
    remember(path)
    assert list(path.parent.iterdir()) == [path]
    assert count(path) == 1


def test_while_it_is_open_nothing_but_the_file_lies_there_between_writes(path: Path) -> None:
    with open_history(str(path), "", True, FakeClock()) as history:
        history.record(FAILURE)
        assert list(path.parent.iterdir()) == [path]


def test_an_empty_file_is_a_new_memory(path: Path) -> None:
    path.touch()
    remember(path)
    assert count(path) == 1


def test_the_file_says_whose_it_is_and_its_version(path: Path) -> None:
    remember(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("writable", [True, False])
@pytest.mark.parametrize("content", [b"no database at all\n" * 100, b"SQLite format 3\0" + b"\xff" * 5000, b"x", bytes(range(256)) * 16])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes, writable: bool) -> None:
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"history\.db: is damaged or not a memory of cicd-agents\. Delete it"):
        count(path, writable=writable)
    assert path.read_bytes() == content


@pytest.mark.parametrize("writable", [True, False])
def test_a_file_that_was_cut_is_refused(path: Path, writable: bool) -> None:
    remember(path, *(replace(FAILURE, run_id=str(number), title="x" * 300) for number in range(40)))
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(UsageError, match="is damaged"):
        count(path, writable=writable)


@pytest.mark.parametrize("writable", [True, False])
def test_the_database_of_another_program_is_refused_and_left_alone(path: Path, writable: bool) -> None:
    foreign(path, "CREATE TABLE customers (name TEXT); PRAGMA user_version = 1;")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="is the database of another program"):
        count(path, writable=writable)
    assert path.read_bytes() == before


@pytest.mark.parametrize("writable", [True, False])
def test_a_newer_version_s_file_is_refused_and_left_alone(path: Path, writable: bool) -> None:
    remember(path)
    foreign(path, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="was written by a newer version of cicd-agents"):
        count(path, writable=writable)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "script",
    [
        "DROP TABLE cicd_agents_reruns",
        "CREATE TRIGGER t AFTER INSERT ON cicd_agents_failures BEGIN DELETE FROM cicd_agents_reruns; END",
        "DROP TABLE cicd_agents_failures; CREATE VIEW cicd_agents_failures AS SELECT 1",
        "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = 'garbage' WHERE name = 'cicd_agents_failures'",
        "ALTER TABLE cicd_agents_failures DROP COLUMN url",
    ],
)
@pytest.mark.parametrize("writable", [True, False])
def test_a_schema_that_is_not_ours_is_refused(path: Path, script: str, writable: bool) -> None:
    remember(path)
    foreign(path, script)
    with pytest.raises(UsageError, match="is damaged"):
        count(path, writable=writable)


@pytest.mark.parametrize("assignment", ["title = x'ff00'", "attempt = 'many'", "time = 'noon'", "time = 9e999", "branch = 7.5, url = x'00'"])
def test_values_of_a_wrong_type_are_refused(path: Path, assignment: str) -> None:
    remember(path)
    foreign(path, f"UPDATE cicd_agents_failures SET {assignment}")  # noqa: S608 the test's own text
    with pytest.raises(BadAnswer, match="was not written by cicd-agents"):
        count(path)


def test_text_that_is_not_unicode_is_refused(path: Path) -> None:
    remember(path)
    foreign(path, "UPDATE cicd_agents_failures SET title = CAST(x'ff' AS TEXT)")
    with pytest.raises(UsageError, match="is damaged"):
        count(path)


def test_a_file_in_wal_mode_is_brought_back_to_one_file(path: Path) -> None:
    remember(path)
    foreign(path, "PRAGMA journal_mode = WAL")
    assert count(path, writable=False) == 1
    remember(path, replace(FAILURE, run_id="18"))
    assert list(path.parent.iterdir()) == [path]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_an_older_schema_is_brought_to_the_newest_with_its_records(path: Path) -> None:
    remember(path)
    newer = (*MIGRATIONS, ("ALTER TABLE cicd_agents_failures ADD COLUMN note {text}",))
    with open_copy(path, migrations=newer) as copy:
        assert copy.rows("SELECT run_id, note FROM cicd_agents_failures") == [("17", None)]
    assert count(path) == 1
    with open_sqlite(path, migrations=newer) as database:
        assert database.rows("SELECT run_id, note FROM cicd_agents_failures") == [("17", None)]
    with pytest.raises(UsageError, match="newer version"):
        count(path)


def test_a_failed_migration_changes_nothing(path: Path) -> None:
    remember(path)
    before = path.read_bytes()
    broken = (*MIGRATIONS, ("ALTER TABLE cicd_agents_failures ADD COLUMN note {text}", "ALTER TABLE nothing ADD COLUMN note {text}"))
    with pytest.raises(UsageError), open_sqlite(path, migrations=broken):
        pass
    assert path.read_bytes() == before
    assert count(path) == 1


def test_an_untrusted_run_makes_neither_file_nor_folder(tmp_path: Path) -> None:
    with open_history(str(tmp_path / "a" / "history.db"), "", False, FakeClock()) as history:
        history.record(FAILURE)
    assert list(tmp_path.iterdir()) == []


def test_an_untrusted_run_leaves_the_file_as_it_was_byte_for_byte(path: Path) -> None:
    remember(path)
    before = path.read_bytes()
    with open_history(str(path), "", False, FakeClock()) as history:
        history.record(replace(FAILURE, run_id="18"))
        assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


def test_an_untrusted_run_copies_no_file_that_would_fill_the_memory(path: Path) -> None:
    remember(path)
    os.truncate(path, MAX_COPIED + 1)
    with pytest.raises(UsageError, match="is larger than 256 MiB"):
        count(path, writable=False)


@pytest.mark.parametrize("writable", [True, False])
def test_a_folder_is_no_memory(tmp_path: Path, writable: bool) -> None:
    with pytest.raises(UsageError, match="is a folder; give the path of a file in it"):
        count(tmp_path, writable=writable)


def test_a_path_below_a_file_cannot_be_made(path: Path) -> None:
    path.touch()
    with pytest.raises(UsageError, match="cannot be used: "):
        count(path / "history.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_refused(path: Path) -> None:
    remember(path)
    path.chmod(0o400)
    with pytest.raises(UsageError, match="check the permissions"):
        remember(path, replace(FAILURE, run_id="18"))


def test_special_characters_in_the_path_are_mere_characters(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory#b %41 'c'.db"
    remember(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert count(path, writable=False) == 1


def test_what_another_process_locks_for_too_long_is_told(path: Path) -> None:
    remember(path)
    with open_sqlite(path, busy_seconds=0.01) as database, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable, match="another process kept it locked"), database.writing("acme/shop"):
            pass
        with pytest.raises(Unavailable, match="another process kept it locked"), database.reading() as transaction:
            transaction.rows("SELECT count(*) FROM cicd_agents_failures")


def test_a_transaction_that_ends_with_an_error_leaves_nothing(path: Path) -> None:
    remember(path)

    def interrupted(database: SqliteDatabase) -> None:
        with database.writing("acme/shop") as transaction:
            transaction.change("DELETE FROM cicd_agents_failures")
            raise KeyboardInterrupt

    with open_sqlite(path) as database:
        with pytest.raises(KeyboardInterrupt):
            interrupted(database)
        assert database.rows("SELECT count(*) FROM cicd_agents_failures") == [(1,)]


_KILLED = """
import os, signal, sys
from pathlib import Path
from cicd_agents.clients.history_sqlite import open_sqlite

with open_sqlite(Path(sys.argv[1])) as database, database.writing("acme/shop") as transaction:
    transaction.change("PRAGMA cache_size = 2")
    transaction.change("UPDATE cicd_agents_failures SET title = 'half' || title")
    transaction.change("DELETE FROM cicd_agents_reruns")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_between_statements_leaves_a_readable_memory(path: Path) -> None:
    remember(path, *(replace(FAILURE, run_id=str(number), title="x" * 300) for number in range(60)))
    before = path.read_bytes()
    killed = subprocess.run([sys.executable, "-c", _KILLED, path], check=False)
    assert killed.returncode == -signal.SIGKILL
    # The test is worth something only if half of the transaction is on the disk already.
    torn = path.read_bytes()
    assert torn != before
    assert Path(f"{path}-journal").stat().st_size > 0

    assert count(path, writable=False) == 60
    assert path.read_bytes() == torn
    with open_history(str(path), "", True, FakeClock()) as history:
        found = history.sightings(FAILURE.repository, FAILURE.fingerprint)
    assert found is not None
    assert (found.count, {failure.title for failure in found.latest}) == (60, {"x" * 300})
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


def test_a_full_memory_stays_at_its_bound_and_small(path: Path) -> None:
    values = (f"('acme/shop', '{number}', 1, 'job', 'f', 's', 'c', '{'x' * 100}', 'w', 'main', '{number:040x}', {START - 10_000 + number}, 'https://ci')"
              for number in range(BOUNDS.failures))  # fmt: skip
    remember(path)
    foreign(path, f"DELETE FROM cicd_agents_failures; INSERT INTO cicd_agents_failures VALUES {','.join(values)}")  # noqa: S608 the test's own numbers
    remember(path, replace(FAILURE, run_id="new"))
    with closing(sqlite3.connect(path)) as connection:
        kept = connection.execute("SELECT count(*), min(CAST(run_id AS INTEGER)) FROM cicd_agents_failures WHERE run_id <> 'new'").fetchone()
    assert kept == (BOUNDS.failures - 1, 1)
    assert path.stat().st_size < 4 << 20

"""The memory in one SQLite file that CI caches; nothing lies beside it after it is closed (rollback journal, no WAL)."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from cicd_agents.clients.history_records import Row, Value
from cicd_agents.clients.history_schema import MIGRATIONS, SQLITE_TYPES, TABLES, Migrations, statements
from cicd_agents.domain.errors import Unavailable, UsageError

# Tells our files from other programs' ("CICD"; https://www.sqlite.org/pragma.html#pragma_application_id).
APPLICATION_ID = 0x43494344
# Seconds to wait for another process: its transactions take milliseconds, unless a disk is very slow.
BUSY_SECONDS = 10.0
# The bounds keep a repository's records under 10 MB; a file that is read as a copy in memory must not fill the memory.
MAX_COPIED = 256 << 20
# How every SQLite file begins (https://www.sqlite.org/fileformat.html#magic_header_string).
_MAGIC = b"SQLite format 3\0"
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_FORBIDDEN = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})
_DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM})


class SqliteDatabase:
    """The database of a memory (`Database` and `Transaction` of history_store); `name` stands in messages."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    @contextmanager
    def reading(self) -> Iterator[SqliteDatabase]:
        """A transaction that sees one state of the file."""
        with _transaction(self._connection, "BEGIN", self._name):
            yield self

    @contextmanager
    def writing(self, repository: str) -> Iterator[SqliteDatabase]:  # noqa: ARG002 the whole file is locked
        """A transaction that is the only one to write; it waits for others up to 10 seconds."""
        with _transaction(self._connection, "BEGIN IMMEDIATE", self._name):
            yield self

    def rows(self, sql: str, **values: Value) -> list[Row]:
        """What a query finds."""
        return self._connection.execute(sql, values).fetchall()

    def change(self, sql: str, **values: Value) -> int:
        """Run a statement; how many rows it touched."""
        return self._connection.execute(sql, values).rowcount


@contextmanager
def open_sqlite(path: Path, *, migrations: Migrations = MIGRATIONS, busy_seconds: float = BUSY_SECONDS) -> Iterator[SqliteDatabase]:
    """The memory in a file, which is made where it is missing, with its folder.

    Raises UsageError when it cannot be a memory of ours: damaged, another program's, a newer version's, a folder, not to be written.
    """
    try:
        _refuse_others(path)
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"{path}: cannot be used: {problem.strerror}. Give a path that can be read and written.") from None
    with _told(str(path)):
        connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
    with closing(connection):
        with _told(str(path)):
            _prepare(connection, str(path), migrations)
            # Does nothing, unless a tool left the file in another mode.
            connection.execute("PRAGMA journal_mode = DELETE")
        yield SqliteDatabase(connection, str(path))


@contextmanager
def open_copy(path: Path, *, migrations: Migrations = MIGRATIONS) -> Iterator[SqliteDatabase]:
    """The memory as a copy: the file cannot be written through it. A missing file is an empty memory.

    Raises UsageError as `open_sqlite` does, and for a file over 256 MiB.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        with _told(str(path)):
            _refuse_others(path)
            if path.exists():
                _copy(path, connection)
            _prepare(connection, str(path), migrations)
        yield SqliteDatabase(connection, str(path))


@contextmanager
def open_nothing() -> Iterator[SqliteDatabase]:
    """An empty memory that lasts as long as it is open."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _prepare(connection, "the memory", MIGRATIONS)
        yield SqliteDatabase(connection, "the memory")


def _copy(path: Path, into: sqlite3.Connection) -> None:
    if path.stat().st_size > MAX_COPIED:
        raise UsageError(f"{path}: is larger than {MAX_COPIED >> 20} MiB, too large to be read as a copy. Keep one file for each repository.")
    try:
        _back_up(f"{path.absolute().as_uri()}?mode=ro", into)
    except sqlite3.OperationalError as problem:
        if _code(problem) in _LOCKED:
            raise
        # A process was killed while it wrote: its transaction must be rolled back first, which a read-only connection may not do. So copies of both files.
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            shutil.copyfile(path, copy)
            journal = Path(f"{path}-journal")
            if journal.exists():
                shutil.copyfile(journal, f"{copy}-journal")
            _back_up(copy.as_uri(), into)


def _back_up(uri: str, into: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as source:
        # Holding the read lock; backup() itself would wait for it without an end.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchall()
        source.backup(into)


def _refuse_others(path: Path) -> None:
    """Raises UsageError for what SQLite would take for an empty database and write over: a short file of any kind."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; give the path of a file in it.")
    if path.exists():
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) not in (b"", _MAGIC):
                raise _damaged(str(path))


def _prepare(connection: sqlite3.Connection, name: str, migrations: Migrations) -> None:
    """Check whose file it is and bring its schema to the newest version."""
    # No function or virtual table runs because the file's own schema says so (https://www.sqlite.org/pragma.html#pragma_trusted_schema).
    connection.execute("PRAGMA trusted_schema = OFF")
    if _version(connection, name, len(migrations)) == len(migrations):
        return
    with _transaction(connection, "BEGIN IMMEDIATE", name):
        # Asked again: another process may have been faster.
        for statement in statements(migrations, _version(connection, name, len(migrations)), SQLITE_TYPES):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _version(connection: sqlite3.Connection, name: str, newest: int) -> int:
    """The version of the schema; 0 for an empty file. Raises UsageError for a file that is not ours or too new."""
    ((application,),) = connection.execute("PRAGMA application_id").fetchall()
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    objects = connection.execute("SELECT type, name FROM sqlite_master").fetchall()
    if not objects and not version and application in (0, APPLICATION_ID):
        return 0
    if application != APPLICATION_ID:
        raise UsageError(f"{name}: is the database of another program. Give another path for `history`.")
    if version > newest:
        raise UsageError(f"{name}: was written by a newer version of cicd-agents. Use that version, or delete the file to begin a new memory.")
    if {kind for kind, _ in objects} - {"table", "index"} or not {table for kind, table in objects if kind == "table"} >= TABLES[min(version, len(TABLES)) - 1]:
        raise _damaged(name)
    return int(version)


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str, name: str) -> Iterator[None]:
    with _told(name):
        connection.execute(begin)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # Where SQLite itself has rolled back already, this says so.
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


@contextmanager
def _told(name: str) -> Iterator[None]:
    """SQLite's errors as ours, by what the user can do."""
    try:
        yield
    except sqlite3.DatabaseError as problem:
        code = _code(problem)
        if code in _LOCKED:
            raise Unavailable(f"{name}: another process kept it locked for too long. Try again.") from None
        if code in _FORBIDDEN:
            raise UsageError(f"{name}: cannot be opened or written; check the permissions of the file and its folder.") from None
        if code in _DISK:
            raise Unavailable(f"{name}: could not be read or written; check the disk ({problem}).") from None
        raise _damaged(name) from None
    except OSError as problem:
        raise UsageError(f"{name}: cannot be read: {problem.strerror}.") from None


def _code(problem: sqlite3.Error) -> int:
    """SQLite's primary result code (https://www.sqlite.org/rescode.html); 0 where Python raised the error itself."""
    return getattr(problem, "sqlite_errorcode", 0) & 0xFF


def _damaged(name: str) -> UsageError:
    return UsageError(f"{name}: is damaged or not a memory of cicd-agents. Delete it, from the CI's cache too; a new one is begun.")

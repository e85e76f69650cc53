"""The memory in PostgreSQL 10 or newer, for many repositories and runners at once (driver: pg8000, pure Python)."""

from __future__ import annotations

import hashlib
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pg8000.core import scramp
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from cicd_agents.clients.history_postgres_url import PostgresAddress, parse, tls
from cicd_agents.clients.history_records import Row, Value, whole
from cicd_agents.clients.history_schema import MIGRATIONS, POSTGRES_TYPES, Migrations, statements
from cicd_agents.clients.history_sqlite import open_nothing
from cicd_agents.clients.history_store import Database
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Rejected, ServiceError, Unavailable, UsageError

STATEMENT_SECONDS = 10
# A little longer than the server's own limit, so that the server's answer is heard.
READ_SECONDS = STATEMENT_SECONDS + 5
# First half of the keys of our advisory locks ("CICD"); the second is 0 for the schema, else the repository's.
LOCK = 0x43494344
# Set for the transaction only: a pooler such as PgBouncer gives the next transaction to another session.
_LIMITS = f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'; SET LOCAL lock_timeout = '{STATEMENT_SECONDS}s'"
_BEGIN_READING = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_LIMITS}"
_BEGIN_WRITING = f"BEGIN; {_LIMITS}"
# pg8000 reads what the server sends without checking it: what another program or a cut connection sends fails somewhere inside.
_GARBLED = (scramp.ScramException, struct.error, ValueError, LookupError, TypeError, AttributeError, AssertionError, MemoryError)


class PostgresDatabase:
    """The database of a memory (`Database` and `Transaction` of history_store).

    A memory may stay open, and idle, for longer than a server, a pooler or a firewall keeps a connection: one that is gone when a transaction begins is made
    anew, once. After one that broke within a transaction, or could not be made, every call raises Unavailable at once.
    """

    def __init__(self, connect: Callable[[], Connection], where: str) -> None:
        self._connect = connect
        self._connection = connect()
        self._where = where
        self._broken = False

    def close(self) -> None:
        """Close the connection."""
        with suppress(InterfaceError, OSError, ValueError):
            self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[PostgresDatabase]:
        """A transaction that sees one state of the data; the server lets it write nothing."""
        with self._transaction(_BEGIN_READING):
            yield self

    @contextmanager
    def writing(self, repository: str) -> Iterator[PostgresDatabase]:
        """A transaction that alone writes records of the repository; it waits for others up to 10 seconds."""
        with self._transaction(_BEGIN_WRITING):
            self._lock(int.from_bytes(hashlib.sha256(repository.encode()).digest()[:4], signed=True))
            yield self

    def rows(self, sql: str, **values: Value) -> list[Row]:
        """What a query finds."""
        return self._connection.run(sql, **values) or []

    def change(self, sql: str, **values: Value) -> int:
        """Run a statement; how many rows it touched."""
        self._connection.run(sql, **values)
        return int(self._connection.row_count)

    def version(self) -> int:
        """The version of our schema; 0: there is none."""
        with self._transaction(_BEGIN_READING):
            return self._version()

    def upgrade(self, migrations: Migrations) -> None:
        """Bring the schema to the newest version; several runners may do so at once."""
        with self._transaction(_BEGIN_WRITING):
            self._lock(0)
            version = self._version()
            for statement in statements(migrations, version, POSTGRES_TYPES):
                self.change(statement)
            if version < len(migrations):
                self.change("CREATE TABLE IF NOT EXISTS cicd_agents_schema (version BIGINT NOT NULL)")
                self.change("DELETE FROM cicd_agents_schema")
                self.change("INSERT INTO cicd_agents_schema VALUES (:version)", version=len(migrations))

    def _version(self) -> int:
        # Asking pg_class, not to_regclass alone, makes the session take in what others committed while it waited for the lock.
        ((there,),) = self.rows("SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('cicd_agents_schema')")
        versions = self.rows("SELECT max(version) FROM cicd_agents_schema") if there else []
        return whole(versions[0][0] or 0) if versions else 0

    def _lock(self, key: int) -> None:
        self.rows("SELECT pg_advisory_xact_lock(:ours, :key)", ours=LOCK, key=key)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        if self._broken:
            raise Unavailable(f"{self._where}: the connection was lost before.")
        self._begin(begin)
        try:
            with _told(self._where):
                yield
                self._connection.run("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _begin(self, begin: str) -> None:
        try:
            with _told(self._where):
                self._connection.run(begin)
            return
        except Unavailable:  # nothing was asked for on it yet, so a new one can do the same
            self.close()
        self._broken = True
        self._connection = self._connect()
        with _told(self._where):
            self._connection.run(begin)
        self._broken = False

    def _roll_back(self) -> None:
        try:
            with _told(self._where):
                self._connection.run("ROLLBACK")
        except ServiceError:
            self._broken = True


@contextmanager
def open_postgres(url: str, *, writable: bool, migrations: Migrations = MIGRATIONS, read_seconds: float = READ_SECONDS) -> Iterator[Database]:
    """The memory at the URL; its tables are made where they are missing and may be written.

    Raises UsageError for a URL that is none and for tables of a newer version, and NotAllowed, NotFound, Rejected, Unavailable and BadAnswer for the
    server's refusals and failures. No message holds the password.
    """
    address = parse(url)
    database = PostgresDatabase(lambda: _connect(address, read_seconds), str(address))
    try:
        version = database.version()
        if version > len(migrations):
            raise UsageError(f"{address}: its tables were made by a newer version of cicd-agents. Use that version.")
        if version < len(migrations) and not writable:
            with open_nothing() as nothing:
                yield nothing
            return
        if version < len(migrations):
            database.upgrade(migrations)
        yield database
    finally:
        database.close()


def _connect(address: PostgresAddress, read_seconds: float) -> Connection:
    context = tls(address)
    with _told(str(address)):
        plain = _socket(address)
        try:
            plain.settimeout(read_seconds)
            # With no password at all pg8000 would fail on the server's question for one; an empty one is refused by the server.
            return Connection(
                address.user, host=address.host, database=address.database, password=address.password, sock=plain, ssl_context=context,
                application_name=address.application, startup_params=_startup(address),
            )  # fmt: skip
        except BaseException:
            plain.close()
            raise


def _socket(address: PostgresAddress) -> socket.socket:
    if address.socket is None:
        return socket.create_connection((address.host, address.port), address.connect_seconds)
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        unix.settimeout(address.connect_seconds)
        unix.connect(address.socket)
    except BaseException:
        unix.close()
        raise
    return unix


def _startup(address: PostgresAddress) -> dict[str, str]:
    return {"client_encoding": "UTF8"} | ({"options": address.options} if address.options else {})


@contextmanager
def _told(where: str) -> Iterator[None]:
    """The driver's and the network's errors as ours; of the server's texts only its code is repeated."""
    try:
        yield
    except DatabaseError as problem:
        raise _refusal(where, _sqlstate(problem)) from None
    except InterfaceError as problem:
        cause = problem.__cause__
        raise (_network_failure(where, cause) if isinstance(cause, OSError) else _interface_failure(where, str(problem))) from None
    except OSError as problem:
        raise _network_failure(where, problem) from None
    except _GARBLED:
        raise BadAnswer(f"{where}: what answers there does not speak PostgreSQL's protocol as expected. Check host and port.") from None


def _network_failure(where: str, problem: OSError) -> ServiceError:
    if isinstance(problem, ssl.SSLCertVerificationError):
        reason = problem.verify_message
        return Unavailable(f"{where}: its certificate is not trusted ({reason}). Name its authority by `sslrootcert` in `history-url`.")
    if isinstance(problem, ssl.SSLError):
        return Unavailable(f"{where}: the TLS connection failed. Check that it is a PostgreSQL server with TLS.")
    if isinstance(problem, TimeoutError):
        return Unavailable(f"{where}: it did not answer in time. Check host and port, and that this runner may reach it.")
    return Unavailable(f"{where}: could not be reached ({problem.strerror or 'connection lost'}). Check host and port.")


def _interface_failure(where: str, text: str) -> ServiceError:
    if "refuses SSL" in text:
        return Unavailable(f"{where}: the server offers no TLS. Turn it on there; only on a network that you trust, add `sslmode=disable` to `history-url`.")
    if "uthentication" in text:
        return NotAllowed(f"{where}: the server asks for a way of logging in that is not supported. Use a password (scram-sha-256).")
    return Unavailable(f"{where}: the connection was lost.")


def _sqlstate(problem: DatabaseError) -> str:
    """PostgreSQL's error code (documentation, appendix "PostgreSQL Error Codes"); the server could send anything."""
    fields = problem.args[0] if problem.args else None
    state = str(fields.get("C", "")) if isinstance(fields, dict) else ""
    return state if len(state) == 5 and state.isascii() and state.isalnum() else "unknown"


# By the longest prefix of the code.
_REFUSALS: dict[str, tuple[type[ServiceError], str]] = {
    "28": (NotAllowed, "the server refused the login. Check the user and password in `history-url`, and the server's pg_hba.conf"),
    "3D": (NotFound, "there is no such database. Create it, or name another one in `history-url`"),
    "3F": (NotFound, "there is no schema for our tables. Name one: `options=-c%20search_path=NAME` in `history-url`"),
    "42501": (NotAllowed, "the user may not do this. Let it create tables in the schema once, or read and write those of cicd-agents"),
    "42704": (Rejected, "the server does not know a setting in `options` of `history-url`"),
    "42": (BadAnswer, "its tables are not those of cicd-agents"),
    "25006": (NotAllowed, "the server is read-only. Give the address of the primary"),
    "22023": (Rejected, "the server does not accept a setting in `options` of `history-url`"),
    "22": (BadAnswer, "the database cannot store a text. Its encoding must be UTF8"),
    "55P03": (Unavailable, f"another run kept our tables locked for {STATEMENT_SECONDS} seconds"),
    "57014": (Unavailable, f"it took longer than {STATEMENT_SECONDS} seconds"),
    "53": (Unavailable, "the server is out of connections, memory or disk space"),
}  # fmt: skip


def _refusal(where: str, state: str) -> ServiceError:
    for length in (5, 2):
        if state[:length] in _REFUSALS:
            kind, text = _REFUSALS[state[:length]]
            return kind(f"{where}: {text} ({state}).")
    return Unavailable(f"{where}: the server failed ({state}).")

"""Opens the memory of past failures: a SQLite file, a PostgreSQL database, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cicd_agents.clients.history_schema import BOUNDS, Bounds
from cicd_agents.clients.history_store import Database, StoredHistory
from cicd_agents.domain.ports import Clock
from cicd_agents.domain.redaction import redact as without_secrets


@contextmanager
def open_history(
    path: str, url: str, writable: bool, clock: Clock, *, bounds: Bounds = BOUNDS, redact: Callable[[str], str] = without_secrets
) -> Iterator[StoredHistory]:
    """The memory at the URL, else in the file; with neither, one that is empty and forgets all.

    With `writable` false (an untrusted run, a dry run) nothing is written: not the file, not its folder, no table; see `StoredHistory.notes`. `redact` hides
    secrets in titles before they are stored. Raises UsageError for a path or URL that cannot be used, and ServiceError when the database does not answer.
    """
    with _database(path, url, writable) as database:
        yield StoredHistory(database, clock, writable=writable, bounds=bounds, redact=redact)


@contextmanager
def _database(path: str, url: str, writable: bool) -> Iterator[Database]:
    # Each driver is loaded only where it is used: pg8000 takes 0.1 s.
    if url:
        from cicd_agents.clients.history_postgres import open_postgres

        with open_postgres(url, writable=writable) as server:
            yield server
        return
    from cicd_agents.clients.history_sqlite import open_copy, open_nothing, open_sqlite

    opened = open_sqlite if writable else open_copy
    with opened(Path(path)) if path else open_nothing() as file:
        yield file

"""A real PostgreSQL server in a temporary folder, on a Unix socket and on a free port of 127.0.0.1.

Where PostgreSQL is not installed (Debian and Ubuntu: `apt-get install postgresql`) the tests that need it are skipped, and say so.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from pg8000.native import Connection

MISSING = "PostgreSQL is not installed (Debian, Ubuntu: apt-get install postgresql)"
USER = "doctor"
PASSWORD = "pass:word/@#?%&é"
DATABASE = "memory"
_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=60",
    "shared_buffers=16MB",
    "log_statement=none",
    "log_min_messages=fatal",
)
# How often another port is tried where one was taken, and what the server says then.
_TRIES, _TAKEN = 5, "could not create any TCP/IP sockets"
# Passwords over the network, none over the socket.
_HBA = f"local all all trust\nhost all {USER} 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server. `folder` holds its socket; `certificate` is its own authority's, where it has TLS."""

    folder: Path
    port: int
    certificate: Path | None = None
    schemas: list[str] = field(default_factory=list)

    def url(self, *, password: str = PASSWORD, user: str = USER, database: str = DATABASE, host: str = "127.0.0.1", **options: str) -> str:
        """The URL over the network."""
        return f"postgresql://{user}:{quote(password, safe='')}@{host}:{self.port}/{database}?{urlencode(options, quote_via=quote)}"

    def socket_url(self, **options: str) -> str:
        """The URL over the Unix socket, where no password is asked for."""
        return f"postgresql://{USER}@{quote(str(self.folder), safe='')}:{self.port}/{DATABASE}?{urlencode(options, quote_via=quote)}"

    @contextmanager
    def session(self, user: str = USER) -> Iterator[Connection]:
        """A connection of the test's own, over the socket."""
        connection = Connection(user, database=DATABASE, unix_sock=f"{self.folder}/.s.PGSQL.{self.port}")
        try:
            yield connection
        finally:
            connection.close()

    def new_schema(self) -> Mapping[str, str]:
        """The URL options for an empty schema of one test."""
        name = f"test_{len(self.schemas)}"
        self.schemas.append(name)
        with self.session() as connection:
            connection.run(f"CREATE SCHEMA {name}")
        return {"options": f"-c search_path={name}"}


_SHARED = pytest.StashKey[Postgres]()


def shared(config: pytest.Config) -> Postgres:
    """One server, without TLS, for all tests of a process; it is stopped when pytest ends."""
    if _SHARED not in config.stash:
        server = ExitStack()
        config.stash[_SHARED] = server.enter_context(running())
        config.add_cleanup(server.close)
    return config.stash[_SHARED]


@contextmanager
def running(*, tls: bool = False) -> Iterator[Postgres]:
    """A server until the end of the block; skips the test where PostgreSQL, or `openssl` for TLS, is not installed."""
    programs = _programs()
    if programs is None:
        pytest.skip(MISSING)
    # Not pytest's folder: its path is too long for a Unix socket, and closed to the other user.
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder = Path(name)
        certificate = _certificate(folder) if tls else None
        _owned(folder)
        data = folder / "data"
        _run([programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"], folder)
        (data / "pg_hba.conf").write_text(_HBA)
        settings = [*_SETTINGS, f"unix_socket_directories={folder}", "listen_addresses=127.0.0.1"]
        settings += ["ssl=on", f"ssl_cert_file={folder}/server.crt", f"ssl_key_file={folder}/server.key"] if tls else []
        server = Postgres(folder, _started(programs, folder, settings), certificate)
        try:
            _run([programs / "psql", "-h", folder, "-p", str(server.port), "-U", "postgres", "-q", "-v", "ON_ERROR_STOP=1", "-f", _script(folder)], folder)
            yield server
        finally:
            _run([programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], folder)


def _started(programs: Path, folder: Path, settings: Sequence[str]) -> int:
    """The port at which it listens now. PostgreSQL cannot choose one, and a free one may be taken before it has it: then another one is tried."""
    for left in reversed(range(_TRIES)):
        port = _free_port()
        options = " ".join(f"-c {setting}" for setting in (*settings, f"port={port}"))
        log = folder / f"log-{port}"
        try:
            _run([programs / "pg_ctl", "-D", folder / "data", "-l", log, "-w", "-o", options, "start"], folder)
        except RuntimeError:
            if not left or _TAKEN not in log.read_text(errors="replace"):
                raise
        else:
            return port
    raise AssertionError  # the last try has returned or raised


def _programs() -> Path | None:
    """The folder of initdb, pg_ctl and psql: the newest under /usr/lib/postgresql, else that of the search path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: (len(path.parts[4]), path.parts[4]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def _script(folder: Path) -> Path:
    path = folder / "start.sql"
    path.write_text(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}';\nCREATE DATABASE {DATABASE} OWNER {USER};\n", encoding="utf-8")
    _owned(folder)
    return path


def _certificate(folder: Path) -> Path:
    """A certificate for localhost that nobody knows."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(folder / "server.key")]
    subprocess.run(["openssl", "req", "-x509", *key, "-out", str(folder / "server.crt"), "-days", "2", *names], check=True, capture_output=True)
    (folder / "server.key").chmod(0o600)
    return folder / "server.crt"


def _account() -> pwd.struct_passwd | None:
    """Whom the server runs as; None: ourselves. It refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _owned(folder: Path) -> None:
    account = _account()
    if account is not None:
        for path in (folder, *folder.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)


def _run(command: Sequence[str | Path], folder: Path) -> None:
    account = _account()
    user, group = (account.pw_uid, account.pw_gid) if account else (None, None)
    groups: list[int] | None = [] if account else None
    # The server keeps the output that it is given, so it must not be a pipe.
    with tempfile.TemporaryFile() as said:
        ended = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=folder, user=user, group=group, extra_groups=groups
        )
        if ended.returncode:
            said.seek(0)
            raise RuntimeError(f"{command[0]}: {said.read().decode(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

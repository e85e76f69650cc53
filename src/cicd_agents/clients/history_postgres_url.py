"""The URL of a PostgreSQL database, as libpq reads it (PostgreSQL documentation, "Connection URIs"), and the TLS that it asks for."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from cicd_agents.domain.errors import UsageError

FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full"
SSL_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
CONNECT_SECONDS = 10
_MAX_CONNECT_SECONDS = 60
_PORT = 5432
_OPTIONS = (
    "application_name", "channel_binding", "connect_timeout", "dbname", "host", "options", "password", "port", "sslmode", "sslrootcert", "user",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where a database is and how to log in. `host` is a name or address, or the folder of a Unix socket, which begins with a slash.

    `sslrootcert`: a file of certificates to trust; empty: those of the system. `options`: command line options of the session.
    """

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    sslmode: str
    sslrootcert: str = ""
    connect_seconds: int = CONNECT_SECONDS
    application: str = "cicd-agents"
    options: str = ""

    @property
    def socket(self) -> str | None:
        """The path of the Unix socket, if it is one."""
        return f"{self.host}/.s.PGSQL.{self.port}" if self.host.startswith("/") else None

    def __str__(self) -> str:
        """What messages may say: host, port and database."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"PostgreSQL at {host}:{self.port}, database {self.database}"


def parse(url: str) -> PostgresAddress:
    """The address. Raises UsageError, without any part of the URL, for what is no usable PostgreSQL URL."""
    try:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("postgresql", "postgres"):
            raise _unusable("it must begin with postgresql://")
        values = _values(parts)
    except ValueError:  # bad ports, brackets and percent codes; their texts quote the URL
        raise _unusable("its host, port or percent codes are not valid") from None
    return _address(values)


def tls(address: PostgresAddress) -> ssl.SSLContext | bool | None:
    """What pg8000 takes: a context; None for TLS where the server offers it; False for none. Raises UsageError when `sslrootcert` cannot be read."""
    if address.socket or address.sslmode == "disable":
        return False
    if address.sslmode == "prefer":
        return None
    try:
        context = ssl.create_default_context(cafile=address.sslrootcert or None)
    except OSError:
        raise UsageError("history-url: the file of `sslrootcert` cannot be read as certificates.") from None
    if address.sslmode != "verify-full":
        context.check_hostname = False
    # As libpq has it: `require` checks the certificate only where one to trust is given.
    if address.sslmode == "require" and not address.sslrootcert:
        context.verify_mode = ssl.CERT_NONE
    return context


def _values(parts: SplitResult) -> dict[str, str]:
    """All that the URL says, by libpq's parameter names; a special character that was not encoded can have put parts of the password anywhere."""
    database = parts.path.removeprefix("/")
    if parts.fragment or "/" in database or "@" in database:
        raise _unusable("a special character in it is not percent-encoded")
    values = {
        "host": _decoded(parts.hostname or ""), "port": "" if parts.port is None else str(parts.port), "dbname": _decoded(database),
        "user": _decoded(parts.username or ""), "password": _decoded(parts.password or ""),
    }  # fmt: skip
    query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True, errors="strict") if parts.query else []
    if any(name not in _OPTIONS for name, _ in query):
        raise _unusable(f"it has an option other than {', '.join(_OPTIONS)}")
    return {name: value for name, value in {**values, **dict(query)}.items() if value}


def _address(values: dict[str, str]) -> PostgresAddress:
    if any(character < " " or character == "\x7f" for value in values.values() for character in value):
        raise _unusable("it holds control characters")
    host, user = values.get("host", ""), values.get("user", "")
    if not host or not user:
        raise _unusable(f"it names no {'user' if host else 'host'}")
    if "," in host:
        raise _unusable("it must name one host only")
    return PostgresAddress(
        host=host,
        port=_number(values, "port", _PORT, 65_535),
        database=values.get("dbname", user),
        user=user,
        password=values.get("password", ""),
        sslmode=_sslmode(values, host),
        sslrootcert="" if values.get("sslrootcert") == "system" else values.get("sslrootcert", ""),
        connect_seconds=_number(values, "connect_timeout", CONNECT_SECONDS, _MAX_CONNECT_SECONDS),
        application=values.get("application_name", "cicd-agents"),
        options=values.get("options", ""),
    )


def _sslmode(values: dict[str, str], host: str) -> str:
    mode = values.get("sslmode") or ("prefer" if host.startswith("/") or _is_loopback(host) else "verify-full")
    if mode not in SSL_MODES:
        raise _unusable(f"sslmode must be one of {', '.join(SSL_MODES)}")
    if values.get("channel_binding") == "require":
        # pg8000 binds to the channel where the server offers it, but cannot be told to insist. A verified certificate keeps impostors out as well.
        return "verify-full"
    return mode


def _number(values: dict[str, str], name: str, default: int, most: int) -> int:
    text = values.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= most):
        raise _unusable(f"{name} must be a number from 1 to {most}")
    return int(text)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _decoded(text: str) -> str:
    return unquote(text, errors="strict")


def _unusable(reason: str) -> UsageError:
    return UsageError(f"history-url is not a usable PostgreSQL URL: {reason}. Its form is {FORM}, special characters of the password as percent codes.")

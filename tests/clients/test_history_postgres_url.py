"""What a PostgreSQL URL means, and that no part of a wrong one is repeated."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from cicd_agents.clients.history_postgres_url import PostgresAddress, parse, tls
from cicd_agents.domain.errors import UsageError

PLAIN = PostgresAddress("db.example.org", 5432, "memory", "doctor", "secret", "verify-full")
ON_SOCKET = PostgresAddress("/var/run/postgresql", 5432, "memory", "doctor", "", "prefer")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://doctor:secret@db.example.org/memory", PLAIN),
        ("postgres://doctor:secret@db.example.org:5432/memory", PLAIN),
        ("  postgresql://doctor:secret@DB.example.org/memory\n", PLAIN),
        ("postgresql://doctor:secret@db.example.org:6543/memory", replace(PLAIN, port=6543)),
        ("postgresql://doctor:secret@db.example.org", replace(PLAIN, database="doctor")),
        ("postgresql://doctor@db.example.org/memory", replace(PLAIN, password="")),
        ("postgresql://do%40ctor:p%2F%40%3A%25%23w%C3%BC@db.example.org/my%20db", replace(PLAIN, user="do@ctor", password="p/@:%#wü", database="my db")),
        ("postgresql://doctor:se:cr@et@db.example.org/memory", replace(PLAIN, password="se:cr@et")),
        ("postgresql://doctor:secret@[2001:db8::1]:6543/memory", replace(PLAIN, host="2001:db8::1", port=6543)),
        ("postgresql://db.example.org/memory?user=doctor&password=sec%26ret", replace(PLAIN, password="sec&ret")),
        ("postgresql://doctor:secret@db.example.org/memory?connect_timeout=3&application_name=ci", replace(PLAIN, connect_seconds=3, application="ci")),
        ("postgresql://doctor:secret@db.example.org/memory?options=-c%20search_path%3Dci", replace(PLAIN, options="-c search_path=ci")),
        ("postgresql://doctor:secret@db.example.org/memory?sslrootcert=/etc/ca.pem", replace(PLAIN, sslrootcert="/etc/ca.pem")),
        ("postgresql://doctor:secret@db.example.org/memory?sslrootcert=system", PLAIN),
        ("postgresql://doctor@%2Fvar%2Frun%2Fpostgresql/memory", ON_SOCKET),
        ("postgresql://doctor@/memory?host=/var/run/postgresql", ON_SOCKET),
        ("postgresql:///memory?host=/var/run/postgresql&user=doctor&port=5433", replace(ON_SOCKET, port=5433)),
    ],
)
def test_a_url_is_read_as_libpq_reads_it(url: str, expected: PostgresAddress) -> None:
    assert parse(url) == expected


@pytest.mark.parametrize(("host", "mode"), [("localhost", "prefer"), ("127.0.0.1", "prefer"), ("127.9.9.9", "prefer"), ("[::1]", "prefer"),
                                            ("db", "verify-full"), ("10.0.0.1", "verify-full"), ("localhost.example.org", "verify-full")])  # fmt: skip
def test_certificates_are_verified_by_default_on_all_hosts_but_this_machine(host: str, mode: str) -> None:
    assert parse(f"postgresql://doctor:secret@{host}/memory").sslmode == mode


def test_channel_binding_that_is_required_is_replaced_by_a_verified_certificate() -> None:
    assert parse("postgresql://doctor:secret@db.example.org/memory?sslmode=require&channel_binding=require").sslmode == "verify-full"
    assert parse("postgresql://doctor:secret@db.example.org/memory?sslmode=require&channel_binding=prefer").sslmode == "require"


@pytest.mark.parametrize(
    ("mode", "verify", "check_hostname"),
    [("require", ssl.CERT_NONE, False), ("verify-ca", ssl.CERT_REQUIRED, False), ("verify-full", ssl.CERT_REQUIRED, True)],
)
def test_each_mode_that_demands_tls_gets_its_context(mode: str, verify: ssl.VerifyMode, check_hostname: bool) -> None:
    context = tls(replace(PLAIN, sslmode=mode))
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (verify, check_hostname)


def test_tls_is_off_only_where_it_is_disabled_or_on_a_socket_and_optional_only_where_preferred() -> None:
    assert tls(replace(PLAIN, sslmode="disable")) is False
    assert tls(replace(PLAIN, sslmode="prefer")) is None
    assert tls(replace(ON_SOCKET, sslmode="verify-full")) is False


@pytest.mark.parametrize("content", [None, "no certificates"])
def test_a_file_of_certificates_that_cannot_be_read_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match="`sslrootcert` cannot be read"):
        tls(replace(PLAIN, sslrootcert=str(file)))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "must begin with postgresql://"),
        ("hunter2", "must begin with postgresql://"),
        ("mysql://doctor:hunter2@db/memory", "must begin with postgresql://"),
        ("postgresql+psycopg://doctor:hunter2@db/memory", "must begin with postgresql://"),
        ("postgresql:///memory", "names no host"),
        ("postgresql://:hunter2@db/memory", "names no user"),
        ("postgresql://doctor:hunter2@db:port/memory", "not valid"),
        ("postgresql://doctor:hunter2@db:99999/memory", "not valid"),
        ("postgresql://doctor:hunter2@db:0/memory", "port must be a number"),
        ("postgresql://doctor:hunter2@db/memory?port=hunter2", "port must be a number"),
        ("postgresql://doctor:hunter2@[db/memory", "not valid"),
        ("postgresql://doctor:hunter2%ff@db/memory", "not valid"),
        ("postgresql://doctor:hunter2@db\u2100/memory", "not valid"),
        ("postgresql://doctor:hunter2@one,two/memory", "one host only"),
        ("postgresql://doctor:hunter2@db/memory?sslmode=hunter2", "sslmode must be one of disable, prefer, require, verify-ca, verify-full"),
        ("postgresql://doctor:hunter2@db/memory?sslmode=allow", "sslmode must be one of"),
        ("postgresql://doctor:hunter2@db/memory?hunter2=1", "it has an option other than"),
        ("postgresql://doctor:hunter2@db/memory?hunter2", "not valid"),
        ("postgresql://doctor:hunter2@db/memory?connect_timeout=61", "connect_timeout must be a number from 1 to 60"),
        ("postgresql://doctor:hunter2@db/memory?connect_timeout=²", "connect_timeout must be a number"),
        ("postgresql://doctor%00database%00x:hunter2@db/memory", "control characters"),
        ("postgresql://doctor:hunter2@db/memory?options=a%00b", "control characters"),
        # Special characters that were not encoded: what seems a host or database is part of the password.
        ("postgresql://doctor:hunter2/x@db/memory", "percent-encoded"),
        ("postgresql://doctor:7/hunter2@db/memory", "percent-encoded"),
        ("postgresql://doctor:p@hunter2/x@db/memory", "percent-encoded"),
        ("postgresql://doctor:hunter2#x@db/memory", "percent-encoded"),
        ("postgresql://doctor:p@hunter2?x@db/memory", "not valid"),
    ],
)  # fmt: skip
def test_what_is_no_usable_url_is_refused_without_repeating_it(url: str, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(url)
    assert reason in str(refused.value)
    assert "postgresql://USER:PASSWORD@HOST:PORT/DATABASE" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_what_messages_may_say_of_an_address() -> None:
    assert str(PLAIN) == "PostgreSQL at db.example.org:5432, database memory"
    assert str(replace(PLAIN, host="2001:db8::1")) == "PostgreSQL at [2001:db8::1]:5432, database memory"
    assert "secret" not in repr(PLAIN)

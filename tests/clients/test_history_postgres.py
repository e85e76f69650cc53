"""The memory in PostgreSQL: the server as it really answers, TLS, refusals, and what is told of them."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from tests.servers.clock import START, FakeClock
from tests.servers.closed_port import closed_port
from tests.servers.postgres import DATABASE, PASSWORD, Postgres, running, shared

from cicd_agents.clients.history import open_history
from cicd_agents.clients.history_postgres import LOCK, open_postgres
from cicd_agents.clients.history_schema import MIGRATIONS, POSTGRES_TYPES, statements
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Rejected, ServiceError, Unavailable, UsageError
from cicd_agents.domain.history import PastFailure

FAILURE = PastFailure("acme/shop", "f" * 16, "rule", "other", "title", "build.yml", "job", "main", "c0ffee", "17", 1, START)


@pytest.fixture
def postgres(pytestconfig: pytest.Config) -> Postgres:
    return shared(pytestconfig)


@pytest.fixture(scope="module")
def with_tls() -> Iterator[Postgres]:
    with running(tls=True) as server:
        yield server


def remember(url: str, *, writable: bool = True) -> int:
    """Record a failure; how often it was seen then."""
    with open_history("", url, writable, FakeClock()) as history:
        history.record(FAILURE)
        found = history.sightings(FAILURE.repository, FAILURE.fingerprint)
    return found.count if found else 0


def tables(server: Postgres) -> list[str]:
    with server.session() as session:
        return [row[0] for row in session.run("SELECT table_name FROM information_schema.tables WHERE table_schema = :name", name=server.schemas[-1])]


def test_a_password_with_special_characters_logs_in_over_the_network(postgres: Postgres) -> None:
    assert remember(postgres.url(**postgres.new_schema())) == 1


def test_the_tables_are_made_once_and_all_begin_with_our_name(postgres: Postgres) -> None:
    url = postgres.socket_url(**postgres.new_schema())
    assert remember(url) == remember(url) == 1
    assert sorted(tables(postgres)) == ["cicd_agents_advice", "cicd_agents_decisions", "cicd_agents_failures", "cicd_agents_reruns", "cicd_agents_schema"]


def test_an_untrusted_run_makes_no_tables(postgres: Postgres) -> None:
    assert remember(postgres.socket_url(**postgres.new_schema()), writable=False) == 0
    assert tables(postgres) == []


def test_the_server_itself_lets_a_reading_transaction_write_nothing(postgres: Postgres) -> None:
    url = postgres.socket_url(**postgres.new_schema())
    remember(url)
    with open_postgres(url, writable=False) as database:
        with pytest.raises(NotAllowed, match="25006"), database.reading() as transaction:
            transaction.change("DELETE FROM cicd_agents_failures")
        with database.reading() as transaction:
            assert transaction.rows("SELECT count(*) FROM cicd_agents_failures") == [[1]]


def test_an_older_schema_is_brought_to_the_newest_and_a_newer_one_is_refused(postgres: Postgres) -> None:
    url = postgres.socket_url(**postgres.new_schema())
    remember(url)
    newer = (*MIGRATIONS, ("ALTER TABLE cicd_agents_failures ADD COLUMN note {text}",))
    with open_postgres(url, writable=True, migrations=newer) as database, database.reading() as transaction:
        assert transaction.rows("SELECT run_id, note FROM cicd_agents_failures") == [["17", None]]
    for writable in (True, False):
        with pytest.raises(UsageError, match="were made by a newer version of cicd-agents"):
            remember(url, writable=writable)


def test_a_runner_that_waited_for_another_one_s_upgrade_takes_its_tables(postgres: Postgres) -> None:
    url = postgres.socket_url(**postgres.new_schema())
    counts: list[int] = []
    late = threading.Thread(target=lambda: counts.append(remember(url)))
    with postgres.session() as other:
        other.run(f"SET search_path = {postgres.schemas[-1]}")
        other.run("BEGIN")
        other.run("SELECT pg_advisory_xact_lock(:ours, 0)", ours=LOCK)
        late.start()
        while not other.run("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            assert late.is_alive()
        for statement in (*statements(MIGRATIONS, 0, POSTGRES_TYPES), "CREATE TABLE cicd_agents_schema (version BIGINT NOT NULL)"):
            other.run(statement)
        other.run("INSERT INTO cicd_agents_schema VALUES (:version)", version=len(MIGRATIONS))
        other.run("COMMIT")
    late.join()
    assert counts == [1]


def test_a_user_that_may_only_read_and_write_our_tables_is_enough_after_the_first_time(postgres: Postgres) -> None:
    options = postgres.new_schema()
    url = postgres.url(user="visitor", password="", **options)
    with postgres.session("postgres") as admin:
        admin.run("CREATE ROLE visitor LOGIN")
        admin.run(f"GRANT USAGE ON SCHEMA {postgres.schemas[-1]} TO visitor")
    with pytest.raises(NotAllowed, match=r"Let it create tables in the schema once, or read and write those of cicd-agents \(42501\)"):
        remember(url)
    remember(postgres.url(**options))
    with postgres.session("postgres") as admin:
        admin.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {postgres.schemas[-1]} TO visitor")
    assert remember(url) == 1


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        ({"password": "wrong"}, NotAllowed, r"refused the login.*\(28P01\)"),
        ({"password": ""}, NotAllowed, r"refused the login"),
        ({"user": "nobody"}, NotAllowed, r"refused the login.*\(28000\)"),
        ({"database": "elsewhere", "user": "postgres"}, NotFound, r"no such database.*\(3D000\)"),
        ({"options": "-c search_path=nowhere"}, NotFound, r"no schema for our tables.*\(3F000\)"),
        ({"options": "-c nonsense=1"}, Rejected, r"does not know a setting in `options`.*\(42704\)"),
        ({"options": "-c work_mem=much"}, Rejected, r"does not accept a setting in `options`.*\(22023\)"),
        ({"sslmode": "require"}, Unavailable, "the server offers no TLS"),
        ({"sslmode": "verify-full"}, Unavailable, "the server offers no TLS"),
    ],
)
def test_each_refusal_of_the_server_says_where_and_what_to_do(postgres: Postgres, change: dict[str, str], error: type[ServiceError], reason: str) -> None:
    with pytest.raises(error, match=rf"^PostgreSQL at 127\.0\.0\.1:{postgres.port}, database {change.get('database', DATABASE)}: .*{reason}") as refused:
        remember(postgres.url(**change))
    assert PASSWORD not in str(refused.value)


def test_foreign_tables_of_our_name_are_told(postgres: Postgres) -> None:
    url = postgres.socket_url(**postgres.new_schema())
    with postgres.session() as session:
        session.run(f"CREATE TABLE {postgres.schemas[-1]}.cicd_agents_failures (title TEXT)")
    with pytest.raises(BadAnswer, match=r"its tables are not those of cicd-agents \(42P07\)"):
        remember(url)


def ended(server: Postgres, name: str) -> None:
    """End the connection of the program of this name, as a pooler or a firewall does with one that is idle."""
    with server.session("postgres") as admin:
        assert admin.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name", name=name) == [[True]]
        while admin.run("SELECT 1 FROM pg_stat_activity WHERE application_name = :name", name=name):
            pass


def test_a_connection_that_was_ended_while_nothing_was_asked_is_made_anew(postgres: Postgres) -> None:
    url = postgres.socket_url(application_name="idle", **postgres.new_schema())
    with open_history("", url, True, FakeClock()) as history:
        history.record(FAILURE)
        for _ in range(2):
            ended(postgres, "idle")
            assert history.seen_at("acme/shop", FAILURE.fingerprint, FAILURE.sha)
        ended(postgres, "idle")
        history.record(replace(FAILURE, run_id="18"))
    assert remember(url) == 2


def test_a_connection_that_is_lost_within_a_transaction_is_told_and_every_later_call_fails_at_once(postgres: Postgres) -> None:
    url = postgres.socket_url(application_name="busy", **postgres.new_schema())
    with open_postgres(url, writable=True) as database:
        with pytest.raises(Unavailable, match="PostgreSQL at "), database.writing("acme/shop"):
            ended(postgres, "busy")
        with pytest.raises(Unavailable, match="the connection was lost before"), database.reading():
            pass


def test_a_connection_that_cannot_be_made_anew_is_told_and_every_later_call_fails_at_once(postgres: Postgres) -> None:
    url = postgres.url(user="leaver", password="", application_name="leaving", **postgres.new_schema())
    with postgres.session("postgres") as admin:
        admin.run("CREATE ROLE leaver LOGIN")
        admin.run(f"GRANT ALL ON SCHEMA {postgres.schemas[-1]} TO leaver")
    with open_history("", url, True, FakeClock()) as history:
        history.record(FAILURE)
        with postgres.session("postgres") as admin:
            admin.run("ALTER ROLE leaver NOLOGIN")
        ended(postgres, "leaving")
        with pytest.raises(NotAllowed, match="the server refused the login"):
            history.record(replace(FAILURE, run_id="18"))
        with pytest.raises(Unavailable, match="the connection was lost before"):
            history.reruns_since("acme/shop", 0)


def test_an_error_inside_a_transaction_leaves_nothing_and_the_connection_goes_on(postgres: Postgres) -> None:
    url = postgres.socket_url(**postgres.new_schema())
    remember(url)
    with open_postgres(url, writable=True) as database:
        with pytest.raises(BadAnswer, match="42P01"), database.writing("acme/shop") as transaction:
            transaction.change("DELETE FROM cicd_agents_failures; DELETE FROM nowhere")
        with database.reading() as transaction:
            assert transaction.rows("SELECT count(*) FROM cicd_agents_failures") == [[1]]


def test_a_write_waits_for_another_one_to_the_same_repository_only(postgres: Postgres) -> None:
    url = postgres.socket_url(**postgres.new_schema())
    remember(url)
    late = threading.Thread(target=remember, args=(url,))
    with open_postgres(url, writable=True) as one, open_postgres(url, writable=True) as two, postgres.session() as watcher:
        with one.writing("acme/shop"):
            late.start()
            while not watcher.run("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
                assert late.is_alive()
            with two.writing("acme/other") as transaction:
                assert transaction.rows("SELECT count(*) FROM cicd_agents_failures") == [[1]]
        late.join()


@pytest.mark.parametrize(
    ("limit", "statement", "reason"),
    [
        ("lock_timeout", "SELECT pg_advisory_xact_lock(1, 1)", "kept our tables locked for 10 seconds (55P03)"),
        ("statement_timeout", "SELECT pg_sleep(60)", "it took longer than 10 seconds (57014)"),
    ],
)
def test_a_statement_that_takes_too_long_is_ended_by_the_server(postgres: Postgres, limit: str, statement: str, reason: str) -> None:
    with open_postgres(postgres.socket_url(**postgres.new_schema()), writable=True) as database, postgres.session() as other:
        other.run("SELECT pg_advisory_lock(1, 1)")
        with database.reading() as transaction:
            assert transaction.rows(f"SHOW {limit}") == [["10s"]]
        with pytest.raises(Unavailable, match=re.escape(reason)), database.writing("acme/shop") as transaction:
            transaction.change(f"SET LOCAL {limit} = '1ms'; {statement}")


def encrypted(server: Postgres, url: str, name: str) -> list[list[object]]:
    """Whether the connection of a program of this name is encrypted. Each has its own: the server forgets one that was closed a moment later."""
    asked = "SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.application_name = :name"
    with open_postgres(f"{url}&application_name={name}", writable=False), server.session("postgres") as admin:
        return [list(row) for row in admin.run(asked, name=name)]


@pytest.mark.parametrize("options", [{"sslmode": "verify-full"}, {"sslmode": "verify-ca"}, {"sslmode": "require"}])
def test_a_certificate_of_a_named_authority_is_accepted_and_the_connection_is_encrypted(with_tls: Postgres, options: dict[str, str]) -> None:
    url = with_tls.url(host="localhost", sslrootcert=str(with_tls.certificate), **options)
    assert encrypted(with_tls, url, options["sslmode"]) == [[True]]


def test_a_certificate_of_an_unknown_authority_is_refused(with_tls: Postgres) -> None:
    for mode in ("verify-full", "verify-ca"):
        with pytest.raises(Unavailable, match=r"its certificate is not trusted \(self.signed certificate\)\. Name its authority by `sslrootcert`"):
            remember(with_tls.url(host="localhost", sslmode=mode))


def test_a_certificate_for_another_name_is_refused_where_the_name_is_verified(with_tls: Postgres) -> None:
    certificate = str(with_tls.certificate)
    with pytest.raises(Unavailable, match="its certificate is not trusted"):
        remember(with_tls.url(host="127.0.0.1", sslmode="verify-full", sslrootcert=certificate))
    with open_postgres(with_tls.url(host="127.0.0.1", sslmode="verify-ca", sslrootcert=certificate), writable=False):
        pass


def test_tls_without_a_verified_certificate_is_used_where_it_is_required_or_preferred(with_tls: Postgres) -> None:
    for mode in ("require", "prefer"):
        assert encrypted(with_tls, with_tls.url(sslmode=mode), f"unverified-{mode}") == [[True]]


@contextmanager
def answering(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """The URL of a port where every caller gets this answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            caller, _ = server.accept()
            with caller:
                answer(caller)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"postgresql://doctor:hunter2@127.0.0.1:{server.getsockname()[1]}/memory?sslmode=disable"
        finally:
            thread.join()


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", Unavailable),
        (b"R\0\0", Unavailable),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Unavailable),
        (b"x\0\0\0\x08\0\0\0\0", BadAnswer),
        (b"R\0\0\0\x05\0", BadAnswer),
        (b"R\0\0\0\x08\0\0\0\x63", NotAllowed),
        (b"E\0\0\0\x04", Unavailable),
        (b"E\0\0\0\x15Mpassword hunter2\0", Unavailable),
        (b"S\0\0\0\x06\xff\0", BadAnswer),
        (b"\xde\xad\xbe\xef" * 100, ServiceError),
    ],
)
def test_what_does_not_speak_the_protocol_is_told_without_a_crash(sent: bytes, error: type[ServiceError]) -> None:
    def answer(caller: socket.socket) -> None:
        caller.recv(1000)
        caller.sendall(sent)

    with answering(answer) as url, pytest.raises(error) as refused:
        remember(url)
    assert str(refused.value).startswith("PostgreSQL at 127.0.0.1:")
    assert "hunter2" not in str(refused.value)


def test_a_server_that_never_answers_is_given_up() -> None:
    over = threading.Event()
    with answering(lambda _: over.wait(60)) as url:
        with pytest.raises(Unavailable, match="it did not answer in time"), open_postgres(url, writable=False, read_seconds=0.01):
            pass
        over.set()


def test_a_port_where_nobody_listens_is_told() -> None:
    told = r"PostgreSQL at 127\.0\.0\.1:\d+, database memory: could not be reached \(Connection refused\)"
    with closed_port() as port, pytest.raises(Unavailable, match=told):
        remember(f"postgresql://doctor:hunter2@127.0.0.1:{port}/memory")


def test_a_socket_that_is_not_there_is_told() -> None:
    with pytest.raises(Unavailable, match=r"could not be reached \(No such file or directory\)"):
        remember("postgresql://doctor@%2Fnowhere/memory")

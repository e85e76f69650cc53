"""TLS settings of one service, over real connections: own authorities, a client's certificate, another name, and what is said where they do not fit."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.servers.clock import FakeClock
from tests.servers.http_server import Reply, Request, Server, json_reply
from tests.servers.prometheus_certificates import Certificates, certificates
from tests.servers.secure import secured

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import Http, Service, Tls
from cicd_agents.domain.errors import Unavailable, UsageError


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Those of an authority that nobody here trusts; its server has another name."""
    return certificates(tmp_path_factory.mktemp("other"), names="DNS:kubernetes.default.svc")


def ok(_: Request) -> Reply:
    return json_reply({"fine": True})


@contextmanager
def served(pem: Certificates, *, client_needed: bool = False) -> Iterator[tuple[Server, str]]:
    with Server(ok) as server:
        yield server, secured(server, pem, client_needed=client_needed)


def asked(url: str, tls: Tls | None) -> Any:
    clock = FakeClock()
    http = Http(Service("The store", url), clock, Budget(clock, 60), tls=tls)
    try:
        return http.get_json("/x")
    finally:
        http.close()


def test_an_authority_is_trusted_from_a_file_or_from_data(pem: Certificates) -> None:
    with served(pem) as (_, url):
        assert asked(url, Tls(ca_file=str(pem.authority))) == {"fine": True}
        assert asked(url, Tls(ca_data=pem.authority.read_text())) == {"fine": True}


def test_only_the_authorities_that_are_named_are_trusted(pem: Certificates, other: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem.authority))
    with served(pem) as (server, url):
        assert asked(url, None) == {"fine": True}
        with pytest.raises(Unavailable, match=r"the certificate of 127\.0\.0\.1 is not trusted \(.+\)\. Name the CA in `x-ca`\.$"):
            asked(url, Tls(ca_file=str(other.authority), advice="Name the CA in `x-ca`."))
        assert len(server.requests) == 1


def test_the_certificate_must_have_the_name_of_the_server(other: Certificates) -> None:
    with served(other) as (_, url), pytest.raises(Unavailable, match=r"is not trusted \(IP address mismatch"):
        asked(url, Tls(ca_file=str(other.authority)))


def test_the_name_of_the_server_may_be_another_than_that_of_the_address(other: Certificates) -> None:
    with served(other) as (_, url):
        assert asked(url, Tls(ca_file=str(other.authority), server_name="kubernetes.default.svc")) == {"fine": True}


def test_our_certificate_is_shown_from_files_or_from_data_and_no_copy_stays(pem: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with served(pem, client_needed=True) as (_, url):
        assert asked(url, Tls(str(pem.authority), cert_file=str(pem.client), key_file=str(pem.client_key))) == {"fine": True}
        assert asked(url, Tls(str(pem.authority), cert_data=pem.client.read_text(), key_data=pem.client_key.read_text())) == {"fine": True}
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_wants_a_certificate_is_quoted(pem: Certificates) -> None:
    with served(pem, client_needed=True) as (_, url), pytest.raises(Unavailable, match=r"it asks for a client certificate, and none was shown\.$"):
        asked(url, Tls(str(pem.authority)))


def test_a_certificate_that_the_server_does_not_know_is_said(pem: Certificates, other: Certificates) -> None:
    with served(pem, client_needed=True) as (_, url), pytest.raises(Unavailable, match=r"it does not accept our client certificate \(unknown ca\)\.$"):
        asked(url, Tls(str(pem.authority), cert_file=str(other.client), key_file=str(other.client_key)))


def test_our_certificate_is_shown_to_no_other_origin(pem: Certificates) -> None:
    """The second server asks for a certificate; ours would be accepted, but is not shown on a redirect."""
    with served(pem, client_needed=True) as (second, target), Server(lambda _: Reply(302, headers={"location": f"{target}/blob"})) as first:
        url = secured(first, pem)
        tls = Tls(str(pem.authority), cert_file=str(pem.client), key_file=str(pem.client_key))
        with pytest.raises(Unavailable, match="is not trusted"):  # neither is our authority trusted for it
            asked(url, tls)
        assert second.requests == []


def test_files_that_cannot_be_used_are_named(pem: Certificates, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for tls, words in (
        (Tls(str(tmp_path / "no.crt")), r"the certificate authority .*no\.crt cannot be used: No such file or directory\."),
        (Tls(str(empty)), r"empty\.pem cannot be used: it is not PEM"),
        (Tls(ca_data="no certificate"), r"the certificate authority that is given as data cannot be used: it is not PEM"),
        (Tls(ca_data="kein Zertifikat, weiß ich"), r"cannot be used: it is not PEM"),
        (Tls(cert_file=str(pem.client)), r"the client certificate .*client\.crt and the key in it cannot be used: it is not PEM"),
        (Tls(cert_file=str(pem.client), key_file=str(pem.server_key)), r"the key .*server\.key cannot be used: the key does not belong to the certificate"),
        (Tls(cert_file=str(pem.client), key_file=str(tmp_path / "no.key")), r"cannot be used: No such file or directory"),
        (Tls(cert_data="x", key_data="TOP-SECRET"), r"the client certificate that is given as data and the key that is given as data cannot be used: it is"),
    ):
        with pytest.raises(UsageError, match=f"^The store: .*{words}") as caught:
            asked("https://127.0.0.1:1", tls)
        assert "SECRET" not in str(caught.value)


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(pem: Certificates, tmp_path: Path) -> None:
    locked = tmp_path / "locked.key"
    subprocess.run(["openssl", "pkey", "-in", pem.client_key, "-aes256", "-passout", "pass:sesame", "-out", locked], check=True, capture_output=True)
    with pytest.raises(UsageError, match="the key has a passphrase"):
        asked("https://127.0.0.1:1", Tls(cert_file=str(pem.client), key_file=str(locked)))

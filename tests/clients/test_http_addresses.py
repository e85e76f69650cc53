"""Which addresses are called, where redirects may lead, and that our headers stay at home."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.calling import TOKEN, calling
from tests.servers.http_server import Reply, Request, Server, json_reply

from cicd_agents.clients.http_addresses import AddressRules, forbidden_host, is_loopback, origin, same_origin
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Refused, Unavailable, UsageError

# Addresses


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "169.254.0.1", "169.254.170.2", "[fe80::1]", "[febf::1]", "[fd00:ec2::254]", "[fd20:ce::254]", "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]", "[64:ff9b::169.254.169.254]", "[2002:a9fe:a9fe::1]", "[::169.254.169.254]", "100.100.100.200", "192.0.0.192",
        "169.254.169.254.", "168.63.129.16", "metadata.google.internal", "METADATA.google.internal.", "metadata.goog",
    ],
)  # fmt: skip
def test_link_local_and_metadata_addresses_are_refused_whatever_is_allowed(host: str) -> None:
    for scheme in ("http", "https"):
        with pytest.raises(Refused, match="link-local or metadata address"):
            AddressRules("GitHub", (host, host.strip("[]"))).check(httpx.URL(f"{scheme}://{host}/latest/meta-data"))


@pytest.mark.parametrize("host", ["api.github.com", "10.0.0.5", "192.168.1.4", "[fd00::5]", "[::ffff:10.0.0.5]", "8.8.8.8", "169.253.1.1", "[2001:db8::1]"])
def test_other_addresses_may_be_called_by_https(host: str) -> None:
    AddressRules("GitHub").check(httpx.URL(f"https://{host}/"))


@pytest.mark.parametrize("spelling", ["2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "169.254.43518", "169.16689662"])
def test_other_spellings_of_a_metadata_address_are_refused_when_they_are_looked_up(spelling: str) -> None:
    with calling(f"https://{spelling}") as it, pytest.raises(Refused, match="link-local or metadata address"):
        it.http.get("/latest/meta-data")
    assert it.clock.slept == []


@pytest.mark.parametrize(
    ("url", "allow", "fine"),
    [
        ("https://h:65536/", (), False),
        ("https://h%5b/", (), False),
        ("https://[fe80::1%25eth0]/", (), False),
        ("http://127.0.0.1:8080/", (), True),
        ("http://127.8.8.8/", (), True),
        ("http://[::1]/", (), True),
        ("http://[::ffff:127.0.0.1]/", (), True),
        ("http://localhost:3000/", (), True),
        ("http://localhost.example/", (), False),
        ("http://10.0.0.5/", (), False),
        ("http://0.0.0.0/", (), False),
        ("http://jenkins.example/", ("jenkins.example",), True),
        ("http://jenkins.example:8080/", ("jenkins.example",), True),
        ("http://jenkins.example:8080/", ("jenkins.example:8080",), True),
        ("http://jenkins.example/", ("jenkins.example:80",), True),
        ("http://JENKINS.example/", (" Jenkins.Example ",), True),
        ("http://jenkins.example/", ("http://jenkins.example/",), True),
        ("http://jenkins.example:8080/", ("jenkins.example:8081",), False),
        ("http://x.jenkins.example/", ("jenkins.example",), False),
        ("http://[fd00::5]:80/", ("[fd00::5]",), True),
        ("http://[fd00::5]/", ("fd00::5",), True),
        ("ftp://jenkins.example/", ("jenkins.example",), False),
        ("file:///etc/passwd", (), False),
        ("https:///x", (), False),
        ("/x", (), False),
        ("https://user:pass@jenkins.example/", (), False),
        ("https://token@jenkins.example/", (), False),
        ("http://127.0.0.1@jenkins.example/", (), False),
    ],
)
def test_https_is_asked_for_unless_the_host_is_allowed(url: str, allow: tuple[str, ...], fine: bool) -> None:
    rules = AddressRules("Jenkins", allow)
    if fine:
        rules.check(httpx.URL(url))
        return
    with pytest.raises(Refused) as caught:
        rules.check(httpx.URL(url))
    assert "pass" not in str(caught.value).replace("password", "")


@given(host=st.text(min_size=1, max_size=30))
def test_no_text_breaks_the_rules_for_hosts(host: str) -> None:
    assert not (is_loopback(host) and forbidden_host(host))


def test_the_port_is_part_of_an_origin_and_the_usual_one_may_be_left_out() -> None:
    assert same_origin(httpx.URL("https://h/x"), httpx.URL("https://H:443/y"))
    assert not same_origin(httpx.URL("https://h/"), httpx.URL("https://h:444/"))
    assert not same_origin(httpx.URL("https://h/"), httpx.URL("http://h/"))
    assert origin(httpx.URL("https://u:p@[fd00::5]:444/secret?x=y")) == "https://[fd00::5]:444"


def test_a_base_address_that_is_none_is_refused_without_its_text() -> None:
    for url in (f"https://h:x/{TOKEN}", f"https://h/{TOKEN}\n", f"https://h/{TOKEN * 4000}", f"https://0251.0376.0251.0376/{TOKEN}"):
        with pytest.raises(Refused) as caught, calling(url):
            pass
        assert TOKEN not in str(caught.value)


def test_a_name_that_does_not_exist_is_said() -> None:
    with calling("https://no-such-host.invalid") as it, pytest.raises(Unavailable, match=r"the name no-such-host\.invalid could not be looked up"):
        it.http.get("/x")


# Redirects


@pytest.fixture
def storage() -> Iterator[Server]:
    with Server(lambda _: Reply(200, b"the log")) as server:
        yield server


def redirecting(target: str, status: int = 302) -> Callable[[Request], Reply]:
    return lambda _: Reply(status, headers={"location": target})


OUR_HEADERS = {"authorization": f"Bearer {TOKEN}", "PRIVATE-TOKEN": TOKEN, "x-github-api-version": "2022-11-28"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_server_goes_without_any_of_our_headers(storage: Server, status: int) -> None:
    with Server(redirecting(f"{storage.url}/blob?sig=1", status)) as server, calling(server.url, headers=OUR_HEADERS) as it:
        with it.http.download("/logs", most=100, headers={"x-of-this-call": "1"}) as stream:
            assert stream.read() == b"the log"
        assert it.http.get("/logs", headers={"x-of-this-call": "1"}).body == b"the log"
        assert server.requests[0].headers["private-token"] == TOKEN
        assert server.requests[0].headers["x-of-this-call"] == "1"
    for request in storage.requests:
        assert set(request.headers) == {"host", "user-agent", "accept", "accept-encoding"}
        assert request.query == {"sig": "1"}


def test_another_port_is_another_server(storage: Server) -> None:
    with Server(redirecting(f"{storage.url}/x")) as server, calling(server.url) as it:
        it.http.get("/x")
    assert "authorization" not in storage.requests[0].headers


def test_a_redirect_back_home_stays_without_our_headers() -> None:
    with Server(fine) as home, Server(redirecting(f"{home.url}/end")) as other, calling(home.url) as it:
        home.faults[0] = Reply(302, headers={"location": f"{other.url}/x"})
        it.http.get("/start")
        assert "authorization" in home.requests[0].headers
        assert "authorization" not in home.requests[1].headers


def test_a_second_redirect_on_the_other_server_does_not_get_our_headers(storage: Server) -> None:
    storage.faults[0] = Reply(302, headers={"location": "/second"})
    with Server(redirecting(f"{storage.url}/first")) as server, calling(server.url) as it:
        assert it.http.get("/x").body == b"the log"
    assert [request.path for request in storage.requests] == ["/first", "/second"]
    assert not any("authorization" in request.headers for request in storage.requests)


def fine(request: Request) -> Reply:
    return json_reply({"path": request.path, "body": request.body.decode()})


def test_a_redirect_on_the_same_server_keeps_our_headers() -> None:
    with Server(fine) as server, calling(server.url) as it:
        server.faults[0] = Reply(301, headers={"location": "/repositories/1"})
        assert it.http.get_json("/repos/o/r")["path"] == "/repositories/1"
        assert server.requests[1].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("status", [307, 308])
def test_a_write_follows_on_the_same_server_as_it_is(status: int) -> None:
    with Server(fine) as server, calling(server.url) as it:
        server.faults[0] = Reply(status, headers={"location": "/repositories/1/issues"})
        assert it.http.send("POST", "/x", {"a": 1}).json() == {"path": "/repositories/1/issues", "body": '{"a": 1}'}
        assert server.requests[1].method == "POST"


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_write_does_not_become_a_read(status: int) -> None:
    with Server(redirecting("/login", status)) as server, calling(server.url) as it:
        with pytest.raises(Refused, match="Set the address to the final one"):
            it.http.send("POST", "/x", {})
        assert len(server.requests) == 1


def test_a_write_is_not_sent_to_another_server(storage: Server) -> None:
    with Server(redirecting(f"{storage.url}/x?secret=1", 307)) as server, calling(server.url) as it, pytest.raises(Refused) as caught:
        it.http.send("POST", "/x", {})
    assert storage.requests == []
    assert storage.url in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "error", "words"),
    [
        ("http://169.254.169.254/latest/meta-data", Refused, "link-local or metadata"),
        ("http://[::ffff:169.254.169.254]/", Refused, "link-local or metadata"),
        ("https://2852039166/", Refused, "link-local or metadata"),
        ("http://storage.example/x", Refused, "without TLS"),
        ("file:///etc/passwd", Refused, "must begin with https"),
        ("https://user:pw@storage.example/", Refused, "user name or password"),
        ("", BadAnswer, "without an address"),
        ("https://[", Refused, "must begin with https"),
        ("https://h:99999/", Refused, "must begin with https"),
        ("/" + "a" * 65530, BadAnswer, "something that is no address"),
        ("https://h:x/", Refused, "not a valid URL"),
        ("https://h/\x85", Refused, "control characters"),
        ("https://" + "h" * 300 + "/", Refused, "must begin with https"),
        ("https://" + "h" * 100 + "/", Unavailable, "could not be looked up"),
    ],
)
def test_a_redirect_to_an_unfit_address_is_not_followed(target: str, error: type[Exception], words: str) -> None:
    with Server(redirecting(target)) as server, calling(server.url) as it, pytest.raises(error, match=words):
        it.http.get("/x")


def test_redirects_in_a_circle_end() -> None:
    with Server(redirecting("/x")) as server, calling(server.url) as it:
        with pytest.raises(BadAnswer, match="redirected more than 5 times"):
            it.http.get("/x")
        assert len(server.requests) == 6


def test_a_signed_address_that_ran_out_is_asked_for_anew(storage: Server) -> None:
    with Server(redirecting(f"{storage.url}/blob?sig=1")) as server, calling(server.url) as it:
        storage.faults[0] = Reply(403, b"<Error>AuthenticationFailed</Error>")
        assert it.http.get("/logs").body == b"the log"
        assert len(server.requests) == 2


def test_a_storage_that_refuses_is_not_blamed_on_the_token(storage: Server) -> None:
    storage.handler = lambda _: Reply(403)
    with Server(redirecting(f"{storage.url}/blob?sig=1")) as server, calling(server.url) as it, pytest.raises(Unavailable) as caught:
        it.http.get("/logs")
    assert f"was refused by {storage.url} (403), to which it was redirected" in str(caught.value)
    assert "token" not in str(caught.value)


def test_a_log_that_is_gone_from_the_storage_is_not_found(storage: Server) -> None:
    storage.handler = lambda _: Reply(404)
    with Server(redirecting(f"{storage.url}/blob")) as server, calling(server.url) as it, pytest.raises(NotFound):
        it.http.get("/logs")


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody signed, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("makes its certificate by the openssl command, which is not installed")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


class Secure:
    """A TLS server that answers each connection once with `reply`."""

    def __init__(self, folder: Path, reply: bytes) -> None:
        self.answered = 0
        self._reply = reply
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Secure:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listening.accept()
            except OSError:
                return
            try:
                with raw, self._context.wrap_socket(raw, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(self._reply)
                    self.answered += 1
            except OSError:
                continue  # the client did not like the certificate


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


def test_a_certificate_that_is_not_trusted_ends_it_at_once(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with Secure(certificate, OK) as server, calling(server.url) as it:
        with pytest.raises(Unavailable, match=r"the certificate of localhost is not trusted.*SSL_CERT_FILE"):
            it.http.get("/x")
        assert it.clock.slept == []
        assert server.answered == 0


def test_an_own_authority_is_trusted_by_the_environment(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    with Secure(certificate, OK) as server, calling(server.url) as it:
        assert it.http.get_json("/x") == {}


def test_a_missing_file_of_authorities_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with calling("https://localhost:1") as it, pytest.raises(UsageError, match="SSL_CERT_FILE"):
        it.http.get("/x")


def test_a_redirect_from_https_to_http_is_refused(certificate: Path, monkeypatch: pytest.MonkeyPatch, storage: Server) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    reply = f"HTTP/1.1 302 Found\r\nlocation: {storage.url}/x?sig=1\r\ncontent-length: 0\r\n\r\n".encode()
    with Secure(certificate, reply) as server, calling(server.url) as it, pytest.raises(Refused, match="redirected from https to http://127") as caught:
        it.http.get("/x")
    assert storage.requests == []
    assert "sig" not in str(caught.value)


# Proxies


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_the_proxy_of_the_environment_is_used(no_proxy: pytest.MonkeyPatch) -> None:
    with Server(fine) as proxy:
        no_proxy.setenv("http_proxy", proxy.url.replace("http://", "http://me:pw@"))
        with calling("http://jenkins.example", allow_http=["jenkins.example"]) as it:
            assert it.http.get_json("/job/a")["path"] == "/job/a"
        assert proxy.requests[0].headers["host"] == "jenkins.example"
        assert proxy.requests[0].headers["proxy-authorization"].startswith("Basic ")


def test_no_proxy_is_heeded(no_proxy: pytest.MonkeyPatch) -> None:
    with Server(fine) as proxy, Server(fine) as server:
        no_proxy.setenv("http_proxy", proxy.url)
        no_proxy.setenv("no_proxy", "127.0.0.1")
        with calling(server.url) as it:
            it.http.get("/x")
        assert (len(proxy.requests), len(server.requests)) == (0, 1)


def test_a_metadata_address_is_not_asked_of_a_proxy(no_proxy: pytest.MonkeyPatch) -> None:
    with Server(fine) as proxy:
        no_proxy.setenv("https_proxy", proxy.url)
        with calling("https://169.254.169.254") as it, pytest.raises(Refused):
            it.http.get("/x")
        assert proxy.requests == []


def test_a_proxy_that_refuses_is_named(no_proxy: pytest.MonkeyPatch) -> None:
    with Server(fine) as proxy:
        no_proxy.setenv("https_proxy", proxy.url)
        with calling("https://github.example") as it, pytest.raises(Unavailable, match="the proxy refused"):
            it.http.send("POST", "/x", {})


def test_a_kind_of_proxy_that_we_cannot_use_is_named(no_proxy: pytest.MonkeyPatch) -> None:
    no_proxy.setenv("all_proxy", "socks5://127.0.0.1:1")
    with calling("https://github.example") as it, pytest.raises(Unavailable, match="only proxies by http"):
        it.http.get("/x")


def test_a_server_that_asks_for_a_login_is_told_from_a_redirect() -> None:
    with Server(lambda _: Reply(401, headers={"www-authenticate": "Basic"})) as server, calling(server.url) as it, pytest.raises(NotAllowed):
        it.http.get("/x")

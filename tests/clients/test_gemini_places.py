"""Gemini at Vertex AI with the environment's credentials, behind a proxy, and behind a company's own authority."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.servers.clock import FakeClock
from tests.servers.gemini import KEY, TOKEN, GeminiServer, answers, says
from tests.servers.http_server import Reply, Server
from tests.servers.prometheus_certificates import Certificates, certificates
from tests.servers.secure import secured

from cicd_agents.clients.clock import SystemClock
from cicd_agents.clients.gemini import Gemini
from cicd_agents.clients.gemini_access import GeminiAccess
from cicd_agents.domain.advice import ModelFailed, ModelReply, ModelRequest, Turn

ASKED = ModelRequest("gemini-2.5-flash", "You explain.", (Turn("user", "Why?"),), (), {"type": "object"}, 0.2, 4096, 20.0)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer(answers({"a": 1})) as gemini:
        yield gemini


def log_in(monkeypatch: pytest.MonkeyPatch, folder: Path, private_key: str, token_url: str) -> None:
    """Credentials of a service account, as a step that logs in leaves them."""
    path = folder / "account.json"
    account = {
        "type": "service_account", "project_id": "of-the-account", "private_key_id": "1", "private_key": private_key,
        "client_email": "ci@of-the-account.example", "client_id": "1", "token_uri": token_url,
    }  # fmt: skip
    path.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))


def ask(access: GeminiAccess, *, seconds: float = 20.0, allow_http: tuple[str, ...] = ()) -> ModelReply:
    request = ModelRequest(ASKED.model, ASKED.system, ASKED.turns, (), ASKED.schema, 0.2, 4096, seconds)
    return Gemini(access, FakeClock(), allow_http=allow_http).reply(request)


def test_vertex_is_asked_with_a_token_and_no_key(server: GeminiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, private_key: str) -> None:
    log_in(monkeypatch, tmp_path, private_key, f"{server.url}/token")
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    gemini = Gemini(GeminiAccess(project="our-project", location="europe-west4", base_url=server.url), FakeClock())
    assert [gemini.reply(ASKED).text for _ in range(2)] == ['{"a": 1}'] * 2
    path = "/v1beta1/projects/our-project/locations/europe-west4/publishers/google/models/gemini-2.5-flash:streamGenerateContent"
    assert [request.path for request in server.requests] == ["/token", path, path]
    assert server.problems == []
    assert KEY.encode() not in server.sent()
    assert server.sent().count(TOKEN.encode()) == 2


def test_vertex_without_credentials_says_so(server: GeminiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with pytest.raises(ModelFailed, match="no usable credentials of Google Cloud"):
        ask(GeminiAccess(project="our-project", base_url=server.url))
    assert server.requests == []


def test_vertex_that_refuses_names_the_role(server: GeminiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, private_key: str) -> None:
    server.script[0] = Reply(403, b"{}", {"content-type": "application/json"})
    log_in(monkeypatch, tmp_path, private_key, f"{server.url}/token")
    with pytest.raises(ModelFailed, match=r"may not use this model \(403\); the credentials of Google Cloud need the role"):
        ask(GeminiAccess(project="our-project", base_url=server.url))


def test_a_log_in_that_hangs_is_left_when_the_time_is_over(server: GeminiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, private_key: str) -> None:
    with Server(lambda _request: Reply(hang=True)) as silent:
        log_in(monkeypatch, tmp_path, private_key, f"{silent.url}/token")
        with pytest.raises(ModelFailed, match="no whole answer within 1 s"):
            Gemini(GeminiAccess(project="our-project", base_url=server.url), SystemClock()).reply(
                ModelRequest(ASKED.model, ASKED.system, ASKED.turns, (), {}, 0.2, 4096, 1.0)
            )
    assert server.requests == []


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("global", "https://aiplatform.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_a_location_has_its_own_address_at_google(location: str, address: str) -> None:
    access = GeminiAccess(project="p", location=location)
    assert (access.address, access.version) == (address, "v1beta1")


def test_without_an_address_it_is_googles() -> None:
    access = GeminiAccess(KEY)
    assert (access.address, access.version, access.vertex, access.given) == ("https://generativelanguage.googleapis.com", "v1beta", False, True)
    assert not GeminiAccess(" ").given


def test_the_proxy_of_the_environment_is_asked(server: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    assert ask(GeminiAccess(KEY, base_url="http://gemini.example"), allow_http=("gemini.example",)).text == '{"a": 1}'
    assert [request.headers["host"] for request in server.requests] == ["gemini.example"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


def test_the_authority_of_the_environment_is_trusted(server: GeminiServer, authority: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.secured(lambda inner: secured(inner, authority))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.authority))
    assert ask(GeminiAccess(KEY, base_url=url)).text == '{"a": 1}'


def test_another_authority_is_not_trusted(server: GeminiServer, authority: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    url = server.secured(lambda inner: secured(inner, authority))
    with pytest.raises(ModelFailed, match="certificate of the server is not trusted"):
        ask(GeminiAccess(KEY, base_url=url))
    assert server.requests == []


def test_an_authority_that_cannot_be_read_costs_the_explanation_only(server: GeminiServer, authority: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.secured(lambda inner: secured(inner, authority))
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(ModelFailed, match="SSL_CERT_FILE"):
        ask(GeminiAccess(KEY, base_url=url))


def test_the_stand_in_speaks_without_a_stream_too() -> None:
    with GeminiServer(says("a", "b")) as server:
        import httpx

        body = {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}
        answer = httpx.post(f"{server.url}/v1beta/models/gemini-2.5-flash:generateContent", json=body, headers={"x-goog-api-key": KEY}, trust_env=False)
    assert answer.json()["candidates"][0]["content"]["parts"] == [{"text": "a"}, {"text": "b"}]

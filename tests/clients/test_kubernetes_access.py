"""Kubeconfigs in their forms, service accounts, plugins: what comes of them, by real files, processes and connections."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.servers.clock import FakeClock
from tests.servers.kubernetes import TOKEN, KubernetesServer
from tests.servers.kubernetes_objects import deployment
from tests.servers.prometheus_certificates import Certificates, certificates
from tests.servers.secure import secured

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.delivery.kubernetes_access import Access, AccessWishes, access
from cicd_agents.clients.delivery.kubernetes_client import Kubernetes
from cicd_agents.domain.errors import NotAllowed, Unavailable, UsageError

API = "/apis/apps/v1/namespaces/prod/deployments/api"
SECRET = "s3cret-token-in-the-file"


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("cluster"))


def kubeconfig(server: str = "https://127.0.0.1:6443", *, cluster: Mapping[str, Any] | None = None, user: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": "prod",
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "u", "user": {"token": TOKEN} if user is None else dict(user)}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
    }  # fmt: skip


def written(folder: Path, data: Any, name: str = "config") -> str:
    path = folder / name
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data))
    return str(path)


def reached(
    folder: Path, data: Any, clock: FakeClock | None = None, variables: Mapping[str, str] | None = None, *,
    context: str = "", exec_: bool = False,
) -> Access:  # fmt: skip
    wishes = AccessWishes(written(folder, data), context, exec_)
    return access(wishes, variables or {}, clock or FakeClock(), home=folder, service_account=folder / "none")


def works(found: Access, clock: FakeClock | None = None) -> bool:
    clock = clock or FakeClock()
    cluster = Kubernetes(found, clock, Budget(clock, 60))
    try:
        return bool(cluster.read(API)["kind"] == "Deployment")
    finally:
        cluster.close()


def base64_of(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


# Kubeconfigs


def test_a_token_and_an_authority_as_data_reach_the_cluster(tmp_path: Path, pem: Certificates) -> None:
    with KubernetesServer() as server:
        server.put(deployment())
        url = secured(server, pem)
        found = reached(tmp_path, kubeconfig(url, cluster={"certificate-authority-data": base64_of(pem.authority)}))
        assert works(found)
        assert (found.namespace, found.user, found.server, found.origin) == ("shop", "u", url, f"context prod of {tmp_path / 'config'}")


def test_paths_are_seen_from_the_folder_of_the_file(tmp_path: Path, pem: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    (tmp_path / "ca.crt").write_bytes(pem.authority.read_bytes())
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with KubernetesServer() as server:
        server.put(deployment())
        data = kubeconfig(secured(server, pem), cluster={"certificate-authority": "ca.crt"}, user={"tokenFile": "token", "token": "older"})
        assert works(reached(tmp_path, data))


def test_a_client_certificate_is_shown_from_files_or_from_data(tmp_path: Path, pem: Certificates) -> None:
    with KubernetesServer() as server:
        server.put(deployment())
        server.token = ""
        url = secured(server, pem, client_needed=True)
        ca = {"certificate-authority-data": base64_of(pem.authority)}
        for user in (
            {"client-certificate": str(pem.client), "client-key": str(pem.client_key)},
            {"client-certificate-data": base64_of(pem.client), "client-key-data": base64_of(pem.client_key)},
        ):
            assert works(reached(tmp_path, kubeconfig(url, cluster=ca, user=user)))
        with pytest.raises(Unavailable, match="it asks for a client certificate, and none was shown"):
            works(reached(tmp_path, kubeconfig(url, cluster=ca, user={})))


def test_a_wrong_authority_says_what_to_mend(tmp_path: Path, pem: Certificates) -> None:
    other = certificates(tmp_path / "other")
    with KubernetesServer() as server:
        data = kubeconfig(secured(server, pem), cluster={"certificate-authority": str(other.authority)})
        with pytest.raises(Unavailable, match=r"is not trusted \(.*\)\. Is `certificate-authority` in the kubeconfig that of this cluster\?$"):
            works(reached(tmp_path, data))


def test_a_server_that_is_not_checked_is_never_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"it says `insecure-skip-tls-verify`, so anybody could answer"):
        reached(tmp_path, kubeconfig(cluster={"insecure-skip-tls-verify": True}))


def test_a_server_may_have_another_name_than_its_address(tmp_path: Path) -> None:
    own = certificates(tmp_path / "own", names="DNS:kubernetes.default.svc")
    with KubernetesServer() as server:
        server.put(deployment())
        cluster = {"certificate-authority": str(own.authority), "tls-server-name": "kubernetes.default.svc"}
        assert works(reached(tmp_path, kubeconfig(secured(server, own), cluster=cluster)))


def test_a_context_may_be_named_and_a_missing_one_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    data = kubeconfig()
    data["clusters"].append({"name": "c2", "cluster": {"server": "https://two.example"}})
    data["contexts"].append({"name": "two", "context": {"cluster": "c2", "user": "u"}})
    found = reached(tmp_path, data, context="two")
    assert (found.server, found.namespace) == ("https://two.example", "default")
    with pytest.raises(UsageError, match=r"there is no context 'three'; there are: prod, two\.$"):
        reached(tmp_path, data, context="three")
    del data["current-context"]
    with pytest.raises(UsageError, match=r"there is no current-context\. Name one by `kube-context`\.$"):
        reached(tmp_path, data)


def test_of_several_files_the_first_wins_and_missing_ones_are_passed_over(tmp_path: Path) -> None:
    one, two = kubeconfig("https://one.example"), kubeconfig("https://two.example")
    one["contexts"], two["current-context"] = [], "elsewhere"
    names = [written(tmp_path, one, "one"), str(tmp_path / "missing"), written(tmp_path, two, "two")]
    found = access(AccessWishes(), {"KUBECONFIG": os.pathsep.join(names)}, FakeClock(), home=tmp_path)
    assert found.server == "https://one.example"


def test_the_file_of_the_home_folder_is_the_last_resort(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^No way to a cluster: there is no .*\.kube/config, and this is no pod with a service account"):
        access(AccessWishes(), {}, FakeClock(), home=tmp_path, service_account=tmp_path)
    (tmp_path / ".kube").mkdir()
    written(tmp_path / ".kube", kubeconfig("https://home.example"))
    assert access(AccessWishes(), {}, FakeClock(), home=tmp_path, service_account=tmp_path).server == "https://home.example"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"user": {"auth-provider": {"name": "gcp"}}}, "`auth-provider` of the user u is gone from Kubernetes: use the exec plugin"),
        ({"user": {"username": "a", "password": SECRET}}, "`username` of the user u and `password` are gone"),
        ({"user": {"token": SECRET, "as": "admin"}}, "`as` of the user u acts as somebody else"),
        ({"user": {"token": 5}}, "`token` should be a text"),
        ({"cluster": {"proxy-url": "http://proxy"}}, "`proxy-url` is not read here; set HTTPS_PROXY"),
        ({"cluster": {"certificate-authority-data": f"%%{SECRET}"}}, "`certificate-authority-data` is not base64 of a PEM text"),
        ({"cluster": {"server": ""}}, "names the cluster 'c', which is not there or has no `server`"),
        ({"user": {"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v1alpha1"}}}, "speaks client.authentication.k8s.io/v1alpha1"),
        ({"user": {"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Always"}}}, "asks a person"),
        ({"user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1"}}}, "`exec` needs a `command`"),
        ({"user": {"exec": {"command": "aws", "args": ["eks"], "apiVersion": "client.authentication.k8s.io/v1"}}}, "running aws. Allow that by `kube-exec`"),
    ],
)
def test_what_is_not_done_is_refused_in_a_sentence_without_secrets(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        reached(tmp_path, kubeconfig(**change))
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [f"token: [{SECRET}", "- a\n", "x" * (2 << 20), f"{{token: {SECRET}, clusters: 7}}", "current-context: prod\ncontexts: [7, {name: prod}]"],
)
def test_a_file_that_is_no_kubeconfig_is_refused_without_its_text(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        reached(tmp_path, text)
    assert SECRET not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_plain_http_cluster_is_refused_elsewhere_than_here(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="http"):
        works(reached(tmp_path, kubeconfig("http://cluster.example")))


# In the cluster


def account(folder: Path, pem: Certificates) -> Path:
    folder.mkdir()
    (folder / "token").write_text(TOKEN)
    (folder / "namespace").write_text("ci")
    (folder / "ca.crt").write_bytes(pem.authority.read_bytes())
    return folder


def test_a_pod_uses_its_service_account_and_reads_the_token_again(tmp_path: Path, pem: Certificates) -> None:
    clock = FakeClock()
    folder = account(tmp_path / "account", pem)
    with KubernetesServer() as server:
        server.put(deployment())
        port = secured(server, pem).rpartition(":")[2]
        variables = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": port}
        found = access(AccessWishes(), variables, clock, home=tmp_path, service_account=folder)
        assert (found.namespace, found.origin) == ("ci", "the pod's service account")
        assert works(found)
        server.token = "the-next-token"
        (folder / "token").write_text("the-next-token")
        with pytest.raises(NotAllowed, match=r"The credential of the pod's service account .* renew the token"):
            works(found)
        clock.advance(61)
        assert works(found)


def test_a_kubeconfig_that_is_named_goes_before_the_service_account(tmp_path: Path, pem: Certificates) -> None:
    folder = account(tmp_path / "account", pem)
    variables = {"KUBERNETES_SERVICE_HOST": "::1", "KUBERNETES_SERVICE_PORT": "443"}
    assert access(AccessWishes(), variables, FakeClock(), home=tmp_path, service_account=folder).server == "https://[::1]:443"
    wishes = AccessWishes(written(tmp_path, kubeconfig("https://named.example")))
    assert access(wishes, variables, FakeClock(), home=tmp_path, service_account=folder).server == "https://named.example"


def test_a_token_file_that_is_empty_or_missing_is_named(tmp_path: Path) -> None:
    found = reached(tmp_path, kubeconfig(user={"tokenFile": "token"}))
    with pytest.raises(UsageError, match="token of the cluster cannot be read: No such file"):
        dict(found.headers)
    (tmp_path / "token").write_text("\n")
    with pytest.raises(UsageError, match="the token of the cluster is empty"):
        dict(found.headers)


# Plugins


def plugin(folder: Path, code: str, **more: Any) -> dict[str, Any]:
    (folder / "plugin.py").write_text(code)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": [str(folder / "plugin.py"), "a b;$(c)"], **more}}


GIVES = """
import json, os, sys
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
with open(os.environ["SEEN"], "a") as seen:
    seen.write(json.dumps([sys.argv[1:], info, os.environ.get("MORE"), sys.stdin.read()]) + "\\n")
runs = len(open(os.environ["SEEN"]).readlines())
status = {"token": f"token-{runs}", "expirationTimestamp": "2025-06-15T16:06:40Z"}
print(json.dumps({"apiVersion": info["apiVersion"], "kind": "ExecCredential", "status": status}))
"""


def test_a_plugin_is_run_without_a_shell_and_again_when_its_token_is_about_to_end(tmp_path: Path) -> None:
    clock, seen = FakeClock(), tmp_path / "seen"
    user = plugin(tmp_path, GIVES, env=[{"name": "MORE", "value": "x"}], provideClusterInfo=True)
    found = reached(tmp_path, kubeconfig(user=user), clock, {"SEEN": str(seen)}, exec_=True)
    assert dict(found.headers) == {"authorization": "Bearer token-1"}
    clock.advance(3500)
    assert dict(found.headers) == {"authorization": "Bearer token-1"}
    clock.advance(60)
    assert dict(found.headers) == {"authorization": "Bearer token-2"}
    (arguments, info, more, stdin), _ = map(json.loads, seen.read_text().splitlines())
    assert (arguments, more, stdin) == (["a b;$(c)"], "x", "")
    assert info == {
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": {"server": "https://127.0.0.1:6443"}},
    }  # fmt: skip


def test_a_plugin_may_give_a_certificate(tmp_path: Path, pem: Certificates) -> None:
    status = {"clientCertificateData": pem.client.read_text(), "clientKeyData": pem.client_key.read_text()}
    code = f"print({json.dumps({'kind': 'ExecCredential', 'status': status})!r})"
    with KubernetesServer() as server:
        server.put(deployment())
        server.token = ""
        ca = {"certificate-authority-data": base64_of(pem.authority)}
        assert works(reached(tmp_path, kubeconfig(secured(server, pem, client_needed=True), cluster=ca, user=plugin(tmp_path, code)), exec_=True))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('login expired: ghp_0123456789abcdefghijABCDEFGHIJ012345')", "failed with exit code 1: login expired: [redacted"),
        ("print('hello')", "printed something that is no ExecCredential in JSON"),
        ("print('{}')", "`status` should be an object"),
        ('print(\'{"kind": "ExecCredential", "status": {}}\')', "gave no ExecCredential with a token or a certificate"),
        ("print('x' * (2 << 20))", "printed too much"),
        ('print(\'{"kind": "ExecCredential", "status": {"token": "x", "expirationTimestamp": "soon"}}\')', "should be a time"),
    ],
)
def test_a_plugin_that_fails_is_told_in_a_sentence(tmp_path: Path, code: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        reached(tmp_path, kubeconfig(user=plugin(tmp_path, code)), exec_=True)
    assert words in str(caught.value)
    assert "ghp_" not in str(caught.value)


def test_a_plugin_that_is_not_installed_is_told_with_its_hint(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "kubelogin-of-nobody", "installHint": "See https://example.org"}}
    with pytest.raises(UsageError, match=r"cannot be started: No such file or directory\. Is kubelogin-of-nobody installed here\? See https://example\.org"):
        reached(tmp_path, kubeconfig(user=user), variables={"PATH": "/usr/bin"}, exec_=True)

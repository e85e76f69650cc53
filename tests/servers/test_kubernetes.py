"""The stand-in for Kubernetes answers kubectl as a cluster does, and our roll-back writes what kubectl's does."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_calling import calling_kubernetes
from tests.servers.kubernetes_controllers import Controllers
from tests.servers.kubernetes_objects import daemon_set, deployment, stateful_set, template
from tests.servers.kubernetes_patch import PatchFailed, merged, patched

from cicd_agents.clients.delivery.kubernetes_workloads import KubernetesWorkloads
from cicd_agents.domain.delivery_workload import ROLLED_BACK, Workload


@pytest.fixture
def cluster() -> Iterator[KubernetesServer]:
    with KubernetesServer() as server:
        server.reactions.append(Controllers())
        yield server
        assert server.problems == []


@pytest.fixture
def kubectl(cluster: KubernetesServer, tmp_path: Path) -> list[str]:
    """The real program against the stand-in."""
    found = shutil.which("kubectl")
    if found is None:
        pytest.skip("kubectl is not installed")
    cluster.token = ""  # kubectl sends none by plain http
    data = {
        "apiVersion": "v1", "kind": "Config", "current-context": "x", "clusters": [{"name": "x", "cluster": {"server": cluster.url}}],
        "users": [{"name": "x", "user": {}}], "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x", "namespace": "prod"}}],
    }  # fmt: skip
    (tmp_path / "config").write_text(yaml.safe_dump(data))
    return [found, f"--kubeconfig={tmp_path / 'config'}", f"--cache-dir={tmp_path / 'cache'}"]


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def release(cluster: KubernetesServer, version: str) -> None:
    cluster.now += 60
    cluster.edit("Deployment", "prod", "api", {"spec": {"template": template("api", f"shop/api:{version}")}, "metadata": {"annotations": {"note": version}}})


def test_kubectl_sees_what_is_there(cluster: KubernetesServer, kubectl: list[str]) -> None:
    for thing in (deployment(), stateful_set(), daemon_set()):
        cluster.add(thing)
    for name in ("deployment/api", "daemonset/agent"):
        assert "successfully rolled out" in run([*kubectl, "rollout", "status", name])
    assert run([*kubectl, "get", "pods", "-l", "app=api", "-o", "name"]).count("pod/api-") == 3
    assert "1         <none>" in run([*kubectl, "rollout", "history", "deployment/api"])


def test_a_roll_back_writes_what_kubectl_writes(cluster: KubernetesServer, kubectl: list[str]) -> None:
    cluster.add(deployment(annotations={"note": "1.0.0", "kubernetes.io/change-cause": "the first"}))
    release(cluster, "1.1.0")
    run([*kubectl, "rollout", "undo", "deployment/api", "--to-revision=1"])
    theirs = cluster.the("Deployment", "prod", "api")
    patch = next(body for method, _, body in cluster.writes if method == "PATCH")
    release(cluster, "1.1.0")
    cluster.writes.clear()
    with calling_kubernetes(cluster) as it:
        workloads = KubernetesWorkloads(it.cluster)
        state = workloads.state(Workload.of("deployment:prod/api"))
        back = next(each for each in state.revisions if each.images == ("shop/api:1.0.0",))
        workloads.undo(state, back, "2025-06-15T15:06:40Z")
    ours = next(body for method, _, body in cluster.writes if method == "PATCH")
    by_path = [{step["path"]: step["value"] for step in steps} for steps in (patch, ours)]
    assert by_path[1]["/spec/template"] == by_path[0]["/spec/template"]
    left = {key: value for key, value in by_path[1]["/metadata/annotations"].items() if key != ROLLED_BACK}
    numbers = ("deployment.kubernetes.io/revision", "deployment.kubernetes.io/revision-history")
    assert {key: value for key, value in left.items() if key not in numbers} == {
        key: value for key, value in by_path[0]["/metadata/annotations"].items() if key not in numbers
    }
    assert cluster.the("Deployment", "prod", "api")["spec"] == theirs["spec"]


def test_the_number_that_our_commands_name_is_the_one_that_kubectl_means(cluster: KubernetesServer, kubectl: list[str]) -> None:
    cluster.add(stateful_set())
    cluster.edit("StatefulSet", "prod", "db", {"spec": {"template": template("db", "shop/db:1.1.0")}})
    with calling_kubernetes(cluster) as it:
        state = KubernetesWorkloads(it.cluster).state(Workload.of("statefulset:prod/db"))
    back = next(each for each in state.revisions if each.images == ("shop/db:1.0.0",))
    history = run([*kubectl, "rollout", "history", "statefulset/db", f"--revision={back.number}"])
    assert "shop/db:1.0.0" in history


# The patches, by the examples of their specifications


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        (["a", "b"], ["c"], ["c"]),
    ],
)
def test_merge_patches_are_those_of_rfc_7386(target: object, patch: object, result: object) -> None:
    assert merged(target, patch) == result


def test_json_patches_are_those_of_rfc_6902() -> None:
    assert patched({"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}]) == {"foo": ["bar", "qux", "baz"]}
    assert patched({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}]) == {"foo": "bar"}
    assert patched({"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/d"}]) == {"a": {}, "c": {"d": 1}}
    assert patched({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}]) == {"/": 9, "~1": 10}
    for steps in (
        [{"op": "test", "path": "/a", "value": 2}],
        [{"op": "replace", "path": "/b", "value": 2}],
        [{"op": "remove", "path": "/b"}],
        [{"op": "add", "path": "/b/c", "value": 2}],
    ):
        with pytest.raises(PatchFailed):
            patched({"a": 1}, steps)

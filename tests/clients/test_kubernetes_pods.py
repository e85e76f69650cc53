"""Pods as evidence: their versions, names as patterns, and what the kubelet says of their containers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from tests.servers.clock import START
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_calling import calling_kubernetes
from tests.servers.kubernetes_controllers import Controllers
from tests.servers.kubernetes_lists import Data
from tests.servers.kubernetes_objects import daemon_set, deployment, pod, stateful_set, template

from cicd_agents.clients.delivery.kubernetes_pods import KubernetesPods
from cicd_agents.clients.delivery.kubernetes_shapes import quantity, selector
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.delivery_workload import Pods
from cicd_agents.domain.errors import NotAllowed, UsageError
from cicd_agents.domain.guardian import PodState


@dataclass
class Scene:
    server: KubernetesServer
    controllers: Controllers
    pods: KubernetesPods


@contextmanager
def scene(*things: Data) -> Iterator[Scene]:
    controllers = Controllers()
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        server.reactions.append(controllers)
        for thing in things:
            server.add(thing)
        yield Scene(server, controllers, KubernetesPods(it.cluster))
        assert server.problems == []


def change(it: Scene, name: str, edit: Data) -> None:
    """What a kubelet says of a pod."""
    data = deepcopy(it.server.the("Pod", "prod", name))
    for path, value in edit.items():
        *holders, last = path.split(".")
        place: Any = data
        for part in holders:
            place = place[int(part)] if part.isdigit() else place[part]
        place[last] = value
    it.server.put(data)


def only(it: Scene) -> PodState:
    (found,) = it.pods.pods("deployment:prod/api")
    return found


# Versions


def test_pods_are_told_apart_by_their_template_and_those_of_others_are_left_out() -> None:
    with scene(deployment(replicas=4)) as it:
        it.controllers.new_pods = 1
        it.server.now += 60
        it.server.edit("Deployment", "prod", "api", {"spec": {"template": template("api", "shop/api:1.1.0")}})
        stranger = it.server.add(deployment("other", replicas=1))
        it.server.put(pod("stranger", stranger, {"app": "api", "pod-template-hash": "x"}, template("api", "evil")["spec"], it.server.stamp()))
        reader: Pods = it.pods
        found = reader.pods("deployment:prod/api")
        assert sorted(each.images[0] for each in found) == ["shop/api:1.0.0"] * 3 + ["shop/api:1.1.0"]
        assert [each.name for each in found] == sorted(each.name for each in found)
        versions = it.pods.versions("deployment:prod/api")
        assert versions.namespace == "prod"
        assert versions.new is not None
        (old,) = versions.old
        assert (versions.new.images, old.images, len(old.names)) == (("shop/api:1.1.0",), ("shop/api:1.0.0",), 3)
        for version in (versions.new, old):
            mine = {each.name for each in found if each.version == version.version}
            assert mine == {each.name for each in found if re.fullmatch(version.pattern, each.name)} == set(version.names)
            assert version.lasting


def test_a_version_that_has_no_pods_yet_is_the_new_one_and_old_ones_without_pods_are_not_told() -> None:
    with scene(deployment()) as it:
        it.server.edit("Deployment", "prod", "api", {"spec": {"template": template("api", "shop/api:1.1.0")}})
        versions = it.pods.versions("deployment:prod/api")
        assert (versions.new is not None, versions.old) == (True, ())


def test_a_dot_and_a_long_name_are_heeded_in_patterns() -> None:
    name = "shop.v1." + "a" * 60
    with scene(deployment(name)) as it:
        new = it.pods.versions(f"deployment:prod/{name}").new
        assert new is not None
        assert new.pattern.startswith(r"shop\\.v1\\.aaa")
        assert len(new.pattern.removesuffix("[a-z0-9]{5}").replace(r"\\.", ".")) == 58


def test_pods_of_a_stateful_set_are_listed_by_name() -> None:
    with scene(stateful_set(replicas=3)) as it:
        it.server.edit("StatefulSet", "prod", "db", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 2}}}})
        it.server.edit("StatefulSet", "prod", "db", {"spec": {"template": template("db", "shop/db:1.1.0")}})
        versions = it.pods.versions("statefulset:prod/db")
        assert versions.new is not None
        assert (versions.new.pattern, versions.new.names, versions.new.lasting) == ("db-2", ("db-2",), False)
        assert [(each.pattern, each.images) for each in versions.old] == [("db-0|db-1", ("shop/db:1.0.0",))]
        assert {each.version for each in it.pods.pods("statefulset:prod/db")} == {versions.new.version, versions.old[0].version}


def test_pods_of_a_daemon_set_are_of_the_newest_version_by_their_age() -> None:
    with scene(daemon_set()) as it:
        it.controllers.broken.add("shop/agent:1.1.0")
        it.server.now += 60
        it.server.edit("DaemonSet", "prod", "agent", {"spec": {"template": template("agent", "shop/agent:1.1.0")}})
        versions = it.pods.versions("daemonset:prod/agent")
        assert versions.new is not None
        assert (versions.new.images, [each.images for each in versions.old]) == (("shop/agent:1.1.0",), [("shop/agent:1.0.0",)])


def test_a_rollout_is_told_by_its_replica_sets_also_where_a_deployment_has_its_template() -> None:
    with scene(deployment(replicas=0)) as it:
        it.server.serve("argoproj.io", "v1alpha1", "rollouts", "Rollout")
        spec = {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}}
        rollout = it.server.put({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "api", "namespace": "prod"}, "spec": spec})
        for number, sign in ((1, "aaaa"), (2, "bbbb")):
            labels = {"app": "api", "rollouts-pod-template-hash": sign}
            inner = template("api", f"shop/api:{number}")
            owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "api", "uid": rollout["metadata"]["uid"], "controller": True}
            meta = {"name": f"api-{sign}", "namespace": "prod", "labels": labels, "annotations": {"rollout.argoproj.io/revision": str(number)}}
            kept = it.server.put({
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {**meta, "ownerReferences": [owner]}, "spec": {"replicas": 1, "template": inner},
            })  # fmt: skip
            it.server.put(pod(f"api-{sign}-12345", kept, labels, inner["spec"], it.server.stamp()))
        versions = it.pods.versions("rollout:prod/api")
        assert versions.new is not None
        assert (versions.new.version, versions.new.pattern, versions.old[0].version) == ("bbbb", "api-bbbb-[a-z0-9]{5}", "aaaa")
        assert [each.version for each in it.pods.pods("rollout:prod/api")] == ["aaaa", "bbbb"]


# Single pods


def test_a_pod_that_runs_well_says_so() -> None:
    with scene(deployment(replicas=1)) as it:
        found = only(it)
        assert found == PodState(
            found.name, found.version, ("shop/api:1.0.0",), START, True, 0, 0, "", 256 * 2**20, 0.5, START,
        )  # fmt: skip
        assert found.version == found.name.split("-")[1]


def test_a_crash_loop_and_memory_show() -> None:
    with scene(deployment(replicas=1)) as it:
        name = only(it).name
        change(it, name, {
            "status.containerStatuses.0.restartCount": 5, "status.containerStatuses.0.lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
            "status.containerStatuses.0.state": {"waiting": {"reason": "CrashLoopBackOff"}}, "status.conditions.2.status": "False",
        })  # fmt: skip
        found = only(it)
        assert (found.restarts, found.oom_kills, found.waiting, found.ready, found.ready_since) == (5, 1, "CrashLoopBackOff", False, None)


def test_a_pod_that_starts_does_not_wait_for_trouble() -> None:
    with scene(deployment(replicas=1)) as it:
        name = only(it).name
        change(it, name, {"status": {"phase": "Pending", "containerStatuses": [{"name": "api", "state": {"waiting": {"reason": "ContainerCreating"}}}]}})
        assert (only(it).waiting, only(it).ready, only(it).started) == ("", False, None)
        change(it, name, {"status": {"phase": "Pending"}})
        assert only(it).restarts == 0


def test_pods_that_ended_or_are_ending_are_left_out() -> None:
    with scene(deployment(replicas=3)) as it:
        one, two, three = (each.name for each in it.pods.pods("deployment:prod/api"))
        change(it, one, {"status": {"phase": "Failed", "reason": "Evicted"}})
        change(it, two, {"metadata.deletionTimestamp": "2025-06-15T15:06:40Z"})
        assert [each.name for each in it.pods.pods("deployment:prod/api")] == [three]


def test_sidecars_count_and_init_containers_only_where_they_are_stuck() -> None:
    with scene(deployment(replicas=1)) as it:
        name = only(it).name
        change(it, name, {
            "spec.initContainers": [{"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"}, {"name": "migrate", "image": "migrate:1"}],
            "status.initContainerStatuses": [
                {"name": "proxy", "restartCount": 2, "state": {"running": {}}, "lastState": {"terminated": {"reason": "OOMKilled"}}},
                {"name": "migrate", "restartCount": 0, "state": {"terminated": {"reason": "Completed", "exitCode": 0}}},
            ],
        })  # fmt: skip
        assert (only(it).restarts, only(it).oom_kills, only(it).waiting) == (2, 1, "")
        change(it, name, {"status.initContainerStatuses.1.state": {"waiting": {"reason": "ImagePullBackOff"}}})
        assert only(it).waiting == "ImagePullBackOff"


def test_limits_are_those_of_all_containers_or_of_the_pod_and_unknown_where_one_has_none() -> None:
    with scene(deployment(replicas=1)) as it:
        name = only(it).name
        containers = it.server.the("Pod", "prod", name)["spec"]["containers"]
        change(it, name, {"spec.containers": [*containers, {"name": "x", "image": "x", "resources": {"limits": {"memory": "1G"}}}]})
        assert (only(it).memory_limit, only(it).cpu_limit) == (256 * 2**20 + 1e9, None)
        change(it, name, {"spec.resources": {"limits": {"memory": "1Gi", "cpu": 2}}})
        assert (only(it).memory_limit, only(it).cpu_limit) == (2**30, 2.0)


@pytest.mark.parametrize(
    ("text", "number"),
    [("512Mi", 512 * 2**20), ("250m", 0.25), ("1e3", 1000.0), ("1E3", 1000.0), ("2E", 2e18), ("1.5Gi", 1.5 * 2**30), ("100k", 1e5), ("0", 0.0), (3, 3.0),
     ("12e-1", 1.2)],
)  # fmt: skip
def test_quantities_are_read(text: str, number: float) -> None:
    assert quantity(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["", "Mi", "1.2.3", "1 Gi", "NaN", None, True, "1Zi", "9" * 50, [], "."])
def test_what_is_no_quantity_is_none(text: object) -> None:
    assert quantity(text) is None


def test_selectors_are_written_as_the_api_reads_them() -> None:
    rules = [{"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"},
             {"key": "x", "operator": "NotIn", "values": ["c"]}, {"key": "y", "operator": "Exists"}]  # fmt: skip
    spec = Shape({"selector": {"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": rules}}, "the test")
    assert selector(spec) == "a=1,b=2,tier in (a,b),!old,x notin (c),y"


# What is refused


def test_a_target_that_is_none_or_is_not_there_is_said() -> None:
    with scene() as it:
        with pytest.raises(UsageError, match="has no pods to look at: write one of deployment:NAMESPACE/NAME"):
            it.pods.pods("argocd:api")
        with pytest.raises(UsageError, match="is no name of a deployment"):
            it.pods.pods("deployment:api")
        with pytest.raises(UsageError, match="There is no deployment:prod/api"):
            it.pods.versions("deployment:prod/api")


def test_pods_that_may_not_be_seen_are_no_pods_that_are_not_there() -> None:
    with scene(deployment()) as it:
        it.server.denied.add(("list", "", "pods"))
        with pytest.raises(NotAllowed, match="Give the credential the verb `list` on `pods` by a Role in the namespace prod"):
            it.pods.pods("deployment:prod/api")

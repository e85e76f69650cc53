"""Whatever a cluster or Argo CD answers: it is read, or refused in a sentence; nothing is a crash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.clients.delivery.odd_answers import APPLICATION, OBJECTS, OddCluster, odd
from tests.servers.clock import START, FakeClock

from cicd_agents.clients.delivery import argocd_rollback_shapes, argocd_shapes
from cicd_agents.clients.delivery.argo_rollouts import ArgoRollouts
from cicd_agents.clients.delivery.argocd_service import ApplicationName
from cicd_agents.clients.delivery.flagger import FlaggerCanaries
from cicd_agents.clients.delivery.flux import FluxObjects
from cicd_agents.clients.delivery.kubernetes_pods import KubernetesPods
from cicd_agents.clients.delivery.kubernetes_shapes import quantity
from cicd_agents.clients.delivery.kubernetes_workloads import KubernetesWorkloads
from cicd_agents.clients.delivery.traffic import TrafficSplits
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain import delivery_flagger, delivery_rollouts
from cicd_agents.domain.delivery_flux import FluxKind, FluxTarget
from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.delivery_traffic import TrafficKind, TrafficTarget
from cicd_agents.domain.delivery_workload import Workload
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.operations.delivery_argocd_standing import Habits, Rights, standing_of
from cicd_agents.operations.delivery_flagger import FlaggerWay
from cicd_agents.operations.delivery_flux import FluxWay
from cicd_agents.operations.delivery_rollouts import RolloutWay
from cicd_agents.operations.delivery_traffic import TrafficWay
from cicd_agents.operations.delivery_workload import WorkloadWay

NAME = ObjectName("prod", "api")
CLOCK = FakeClock()


def _way(kind: str, cluster: OddCluster) -> WorkloadWay:
    return WorkloadWay(Workload.of(f"{kind}:prod/api"), KubernetesWorkloads(cluster), CLOCK)


def _workload(kind: str, cluster: OddCluster) -> Any:
    return _way(kind, cluster).look()


def _rollout(cluster: OddCluster) -> Any:
    rollouts = ArgoRollouts(cluster)
    return RolloutWay(NAME, rollouts, CLOCK).look(), delivery_rollouts.sides(rollouts.state(NAME))


def _canary(cluster: OddCluster) -> Any:
    canaries = FlaggerCanaries(cluster)
    return FlaggerWay(NAME, canaries, _way("deployment", cluster)).look(), delivery_flagger.sides(canaries.state(NAME))


def _pods(kind: str, cluster: OddCluster) -> Any:
    pods = KubernetesPods(cluster)
    return pods.pods(f"{kind}:prod/api"), pods.versions(f"{kind}:prod/api")


def _flux(kind: FluxKind, cluster: OddCluster) -> Any:
    return FluxWay(FluxTarget(kind, NAME), FluxObjects(cluster), CLOCK).look()


def _traffic(kind: TrafficKind, cluster: OddCluster) -> Any:
    return TrafficWay(TrafficTarget(kind, NAME), TrafficSplits(cluster)).look()


# What is looked at, by which of its objects is odd.
LOOKS: Mapping[str, tuple[str, Callable[[OddCluster], Any]]] = {
    **{f"{kind} by {part}": (part, partial(_workload, kind)) for kind in ("deployment", "statefulset", "daemonset") for part in (f"{kind}s", "sets", "pods")},
    **{f"pods of {kind}": ("pods", partial(_pods, kind)) for kind in ("deployment", "statefulset", "rollout")},
    "pods by sets": ("sets", partial(_pods, "rollout")),
    "rollout": ("rollouts", _rollout), "rollout by sets": ("sets", _rollout), "canary": ("canaries", _canary), "canary by target": ("deployments", _canary),
    **{f"{kind} by {part}": (part, partial(_flux, kind)) for kind in FluxKind for part in (f"{kind}s", "gitrepositories", "imageupdateautomations")},
    "istio": ("virtualservices", partial(_traffic, TrafficKind.ISTIO)), "nginx": ("ingresses", partial(_traffic, TrafficKind.NGINX)),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKS)
def test_a_plain_answer_is_read(name: str) -> None:
    assert LOOKS[name][1](OddCluster(OBJECTS))


@pytest.mark.parametrize("name", LOOKS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_an_odd_object_of_a_cluster_is_read_or_refused(name: str, data: st.DataObject) -> None:
    part, look = LOOKS[name]
    with suppress(ServiceError, UsageError):
        look(OddCluster({**OBJECTS, part: data.draw(odd(OBJECTS[part]))}))


@pytest.mark.parametrize("number", ["²", "٣", "9" * 5000, "-1", "one"])
@pytest.mark.parametrize("name", ["deployment by sets", "rollout by sets", "pods by sets"])
def test_a_revision_whose_number_is_none_is_told_all_the_same(name: str, number: str) -> None:
    sets = deepcopy(OBJECTS["sets"])
    for note in ("deployment.kubernetes.io/revision", "rollout.argoproj.io/revision"):
        sets[0]["metadata"]["annotations"][note] = number
    assert LOOKS[name][1](OddCluster({**OBJECTS, "sets": sets}))


@given(odd(APPLICATION))
@settings(deadline=None)
def test_an_odd_application_is_read_or_refused(data: Any) -> None:
    shape, name = Shape.of(data, "Argo CD"), ApplicationName.of("api")
    with suppress(ServiceError, UsageError):
        standing_of("argocd:api", argocd_rollback_shapes.application(shape, name), Habits(), Rights(), START)
    with suppress(ServiceError, UsageError):
        argocd_shapes.state(shape, name)
        argocd_shapes.busy_with(shape, "a" * 40)


@pytest.mark.parametrize("text", ["1e999", "-1", "9" * 20 + "E", "1e80", float("inf"), float("nan"), -5, 10**400])
def test_a_limit_without_end_or_below_nothing_is_none(text: Any) -> None:
    assert quantity(text) is None


def test_the_names_of_an_odd_cluster_reach_no_other_path() -> None:
    asked: list[str] = []

    class Listening(OddCluster):
        def read(self, path: str, params: Mapping[str, str] | None = None) -> Any:
            asked.append(path)
            return super().read(path, params)

    canary = {**OBJECTS["canaries"], "spec": {"targetRef": {"kind": "Deployment", "name": "x/../../secrets/y?z"}}}
    cluster = Listening({**OBJECTS, "canaries": canary})
    FlaggerCanaries(cluster).state(NAME)
    assert "/apis/apps/v1/namespaces/prod/deployments/x%2F..%2F..%2Fsecrets%2Fy%3Fz" in asked

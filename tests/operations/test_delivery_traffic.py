"""A split of traffic goes to the stable side, or to the canary's next share; the pods stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.operations.delivery_custom_rig import ALREADY, DONE, WHY, carried, killed_everywhere, rolled_back, statuses
from tests.servers.clock import FakeClock
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_custom import CustomServer, reaching
from tests.servers.kubernetes_custom_flagger import canary, canary_ingress, virtual_service
from tests.servers.kubernetes_objects import NAMESPACE

from cicd_agents.clients.delivery.kubernetes_client import Kubernetes
from cicd_agents.clients.delivery.traffic import TrafficSplits
from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.delivery_traffic import TrafficKind, TrafficTarget
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import KnownRevision
from cicd_agents.domain.operation import Operation
from cicd_agents.operations.delivery_traffic import TrafficWay
from cicd_agents.operations.delivery_way import DeliveryWay
from cicd_agents.operations.guardian_recovery import Recovery, recovery_operation
from cicd_agents.operations.guardian_rollback import Intent, plan

ISTIO = TrafficTarget(TrafficKind.ISTIO, ObjectName(NAMESPACE, "api"), "primary")
NGINX = TrafficTarget(TrafficKind.NGINX, ObjectName(NAMESPACE, "api-canary"))
TARGETS = (ISTIO, NGINX)
each_kind = pytest.mark.parametrize("target", TARGETS, ids=["istio", "nginx"])


def scene() -> CustomServer:
    server = CustomServer()
    server.add(virtual_service(20))
    server.add(canary_ingress("20"))
    return server


def share(server: KubernetesServer) -> Any:
    route = server.the("VirtualService", NAMESPACE, "api")["spec"]["http"][0]["route"]
    return [each["weight"] for each in route], server.the("Ingress", NAMESPACE, "api-canary")["metadata"]["annotations"][
        "nginx.ingress.kubernetes.io/canary-weight"
    ]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> Iterator[CustomServer]:
    running = scene()
    with running:
        yield running
        assert running.problems == []


@pytest.fixture
def way(server: CustomServer, clock: FakeClock) -> Iterator[Callable[[TrafficTarget], TrafficWay]]:
    with reaching(server, clock) as cluster:
        yield lambda target: TrafficWay(target, TrafficSplits(cluster), "shop/api:1.1.0", "shop/api:1.0.0")


Ways = Callable[[TrafficTarget], TrafficWay]


@each_kind
def test_a_rollback_gives_all_traffic_to_the_stable_side(way: Ways, clock: FakeClock, target: TrafficTarget) -> None:
    acting = way(target)
    standing = acting.look()
    assert (standing.share, standing.health, standing.healthy, standing.settled) == (0.2, "the canary has 20 of 100", None, True)
    assert statuses(rolled_back(acting, clock)) == [("SetTrafficWeight", DONE)]
    assert acting.look().share == 0.0
    assert statuses(rolled_back(acting, clock)) == [("SetTrafficWeight", ALREADY)]


@each_kind
def test_the_whole_transaction_plans_by_the_versions_given_and_sees_the_recovery(way: Ways, clock: FakeClock, target: TrafficTarget) -> None:
    acting = way(target)
    planned = plan(acting, Intent(("shop/api:1.1.0",), WHY))
    assert planned.refusals == ()
    carried(acting, planned.operations[:1], clock)
    assert Recovery(acting.look, planned.to, clock, 60).verify(recovery_operation(acting.target, planned.to, "x", 60)).startswith("It is at shop/api:1.0.0")
    assert plan(acting, Intent(("shop/api:1.1.0",), WHY)).refusals == ()
    assert "another version was deployed" in plan(acting, Intent(("shop/api:1.2.0",), WHY)).refusals[0]


@each_kind
def test_a_promotion_sets_the_share_and_never_less_than_there_is(way: Ways, clock: FakeClock, target: TrafficTarget) -> None:
    acting = way(target)
    assert acting.promote(acting.look(), 0.05, WHY) == ()
    carried(acting, acting.promote(acting.look(), 0.5, WHY), clock)
    assert acting.look().share == 0.5
    (last,) = acting.promote(acting.look(), None, WHY)
    assert last.reverse == "Set the canary's part of the traffic to 50% again."
    carried(acting, (last,), clock)
    assert acting.look().share == 1.0


@each_kind
def test_a_freeze_is_a_share_of_nothing_and_needs_no_resume(way: Ways, clock: FakeClock, target: TrafficTarget) -> None:
    acting = way(target)
    carried(acting, acting.freeze(acting.look(), WHY), clock)
    assert (acting.look().share, acting.resume(acting.look(), WHY)) == (0.0, ())


def test_there_is_no_other_side_to_go_back_to(way: Ways) -> None:
    acting = way(ISTIO)
    with pytest.raises(UsageError, match="can only go back to 'stable'"):
        acting.rollback(acting.look(), KnownRevision("v1", "v1"), WHY)


def test_weights_that_flagger_sets_are_an_obstacle_and_so_is_a_missing_right(server: CustomServer, way: Ways) -> None:
    server.drop("VirtualService", NAMESPACE, "api")
    server.add(virtual_service(20, owner=server.add(canary())))
    server.denied = {("patch", "networking.istio.io", "virtualservices")}
    assert [text.split(" ")[0] for text in way(ISTIO).look().obstacles] == ["canary:prod/api", "The"]


def test_the_way_by_hand_is_told_for_both(way: Ways) -> None:
    istio, nginx = (way(target).commands(way(target).look(), None)[0] for target in TARGETS)
    assert istio == "kubectl edit virtualservice api -n prod  # weight 0 for canary, 100 for stable"
    assert nginx == "kubectl annotate ingress api-canary -n prod --overwrite nginx.ingress.kubernetes.io/canary-weight=0"


def back(way: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    return rolled_back(way, clock)


def half(way: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    standing = way.look()
    return carried(way, way.promote(standing, 0.5, WHY), clock)


@pytest.mark.parametrize("act", [back, half], ids=["rollback", "promote"])
@each_kind
def test_killed_at_any_call_a_second_run_comes_to_the_same_end(target: TrafficTarget, act: Any) -> None:
    def made(cluster: Kubernetes, _clock: FakeClock) -> TrafficWay:
        return TrafficWay(target, TrafficSplits(cluster))

    assert list(killed_everywhere(scene, made, act, share)) == []

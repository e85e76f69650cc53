"""A Canary of Flagger goes back by its target, is promoted by skipping the analysis, and frozen by suspending it with its traffic set aside."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from tests.operations.delivery_custom_rig import ALREADY, DONE, FAILED, WHY, carried, killed_everywhere, rolled_back, statuses
from tests.servers.clock import FakeClock
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_custom import CustomServer, reaching
from tests.servers.kubernetes_custom_flagger import FlaggerController, canary, weighed_by_flagger
from tests.servers.kubernetes_objects import NAMESPACE, deployment

from cicd_agents.clients.delivery.flagger import FlaggerCanaries
from cicd_agents.clients.delivery.kubernetes_client import Kubernetes
from cicd_agents.clients.delivery.kubernetes_workloads import KubernetesWorkloads
from cicd_agents.clients.delivery.traffic import TrafficSplits
from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.delivery_workload import Workload
from cicd_agents.domain.errors import Refused, Rejected, UsageError
from cicd_agents.domain.operation import Operation
from cicd_agents.operations.delivery_flagger import FlaggerWay
from cicd_agents.operations.delivery_way import DeliveryWay
from cicd_agents.operations.delivery_workload import WorkloadWay
from cicd_agents.operations.guardian_recovery import Recovery, recovery_operation

NAME = ObjectName(NAMESPACE, "api")
FLAGGER = FlaggerController()


def scene(ticks: int = 2, **spec: Any) -> CustomServer:
    """A cluster where version 1.1.0 is analysed (two ticks), or is the primary's (ten)."""
    server = CustomServer()
    server.add(deployment("api", "shop/api:1.0.0"))
    added = server.add(canary(**spec))
    if added["spec"]["provider"] in ("istio", "nginx"):
        server.add(weighed_by_flagger(added))
    FLAGGER.tick(server)
    set_image(server, "1.1.0")
    for _ in range(ticks):
        FLAGGER.tick(server)
    return server


def set_image(server: CustomServer, tag: str) -> None:
    containers = deepcopy(server.the("Deployment", NAMESPACE, "api")["spec"]["template"]["spec"]["containers"])
    containers[0]["image"] = f"shop/api:{tag}"
    server.edit("Deployment", NAMESPACE, "api", {"spec": {"template": {"spec": {"containers": containers}}}})


def image(server: KubernetesServer, name: str = "api") -> str:
    return str(server.the("Deployment", NAMESPACE, name)["spec"]["template"]["spec"]["containers"][0]["image"]).removeprefix("shop/api:")


def status(server: KubernetesServer) -> Any:
    return server.the("Canary", NAMESPACE, "api")["status"]


def made(cluster: Kubernetes, clock: FakeClock) -> FlaggerWay:
    workload = WorkloadWay(Workload.of("deployment:prod/api"), KubernetesWorkloads(cluster), clock, owner_handled=True)
    return FlaggerWay(NAME, FlaggerCanaries(cluster), workload, TrafficSplits(cluster))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[CustomServer]:
    running = scene(**getattr(request, "param", {}))
    with running:
        yield running
        assert running.problems == []


promoted = pytest.mark.parametrize("server", [{"ticks": 10}], indirect=True, ids=["promoted"])


@pytest.fixture
def way(server: CustomServer, clock: FakeClock) -> Iterator[FlaggerWay]:
    with reaching(server, clock) as cluster:
        yield made(cluster, clock)


def test_while_it_is_analysed_the_primarys_revision_is_good_and_stable(way: FlaggerWay) -> None:
    standing = way.look()
    assert standing.current is not None
    assert standing.stable is not None
    assert ("1.1.0" in standing.current.version, "1.0.0" in standing.stable.version, standing.good, standing.share) == (True, True, standing.stable, 0.1)
    assert (standing.healthy, standing.settled, standing.obstacles) == (True, False, ())
    assert standing.stable.id.startswith("api-")


def test_an_analysed_version_goes_back_by_its_target_and_no_new_analysis_begins(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    good = way.look().good
    assert statuses(rolled_back(way, clock)) == [("UndoWorkload", DONE)]
    standing = way.look()
    assert (image(server), image(server, "api-primary"), standing.settled, standing.healthy) == ("1.0.0", "1.0.0", True, True)
    assert Recovery(way.look, good, clock, 60).verify(recovery_operation(way.target, good, "x", 60)).startswith("It is at")
    for _ in range(8):
        FLAGGER.tick(server)
    assert (status(server)["phase"], image(server, "api-primary")) == ("Succeeded", "1.0.0")


@promoted
def test_where_the_bad_version_is_promoted_the_older_one_comes_in_without_an_analysis(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    assert (status(server)["phase"], image(server, "api-primary")) == ("Succeeded", "1.1.0")
    standing = way.look()
    assert standing.stable is None
    before = next(each for each in standing.earlier if "1.0.0" in each.version)
    assert statuses(carried(way, way.rollback(standing, before, WHY), clock)) == [("SkipAnalysis", DONE), ("UndoWorkload", DONE)]
    FLAGGER.tick(server)
    early = carried(way, way.resume(way.look(), WHY), clock)
    assert (statuses(early), "Resume it later" in early[0].result) == ([("StopSkippingAnalysis", FAILED)], True)
    FLAGGER.tick(server)
    after = way.look()
    assert after.current is not None
    assert (status(server)["phase"], image(server, "api-primary"), after.current.id, after.healthy, after.settled) == (
        "Succeeded",
        "1.0.0",
        before.id,
        True,
        True,
    )
    assert statuses(carried(way, way.resume(after, WHY), clock)) == [("StopSkippingAnalysis", DONE)]
    assert way.resume(way.look(), WHY) == ()


def test_without_its_target_it_cannot_be_rolled_back(server: CustomServer, clock: FakeClock) -> None:
    with reaching(server, clock) as cluster:
        alone = FlaggerWay(NAME, FlaggerCanaries(cluster))
        standing = alone.look()
        assert standing.good is not None
        with pytest.raises(UsageError, match="Name its target beside it"):
            alone.rollback(standing, standing.good, WHY)
        assert alone.freeze(standing, WHY) == ()


def test_only_all_steps_at_once_can_be_promoted(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    assert way.promote(way.look(), 0.25, WHY) == ()
    assert statuses(carried(way, way.promote(way.look(), None, WHY), clock)) == [("SkipAnalysis", DONE)]
    FLAGGER.tick(server)
    assert (status(server)["phase"], image(server, "api-primary")) == ("Succeeded", "1.1.0")
    assert way.promote(way.look(), None, WHY) == ()


def test_a_version_that_came_in_since_it_was_judged_is_not_promoted_unseen(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    planned = way.promote(way.look(), None, WHY)
    set_image(server, "1.2.0")
    (done,) = carried(way, planned, clock)
    assert (done.status, "which was not judged; look again" in done.result) == (FAILED, True)
    FLAGGER.tick(server)
    assert image(server, "api-primary") == "1.0.0"


@promoted
def test_a_version_that_comes_in_before_the_rollback_keeps_its_analysis(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    standing = way.look()
    planned = way.rollback(standing, next(each for each in standing.earlier if "1.0.0" in each.version), WHY)
    set_image(server, "1.2.0")
    FLAGGER.tick(server)
    assert carried(way, planned, clock)[0].status is FAILED
    assert "skipAnalysis" not in server.the("Canary", NAMESPACE, "api")["spec"]


def test_a_freeze_suspends_flagger_and_sets_the_traffic_aside(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    assert statuses(carried(way, way.freeze(way.look(), WHY), clock)) == [("SuspendCanary", DONE), ("SetTrafficWeight", DONE)]
    FLAGGER.tick(server)
    standing = way.look()
    assert (standing.share, standing.settled, server.the("Deployment", NAMESPACE, "api")["spec"]["replicas"]) == (0.0, True, 3)
    assert statuses(carried(way, way.freeze(standing, WHY), clock)) == [("SuspendCanary", ALREADY), ("SetTrafficWeight", ALREADY)]
    assert Recovery(way.look, None, clock, 60).verify(recovery_operation(way.target, None, "x", 60)).startswith("It is on the stable version")


NGINX = {"provider": "nginx", "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "web"}}


@pytest.mark.parametrize("server", [NGINX], indirect=True)
def test_a_freeze_sets_the_weight_of_the_ingress_that_flagger_made(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    assert statuses(carried(way, way.freeze(way.look(), WHY), clock)) == [("SuspendCanary", DONE), ("SetTrafficWeight", DONE)]
    annotations = server.the("Ingress", NAMESPACE, "web-canary")["metadata"]["annotations"]
    assert (annotations["nginx.ingress.kubernetes.io/canary-weight"], way.look().share) == ("0", 0.0)


@pytest.mark.parametrize("server", [{**NGINX, "ticks": 1}], indirect=True)
def test_an_ingress_that_flagger_gives_nothing_yet_is_frozen_as_it_is(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    assert way.look().share == 0.0
    assert statuses(carried(way, way.freeze(way.look(), WHY), clock)) == [("SuspendCanary", DONE), ("SetTrafficWeight", ALREADY)]


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({"provider": "linkerd"}, "its provider is linkerd, and only the weights of istio and nginx are written here"),
        ({**NGINX, "analysis": {"interval": "1m", "threshold": 5, "stepWeight": 10, "maxWeight": 50, "match": [{"headers": {"x": {"exact": "y"}}}]}},
         "its traffic is split by headers or cookies"),
    ],
    indirect=["server"],
)  # fmt: skip
def test_where_it_is_not_known_what_weighs_the_traffic_there_is_no_freeze_and_it_is_said(server: CustomServer, way: FlaggerWay, words: str) -> None:
    standing = way.look()
    assert way.freeze(standing, WHY) == ()
    assert words in " ".join(standing.notes)


def test_without_the_right_to_weigh_it_is_not_frozen_and_flagger_not_suspended(server: CustomServer, way: FlaggerWay) -> None:
    server.denied = {("patch", "networking.istio.io", "virtualservices")}
    with pytest.raises(Refused, match=r"cannot be frozen: .*`virtualservices`"):
        way.freeze(way.look(), WHY)


def test_weights_that_cannot_be_read_do_not_stand_in_the_way_of_a_rollback(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    carried(way, way.hold(way.look(), WHY), clock)
    server.denied = {("get", "networking.istio.io", "virtualservices")}
    standing = way.look()
    assert (standing.share, "its share is Flagger's own word" in " ".join(standing.notes)) == (0.1, True)
    assert statuses(rolled_back(way, clock)) == [("UndoWorkload", DONE), ("ResumeCanary", DONE)]


def test_a_rollback_after_a_freeze_lets_flagger_go_on(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    carried(way, way.freeze(way.look(), WHY), clock)
    assert statuses(rolled_back(way, clock)) == [("UndoWorkload", DONE), ("ResumeCanary", DONE)]
    assert server.the("Canary", NAMESPACE, "api")["spec"]["suspend"] is False


def test_a_hold_leaves_the_split_as_it_is_and_is_resumed(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    assert statuses(carried(way, way.hold(way.look(), WHY), clock)) == [("SuspendCanary", DONE)]
    assert (way.hold(way.look(), WHY), way.look().share) == ((), 0.1)
    FLAGGER.tick(server)
    assert way.look().share == 0.1
    assert statuses(carried(way, way.release(way.look(), WHY), clock)) == [("ResumeCanary", DONE)]
    assert way.release(way.look(), WHY) == ()


def test_a_hold_is_bound_to_the_version_that_was_judged(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    planned = way.hold(way.look(), WHY)
    set_image(server, "1.2.0")
    assert carried(way, planned, clock)[0].status is FAILED
    assert "suspend" not in server.the("Canary", NAMESPACE, "api")["spec"]


@promoted
def test_where_no_version_is_analysed_there_is_nothing_to_hold(server: CustomServer, way: FlaggerWay) -> None:
    assert way.hold(way.look(), WHY) == ()


@pytest.mark.parametrize("server", [{"ticks": 10, "suspend": False}], indirect=True)
def test_what_somebody_else_suspended_stays_so_and_is_an_obstacle(server: CustomServer, way: FlaggerWay) -> None:
    server.edit("Canary", NAMESPACE, "api", {"spec": {"suspend": True, "skipAnalysis": True}})
    standing = way.look()
    assert any("It is suspended by somebody else" in text for text in standing.obstacles)
    assert way.resume(standing, WHY) == ()


def test_what_flagger_rolled_back_itself_is_at_the_primary(server: CustomServer, way: FlaggerWay, clock: FakeClock) -> None:
    FLAGGER.fail(server)
    standing = way.look()
    assert standing.current is not None
    assert ("1.0.0" in standing.current.version, standing.stable, standing.settled, standing.healthy, standing.failed) == (True, None, True, True, "")
    assert [("1.1.0" in each.version, each.good) for each in standing.earlier] == [(True, False)]
    assert "revert that in Git" in " ".join(standing.notes)
    assert statuses(carried(way, way.rollback(standing, standing.current, WHY), clock)) == [("UndoWorkload", DONE)]
    FLAGGER.tick(server)
    assert (status(server)["phase"], image(server)) == ("Failed", "1.0.0")


def test_a_version_that_was_promoted_since_the_look_is_not_planned_for(server: CustomServer, way: FlaggerWay) -> None:
    standing = way.look()
    assert standing.good is not None
    for _ in range(8):
        FLAGGER.tick(server)
    with pytest.raises(Rejected, match="is Succeeded by now"):
        way.rollback(standing, standing.good, WHY)


def test_where_the_primarys_revision_is_gone_that_is_an_obstacle(server: CustomServer, way: FlaggerWay) -> None:
    old = next(
        each for each in server.all("ReplicaSet") if each["metadata"]["name"].startswith("api-") and "1.0.0" in str(each["spec"]) and "primary" not in str(each)
    )
    server.drop("ReplicaSet", NAMESPACE, old["metadata"]["name"])
    standing = way.look()
    assert standing.good is not None
    assert (standing.good.id, "see `revisionHistoryLimit`" in " ".join(standing.obstacles)) == ("primary", True)


@pytest.mark.parametrize(("phase", "obstacle"), [("Terminating", "there is no primary that serves"), ("Levitating", "'Levitating' is not known")])
def test_phases_in_which_nothing_can_be_said_are_obstacles(server: CustomServer, way: FlaggerWay, phase: str, obstacle: str) -> None:
    data = deepcopy(server.the("Canary", NAMESPACE, "api"))
    data["status"]["phase"] = phase
    server.put(data)
    assert obstacle in " ".join(way.look().obstacles)


def test_a_target_whose_versions_cannot_be_told_apart_is_an_obstacle(server: CustomServer, clock: FakeClock) -> None:
    server.add(canary("web", kind="Service"))
    with reaching(server, clock) as cluster:
        standing = FlaggerWay(ObjectName(NAMESPACE, "web"), FlaggerCanaries(cluster)).look()
    assert (standing.current, "Its target is a Service" in " ".join(standing.obstacles)) == (None, True)


def test_missing_rights_are_obstacles_and_a_gate_is_noted(clock: FakeClock) -> None:
    hook = {"name": "gate", "type": "rollback", "url": "http://gate/"}
    with scene(webhooks=[hook]) as running, reaching(running, clock) as cluster:
        assert isinstance(running, CustomServer)
        running.denied = {("patch", "flagger.app", "canaries")}
        standing = made(cluster, clock).look()
        assert ("`canaries`" in standing.obstacles[0], "`rollback` gate" in " ".join(standing.notes)) == (True, True)
        assert running.problems == []


@promoted
def test_the_way_by_hand_skips_the_analysis_of_what_was_promoted(server: CustomServer, way: FlaggerWay) -> None:
    standing = way.look()
    first = way.commands(standing, standing.earlier[0])[0]
    assert first.startswith('kubectl patch canary api -n prod --type merge -p \'{"spec":{"skipAnalysis":true}}\'')


def back(way: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    standing = way.look()
    first = next(each for each in (standing.current, *standing.earlier) if each is not None and "1.0.0" in each.version)
    return carried(way, way.rollback(standing, first, WHY), clock)


def held(way: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    return carried(way, way.hold(way.look(), WHY), clock)


def frozen(way: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    return carried(way, way.freeze(way.look(), WHY), clock)


def end(server: KubernetesServer) -> Any:
    spec = server.the("Canary", NAMESPACE, "api")["spec"]
    routes = server.the("VirtualService", NAMESPACE, "api")["spec"]["http"]
    return image(server), spec.get("suspend"), spec.get("skipAnalysis"), routes, server.the("Canary", NAMESPACE, "api")["metadata"].get("annotations")


@pytest.mark.parametrize(("ticks", "act"), [(2, back), (10, back), (2, frozen), (2, held)], ids=["analysed", "promoted", "freeze", "hold"])
def test_killed_at_any_call_a_second_run_comes_to_the_same_end(ticks: int, act: Any) -> None:
    assert list(killed_everywhere(lambda: scene(ticks), made, act, end)) == []

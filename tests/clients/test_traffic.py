"""Weights of Istio's routes and of canary Ingresses are read and set: always with a sum of 100, and nothing else is changed."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.clock import FakeClock
from tests.servers.http_server import Reply
from tests.servers.kubernetes import status
from tests.servers.kubernetes_custom import CustomServer, reaching
from tests.servers.kubernetes_custom_flagger import canary, canary_ingress, virtual_service
from tests.servers.kubernetes_objects import NAMESPACE

from cicd_agents.clients.delivery import traffic_istio
from cicd_agents.clients.delivery.traffic import TrafficSplits
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.delivery_traffic import Traffic, TrafficKind, TrafficTarget
from cicd_agents.domain.errors import BadAnswer, Refused, Rejected, UsageError

ISTIO = TrafficTarget(TrafficKind.ISTIO, ObjectName(NAMESPACE, "api"), "primary")
NGINX = TrafficTarget(TrafficKind.NGINX, ObjectName(NAMESPACE, "api-canary"))
TESTERS = {"name": "testers", "match": [{"headers": {"x-tester": {"exact": "1"}}}], "route": [{"destination": {"host": "api", "subset": "canary"}}]}


@pytest.fixture
def server() -> Iterator[CustomServer]:
    running = CustomServer()
    with running:
        yield running
        assert running.problems == []


@pytest.fixture
def traffic(server: CustomServer) -> Iterator[TrafficSplits]:
    with reaching(server, FakeClock()) as client:
        yield TrafficSplits(client)


def weights(server: CustomServer, index: int = 0) -> dict[str, int]:
    route = server.the("VirtualService", NAMESPACE, "api")["spec"]["http"][index]["route"]
    return {each["destination"]["subset"]: each["weight"] for each in route}


def nginx_weight(server: CustomServer) -> str:
    return str(server.the("Ingress", NAMESPACE, "api-canary")["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"])


# Istio


def test_a_named_route_is_read_and_set_and_the_others_stay(server: CustomServer, traffic: TrafficSplits) -> None:
    server.add(virtual_service(20, more=[TESTERS]))
    port: Traffic = traffic
    split = port.split(ISTIO)
    assert (split.weight, split.total, split.share, split.owner) == (20, 100, 0.2, "")
    assert split.notes == ("Another route of the VirtualService leads to the canary as well, whatever the weight.",)
    assert port.set_share(ISTIO, 0.0)
    assert weights(server, 1) == {"stable": 100, "canary": 0}
    data = server.the("VirtualService", NAMESPACE, "api")["spec"]
    assert (data["http"][0], data["http"][1]["timeout"], data["hosts"]) == (TESTERS, "5s", ["api.example"])
    assert not port.set_share(ISTIO, 0.0)


def test_the_patch_tests_the_name_and_the_whole_route_first(server: CustomServer, traffic: TrafficSplits) -> None:
    server.add(virtual_service(20))
    traffic.set_share(ISTIO, 0.5)
    (_, path, patch) = server.writes[0]
    assert path == "/apis/networking.istio.io/v1/namespaces/prod/virtualservices/api"
    assert [(each["op"], each["path"]) for each in patch] == [
        ("test", "/spec/http/0/name"), ("test", "/spec/http/0/route"), ("replace", "/spec/http/0/route"),
    ]  # fmt: skip


def test_the_only_route_with_two_destinations_needs_no_name(server: CustomServer, traffic: TrafficSplits) -> None:
    server.add(virtual_service(20, route="", more=[TESTERS]))
    assert traffic.set_share(TrafficTarget(TrafficKind.ISTIO, ISTIO.name), 1.0)
    assert weights(server, 1) == {"stable": 0, "canary": 100}


def test_destinations_may_be_named_by_their_hosts(server: CustomServer, traffic: TrafficSplits) -> None:
    data = virtual_service(20)
    data["spec"]["http"][0]["route"] = [{"destination": {"host": f"api-{side}"}, "weight": weight} for side, weight in (("primary", 80), ("canary", 20))]
    server.add(data)
    assert traffic.split(TrafficTarget(TrafficKind.ISTIO, ISTIO.name, "primary", "api-canary", "api-primary")).weight == 20


@pytest.mark.parametrize(("one", "other", "percent"), [(1, 3, 25), (1, 999, 1), (999, 1, 99), (0, 7, 0), (7, 0, 100)])
def test_weights_with_another_sum_are_parts_of_it(server: CustomServer, traffic: TrafficSplits, one: int, other: int, percent: int) -> None:
    data = virtual_service(20)
    data["spec"]["http"][0]["route"][1]["weight"], data["spec"]["http"][0]["route"][0]["weight"] = one, other
    server.add(data)
    assert traffic.split(ISTIO).weight == percent


@given(st.integers(0, 100), st.integers(0, 100), st.booleans())
def test_what_is_written_always_has_the_sum_100(before: int, wanted: int, third: bool) -> None:
    data = virtual_service(before)
    if third:
        data["spec"]["http"][0]["route"].append({"destination": {"host": "api", "subset": "old"}, "weight": 0})
    (steps, _) = traffic_istio.patch(ISTIO, Shape.of(data, "Istio"), wanted)
    written = steps[-1]["value"]
    assert (sum(each["weight"] for each in written), written[1]["weight"], [each["destination"] for each in written]) == (
        100, wanted, [each["destination"] for each in data["spec"]["http"][0]["route"]],
    )  # fmt: skip


def broken(change: Any) -> Any:
    data = virtual_service(20)
    change(data["spec"]["http"])
    return data


@pytest.mark.parametrize(
    ("data", "words", "kind", "text"),
    [
        (virtual_service(20), ("secondary",), UsageError, "has no HTTP routes 'secondary'; it has 'primary'"),
        (virtual_service(20, more=[deepcopy(virtual_service(5)["spec"]["http"][0])]), (), UsageError, "name the one to weigh"),
        (virtual_service(20), ("primary", "v2"), UsageError, "no destinations of prod/api have the subset or host 'v2'; they are stable/api, canary/api"),
        (virtual_service(20), ("primary", "canary", "canary"), UsageError, "name the same destination"),
        (broken(lambda http: http[0]["route"].append({"destination": {"host": "b"}, "weight": 9})), ("primary",), Refused, "a third destination"),
        (broken(lambda http: [each.pop("weight") for each in http[0]["route"]]), ("primary",), Refused, "has no weights"),
    ],
)  # fmt: skip
def test_routes_that_are_not_clear_are_not_weighed(
    server: CustomServer, traffic: TrafficSplits, data: Any, words: tuple[str, ...], kind: type[Exception], text: str
) -> None:
    server.add(data)
    with pytest.raises(kind, match=text):
        traffic.set_share(TrafficTarget(TrafficKind.ISTIO, ISTIO.name, *words), 0.0)
    assert server.writes == []


def test_a_route_that_somebody_changed_meanwhile_is_left_alone(server: CustomServer, traffic: TrafficSplits) -> None:
    server.add(virtual_service(20))
    original = server.handler

    def meddled(request: Any) -> Reply:
        if request.method == "PATCH":
            server.edit("VirtualService", NAMESPACE, "api", virtual_service(30))
        return original(request)

    server.handler = meddled
    with pytest.raises(Rejected):
        traffic.set_share(ISTIO, 0.0)
    assert weights(server) == {"stable": 70, "canary": 30}


def test_a_patch_that_went_through_although_the_answer_says_no_counts_as_done(server: CustomServer, traffic: TrafficSplits) -> None:
    server.add(virtual_service(20))
    original = server.handler

    def no(request: Any) -> Reply:
        answer = original(request)
        return status(422, "the test failed") if request.method == "PATCH" else answer

    server.handler = no
    assert traffic.set_share(ISTIO, 0.0)


def test_weights_that_flagger_sets_are_said_to_be_flaggers(server: CustomServer, traffic: TrafficSplits) -> None:
    owner = server.add(canary())
    server.add(virtual_service(20, owner=owner))
    assert traffic.split(ISTIO).owner == "canary:prod/api"


def test_an_older_version_of_the_api_is_used_where_the_newest_is_not_served(server: CustomServer, traffic: TrafficSplits) -> None:
    server.kinds = [each for each in server.kinds if each.kind != "VirtualService"]
    server.serve("networking.istio.io", "v1beta1", "virtualservices", "VirtualService")
    server.add(virtual_service(20) | {"apiVersion": "networking.istio.io/v1beta1"})
    assert traffic.set_share(ISTIO, 0.5)
    assert server.writes[0][1].startswith("/apis/networking.istio.io/v1beta1/")


# NGINX


def test_the_weight_of_a_canary_ingress_is_an_annotation_and_nothing_else_changes(server: CustomServer, traffic: TrafficSplits) -> None:
    before = deepcopy(server.add(canary_ingress("20"))["spec"])
    assert traffic.split(NGINX).share == 0.2
    assert traffic.set_share(NGINX, 0.0)
    assert server.writes == [
        ("PATCH", "/apis/networking.k8s.io/v1/namespaces/prod/ingresses/api-canary",
         {"metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary-weight": "0"}}}),
    ]  # fmt: skip
    assert server.the("Ingress", NAMESPACE, "api-canary")["spec"] == before
    assert not traffic.set_share(NGINX, 0.0)


def test_a_total_of_its_own_is_heeded(server: CustomServer, traffic: TrafficSplits) -> None:
    server.add(canary_ingress("50", weight_total="1000"))
    assert traffic.split(NGINX).share == 0.05
    assert traffic.set_share(NGINX, 0.25)
    assert nginx_weight(server) == "250"


def test_headers_and_cookies_that_still_lead_to_the_canary_are_said(server: CustomServer, traffic: TrafficSplits) -> None:
    server.add(canary_ingress("20", by_header="x-canary", by_cookie="tester"))
    assert [note.split("`")[1] for note in traffic.split(NGINX).notes] == [
        "nginx.ingress.kubernetes.io/canary-by-header: x-canary", "nginx.ingress.kubernetes.io/canary-by-cookie: tester",
    ]  # fmt: skip


def test_an_ingress_that_is_no_canary_is_refused(server: CustomServer, traffic: TrafficSplits) -> None:
    data = canary_ingress("20")
    data["metadata"]["annotations"].pop("nginx.ingress.kubernetes.io/canary")
    server.add(data)
    with pytest.raises(Refused, match="is no canary: it lacks the annotation"):
        traffic.set_share(NGINX, 0.0)


@pytest.mark.parametrize(("weight", "more"), [("many", {}), ("-1", {}), ("9" * 20, {}), ("5", {"weight_total": "0"})])
def test_weights_that_are_no_numbers_are_said(server: CustomServer, traffic: TrafficSplits, weight: str, more: dict[str, str]) -> None:
    server.add(canary_ingress(weight, **more))
    with pytest.raises(BadAnswer, match=r"nginx\.ingress\.kubernetes\.io/canary-weight"):
        traffic.split(NGINX)


def test_what_is_not_there_is_said_with_the_target(traffic: TrafficSplits) -> None:
    with pytest.raises(UsageError, match="check the target `nginx:prod/api-canary`"):
        traffic.split(NGINX)
    with pytest.raises(UsageError, match="check the target `istio:prod/api`"):
        traffic.split(ISTIO)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_beyond_all_is_a_bug_and_not_written(server: CustomServer, traffic: TrafficSplits, share: float) -> None:
    server.add(canary_ingress("20"))
    with pytest.raises(ValueError, match="between 0 and 1"):
        traffic.set_share(NGINX, share)

"""Canaries of Flagger are read with their target and primary, suspended, and told to skip analyses; what weighs their traffic is found."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from tests.servers.clock import FakeClock
from tests.servers.kubernetes_custom import CustomServer, reaching
from tests.servers.kubernetes_custom_flagger import FlaggerController, canary
from tests.servers.kubernetes_objects import NAMESPACE, daemon_set, deployment

from cicd_agents.clients.delivery.flagger import FlaggerCanaries
from cicd_agents.domain.delivery_flagger import Flagger, FlaggerPhase, sides
from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.errors import UsageError

NAME = ObjectName(NAMESPACE, "api")


@pytest.fixture
def server() -> Iterator[CustomServer]:
    running = CustomServer()
    with running:
        yield running
        assert running.problems == []


@pytest.fixture
def flagger(server: CustomServer) -> Iterator[FlaggerCanaries]:
    with reaching(server, FakeClock()) as client:
        yield FlaggerCanaries(client)


def analysed(server: CustomServer, ticks: int = 2) -> None:
    """A Canary whose new version is analysed."""
    server.add(deployment("api", "shop/api:1.0.0"))
    server.add(canary())
    FlaggerController().tick(server)
    set_image(server, "1.1.0")
    for _ in range(ticks):
        FlaggerController().tick(server)


def set_image(server: CustomServer, tag: str) -> None:
    containers = deepcopy(server.the("Deployment", NAMESPACE, "api")["spec"]["template"]["spec"]["containers"])
    containers[0]["image"] = f"shop/api:{tag}"
    server.edit("Deployment", NAMESPACE, "api", {"spec": {"template": {"spec": {"containers": containers}}}})


def test_an_analysis_is_read_with_both_sides(server: CustomServer, flagger: FlaggerCanaries) -> None:
    analysed(server)
    port: Flagger = flagger
    state = port.state(NAME)
    assert (state.phase, state.weight, state.failed_checks, state.threshold, state.coming, state.same) == (FlaggerPhase.PROGRESSING, 10, 0, 5, True, False)
    assert state.target is not None
    assert state.primary is not None
    assert (state.target.images, state.primary.images, state.primary.name) == (("shop/api:1.1.0",), ("shop/api:1.0.0",), "api-primary")
    assert (state.target.healthy, state.primary.healthy) == (True, True)


def test_the_targets_own_revision_that_the_primary_runs_is_found(server: CustomServer, flagger: FlaggerCanaries) -> None:
    analysed(server)
    sets = [each for each in server.all("ReplicaSet") if each["metadata"]["name"].startswith("api-") and "primary" not in each["metadata"]["name"]]
    old = next(each for each in sets if "1.0.0" in each["spec"]["template"]["spec"]["containers"][0]["image"])
    assert flagger.state(NAME).primary_ids == (old["metadata"]["labels"]["pod-template-hash"], old["metadata"]["name"])


def test_the_copies_of_configuration_that_the_primary_has_make_it_no_other_version(server: CustomServer, flagger: FlaggerCanaries) -> None:
    data = deployment("api", "shop/api:1.0.0")
    data["spec"]["template"]["spec"]["volumes"] = [{"name": "config", "configMap": {"name": "api-config"}}]
    server.add(data)
    server.add(canary())
    FlaggerController().tick(server)
    primary = deepcopy(server.the("Deployment", NAMESPACE, "api-primary"))
    primary["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"] = "api-config-primary"
    server.put(primary)
    assert flagger.state(NAME).same is True
    server.edit("Deployment", NAMESPACE, "api", {"spec": {"template": {"spec": {"volumes": [{"name": "config", "configMap": {"name": "api-config-2"}}]}}}})
    assert flagger.state(NAME).same is False


def test_pods_of_target_and_primary_are_told_apart_for_queries(server: CustomServer, flagger: FlaggerCanaries) -> None:
    analysed(server)
    found = sides(flagger.state(NAME))
    assert found is not None
    assert (found.canary, found.baseline) == ('pod=~"api-[a-z0-9]+-[a-z0-9]+"', 'pod=~"api-primary-[a-z0-9]+-[a-z0-9]+"')


def test_a_daemon_sets_pods_have_one_part_less(server: CustomServer, flagger: FlaggerCanaries) -> None:
    server.add(daemon_set("api", "shop/api:1.1.0"))
    server.add(daemon_set("api-primary", "shop/api:1.0.0"))
    data = canary(kind="DaemonSet")
    data["status"] = {"phase": "Progressing", "canaryWeight": 10}
    server.add(data)
    found = sides(flagger.state(NAME))
    assert found is not None
    assert (found.canary, found.baseline) == ('pod=~"api-[a-z0-9]+"', 'pod=~"api-primary-[a-z0-9]+"')


def test_a_canary_that_flagger_has_not_seen_is_new(server: CustomServer, flagger: FlaggerCanaries) -> None:
    server.add(canary())
    state = flagger.state(NAME)
    assert (state.phase, state.coming, state.target, state.primary) == (FlaggerPhase.NEW, False, None, None)


def test_a_phase_that_flagger_does_not_have_is_an_unknown_one(server: CustomServer, flagger: FlaggerCanaries) -> None:
    data = canary()
    data["status"] = {"phase": "Levitating"}
    server.put(data)
    assert (flagger.state(NAME).phase, flagger.state(NAME).word) == (FlaggerPhase.UNKNOWN, "Levitating")


def test_a_canary_that_is_not_there_is_said_with_the_target(flagger: FlaggerCanaries) -> None:
    with pytest.raises(UsageError, match="There is no Canary prod/api, or Flagger is not installed: check the target `canary:prod/api`"):
        flagger.state(NAME)


@pytest.mark.parametrize(
    ("method", "field", "mark"), [("suspend", "suspend", "cicd-agents/suspended"), ("skip_analysis", "skipAnalysis", "cicd-agents/skip-analysis")]
)
def test_what_is_switched_on_bears_our_mark_and_only_that_is_switched_off(
    server: CustomServer, flagger: FlaggerCanaries, method: str, field: str, mark: str
) -> None:
    server.add(canary())
    switch = getattr(flagger, method)
    assert not switch(NAME, False)
    assert switch(NAME, True)
    assert server.writes[-1][2] == {"metadata": {"annotations": {mark: "true"}}, "spec": {field: True}}
    assert not switch(NAME, True)
    assert switch(NAME, False)
    assert server.the("Canary", NAMESPACE, "api")["spec"][field] is False
    server.edit("Canary", NAMESPACE, "api", {"spec": {field: True}})
    assert not switch(NAME, True)
    assert not switch(NAME, False)


def test_missing_rights_are_named(server: CustomServer, flagger: FlaggerCanaries) -> None:
    server.denied = {("patch", "flagger.app", "canaries")}
    assert flagger.missing_rights(NAME) == ("The credential may not patch `canaries` of `flagger.app` in prod: add that to its Role.",)


@pytest.mark.parametrize(
    ("spec", "split"),
    [
        ({}, ("istio:prod/api", "api-canary", "api-primary")),
        ({"service": {"port": 80, "name": "shop"}}, ("istio:prod/shop", "shop-canary", "shop-primary")),
        ({"provider": "nginx", "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "web"}},
         ("nginx:prod/web-canary", "canary", "stable")),
        ({"provider": "nginx", "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "web"},
          "analysis": {"interval": "1m", "threshold": 5, "iterations": 10, "match": [{"headers": {"x-canary": {"exact": "yes"}}}]}}, None),
        ({"provider": "linkerd"}, None),
        ({"provider": None}, None),
    ],
)  # fmt: skip
def test_what_flagger_weighs_is_told_by_the_names_that_it_gives(
    server: CustomServer, flagger: FlaggerCanaries, spec: dict[str, Any], split: tuple[str, str, str] | None
) -> None:
    server.add(deployment("api", "shop/api:1.0.0"))
    made = canary(**spec)
    made["spec"] = {key: value for key, value in made["spec"].items() if value is not None}
    server.add(made)
    found = flagger.state(NAME).split
    assert (None if found is None else (found.shown, found.canary, found.stable)) == split

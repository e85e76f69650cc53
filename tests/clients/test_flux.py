"""Kustomizations, HelmReleases and image automations are read, suspended, resumed and asked to reconcile; objects are checked against their CRDs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.servers.clock import FakeClock
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_custom import CustomServer, reaching
from tests.servers.kubernetes_custom_flux import FluxController, condition, git_repository, helm_release, image_automation, kustomization
from tests.servers.kubernetes_lists import Data
from tests.servers.kubernetes_objects import NAMESPACE

from cicd_agents.clients.delivery.flux import FluxObjects
from cicd_agents.domain.delivery_flux import Flux, FluxKind, FluxTarget, HelmSnapshot, would_come_back
from cicd_agents.domain.delivery_objects import SUSPENDED_BY_US, ObjectName
from cicd_agents.domain.errors import UsageError

GOOD, BAD = "main@sha1:" + "a" * 40, "main@sha1:" + "b" * 40
SHOP = FluxTarget(FluxKind.KUSTOMIZATION, ObjectName("flux-system", "shop"))
RELEASE = FluxTarget(FluxKind.HELM_RELEASE, ObjectName(NAMESPACE, "shop"))


@pytest.fixture
def server() -> Iterator[CustomServer]:
    running = CustomServer()
    with running:
        running.add(git_repository(BAD))
        yield running
        assert running.problems == []


@pytest.fixture
def flux(server: CustomServer) -> Iterator[FluxObjects]:
    with reaching(server, FakeClock()) as client:
        yield FluxObjects(client)


def marks(data: Data) -> Data:
    return data["metadata"].get("annotations") or {}


def the(server: KubernetesServer) -> Data:
    return server.the("Kustomization", "flux-system", "shop")


def test_a_kustomization_is_read_with_the_automations_that_write_to_its_source(server: CustomServer, flux: FluxObjects) -> None:
    server.add(kustomization(revision=BAD))
    server.add(image_automation())
    server.add(image_automation("others", "team-b"))
    server.add(image_automation("elsewhere", source="docs"))
    port: Flux = flux
    state = port.state(SHOP)
    assert (state.suspended, state.ready, state.reason, state.revision, state.source_revision) == (False, True, "ReconciliationSucceeded", BAD, BAD)
    assert (state.observed, state.reconciling, state.source) == (True, False, ObjectName("flux-system", "shop"))
    assert [(each.name.shown, each.suspended, each.api) for each in state.automations] == [
        ("flux-system/images", False, "v1beta2"), ("team-b/others", False, "v1beta2"),
    ]  # fmt: skip


def test_a_failing_kustomization_says_why(server: CustomServer, flux: FluxObjects) -> None:
    data = kustomization()
    data["status"]["conditions"] = [
        condition("Ready", "False", "HealthCheckFailed", "timeout waiting for: Deployment/prod/api"), condition("Reconciling", "True", "ProgressingWithRetry"),
        condition("Stalled", "True", "InvalidPath", "no such directory"),
    ]  # fmt: skip
    server.add(data)
    state = flux.state(SHOP)
    assert (state.ready, state.reason, state.reconciling, state.stalled) == (False, "HealthCheckFailed", True, "InvalidPath: no such directory")
    assert state.message == "timeout waiting for: Deployment/prod/api"


def test_an_unknown_readiness_is_neither_yes_nor_no(server: CustomServer, flux: FluxObjects) -> None:
    data = kustomization()
    data["status"]["conditions"] = [condition("Ready", "Unknown", "Progressing")]
    server.add(data)
    assert flux.state(SHOP).ready is None


def test_a_helm_release_tells_its_history_and_what_helm_does_by_itself(server: CustomServer, flux: FluxObjects) -> None:
    server.add(kustomization())
    server.add(image_automation())
    server.add(helm_release(upgrade={"remediation": {"retries": 3}}))
    state = flux.state(RELEASE)
    assert [(each.version, each.chart, each.good) for each in state.history] == [(3, "shop 1.2.0", True), (2, "shop 1.1.9", False), (1, "shop 1.1.8", True)]
    assert state.remediation == "rollback after an upgrade that Helm itself counts as failed (3 retries)"
    assert [each.name.name for each in state.automations] == ["images"]


def test_a_word_of_helm_that_is_not_known_is_no_verdict() -> None:
    assert HelmSnapshot(1, "shop 1", "pending-rollback", None).good is None


def test_a_helm_release_that_no_kustomization_applied_says_what_is_not_looked_for(server: CustomServer, flux: FluxObjects) -> None:
    server.add(helm_release(owner=""))
    state = flux.state(RELEASE)
    assert (state.automations, state.notes[0][:43]) == ((), "No Kustomization applied this HelmRelease, ")


def test_an_older_version_of_the_api_is_used_where_the_newest_is_not_served(server: CustomServer, flux: FluxObjects) -> None:
    server.kinds = [each for each in server.kinds if each.kind != "Kustomization"]
    server.serve("kustomize.toolkit.fluxcd.io", "v1beta2", "kustomizations", "Kustomization")
    server.add(kustomization() | {"apiVersion": "kustomize.toolkit.fluxcd.io/v1beta2"})
    assert flux.suspend(SHOP, True)
    assert server.writes[0][1] == "/apis/kustomize.toolkit.fluxcd.io/v1beta2/namespaces/flux-system/kustomizations/shop"


def test_what_is_not_there_is_said_with_the_target(flux: FluxObjects) -> None:
    with pytest.raises(UsageError, match="is not there, or Flux is not installed: check the target `kustomization:flux-system/shop`"):
        flux.state(SHOP)


def test_suspending_marks_the_object_in_the_same_patch_and_resuming_takes_both_away(server: CustomServer, flux: FluxObjects) -> None:
    server.add(kustomization())
    assert flux.suspend(SHOP, True)
    assert server.writes[-1][2] == {"metadata": {"annotations": {SUSPENDED_BY_US: "true"}}, "spec": {"suspend": True}}
    assert not flux.suspend(SHOP, True)
    state = flux.state(SHOP)
    assert (state.suspended, state.ours) == (True, True)
    assert flux.suspend(SHOP, False)
    assert ("suspend" in the(server)["spec"], marks(the(server))) == (False, {})
    assert not flux.suspend(SHOP, False)


def test_what_somebody_else_suspended_stays_suspended(server: CustomServer, flux: FluxObjects) -> None:
    server.add(kustomization(suspend=True))
    server.add(image_automation(suspend=True))
    (automation,) = flux.state(SHOP).automations
    assert not flux.suspend(SHOP, True)
    assert not flux.suspend_automation(automation, True)
    assert not flux.suspend(SHOP, False)
    assert not flux.suspend_automation(automation, False)
    assert server.writes == []


def test_an_image_automation_that_is_gone_is_no_trouble(server: CustomServer, flux: FluxObjects) -> None:
    server.add(kustomization())
    server.add(image_automation())
    (automation,) = flux.state(SHOP).automations
    server.drop("ImageUpdateAutomation", "flux-system", "images")
    assert not flux.suspend_automation(automation, True)


def test_a_request_is_handled_once(server: CustomServer, flux: FluxObjects) -> None:
    server.add(kustomization())
    assert flux.request(SHOP, "token-1")
    assert flux.request(SHOP, "token-1")
    assert len(server.writes) == 1
    controller = FluxController({})
    controller.tick(server)
    assert not flux.request(SHOP, "token-1")


def test_where_only_the_namespace_may_be_listed_that_is_said(server: CustomServer, flux: FluxObjects) -> None:
    server.add(kustomization())
    server.add(image_automation())
    original = server.handler

    def only_own(request: object) -> object:
        if getattr(request, "path", "") == "/apis/image.toolkit.fluxcd.io/v1beta2/imageupdateautomations":
            server.denied = {("list", "image.toolkit.fluxcd.io", "imageupdateautomations")}
            answer = original(request)  # type: ignore[arg-type]
            server.denied = set()
            return answer
        return original(request)  # type: ignore[arg-type]

    server.handler = only_own  # type: ignore[assignment]
    state = flux.state(SHOP)
    assert ([each.name.name for each in state.automations], "only looked for in flux-system" in state.notes[0]) == (["images"], True)


def test_where_no_automation_may_be_listed_that_is_said(server: CustomServer, flux: FluxObjects) -> None:
    server.add(kustomization())
    server.denied = {("list", "image.toolkit.fluxcd.io", "imageupdateautomations")}
    assert "one may commit the bad image again" in flux.state(SHOP).notes[0]


def test_without_image_automation_installed_there_are_none(server: CustomServer, flux: FluxObjects) -> None:
    server.kinds = [each for each in server.kinds if each.kind != "ImageUpdateAutomation"]
    server.add(kustomization())
    assert (flux.state(SHOP).automations, flux.state(SHOP).notes) == ((), ())


def test_missing_rights_are_named(server: CustomServer, flux: FluxObjects) -> None:
    server.add(kustomization())
    server.add(image_automation())
    server.denied = {("patch", "kustomize.toolkit.fluxcd.io", "kustomizations"), ("patch", "image.toolkit.fluxcd.io", "imageupdateautomations")}
    assert [text.split("`")[1] for text in flux.missing_rights(flux.state(SHOP))] == ["kustomizations", "imageupdateautomations"]


def test_what_the_source_holds_tells_whether_the_bad_version_would_come_back(server: CustomServer, flux: FluxObjects) -> None:
    server.add(kustomization(revision=BAD))
    assert would_come_back(flux.state(SHOP))
    server.put(git_repository(GOOD))
    assert not would_come_back(flux.state(SHOP))


def test_a_source_that_may_not_be_read_tells_nothing(server: CustomServer, flux: FluxObjects) -> None:
    server.add(kustomization(revision=BAD))
    server.denied = {("get", "source.toolkit.fluxcd.io", "gitrepositories")}
    state = flux.state(SHOP)
    assert (state.source_revision, would_come_back(state)) == ("", False)

"""What Flux reconciles is suspended before its workload is undone, and resumed only where Git was reverted; what others suspended stays so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.operations.delivery_custom_rig import ALREADY, DONE, FAILED, WHY, carried, killed_everywhere, statuses
from tests.servers.clock import FakeClock
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_custom import CustomServer, reaching
from tests.servers.kubernetes_custom_flux import FluxController, condition, git_repository, helm_release, image_automation, kustomization
from tests.servers.kubernetes_custom_rollouts import RolloutsController, rollout
from tests.servers.kubernetes_objects import NAMESPACE, deployment

from cicd_agents.clients.delivery.argo_rollouts import ArgoRollouts
from cicd_agents.clients.delivery.flux import FluxObjects
from cicd_agents.clients.delivery.kubernetes_client import Kubernetes
from cicd_agents.clients.delivery.kubernetes_workloads import KubernetesWorkloads
from cicd_agents.domain.delivery_flux import FluxKind, FluxTarget
from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.delivery_workload import Workload
from cicd_agents.domain.errors import Rejected, UsageError
from cicd_agents.domain.operation import Operation
from cicd_agents.operations.delivery_flux import FluxWay
from cicd_agents.operations.delivery_rollouts import RolloutWay
from cicd_agents.operations.delivery_way import DeliveryWay
from cicd_agents.operations.delivery_workload import WorkloadWay

GOOD, BAD, REVERTED = (f"main@sha1:{sign * 40}" for sign in "abc")
IMAGES = {GOOD: "shop/api:1.0.0", BAD: "shop/api:1.1.0", REVERTED: "shop/api:1.0.0"}
SHOP = FluxTarget(FluxKind.KUSTOMIZATION, ObjectName("flux-system", "shop"))


def scene(*, automation: bool = True, suspend: bool = False, automation_suspended: bool = False) -> CustomServer:
    """A cluster where Flux has brought the bad version, and an automation that would commit it again."""
    server = CustomServer()
    server.add(git_repository(GOOD))
    server.add(deployment("api", "shop/api:1.0.0"))
    server.add(kustomization(revision=GOOD))
    server.reactions.append(FluxController(IMAGES, bad=BAD if automation else ""))
    if automation:
        server.add(image_automation(suspend=automation_suspended))
    server.put(git_repository(BAD))
    flux_of(server).tick(server)
    if suspend:
        server.edit("Kustomization", "flux-system", "shop", {"spec": {"suspend": True}})
    return server


def flux_of(server: KubernetesServer) -> FluxController:
    return next(each for each in server.reactions if isinstance(each, FluxController))


def running(server: KubernetesServer) -> str:
    return str(server.the("Deployment", NAMESPACE, "api")["spec"]["template"]["spec"]["containers"][0]["image"])


def suspended(server: KubernetesServer) -> dict[str, bool]:
    found = (*server.all("Kustomization"), *server.all("HelmRelease"), *server.all("ImageUpdateAutomation"))
    return {each["kind"]: each["spec"].get("suspend", False) for each in found}


def made(cluster: Kubernetes, clock: FakeClock) -> FluxWay:
    workload = WorkloadWay(Workload.of("deployment:prod/api"), KubernetesWorkloads(cluster), clock, owner_handled=True)
    return FluxWay(SHOP, FluxObjects(cluster), clock, workload)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> Iterator[CustomServer]:
    with scene() as running_server:
        assert isinstance(running_server, CustomServer)
        yield running_server
        assert running_server.problems == []


@pytest.fixture
def way(server: CustomServer, clock: FakeClock) -> Iterator[FluxWay]:
    with reaching(server, clock) as cluster:
        yield made(cluster, clock)


def back(way: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    """Go back to the version before, whether it is known to be good or not."""
    standing = way.look()
    first = next(each for each in (standing.current, *standing.earlier) if each is not None and "shop/api:1.0.0" in each.version)
    return carried(way, way.rollback(standing, first, WHY), clock)


def test_it_is_suspended_with_its_automations_before_the_workload_is_undone(server: CustomServer, way: FluxWay, clock: FakeClock) -> None:
    done = back(way, clock)
    assert statuses(done) == [("SuspendReconciliation", DONE), ("SuspendImageAutomation", DONE), ("UndoWorkload", DONE)]
    flux_of(server).tick(server)
    assert (running(server), suspended(server)) == ("shop/api:1.0.0", {"Kustomization": True, "ImageUpdateAutomation": True})


def test_not_suspended_flux_would_put_the_bad_version_back(server: CustomServer, way: FluxWay, clock: FakeClock) -> None:
    assert way.workload is not None
    assert statuses(back(way.workload, clock)) == [("UndoWorkload", DONE)]
    flux_of(server).tick(server)
    assert running(server) == "shop/api:1.1.0"


def test_the_standing_is_that_of_the_workload_with_what_flux_says(way: FluxWay) -> None:
    standing = way.look()
    assert standing.current is not None
    assert standing.current.version.startswith("shop/api:1.1.0")
    assert (standing.target, standing.healthy, standing.settled, standing.obstacles) == ("kustomization:flux-system/shop", True, True, ())
    assert standing.health.startswith("Kustomization Ready (ReconciliationSucceeded); deployment:prod/api")


def test_it_is_not_resumed_while_git_still_holds_what_was_applied_last(server: CustomServer, way: FluxWay, clock: FakeClock) -> None:
    back(way, clock)
    done = carried(way, way.resume(way.look(), WHY), clock)
    assert statuses(done)[0] == ("ResumeReconciliation", FAILED)
    assert f"its source still holds {BAD}" in done[0].result
    assert (running(server), suspended(server)) == ("shop/api:1.0.0", {"Kustomization": True, "ImageUpdateAutomation": True})


def test_it_is_not_resumed_where_it_cannot_be_seen_what_its_source_holds(server: CustomServer, way: FluxWay, clock: FakeClock) -> None:
    back(way, clock)
    server.put({**git_repository(BAD), "status": {}})
    done = carried(way, way.resume(way.look(), WHY), clock)
    assert (done[0].status, "it cannot be seen what its source holds now" in done[0].result) == (FAILED, True)
    assert suspended(server)["Kustomization"] is True


def test_after_the_revert_it_is_resumed_reconciled_and_its_automations_last(server: CustomServer, way: FluxWay, clock: FakeClock) -> None:
    back(way, clock)
    server.put(git_repository(REVERTED))
    flux_of(server).bad = ""
    planned = way.resume(way.look(), WHY)
    assert [each.kind for each in planned] == ["ResumeReconciliation", "Reconcile", "ResumeImageAutomation"]
    assert "must be reverted there" in planned[0].why
    assert {status for _, status in statuses(carried(way, planned, clock))} <= {DONE, ALREADY}
    assert suspended(server) == {"Kustomization": False, "ImageUpdateAutomation": False}
    assert (running(server), server.the("Kustomization", "flux-system", "shop")["status"]["lastAppliedRevision"]) == ("shop/api:1.0.0", REVERTED)
    assert way.resume(way.look(), WHY) == ()


def test_what_somebody_else_suspended_stays_so(clock: FakeClock) -> None:
    with scene(suspend=True, automation_suspended=True) as server, reaching(server, clock) as cluster:
        way = made(cluster, clock)
        assert "It was suspended by somebody else and stays so." in way.look().notes
        assert statuses(back(way, clock)) == [("SuspendReconciliation", ALREADY), ("SuspendImageAutomation", ALREADY), ("UndoWorkload", DONE)]
        assert way.resume(way.look(), WHY) == ()
        assert server.problems == []


def test_a_reconciliation_that_nobody_handles_is_said(server: CustomServer, way: FluxWay, clock: FakeClock) -> None:
    back(way, clock)
    server.put(git_repository(REVERTED))
    flux_of(server).handles = False
    done = carried(way, way.resume(way.look(), WHY), clock)
    assert statuses(done)[1] == ("Reconcile", FAILED)
    assert "not handled within 300 s; see `flux get all`" in done[1].result
    assert suspended(server)["ImageUpdateAutomation"] is True


def test_without_a_workload_it_can_be_looked_at_and_not_rolled_back(server: CustomServer, clock: FakeClock) -> None:
    server.add(helm_release(upgrade={"remediation": {"remediateLastFailure": True, "strategy": "uninstall"}}))
    with reaching(server, clock) as cluster:
        alone = FluxWay(FluxTarget(FluxKind.HELM_RELEASE, ObjectName(NAMESPACE, "shop")), FluxObjects(cluster), clock)
        standing = alone.look()
        assert standing.current is not None
        assert standing.good is not None
        assert (standing.current.version, standing.good.version, standing.healthy) == ("shop 1.2.0 (app 1.2.0)", "shop 1.1.8 (app 1.1.8)", None)
        assert any(note.startswith("Helm does by itself: uninstall") for note in standing.notes)
        with pytest.raises(UsageError, match="Revert it in Git, or name the workload that it deploys beside it"):
            alone.rollback(standing, standing.good, WHY)
        assert (alone.promote(standing, None, WHY), alone.freeze(standing, WHY)) == ((), ())


def test_another_version_than_the_judged_one_is_not_undone(server: CustomServer, way: FluxWay) -> None:
    standing = way.look()
    flux_of(server).git[BAD] = "shop/api:1.2.0"
    flux_of(server).tick(server)
    with pytest.raises(Rejected, match="which was judged; look again"):
        way.rollback(standing, standing.earlier[0], WHY)


def test_a_reconciliation_that_is_going_on_is_not_settled_and_said(server: CustomServer, way: FluxWay) -> None:
    data = dict(server.the("Kustomization", "flux-system", "shop"))
    data["status"] = {**data["status"], "conditions": [condition("Ready", "Unknown", "Progressing"), condition("Reconciling", "True", "Progressing")]}
    server.put(data)
    standing = way.look()
    assert (standing.settled, any("suspending does not stop it" in note for note in standing.notes)) == (False, True)


def test_missing_rights_are_obstacles(server: CustomServer, way: FluxWay) -> None:
    server.denied = {("patch", "kustomize.toolkit.fluxcd.io", "kustomizations")}
    assert any("`kustomizations`" in text for text in way.look().obstacles)


def test_the_way_by_hand_suspends_first(way: FluxWay) -> None:
    standing = way.look()
    commands = way.commands(standing, standing.earlier[0])
    assert commands[0] == "flux suspend kustomization shop -n flux-system"
    assert commands[-1].endswith("flux resume kustomization shop -n flux-system")


def test_a_rollout_under_flux_is_frozen_with_flux_suspended(server: CustomServer, clock: FakeClock) -> None:
    server.reactions.append(RolloutsController())
    server.add(rollout("shop/web:1.0.0", name="web"))
    server.edit("Rollout", NAMESPACE, "web", {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "shop/web:1.1.0"}]}}}})
    with reaching(server, clock) as cluster:
        below = RolloutWay(ObjectName(NAMESPACE, "web"), ArgoRollouts(cluster), clock)
        acting = FluxWay(SHOP, FluxObjects(cluster), clock, below)
        assert acting.look().share == 0.05
        assert [each.kind for each in acting.promote(acting.look(), None, WHY)] == ["PromoteRolloutFully"]
        frozen = carried(acting, acting.freeze(acting.look(), WHY), clock)
        assert [kind for kind, _ in statuses(frozen)] == ["SuspendReconciliation", "SuspendImageAutomation", "KeepAbortedPods", "AbortRollout"]
        assert {status for _, status in statuses(frozen)} == {DONE}
        assert statuses(rolled_back_again(acting, clock)) == [
            ("SuspendReconciliation", ALREADY),
            ("SuspendImageAutomation", ALREADY),
            ("AbortRollout", ALREADY),
        ]


def rolled_back_again(acting: FluxWay, clock: FakeClock) -> tuple[Operation, ...]:
    standing = acting.look()
    assert standing.current is not None
    return carried(acting, acting.rollback(standing, standing.current, WHY), clock)


def end(server: KubernetesServer) -> Any:
    objects = (*server.all("Kustomization"), *server.all("ImageUpdateAutomation"))
    marks = {each["kind"]: each["metadata"].get("annotations", {}).get("cicd-agents/suspended") for each in objects}
    return running(server), suspended(server), marks, server.the("Kustomization", "flux-system", "shop")["status"].get("lastAppliedRevision")


def ready_to_resume() -> CustomServer:
    server = scene()
    clock = FakeClock()
    with reaching(server, clock) as cluster:
        back(made(cluster, clock), clock)
    server.put(git_repository(REVERTED))
    flux_of(server).bad = ""
    server.writes.clear()
    return server


def resumed(way: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    return carried(way, way.resume(way.look(), WHY), clock)


@pytest.mark.parametrize(("make", "act"), [(scene, back), (ready_to_resume, resumed)], ids=["rollback", "resume"])
def test_killed_at_any_call_a_second_run_comes_to_the_same_end(make: Any, act: Any) -> None:
    assert list(killed_everywhere(make, made, act, end)) == []

"""A Rollout is aborted, undone, promoted and frozen as its state asks for, and a run that was killed anywhere comes to the same end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from tests.operations.delivery_custom_rig import ALREADY, DONE, FAILED, WHY, carried, killed_everywhere, rolled_back, statuses
from tests.servers.clock import FakeClock
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_custom import CustomServer, reaching
from tests.servers.kubernetes_custom_rollouts import HASH, RolloutsController, rollout
from tests.servers.kubernetes_lists import Data
from tests.servers.kubernetes_objects import NAMESPACE, deployment

from cicd_agents.clients.delivery.argo_rollouts import ArgoRollouts
from cicd_agents.clients.delivery.kubernetes_client import Kubernetes
from cicd_agents.domain.delivery_objects import SUSPENDED_BY_US, ObjectName
from cicd_agents.domain.errors import Refused, Rejected, UsageError
from cicd_agents.domain.guardian import KnownRevision
from cicd_agents.domain.operation import Operation
from cicd_agents.operations.delivery_rollouts import RolloutWay
from cicd_agents.operations.delivery_way import DeliveryWay
from cicd_agents.operations.guardian_recovery import Recovery, recovery_operation
from cicd_agents.operations.guardian_rollback import Intent, plan

NAME = ObjectName(NAMESPACE, "api")
BASIC = {"canary": {"steps": [{"setWeight": 25}, {"pause": {}}]}}
TIMED = {"canary": {"steps": [{"setWeight": 25}, {"pause": {"duration": "10m"}}]}}
Act = Callable[[DeliveryWay, FakeClock], tuple[Operation, ...]]


def scene(*images: str, promoted: bool = False, **spec: Any) -> CustomServer:
    """A cluster with a Rollout that got one image after the other; with `promoted` the last one is the stable one."""
    server, controller = CustomServer(), RolloutsController()
    server.reactions.append(controller)
    server.steps.append(controller.seen)
    server.add(rollout(f"shop/api:{images[0]}", **spec))
    for image in images[1:]:
        set_image(server, image)
    if promoted:
        server.edit("Rollout", NAMESPACE, "api", {"status": {"promoteFull": True}})
    return server


def set_image(server: KubernetesServer, image: str) -> None:
    containers = deepcopy(the(server)["spec"]["template"]["spec"]["containers"])
    containers[0]["image"] = f"shop/api:{image}"
    server.edit("Rollout", NAMESPACE, "api", {"spec": {"template": {"spec": {"containers": containers}}}})


def the(server: KubernetesServer) -> Data:
    return server.the("Rollout", NAMESPACE, "api")


def image(server: KubernetesServer) -> str:
    return str(the(server)["spec"]["template"]["spec"]["containers"][0]["image"])


def hash_of(server: KubernetesServer, tag: str) -> str:
    return next(str(each["metadata"]["labels"][HASH]) for each in server.all("ReplicaSet") if tag in str(each["spec"]["template"]))


def controller_of(server: CustomServer) -> RolloutsController:
    return next(each for each in server.reactions if isinstance(each, RolloutsController))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


Ways = Callable[[CustomServer], RolloutWay]


@pytest.fixture
def way(clock: FakeClock) -> Iterator[Ways]:
    open_: list[Any] = []

    def make(server: CustomServer, **more: Any) -> RolloutWay:
        server.__enter__()
        reach = reaching(server, clock)
        open_.append((server, reach))
        return RolloutWay(NAME, ArgoRollouts(reach.__enter__()), clock, **more)

    yield make
    for server, reach in open_:
        reach.__exit__(None, None, None)
        server.close()
        assert server.problems == []


def made(cluster: Kubernetes, clock: FakeClock) -> RolloutWay:
    return RolloutWay(NAME, ArgoRollouts(cluster), clock)


def test_while_a_canary_comes_in_it_is_current_and_the_stable_one_is_good(way: Ways) -> None:
    server = scene("1.0.0", "1.1.0")
    standing = way(server).look()
    assert standing.current is not None
    assert standing.stable is not None
    assert (standing.current.version, standing.stable.version, standing.good, standing.share) == ("shop/api:1.1.0", "shop/api:1.0.0", standing.stable, 0.05)
    assert (standing.healthy, standing.settled, standing.failed, standing.health) == (True, True, "", "Paused: CanaryPauseStep")


def test_a_running_canary_is_aborted_and_the_stable_version_serves(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0")
    acting = way(server)
    assert statuses(rolled_back(acting, clock)) == [("AbortRollout", DONE)]
    standing = acting.look()
    assert standing.current is not None
    assert (standing.current.version, standing.stable, standing.healthy, standing.settled, standing.share) == ("shop/api:1.0.0", None, True, True, 0.0)
    assert standing.health.startswith("Degraded: RolloutAborted")
    assert [(each.version, each.good) for each in standing.earlier] == [("shop/api:1.1.0", False)]
    assert "revert that in Git" in " ".join(standing.notes)


def test_a_second_rollback_finds_it_done(way: Ways, clock: FakeClock) -> None:
    acting = way(scene("1.0.0", "1.1.0"))
    stable = acting.look().good
    assert stable is not None
    rolled_back(acting, clock)
    assert statuses(carried(acting, acting.rollback(acting.look(), stable, WHY), clock)) == [("AbortRollout", ALREADY)]


def test_the_whole_transaction_plans_and_sees_the_recovery(way: Ways, clock: FakeClock) -> None:
    acting = way(scene("1.0.0", "1.1.0"))
    intent = Intent(("shop/api:1.1.0",), WHY)
    first = plan(acting, intent)
    assert first.refusals == ()
    carried(acting, tuple(each for each in first.operations if each.kind == "AbortRollout"), clock)
    seen = Recovery(acting.look, first.to, clock, 120).verify(recovery_operation(acting.target, first.to, "x", 120))
    assert seen.startswith("It is at shop/api:1.0.0, healthy")
    assert plan(acting, intent).done


def test_where_the_bad_version_is_stable_its_predecessor_is_undone_to_without_steps(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0", promoted=True)
    acting = way(server)
    standing = acting.look()
    assert (standing.good, standing.stable) == (None, None)
    (before,) = standing.earlier
    assert before.good is None
    assert statuses(carried(acting, acting.rollback(standing, before, WHY), clock)) == [("UndoRollout", DONE), ("PromoteRolloutFully", DONE)]
    after = acting.look()
    assert after.current is not None
    assert (after.current.id, after.healthy, after.settled, image(server)) == (before.id, True, True, "shop/api:1.0.0")


def test_an_undo_in_flight_is_gone_on_with_and_not_aborted(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0", promoted=True)
    acting = way(server)
    (before,) = acting.look().earlier
    acting.rollouts.undo(NAME, before.id)
    standing = acting.look()
    assert statuses(carried(acting, acting.rollback(standing, before, WHY), clock)) == [("UndoRollout", ALREADY), ("PromoteRolloutFully", DONE)]


def test_all_steps_are_skipped_only_when_the_controller_has_seen_the_template(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0", promoted=True)
    acting = way(server)
    standing = acting.look()
    controller = controller_of(server)
    controller.asleep, controller.wakes_after = True, 10
    done = carried(acting, acting.rollback(standing, standing.earlier[0], WHY), clock)
    assert statuses(done) == [("UndoRollout", DONE), ("PromoteRolloutFully", DONE)]
    assert the(server)["status"]["stableRS"] == standing.earlier[0].id
    assert sum(clock.slept) >= 5


def test_a_controller_that_sleeps_on_is_said(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0", promoted=True)
    acting = way(server)
    standing = acting.look()
    controller_of(server).asleep = True
    done = carried(acting, acting.rollback(standing, standing.earlier[0], WHY), clock)
    assert statuses(done) == [("UndoRollout", DONE), ("PromoteRolloutFully", FAILED)]
    assert "has not seen the template within 30 s. Is Argo Rollouts running?" in done[1].result


def test_from_a_canary_to_a_third_version_is_an_abort_and_an_undo(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0", promoted=True)
    set_image(server, "1.2.0")
    acting = way(server)
    standing = acting.look()
    oldest = next(each for each in standing.earlier if each.version == "shop/api:1.0.0")
    done = carried(acting, acting.rollback(standing, oldest, WHY), clock)
    assert [kind for kind, _ in statuses(done)] == ["AbortRollout", "UndoRollout", "PromoteRolloutFully"]
    assert the(server)["status"]["stableRS"] == oldest.id


def test_another_version_than_the_judged_one_is_not_aborted(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0")
    acting = way(server)
    standing = acting.look()
    assert standing.good is not None
    planned = acting.rollback(standing, standing.good, WHY)
    set_image(server, "1.2.0")
    (done,) = carried(acting, planned, clock)
    assert (done.status, "which was judged; look again" in done.result) == (FAILED, True)
    assert "abort" not in the(server)["status"]
    with pytest.raises(Rejected, match="which was judged; look again"):
        acting.rollback(standing, standing.good, WHY)


def test_an_undo_that_was_planned_for_another_version_writes_nothing(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0", promoted=True)
    acting = way(server)
    standing = acting.look()
    planned = acting.rollback(standing, standing.earlier[0], WHY)
    set_image(server, "1.1.1-fixed")
    done = carried(acting, planned, clock)
    assert (done[0].status, "which was judged; look again" in done[0].result, image(server)) == (FAILED, True, "shop/api:1.1.1-fixed")


def test_an_undo_does_not_overwrite_a_template_that_the_controller_has_not_seen_yet(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0", promoted=True)
    acting = way(server)
    standing = acting.look()
    planned = acting.rollback(standing, standing.earlier[0], WHY)
    controller_of(server).asleep = True
    set_image(server, "1.1.1-fixed")
    assert (carried(acting, planned, clock)[0].status, image(server)) == (FAILED, "shop/api:1.1.1-fixed")


def test_a_canary_that_became_stable_meanwhile_is_not_aborted(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0")
    acting = way(server)
    standing = acting.look()
    assert standing.good is not None
    planned = acting.rollback(standing, standing.good, WHY)
    server.edit("Rollout", NAMESPACE, "api", {"status": {"promoteFull": True}})
    (done,) = carried(acting, planned, clock)
    assert (done.status, "plan the rollback again" in done.result) == (FAILED, True)


def test_an_unknown_revision_is_refused_with_those_that_there_are(way: Ways) -> None:
    server = scene("1.0.0", "1.1.0")
    acting = way(server)
    with pytest.raises(UsageError, match=f"has no revision '1'.*{hash_of(server, '1.0.0')}"):
        acting.rollback(acting.look(), KnownRevision("1", "1"), WHY)


def test_a_share_promotes_by_one_step_and_no_share_by_all(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0")
    acting = way(server)
    planned = acting.promote(acting.look(), 0.25, WHY)
    assert planned[0].why.endswith("The next weight is 25 %.")
    assert statuses(carried(acting, planned, clock)) == [("PromoteRollout", DONE)]
    assert acting.look().share == 0.25
    assert statuses(carried(acting, planned, clock)) == [("PromoteRollout", ALREADY)]
    assert acting.promote(acting.look(), 0.25, WHY) == ()
    assert statuses(carried(acting, acting.promote(acting.look(), None, WHY), clock)) == [("PromoteRolloutFully", DONE)]
    assert acting.promote(acting.look(), None, WHY) == ()
    assert the(server)["status"]["stableRS"] == hash_of(server, "1.1.0")


@pytest.mark.parametrize("strategy", [None, {"blueGreen": {"activeService": "api", "autoPromotionEnabled": False}}], ids=["canary", "blue-green"])
def test_a_step_that_gives_more_than_may_be_given_is_not_taken(way: Ways, strategy: Data | None) -> None:
    acting = way(scene("1.0.0", "1.1.0", strategy=strategy))
    with pytest.raises(Refused, match="make the stages of the policy those of the Rollout's steps"):
        acting.promote(acting.look(), 0.10, WHY)


def test_blue_green_is_switched_when_all_may_be_given_and_goes_back_by_an_abort(way: Ways, clock: FakeClock) -> None:
    blue_green = {"blueGreen": {"activeService": "api", "previewService": "api-preview", "autoPromotionEnabled": False}}
    acting = way(scene("1.0.0", "1.1.0", strategy=blue_green))
    assert acting.look().share == 0.0
    assert statuses(rolled_back(acting, clock)) == [("AbortRollout", DONE)]
    assert (acting.look().healthy, acting.look().settled, acting.look().share) == (True, True, 0.0)
    other = way(scene("1.0.0", "1.1.0", strategy=blue_green))
    assert statuses(carried(other, other.promote(other.look(), 1.0, WHY), clock)) == [("PromoteRollout", DONE)]
    assert other.look().stable is None


def test_an_aborted_version_is_not_promoted(way: Ways, clock: FakeClock) -> None:
    acting = way(scene("1.0.0", "1.1.0"))
    rolled_back(acting, clock)
    assert acting.promote(acting.look(), None, WHY) == ()


def test_a_freeze_keeps_the_pods_and_resume_lets_them_go(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0")
    acting = way(server)
    assert statuses(carried(acting, acting.freeze(acting.look(), WHY), clock)) == [("KeepAbortedPods", DONE), ("AbortRollout", DONE)]
    kept = next(each for each in server.all("ReplicaSet") if each["metadata"]["labels"][HASH] == hash_of(server, "1.1.0"))
    assert (kept["status"]["availableReplicas"], acting.look().share, acting.look().settled) == (1, 0.0, True)
    assert statuses(carried(acting, acting.resume(acting.look(), WHY), clock)) == [("RestoreAbortDelay", DONE)]
    assert acting.resume(acting.look(), WHY) == ()
    assert "abortScaleDownDelaySeconds" not in the(server)["spec"]["strategy"]["canary"]
    assert the(server)["status"]["abort"] is True


def test_where_pods_split_the_traffic_there_is_no_freeze_and_it_is_said(way: Ways) -> None:
    acting = way(scene("1.0.0", "1.1.0", strategy=BASIC))
    standing = acting.look()
    assert acting.freeze(standing, WHY) == ()
    assert "a freeze that keeps the pods is not possible" in " ".join(standing.notes)


def test_a_hold_stops_a_pause_that_would_end_by_itself_and_resume_ends_it(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0")
    acting = way(server)
    carried(acting, acting.promote(acting.look(), 0.25, WHY), clock)
    standing = acting.look()
    assert "The pause of step 4 ends by itself after 10m" in " ".join(standing.notes)
    assert statuses(carried(acting, acting.hold(standing, WHY), clock)) == [("HoldRollout", DONE)]
    assert acting.hold(acting.look(), WHY) == ()
    assert (the(server)["spec"]["paused"], acting.look().share) == (True, 0.25)
    assert statuses(carried(acting, acting.resume(acting.look(), WHY), clock)) == [("ReleaseRollout", DONE)]
    assert the(server)["spec"]["paused"] is False


def test_what_somebody_else_holds_stays_held(way: Ways) -> None:
    server = scene("1.0.0", "1.1.0")
    server.edit("Rollout", NAMESPACE, "api", {"spec": {"paused": True}})
    acting = way(server)
    assert acting.resume(acting.look(), WHY) == ()
    assert "which somebody else set" in " ".join(acting.look().notes)


def test_an_abort_stays_when_the_rest_is_resumed(way: Ways, clock: FakeClock) -> None:
    acting = way(scene("1.0.0", "1.1.0"))
    rolled_back(acting, clock)
    assert acting.resume(acting.look(), WHY) == ()


def test_a_pause_without_an_end_needs_no_hold(way: Ways) -> None:
    acting = way(scene("1.0.0", "1.1.0"))
    assert acting.hold(acting.look(), WHY) == ()


def held(**spec: Any) -> CustomServer:
    """A canary at 25 % whose pause would end by itself, and that we hold."""
    server = scene("1.0.0", "1.1.0", **spec)
    server.edit("Rollout", NAMESPACE, "api", {"status": {"pauseConditions": None}})
    server.edit("Rollout", NAMESPACE, "api", {"metadata": {"annotations": {SUSPENDED_BY_US: "paused"}}, "spec": {"paused": True}})
    return server


def test_an_abort_of_what_we_hold_ends_the_hold_so_that_the_pods_go_back(way: Ways, clock: FakeClock) -> None:
    server = held(strategy={"canary": {"steps": [{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {"duration": "1h"}}]}})
    acting = way(server)
    assert acting.look().share == 0.5
    assert statuses(rolled_back(acting, clock)) == [("AbortRollout", DONE), ("ReleaseRollout", DONE)]
    assert (acting.look().share, acting.look().settled, acting.look().healthy) == (0.0, True, True)


@pytest.mark.parametrize(("strategy", "obstacles"), [(BASIC, 1), ({"blueGreen": {"activeService": "api", "autoPromotionEnabled": False}}, 1), (None, 0)])
def test_what_somebody_else_holds_cannot_go_back_but_by_a_traffic_router(way: Ways, strategy: Data | None, obstacles: int) -> None:
    server = scene("1.0.0", "1.1.0", strategy=strategy)
    server.edit("Rollout", NAMESPACE, "api", {"spec": {"paused": True}})
    found = way(server).look().obstacles
    assert len([text for text in found if "held by `spec.paused`, which somebody else set: pods would not go back" in text]) == obstacles


def test_a_promotion_ends_the_hold_and_takes_one_step(way: Ways, clock: FakeClock) -> None:
    server = held()
    acting = way(server)
    assert acting.look().share == 0.25
    assert statuses(carried(acting, acting.promote(acting.look(), 0.5, WHY), clock)) == [("PromoteRollout", DONE)]
    assert (acting.look().share, the(server)["spec"]["paused"], SUSPENDED_BY_US in the(server)["metadata"]["annotations"]) == (0.5, False, False)


def test_a_full_promotion_ends_the_hold_and_one_of_somebody_else_is_left(way: Ways, clock: FakeClock) -> None:
    server = held()
    acting = way(server)
    assert statuses(carried(acting, acting.promote(acting.look(), None, WHY), clock)) == [("PromoteRolloutFully", DONE)]
    assert the(server)["status"]["stableRS"] == hash_of(server, "1.1.0")
    other = scene("1.0.0", "1.1.0")
    other.edit("Rollout", NAMESPACE, "api", {"spec": {"paused": True}})
    acting = way(other)
    (done,) = carried(acting, acting.promote(acting.look(), None, WHY), clock)
    assert (done.status, "which somebody else set; end that by hand first" in done.result) == (FAILED, True)


def test_a_hold_is_bound_to_the_version_that_was_judged(way: Ways, clock: FakeClock) -> None:
    server = scene("1.0.0", "1.1.0")
    server.edit("Rollout", NAMESPACE, "api", {"status": {"pauseConditions": None}})
    acting = way(server)
    planned = acting.hold(acting.look(), WHY)
    set_image(server, "1.2.0")
    (done,) = carried(acting, planned, clock)
    assert (done.status, the(server)["spec"].get("paused")) == (FAILED, None)


def test_the_first_version_has_nothing_to_go_back_to(way: Ways) -> None:
    server = scene("1.0.0")
    data = deepcopy(the(server))
    data["status"].pop("stableRS")
    server.put(data)
    assert way(server).look().obstacles == ("It is the first version: there is no stable one to go back to.",)


def test_missing_rights_are_obstacles(way: Ways) -> None:
    server = scene("1.0.0", "1.1.0")
    server.denied = {("patch", "argoproj.io", "rollouts/status"), ("patch", "argoproj.io", "rollouts")}
    assert len(way(server).look().obstacles) == 2


def test_an_unknown_phase_is_neither_settled_nor_hidden(way: Ways) -> None:
    server = scene("1.0.0")
    data = deepcopy(the(server))
    data["status"]["phase"] = "Levitating"
    server.put(data)
    standing = way(server).look()
    assert (standing.settled, standing.health) == (False, "Levitating (a word that is not known)")


def test_a_rollout_that_gave_up_by_itself_is_failed(way: Ways) -> None:
    server = scene("1.0.0", "1.1.0")
    data = deepcopy(the(server))
    data["status"] |= {"phase": "Degraded", "message": "ProgressDeadlineExceeded: it has timed out progressing."}
    server.put(data)
    assert way(server).look().failed == "Degraded: ProgressDeadlineExceeded: it has timed out progressing."


def test_the_way_by_hand_is_that_of_the_kubectl_plugin(way: Ways) -> None:
    acting = way(scene("1.0.0", "1.1.0"))
    standing = acting.look()
    assert acting.commands(standing, standing.good) == ("kubectl argo rollouts abort api -n prod",)
    promoted = way(scene("1.0.0", "1.1.0", promoted=True))
    looked = promoted.look()
    assert promoted.commands(looked, looked.earlier[0]) == (
        "kubectl argo rollouts undo api -n prod --to-revision=1", "kubectl argo rollouts promote api -n prod --full",
    )  # fmt: skip


def back_to_the_first(acting: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    standing = acting.look()
    first = next(each for each in (standing.current, *standing.earlier) if each is not None and each.version == "shop/api:1.0.0")
    return carried(acting, acting.rollback(standing, first, WHY), clock)


def promoted_to_the_end(acting: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    return carried(acting, acting.promote(acting.look(), 0.25, WHY), clock)


def hold(acting: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    return carried(acting, acting.hold(acting.look(), WHY), clock)


def promoted_by_a_step(acting: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    return carried(acting, acting.promote(acting.look(), 0.5, WHY), clock)


def promoted_fully(acting: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    return carried(acting, acting.promote(acting.look(), None, WHY), clock)


def frozen(acting: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    standing = acting.look()
    # Once it is aborted the stable version is the current one, and there is nothing left to freeze.
    return carried(acting, acting.freeze(standing, WHY), clock)


def end(server: KubernetesServer) -> Any:
    """What the Rollout is like in the end, and what it runs."""
    data = the(server)
    status = {key: data["status"].get(key) for key in ("abort", "stableRS", "currentPodHash", "phase", "currentStepIndex", "canary")}
    counts = sorted((each["metadata"]["labels"][HASH], each["spec"]["replicas"]) for each in server.all("ReplicaSet"))
    return data["spec"], data["metadata"].get("annotations", {}), status, counts


def with_workload() -> CustomServer:
    server, controller = CustomServer(), RolloutsController()
    server.reactions.append(controller)
    held = server.add(deployment("api", "shop/api:1.0.0", replicas=0))
    server.add(rollout(workload=held))
    containers = deepcopy(held["spec"]["template"]["spec"]["containers"])
    containers[0]["image"] = "shop/api:1.1.0"
    server.edit("Deployment", NAMESPACE, "api", {"spec": {"template": {"spec": {"containers": containers}}}})
    server.edit("Rollout", NAMESPACE, "api", {"status": {"promoteFull": True}})
    return server


@pytest.mark.parametrize(
    ("make", "act"),
    [
        (lambda: scene("1.0.0", "1.1.0"), back_to_the_first), (lambda: scene("1.0.0", "1.1.0", promoted=True), back_to_the_first),
        (lambda: scene("1.0.0", "1.1.0"), promoted_to_the_end), (lambda: scene("1.0.0", "1.1.0"), frozen), (with_workload, back_to_the_first),
        (held, back_to_the_first), (held, promoted_by_a_step), (held, promoted_fully), (lambda: scene("1.0.0", "1.1.0", strategy=TIMED), hold),
    ],
    ids=["abort", "undo", "promote", "freeze", "undo-of-a-deployment", "abort-held", "promote-held", "promote-held-fully", "hold"],
)  # fmt: skip
def test_killed_at_any_call_a_second_run_comes_to_the_same_end(make: Callable[[], CustomServer], act: Act) -> None:
    assert list(killed_everywhere(make, made, act, end)) == []

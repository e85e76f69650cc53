"""Rollouts are read as they are and changed by the patches of the kubectl plugin; objects and patches are checked against the CRD."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest
from tests.servers.clock import FakeClock
from tests.servers.http_server import Reply, json_reply
from tests.servers.kubernetes import status
from tests.servers.kubernetes_custom import CustomServer, crd_problems, reaching
from tests.servers.kubernetes_custom_rollouts import HASH, ROUTED, RolloutsController, rollout
from tests.servers.kubernetes_lists import Data
from tests.servers.kubernetes_objects import NAMESPACE, deployment

from cicd_agents.clients.delivery.argo_rollouts import ArgoRollouts
from cicd_agents.domain.delivery_objects import ObjectName
from cicd_agents.domain.delivery_rollouts import RolloutPhase, Rollouts, RolloutStep, RolloutStrategy, sides
from cicd_agents.domain.errors import BadAnswer, NotAllowed, Refused, Rejected, UsageError

NAME = ObjectName(NAMESPACE, "api")
BASIC = {"canary": {"steps": [{"setWeight": 25}, {"pause": {}}]}}
BLUE_GREEN = {"blueGreen": {"activeService": "api", "previewService": "api-preview", "autoPromotionEnabled": False}}


def cluster(without_status: str = "") -> tuple[CustomServer, RolloutsController]:
    server, controller = CustomServer(without_status), RolloutsController()
    server.reactions.append(controller)
    server.steps.append(controller.seen)
    return server, controller


def deployed(server: CustomServer, *images: str, **spec: object) -> Data:
    """A Rollout that got one image after the other."""
    data = server.add(rollout(f"shop/api:{images[0]}", **spec))  # type: ignore[arg-type]
    for image in images[1:]:
        data = set_image(server, image)
    return data


def set_image(server: CustomServer, image: str) -> Data:
    containers = deepcopy(server.the("Rollout", NAMESPACE, "api")["spec"]["template"]["spec"]["containers"])
    containers[0]["image"] = f"shop/api:{image}"
    return server.edit("Rollout", NAMESPACE, "api", {"spec": {"template": {"spec": {"containers": containers}}}})


def hash_of(server: CustomServer, image: str) -> str:
    sets = server.all("ReplicaSet")
    return next(str(each["metadata"]["labels"][HASH]) for each in sets if each["spec"]["template"]["spec"]["containers"][0]["image"] == f"shop/api:{image}")


def the(server: CustomServer) -> Data:
    return server.the("Rollout", NAMESPACE, "api")


@pytest.fixture
def server() -> Iterator[CustomServer]:
    running, _ = cluster()
    with running:
        yield running
        assert running.problems == []


@pytest.fixture
def rollouts(server: CustomServer) -> Iterator[ArgoRollouts]:
    with reaching(server, FakeClock()) as client:
        yield ArgoRollouts(client)


def test_a_canary_at_its_first_pause_is_read_whole(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0")
    port: Rollouts = rollouts
    state = port.state(NAME)
    assert (state.phase, state.message, state.strategy, state.step, state.weight, state.share) == (
        RolloutPhase.PAUSED, "CanaryPauseStep", RolloutStrategy.CANARY, 1, 5, 0.05,
    )  # fmt: skip
    assert (state.current, state.stable, state.template_hash) == (hash_of(server, "1.1.0"), hash_of(server, "1.0.0"), hash_of(server, "1.1.0"))
    assert [(each.number, each.images, each.available) for each in state.revisions] == [(2, ("shop/api:1.1.0",), 1), (1, ("shop/api:1.0.0",), 4)]
    assert state.steps[:4] == (
        RolloutStep("setWeight", 5),
        RolloutStep("pause", endless=True),
        RolloutStep("setWeight", 25),
        RolloutStep("pause", seconds="10m"),
    )


def test_pods_of_both_versions_are_told_apart_for_queries(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0")
    assert sides(rollouts.state(NAME)) is None
    set_image(server, "1.1.0")
    found = sides(rollouts.state(NAME))
    assert found is not None
    assert (found.canary, found.baseline, found.common) == (
        f'pod=~"api-{hash_of(server, "1.1.0")}-[a-z0-9]+"', f'pod=~"api-{hash_of(server, "1.0.0")}-[a-z0-9]+"', 'namespace="prod"',
    )  # fmt: skip


def test_replica_sets_of_others_are_not_revisions(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0")
    server.add(deployment("api", "shop/other:9"))
    assert len(rollouts.state(NAME).revisions) == 1


def test_without_a_router_the_share_is_that_of_the_pods(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0", strategy=BASIC)
    state = rollouts.state(NAME)
    assert (state.weight, state.share, state.can_keep_pods) == (None, 0.25, False)


def test_of_blue_green_the_preview_has_no_traffic(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0", strategy=BLUE_GREEN)
    state = rollouts.state(NAME)
    assert (state.strategy, state.share, state.active, state.preview) == (RolloutStrategy.BLUE_GREEN, 0.0, state.stable, state.current)


def test_a_word_that_argo_rollouts_does_not_have_is_an_unknown_one(server: CustomServer, rollouts: ArgoRollouts) -> None:
    data = deepcopy(deployed(server, "1.0.0"))
    data["status"]["phase"] = "Levitating"
    server.put(data)
    state = rollouts.state(NAME)
    assert (state.phase, state.word) == (RolloutPhase.UNKNOWN, "Levitating")


def test_what_the_controller_has_not_seen_is_not_called_healthy(rollouts: ArgoRollouts, server: CustomServer) -> None:
    data = deepcopy(deployed(server, "1.0.0"))
    data["metadata"]["generation"] += 1
    data["status"]["observedGeneration"] = "1"
    server.objects["argoproj.io", "rollouts", NAMESPACE, "api"] = data
    assert rollouts.state(NAME).phase is RolloutPhase.OBSERVING


def test_a_rollout_that_is_not_there_is_said_with_the_target(rollouts: ArgoRollouts) -> None:
    with pytest.raises(UsageError, match="There is no Rollout prod/api, or Argo Rollouts is not installed: check the target `rollout:prod/api`"):
        rollouts.state(NAME)


def test_a_rollout_without_a_strategy_is_refused(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0")
    data = deepcopy(the(server))
    data["spec"]["strategy"] = {}
    server.put(data)
    with pytest.raises(Refused, match="neither a canary nor a blueGreen strategy"):
        rollouts.state(NAME)


def test_another_shape_is_said_by_its_path(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0")
    server.faults[len(server.requests)] = json_reply({"metadata": {}, "spec": {"strategy": {"canary": {}}, "replicas": "four", "template": {}}})
    with pytest.raises(BadAnswer, match=r"`metadata\.uid` should be a text"):
        rollouts.state(NAME)


def test_an_abort_is_a_merge_patch_of_the_status(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0")
    assert rollouts.abort(NAME)
    assert server.writes == [("PATCH", "/apis/argoproj.io/v1alpha1/namespaces/prod/rollouts/api/status", {"status": {"abort": True}})]
    state = rollouts.state(NAME)
    assert (state.aborted, state.phase, state.weight) == (True, RolloutPhase.DEGRADED, 0)
    assert not rollouts.abort(NAME)


def test_without_a_status_subresource_the_object_itself_is_patched() -> None:
    server, _ = cluster("Rollout")
    with server, reaching(server, FakeClock()) as client:
        deployed(server, "1.0.0", "1.1.0")
        assert ArgoRollouts(client).abort(NAME)
        assert server.writes == [("PATCH", "/apis/argoproj.io/v1alpha1/namespaces/prod/rollouts/api", {"status": {"abort": True}})]
        assert the(server)["status"]["canary"]["weights"]["canary"]["weight"] == 0
        assert server.problems == []


def test_an_undo_writes_the_template_of_the_revision_without_its_hash(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0")
    old = hash_of(server, "1.0.0")
    assert rollouts.undo(NAME, old)
    (_, _, patch) = server.writes[-1]
    assert [(each["op"], each["path"]) for each in patch] == [("test", "/metadata/generation"), ("replace", "/spec/template")]
    assert HASH not in patch[1]["value"]["metadata"]["labels"]
    assert rollouts.state(NAME).template_hash == old
    assert not rollouts.undo(NAME, old)


def test_an_undo_of_a_rollout_that_somebody_changed_meanwhile_is_not_written(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0")
    old = hash_of(server, "1.0.0")

    def meddle(running: object) -> None:
        if len(server.requests) == 2:
            server.steps.remove(meddle)
            set_image(server, "1.2.0")

    server.steps.append(meddle)
    with pytest.raises(Rejected, match="rejected our request"):
        rollouts.undo(NAME, old)
    assert the(server)["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/api:1.2.0"


def test_the_template_of_a_referenced_deployment_is_written_there(server: CustomServer, rollouts: ArgoRollouts) -> None:
    held = server.add(deployment("api", "shop/api:1.0.0", replicas=0))
    server.add(rollout(workload=held))
    old = rollouts.state(NAME).template_hash
    containers = deepcopy(held["spec"]["template"]["spec"]["containers"])
    containers[0]["image"] = "shop/api:1.1.0"
    server.edit("Deployment", NAMESPACE, "api", {"spec": {"template": {"spec": {"containers": containers}}}})
    state = rollouts.state(NAME)
    assert (state.workload_ref, state.running) == (("Deployment", "api"), True)
    assert rollouts.undo(NAME, old)
    assert server.the("Deployment", NAMESPACE, "api")["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/api:1.0.0"
    assert "template" not in the(server)["spec"]


def test_a_template_in_a_replica_set_is_not_written(server: CustomServer, rollouts: ArgoRollouts) -> None:
    data = deepcopy(deployed(server, "1.0.0"))
    old = hash_of(server, "1.0.0")
    del data["spec"]["template"]
    data["spec"]["workloadRef"] = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api"}
    server.put(data)
    with pytest.raises(Refused, match="the template of prod/api is in a ReplicaSet, which is not written to"):
        rollouts.undo(NAME, old)


def test_a_revision_that_is_gone_is_not_undone_to(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0")
    with pytest.raises(Refused, match="has no ReplicaSet 12345 any more"):
        rollouts.undo(NAME, "12345")


def test_a_promotion_ends_the_pause_and_goes_to_the_next_one(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0")
    assert rollouts.promote(NAME, 1)
    assert server.writes == [("PATCH", "/apis/argoproj.io/v1alpha1/namespaces/prod/rollouts/api/status", {"status": {"pauseConditions": None}})]
    state = rollouts.state(NAME)
    assert (state.step, state.weight) == (3, 25)
    assert not rollouts.promote(NAME, 1)
    assert rollouts.state(NAME).step == 3


def test_where_nothing_pauses_the_step_itself_is_ended(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0")
    rollouts.promote(NAME, 1)
    rollouts.promote(NAME, 3)
    assert (rollouts.state(NAME).step, rollouts.state(NAME).pauses) == (5, ())
    assert rollouts.promote(NAME, 5)
    assert server.writes[-1][2] == {"status": {"pauseConditions": None, "currentStepIndex": 6}}
    assert rollouts.state(NAME).phase is RolloutPhase.HEALTHY


def test_a_pause_that_is_about_to_end_is_not_ended_twice(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0")
    controller = next(each for each in server.reactions if isinstance(each, RolloutsController))
    controller.asleep = True
    assert rollouts.promote(NAME, 1)
    assert not rollouts.promote(NAME, 1)
    controller.wake(server)
    assert rollouts.state(NAME).step == 3


def test_what_somebody_else_holds_is_not_promoted(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0")
    server.edit("Rollout", NAMESPACE, "api", {"spec": {"paused": True}})
    with pytest.raises(Rejected, match=r"held by `spec.paused`, which somebody else set"):
        rollouts.promote(NAME, 1)
    assert not rollouts.hold(NAME, False)


def test_all_steps_are_skipped_for_the_current_version_only(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0")
    with pytest.raises(Rejected, match="so it is not promoted"):
        rollouts.promote_fully(NAME, hash_of(server, "1.0.0"))
    assert rollouts.promote_fully(NAME, hash_of(server, "1.1.0"))
    assert rollouts.state(NAME).stable == hash_of(server, "1.1.0")
    assert not rollouts.promote_fully(NAME, hash_of(server, "1.1.0"))


@pytest.mark.parametrize("delay", [None, 600])
def test_pods_of_an_aborted_version_are_kept_and_the_delay_comes_back(server: CustomServer, rollouts: ArgoRollouts, delay: int | None) -> None:
    rules = {"steps": [{"setWeight": 25}, {"pause": {}}], "trafficRouting": ROUTED, **({} if delay is None else {"abortScaleDownDelaySeconds": delay})}
    deployed(server, "1.0.0", "1.1.0", strategy={"canary": rules})
    assert rollouts.keep_pods(NAME, True)
    assert not rollouts.keep_pods(NAME, True)
    rollouts.abort(NAME)
    state = rollouts.state(NAME)
    assert (state.weight, state.revisions[0].available) == (0, 1)
    assert rollouts.keep_pods(NAME, False)
    assert not rollouts.keep_pods(NAME, False)
    assert the(server)["spec"]["strategy"]["canary"].get("abortScaleDownDelaySeconds") == delay
    assert rollouts.state(NAME).revisions[0].available == 0


def test_a_delay_of_zero_that_somebody_else_set_is_left_alone(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0", strategy={"blueGreen": {"activeService": "api", "abortScaleDownDelaySeconds": 0}})
    assert not rollouts.keep_pods(NAME, True)
    assert not rollouts.keep_pods(NAME, False)


def test_pods_cannot_be_kept_where_they_are_what_splits_the_traffic(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0", strategy=BASIC)
    with pytest.raises(Refused, match="splits its traffic by the number of pods"):
        rollouts.keep_pods(NAME, True)


def test_missing_rights_are_named_with_their_subresource(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0")
    state = rollouts.state(NAME)
    assert rollouts.missing_rights(state) == ()
    server.denied = {("patch", "argoproj.io", "rollouts/status")}
    with reaching(server, FakeClock()) as client:
        assert ArgoRollouts(client).missing_rights(state) == ("The credential may not patch `rollouts/status` of `argoproj.io` in prod: add that to its Role.",)


def test_a_refusal_of_the_cluster_is_one_sentence(server: CustomServer, rollouts: ArgoRollouts) -> None:
    deployed(server, "1.0.0", "1.1.0")
    server.denied = {("patch", "argoproj.io", "rollouts/status")}
    with pytest.raises(NotAllowed, match="403"):
        rollouts.abort(NAME)


@pytest.mark.parametrize("reply", [status(409, "the object has been modified"), status(422, "invalid")])
def test_an_undo_that_went_through_although_the_answer_says_no_counts_as_done(server: CustomServer, rollouts: ArgoRollouts, reply: Reply) -> None:
    deployed(server, "1.0.0", "1.1.0")
    old = hash_of(server, "1.0.0")
    original, handled = server.handler, []

    def twice(request: object) -> Reply:
        answer = original(request)  # type: ignore[arg-type]
        if getattr(request, "method", "") == "PATCH":
            handled.append(answer.status)
            return reply
        return answer

    server.handler = twice
    assert rollouts.undo(NAME, old)
    assert handled == [200]


def test_objects_that_the_crd_does_not_know_are_noticed() -> None:
    data = rollout()
    assert crd_problems(data) == []
    data["spec"]["strategy"]["canary"]["abort"] = True
    assert len(crd_problems(data)) == 1

"""Rolling back Deployments, StatefulSets and DaemonSets against the stand-in for Kubernetes, whose controllers do what the real ones do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from tests.servers.http_server import Reply
from tests.servers.kubernetes import KubernetesServer, status
from tests.servers.kubernetes_calling import calling_kubernetes
from tests.servers.kubernetes_controllers import Controllers
from tests.servers.kubernetes_lists import Data
from tests.servers.kubernetes_objects import APPLIED, daemon_set, deployment, stateful_set, template

from cicd_agents.clients.delivery.kubernetes_workloads import KubernetesWorkloads
from cicd_agents.domain.delivery_workload import HEALTHY, ROLLED_BACK, Workload
from cicd_agents.domain.errors import NotAllowed, Rejected, UsageError
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation
from cicd_agents.operations.apply import AlreadyDone
from cicd_agents.operations.delivery_way import DeliveryWay
from cicd_agents.operations.delivery_workload import MARK, PAUSE, UNDO, UNPAUSE, WORKLOAD_KINDS, WorkloadWay
from cicd_agents.operations.guardian_rollback import Intent, plan

API, DB, AGENT = "deployment:prod/api", "statefulset:prod/db", "daemonset:prod/agent"


@dataclass
class Scene:
    server: KubernetesServer
    controllers: Controllers
    way: WorkloadWay

    def release(self, version: str, kind: str = "Deployment", name: str = "api") -> None:
        """Somebody deploys a version."""
        self.server.now += 3600
        spec = {"template": template(name, f"shop/{name}:{version}")}
        self.server.edit(kind, "prod", name, {"spec": spec})

    def apply(self, operations: tuple[Operation, ...]) -> list[str]:
        return [self.way.appliers()[one.kind](one) for one in operations]

    def roll_back(self) -> str:
        standing = self.way.look()
        assert standing.good is not None
        return self.apply(self.way.rollback(standing, standing.good, "P95 doubled."))[0]

    def healthy(self) -> None:
        self.apply(self.way.mark_healthy(self.way.look(), "It was judged well."))

    def image(self, kind: str = "Deployment", name: str = "api") -> str:
        return str(self.server.the(kind, "prod", name)["spec"]["template"]["spec"]["containers"][0]["image"])


@contextmanager
def scene(target: str = API, thing: Data | None = None) -> Iterator[Scene]:
    things: dict[str, Data] = {API: deployment(), DB: stateful_set(), AGENT: daemon_set()}
    controllers = Controllers()
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        server.reactions.append(controllers)
        server.add(thing or things[target])
        yield Scene(server, controllers, WorkloadWay(Workload.of(target), KubernetesWorkloads(it.cluster), it.clock))
        assert server.problems == []


KINDS = [(API, "Deployment", "api"), (DB, "StatefulSet", "db"), (AGENT, "DaemonSet", "agent")]
each_kind = pytest.mark.parametrize(("target", "kind", "name"), KINDS)


def shown(revision: KnownRevision | None) -> str:
    return revision.version.partition(" (")[0] if revision else ""


# How it stands


@each_kind
def test_a_workload_that_rolled_out_is_settled_healthy_and_good(target: str, kind: str, name: str) -> None:
    with scene(target) as it:
        standing = it.way.look()
        way: DeliveryWay = it.way
        assert (standing.target, way.target) == (target, target)
        assert (standing.settled, standing.healthy, standing.failed, standing.obstacles) == (True, True, "", ())
        assert (shown(standing.current), standing.current.good if standing.current else None) == (f"shop/{name}:1.0.0", True)
        assert (standing.good, standing.earlier, standing.stable, standing.share) == (None, (), None, None)


@each_kind
def test_a_version_that_never_answers_leaves_the_one_before_known_as_good(target: str, kind: str, name: str) -> None:
    with scene(target) as it:
        it.controllers.broken.add(f"shop/{name}:1.1.0")
        it.release("1.1.0", kind, name)
        standing = it.way.look()
        assert (standing.settled, standing.healthy) == (False, False)
        assert shown(standing.current) == f"shop/{name}:1.1.0"
        assert standing.current is not None
        assert standing.current.good is None
        assert (shown(standing.good), shown(standing.stable)) == (f"shop/{name}:1.0.0", f"shop/{name}:1.0.0")
        assert standing.good is not None
        assert "are available" in standing.good.why
        assert standing.share == 0


def test_a_deployment_that_gave_up_says_why() -> None:
    with scene() as it:
        it.controllers.broken.add("shop/api:1.1.0")
        it.release("1.1.0")
        it.controllers.give_up(it.server, "prod", "api")
        standing = it.way.look()
        assert standing.settled
        assert standing.failed.startswith("ProgressDeadlineExceeded: ReplicaSet")
        assert standing.healthy is False


def test_what_is_scaled_to_nothing_is_not_called_healthy() -> None:
    with scene(thing=deployment(replicas=0)) as it:
        assert it.way.look().healthy is None


def test_a_change_that_the_controller_has_not_seen_is_an_obstacle_and_nothing_is_guessed() -> None:
    with scene() as it:
        it.controllers.asleep = True
        it.release("1.1.0")
        standing = it.way.look()
        assert (standing.current, standing.healthy, standing.settled) == (None, None, False)
        assert "The controller of deployment:prod/api has not seen its newest change yet." in standing.obstacles
        assert any("made no revision" in note for note in standing.notes)


def test_a_change_that_is_not_seen_yet_can_be_held_already() -> None:
    with scene() as it:
        it.controllers.asleep = True
        it.release("1.1.0")
        (operation,) = it.way.hold(it.way.look(), "P95 doubled.")
        it.apply((operation,))
        it.controllers.wake(it.server)
        assert {each.images for each in it.way.workloads.state(it.way.workload).revisions} == {("shop/api:1.0.0",)}


def test_the_version_that_is_just_being_left_is_not_gone_back_to() -> None:
    """A roll-back that its controller has not seen: the revisions have their old numbers still."""
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        it.healthy()
        it.controllers.asleep = True
        it.release("1.0.0")
        standing = it.way.look()
        assert (shown(standing.current), standing.good) == ("shop/api:1.0.0", None)
        assert [each.good for each in standing.earlier] == [True]


def test_a_right_that_is_missing_is_an_obstacle_and_one_that_is_not_told_is_none() -> None:
    with scene() as it:
        it.server.denied.add(("patch", "apps", "deployments"))
        text = "The credential may not patch deployment:prod/api: add the verb `patch` on `deployments` (group apps) to its Role."
        assert it.way.look().obstacles == (text,)
    with scene() as it:
        it.server.reviews = False
        assert it.way.look().obstacles == ()


def test_a_rolling_update_tells_what_part_of_the_pods_is_new() -> None:
    with scene(thing=deployment(replicas=4)) as it:
        it.controllers.new_pods = 1
        it.release("1.1.0")
        standing = it.way.look()
        assert (standing.share, standing.settled, shown(standing.stable)) == (0.25, False, "shop/api:1.0.0")


def test_a_workload_that_is_not_there_is_named() -> None:
    with scene() as it:
        it.server.drop("Deployment", "prod", "api")
        with pytest.raises(UsageError, match=r"^There is no deployment:prod/api"):
            it.way.look()


# Which revision is good


def test_the_last_revision_that_was_fully_available_is_taken_and_not_merely_the_previous() -> None:
    with scene() as it:
        it.controllers.broken |= {"shop/api:1.1.0", "shop/api:1.2.0"}
        it.release("1.1.0")
        it.release("1.2.0")
        standing = it.way.look()
        assert [shown(each) for each in standing.earlier] == ["shop/api:1.1.0", "shop/api:1.0.0"]
        assert [each.good for each in standing.earlier] == [None, True]
        assert shown(standing.good) == "shop/api:1.0.0"


def test_what_is_not_kept_is_said_as_unknown_until_it_is_marked() -> None:
    with scene() as it:
        it.release("1.1.0")
        (before,) = it.way.look().earlier
        assert (before.good, before.why) == (None, "the cluster does not keep whether it was ever fully available")
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        standing = it.way.look()
        assert standing.good == standing.earlier[0]
        assert standing.good is not None
        assert standing.good.why == "it was marked healthy at 2025-06-15T15:06:40Z"


@each_kind
def test_a_mark_holds_for_its_own_revision_only(target: str, kind: str, name: str) -> None:
    """Controllers copy annotations from a workload to its new revisions, and `kubectl rollout undo` from a revision to the workload."""
    with scene(target) as it:
        it.healthy()
        standing = it.way.look()
        assert standing.current is not None
        keeper = "ReplicaSet" if kind == "Deployment" else "ControllerRevision"
        mark = it.server.the(keeper, "prod", standing.current.id)["metadata"]["annotations"][HEALTHY]
        it.server.edit(kind, "prod", name, {"metadata": {"annotations": {HEALTHY: mark}}})
        it.controllers.broken.add(f"shop/{name}:1.1.0")
        it.release("1.1.0", kind, name)
        current = it.way.look().current
        assert current is not None
        assert it.server.the(keeper, "prod", current.id)["metadata"]["annotations"][HEALTHY] == mark
        assert current.good is None


def test_a_revision_is_marked_once_and_only_while_it_is_healthy() -> None:
    with scene() as it:
        operations = it.way.mark_healthy(it.way.look(), "It was judged well.")
        assert [one.kind for one in operations] == [MARK]
        it.apply(operations)
        with pytest.raises(AlreadyDone, match="marked healthy at"):
            it.apply(operations)
        it.controllers.broken.add("shop/api:1.1.0")
        it.release("1.1.0")
        assert it.way.mark_healthy(it.way.look(), "It was judged well.") == ()
        with pytest.raises(Rejected, match=r"does not ask for .* any more"):
            it.apply(operations)


# The roll-back


@each_kind
def test_a_roll_back_brings_the_template_back_and_the_workload_is_healthy_again(target: str, kind: str, name: str) -> None:
    with scene(target) as it:
        before = it.server.the(kind, "prod", name)["spec"]
        it.healthy()
        it.controllers.broken.add(f"shop/{name}:1.1.0")
        it.release("1.1.0", kind, name)
        bad = it.way.look().current
        assert bad is not None
        assert it.roll_back().startswith("Wrote the template of ")
        assert it.server.the(kind, "prod", name)["spec"] == before
        standing = it.way.look()
        assert (shown(standing.current), standing.healthy, standing.settled) == (f"shop/{name}:1.0.0", True, True)
        left = next(each for each in standing.earlier if each.id == bad.id)
        assert (left.good, left.why[:21]) == (False, "it was rolled back at")


def test_two_roll_backs_in_a_row_do_not_go_back_to_the_bad_version() -> None:
    """`kubectl rollout undo` twice does; the bad one was even marked healthy, before it turned bad."""
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        it.healthy()
        it.way.clock.sleep(60)
        it.roll_back()
        standing = it.way.look()
        assert (shown(standing.current), standing.good) == ("shop/api:1.0.0", None)
        assert [each.good for each in standing.earlier] == [False]
        assert any("It was gone back to" in note for note in standing.notes)


def test_a_version_that_was_mended_and_marked_after_its_roll_back_is_good_again() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        it.roll_back()
        it.way.clock.sleep(60)
        it.release("1.1.0")
        it.healthy()
        current = it.way.look().current
        assert current is not None
        assert (current.good, current.why[:21]) == (True, "it was marked healthy")


def test_the_annotations_of_a_deployment_go_back_as_with_kubectl_and_ours_stay_where_they_belong() -> None:
    thing = deployment(annotations={"kubernetes.io/change-cause": "the first"})
    with scene(thing=thing) as it:
        it.healthy()
        it.server.edit("Deployment", "prod", "api", {"metadata": {"annotations": {"kubernetes.io/change-cause": "the second", APPLIED: "second"}}})
        # A change of annotations reaches the newest ReplicaSet, so it comes with the template here.
        first = it.way.look().current
        assert first is not None
        it.server.edit("ReplicaSet", "prod", first.id, {"metadata": {"annotations": {"kubernetes.io/change-cause": "the first"}}})
        it.release("1.1.0")
        it.roll_back()
        notes = it.server.the("Deployment", "prod", "api")["metadata"]["annotations"]
        assert notes["kubernetes.io/change-cause"] == "the first"
        assert notes[APPLIED] == "second"
        assert HEALTHY not in notes
        assert notes[ROLLED_BACK].endswith("@2025-06-15T15:06:40Z")
        assert notes["deployment.kubernetes.io/revision"] == "3"


def test_a_template_that_is_there_already_is_done_already() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        standing = it.way.look()
        assert standing.good is not None
        operations = it.way.rollback(standing, standing.good, "P95 doubled.")
        it.apply(operations)
        writes = len(it.server.writes)
        with pytest.raises(AlreadyDone, match=r"is that of .* already"):
            it.apply(operations)
        assert len(it.server.writes) == writes


def test_another_version_than_was_judged_is_left_alone() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        standing = it.way.look()
        assert standing.good is not None
        operations = it.way.rollback(standing, standing.good, "P95 doubled.")
        it.release("1.2.0")
        writes = len(it.server.writes)
        with pytest.raises(Rejected, match="which was judged; look again"):
            it.apply(operations)
        assert len(it.server.writes) == writes


def race(server: KubernetesServer, patch: dict[str, Any], times: int = 1) -> None:
    """Somebody changes the Deployment just before our patch arrives."""
    handled, left = server.handler, [times]

    def handler(request: Any) -> Reply:
        if request.method == "PATCH" and left[0]:
            left[0] -= 1
            server.edit("Deployment", "prod", "api", patch)
        return handled(request)

    server.handler = handler


def test_a_change_of_the_scale_in_between_is_seen_and_the_roll_back_goes_on() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        race(it.server, {"spec": {"replicas": 5}})
        it.roll_back()
        assert it.image() == "shop/api:1.0.0"
        assert it.server.the("Deployment", "prod", "api")["spec"]["replicas"] == 5


def test_a_new_version_in_between_is_never_overwritten() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        race(it.server, {"spec": {"template": template("api", "shop/api:1.2.0")}})
        with pytest.raises(Rejected, match="which was judged"):
            it.roll_back()
        assert it.image() == "shop/api:1.2.0"


def test_a_deployment_of_the_same_name_that_was_made_anew_is_never_written_to() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        standing = it.way.look()
        assert standing.good is not None
        operations = it.way.rollback(standing, standing.good, "P95 doubled.")
        it.server.drop("Deployment", "prod", "api")
        it.server.add(deployment(image="shop/api:9.0.0"))
        with pytest.raises(Rejected):
            it.apply(operations)
        assert it.image() == "shop/api:9.0.0"


def test_what_the_server_rejects_for_another_reason_is_said_and_not_tried_again() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        handled = it.server.handler
        denied = status(422, "admission webhook denied the request: images must be signed", "Invalid")
        it.server.handler = lambda request: denied if request.method == "PATCH" else handled(request)
        before = len(it.server.requests)
        with pytest.raises(Rejected, match="images must be signed"):
            it.roll_back()
        assert sum(one.method == "PATCH" for one in it.server.requests[before:]) == 1


def test_a_right_that_is_taken_away_is_named() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        standing = it.way.look()
        assert standing.good is not None
        it.server.denied.add(("patch", "apps", "deployments"))
        with pytest.raises(NotAllowed, match=r"Give the credential the verb `patch` on `deployments` of the group apps by a Role in the namespace prod\.$"):
            it.apply(it.way.rollback(standing, standing.good, "P95 doubled."))


def test_a_revision_that_is_not_kept_any_more_is_said() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        standing = it.way.look()
        assert standing.good is not None
        it.server.drop("ReplicaSet", "prod", standing.good.id)
        with pytest.raises(Rejected, match="revisionHistoryLimit"):
            it.apply(it.way.rollback(standing, standing.good, "P95 doubled."))


@each_kind
@pytest.mark.parametrize("after_work", [False, True])
def test_a_run_that_was_killed_at_any_call_can_be_run_again(target: str, kind: str, name: str, after_work: bool) -> None:
    for call in range(20):
        with scene(target) as it:
            it.healthy()
            it.controllers.broken.add(f"shop/{name}:1.1.0")
            it.release("1.1.0", kind, name)
            standing = it.way.look()
            assert standing.good is not None
            operations = it.way.rollback(standing, standing.good, "P95 doubled.")
            it.server.calls, it.server.dead_from, it.server.dead_after_work = 0, call, after_work
            ended = False
            try:
                it.apply(operations)
                ended = True
            except Exception:  # noqa: BLE001, S110 that is the kill
                pass
            it.server.dead_from = None
            with suppress(AlreadyDone):
                it.apply(operations)
            assert it.image(kind, name) == f"shop/{name}:1.0.0"
            assert it.way.look().healthy
            assert sum(path.endswith(f"/{name}") for _, path, _ in it.server.writes) == 1
        if ended:
            assert call > 3
            return
    pytest.fail("it never ended")


def test_an_answer_that_is_lost_after_the_patch_is_no_failure() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        handled = it.server.handler
        lost = [1]

        def handler(request: Any) -> Reply:
            reply = handled(request)
            return Reply(reset=True) if request.method == "PATCH" and lost and lost.pop() else reply

        it.server.handler = handler
        assert it.roll_back().startswith("Wrote the template")
        assert it.image() == "shop/api:1.0.0"


def test_the_transaction_of_all_tools_goes_there_and_knows_afterwards_that_it_did() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        intent = Intent(("shop/api:1.1.0",), "P95 doubled.")
        made = plan(it.way, intent)
        assert (shown(made.to), made.refusals, made.operations[0].kind, made.done) == ("shop/api:1.0.0", (), UNDO, False)
        it.apply(made.operations[:1])
        again = plan(it.way, intent)
        assert (shown(again.to), again.refusals, again.done) == ("shop/api:1.0.0", (), True)
        with pytest.raises(AlreadyDone):
            it.apply(again.operations[:1])
        assert plan(it.way, Intent(("shop/api:2.0.0",), "P95 doubled.")).refusals != ()


# Paused, promoted, frozen


def test_a_workload_that_somebody_paused_is_not_rolled_back() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        it.server.edit("Deployment", "prod", "api", {"spec": {"paused": True}})
        standing = it.way.look()
        assert standing.obstacles == ("deployment:prod/api is paused by somebody, so nothing would roll out; resume it first.",)
        assert standing.good is not None
        with pytest.raises(Rejected, match="kubectl -n prod rollout resume deployment/api first"):
            it.apply(it.way.rollback(standing, standing.good, "P95 doubled."))


def test_a_hold_stops_a_rolling_update_and_a_resume_lets_it_go_on() -> None:
    with scene(thing=deployment(replicas=4)) as it:
        it.controllers.new_pods = 1
        it.release("1.1.0")
        standing = it.way.look()
        operations = it.way.hold(standing, "P95 doubled.")
        assert [one.kind for one in operations] == [PAUSE]
        assert it.apply(operations) == ["Paused deployment:prod/api: 1 of 4 pods are of the new version."]
        with pytest.raises(AlreadyDone):
            it.apply(operations)
        frozen = it.way.look()
        assert (frozen.share, frozen.settled, frozen.obstacles) == (0.25, True, ())
        assert it.way.hold(frozen, "P95 doubled.") == ()
        it.controllers.new_pods = None
        back = it.way.resume(frozen, "The migration is over.")
        assert [one.kind for one in back] == [UNPAUSE]
        it.apply(back)
        assert it.way.look().healthy
        assert it.way.resume(it.way.look(), "Again.") == ()
        with pytest.raises(AlreadyDone):
            it.apply(back)


def test_a_roll_back_ends_a_pause_of_ours_in_the_same_write() -> None:
    with scene(thing=deployment(replicas=4)) as it:
        it.healthy()
        it.controllers.new_pods = 1
        it.release("1.1.0")
        it.apply(it.way.hold(it.way.look(), "P95 doubled."))
        it.controllers.new_pods = None
        it.roll_back()
        data = it.server.the("Deployment", "prod", "api")
        assert (data["spec"]["paused"], it.image()) == (False, "shop/api:1.0.0")
        assert "cicd-agents/paused" not in data["metadata"]["annotations"]
        assert it.way.look().healthy


def test_only_a_paused_rolling_update_can_be_promoted_and_only_as_a_whole() -> None:
    with scene() as it:
        standing = it.way.look()
        assert it.way.promote(standing, None, "It is well.") == ()
        it.server.edit("Deployment", "prod", "api", {"spec": {"paused": True}})
        assert it.way.promote(standing, 0.25, "It is well.") == ()
        (operation,) = it.way.promote(it.way.look(), None, "It is well.")
        assert (operation.kind, operation.reverse) == (UNPAUSE, "kubectl -n prod rollout pause deployment/api")
        it.apply((operation,))
        assert it.server.the("Deployment", "prod", "api")["spec"]["paused"] is False


def test_a_template_that_was_written_while_it_was_paused_does_not_go_on_unjudged() -> None:
    with scene(thing=deployment(replicas=4)) as it:
        it.controllers.new_pods = 1
        it.release("1.1.0")
        it.apply(it.way.hold(it.way.look(), "P95 doubled."))
        planned = it.way.resume(it.way.look(), "It was looked at.")
        it.release("1.2.0")
        with pytest.raises(Rejected, match="look again"):
            it.apply(planned)
        assert it.server.the("Deployment", "prod", "api")["spec"]["paused"] is True


def test_sets_have_nothing_to_hold() -> None:
    with scene(DB) as it:
        it.controllers.broken.add("shop/db:1.1.0")
        it.release("1.1.0", "StatefulSet", "db")
        assert it.way.hold(it.way.look(), "P95 doubled.") == ()


# What a roll-back does not reach


def test_a_partition_and_on_delete_and_a_stuck_pod_are_said() -> None:
    with scene(DB, stateful_set(updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}})) as it:
        it.release("1.1.0", "StatefulSet", "db")
        assert it.way.look().healthy
        assert it.way.look().notes == ("Its partition is 2: the pods 0 to 1 keep their revision whatever the template says.",)
    with scene(DB, stateful_set(updateStrategy={"type": "OnDelete"})) as it:
        assert "OnDelete" in it.way.look().notes[0]
    with scene(DB) as it:
        it.controllers.broken.add("shop/db:1.1.0")
        it.release("1.1.0", "StatefulSet", "db")
        assert "delete that pod if it stays" in it.way.look().notes[0]


@pytest.mark.parametrize(
    ("place", "key", "value", "words"),
    [
        ("annotations", "argocd.argoproj.io/tracking-id", "shop:apps/Deployment:prod/api", "Argo CD shop"),
        ("labels", "kustomize.toolkit.fluxcd.io/name", "shop", "the Flux Kustomization shop"),
        ("labels", "helm.toolkit.fluxcd.io/name", "shop", "the Flux HelmRelease shop"),
    ],
)
def test_a_tool_that_puts_things_back_is_an_obstacle_unless_it_stands_still(place: str, key: str, value: str, words: str) -> None:
    thing = deployment()
    thing["metadata"][place][key] = value
    with scene(thing=thing) as it:
        (obstacle,) = it.way.look().obstacles
        assert obstacle == f"deployment:prod/api belongs to {words}, which may put its own version back at once: roll back by that tool."
        it.way.owner_handled = True
        standing = it.way.look()
        assert standing.obstacles == ()
        assert standing.notes[-1].startswith(f"It belongs to {words}, which puts its own version back as soon as it goes on")


def test_helm_and_a_kustomization_that_leaves_it_alone_are_notes() -> None:
    with scene(thing=deployment(annotations={"meta.helm.sh/release-name": "shop"})) as it:
        standing = it.way.look()
        assert (standing.obstacles, standing.notes) == (
            (),
            ("It belongs to the Helm release shop, which does not see a roll-back here: its next release brings back what it states.",),
        )
    thing = deployment(annotations={"kustomize.toolkit.fluxcd.io/reconcile": "disabled"})
    thing["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] = "shop"
    with scene(thing=thing) as it:
        assert it.way.look().obstacles == ()


# For people


@each_kind
def test_the_commands_name_the_number_that_the_revision_has_now(target: str, kind: str, name: str) -> None:
    with scene(target) as it:
        it.healthy()
        it.release("1.1.0", kind, name)
        standing = it.way.look()
        place = target.partition(":")[0]
        undo, wait = it.way.commands(standing, standing.good)
        assert undo == f"kubectl -n prod rollout undo {place}/{name} --to-revision=1"
        assert wait == f"kubectl -n prod rollout status {place}/{name}"
        history, undo, _ = it.way.commands(standing, None)
        assert history == f"kubectl -n prod rollout history {place}/{name}"
        assert undo.endswith("--to-revision=REVISION")


def test_the_operation_says_what_it_does_and_how_it_is_undone() -> None:
    with scene() as it:
        it.healthy()
        it.release("1.1.0")
        standing = it.way.look()
        assert standing.good is not None
        assert standing.current is not None
        (operation,) = it.way.rollback(standing, standing.good, "P95 doubled.")
        assert (operation.kind, operation.target) == (UNDO, API)
        assert operation.why.startswith("P95 doubled. shop/api:1.0.0 (template=")
        assert operation.reverse == "kubectl -n prod rollout undo deployment/api --to-revision=2"
        assert operation.key == f"UndoWorkload:{API}:{standing.current.id}:{standing.good.id}"
        assert set(it.way.appliers()) == set(WORKLOAD_KINDS)


def test_two_revisions_of_the_same_image_are_not_taken_for_one() -> None:
    with scene() as it:
        it.healthy()
        it.server.edit("Deployment", "prod", "api", {"spec": {"template": template("api", "shop/api:1.0.0", env="fast")}})
        standing: DeliveryStanding = it.way.look()
        assert standing.current is not None
        assert standing.good is not None
        assert standing.current.version != standing.good.version


@pytest.mark.parametrize("text", ["deployment:api", "deployment:Prod/api", "job:prod/x", "deployment:prod/api/status", "prod/api", "deployment:../x"])
def test_a_target_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write"):
        Workload.of(text)


def test_no_workload_can_be_frozen_since_its_pods_keep_their_traffic() -> None:
    with scene(thing=deployment(replicas=4)) as it:
        it.controllers.new_pods = 1
        it.release("1.1.0")
        assert it.way.freeze(it.way.look(), "P95 doubled.") == ()

"""A release goes from environment to environment: each is set, waited for and checked, once, however often the run is killed and begun again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import pytest
from tests.operations.promotion_rig import RELEASE, Calls, Files, Killed, Workflows, applied, passes
from tests.servers.argocd import TOKEN, App, ArgoCDServer
from tests.servers.clock import FakeClock
from tests.servers.http_server import Reply

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.delivery.argocd import ArgoCD
from cicd_agents.domain.ci import Status
from cicd_agents.domain.errors import NotAllowed, Refused, ServiceError, Unavailable, UsageError
from cicd_agents.domain.forge import DeliveryState
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.operations.policy import Mode
from cicd_agents.operations.promotion import Check, CheckResult, Environment, environments
from cicd_agents.operations.promotion_checkpoints import Progress
from cicd_agents.operations.promotion_delivery import words
from cicd_agents.operations.promotion_steps import Promotions

OLD, NEW, BRANCH = "a" * 40, "b" * 40, "d" * 40
KUSTOMIZATION = "deploy/prod/kustomization.yaml"
APPLIED, ALREADY, FAILED, PLANNED = OperationStatus.APPLIED, OperationStatus.ALREADY_DONE, OperationStatus.FAILED, OperationStatus.PLANNED


@dataclass
class World:
    """All that a promotion touches. `run` is a new process each time."""

    server: ArgoCDServer
    clock: FakeClock = field(default_factory=FakeClock)
    workflows: Workflows = field(init=False)
    files: Files = field(default_factory=lambda: Files({KUSTOMIZATION: "1.1.0"}))
    last: Promotions | None = None
    clients: list[ArgoCD] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.workflows = Workflows(self.clock)

    def run(
        self, *entries: str, mode: Mode = Mode.AUTO, check: Check | None = None, force: bool = False, seconds: float = 600, one_pipeline: bool = False
    ) -> tuple[Operation, ...]:
        delivery = ArgoCD(self.server.url, TOKEN, self.clock, Budget(self.clock, 1e6))
        wanted = environments(entries, check=check is not None, health_seconds=seconds)
        self.clients.append(delivery)
        self.last = Promotions(RELEASE, wanted, self.clock, delivery, self.workflows, self.files, check, force, one_pipeline)
        return applied(self.last, mode)

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def progress(self) -> dict[str, Progress]:
        assert self.last
        return self.last.progress


@pytest.fixture
def world() -> Iterator[World]:
    server = ArgoCDServer()
    with server:
        server.refs = {"v1.1.0": OLD, "v1.2.0": NEW, "v1.3.0": "e" * 40, "main": BRANCH}
        yield (made := World(server))
        made.close()
        assert server.problems == []


def statuses(operations: tuple[Operation, ...]) -> list[OperationStatus]:
    return [operation.status for operation in operations]


# Argo CD


def test_an_application_is_set_synced_and_waited_for(world: World) -> None:
    app = world.server.add("shop-dev")
    (done,) = world.run("dev=argocd:shop-dev")
    assert (done.status, done.result) == (APPLIED, "dev is at v1.2.0 and healthy; it was at v1.1.0.")
    assert (app.live, app.sources[0]["targetRevision"]) == ([NEW], "v1.2.0")
    assert world.server.syncs == [{"application": "shop-dev", "revision": NEW, "automated": False}]
    assert world.progress() == {"dev": Progress(True, True)}


def test_an_application_that_syncs_by_itself_is_left_to_it(world: World) -> None:
    app = world.server.add("shop-dev", auto_sync=True)
    assert statuses(world.run("dev=argocd:shop-dev")) == [APPLIED]
    assert [sync["automated"] for sync in world.server.syncs] == [True]
    assert app.live == [NEW]


def test_an_application_with_automated_sync_switched_off_is_synced(world: World) -> None:
    world.server.add("shop-dev", auto_sync=False)
    assert statuses(world.run("dev=argocd:shop-dev")) == [APPLIED]
    assert [sync["automated"] for sync in world.server.syncs] == [False]


def test_one_that_is_there_healthy_and_checked_is_already_done(world: World) -> None:
    world.server.add("shop-dev", "v1.2.0")
    (done,) = world.run("dev=argocd:shop-dev", check=passes)
    assert (done.status, done.result) == (ALREADY, "dev is at v1.2.0 and healthy, as it was before; its check passed.")
    assert {request.method for request in world.server.requests} == {"GET"}


def test_healthy_means_healthy_for_two_looks_in_a_row(world: World) -> None:
    world.server.add("shop-dev", "v1.2.0")
    seen = ["Healthy", "Healthy", "Healthy", "Progressing", "Healthy", "Degraded", "Healthy", "Healthy", "not looked any more"]
    # The plan has one look, the beginning of the promotion another; the wait begins with the third.

    def uneasy(given: App) -> None:
        given.status["health"] = {"status": seen.pop(0)}

    world.server.after = uneasy
    assert statuses(world.run("dev=argocd:shop-dev")) == [ALREADY]
    assert seen == ["not looked any more"]


def test_hooks_that_run_after_the_sync_are_waited_for(world: World) -> None:
    app = world.server.add("shop-dev")
    left = [3]

    def hooks(given: App) -> None:
        if given.live == [NEW]:
            left[0] -= 1
            given.status["operationState"] |= {"phase": "Running"} if left[0] > 0 else {"phase": "Failed", "message": "the hook smoke-test failed"}
            given.busy = 100

    world.server.after = hooks
    app.health_looks = 0
    (done,) = world.run("dev=argocd:shop-dev")
    assert done.result == "The sync of shop-dev to v1.2.0 failed: sync Synced, health Healthy, operation Failed: the hook smoke-test failed."


def test_one_that_syncs_by_itself_is_given_the_time_to_begin(world: World) -> None:
    app = world.server.add("shop-dev", auto_sync=True)
    app.attempted, left = [NEW], [5]

    def begins_late(given: App) -> None:
        left[0] -= 1
        given.attempted = [NEW] if left[0] > 0 else []

    world.server.before = begins_late
    assert statuses(world.run("dev=argocd:shop-dev")) == [APPLIED]
    assert "POST" not in {request.method for request in world.server.requests}


def test_one_that_stays_degraded_fails_after_its_time_in_argo_cds_words(world: World) -> None:
    world.server.add("shop-dev")
    world.server.broken = {NEW}
    (done,) = world.run("dev=argocd:shop-dev", seconds=120)
    assert done.status is FAILED
    assert done.result == "shop-dev was not synced to v1.2.0 and healthy within 120 s: sync Synced, health Degraded: successfully synced."
    assert sum(world.clock.slept) == pytest.approx(120, abs=5)
    assert world.progress() == {"dev": Progress(True, False)}


def test_waits_grow_and_are_bounded(world: World) -> None:
    world.server.add("shop-dev")
    world.server.broken = {NEW}
    world.run("dev=argocd:shop-dev", seconds=300)
    waits = [wait for wait in world.clock.slept if wait >= 5]
    assert waits[:4] == [5, 7.5, 11.25, 16.875]
    assert max(waits) == 30
    assert len(world.server.requests) < 25


def test_a_word_that_is_not_known_is_said_as_such_and_is_not_healthy(world: World) -> None:
    assert words(DeliveryState("a", "v1", OLD, "Synced", "Sparkling")) == "sync Synced, health Sparkling (a word that is not known)"
    assert words(DeliveryState("a", "v1", OLD, "Half", "Healthy")).startswith("sync Half (a word that is not known)")


def test_a_sync_that_fails_is_told_at_once(world: World) -> None:
    world.server.add("shop-dev")
    world.server.failing = {NEW}
    (done,) = world.run("dev=argocd:shop-dev")
    assert done.result == (
        "The sync of shop-dev to v1.2.0 failed: sync OutOfSync, health Healthy, operation Failed: one or more objects failed to apply."
    )  # fmt: skip
    assert len(world.server.syncs) == 1


@pytest.mark.parametrize("auto_sync", [True, False])
def test_a_sync_that_failed_in_an_earlier_run_is_tried_once_more(world: World, auto_sync: bool) -> None:
    world.server.add("shop-dev", auto_sync=auto_sync)
    world.server.failing = {NEW}
    assert statuses(world.run("dev=argocd:shop-dev")) == [FAILED]
    world.server.failing = set()
    assert statuses(world.run("dev=argocd:shop-dev")) == [APPLIED]
    assert len(world.server.syncs) == 2


@pytest.mark.parametrize("auto_sync", [True, False])
def test_the_failure_of_an_older_sync_is_not_taken_for_that_of_this_release(world: World, auto_sync: bool) -> None:
    app = world.server.add("shop-dev", auto_sync=auto_sync)
    app.status["operationState"] = {"phase": "Failed", "message": "an old story", "syncResult": {"revision": OLD}}
    assert statuses(world.run("dev=argocd:shop-dev")) == [APPLIED]


def test_a_sync_that_fails_with_the_words_of_an_older_one_is_told_at_once(world: World) -> None:
    app = world.server.add("shop-dev")
    app.status["operationState"] = {"phase": "Failed", "message": "one or more objects failed to apply", "syncResult": {"revision": OLD}}
    world.server.failing = {NEW}
    (done,) = world.run("dev=argocd:shop-dev")
    assert done.result.startswith("The sync of shop-dev to v1.2.0 failed")


def test_a_sync_to_another_revision_that_runs_is_waited_for(world: World) -> None:
    app = world.server.add("shop-dev")
    app.sync_looks = 4
    app.data["operation"] = {"sync": {"revision": OLD}}
    assert statuses(world.run("dev=argocd:shop-dev")) == [APPLIED]
    assert app.live == [NEW]
    assert len(world.server.syncs) == 1


def test_a_sync_that_begins_between_look_and_call_is_waited_for(world: World) -> None:
    app = world.server.add("shop-dev")
    serving, raced = world.server.handler, [False]

    def race(request: object) -> Reply:
        if request.method == "POST" and not raced[0]:  # type: ignore[attr-defined]
            raced[0] = True
            app.data["operation"] = {"sync": {"revision": OLD}}
        return serving(request)  # type: ignore[arg-type]

    world.server.handler = race
    assert statuses(world.run("dev=argocd:shop-dev")) == [APPLIED]
    assert len(world.server.syncs) == 1


def test_an_application_whose_revision_is_set_back_is_not_fought_for(world: World) -> None:
    app = world.server.add("shop-dev")

    def sets_back(given: App) -> None:
        given.sources[0]["targetRevision"] = "v1.1.0"

    world.server.before = sets_back  # as an ApplicationSet does
    (done,) = world.run("dev=argocd:shop-dev")
    assert (done.status, app.live) == (FAILED, [OLD])
    assert "shop-dev follows v1.1.0 and not v1.2.0 any more" in done.result
    assert len(world.server.patches) == 1


def test_an_outage_during_the_wait_is_waited_out(world: World) -> None:
    world.server.add("shop-dev")
    world.server.faults = dict.fromkeys(range(12, 24), Reply(503))
    assert statuses(world.run("dev=argocd:shop-dev")) == [APPLIED]
    assert len(world.server.syncs) == 1


def test_an_outage_that_does_not_end_is_said_with_the_last_answer(world: World) -> None:
    world.server.add("shop-dev")
    world.server.dead_from = 7
    (done,) = world.run("dev=argocd:shop-dev", seconds=60)
    assert done.status is FAILED
    assert "within 60 s" in done.result
    assert "The last answer: Argo CD: " in done.result


def test_a_later_version_is_not_taken_back_not_even_when_it_came_after_the_plan(world: World) -> None:
    app = world.server.add("shop-dev", "v1.3.0")
    (refused,) = world.run("dev=argocd:shop-dev")
    assert (refused.status, app.sources[0]["targetRevision"]) == (OperationStatus.REFUSED, "v1.3.0")
    assert world.last
    with pytest.raises(Refused, match=r"dev is at v1\.3\.0, which is later than v1\.2\.0"):
        world.last.promote(world.last.environments[0], replace(refused, status=PLANNED))
    assert world.server.patches == []


def test_a_step_back_can_be_forced(world: World) -> None:
    app = world.server.add("shop-dev", "v1.3.0")
    assert statuses(world.run("dev=argocd:shop-dev", force=True)) == [APPLIED]
    assert app.live == [NEW]


def test_a_dry_run_only_reads_and_says_what_would_be_done(world: World) -> None:
    world.server.add("shop-dev")
    done = world.run("dev=argocd:shop-dev", "staging=workflow:deploy.yml", f"prod=git:{KUSTOMIZATION}", mode=Mode.DRY_RUN)
    assert statuses(done) == [PLANNED] * 3
    assert [operation.evidence[0].text for operation in done] == ["is at v1.1.0", "no run of deploy.yml on v1.2.0", "is at 1.1.0"]
    assert dict(done[0].parameters)["steps"].startswith("let the Argo CD application shop-dev follow v1.2.0; sync it")
    assert {request.method for request in world.server.requests} == {"GET"}
    assert (world.workflows.runs, world.files.commits) == ([], [])


@contextmanager
def another_world(*, auto_sync: bool = False) -> Iterator[tuple[World, App]]:
    """One with an application that is to be promoted."""
    server = ArgoCDServer()
    with server:
        server.refs = {"v1.1.0": OLD, "v1.2.0": NEW}
        made = World(server)
        yield made, server.add("shop-dev", auto_sync=auto_sync)
        made.close()
        assert server.problems == []


@pytest.mark.parametrize("auto_sync", [False, True])
@pytest.mark.parametrize("after_work", [False, True])
def test_killed_at_any_call_and_begun_again_there_is_one_sync(auto_sync: bool, after_work: bool) -> None:
    with another_world(auto_sync=auto_sync) as (world, _):
        assert statuses(world.run("dev=argocd:shop-dev")) == [APPLIED]
        whole = len(world.server.requests)
    assert whole >= 8
    for at in range(whole):
        with another_world(auto_sync=auto_sync) as (world, app):
            world.server.dead_from, world.server.dead_after_work = at, after_work
            with suppress(ServiceError):
                assert statuses(world.run("dev=argocd:shop-dev", seconds=20)) != [APPLIED]
            world.server.dead_from = None
            assert statuses(world.run("dev=argocd:shop-dev"))[0] in (APPLIED, ALREADY), at
            assert (len(world.server.syncs), app.live) == (1, [NEW]), at


# Workflows and pipelines


def test_a_workflow_is_started_with_its_inputs_and_waited_for(world: World) -> None:
    (done,) = world.run("staging=workflow:deploy.yml")
    assert (done.status, done.result) == (APPLIED, "staging got v1.2.0 by a run of deploy.yml that succeeded.")
    assert world.workflows.inputs == [{"environment": "staging", "version": "1.2.0", "tag": "v1.2.0"}]


@pytest.mark.parametrize(("status", "runs"), [(Status.RUNNING, 1), (Status.SUCCESS, 1), (Status.FAILURE, 2), (Status.CANCELLED, 2)])
def test_a_run_that_is_there_already_is_waited_for_and_one_that_failed_is_started_again(world: World, status: Status, runs: int) -> None:
    world.workflows.add("Deploy staging v1.2.0", status=status)
    (done,) = world.run("staging=workflow:deploy.yml")
    assert done.status is (ALREADY if runs == 1 else APPLIED)
    assert len(world.workflows.runs) == runs


def test_a_run_of_an_unknown_status_is_neither_started_again_nor_taken_for_done(world: World) -> None:
    world.workflows.add("Deploy staging v1.2.0", status=Status.UNKNOWN)
    (done,) = world.run("staging=workflow:deploy.yml", seconds=60)
    assert done.result == "deploy.yml for staging did not succeed within 60 s; it stands as unknown: https://ci.example/100."
    assert len(world.workflows.runs) == 1


def test_a_run_that_fails_is_said_with_its_address(world: World) -> None:
    world.workflows.ends = Status.FAILURE
    (done,) = world.run("staging=workflow:deploy.yml")
    assert (done.status, done.result) == (FAILED, "deploy.yml for staging ended as failure: https://ci.example/100.")
    assert world.progress() == {"staging": Progress(True, False)}


def test_a_run_that_shows_late_is_found_before_a_second_one_is_started(world: World) -> None:
    world.workflows.add("Deploy staging v1.2.0")
    assert statuses(world.run("staging=workflow:deploy.yml")) == [ALREADY]
    assert len(world.workflows.runs) == 1


def test_a_lost_answer_to_the_start_does_not_start_it_twice(world: World) -> None:
    world.workflows.loses_answer = True
    assert statuses(world.run("staging=workflow:deploy.yml")) == [APPLIED]
    assert len(world.workflows.runs) == 1


def test_a_run_that_never_shows_is_said(world: World) -> None:
    world.workflows.lag = 1e6
    (done,) = world.run("staging=workflow:deploy.yml", seconds=60)
    assert done.result == "deploy.yml for staging did not succeed within 60 s; no run of it on v1.2.0 is to be seen."


def test_environments_that_share_a_workflow_each_get_their_own_run(world: World) -> None:
    entries = ("staging=workflow:deploy.yml", "prod=workflow:deploy.yml")
    assert statuses(world.run(*entries)) == [APPLIED, APPLIED]
    assert [given["environment"] for given in world.workflows.inputs] == ["staging", "prod"]
    assert statuses(world.run(*entries)) == [ALREADY, ALREADY]


def test_a_run_of_one_environment_is_never_taken_for_that_of_another(world: World) -> None:
    world.workflows.add("Deploy staging v1.2.0", status=Status.SUCCESS)
    world.workflows.add("Deploy prod-eu v1.2.0", status=Status.SUCCESS)
    entries = ("staging=workflow:deploy.yml", "prod=workflow:deploy.yml", "prod-eu=workflow:deploy.yml")
    assert statuses(world.run(*entries)) == [ALREADY, APPLIED, ALREADY]
    assert [given["environment"] for given in world.workflows.inputs] == ["prod"]


def test_runs_without_names_are_told_apart_by_the_process_that_started_them(world: World) -> None:
    world.workflows.names = False
    assert statuses(world.run("staging=workflow:deploy.yml", "prod=workflow:deploy.yml")) == [APPLIED, APPLIED]
    assert len(world.workflows.runs) == 2
    assert world.last
    assert [world.last.standing(one).there for one in world.last.environments] == [True, True]


def test_an_outage_of_the_platform_is_waited_out(world: World) -> None:
    world.workflows.calls.broken = {at: Unavailable("GitHub: listing runs failed (503).") for at in (6, 7)}
    assert statuses(world.run("staging=workflow:deploy.yml")) == [APPLIED]
    assert len(world.workflows.runs) == 1


def test_runs_without_names_that_somebody_else_started_stop_with_the_way_out(world: World) -> None:
    world.workflows.names = False
    world.workflows.add("Deploy", status=Status.SUCCESS)
    world.clock.advance(10)
    with pytest.raises(UsageError, match=r"staging: the name of the run 'Deploy' does not say which environment it deploys.*run-name"):
        world.run("staging=workflow:deploy.yml", "prod=workflow:deploy.yml")
    assert len(world.workflows.runs) == 1


def test_a_workflow_that_calls_all_its_runs_by_one_environment_stops(world: World) -> None:
    world.workflows.names = False
    world.workflows.static = "Deploy prod"
    staging, prod = world.run("staging=workflow:deploy.yml", "prod=workflow:deploy.yml", seconds=60)
    assert staging.result == "deploy.yml for staging did not succeed within 60 s; no run of it on v1.2.0 that names staging alone is to be seen."
    assert (prod.status, len(world.workflows.runs)) == (PLANNED, 1)


def test_where_there_is_one_pipeline_for_everything_a_run_must_name_its_environment(world: World) -> None:
    world.workflows.add("Deploy", "a", Status.SUCCESS)
    world.clock.advance(10)
    for entries in (("staging=workflow:a", "prod=workflow:b"), ("staging=workflow:a",)):
        with pytest.raises(UsageError, match="does not say which environment it deploys"):
            world.run(*entries, one_pipeline=True)


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_of_a_workflow_and_begun_again_there_is_one_run(after: bool) -> None:
    with another_world() as (world, _):
        assert statuses(world.run("staging=workflow:deploy.yml")) == [APPLIED]
        whole = world.workflows.calls.count
    assert whole >= 6
    for at in range(whole):
        with another_world() as (world, _):
            world.workflows.calls = Calls(kill=at, after=after)
            with pytest.raises(Killed):
                world.run("staging=workflow:deploy.yml")
            world.workflows.calls = Calls()
            assert statuses(world.run("staging=workflow:deploy.yml"))[0] in (APPLIED, ALREADY), at
            assert len(world.workflows.runs) == 1, at


def test_a_start_that_is_not_allowed_is_said(world: World) -> None:
    world.workflows.calls.broken = {4: NotAllowed("GitHub: starting deploy.yml was refused (403). Add `actions: write`.")}
    (done,) = world.run("staging=workflow:deploy.yml")
    assert (done.status, done.result) == (FAILED, "GitHub: starting deploy.yml was refused (403). Add `actions: write`.")


# Git changes


def test_a_version_is_committed_once(world: World) -> None:
    (done,) = world.run(f"prod=git:{KUSTOMIZATION}")
    assert (done.status, done.result) == (APPLIED, f"prod has 1.2.0 in {KUSTOMIZATION}; it was at 1.1.0.")
    assert world.files.commits == [(KUSTOMIZATION, "1.2.0", "chore(prod): deploy v1.2.0")]
    assert statuses(world.run(f"prod=git:{KUSTOMIZATION}")) == [ALREADY]
    assert len(world.files.commits) == 1


def test_an_application_that_follows_the_file_is_waited_for_until_it_has_the_commit(world: World) -> None:
    app = world.server.add("shop-prod", "main", auto_sync=True)
    late = [4]

    def polls(_app: App) -> None:
        late[0] -= 1
        if late[0] < 0 and world.files.commits:
            world.server.refs["main"] = world.files.commit

    world.server.before = polls  # git is asked now and then
    assert statuses(world.run(f"prod=git:{KUSTOMIZATION}+argocd:shop-prod")) == [APPLIED]
    assert app.live == [world.files.commit]


def test_an_application_that_follows_the_file_and_does_not_sync_by_itself_is_synced(world: World) -> None:
    world.server.add("shop-prod", "main")
    world.files.commit = "f" * 40

    def pushed(_app: App) -> None:
        if world.files.commits:
            world.server.refs["main"] = world.files.commit

    world.server.before = pushed
    assert statuses(world.run(f"prod=git:{KUSTOMIZATION}+argocd:shop-prod")) == [APPLIED]
    assert world.server.syncs == [{"application": "shop-prod", "revision": "f" * 40, "automated": False}]


def test_a_file_at_a_later_version_is_not_taken_back(world: World) -> None:
    world.files.versions[KUSTOMIZATION] = "1.3.0"
    (refused,) = world.run(f"prod=git:{KUSTOMIZATION}")
    assert (refused.status, world.files.commits) == (OperationStatus.REFUSED, [])


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(3))
def test_killed_at_any_call_of_a_git_change_and_begun_again_there_is_one_commit(world: World, at: int, after: bool) -> None:
    world.files.calls = Calls(kill=at, after=after)
    with pytest.raises(Killed):
        world.run(f"prod=git:{KUSTOMIZATION}")
    world.files.calls = Calls()
    assert statuses(world.run(f"prod=git:{KUSTOMIZATION}"))[0] in (APPLIED, ALREADY)
    assert len(world.files.commits) == 1


# Checks and order


def test_a_check_sees_the_environment_and_its_revision_once_it_is_healthy(world: World) -> None:
    app = world.server.add("shop-dev")
    seen: list[tuple[str, str, list[str]]] = []

    def check(environment: Environment, revision: str) -> CheckResult:
        seen.append((environment.name, revision, app.live))
        return CheckResult(True, "fine")

    assert statuses(world.run("dev=argocd:shop-dev", check=check)) == [APPLIED]
    assert seen == [("dev", "v1.2.0", [NEW])]
    assert world.progress() == {"dev": Progress(True, True, True)}


@pytest.mark.parametrize(("passed", "verdict"), [(False, "failed"), (None, "could not tell")])
def test_a_check_that_does_not_pass_stops_the_promotion(world: World, passed: bool | None, verdict: str) -> None:
    world.server.add("shop-dev")
    prod = world.server.add("shop-prod")
    done = world.run("dev=argocd:shop-dev", "prod=argocd:shop-prod", check=lambda *_: CheckResult(passed, "it ended with exit code 1: 3 of 9 failed"))
    assert statuses(done) == [FAILED, PLANNED]
    assert done[0].result == f"dev is at v1.2.0, but its check {verdict}: it ended with exit code 1: 3 of 9 failed"
    assert done[1].result == "Not reached: Promote:dev comes first and is not done."
    assert prod.sources[0]["targetRevision"] == "v1.1.0"
    assert world.progress() == {"dev": Progress(True, True, passed)}


def test_later_environments_are_not_touched_before_the_earlier_ones_are_healthy(world: World) -> None:
    world.server.add("shop-dev")
    world.server.broken = {NEW}
    done = world.run("dev=argocd:shop-dev", "staging=workflow:deploy.yml", f"prod=git:{KUSTOMIZATION}", seconds=60)
    assert statuses(done) == [FAILED, PLANNED, PLANNED]
    assert (world.workflows.runs, world.files.commits) == ([], [])


def test_all_three_ways_in_a_row(world: World) -> None:
    world.server.add("shop-dev")
    done = world.run("dev=argocd:shop-dev", "staging=workflow:deploy.yml", f"prod=git:{KUSTOMIZATION}", check=passes)
    assert statuses(done) == [APPLIED] * 3
    assert statuses(world.run("dev=argocd:shop-dev", "staging=workflow:deploy.yml", f"prod=git:{KUSTOMIZATION}", check=passes)) == [ALREADY] * 3


@pytest.mark.parametrize(("entry", "setting"), [("dev=argocd:shop", "argocd-url"), ("dev=workflow:deploy.yml", "token"), ("dev=git:a.yaml", "token")])
def test_a_way_whose_setting_is_missing_is_said_before_anything_is_done(world: World, entry: str, setting: str) -> None:
    bare = Promotions(RELEASE, environments((entry,)), world.clock)
    with pytest.raises(UsageError, match=f"dev needs the setting `{setting}`"):
        bare.planned()

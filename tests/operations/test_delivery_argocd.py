"""How an application of Argo CD stands for a rollback, and what its way to act plans and does, against the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.operations.promotion_rig import Log
from tests.servers.argocd import TOKEN, App, ArgoCDServer, error
from tests.servers.clock import START, FakeClock

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.delivery.argocd_rollback import ArgoCDRollback
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.operations.apply import apply
from cicd_agents.operations.delivery_argocd import ARGOCD_KINDS, PAUSE, ROLLBACK, TERMINATE, ArgoCDWay
from cicd_agents.operations.delivery_argocd_standing import Habits
from cicd_agents.operations.delivery_way import DeliveryWay
from cicd_agents.operations.policy import Mode

A, B, C = "a" * 40, "b" * 40, "c" * 40
HOUR = 3600.0


@pytest.fixture
def server() -> Iterator[ArgoCDServer]:
    running = ArgoCDServer()
    with running:
        running.refs = {"main": C, "v1": A}
        yield running
        assert running.problems == []


@pytest.fixture
def clients() -> Iterator[list[ArgoCDRollback]]:
    made: list[ArgoCDRollback] = []
    yield made
    for client in made:
        client.close()


def deployed(server: ArgoCDServer, *commits: tuple[str, float], **more: Any) -> App:
    """An application that follows main (at C), with these commits deployed so many hours ago."""
    app = server.add("api", "main", **more)
    app.history.clear()
    for commit, hours in commits:
        server.deployed(app, [commit], START - hours * HOUR)
    server.tick(app)
    return app


def way_of(server: ArgoCDServer, clients: list[ArgoCDRollback], **habits: Any) -> ArgoCDWay:
    clock = FakeClock()
    clients.append(ArgoCDRollback(server.url, TOKEN, clock, Budget(clock, 600), project="shop"))
    return ArgoCDWay("api", clients[-1], clock, Habits(**habits))


def commit_of(revision: KnownRevision | None) -> str:
    return revision.id.partition("/")[0] if revision else ""


@pytest.mark.parametrize(
    ("history", "good", "verdicts"),
    [
        ([(A, 9), (B, 5), (C, 0.2)], B, [True, True]),
        ([(A, 9), (B, 0.5), (C, 0.2)], A, [None, True]),
        ([(A, 0.5), (B, 0.4), (C, 0.2)], "", [None, None]),
        # B stayed long, and then somebody went back to A: it was bad all the same.
        ([(A, 9), (B, 7), (A, 3), (C, 0.2)], A, [True, False, True]),
        # A, B bad, A again, B again by mistake: that is no verdict on A.
        ([(A, 9), (B, 2), (A, 1.9), (B, 0.2)], A, [True, False, True]),
        # One thing deployed twice in a row stayed from the first time on.
        ([(A, 9), (A, 0.4), (C, 0.2)], A, [True]),
        ([(B, 9), (C, 5), (C, 0.1)], B, [True]),
        ([(C, 9)], "", []),
    ],
)
def test_known_good_is_what_stayed_and_was_not_gone_back_from(
    server: ArgoCDServer, clients: list[ArgoCDRollback], history: list[tuple[str, float]], good: str, verdicts: list[bool | None]
) -> None:
    deployed(server, *history)
    standing = way_of(server, clients).look()
    assert commit_of(standing.good) == good
    assert [one.good for one in standing.earlier] == verdicts


def test_how_long_a_good_one_must_have_stayed_can_be_set(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    deployed(server, (A, 9), (B, 0.5), (C, 0.2))
    assert commit_of(way_of(server, clients, good_seconds=600).look().good) == B


def test_the_current_one_shows_its_images_and_every_one_its_number_in_the_history(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    server.images = {C: ["registry/api:1.2.0", "registry/sidecar:2"]}
    deployed(server, (A, 9), (C, 0.2))
    standing = way_of(server, clients).look()
    assert standing.current is not None
    assert standing.current.version == f"{C} history=1 registry/api:1.2.0 registry/sidecar:2"
    assert [(one.version, one.why) for one in standing.earlier] == [(f"{A} history=0", "it stayed for 528 minutes")]
    assert (standing.target, standing.healthy, standing.settled, standing.failed, standing.obstacles) == ("argocd:api", True, True, "", ())


@pytest.mark.parametrize(
    ("health", "healthy", "settled"),
    [
        ("Healthy", True, True),
        ("Degraded", False, True),
        ("Progressing", False, False),
        ("Missing", False, True),
        ("Unknown", None, True),
        ("Splendid", None, True),
    ],
)
def test_health_is_told_in_argo_cds_words_and_an_unknown_word_is_unknown(
    server: ArgoCDServer, clients: list[ArgoCDRollback], health: str, healthy: bool | None, settled: bool
) -> None:
    app = deployed(server, (A, 9), (C, 0.2))
    server.asleep = True
    app.status["health"] = {"status": health, "message": "Because."}
    standing = way_of(server, clients).look()
    assert (standing.healthy, standing.settled, standing.health) == (healthy, settled, f"{health}: Because.")


def test_a_version_whose_sync_failed_is_what_runs_and_what_the_history_ends_with_can_be_gone_back_to(
    server: ArgoCDServer, clients: list[ArgoCDRollback]
) -> None:
    app = deployed(server, (A, 9), (B, 5))
    app.status["operationState"] = {
        "phase": "Failed", "message": "no such image", "startedAt": "2025-06-15T15:00:00Z", "operation": {"sync": {"revision": C}},
        "syncResult": {"revision": C, "source": dict(app.sources[0])},
    }  # fmt: skip
    way = way_of(server, clients)
    standing = way.look()
    assert (commit_of(standing.current), commit_of(standing.good), standing.failed) == (C, B, "Its last sync failed: no such image.")
    assert standing.good is not None
    operations = way.rollback(standing, standing.good, "Bad.")
    assert [one.kind for one in operations] == [ROLLBACK]
    assert done(way, operations[0]).status is OperationStatus.APPLIED
    assert server.rollbacks == [1]


def test_a_new_application_without_a_history_runs_nothing_that_is_known(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    deployed(server)
    standing = way_of(server, clients).look()
    assert (standing.current, standing.good, standing.earlier) == (None, None, ())


@pytest.mark.parametrize(
    ("rights", "obstacles"),
    [
        ({"get", "sync", "update"}, 0),
        ({"get", "rollback", "update"}, 0),
        ({"get", "sync"}, 1),
        ({"get"}, 2),
    ],
)
def test_missing_rights_are_obstacles_and_asked_for_once(server: ArgoCDServer, clients: list[ArgoCDRollback], rights: set[str], obstacles: int) -> None:
    deployed(server, (A, 9), (C, 0.2), auto_sync=True)
    server.rights = rights
    way = way_of(server, clients)
    assert len(way.look().obstacles) == obstacles
    asked = len(server.requests)
    way.look()
    assert len(server.requests) == asked + 1


def test_what_a_server_does_not_tell_about_rights_is_no_obstacle(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    deployed(server, (A, 9), (C, 0.2), auto_sync=True)
    server.answers_rights = False
    assert way_of(server, clients).look().obstacles == ()


def test_without_automated_sync_nothing_is_switched_off(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    deployed(server, (A, 9), (C, 0.2))
    way = way_of(server, clients)
    assert [one.kind for one in planned(way)] == [ROLLBACK]
    assert way.resume(way.look(), "Why.") == ()


def test_an_operation_that_is_running_is_an_obstacle_and_ended_only_when_asked(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    app = deployed(server, (A, 9), (C, 0.2))
    app.data["operation"] = {"sync": {"revision": C}}
    app.sync_looks = 99
    assert "Another operation of Argo CD is running" in way_of(server, clients).look().obstacles[0]
    way = way_of(server, clients, terminate=True)
    operations = planned(way)
    assert [one.kind for one in operations] == [TERMINATE, ROLLBACK]
    assert [done(way, one).status for one in operations] == [OperationStatus.APPLIED] * 2
    assert server.rollbacks == [0]
    assert done(way, operations[0]).status is OperationStatus.APPLIED  # it ends what runs now
    app.data.pop("operation", None)
    app.status["operationState"]["phase"] = "Succeeded"
    assert done(way, operations[0]).result == "No operation runs."


def test_an_operation_that_ends_by_itself_before_it_is_told_to_is_no_failure(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    app = deployed(server, (A, 9), (C, 0.2))
    app.data["operation"] = {"sync": {"revision": C}}
    app.sync_looks = 3
    way = way_of(server, clients, terminate=True)
    terminate = planned(way)[0]
    server.faults = {len(server.requests) + 2: error(3, "Unable to terminate operation. No operation is in progress")}
    ended = done(way, terminate)
    assert (ended.status, ended.result) == (OperationStatus.APPLIED, "The operation that ran ended by itself.")


def test_an_operation_that_will_not_end_is_said(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    app = deployed(server, (A, 9), (C, 0.2))
    app.data["operation"] = {"sync": {"revision": C}}
    server.asleep = True
    ended = done(way_of(server, clients, terminate=True), planned(way_of(server, clients, terminate=True))[0])
    assert (ended.status, "still runs after 60 s" in ended.result) == (OperationStatus.FAILED, True)


def test_a_rollback_that_is_running_already_is_no_obstacle_and_not_begun_again(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    deployed(server, (A, 9), (C, 0.2))
    first = way_of(server, clients)
    done(first, planned(first)[-1])
    second = way_of(server, clients)
    standing = second.look()
    assert (standing.obstacles, standing.settled, commit_of(standing.good)) == ((), False, A)
    assert "A rollback is running." in standing.notes
    assert standing.good is not None
    assert done(second, second.rollback(standing, standing.good, "Bad.")[-1]).status is OperationStatus.ALREADY_DONE
    assert server.rollbacks == [0]


def test_a_rollback_to_something_else_that_runs_is_not_taken_for_ours(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    deployed(server, (A, 9), (B, 5), (C, 0.2))
    way = way_of(server, clients)
    operations = planned(way)
    clients[0].roll_back("api", 0, prune=False)
    refused = done(way, operations[-1])
    assert (refused.status, server.rollbacks) == (OperationStatus.FAILED, [0])
    assert "another operation is already in progress" in refused.result


def test_the_target_is_found_by_what_it_was_when_the_history_has_moved(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    app = deployed(server, (A, 9), (C, 0.2))
    way = way_of(server, clients)
    operations = planned(way)
    app.history[0]["id"] = 7  # the entry with this content has another number now
    assert done(way, operations[-1]).result.endswith("(history 7).")
    assert server.rollbacks == [7]


def test_the_same_commit_with_other_parameters_is_not_the_target(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    app = deployed(server, (A, 9), (C, 0.2))
    way = way_of(server, clients)
    operations = planned(way)
    app.history[0]["source"]["helm"] = {"parameters": [{"name": "image.tag", "value": "0.9"}]}
    refused = done(way, operations[-1])
    assert (refused.status, server.rollbacks) == (OperationStatus.FAILED, [])
    assert "has no deployment of" in refused.result


def test_a_fix_that_came_in_since_it_was_judged_is_not_taken_back(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    app = deployed(server, (A, 9), (C, 0.2), auto_sync=True)
    way = way_of(server, clients)
    operations = planned(way)
    server.refs["main"] = B
    server.deployed(app, [B], START)
    refused = [done(way, one) for one in operations]
    assert [one.status for one in refused] == [OperationStatus.FAILED] * 2
    assert all(f"api is at {B}" in one.result and "which was judged; look again" in one.result for one in refused)
    assert (server.rollbacks, app.automated is not None) == ([], True)


def test_automated_sync_that_was_switched_on_again_meanwhile_is_switched_off_again(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    app = deployed(server, (A, 9), (C, 0.2), auto_sync=True)
    way = way_of(server, clients)
    pause = planned(way)[0]
    assert [done(way, pause).status for _ in range(2)] == [OperationStatus.APPLIED, OperationStatus.ALREADY_DONE]
    app.spec["syncPolicy"]["automated"] = {"prune": True}
    assert done(way, pause).status is OperationStatus.APPLIED
    assert app.automated is None
    assert pause.reverse == "argocd app set api --sync-policy automated"


def test_resuming_waits_until_it_is_known_what_git_states(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    deployed(server, (A, 9), (C, 0.2), auto_sync=True)
    way = way_of(server, clients)
    done(way, planned(way)[0])
    (resume,) = way.resume(way.look(), "Merged.")
    server.refs["main"] = ""
    assert "it is not known what Git states for api now" in done(way, resume).result


@pytest.mark.parametrize(("auto_sync", "off"), [(True, ("argocd app set api --sync-policy none",)), (False, ())])
def test_the_rollback_by_hand_is_told_as_commands(server: ArgoCDServer, clients: list[ArgoCDRollback], auto_sync: bool, off: tuple[str, ...]) -> None:
    deployed(server, (A, 9), (C, 0.2), auto_sync=auto_sync)
    way = way_of(server, clients)
    standing = way.look()
    assert way.commands(standing, standing.good) == (*off, "argocd app rollback api 0")
    assert way.commands(standing, None) == ("argocd app history api", *off, "argocd app rollback api <ID>")


def test_without_a_look_the_commands_have_placeholders(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    commands = way_of(server, clients).commands(DeliveryStanding("argocd:api", None), KnownRevision("x", "1.1"))
    assert commands == ("argocd app history api", "argocd app set api --sync-policy none", "argocd app rollback api <ID>")
    assert server.requests == []


def test_nothing_is_promoted_or_frozen_and_every_kind_is_known(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    deployed(server, (A, 9), (C, 0.2))
    way: DeliveryWay = way_of(server, clients)
    standing = way.look()
    assert (way.promote(standing, 0.5, "Well."), way.freeze(standing, "Bad.")) == ((), ())
    assert set(way.appliers()) == set(ARGOCD_KINDS)


def test_an_application_that_is_not_there_is_a_wrong_setting(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    with pytest.raises(UsageError, match="reading the application api found nothing"):
        way_of(server, clients).look()


def test_pruning_is_asked_for_where_it_is_switched_on(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    deployed(server, (A, 9), (C, 0.2))
    way = way_of(server, clients, prune=True)
    done(way, planned(way)[-1])
    assert next(request.json() for request in server.requests if request.method == "POST")["prune"] is True


def planned(way: ArgoCDWay) -> tuple[Operation, ...]:
    standing = way.look()
    assert standing.good is not None
    return way.rollback(standing, standing.good, "Bad.")


def done(way: ArgoCDWay, operation: Operation) -> Operation:
    return apply((replace(operation, status=OperationStatus.PLANNED),), way.appliers(), Mode.AUTO, Log(), way.clock)[0]


def test_a_paused_application_plans_the_pause_again_so_that_it_is_told(server: ArgoCDServer, clients: list[ArgoCDRollback]) -> None:
    deployed(server, (A, 9), (C, 0.2), auto_sync=True)
    way = way_of(server, clients)
    done(way, planned(way)[0])
    again = way_of(server, clients)
    assert [one.kind for one in planned(again)] == [PAUSE, ROLLBACK]
    assert "switched off by an earlier rollback" in again.look().notes[0]

"""Applications of Argo CD as a rollback sees them; every request and answer is checked against Argo CD's description."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from tests.servers.argocd import TOKEN, App, ArgoCDServer, error
from tests.servers.clock import START, FakeClock
from tests.servers.http_server import Reply, json_reply

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.delivery.argocd_rollback import ArgoCDRollback
from cicd_agents.domain.delivery_argocd import PAUSED_BY_US, Applications, Paused
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, RateLimited, Rejected, Unavailable, UsageError

OLD, NEW = "a" * 40, "b" * 40


@pytest.fixture
def server() -> Iterator[ArgoCDServer]:
    running = ArgoCDServer()
    with running:
        running.refs = {"v1.1.0": OLD, "v1.2.0": NEW, "HEAD": NEW}
        running.images = {OLD: ["registry/api:1.1.0"], NEW: ["registry/api:1.2.0"]}
        yield running
        assert running.problems == []


@pytest.fixture
def client(server: ArgoCDServer) -> Iterator[ArgoCDRollback]:
    yield from made(server)


def made(server: ArgoCDServer, token: str = TOKEN, project: str = "shop") -> Iterator[ArgoCDRollback]:
    clock = FakeClock()
    client = ArgoCDRollback(server.url, token, clock, Budget(clock, 300), project=project)
    yield client
    client.close()


def released(server: ArgoCDServer, name: str = "api", **more: object) -> App:
    """An application at v1.2.0, which followed v1.1.0."""
    app = server.add(name, **more)  # type: ignore[arg-type]
    app.spec["source"]["targetRevision"] = "v1.2.0"
    server.deployed(app, [NEW], START + 60)
    return app


def test_the_history_is_read_with_ids_revisions_and_times(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    released(server)
    port: Applications = client
    app = port.application("api")
    assert [(entry.id, entry.what.revisions, entry.deployed) for entry in app.history] == [(0, (OLD,), START), (1, (NEW,), START + 60)]
    assert (app.images, app.health, app.sync, app.auto_sync, app.owner) == (("registry/api:1.2.0",), "Healthy", "Synced", False, "")


def test_two_deployments_of_one_commit_with_other_parameters_are_two_things(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    app = server.add("api")
    server.deployed(app, [OLD], helm={"parameters": [{"name": "image.tag", "value": "1.2.0"}]})
    one, other = client.application("api").history
    assert one.what.revisions == other.what.revisions
    assert one.what.key != other.what.key


def test_the_branch_that_is_followed_is_no_part_of_what_was_deployed(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    app = server.add("api")
    server.deployed(app, [OLD], targetRevision="main")
    one, other = client.application("api").history
    assert one.what == other.what


def test_several_sources_have_several_revisions(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    server.add("api", targets=("v1.1.0", "v1.2.0"))
    (entry,) = client.application("api").history
    assert entry.what.revisions == (OLD, NEW)
    assert entry.what.key.startswith(f"{OLD}+{NEW}/")


def test_the_project_goes_with_every_call(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    app = released(server, auto_sync=True)
    client.pause_auto_sync("api", Paused({}))
    client.roll_back("api", 0, prune=False)
    client.application("api")
    client.terminate("api")
    client.application("api")
    assert [request.method for request in server.requests] == ["PATCH", "POST", "GET", "DELETE", "GET"]
    for request in server.requests:
        assert (request.query if request.method in ("GET", "DELETE") else request.json())["project"] == "shop"
    assert app.status["operationState"]["phase"] == "Failed"


def test_without_a_project_in_the_settings_the_list_tells_it_once(server: ArgoCDServer) -> None:
    released(server)
    for client in made(server, project=""):
        client.application("api")
        client.application("api")
    assert [request.path for request in server.requests] == ["/api/v1/applications", *["/api/v1/applications/api"] * 2]


def test_an_application_of_another_namespace_is_rolled_back_there(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    released(server, namespace="team-a")
    client.roll_back("team-a/api", 0, prune=True)
    assert server.requests[-1].json() == {"project": "shop", "name": "api", "appNamespace": "team-a", "id": 0, "dryRun": False, "prune": True}
    assert client.may(client.application("team-a/api"), "sync") is True


def test_a_rollback_starts_a_sync_to_what_stands_in_the_history(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    released(server)
    client.roll_back("api", 0, prune=False)
    operation = client.application("api").operation
    assert operation is not None
    assert operation.what is not None
    assert (operation.phase, operation.what.revisions, operation.own_source, operation.whole) == ("Running", (OLD,), True, True)
    assert [client.application("api").history[-1].what.revisions for _ in range(2)][-1] == (OLD,)


def test_a_rollback_is_refused_while_automated_sync_is_on(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    released(server, auto_sync=True)
    with pytest.raises(Rejected, match=r"rolling back the application api was rejected \(400\): rollback cannot be initiated when auto-sync is enabled"):
        client.roll_back("api", 0, prune=False)


def test_automated_sync_is_switched_off_and_on_again_as_it_was(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    app = released(server, auto_sync=True)
    app.spec["syncPolicy"] = {"automated": {"prune": True, "selfHeal": True}, "syncOptions": ["CreateNamespace=true"]}
    app.data["metadata"]["annotations"] = {"team": "shop"}
    before = json.loads(json.dumps(app.data))
    seen = client.application("api")
    assert (seen.auto_sync, seen.automated, seen.paused) == (True, {"prune": True, "selfHeal": True}, None)
    assert seen.automated is not None
    client.pause_auto_sync("api", Paused(seen.automated, "left"))
    paused = client.application("api")
    assert (paused.auto_sync, paused.automated, paused.paused) == (False, None, Paused({"prune": True, "selfHeal": True}, "left"))
    assert app.spec["syncPolicy"] == {"syncOptions": ["CreateNamespace=true"]}
    client.resume_auto_sync("api", {"prune": True, "selfHeal": True})
    assert (app.spec, app.data["metadata"]) == (before["spec"], before["metadata"])


@pytest.mark.parametrize(
    "text", ["", "{}", "no json", "[]", '{"automated": {"prune": "yes"}}', '{"automated": {"source": true}}', '{"automated": null}', "[" * 3000, "1" * 5000]
)
def test_a_note_that_is_not_ours_is_not_followed(server: ArgoCDServer, client: ArgoCDRollback, text: str) -> None:
    released(server).data["metadata"]["annotations"] = {PAUSED_BY_US: text}
    assert client.application("api").paused is None


@pytest.mark.parametrize(
    ("metadata", "owner", "perhaps"),
    [
        ({"ownerReferences": [{"kind": "ApplicationSet", "name": "shops"}]}, "ApplicationSet shops", ""),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "root:argoproj.io/Application:argocd/api"}}, "application root", ""),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "api:argoproj.io/Application:argocd/api"}}, "", ""),
        ({"labels": {"app.kubernetes.io/instance": "root"}}, "", "application root"),
        ({"labels": {"app.kubernetes.io/instance": "api"}}, "", ""),
    ],
)
def test_who_makes_the_application_is_told(server: ArgoCDServer, client: ArgoCDRollback, metadata: dict[str, object], owner: str, perhaps: str) -> None:
    released(server).data["metadata"] |= metadata
    app = client.application("api")
    assert (app.owner, app.perhaps_owner) == (owner, perhaps)


@pytest.mark.parametrize(("rights", "may"), [({"get", "sync"}, True), ({"get"}, False)])
def test_a_right_is_asked_for(server: ArgoCDServer, client: ArgoCDRollback, rights: set[str], may: bool) -> None:
    released(server)
    server.rights = rights
    assert client.may(client.application("api"), "sync") is may
    assert server.requests[-1].path == "/api/v1/account/can-i/applications/sync/shop%2Fapi"


def test_a_server_that_knows_nothing_of_rights_leaves_it_open(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    released(server)
    server.answers_rights = False
    assert client.may(client.application("api"), "rollback") is None


def test_an_operation_under_way_is_told_as_its_state_says(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    """What was asked for names no revision here, and stands beside the state until it is done."""
    app = released(server)
    server.asleep = True
    app.data["operation"] = {"sync": {}}
    app.status["operationState"] = {
        "phase": "Terminating", "message": "stopping", "operation": {"sync": {}}, "startedAt": "2025-06-15T15:06:40Z",
        "syncResult": {"revision": OLD, "source": dict(app.sources[0])},
    }  # fmt: skip
    operation = client.application("api").operation
    assert operation is not None
    assert operation.what is not None
    assert (operation.phase, operation.message, operation.what.revisions, operation.began) == ("Terminating", "stopping", (OLD,), START)


def test_an_operation_that_was_asked_for_after_another_one_ended_counts_as_running(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    app = released(server)
    server.asleep = True
    app.data["operation"] = {"sync": {"revision": NEW}}
    app.status["operationState"] = {"phase": "Failed", "message": "no", "operation": {"sync": {"revision": OLD}}}
    operation = client.application("api").operation
    assert operation is not None
    assert operation.what is not None
    assert (operation.phase, operation.message, operation.what.revisions) == ("Running", "", (NEW,))


def test_a_partial_sync_and_a_failed_one_are_told(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    app = released(server)
    server.asleep = True
    app.status["operationState"] = {"phase": "Failed", "message": "no", "operation": {"sync": {"resources": [{"kind": "Service"}]}}}
    operation = client.application("api").operation
    assert operation is not None
    assert (operation.phase, operation.message, operation.whole, operation.what) == ("Failed", "no", False, None)


def test_the_id_of_a_rollback_is_sent_as_a_number(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    released(server)
    client.roll_back("api", 0, prune=False)
    assert server.requests[-1].json()["id"] == 0
    assert server.rollbacks == [0]


@pytest.mark.parametrize(
    ("rights", "do", "words"),
    [
        ({"get", "sync"}, lambda client: client.pause_auto_sync("api", Paused({})), "needs the right `applications, update`"),
        ({"get"}, lambda client: client.roll_back("api", 0, prune=False), "`applications, sync` on it, or `applications, rollback`"),
        ({"get"}, lambda client: client.terminate("api"), "needs the right `applications, sync`"),
        (set(), lambda client: client.application("api"), "It is not there, or the token may not see it"),
    ],
)
def test_a_right_that_lacks_is_named(
    server: ArgoCDServer, client: ArgoCDRollback, rights: set[str], do: Callable[[ArgoCDRollback], object], words: str
) -> None:
    released(server)
    server.rights = rights
    with pytest.raises((NotAllowed, NotFound), match=words):
        do(client)


def test_a_missing_application_is_not_found_and_a_wrong_name_is_never_asked_for(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    with pytest.raises(NotFound, match="reading the application api found nothing"):
        client.application("api")
    with pytest.raises(UsageError, match="is no name of an Argo CD application"):
        client.application("../secrets")
    assert len(server.requests) == 1


def test_ending_an_operation_that_does_not_run_is_rejected(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    released(server)
    with pytest.raises(Rejected, match="No operation is in progress"):
        client.terminate("api")


def test_a_wrong_token_is_said_and_never_shown(server: ArgoCDServer) -> None:
    for client in made(server, "wrong-token-of-somebody"):
        with pytest.raises(NotAllowed, match="Check `argocd-token`") as caught:
            client.application("api")
        assert "wrong-token" not in str(caught.value)


FAULTS = {
    "limit": (Reply(429, b"", {"retry-after": "9999"}), RateLimited), "failure": (Reply(503), Unavailable), "reset": (Reply(reset=True), Unavailable),
    "cut": (Reply(200, b'{"metadata": {}}', {"content-length": "16"}, cut=5), Unavailable), "page": (Reply(200, b"<html>"), BadAnswer),
    "shape": (json_reply([]), BadAnswer), "refused": (error(7, "permission denied"), NotAllowed),
}  # fmt: skip
CALLS: dict[str, Callable[[ArgoCDRollback], object]] = {
    "application": lambda client: client.application("api"),
    "pause": lambda client: client.pause_auto_sync("api", Paused({})),
    "rollback": lambda client: client.roll_back("api", 0, prune=False),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_a_wrong_answer_is_an_error_of_the_service(server: ArgoCDServer, client: ArgoCDRollback, fault: str, call: str) -> None:
    released(server)
    reply, kind = FAULTS[fault]
    server.faults = dict.fromkeys(range(40), reply)
    with pytest.raises(kind):
        CALLS[call](client)
    assert server.rollbacks == []


def test_a_rollback_whose_answer_is_lost_is_never_sent_twice(server: ArgoCDServer, client: ArgoCDRollback) -> None:
    released(server)
    server.dead_from, server.dead_after_work = 0, True
    with pytest.raises(Unavailable):
        client.roll_back("api", 0, prune=False)
    assert server.rollbacks == [0]
    assert len(server.requests) == 1

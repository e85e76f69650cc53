"""Applications of Argo CD are read, given a revision and synced; every request and answer is checked against Argo CD's description."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.servers.argocd import TOKEN, ArgoCDServer, error
from tests.servers.clock import FakeClock
from tests.servers.http_server import Reply, json_reply

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.delivery.argocd import ArgoCD
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, RateLimited, Refused, Rejected, Unavailable, UsageError
from cicd_agents.domain.forge import Delivery, DeliveryState

OLD, NEW, MAIN = "a" * 40, "b" * 40, "c" * 40


@pytest.fixture
def server() -> Iterator[ArgoCDServer]:
    running = ArgoCDServer()
    with running:
        running.refs = {"v1.1.0": OLD, "v1.2.0": NEW, "HEAD": MAIN, "main": MAIN}
        yield running
        assert running.problems == []


@pytest.fixture
def client(server: ArgoCDServer) -> Iterator[ArgoCD]:
    yield from made(server)


def made(server: ArgoCDServer, token: str = TOKEN, **more: object) -> Iterator[ArgoCD]:
    clock = FakeClock()
    client = ArgoCD(server.url, token, clock, Budget(clock, 300), **more)  # type: ignore[arg-type]
    yield client
    client.close()


def test_an_application_is_told_with_argo_cds_own_words(server: ArgoCDServer, client: ArgoCD) -> None:
    server.add("shop-dev")
    port: Delivery = client
    assert port.state("shop-dev") == DeliveryState("shop-dev", "v1.1.0", OLD, "Synced", "Healthy")


def test_a_state_is_asked_for_fresh_and_with_the_project_that_the_list_told_once(server: ArgoCDServer, client: ArgoCD) -> None:
    server.add("shop-dev")
    client.state("shop-dev")
    client.state("shop-dev")
    assert [(request.path, dict(request.query)) for request in server.requests] == [
        ("/api/v1/applications", {"name": "shop-dev"}),
        ("/api/v1/applications/shop-dev", {"refresh": "normal", "project": "shop"}),
        ("/api/v1/applications/shop-dev", {"refresh": "normal", "project": "shop"}),
    ]


def test_with_a_project_given_no_list_is_asked_for(server: ArgoCDServer) -> None:
    server.add("shop-dev")
    for client in made(server, project="shop"):
        client.state("shop-dev")
    assert [request.path for request in server.requests] == ["/api/v1/applications/shop-dev"]


def test_an_application_of_another_namespace_is_named_by_it(server: ArgoCDServer, client: ArgoCD) -> None:
    server.add("shop", namespace="team-a")
    server.add("shop", "v1.2.0", namespace="team-b")
    assert client.state("team-b/shop").target_revision == "v1.2.0"
    assert server.requests[-1].query["appNamespace"] == "team-b"
    client.set_revision("team-a/shop", "v1.2.0")
    client.sync("team-a/shop", "v1.2.0")
    assert [(server.requests[-1].json()["appNamespace"], server.requests[-1].json()["project"])] == [("team-a", "shop")]


def test_one_name_in_two_namespaces_is_not_guessed(server: ArgoCDServer, client: ArgoCD) -> None:
    server.add("shop", namespace="team-a")
    server.add("shop", namespace="team-b")
    with pytest.raises(UsageError, match=r"2 applications shop \(in team-a, team-b\); name one as NAMESPACE/shop"):
        client.state("shop")


def test_a_missing_application_is_said_as_missing_not_as_a_missing_right(server: ArgoCDServer, client: ArgoCD) -> None:
    with pytest.raises(NotFound, match="there is no application shop-dev"):
        client.state("shop-dev")


def test_a_missing_application_of_a_given_project_is_said_as_missing(server: ArgoCDServer) -> None:
    for client in made(server, project="shop"):
        with pytest.raises(NotFound, match="reading the application shop-dev found nothing"):
            client.state("shop-dev")


@pytest.mark.parametrize("text", ["", "Shop", "../admin", "a/b/c", "shop?x=1", "shop#0", "-shop", "a" * 254, "shop\n"])
def test_what_is_no_name_is_not_asked_for(server: ArgoCDServer, client: ArgoCD, text: str) -> None:
    with pytest.raises(UsageError, match="is no name of an Argo CD application"):
        client.state(text)
    assert server.requests == []


def test_the_target_revision_is_set_and_nothing_else_is_changed(server: ArgoCDServer, client: ArgoCD) -> None:
    app = server.add("shop-dev", auto_sync=True)
    state = client.set_revision("shop-dev", "v1.2.0")
    assert state.target_revision == "v1.2.0"
    assert app.spec["source"] == {"repoURL": "https://git.example/shop", "path": "deploy", "targetRevision": "v1.2.0"}
    assert server.patches == [
        {"project": "shop", "name": "shop-dev", "patchType": "merge", "patch": '{"spec": {"source": {"targetRevision": "v1.2.0"}}}'}
    ]  # fmt: skip


def test_a_comparison_with_an_older_target_is_not_taken_for_the_new_one(server: ArgoCDServer, client: ArgoCD) -> None:
    server.add("shop-dev")
    assert client.set_revision("shop-dev", "v1.2.0").sync == "Unknown"
    assert client.state("shop-dev").sync == "OutOfSync"


def test_a_revision_that_is_not_there_is_said_in_argo_cds_words(server: ArgoCDServer, client: ArgoCD) -> None:
    server.add("shop-dev")
    with pytest.raises(Rejected, match=r"unable to resolve 'v9\.9\.9' to a commit SHA"):
        client.set_revision("shop-dev", "v9.9.9")


def test_of_several_sources_the_named_one_is_set_and_the_others_stay(server: ArgoCDServer, client: ArgoCD) -> None:
    app = server.add("shop", targets=("main", "v1.1.0"))
    assert client.state("shop#2").target_revision == "v1.1.0"
    assert client.set_revision("shop#2", "v1.2.0").target_revision == "v1.2.0"
    assert [source["targetRevision"] for source in app.sources] == ["main", "v1.2.0"]
    assert client.state("shop").target_revision == "main,v1.2.0"
    assert client.state("shop#2").revision == NEW


@pytest.mark.parametrize(
    ("name", "spec", "words"),
    [
        ("shop", {"targets": ("main", "v1.1.0")}, "has 2 sources; say whose revision is set"),
        ("shop#3", {"targets": ("main", "v1.1.0")}, "has 2 sources, so there is no #3"),
        ("shop#2", {}, "has one source, so there is no #2"),
        ("shop", {"sourceHydrator": {"syncSource": {"targetBranch": "env/dev"}}}, "filled by a source hydrator"),
    ],
)
def test_where_it_is_not_clear_whose_revision_is_meant_nothing_is_set(
    server: ArgoCDServer, client: ArgoCD, name: str, spec: dict[str, object], words: str
) -> None:
    server.add("shop", **spec)  # type: ignore[arg-type]
    with pytest.raises(Refused, match=words):
        client.set_revision(name, "v1.2.0")
    assert server.patches == []


def test_sources_that_changed_their_order_meanwhile_are_not_set(server: ArgoCDServer, client: ArgoCD) -> None:
    app = server.add("shop", targets=("main", "v1.1.0"))
    patching = server.handler

    def swapped(request: object) -> Reply:
        if request.method == "PATCH":  # type: ignore[attr-defined]
            app.spec["sources"].reverse()
            server.handler = patching
        return patching(request)  # type: ignore[arg-type]

    server.handler = swapped
    with pytest.raises(Unavailable, match="testing value failed"):
        client.set_revision("shop#2", "v1.2.0")
    assert [source["targetRevision"] for source in app.sources] == ["v1.1.0", "main"]


def test_a_sync_is_started_to_the_revision_without_pruning(server: ArgoCDServer, client: ArgoCD) -> None:
    server.add("shop-dev")
    client.set_revision("shop-dev", "v1.2.0")
    client.sync("shop-dev", "v1.2.0")
    assert server.requests[-1].json() == {"project": "shop", "name": "shop-dev", "prune": False, "revision": "v1.2.0"}
    assert client.state("shop-dev").operation == "Running"
    assert [client.state("shop-dev").health for _ in range(3)] == ["Progressing", "Healthy", "Healthy"]


def test_pruning_is_asked_for_where_it_is_switched_on(server: ArgoCDServer) -> None:
    server.add("shop-dev", "v1.2.0")
    for client in made(server, prune=True):
        client.sync("shop-dev", "v1.2.0")
    assert server.requests[-1].json()["prune"] is True


def test_several_sources_are_synced_to_what_they_follow(server: ArgoCDServer, client: ArgoCD) -> None:
    server.add("shop", targets=("main", "v1.1.0"))
    client.set_revision("shop#2", "v1.2.0")
    client.sync("shop#2", "v1.2.0")
    assert "revision" not in server.requests[-1].json()
    assert server.syncs == [{"application": "shop", "revisions": [MAIN, NEW], "automated": False}]


def test_a_sync_that_waits_to_begin_counts_as_running(server: ArgoCDServer, client: ArgoCD) -> None:
    app = server.add("shop-dev")
    app.data["operation"] = {"sync": {"revision": OLD}}
    answer = client.set_revision("shop-dev", "v1.2.0")
    assert answer.operation == "Running"


def test_a_sync_that_runs_for_the_revision_is_not_started_again(server: ArgoCDServer, client: ArgoCD) -> None:
    server.add("shop-dev")
    client.set_revision("shop-dev", "v1.2.0")
    client.state("shop-dev")
    client.sync("shop-dev", "v1.2.0")
    client.sync("shop-dev", "v1.2.0")
    client.state("shop-dev")
    client.sync("shop-dev", "v1.2.0")
    assert len(server.syncs) == 1
    assert [request.method for request in server.requests].count("POST") == 1


def test_a_sync_that_runs_for_another_revision_is_said(server: ArgoCDServer, client: ArgoCD) -> None:
    app = server.add("shop-dev")
    app.data["operation"] = {"sync": {"revision": OLD}}
    client.set_revision("shop-dev", "v1.2.0")
    with pytest.raises(Rejected, match="another operation is already in progress"):
        client.sync("shop-dev", "v1.2.0")


def test_a_sync_that_somebody_started_for_the_revision_between_look_and_call_is_fine(server: ArgoCDServer, client: ArgoCD) -> None:
    app = server.add("shop-dev", "v1.2.0")
    serving = server.handler

    def late(request: object) -> Reply:
        if request.method == "POST":  # type: ignore[attr-defined]
            app.data["operation"] = {"sync": {"revision": NEW}}
        return serving(request)  # type: ignore[arg-type]

    server.handler = late
    client.sync("shop-dev", "v1.2.0")
    assert server.syncs == []


@pytest.mark.parametrize(("setting", "on"), [(None, False), (True, True), (False, False)])
def test_automated_sync_is_on_unless_it_is_missing_or_says_that_it_is_off(server: ArgoCDServer, client: ArgoCD, setting: bool | None, on: bool) -> None:
    server.add("shop-dev", auto_sync=setting)
    assert client.state("shop-dev").auto_sync is on


def test_the_message_tells_errors_of_the_comparison_and_objects_that_wait_for_pruning(server: ArgoCDServer, client: ArgoCD) -> None:
    app = server.add("shop-dev")
    app.status["resources"] = [{"kind": "Service", "requiresPruning": True}, {"kind": "Deployment"}]
    del server.refs["v1.1.0"]
    state = client.state("shop-dev")
    assert (state.sync, state.message) == (
        "Unknown",
        "unable to resolve 'v1.1.0' to a commit SHA; 1 objects are not in the source any more and wait for pruning",
    )


def test_a_new_application_without_any_status_is_unknown(server: ArgoCDServer, client: ArgoCD) -> None:
    app = server.add("shop-dev")
    server.asleep = True
    app.data["status"] = {}
    app.spec["source"].pop("targetRevision")
    assert client.state("shop-dev") == DeliveryState("shop-dev", "HEAD", "", "Unknown", "Unknown")


@pytest.mark.parametrize(
    ("rights", "do", "words"),
    [
        (
            {"get", "sync"},
            lambda client: client.set_revision("shop-dev", "v1.2.0"),
            r"update, shop/shop-dev\. The token needs the right `applications, update`",
        ),
        ({"get"}, lambda client: client.sync("shop-dev", "v1.1.0"), "The token needs the right `applications, sync`"),
    ],
)
def test_a_right_that_lacks_is_named(server: ArgoCDServer, client: ArgoCD, rights: set[str], do: Callable[[ArgoCD], object], words: str) -> None:
    server.add("shop-dev")
    server.rights = rights
    with pytest.raises(NotAllowed, match=words):
        do(client)


def test_a_closed_sync_window_is_said_in_argo_cds_words(server: ArgoCDServer, client: ArgoCD) -> None:
    server.add("shop-dev")
    server.window_open = False
    with pytest.raises(NotAllowed, match="blocked by sync window"):
        client.sync("shop-dev", "v1.1.0")


@pytest.mark.parametrize("token", ["", "wrong-token-of-somebody"])
def test_a_wrong_token_is_said_and_never_shown(server: ArgoCDServer, token: str) -> None:
    for client in made(server, token):
        with pytest.raises(NotAllowed, match="Check `argocd-token`") as caught:
            client.state("shop-dev")
        assert not token or token not in str(caught.value)


FAULTS = {
    "limit": (Reply(429, b"", {"retry-after": "9999"}), RateLimited), "failure": (Reply(503), Unavailable), "reset": (Reply(reset=True), Unavailable),
    "cut": (Reply(200, b'{"metadata": {}}', {"content-length": "16"}, cut=5), Unavailable), "page": (Reply(200, b"<html>"), BadAnswer),
    "shape": (json_reply([]), BadAnswer), "refused": (error(7, "permission denied"), NotAllowed),
}  # fmt: skip


def set_and_sync(client: ArgoCD) -> None:
    """Three calls to set it (the list, the application, the patch), two for the sync."""
    client.set_revision("shop-dev", "v1.2.0")
    client.sync("shop-dev", "v1.2.0")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", range(5))
def test_a_wrong_answer_at_any_call_is_an_error_of_the_service(server: ArgoCDServer, client: ArgoCD, fault: str, at: int) -> None:
    server.add("shop-dev")
    reply, kind = FAULTS[fault]
    server.faults = dict.fromkeys(range(at, 40), reply)
    with pytest.raises(kind):
        set_and_sync(client)
    assert server.syncs == []


def test_a_lost_answer_to_a_sync_is_not_asked_for_again(server: ArgoCDServer, client: ArgoCD) -> None:
    server.add("shop-dev")
    client.set_revision("shop-dev", "v1.2.0")
    server.dead_from, server.dead_after_work = 4, True  # the calls before: list, application, patch, application
    with pytest.raises(Unavailable):
        client.sync("shop-dev", "v1.2.0")
    assert len(server.syncs) == 1
    assert [request.method for request in server.requests].count("POST") == 1


def test_plain_http_to_another_machine_is_refused() -> None:
    clock = FakeClock()
    client = ArgoCD("http://argocd.example.com", TOKEN, clock, Budget(clock, 300))
    with pytest.raises(Refused, match="allow-http"):
        client.state("shop-dev")

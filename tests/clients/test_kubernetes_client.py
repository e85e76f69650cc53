"""The client for Kubernetes over real connections to the stand-in: pages, patches, rights, and what is said when it is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tests.servers.http_server import Reply, json_reply
from tests.servers.kubernetes import TOKEN, KubernetesServer, status
from tests.servers.kubernetes_calling import calling_kubernetes
from tests.servers.kubernetes_objects import deployment

from cicd_agents.clients.delivery import kubernetes_client
from cicd_agents.domain.cluster import Cluster, PatchForm
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, RateLimited, Refused, Rejected, Unavailable

DEPLOYMENTS = "/apis/apps/v1/namespaces/prod/deployments"
API = f"{DEPLOYMENTS}/api"


def config(name: str, **labels: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "prod", "labels": labels}, "data": {}}


def test_an_object_is_read_as_it_is() -> None:
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        cluster: Cluster = it.cluster
        server.put(deployment())
        assert cluster.read(API) == server.the("Deployment", "prod", "api")


def test_a_list_is_read_to_its_end_and_every_item_has_its_kind() -> None:
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        for number in range(1201):
            server.put(config(f"c-{number:04}", app="a" if number % 2 else "b"))
        found = list(it.cluster.listed("/api/v1/namespaces/prod/configmaps", {"labelSelector": "app=a"}))
        assert [each["metadata"]["name"] for each in found] == [f"c-{number:04}" for number in range(1, 1201, 2)]
        assert {(each["kind"], each["apiVersion"]) for each in found} == {("ConfigMap", "v1")}
        assert [one.query.get("limit") for one in server.requests] == ["500", "500"]


def test_a_list_whose_rest_is_gone_is_read_anew_once_and_gives_nothing_twice() -> None:
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        for number in range(600):
            server.put(config(f"c-{number:04}"))
        server.faults[1] = status(410, "The provided continue parameter is too old to display a consistent list result.")
        found = [each["metadata"]["name"] for each in it.cluster.listed("/api/v1/namespaces/prod/configmaps")]
        assert len(found) == 600
        assert all(one < other for one, other in pairwise(found))
        server.expired = True
        with pytest.raises(NotFound, match="too old"):
            list(it.cluster.listed("/api/v1/namespaces/prod/configmaps"))


def test_a_list_that_is_too_long_is_refused() -> None:
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        page = {"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "x"}}] * 500}
        tokens = iter(range(100))
        server.handler = lambda _: json_reply({**page, "metadata": {"continue": f"token-{next(tokens)}"}})
        with pytest.raises(Refused, match=r"^Kubernetes: listing pods gives more than 5000 objects; the rest is not read\. Name a namespace\.$"):
            list(it.cluster.listed("/api/v1/pods"))


def test_a_list_whose_pages_hold_nothing_ends() -> None:
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        tokens = iter(range(1000))
        server.handler = lambda _: json_reply({"kind": "PodList", "apiVersion": "v1", "metadata": {"continue": f"token-{next(tokens)}"}, "items": []})
        with pytest.raises(Refused, match=r"^Kubernetes: listing pods has more than 200 pages; the rest is not read\. Name a namespace\.$"):
            list(it.cluster.listed("/api/v1/pods"))


def test_a_list_that_goes_in_a_circle_ends() -> None:
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        server.handler = lambda _: json_reply({"kind": "PodList", "apiVersion": "v1", "metadata": {"continue": "again"}, "items": []})
        with pytest.raises(BadAnswer, match="goes in a circle"):
            list(it.cluster.listed("/api/v1/pods"))


def test_both_forms_of_a_patch_change_the_object() -> None:
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        server.put(deployment())
        assert it.cluster.patch(API, {"spec": {"replicas": 5}}, PatchForm.MERGE)["spec"]["replicas"] == 5
        steps = [{"op": "test", "path": "/spec/replicas", "value": 5}, {"op": "replace", "path": "/spec/replicas", "value": 6}]
        assert it.cluster.patch(API, steps, PatchForm.JSON)["spec"]["replicas"] == 6
        assert [one.headers["content-type"] for one in server.requests] == ["application/merge-patch+json", "application/json-patch+json"]
        with pytest.raises(Rejected, match=r"^Kubernetes: changing deployments prod/api was rejected \(422\)"):
            it.cluster.patch(API, steps, PatchForm.JSON)


def test_only_a_patch_that_may_be_repeated_is_sent_again() -> None:
    steps = [{"op": "replace", "path": "/spec/replicas", "value": 6}]
    tested = [{"op": "test", "path": "/metadata/name", "value": "api"}, *steps]
    for form, body, sent in ((PatchForm.MERGE, {"spec": {"replicas": 6}}, 2), (PatchForm.JSON, tested, 2), (PatchForm.JSON, steps, 1)):
        with KubernetesServer() as server, calling_kubernetes(server) as it:
            server.put(deployment())
            server.faults[0] = Reply(502)
            try:
                it.cluster.patch(API, body, form)
            except Unavailable:
                assert sent == 1
            assert len(server.requests) == sent


# Rights


def test_rights_are_asked_for_once_and_without_waiting() -> None:
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        server.denied.add(("patch", "apps", "deployments/status"))
        for _ in range(2):
            assert it.cluster.allowed("patch", "apps", "deployments", "prod") is True
            assert it.cluster.allowed("patch", "apps", "deployments/status", "prod") is False
            assert it.cluster.allowed("get", "", "pods", "prod", "x") is True
        assert (len(server.requests), it.clock.slept, server.problems) == (3, [], [])
        assert server.requests[1].json()["spec"]["resourceAttributes"] == {
            "verb": "patch", "group": "apps", "resource": "deployments", "subresource": "status", "namespace": "prod",
        }  # fmt: skip


def test_what_a_server_does_not_tell_is_neither_yes_nor_no() -> None:
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        server.reviews = False
        assert it.cluster.allowed("patch", "apps", "deployments", "prod") is None
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        server.handler = lambda _: json_reply({"status": {"allowed": False, "evaluationError": "webhook: timeout"}}, 201)
        assert it.cluster.allowed("patch", "apps", "deployments", "prod") is None


# What is said


def said(server: KubernetesServer, path: str = API, token: str = TOKEN) -> str:
    with calling_kubernetes(server, token=token) as it, pytest.raises((NotAllowed, NotFound, RateLimited, Unavailable)) as caught:
        it.cluster.read(path)
    return str(caught.value)


def test_every_refusal_says_what_to_mend_and_never_the_token() -> None:
    with KubernetesServer() as server:
        text = said(server, token="wrong-token-of-somebody")
        assert text == (
            "Kubernetes: reading deployments prod/api was refused (401): Unauthorized. The credential of guardian (the kubeconfig of the tests) is missing, "
            "wrong or expired: log in again, or renew the token."
        )
        assert said(server) == (
            'Kubernetes: reading deployments prod/api found nothing (404): deployments.apps "api" not found. '
            "Check the name and the namespace, and that this cluster knows deployments."
        )
        text = said(server, "/apis/argoproj.io/v1alpha1/namespaces/prod/rollouts")
        assert text.endswith("404 page not found. The cluster does not know rollouts of argoproj.io: is what brings them installed?")
        server.denied.add(("get", "apps", "deployments"))
        text = said(server)
        assert text.startswith('Kubernetes: reading deployments prod/api was refused (403): deployments.apps "api" is forbidden: User "system:serviceaccount')
        assert text.endswith("Give the credential the verb `get` on `deployments` of the group apps by a Role in the namespace prod.")
        server.denied.add(("list", "", "pods"))
        assert said(server, "/api/v1/pods").endswith("Give the credential the verb `list` on `pods` by a ClusterRole.")
        assert said(server, "/version") == "Kubernetes: GET /version found nothing (404): 404 page not found. Is this the address of a Kubernetes API?"


def test_the_words_of_the_server_never_carry_the_token() -> None:
    with KubernetesServer() as server:
        server.handler = lambda request: status(403, f"no: {request.headers['authorization']}")
        assert "token-of-the-service-account" not in said(server)


def test_trouble_that_passes_is_waited_for() -> None:
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        server.put(deployment())
        busy = status(429, "the server has received too many requests and has asked us to try again later")
        server.faults |= {
            0: Reply(429, busy.body, {**busy.headers, "retry-after": "2"}),
            1: status(500, "etcdserver: leader changed"),
            2: Reply(cut=10, body=b"{" * 99),
        }
        assert it.cluster.read(API)["kind"] == "Deployment"
        assert len(it.clock.slept) == 3


@pytest.mark.parametrize("body", [b"<html>login</html>", b"[]", b'"x"', b""])
def test_what_is_no_object_is_no_answer(body: bytes) -> None:
    with KubernetesServer() as server, calling_kubernetes(server) as it:
        server.handler = lambda _: Reply(200, body, {"content-type": "text/html"})
        with pytest.raises(BadAnswer, match=r"Kubernetes: reading deployments prod/api.* Is this the address of the API"):
            it.cluster.read(API)
        with pytest.raises(BadAnswer):
            list(it.cluster.listed(DEPLOYMENTS))


def test_the_bounds_are_those_of_the_port() -> None:
    assert kubernetes_client.MOST_OBJECTS == 5000

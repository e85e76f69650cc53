"""The client for Kubernetes as the program makes it, on a clock that does not wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.servers.clock import FakeClock
from tests.servers.kubernetes import TOKEN, KubernetesServer

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.delivery.kubernetes_access import Access
from cicd_agents.clients.delivery.kubernetes_client import Kubernetes
from cicd_agents.clients.http import Retry


@dataclass
class CallingKubernetes:
    """The client, its clock and the retries that it told of."""

    cluster: Kubernetes
    clock: FakeClock
    retries: list[Retry] = field(default_factory=list)


@contextmanager
def calling_kubernetes(server: KubernetesServer, *, token: str = TOKEN, seconds: float = 300) -> Iterator[CallingKubernetes]:
    """A client with a token, as a service account has it."""
    clock = FakeClock()
    retries: list[Retry] = []
    access = Access(server.url, "the kubeconfig of the tests", "guardian", headers={"authorization": f"Bearer {token}"})
    cluster = Kubernetes(access, clock, Budget(clock, seconds), note=retries.append)
    try:
        yield CallingKubernetes(cluster, clock, retries)
    finally:
        cluster.close()

"""How tests of the ways of acting in a cluster do operations: in order, with an audit log, and killed at any call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.servers.clock import FakeClock
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_custom import CustomServer, reaching

from cicd_agents.clients.delivery.kubernetes_client import Kubernetes
from cicd_agents.domain.errors import ServiceError
from cicd_agents.domain.operation import REACHED, Operation, OperationStatus
from cicd_agents.operations.audit import AuditEntry
from cicd_agents.operations.delivery_way import DeliveryWay
from cicd_agents.operations.policy import Mode
from cicd_agents.operations.transaction import carry_out

WHY = "Error rate 5.2 %, limit 0.2 %."
DONE, ALREADY, FAILED = OperationStatus.APPLIED, OperationStatus.ALREADY_DONE, OperationStatus.FAILED


@dataclass
class Log:
    """An audit log in a list."""

    entries: list[AuditEntry] = field(default_factory=list)

    def write(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


def carried(way: DeliveryWay, operations: tuple[Operation, ...], clock: FakeClock) -> tuple[Operation, ...]:
    """The operations as they stand after they were done in order."""
    return carry_out(operations, way.appliers(), Mode.AUTO, Log(), clock)


def statuses(operations: tuple[Operation, ...]) -> list[tuple[str, OperationStatus]]:
    """Kinds and what became of them."""
    return [(operation.kind, operation.status) for operation in operations]


def rolled_back(way: DeliveryWay, clock: FakeClock) -> tuple[Operation, ...]:
    """Look, plan the way back to what is good, and do it."""
    standing = way.look()
    assert standing.obstacles == ()
    assert standing.good is not None
    return carried(way, way.rollback(standing, standing.good, WHY), clock)


def killed_everywhere(
    scene: Callable[[], CustomServer], make: Callable[[Kubernetes, FakeClock], DeliveryWay], act: Callable[[DeliveryWay, FakeClock], tuple[Operation, ...]],
    end: Callable[[KubernetesServer], Any],
) -> Iterator[str]:  # fmt: skip
    """For each call of `act` that a run dies at, before or after its work, whether a second run reaches the same end; what is wrong, if anything."""
    calls, expected = _whole(scene, make, act, end)
    for call in range(calls):
        for after_work in (False, True):
            server = scene()
            clock = FakeClock()
            with server, reaching(server, clock) as cluster:
                server.calls, server.dead_from, server.dead_after_work = 0, call, after_work
                with suppress(ServiceError):  # the run may die while it looks
                    act(make(cluster, clock), clock)
                server.dead_from = None
            server = _again(server)
            with server, reaching(server, clock) as cluster:
                done = act(make(cluster, clock), clock)
                found = end(server)
                left = [operation for operation in done if operation.status not in REACHED]
                if found != expected or left or server.problems:
                    yield f"call {call}, {'after' if after_work else 'before'} its work: {found}, {[each.result for each in left]}, {server.problems}"


def _whole(
    scene: Callable[[], CustomServer], make: Callable[[Kubernetes, FakeClock], DeliveryWay], act: Callable[[DeliveryWay, FakeClock], tuple[Operation, ...]],
    end: Callable[[KubernetesServer], Any],
) -> tuple[int, Any]:  # fmt: skip
    """A run that is not killed: how many calls it made, and its end."""
    server, clock = scene(), FakeClock()
    with server, reaching(server, clock) as cluster:
        server.calls = 0
        assert {operation.status for operation in act(make(cluster, clock), clock)} <= {DONE}
        assert server.problems == []
        return server.calls, end(server)


def _again(server: CustomServer) -> CustomServer:
    """The same cluster at another address: the first one's connections are cut for good."""
    fresh = CustomServer()
    fresh.kinds, fresh.objects, fresh.reactions, fresh.steps = server.kinds, deepcopy(server.objects), server.reactions, server.steps
    fresh.problems, fresh.now, fresh._version = list(server.problems), server.now, server._version
    return fresh

"""Traffic that is split by weights: routes of Istio's VirtualServices and canary Ingresses of ingress-nginx, and the port that reads and changes them.

Source of the names: Istio docs, "Virtual Service" (networking.istio.io/v1); ingress-nginx docs, "Annotations", canary.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cicd_agents.domain.delivery_objects import ObjectName


class TrafficKind(StrEnum):
    """What splits: the values are those of targets."""

    ISTIO = "istio"
    NGINX = "nginx"


@dataclass(frozen=True, slots=True)
class TrafficTarget:
    """One split: `istio:NS/NAME` of a VirtualService, `nginx:NS/NAME` of a canary Ingress.

    Of Istio: `route` is the name of the HTTP route, empty where there is only one with two destinations; `canary` and `stable` are the destinations, each
    by its subset or its host. Of NGINX these are words for people.
    """

    kind: TrafficKind
    name: ObjectName
    route: str = ""
    canary: str = "canary"
    stable: str = "stable"

    @property
    def shown(self) -> str:
        """The target as settings name it."""
        return f"{self.kind}:{self.name.shown}"


@dataclass(frozen=True, slots=True)
class TrafficSplit:
    """How the traffic is split: the canary gets `weight` of `total`. `owner` is the object that sets the weights by itself, empty: none is seen.

    `notes` are what else leads to the canary, such as a header.
    """

    target: TrafficTarget
    weight: int
    total: int
    owner: str = ""
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The canary's part."""
        return self.weight / self.total


class Traffic(Protocol):
    """The splits of a cluster; all methods raise ServiceError."""

    def split(self, target: TrafficTarget) -> TrafficSplit:
        """How the traffic is split. Raises UsageError where there is no such object, Refused for one that is split in another way."""
        ...

    def missing_rights(self, target: TrafficTarget) -> tuple[str, ...]:
        """Which rights the credential has not, in sentences."""
        ...

    def set_share(self, target: TrafficTarget, share: float) -> bool:
        """Give the canary this part (0 to 1), to the nearest whole weight; False where it has it."""
        ...

"""A split of traffic beside the pods that it leads to: the split names two sides, and only pods tell which versions these are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cicd_agents.domain.guardian import DeliveryStanding
from cicd_agents.operations.delivery_traffic import TrafficWay


@dataclass(frozen=True, slots=True)
class SplitOfPods(TrafficWay):
    """`versions_now` gives the images of the canary's and of the stable side, empty where that is not known; so another version than was judged is noticed."""

    versions_now: Callable[[], tuple[str, str]] | None = None

    def look(self) -> DeliveryStanding:
        """How the traffic is split, and between which versions. Raises ServiceError and UsageError."""
        canary, stable = self.versions_now() if self.versions_now else (self.canary_version, self.stable_version)
        return TrafficWay(self.split_target, self.traffic, canary, stable).look()

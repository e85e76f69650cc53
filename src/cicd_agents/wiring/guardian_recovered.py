"""After a rollback: are the metrics back to normal? Asked again and again while a rollback is verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from cicd_agents.agents.guardian_metrics import MetricsAsk, gather
from cicd_agents.analysis.canary.observing.ask import shift_before
from cicd_agents.analysis.flaky.interval import wilson
from cicd_agents.domain.canary import Observation
from cicd_agents.domain.errors import ServiceError
from cicd_agents.domain.guardian import MetricsStore, Sides
from cicd_agents.domain.ports import Clock
from cicd_agents.wiring.guardian_given import Rules
from cicd_agents.wiring.guardian_scene import Scene

# The last minutes are looked at, of all pods that serve now.
WINDOW = 120.0
# Two scrapes of the usual interval; a rollback is to be decided and seen within a minute.
LOOKED_AT = 30.0
_LEAST = 20


@dataclass(slots=True)
class ErrorRate:
    """Asks for the error rate of all that serves, since the tool said for the first time that all is well. `store` is opened when it is needed."""

    scene: Scene
    rules: Rules
    store: Callable[[], MetricsStore]
    clock: Clock
    _began: float | None = field(default=None, init=False)
    _opened: MetricsStore | None = field(default=None, init=False)

    def __call__(self) -> str | None:
        """Why it is not back yet, None: it is, or nothing can be seen against it."""
        now = self.clock.now()
        if self._began is None:
            self._began = now
        if now - self._began < LOOKED_AT:
            return f"the error rate is looked at for {LOOKED_AT:.0f} s"
        self._opened = self._opened or self.store()
        begin = max(now - WINDOW, self._began)
        before = shift_before(self.scene.since if self.scene.since is not None else begin, now)
        ask = MetricsAsk(Sides("", "", self.scene.whole), now, begin, self.rules.policy, calibration=0.0, shift=before)
        try:
            return still_bad(gather(self._opened, ask).observation, begin)
        except ServiceError:
            return None  # what cannot be seen is no reason to wake a person; the tool itself says that it is well


def still_bad(observation: Observation, since: float) -> str | None:
    """Why the error rate is not back: it is above that of before the deployment by more than 0.1 points with 95 % confidence. None: it is not."""
    errors, requests = _counts(observation, since, canary=True)
    before, of = _counts(observation, 0.0, canary=False)
    if requests < _LEAST:
        return None
    usual = before / of if of >= _LEAST else 0.0
    low, _ = wilson(round(errors), round(requests))
    if low <= max(1.5 * usual, usual + 0.001):
        return None
    return f"the error rate is still {errors / requests:.2%} ({errors:.0f} of {requests:.0f} requests, {usual:.2%} before the deployment)"


def _counts(observation: Observation, since: float, *, canary: bool) -> tuple[float, float]:
    """5xx and all requests since then; a counter that falls was reset and counts from 0."""
    version = observation.canary if canary else observation.baseline
    errors = requests = 0.0
    for replica in version.replicas:
        for series in replica.requests:
            values = [value for time, value in sorted(series.samples) if time >= since]
            grown = sum(later - earlier if later >= earlier else later for earlier, later in pairwise(values))
            requests += grown
            errors += grown if series.name.startswith("5") else 0.0
    return errors, requests

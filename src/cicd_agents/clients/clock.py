"""Time: the system's clock, and the seconds that all calls of a run may take together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cicd_agents.domain.ports import Clock


class SystemClock:
    """The clock of the machine (port `Clock`)."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; not at all for zero or less."""
        if seconds > 0:
            time.sleep(seconds)


class Budget:
    """Seconds that all calls together may take, counted from its making. Several clients may share one."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left; never below zero."""
        return max(0.0, self._end - self._clock.monotonic())

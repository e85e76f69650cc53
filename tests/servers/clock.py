"""A clock for tests: waiting takes no time, and it can be moved."""

from __future__ import annotations

START = 1_750_000_000.0


class FakeClock:
    """Stands still but for `sleep` and `advance`; `slept` holds every wait that was asked for."""

    def __init__(self, now: float = START) -> None:
        self.slept: list[float] = []
        self._now = now
        self._monotonic = 0.0

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass without anybody waiting."""
        self._now += seconds
        self._monotonic += seconds

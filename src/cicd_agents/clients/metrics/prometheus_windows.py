"""A window of time in parts that a server of PromQL answers at once. Pure; times are whole milliseconds, as Prometheus has them."""

from __future__ import annotations

import math

from cicd_agents.domain.errors import UsageError

# Prometheus refuses more in one answer (web/api/v1: "exceeded maximum resolution of 11,000 points per timeseries").
MAX_POINTS = 11_000
MAX_PARTS = 20


def milliseconds(seconds: float) -> int:
    """The nearest whole number of them. Raises UsageError for what is no time."""
    if not math.isfinite(seconds):
        raise UsageError("A time or step of a query is not a number.")
    return round(seconds * 1000)


def parts(start: float, end: float, step: float) -> tuple[tuple[int, int], ...]:
    """First and last time of each part. All lie on the one grid that begins at `start`, so that no value is doubled or lost between two parts.

    Raises UsageError for a window that cannot be asked for.
    """
    first, last, wide = milliseconds(start), milliseconds(end), milliseconds(step)
    if wide < 1 or last < first:
        raise UsageError("The window of a query must end after its start, and its step be above zero.")
    points = (last - first) // wide + 1
    if points > MAX_POINTS * MAX_PARTS:
        raise UsageError(f"The window of a query has {points:,} steps, and {MAX_POINTS * MAX_PARTS:,} is the most. Use a longer step.")
    return tuple((first + done * wide, first + (min(done + MAX_POINTS, points) - 1) * wide) for done in range(0, points, MAX_POINTS))


def as_text(time: int) -> str:
    """Milliseconds as seconds, for a request."""
    return f"{time // 1000}.{time % 1000:03}"

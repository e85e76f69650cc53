"""Lines of a running service's logs as a port: the guardian counts what kinds of messages each version writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line, when it was written (seconds since the epoch), and the labels of its stream."""

    time: float
    text: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LogLines:
    """Lines by time. All lines from `complete_from` on are there; before it the bounds left some out."""

    lines: tuple[LogLine, ...]
    complete_from: float


class LogCounts(Protocol):
    """A store of logs that understands LogQL. Methods raise ServiceError, Rejected for a query that it does not understand."""

    def lines(self, query: str, start: float, end: float, *, most_lines: int, most_bytes: int) -> LogLines:
        """The lines of a log query between two times, the last ones where there are more than `most_lines` or `most_bytes`."""
        ...

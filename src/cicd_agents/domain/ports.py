"""What agents need from the world, as protocols; `clients` satisfies them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class OpenLog:
    """A log that can be read: a binary stream that can seek, and notes on what it is a part of."""

    stream: BinaryIO
    notes: tuple[str, ...] = ()


class LogStore(Protocol):
    """Logs by name."""

    def open(self, name: str) -> AbstractContextManager[OpenLog]:
        """The log. Raises UsageError when there is no such log or it cannot be read."""
        ...

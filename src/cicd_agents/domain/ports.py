"""What agents need from the world, as protocols; `clients` satisfies them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol


class LogStore(Protocol):
    """Logs by name."""

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A binary stream that can seek. Raises UsageError when there is no such log or it cannot be read."""
        ...

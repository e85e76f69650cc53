"""Source files of the checkout in the workspace, for reading only: tracked files, no links, nothing hidden, bounded.

A log may name any path and is not trusted; files that earlier steps left there, such as credentials, are not the project's. So Git's index must name a file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_FILE = 1 << 20
_MAX_INDEX = 64 << 20
_HEAD, _ENTRY = 12, 62  # bytes of the index's header, and of an entry before its path (gitformat-index)
_EXTENDED = 0x4000


@dataclass(frozen=True, slots=True)
class CheckoutFiles:
    """Reads files below `root`, which need not exist."""

    root: Path

    def read(self, path: str) -> tuple[str, ...] | None:
        """The lines of a tracked text file; None where there is none, or it may not be read."""
        parts = path.split("/")
        if any(not part or part.startswith(".") or "\0" in part for part in parts) or not self._tracked(path):
            return None
        data = _regular(self.root.joinpath(*parts), self.root, MAX_FILE)
        if data is None or b"\0" in data:
            return None
        return tuple(line.removesuffix("\r") for line in data.decode(errors="replace").removesuffix("\n").split("\n"))

    def _tracked(self, path: str) -> bool:
        data = _regular(self.root / ".git" / "index", self.root, _MAX_INDEX)
        return data is not None and path.encode(errors="replace") in set(_paths(data))


def _regular(path: Path, root: Path, most: int) -> bytes | None:
    """A regular file of at most `most` bytes to which no link leads."""
    try:
        if path.resolve() != root.resolve() / path.relative_to(root):
            return None
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > most:
                return None
            return file.read(most)
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links that lead in circles
        return None


def _paths(index: bytes) -> Iterator[bytes]:
    """The paths in an index of version 2 or 3; of another one none."""
    if index[:4] != b"DIRC" or int.from_bytes(index[4:8], "big") not in (2, 3):
        return
    at = _HEAD
    for _ in range(int.from_bytes(index[8:12], "big")):
        flags = int.from_bytes(index[at + _ENTRY - 2 : at + _ENTRY], "big")
        begin = at + _ENTRY + (2 if flags & _EXTENDED else 0)
        end = index.find(b"\0", begin)
        if end < 0:
            return
        yield index[begin:end]
        at += (end - at + 8) // 8 * 8

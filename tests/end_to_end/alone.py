"""One process of a test run at a time: for what is made once, and for what would stand in its own way."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RIG = Path(__file__).resolve().parents[2] / ".rig"


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Nobody else does this at the same time."""
    RIG.mkdir(exist_ok=True)
    with (RIG / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""What a run says when it is told to stop: CI systems send SIGTERM to a job that is cancelled or took too long, and end it some seconds later."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def told_to_stop(say: Callable[[str], object], state: str) -> Iterator[None]:
    """SIGTERM within ends the run as an interruption does (exit code 130), and either is told. `state` is the file that a watch keeps, empty: none.

    Without that a process goes without a word, and the first one of a container is not ended at all. State and audit log are kept as things are done, so
    nothing is to be saved here.
    """
    try:
        with _heard():
            yield
    except KeyboardInterrupt:
        on = f"the next run goes on by {state}" if state else "without guardian-state the next run begins anew"
        done = "What was written stands in audit.jsonl; run the job again, and a rollback that was begun is brought to its end."
        say(f"The run was told to stop before its end; {on}. {done}")
        raise


@contextmanager
def _heard() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only there signals can be heard
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

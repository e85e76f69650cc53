"""Commands of others, run with a bound of time: waited for while they are listened to, and ended with all that they started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import IO, cast


def listened_to(process: subprocess.Popen[bytes], listen: Callable[[IO[bytes]], object], seconds: float, grace: float) -> int | None:
    """The exit code, None where the time was up. `listen` reads what it prints, in another thread, since a full pipe would stop it.

    What is left of its output when it has ended is waited for so many seconds of `grace`. The process has a session of its own and a pipe for its output.
    """
    listener = Thread(target=listen, args=(cast("IO[bytes]", process.stdout),), daemon=True)
    listener.start()
    try:
        code: int | None = process.wait(seconds)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        _end(process)
    listener.join(grace)
    return code


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and all that it started and left running."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()

"""What good runs of the same job print too is no news (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from cicd_agents.analysis.logs import clean
from cicd_agents.analysis.logs.masking import masked
from cicd_agents.analysis.logs.reader import Log

# Distinct masked lines remembered of all good runs together.
MAX_LINES = 500_000


def good_lines(logs: Iterable[BinaryIO | bytes], most: int = MAX_LINES) -> frozenset[bytes]:
    """The masked form of every line of the good logs, up to `most` distinct ones."""
    seen: set[bytes] = set()
    for log in logs:
        for block in Log(log).blocks():
            for raw in block.data.split(b"\n"):
                seen.add(masked(clean.text_of(raw)))
                if len(seen) >= most:
                    return frozenset(seen)
    return frozenset(seen)

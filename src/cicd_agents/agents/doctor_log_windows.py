"""Which lines of a log a model is shown: those around each line that matters, windows that meet as one (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Anchor:
    """A line that matters, and how many lines before and after it are shown."""

    line: int
    before: int
    after: int


def windows(anchors: Sequence[Anchor], total: int) -> list[tuple[int, int]]:
    """(first, last) of each window within 1 and `total`, in the order of the first anchor in it."""
    spans = [(max(1, anchor.line - anchor.before), min(total, anchor.line + anchor.after), order) for order, anchor in enumerate(anchors)]
    merged: list[tuple[int, int, int]] = []
    for first, last, order in sorted(span for span in spans if span[0] <= span[1]):
        if merged and first <= merged[-1][1] + 1:
            begin, end, earliest = merged[-1]
            merged[-1] = begin, max(end, last), min(earliest, order)
        else:
            merged.append((first, last, order))
    return [(first, last) for first, last, _ in sorted(merged, key=lambda window: window[2])]

"""Did the run fail, where the platform does not say so (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cicd_agents.analysis.logs import clean
from cicd_agents.analysis.logs.judge import Ranked

# A lead this good speaks of a failure wherever it stands; one at the end of the log may be weaker.
_PLAIN, _AT_THE_END = 0.66, 0.45
_END = 40
_LAST_LINES = 3
_WELL = re.compile(
    rb"(?i)\b(?:passed|succeeded|successful(?:ly)?|success|completed?|finished|done)[.!]?(?: (?:in|after|at|with) .{1,60})?$"
    rb"|^\W*(?:done|success|ok)\W*$|^status: (?:ok|\d+ notes?)\b"
)
_BADLY = re.compile(
    rb"(?i)\berrors?\b|\bfail|fatal|abort|exception|cannot|denied|refused|panic|traceback|not found|timed? ?out|cancel|killed|exit(?:ed)?[ a-z]* [1-9]"
)
_NONE_FAILED = re.compile(rb"(?i)\b(?:0|no) (?:errors?|failures?|failed)|(?:failures?|errors?|failed)[=: ]+0\b|with 0 failures")


def speaks_of_failure(ranked: Sequence[Ranked], tail: bytes, lines: int) -> bool:
    """Whether the leads (best first) of a log of so many lines mean that the run failed; `tail`: the log's last bytes."""
    if any(item.lead.signature.role == "wrapper" for item in ranked):
        return True
    if not ranked or ends_well(tail):
        return False
    return ranked[0].score >= _PLAIN or any(item.score >= _AT_THE_END and item.lead.line > lines - _END for item in ranked)


def ends_well(tail: bytes) -> bool:
    """Whether the last lines speak of success, and none of them of trouble."""
    last = [text for raw in tail.split(b"\n") if (text := clean.text_of(raw))][-_LAST_LINES:]
    plain = [_NONE_FAILED.sub(b"", text) for text in last]
    return any(_WELL.search(text) and not text.startswith(b"TEST-") for text in last) and not any(_BADLY.search(text) for text in plain)

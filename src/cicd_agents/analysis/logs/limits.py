"""A job that the platform ended without a reason: was it its time limit (pure)."""

from __future__ import annotations

import re
from datetime import datetime

from cicd_agents.analysis.logs.signature import FixTemplate, Signature

# The platform writes the same line for a time limit of the job and for somebody who cancels it
# (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idtimeout-minutes).
ENDED_BY_PLATFORM = ("github.canceled",)
_STAMP = re.compile(rb"(?:\xef\xbb\xbf)?[^\n]{0,400}?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)")
# Limits are whole multiples of this; the runner needs some seconds to stop the job.
_STEP = 5 * 60
_BEFORE, _AFTER = 5, 90

TIME_LIMIT = Signature(
    id="github.job_time_limit", tool="runner", category="timeout", weight=90, match="x",
    title="The job reached its time limit of {limit|some} minutes",
    cause="The job was canceled {ran|some time} after its first line: the time after which `timeout-minutes` (default 360) ends it.",
    docs="https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idtimeout-minutes",
    fixes=(
        FixTemplate(
            "quick", "Find what hung: the last lines before the cancellation",
            "Compare with the duration of earlier successful runs. If nothing hangs, raise (increase) `timeout-minutes` of the job.",
        ),
        FixTemplate(
            "lasting", "Give the slow step its own limit and make it faster",
            "Set `timeout-minutes` on the step or put `timeout 10m` in front of the command; cache dependencies, split the job, use a larger runner.",
        ),
        FixTemplate(
            "prevention", "Let tests and network calls time out themselves",
            "A test runner with a time limit per test prints where it hung; a canceled job does not.",
        ),
    ),
)  # fmt: skip


def time_limit(first: bytes, last: bytes) -> dict[str, str] | None:
    """The limit (minutes) and the duration between the stamps of two raw lines, where the duration looks like a job's time limit."""
    begun, ended = _STAMP.match(first), _STAMP.match(last)
    if not begun or not ended:
        return None
    try:
        seconds = int((datetime.fromisoformat(ended[1].decode()) - datetime.fromisoformat(begun[1].decode())).total_seconds())
    except ValueError:
        return None
    over = (seconds + _BEFORE) % _STEP
    if seconds + _BEFORE < _STEP or over > _BEFORE + _AFTER:
        return None
    return {"limit": str((seconds + _BEFORE) // _STEP * 5), "ran": f"{seconds // 60} min {seconds % 60} s"}

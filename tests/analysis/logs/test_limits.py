"""A cancellation after a round number of minutes is a time limit."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs.diagnosis import diagnose
from cicd_agents.analysis.logs.limits import time_limit


def stamp(hours: int, minutes: int, seconds: int) -> bytes:
    return b"2026-03-14T%02d:%02d:%02d.1234567Z " % (hours, minutes, seconds)


@pytest.mark.parametrize(
    ("last", "limit"),
    [
        (stamp(2, 30, 4), "30"), (stamp(2, 29, 58), "30"), (stamp(8, 0, 20), "360"), (stamp(2, 5, 0), "5"), (stamp(2, 31, 20), "30"),
        (stamp(2, 33, 0), None), (stamp(2, 0, 4), None), (stamp(2, 4, 30), None), (b"no stamp", None), (b"2026-19-44T02:00:00Z", None),
    ],
)  # fmt: skip
def test_the_duration_tells(last: bytes, limit: str | None) -> None:
    found = time_limit(b"\xef\xbb\xbf" + stamp(2, 0, 0) + b"Current runner version", last + b"##[error]The operation was canceled.")
    assert (found and found["limit"]) == limit


def log(end: bytes) -> bytes:
    return b"".join(
        [
            stamp(2, 0, 0) + b"Current runner version: '2.320.0'\n", stamp(2, 0, 3) + b"##[group]Run npm run soak\n", stamp(2, 0, 3) + b"##[endgroup]\n",
            stamp(2, 1, 0) + b"warming up\n", end + b"##[error]The operation was canceled.\n", end + b"Cleaning up orphan processes\n",
        ]
    )  # fmt: skip


def test_the_engine_tells_a_time_limit_from_a_cancellation() -> None:
    limited, canceled = diagnose(log(stamp(2, 20, 6))).failures[0], diagnose(log(stamp(2, 13, 6))).failures[0]
    assert (limited.category, limited.signature, limited.line) == ("timeout", "github.job_time_limit", 5)
    assert "20 minutes" in limited.title
    assert "20 min 6 s" in limited.cause
    assert canceled.signature == "github.canceled"

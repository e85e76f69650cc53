"""When a request is sent again and how long to wait before: rules without any I/O.

Sources: RFC 9110 (Retry-After, safe methods), GitHub's "Rate limits for the REST API" and "Best practices", GitLab's "Rate limits" page.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MAX_TRIES = 4
# Seconds before the second, third … try; each is lengthened by up to a quarter of itself, so that many jobs don't return at once.
BACKOFF = (1.0, 2.0, 4.0)
SECONDARY_LIMIT_WAIT = 60.0
SECONDS_BETWEEN_WRITES = 1.0
# Numbers below are seconds from now, numbers above are seconds since the epoch.
_EPOCH_FROM = 1_000_000_000
_LIMIT_WORDS = re.compile(rb"rate limit|abuse detection", re.IGNORECASE)
_SECONDARY_WORDS = re.compile(rb"secondary rate limit|abuse detection", re.IGNORECASE)
# A service that failed, or a gateway before it: the request may have had its effect.
_FAILED = frozenset({408, 425, 500, 502, 503, 504})

Jitter = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Retry:
    """A request that is about to be sent again: by which service, what was asked, why, after how many seconds, as which try (from 2)."""

    service: str
    asked: str
    reason: str
    wait: float
    attempt: int

    def __str__(self) -> str:
        return f"{self.service}: {self.asked}: {self.reason}; asked again in {self.wait:.0f} s (try {self.attempt})."


@dataclass(frozen=True, slots=True)
class Failed:
    """A try that failed: the answer's status, headers (lower case) and the first bytes of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def no_jitter() -> float:
    """Waits without chance."""
    return 0.0


def is_rate_limit(failed: Failed) -> bool:
    """Whether the service refused because of a limit: 429, or GitHub's 403 with a spent quota or words that say so."""
    if failed.status == 429:
        return True
    if failed.status != 403:
        return False
    return "retry-after" in failed.headers or failed.headers.get("x-ratelimit-remaining") == "0" or bool(_LIMIT_WORDS.search(failed.body))


def may_repeat(failed: Failed, safe: bool) -> bool:
    """Whether the request may be sent again. `safe`: a second time does no harm; else only where the first certainly did nothing."""
    if is_rate_limit(failed) or (failed.status == 503 and "retry-after" in failed.headers):
        return True
    return safe and failed.status in _FAILED


def wait_before(failed: Failed, attempt: int, now: float, jitter: Jitter) -> float:
    """Seconds to wait before try `attempt` (from 2): as the service says, else longer with every try."""
    said = _said(failed, now)
    if said is not None:
        return said
    if is_rate_limit(failed) and _SECONDARY_WORDS.search(failed.body):
        return SECONDARY_LIMIT_WAIT * 2.0 ** (attempt - 2)
    return backoff(attempt, jitter)


def backoff(attempt: int, jitter: Jitter) -> float:
    """Seconds before try `attempt` (from 2) where nobody says how long."""
    return BACKOFF[min(attempt - 2, len(BACKOFF) - 1)] * (1 + jitter() / 4)


def _said(failed: Failed, now: float) -> float | None:
    """What the headers say: Retry-After (seconds or a date), else the reset of a quota that is spent."""
    after = failed.headers.get("retry-after", "").strip()
    if after:
        return _seconds(after, now) if after.isdigit() else _until(after, now)
    if not is_rate_limit(failed):
        return None
    if failed.headers.get("x-ratelimit-remaining") == "0" and "x-ratelimit-reset" in failed.headers:
        return _seconds(failed.headers["x-ratelimit-reset"], now)
    return _seconds(failed.headers.get("ratelimit-reset", ""), now)


def _seconds(text: str, now: float) -> float | None:
    if not re.fullmatch(r"[0-9]{1,12}", text.strip()):
        return None
    number = float(text)
    # A second more: the moment is cut to whole seconds.
    return max(0.0, number - now) + 1 if number >= _EPOCH_FROM else number


def _until(date: str, now: float) -> float | None:
    try:
        return max(0.0, email.utils.parsedate_to_datetime(date).timestamp() - now)
    except (ValueError, OverflowError):
        return None

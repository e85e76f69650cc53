"""Whether a store of metrics can be asked, said beforehand by one request: what it is, and whether its clock is ours. And how old its newest data are."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Protocol

from cicd_agents.clients.http import Http
from cicd_agents.domain.errors import BadAnswer
from cicd_agents.domain.guardian import MetricsAnswer, MetricsStore

# Every scrape writes `up`; of pushed metrics there is none.
_UP = "up"
# With the look-back of five minutes this finds what is not older than a day, to a minute.
_EARLIER = "max(max_over_time(timestamp({selector})[1d:1m]))"
# Seconds: older data come of scrapes that stopped, and clocks further apart shift every window.
_OLD = 180.0
_CLOCKS_APART = 30.0


@dataclass(frozen=True, slots=True)
class Build:
    """What a server says of itself: its name and version, empty where it does not tell, and its time (seconds since the epoch)."""

    version: str = ""
    time: float | None = None


class CheckedStore(MetricsStore, Protocol):
    """A store that tells what it is."""

    def build(self) -> Build:
        """What the server is and what its clock says."""
        ...


@dataclass(frozen=True, slots=True)
class StoreState:
    """What a check found; `notes` are sentences on what a person should know."""

    version: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Newest:
    """The time of the newest sample, None: there is none within a day; with `notes` where that is old."""

    time: float | None
    notes: tuple[str, ...] = ()


def check(store: CheckedStore, now: float) -> StoreState:
    """Ask what the store is. Raises ServiceError where it cannot be asked: better once here than by each of many queries."""
    build = store.build()
    return StoreState(build.version, tuple(_clock_notes(build, now)))


def newest(store: MetricsStore, now: float, selector: str = _UP) -> Newest:
    """Ask for the newest sample of a selector, where nothing else was seen. Raises ServiceError."""
    time, warnings = _newest(store, now, selector)
    notes = [*warnings]
    if time is None:
        notes.append(f"There are no samples of `{selector}` within a day. Does the server scrape anything, and is it the right one?")
    elif now - time > _OLD:
        notes.append(f"The newest sample of `{selector}` is {_age(now - time)} old: newer data may be missing.")
    return Newest(time, tuple(notes))


def build_of(http: Http, root: str) -> Build:
    """The version by `/api/v1/status/buildinfo`, which not all servers have, and the time by the header Date (RFC 9110)."""
    answer = http.get(f"{root}/api/v1/status/buildinfo", missing_ok=True)
    try:
        data = answer.json() if answer.status == 200 else None
    except BadAnswer:
        data = None
    inner = data.get("data") if isinstance(data, dict) else None
    told = inner if isinstance(inner, dict) else {}
    words = [str(told[key])[:60] for key in ("application", "version") if isinstance(told.get(key), str)]
    return Build(" ".join(words), _date(answer.headers.get("date", "")))


def _newest(store: MetricsStore, now: float, selector: str) -> tuple[float | None, tuple[str, ...]]:
    answer = store.query(f"max(timestamp({selector}))", now)
    found = _value(answer)
    if found is None:
        answer = store.query(_EARLIER.format(selector=selector), now)
        found = _value(answer)
    return found, answer.warnings


def _value(answer: MetricsAnswer) -> float | None:
    return answer.series[0].samples[0][1] if answer.series and answer.series[0].samples else None


def _clock_notes(build: Build, now: float) -> list[str]:
    if build.time is None or abs(build.time - now) <= _CLOCKS_APART:
        return []
    return [f"The server's clock and ours are {_age(abs(build.time - now))} apart; windows of time are shifted by that."]


def _age(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 7200 else f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None

"""An HTTP client as the program makes it, but on a clock that does not wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.servers.clock import FakeClock

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import Http, Retry, Service, Timeouts

TOKEN = "t0ken-of-the-service"
AUTH = {"authorization": f"Bearer {TOKEN}"}
# Seconds on the real clock: how long a test waits for a server that never answers.
SHORT = Timeouts(connect=5, read=0.05, write=5)


@dataclass
class Calling:
    """The client, its clock and the retries that it told of."""

    http: Http
    clock: FakeClock
    retries: list[Retry] = field(default_factory=list)


@contextmanager
def calling(
    url: str, *, seconds: float = 300, headers: Mapping[str, str] | None = None, allow_http: Sequence[str] = (),
    timeouts: Timeouts | None = None, clock: FakeClock | None = None,
) -> Iterator[Calling]:  # fmt: skip
    """A client for the service "GitHub" at the address."""
    clock = clock or FakeClock()
    retries: list[Retry] = []
    service = Service("GitHub", url, AUTH if headers is None else headers)
    http = Http(service, clock, Budget(clock, seconds), allow_http=allow_http, note=retries.append, timeouts=timeouts or Timeouts())
    try:
        yield Calling(http, clock, retries)
    finally:
        http.close()

"""Lines of a running service come out of Loki newest first, within bounds, and what is left out is known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.servers.clock import FakeClock
from tests.servers.loki import LokiServer

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.loki_counts import LokiCounts
from cicd_agents.domain.errors import BadAnswer, NotAllowed, Rejected
from cicd_agents.domain.log_counts import LogLines

QUERY = '{app="api"}'
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[LokiServer]:
    with LokiServer() as loki:
        yield loki


def read(
    server: LokiServer, query: str = QUERY, *, start: float = 0, end: float = 1000, page: int = 5000, lines: int = 1000, size: int = 1 << 20, token: str = ""
) -> LogLines:
    clock = FakeClock()
    loki = LokiCounts(server.http.url, token, clock, Budget(clock, 300), page=page)
    try:
        return loki.lines(query, start, end, most_lines=lines, most_bytes=size)
    finally:
        loki.close()


def ship(server: LokiServer, *times: int, **labels: str) -> None:
    server.add({"app": "api", **labels}, *((time * SECOND, f"line {number}") for number, time in enumerate(times)))


def test_lines_have_their_time_and_the_labels_of_their_stream(server: LokiServer) -> None:
    server.streams.clear()
    ship(server, 5, pod="api-1")
    found = read(server)
    assert [(line.time, line.text, dict(line.labels)) for line in found.lines] == [(5.0, "line 0", {"app": "api", "pod": "api-1"})]
    assert found.complete_from == 0.0


@settings(max_examples=40, deadline=None)
@given(times=st.lists(st.integers(1, 15), min_size=1, max_size=40), spare=st.integers(1, 8))
def test_pages_lose_and_double_nothing(server: LokiServer, times: list[int], spare: int) -> None:
    server.streams.clear()
    ship(server, *sorted(times), pod="a")
    found = read(server, page=max(times.count(time) for time in times) + spare)
    assert sorted(line.text for line in found.lines) == sorted(f"line {number}" for number in range(len(times)))
    assert [line.time for line in found.lines] == sorted(times)
    assert found.complete_from == 0.0


@settings(max_examples=40, deadline=None)
@given(times=st.lists(st.integers(1, 30), min_size=1, max_size=40), most=st.integers(1, 50), page=st.integers(2, 9))
def test_from_the_time_that_is_told_every_line_is_there(server: LokiServer, times: list[int], most: int, page: int) -> None:
    server.streams.clear()
    ship(server, *sorted(times), pod="a")
    found = read(server, page=page, lines=most)
    assert len(found.lines) <= most
    # Where one time fills a page the others of that time are beyond reach, and the time is not told as complete.
    whole = [time for time in sorted(times) if time >= found.complete_from and times.count(time) < page]
    assert [line.time for line in found.lines if times.count(int(line.time)) < page] == whole


def test_of_many_lines_the_last_ones_are_kept(server: LokiServer) -> None:
    server.streams.clear()
    ship(server, *range(1, 101))
    assert [line.time for line in read(server, page=7, lines=10).lines] == list(range(91, 101))
    assert [line.time for line in read(server, page=7, size=69).lines] == list(range(92, 101))


def test_only_a_few_pages_are_asked_for_where_the_bound_is_reached(server: LokiServer) -> None:
    server.streams.clear()
    ship(server, *range(1, 501))
    before = len(server.http.requests)
    read(server, page=10, lines=25)
    assert len(server.http.requests) - before == 3


def test_a_line_filter_is_the_stores_work(server: LokiServer) -> None:
    server.streams.clear()
    server.add({"app": "api"}, (SECOND, "all is well"), (2 * SECOND, "panic: boom"))
    assert [line.text for line in read(server, QUERY + " |~ `(?i)PANIC|fatal`").lines] == ["panic: boom"]


def test_wrong_queries_and_tokens_are_said(server: LokiServer) -> None:
    with pytest.raises(Rejected, match="parse error"):
        read(server, "{app=")
    with pytest.raises(BadAnswer, match="not lines"):
        read(server, "count_over_time" + QUERY)
    with LokiServer(token="t0ken-of-loki") as closed, pytest.raises(NotAllowed, match="loki-token"):
        read(closed)

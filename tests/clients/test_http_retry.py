"""When a request is sent again, how long is waited before, and when it is given up."""

from __future__ import annotations

import email.utils
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.calling import calling
from tests.servers.clock import START, FakeClock
from tests.servers.closed_port import closed_port
from tests.servers.http_server import Reply, Request, Server, json_reply

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import Http, Service, Timeouts
from cicd_agents.clients.http_retry import MAX_TRIES, Failed, Retry, backoff, is_rate_limit, may_repeat, no_jitter, wait_before
from cicd_agents.domain.errors import NotAllowed, RateLimited, Unavailable

SECONDARY = b'{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}'
PRIMARY = b'{"message": "API rate limit exceeded for installation ID 1."}'
FORBIDDEN = b'{"message": "Resource not accessible by integration"}'


def fine(_request: Request) -> Reply:
    return json_reply({"fine": True})


def failed(status: int, body: bytes = b"", **headers: str) -> Failed:
    return Failed(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


# The rules


def test_a_try_that_is_made_again_is_told_in_words() -> None:
    assert str(Retry("Prometheus", "a query", "no connection", 2.0, 3)) == "Prometheus: a query: no connection; asked again in 2 s (try 3)."


@pytest.mark.parametrize(
    ("what", "wait"),
    [
        (failed(429, retry_after="7"), 7),
        (failed(503, retry_after="120"), 120),
        (failed(403, SECONDARY, retry_after="30"), 30),
        (failed(429, retry_after=email.utils.formatdate(START + 90, usegmt=True)), 90),
        (failed(429, retry_after=email.utils.formatdate(START - 90, usegmt=True)), 0),
        (failed(403, PRIMARY, x_ratelimit_remaining="0", x_ratelimit_reset=str(int(START) + 600)), 601),
        (failed(429, x_ratelimit_remaining="0", x_ratelimit_reset=str(int(START) - 5)), 1),
        (failed(429, ratelimit_remaining="0", ratelimit_reset=str(int(START) + 40)), 41),
        (failed(429, ratelimit_reset="12"), 12),
        (failed(403, SECONDARY), 60),
        (failed(403, SECONDARY, x_ratelimit_remaining="4999", x_ratelimit_reset=str(int(START) + 600)), 60),
        (failed(429), 1),
        (failed(429, retry_after="soon"), 1),
        (failed(429, retry_after="Thu, 99 Nov 2026 99:00:00 GMT"), 1),
        (failed(502), 1),
        (failed(502, x_ratelimit_remaining="0", x_ratelimit_reset=str(int(START) + 600)), 1),
    ],
)  # fmt: skip
def test_the_wait_is_what_the_service_says(what: Failed, wait: float) -> None:
    assert wait_before(what, 2, START, no_jitter) == pytest.approx(wait)


def test_waits_grow_where_nobody_says_how_long() -> None:
    assert [backoff(attempt, no_jitter) for attempt in (2, 3, 4, 9)] == [1, 2, 4, 4]
    assert [wait_before(failed(403, SECONDARY), attempt, START, no_jitter) for attempt in (2, 3, 4)] == [60, 120, 240]


def test_jitter_lengthens_a_wait_by_a_quarter_at_most() -> None:
    assert backoff(2, lambda: 0.999) == pytest.approx(1.24975)
    assert wait_before(failed(502), 3, START, lambda: 0.4) == pytest.approx(2.2)


LIMIT_HEADERS = st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-reset"])


@given(
    status=st.sampled_from([403, 408, 429, 500, 503]),
    values=st.dictionaries(LIMIT_HEADERS, st.text() | st.from_regex(r"[0-9]{1,30}")),
    body=st.binary(max_size=50),
    attempt=st.integers(2, MAX_TRIES),
)  # fmt: skip
def test_no_header_makes_a_wait_that_is_no_time(status: int, values: dict[str, str], body: bytes, attempt: int) -> None:
    wait = wait_before(Failed(status, values, body), attempt, START, no_jitter)
    assert 0 <= wait < float("inf")


@pytest.mark.parametrize(
    ("what", "limited"),
    [
        (failed(429), True),
        (failed(403, SECONDARY), True),
        (failed(403, PRIMARY), True),
        (failed(403, b"You have triggered an abuse detection mechanism"), True),
        (failed(403, x_ratelimit_remaining="0"), True),
        (failed(403, retry_after="5"), True),
        (failed(403, FORBIDDEN, x_ratelimit_remaining="4999"), False),
        (failed(401, PRIMARY), False),
        (failed(503, retry_after="5"), False),
    ],
)
def test_a_limit_is_told_from_a_missing_permission(what: Failed, limited: bool) -> None:
    assert is_rate_limit(what) is limited


@pytest.mark.parametrize(
    ("what", "read", "write"),
    [
        (failed(429), True, True),
        (failed(403, SECONDARY), True, True),
        (failed(503, retry_after="5"), True, True),
        (failed(503), True, False),
        (failed(500), True, False),
        (failed(502), True, False),
        (failed(504), True, False),
        (failed(408), True, False),
        (failed(403, FORBIDDEN), False, False),
        (failed(401), False, False),
        (failed(404), False, False),
        (failed(422), False, False),
        (failed(501), False, False),
    ],
)
def test_a_write_is_repeated_only_where_nothing_can_have_happened(what: Failed, read: bool, write: bool) -> None:
    assert (may_repeat(what, safe=True), may_repeat(what, safe=False)) == (read, write)


# On the wire

# Long enough for a busy machine to answer the next try; only the tests of silence wait for it.
PATIENT = Timeouts(read=2.0)

BROKEN = {
    "500": Reply(500), "502": Reply(502, b"<html>bad gateway</html>"), "503": Reply(503), "504": Reply(504), "408": Reply(408),
    "reset": Reply(reset=True), "hang": Reply(hang=True), "cut": Reply(200, b'{"fine": true}', cut=5), "cut head": Reply(200, b"{}", cut=0),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN.keys())
def test_a_read_is_sent_again(fault: Reply) -> None:
    with Server(fine) as server, calling(server.url, timeouts=PATIENT if fault.hang else None) as it:
        server.faults[0] = fault
        assert it.http.get_json("/x") == {"fine": True}
        assert it.clock.slept == [1.0]
        assert [(retry.service, retry.asked, retry.wait, retry.attempt) for retry in it.retries] == [("GitHub", "GET /x", 1.0, 2)]


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN.keys())
def test_a_write_is_not_sent_again(fault: Reply) -> None:
    with Server(fine) as server, calling(server.url, timeouts=PATIENT if fault.hang else None) as it:
        server.faults[0] = fault
        with pytest.raises(Unavailable):
            it.http.send("POST", "/x", {})
        assert len(server.requests) == 1
        assert it.retries == []


@pytest.mark.parametrize("fault", [BROKEN["502"], BROKEN["reset"], BROKEN["cut"]])
def test_a_write_that_may_be_repeated_is(fault: Reply) -> None:
    with Server(fine) as server, calling(server.url) as it:
        server.faults[0] = fault
        assert it.http.send("PUT", "/x", {}, repeatable=True).json() == {"fine": True}
        assert [request.body for request in server.requests] == [b"{}", b"{}"]


LIMITS = {
    "429 retry-after": (Reply(429, headers={"retry-after": "7"}), 7),
    "429 nothing said": (Reply(429), 1),
    "429 gitlab": (Reply(429, b"Retry later\n", {"RateLimit-Reset": str(int(START) + 20), "Content-Type": "text/plain"}), 21),
    "403 secondary": (Reply(403, SECONDARY), 60),
    "403 primary": (Reply(403, PRIMARY, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(START) + 100)}), 101),
    "503 retry-after": (Reply(503, headers={"retry-after": "9"}), 9),
}


@pytest.mark.parametrize(("fault", "wait"), LIMITS.values(), ids=LIMITS.keys())
@pytest.mark.parametrize("act", [lambda http: http.get("/x"), lambda http: http.send("POST", "/x", {})], ids=["read", "write"])
def test_a_limit_is_waited_for_and_the_request_sent_again(fault: Reply, wait: float, act: Callable[[Http], object]) -> None:
    with Server(fine) as server, calling(server.url) as it:
        server.faults[0] = fault
        act(it.http)
        assert it.clock.slept[0] == wait
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "fault", [Reply(429, headers={"retry-after": "3600"}), Reply(403, PRIMARY, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(START) + 3599)})]
)
def test_a_limit_beyond_the_budget_is_said_at_once(fault: Reply) -> None:
    with Server(fine) as server, calling(server.url, seconds=300) as it:
        server.faults[0] = fault
        with pytest.raises(RateLimited, match=r"GET /x has to wait 3600 s for the rate limit, and 300 s are left\."):
            it.http.get("/x")
        assert it.clock.slept == []
        assert len(server.requests) == 1


def test_a_limit_that_does_not_end_stays_a_limit() -> None:
    with Server(lambda _: Reply(403, SECONDARY, {"retry-after": "1"})) as server, calling(server.url) as it:
        with pytest.raises(RateLimited, match=r"secondary rate limit.*tried 4 times"):
            it.http.send("POST", "/x", {})
        assert len(server.requests) == MAX_TRIES


def test_a_missing_permission_is_not_tried_again() -> None:
    with Server(lambda _: Reply(403, FORBIDDEN)) as server, calling(server.url) as it:
        with pytest.raises(NotAllowed, match=r"was refused \(403\): Resource not accessible by integration\."):
            it.http.get("/x")
        assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [Reply(502), Reply(reset=True)])
def test_it_is_given_up_after_four_tries(fault: Reply) -> None:
    with Server(lambda _: fault) as server, calling(server.url) as it:
        with pytest.raises(Unavailable, match="It was tried 4 times"):
            it.http.get("/x")
        assert len(server.requests) == MAX_TRIES
        assert it.clock.slept == [1.0, 2.0, 4.0]


def test_no_wait_reaches_beyond_the_budget() -> None:
    with Server(lambda _: Reply(502)) as server, calling(server.url, seconds=2.5) as it:
        with pytest.raises(Unavailable, match="tried 2 times"):
            it.http.get("/x")
        assert it.clock.slept == [1.0]


def test_a_refused_connection_is_tried_again_also_for_writes() -> None:
    with closed_port() as port, calling(f"http://127.0.0.1:{port}") as it:
        with pytest.raises(Unavailable, match=r"no connection: .*refused.*127\.0\.0\.1 reachable"):
            it.http.send("POST", "/x", {})
        assert it.clock.slept == [1.0, 2.0, 4.0]


def test_the_jitter_of_the_caller_is_used() -> None:
    clock = FakeClock()
    with Server(fine) as server:
        server.faults[0] = Reply(500)
        http = Http(Service("GitHub", server.url), clock, Budget(clock, 60), jitter=lambda: 1.0)
        http.get("/x")
        http.close()
    assert clock.slept == [1.25]

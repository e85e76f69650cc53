"""What a broken server, a proxy or another maker's server answers is read, repeated or said; a store is checked before it is trusted."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.calling import SHORT
from tests.servers.clock import START, FakeClock
from tests.servers.http_server import Reply, Request, Server, json_reply
from tests.servers.prometheus import running, shared
from tests.servers.prometheus_data import gauge, openmetrics

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import TIMEOUTS, Timeouts
from cicd_agents.clients.metrics.prometheus import PrometheusStore
from cicd_agents.clients.metrics.prometheus_access import Access
from cicd_agents.clients.metrics.prometheus_answers import MAX_SAMPLES, answer_of, joined
from cicd_agents.clients.metrics.prometheus_check import check, newest
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, RateLimited, Refused, Rejected, ServiceError, Unavailable
from cicd_agents.domain.guardian import MetricsAnswer, Sampled

TOKEN = "t0ken-of-prometheus"
ONE = {"metric": {"pod": "a"}, "value": [START, "1"]}
Json = Mapping[str, Any]


def success(result: Any, kind: str = "vector", **more: Any) -> Json:
    return {"status": "success", "data": {"resultType": kind, "result": result}, **more}


def failure(status: int, kind: str, words: str) -> Reply:
    return json_reply({"status": "error", "errorType": kind, "error": words}, status)


def answering(_: Request) -> Reply:
    return json_reply(success([ONE]))


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(answering) as made:
        yield made
        assert made.problems == []


@contextmanager
def store(server: Server, *, access: Access | None = None, timeouts: Timeouts = TIMEOUTS, clock: FakeClock | None = None) -> Iterator[PrometheusStore]:
    clock = clock or FakeClock()
    made = PrometheusStore(server.url, clock, Budget(clock, 300), access=access or Access(token=TOKEN), timeouts=timeouts)
    try:
        yield made
    finally:
        made.close()


def asked(server: Server, *, timeouts: Timeouts = TIMEOUTS, clock: FakeClock | None = None) -> MetricsAnswer:
    with store(server, timeouts=timeouts, clock=clock) as made:
        return made.query("up", START)


LONG = "up or " * 1000 + "up"


@pytest.mark.parametrize("query", ["up", LONG])
@pytest.mark.parametrize("fault", [Reply(500), Reply(502), Reply(503), Reply(504), Reply(reset=True), Reply(200, b"{}", cut=1), Reply(429)])
def test_a_passing_fault_is_asked_again_also_where_the_query_is_a_form(server: Server, fault: Reply, query: str) -> None:
    server.faults[0] = fault
    with store(server) as made:
        assert len(made.query(query, START).series) == 1
    assert [request.method for request in server.requests] == ["POST" if query == LONG else "GET"] * 2


def test_forms_are_not_kept_apart_as_writes_are(server: Server) -> None:
    clock = FakeClock()
    with store(server, clock=clock) as made:
        for _ in range(3):
            made.query(LONG, START)
    assert clock.slept == []


def test_what_is_sent(server: Server) -> None:
    access = Access(token=TOKEN, tenant="team-a", more={"X-Gateway": "k3y-of-the-gateway"})
    with store(server, access=access) as made:
        made.query("up", START + 0.5)
        made.query(LONG, START)
        made.query_range("up", START, START + 60, 15)
    instant, long, window = server.requests
    assert (instant.path, dict(instant.query)) == ("/api/v1/query", {"query": "up", "time": "1750000000.500", "timeout": "24s"})
    assert {name: instant.headers[name] for name in ("authorization", "x-scope-orgid", "x-gateway")} == {
        "authorization": f"Bearer {TOKEN}", "x-scope-orgid": "team-a", "x-gateway": "k3y-of-the-gateway",
    }  # fmt: skip
    assert (long.headers["content-type"], parse_qs(long.body.decode())["query"]) == ("application/x-www-form-urlencoded", [LONG])
    assert dict(window.query) == {"query": "up", "start": "1750000000.000", "end": "1750000060.000", "step": "15.000", "timeout": "24s"}


def test_a_server_that_asks_to_wait_is_waited_for(server: Server) -> None:
    server.faults[0] = Reply(503, headers={"retry-after": "7"})
    clock = FakeClock()
    assert len(asked(server, clock=clock).series) == 1
    assert clock.slept == [7]


def test_a_limit_beyond_the_time_that_is_left_is_said(server: Server) -> None:
    server.faults[0] = Reply(429, headers={"retry-after": "4000"})
    with pytest.raises(RateLimited, match="Prometheus: a query has to wait 4000 s"):
        asked(server)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (503, "timeout", "query timed out in expression evaluation"),
        (503, "canceled", "query timed out in expression evaluation"),
        (422, "execution", "expanding series: context deadline exceeded"),  # what a busy Prometheus 2.42 says
        (422, "execution", "expanding series: context canceled"),
    ],
)
def test_a_query_that_ran_out_of_time_at_the_server_is_asked_once(server: Server, status: int, kind: str, words: str) -> None:
    server.handler = lambda _: failure(status, kind, words)
    with pytest.raises(Unavailable, match=rf"took the server too long \({words}\)"):
        asked(server)
    assert len(server.requests) == 1


def test_a_server_that_never_answers_is_given_up(server: Server) -> None:
    server.handler = lambda _: Reply(hang=True)
    with pytest.raises(Unavailable, match="no answer in time"):
        asked(server, timeouts=SHORT)


REFUSALS = [
    (Reply(401, b"Unauthorized\n", {"content-type": "text/plain; charset=utf-8"}), NotAllowed, r"\(401\): Unauthorized\. Check `prometheus-token`"),
    (Reply(401, b"no org id\n", {"content-type": "text/plain"}), NotAllowed, "no org id.*`prometheus-tenant`"),
    (Reply(403, b"<html>forbidden</html>", {"content-type": "text/html"}), NotAllowed, r"refused \(403\)\. Check `prometheus-token`"),
    (Reply(404, b"404 page not found\n", {"content-type": "text/plain"}), NotFound, "Check `prometheus-url`"),
    (Reply(200, b"<!doctype html><title>Sign in</title>", {"content-type": "text/html"}), BadAnswer, "a web page.*Check `prometheus-url`"),
    (Reply(302, headers={"location": "/login"}), BadAnswer, "redirected more than 5 times.*Check `prometheus-url`"),
    (Reply(200, b"{"), BadAnswer, "not JSON.*Check `prometheus-url`"),
    (Reply(200, b"[]"), BadAnswer, "should be an object"),
    (Reply(400, b"<center>The plain HTTP request was sent to HTTPS port</center>"), Rejected, "Begin `prometheus-url` with https://"),
    (failure(400, "bad_data", f"parse error near {TOKEN}"), Rejected, r"parse error near \*\*\*\. The query: up$"),
    (failure(422, "execution", "the query hit the max number of series limit"), Rejected, "max number of series limit"),
    (failure(200, "execution", "odd server"), Rejected, "the query failed: odd server"),
    (Reply(405), Rejected, r"\(405\)"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "error", "words"), REFUSALS)
def test_a_refusal_says_which_setting_to_mend_and_no_secret(server: Server, reply: Reply, error: type[ServiceError], words: str) -> None:
    server.handler = lambda _: reply
    with pytest.raises(error, match=words) as caught:
        asked(server)
    assert TOKEN not in str(caught.value)


def test_a_redirect_to_another_origin_gets_no_credential_and_is_said(server: Server) -> None:
    with Server(lambda _: Reply(401)) as final:
        server.handler = lambda _: Reply(302, headers={"location": f"{final.url}/api/v1/query"})
        with pytest.raises(Unavailable, match=r"to which it was redirected.*Set `prometheus-url` to the address that it leads to"):
            asked(server)
        assert all("authorization" not in request.headers for request in final.requests)


def test_a_line_of_a_query_cannot_be_forged_by_it(server: Server) -> None:
    server.handler = lambda _: failure(400, "bad_data", "parse error")
    with store(server) as made, pytest.raises(Rejected) as caught:
        made.query("up\n\x1b[2K::error::forged", START)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_an_answer_that_unpacks_without_end_is_dropped(server: Server) -> None:
    server.handler = lambda _: Reply(200, gzip.compress(bytes(65 << 20), 1), {"content-encoding": "gzip"})
    with pytest.raises(Refused, match="more than may be read"):
        asked(server)


def test_more_than_a_million_samples_are_dropped_also_over_several_parts() -> None:
    values = [[START, "1"]] * (MAX_SAMPLES + 1)
    with pytest.raises(Refused, match="more than 1,000,000 samples"):
        answer_of(success([{"metric": {}, "values": values}], "matrix"), "Prometheus", "up")
    half = MetricsAnswer("up", (Sampled({}, ((START, 1.0),) * (MAX_SAMPLES // 2 + 1)),))
    with pytest.raises(Refused, match="more than 1,000,000 samples"):
        joined("up", [half, half], "Prometheus")


def test_warnings_and_infos_are_kept_and_cannot_flood() -> None:
    answer = answer_of(success([ONE], warnings=["store \x1b[31mdown\nat 10.0.0.7", 7], infos=["metric might not be a counter"] * 50), "Prometheus", "up")
    assert (answer.warnings, answer.infos) == (("store down at 10.0.0.7",), ("metric might not be a counter",) * 20)


def test_a_part_of_the_storage_that_did_not_answer_is_a_warning() -> None:
    assert "data is not whole" in answer_of(success([ONE], isPartial=True), "Prometheus", "up").warnings[0]
    assert answer_of(success([ONE], isPartial=False), "Prometheus", "up").warnings == ()


def test_native_histograms_are_a_warning_and_the_numbers_beside_them_are_kept() -> None:
    native = {"count": "3", "sum": "1.5", "buckets": [[0, "0.1", "0.2", "3"]]}
    only, both = {"metric": {"pod": "a"}, "histograms": [[START, native]]}, {"metric": {"pod": "b"}, "values": [[START, "1"]], "histograms": [[START, native]]}
    answer = answer_of(success([only, both], "matrix"), "Prometheus", "latency[5m]")
    assert [dict(one.labels) for one in answer.series] == [{"pod": "b"}]
    assert answer.warnings[0].startswith("2 of the series hold native histograms")
    assert answer_of(success([{"metric": {}, "histogram": [START, native]}]), "Prometheus", "latency").series == ()


def test_the_parts_of_a_window_keep_their_warnings_once(server: Server) -> None:
    server.handler = lambda request: json_reply(success([{"metric": {"pod": "a"}, "values": [[float(request.query["start"]), "1"]]}], "matrix", warnings=["w"]))
    with store(server) as made:
        answer = made.query_range("up", START, START + 22_000, 1)
    assert answer.series[0].samples == ((START, 1.0), (START + 11_000, 1.0), (START + 22_000, 1.0))
    assert answer.warnings == ("w",)


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ({}, "vector"), ([1], "vector"), ([{"metric": {}, "value": None}], "vector"), ([{"metric": {}}], "matrix"),
        ([{"metric": [], "value": [1, "1"]}], "vector"),
        ([{"metric": {"a": 1}, "value": [1, "1"]}], "vector"), ([{"metric": {}, "value": [1, "x"]}], "vector"), ([{"metric": {}, "value": [1]}], "vector"),
        ([{"metric": {}, "value": ["NaN", "1"]}], "vector"), ([{"metric": {}, "value": [10**400, "1"]}], "vector"), ([], "streams"), (None, "scalar"),
        ([{"metric": {}, "values": 5}], "matrix"), ([{"metric": {}, "values": [5]}], "matrix"),
    ],
)  # fmt: skip
def test_another_shape_is_said(result: Any, kind: str) -> None:
    with pytest.raises(BadAnswer, match=r"^Prometheus: "):
        answer_of(success(result, kind), "Prometheus", "up")


VALUES: list[Any] = [None, True, 0, 1.5, float("nan"), float("inf"), 10**400, "", "NaN", "-Inf", "x", [], {}, [[]], [[1, "1"]], [1, "1"], {"a": "b"}, {"a": 1}]
JUNK = st.sampled_from(VALUES)
SERIES = st.dictionaries(st.sampled_from(["metric", "value", "values", "histogram", "histograms"]), JUNK)
RESULT = JUNK | st.lists(SERIES | JUNK, max_size=3)
DATA = JUNK | st.fixed_dictionaries({"resultType": st.sampled_from(["vector", "matrix", "scalar", "string"]) | JUNK, "result": RESULT})
NEAR = JUNK | st.fixed_dictionaries({"status": st.sampled_from(["success", "error"]) | JUNK, "data": DATA, "warnings": JUNK, "error": JUNK})


@given(data=NEAR)
def test_no_answer_is_a_crash(data: Any) -> None:
    with suppress(ServiceError):
        assert answer_of(data, "Prometheus", "up").query == "up"


# The check beforehand

UP = openmetrics(gauge("up", ({"job": "api"}, [(START - 7200 + 15 * place, 1) for place in range(100)])))
LAST = START - 7200 + 15 * 99


@pytest.mark.parametrize(
    ("now", "time_of_it", "note"),
    [
        (LAST + 60, LAST, ""),
        (LAST + 240, LAST, "The newest sample of `up` is 4 min old"),
        (LAST + 5 * 3600, LAST, "is 5.0 h old"),
        (LAST + 48 * 3600, None, "There are no samples of `up` within a day"),
    ],
)
def test_the_newest_data_say_how_old_they_are(request: pytest.FixtureRequest, now: float, time_of_it: float | None, note: str) -> None:
    prometheus, clock = shared(request.config, UP), FakeClock(now)
    made = PrometheusStore(prometheus.url, clock, Budget(clock, 300))
    state, found = check(made, now), newest(made, now)
    made.close()
    assert state.version.startswith("2.") or state.version.startswith("3.")
    assert found.time == (None if time_of_it is None else pytest.approx(time_of_it, abs=60))
    assert len(found.notes) == bool(note)
    assert note in "".join(found.notes)


def test_of_an_empty_server_it_is_said_that_there_is_nothing() -> None:
    clock = FakeClock()
    with running() as prometheus:
        made = PrometheusStore(prometheus.url, clock, Budget(clock, 300))
        assert any("right one?" in note for note in newest(made, START).notes)
        made.close()


@pytest.mark.parametrize(("apart", "notes"), [(0, 0), (90, 1), (-7200, 1)])
def test_a_check_says_when_the_clocks_are_apart(server: Server, apart: float, notes: int) -> None:
    now = time.time() + apart  # the stand-in tells the machine's time

    def answer(request: Request) -> Reply:
        if request.path == "/api/v1/status/buildinfo":
            return json_reply({"status": "success", "data": {"application": "Grafana Mimir", "version": "2.14.0"}})
        return json_reply(success([{"metric": {}, "value": [now, str(now - 5)]}]))

    server.handler = answer
    with store(server) as made:
        state = check(made, now)
    assert len(server.requests) == 1
    assert (state.version, len(state.notes)) == ("Grafana Mimir 2.14.0", notes)
    assert all("clock and ours" in note for note in state.notes)


@pytest.mark.parametrize("reply", [Reply(404), Reply(200, b"<html>"), Reply(200, b'{"data": 5}'), Reply(200, b'{"data": {"version": 5}}')])
def test_a_server_that_does_not_tell_its_version_can_be_checked(server: Server, reply: Reply) -> None:
    server.faults[0] = reply
    with store(server) as made:
        assert check(made, START).version == ""


def test_a_check_of_a_server_that_refuses_fails(server: Server) -> None:
    server.handler = lambda _: Reply(401)
    with store(server) as made, pytest.raises(NotAllowed, match="the check of the server was refused"):
        check(made, START)

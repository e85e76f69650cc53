"""A job's log comes out of Loki whole, in order and within bounds; values cannot change the query."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.servers.clock import FakeClock
from tests.servers.http_server import json_reply
from tests.servers.loki import LokiServer

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.loki import LokiLogs, fill
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Rejected, UsageError

QUERY = '{job="build"}'
SECOND = 1_000_000_000


@pytest.fixture
def server() -> Iterator[LokiServer]:
    with LokiServer() as loki:
        yield loki
        assert loki.http.problems == []


@pytest.fixture(scope="module")
def shared() -> Iterator[LokiServer]:
    """For many examples of one test."""
    with LokiServer() as loki:
        yield loki


def read(
    server: LokiServer, query: str = QUERY, *, start: float = 0, end: float = 100, most: int = 1 << 20, page: int = 5000, token: str = "", org: str = ""
) -> tuple[str, tuple[str, ...]]:
    clock = FakeClock()
    loki = LokiLogs(server.http.url, token, clock, Budget(clock, 300), org_id=org, page=page)
    try:
        with loki.open(query, start, end, most) as log:
            return log.stream.read().decode(), log.notes
    finally:
        loki.close()


def test_streams_are_merged_by_time(server: LokiServer) -> None:
    server.add({"job": "build", "stream": "stdout"}, (1 * SECOND, "compile"), (3 * SECOND, "link"))
    server.add({"job": "build", "stream": "stderr"}, (2 * SECOND, "warning"), (4 * SECOND, "error"))
    server.add({"job": "other"}, (2 * SECOND, "of another job"))
    assert read(server) == ("compile\nwarning\nlink\nerror\n", ())


def test_the_end_of_the_range_is_not_part_of_it(server: LokiServer) -> None:
    server.add({"job": "build"}, (9 * SECOND, "before"), (10 * SECOND, "first"), (19 * SECOND, "last"), (20 * SECOND, "after"))
    assert read(server, start=10, end=20)[0] == "first\nlast\n"


@settings(max_examples=50)
@given(times=st.lists(st.integers(1, 12), min_size=1, max_size=40), spare=st.integers(1, 8))
def test_pages_lose_and_double_nothing(shared: LokiServer, times: list[int], spare: int) -> None:
    lines = [(time, f"line {number}") for number, time in enumerate(sorted(times))]
    shared.streams.clear()
    shared.add({"job": "build"}, *lines[::2])
    shared.add({"job": "build", "stream": "stderr"}, *lines[1::2])
    text, notes = read(shared, page=max(times.count(time) for time in times) + spare)
    assert sorted(text.splitlines()) == sorted(line for _, line in lines)
    assert notes == ()


def test_equal_lines_at_different_times_are_all_there(server: LokiServer) -> None:
    server.add({"job": "build"}, *[(time, "again") for time in range(1, 8)])
    assert read(server, page=3)[0] == "again\n" * 7


def test_more_lines_at_one_time_than_a_page_holds_are_noted_and_do_not_stop_the_log(server: LokiServer) -> None:
    server.add({"job": "build"}, *[(5, f"line {number}") for number in range(6)], (9, "end"))
    text, notes = read(server, page=4)
    assert text.endswith("end\n")
    assert "some of them may be missing" in notes[0]


def test_of_a_long_log_the_end_is_kept_and_said(server: LokiServer) -> None:
    server.add({"job": "build"}, *[(number, f"{number:07}") for number in range(1, 101)])
    text, notes = read(server, most=80)
    assert text.splitlines() == [f"{number:07}" for number in range(91, 101)]
    assert "Only the last" in notes[0]


def test_a_log_without_end_is_cut_at_a_number_of_pages(server: LokiServer) -> None:
    server.add({"job": "build"}, *[(number, "line") for number in range(1, 30)])
    clock = FakeClock()
    loki = LokiLogs(server.http.url, "", clock, Budget(clock, 300), page=5, most_pages=3)
    with loki.open(QUERY, 0, 1, 1000) as log:
        assert log.stream.read() == b"line\n" * 13
        assert log.notes == ("Only the first 3 pages of 5 lines of the log were read.",)
    loki.close()


def test_no_lines_say_what_to_check(server: LokiServer) -> None:
    with pytest.raises(NotFound, match=r'\{job="build"\}.*loki-query'):
        read(server)


def test_a_missing_token_and_tenant_are_named() -> None:
    with LokiServer(token="t0ken-of-loki", tenant="team") as server:
        server.add({"job": "build"}, (1, "line"))
        with pytest.raises(NotAllowed, match="loki-token"):
            read(server)
        with pytest.raises(NotAllowed, match="tenant"):
            read(server, token="t0ken-of-loki")
        assert read(server, token="t0ken-of-loki", org="team")[0] == "line\n"


def test_a_query_with_a_mistake_is_said_in_the_words_of_the_server(server: LokiServer) -> None:
    with pytest.raises(Rejected, match="parse error at line 1"):
        read(server, "{job=")


def test_a_wrong_address_is_said(server: LokiServer) -> None:
    clock = FakeClock()
    loki = LokiLogs(f"{server.http.url}/grafana", "", clock, Budget(clock, 300))
    with pytest.raises(NotFound, match="loki-url"), loki.open(QUERY, 0, 1, 10):
        pass
    loki.close()


def test_a_server_that_ignores_the_range_is_not_read_twice(server: LokiServer) -> None:
    lines = [[str(number), f"line {number}"] for number in range(1, 5)]
    for call in range(10):
        server.http.faults[call] = json_reply({"data": {"resultType": "streams", "result": [{"stream": {}, "values": lines}]}})
    assert read(server, page=4)[0] == "line 1\nline 2\nline 3\nline 4\n"
    assert len(server.http.requests) == 2


def test_a_query_that_counts_is_refused(server: LokiServer) -> None:
    with pytest.raises(BadAnswer, match="not lines"):
        read(server, 'count_over_time({job="build"}[5m])')


@pytest.mark.parametrize(
    "result",
    [
        None,
        [{"stream": {}, "values": None}],
        [{"stream": {}, "values": [["x", "line"]]}],
        [{"stream": {}, "values": [["1"]]}],
        [{"stream": {}, "values": [["1", None]]}],
        [{"stream": {}, "values": ["line"]}],
        ["line"],
    ],
)
def test_wrong_shapes_are_said(server: LokiServer, result: object) -> None:
    server.http.faults[0] = json_reply({"data": {"resultType": "streams", "result": result}})
    with pytest.raises(BadAnswer, match="Loki"):
        read(server)


def test_structured_metadata_after_the_line_is_ignored(server: LokiServer) -> None:
    server.http.faults[0] = json_reply({"data": {"resultType": "streams", "result": [{"stream": {}, "values": [["1", "line", {"trace": "x"}]]}]}})
    assert read(server)[0] == "line\n"


VALUES = {"job": "build", "job_id": "17", "run_id": "4", "repository": "octo/app"}


def test_placeholders_are_filled_in_and_other_braces_stay() -> None:
    assert fill('{ci="{repository}", id=~"x|{job_id}"} | line_format "{{.msg}}"', VALUES) == '{ci="octo/app", id=~"x|17"} | line_format "{{.msg}}"'


@given(value=st.text(min_size=1))
def test_a_value_stays_inside_its_string(value: str) -> None:
    filled = fill('{job="{job}"}', {"job": value})
    string = re.fullmatch(r'\{job=("(?:[^"\\\n]|\\.)*")\}', filled, re.DOTALL)
    assert string
    assert json.loads(string[1], strict=False) == value


@given(value=st.text(st.characters(codec="utf-8", exclude_characters="\n\r\t"), min_size=1))
def test_a_value_in_a_regular_expression_matches_only_itself(value: str) -> None:
    filled = fill('{job=~"{job}"}', {"job": value})
    pattern = json.loads(filled.removeprefix("{job=~").removesuffix("}"), strict=False)
    assert re.fullmatch(pattern, value)
    assert not re.fullmatch(pattern, value + "x")


@pytest.mark.parametrize("template", ["{job={job}}", "{job=`{job}`}", '{job="a"} |= {run_id}'])
def test_a_placeholder_outside_double_quotes_is_refused(template: str) -> None:
    with pytest.raises(UsageError, match="double quotes"):
        fill(template, VALUES)


def test_a_placeholder_without_a_value_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\{job_id\} is not known here"):
        fill('{id="{job_id}"}', {"job": "build", "job_id": ""})


def test_a_hostile_job_name_finds_only_its_own_log(server: LokiServer) -> None:
    name = 'x"} or {job="other\\'
    server.add({"job": name}, (1, "own"))
    server.add({"job": "other"}, (2, "other"))
    assert read(server, fill('{job="{job}"}', {"job": name}))[0] == "own\n"

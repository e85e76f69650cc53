"""Packs are found by their names, one for both versions, and their queries are raw counters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cicd_agents.analysis.canary.packs import TRAFFIC, choose, probe, probe_past
from cicd_agents.analysis.canary.packs.choice import Found, found_in, source_name
from cicd_agents.analysis.canary.packs.resources import CONNECTIONS, SOURCES
from cicd_agents.domain.guardian import MetricsAnswer, Sampled


def has(*names: str) -> Found:
    return Found(dict.fromkeys(names, 1))


def test_names_of_packs_are_different_and_every_pack_says_where_its_names_come_from() -> None:
    assert len({pack.name for pack in TRAFFIC}) == len(TRAFFIC)
    assert all(pack.source and pack.requests and (pack.status or pack.grpc) for pack in TRAFFIC)


def test_every_name_is_a_metrics_name() -> None:
    names = [name for pack in TRAFFIC for name in pack.names] + [name for source in SOURCES for name in source.names]
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)


def test_the_probe_asks_for_all_names_in_one_query() -> None:
    query = probe('app="x"')
    assert query.startswith('count by (__name__, reporter, direction) ({app="x",__name__=~"istio_requests_total|')
    assert "http_server_requests_seconds_count|" in query
    assert "last_over_time({" in probe_past("", 60)
    assert query.count("{") == query.count("}") == 1


def test_a_pack_with_buckets_on_both_sides_goes_before_one_without() -> None:
    seen = has("response_total", "http_requests_total", "http_request_duration_seconds_bucket")
    choice = choose(seen, seen)
    assert choice.pack is not None
    assert choice.pack.name == "http"


def test_a_pack_of_both_sides_goes_before_a_better_one_of_one_side() -> None:
    choice = choose(has("istio_requests_total", "http_requests_total"), has("http_requests_total"))
    assert (choice.pack.name if choice.pack else "", choice.missing) == ("http", ())
    assert "without latency buckets" in choice.reason


def test_two_packs_are_never_mixed() -> None:
    choice = choose(has("istio_requests_total"), has("http_requests_total"))
    assert choice.pack is not None
    assert len(choice.missing) == 1
    assert "only one side" in choice.reason


def test_auto_is_no_packs_name() -> None:
    seen = has("http_requests_total")
    assert choose(seen, seen, "auto").pack == choose(seen, seen).pack


def test_an_explicit_pack_that_nobody_has_is_not_replaced() -> None:
    choice = choose(has("http_requests_total"), has("http_requests_total"), "linkerd")
    assert choice.pack is None
    assert "response_total" in choice.reason


def test_of_alternative_counters_the_one_of_both_sides_is_used() -> None:
    choice = choose(has("http_requests_total", "http_requests_received_total"), has("http_requests_received_total"))
    assert choice.requests == "http_requests_received_total"


@pytest.mark.parametrize(
    ("canary", "baseline", "used"),
    [
        (("destination", "source"), ("destination", "source"), "destination"),
        (("source",), ("destination", "source"), "source"),
        (("waypoint",), (), "waypoint"),
    ],
)
def test_a_connection_is_counted_at_one_end(canary: tuple[str, ...], baseline: tuple[str, ...], used: str) -> None:
    name = "istio_requests_total"
    mine, other = (Found({name: 2}, {(name, "reporter", value): 1 for value in values}) for values in (canary, baseline))
    assert choose(mine, other).matchers == f'reporter="{used}"'


def test_a_probes_answer_is_counted_by_name_and_vantage() -> None:
    series = tuple(
        Sampled({"__name__": "istio_requests_total", **({"reporter": end} if end else {})}, ((0.0, number),))
        for end, number in (("source", 3.0), ("destination", 4.0), ("", float("nan")))
    )
    found = found_in(MetricsAnswer("", series))
    assert found.series == {"istio_requests_total": 7}
    assert found.vantages["istio_requests_total", "reporter", "source"] == 3


def test_both_sides_are_told_by_the_same_name() -> None:
    assert (
        source_name(CONNECTIONS, (has("hikaricp_connections_active", "go_sql_in_use_connections"), has("go_sql_in_use_connections")))
        == "go_sql_in_use_connections"
    )
    assert source_name(CONNECTIONS, (has(), has())) == ""


def test_the_docs_name_every_pack_and_its_counters() -> None:
    text = (Path(__file__).parents[3] / "docs/query-packs.md").read_text()
    assert [pack.name for pack in TRAFFIC if f"| `{pack.name}` |" not in text] == []
    names = [name for pack in TRAFFIC for name in (pack.requests[0], *(family.name for family in pack.durations))]
    assert [name for name in names if name not in text] == []
    assert [name for name in CONNECTIONS.names if name not in text] == []

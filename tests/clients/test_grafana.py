"""Grafana is a way to a Prometheus, with rights of its own, and keeps marks of verdicts; each mark is written once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.servers.clock import START, FakeClock
from tests.servers.grafana import ADMIN, EDITOR, TOKEN, VIEWER, GrafanaServer
from tests.servers.http_server import Reply
from tests.servers.prometheus import running, shared
from tests.servers.prometheus_certificates import certificates
from tests.servers.prometheus_data import counter, openmetrics
from tests.servers.secure import secured

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import Tls
from cicd_agents.clients.metrics.grafana import GrafanaStore
from cicd_agents.clients.metrics.grafana_dashboards import GrafanaDashboards
from cicd_agents.clients.metrics.prometheus_check import check, newest
from cicd_agents.domain.dashboards import Mark
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Rejected, Unavailable

DATA = openmetrics(counter("http_requests_total", *(({"pod": f"api-{n}"}, [(START - 60 + 15 * m, float(m)) for m in range(5)]) for n in range(4))))
MARK = Mark("NO-GO: error rate spike", ("cicd-agents", "shop", "no-go"), START - 300, START)


@pytest.fixture
def grafana() -> Iterator[GrafanaServer]:
    server = GrafanaServer()
    with server:
        yield server
        assert server.problems == []


@pytest.fixture
def backed(grafana: GrafanaServer, request: pytest.FixtureRequest) -> GrafanaServer:
    """With one real Prometheus among other data sources."""
    grafana.upstream = shared(request.config, DATA).url
    grafana.add_source("loki-uid", "Logs", "loki")
    grafana.add_source("PBFA97CFB590B2093", "Metrics of production")
    return grafana


@contextmanager
def store(server: GrafanaServer, source: str = "", token: str = TOKEN) -> Iterator[GrafanaStore]:
    clock = FakeClock()
    made = GrafanaStore(server.url, token, clock, Budget(clock, 300), source=source)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def dashboards(server: GrafanaServer) -> Iterator[GrafanaDashboards]:
    clock = FakeClock()
    made = GrafanaDashboards(server.url, TOKEN, clock, Budget(clock, 300))
    try:
        yield made
    finally:
        made.close()


def test_the_only_prometheus_is_found_and_asked_as_a_prometheus_is(backed: GrafanaServer) -> None:
    with store(backed) as made:
        assert len(made.query("http_requests_total[5m]", START).series) == 4
        assert made.query_range("sum(http_requests_total)", START - 60, START, 15).series[0].samples[-1] == (START, 16.0)
        assert made.source().name == "Metrics of production"
    paths = [request.path for request in backed.requests]
    assert paths == ["/api/datasources", *(f"/api/datasources/proxy/uid/PBFA97CFB590B2093/api/v1/{which}" for which in ("query", "query_range"))]


def test_a_long_query_goes_through_the_proxy_as_a_form(backed: GrafanaServer) -> None:
    pods = "|".join(f"api-{number}" for number in range(1000))
    with store(backed) as made:
        assert len(made.query(f'http_requests_total{{pod=~"{pods}"}}', START).series) == 4
    assert backed.requests[-1].method == "POST"


@pytest.mark.parametrize("source", ["PBFA97CFB590B2093", "Metrics of production"])
def test_a_source_is_named_by_its_uid_or_its_name(backed: GrafanaServer, source: str) -> None:
    backed.add_source("another", "Another")
    with store(backed, source) as made:
        assert len(made.query("http_requests_total", START).series) == 4


@pytest.mark.parametrize(
    ("sources", "wanted", "words"),
    [
        ([], "", "there is no Prometheus among the data sources. There are none that this token may see. Name one in `grafana-datasource`"),
        ([("l", "Logs", "loki")], "", "no Prometheus among the data sources. There are: Logs."),
        ([("a", "One", "prometheus"), ("b", "Two", "prometheus")], "", "more than one Prometheus among the data sources. There are: One, Two."),
        ([("a", "One", "prometheus")], "Two", "there is no data source `Two`. There are: One. Check `grafana-datasource`"),
        ([("l", "Logs", "loki")], "Logs", "`Logs` is of the type loki, not a Prometheus"),
    ],
)
def test_a_source_that_cannot_be_told_is_said(grafana: GrafanaServer, sources: list[tuple[str, str, str]], wanted: str, words: str) -> None:
    for source in sources:
        grafana.add_source(*source)
    with store(grafana, wanted) as made, pytest.raises(NotFound) as caught:
        made.query("up", START)
    assert words in str(caught.value)


def test_a_viewer_names_the_uid_since_it_may_not_list(backed: GrafanaServer) -> None:
    backed.rights = VIEWER
    with store(backed, "PBFA97CFB590B2093") as made:
        assert len(made.query("http_requests_total", START).series) == 4
    with store(backed) as made, pytest.raises(NotAllowed, match=r"`datasources:read`, or name the uid.* `grafana-datasource`"):
        made.query("http_requests_total", START)
    with store(backed, "Metrics of production") as made, pytest.raises(NotFound, match=r"Unable to find datasource\. Check `grafana-datasource`"):
        made.query("http_requests_total", START)


def test_a_wrong_token_is_said_and_not_shown(backed: GrafanaServer) -> None:
    for source in ("", "PBFA97CFB590B2093"):
        with store(backed, source, "glsa_wr0ng-token") as made, pytest.raises(NotAllowed, match=r"Invalid API key\. Check `grafana-token`") as caught:
            made.query("up", START)
        assert "wr0ng" not in str(caught.value)


def test_a_token_without_the_right_to_ask_is_said(backed: GrafanaServer) -> None:
    backed.rights = frozenset({"datasources:read"})
    with store(backed) as made, pytest.raises(NotAllowed, match="Give the service account the right `datasources:query`"):
        made.query("up", START)


def test_the_errors_of_the_prometheus_behind_come_through(backed: GrafanaServer) -> None:
    with store(backed) as made, pytest.raises(Rejected, match=r"^Grafana: a query to the data source was rejected \(400\): .*parse error.*The query: up\{$"):
        made.query("up{", START)


def test_a_data_source_with_a_wrong_password_is_to_be_mended_in_grafana(backed: GrafanaServer) -> None:
    with running(DATA, basic_auth=True) as locked, store(backed) as made:
        backed.upstream = locked.url
        with pytest.raises(NotAllowed, match="the data source in Grafana holds a credential that its server does not accept"):
            made.query("up", START)


def test_a_data_source_that_is_not_reachable_is_said(backed: GrafanaServer) -> None:
    backed.upstream = "http://127.0.0.1:1"
    with store(backed) as made, pytest.raises(Unavailable, match=r"a query to the data source failed \(502\)"):
        made.query("up", START)


def test_a_wrong_address_is_said(grafana: GrafanaServer) -> None:
    grafana.handler = lambda _: Reply(404, b"404 page not found", {"content-type": "text/plain"})
    with store(grafana) as made, pytest.raises(NotFound, match=r"the list of data sources found nothing.*Check `grafana-url`"):
        made.query("up", START)
    grafana.handler = lambda _: Reply(200, b"{}")
    with store(grafana) as made, pytest.raises(BadAnswer, match=r"no list\. Check `grafana-url`"):
        made.query("up", START)


def test_the_source_is_looked_up_once_for_all_threads(backed: GrafanaServer) -> None:
    with store(backed) as made, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: len(made.query("http_requests_total", START).series), range(24)))
    assert found == [4] * 24
    assert [request.path for request in backed.requests].count("/api/datasources") == 1


def test_a_check_goes_through_the_proxy(backed: GrafanaServer) -> None:
    with store(backed) as made:
        state, seen = check(made, START + 30), newest(made, START + 30, "http_requests_total")
    assert state.version[:2] in ("2.", "3.")
    assert seen.time == START


def test_certificates_of_an_own_authority(grafana: GrafanaServer, tmp_path: Path) -> None:
    pem, clock = certificates(tmp_path), FakeClock()
    url = secured(grafana, pem)
    made = GrafanaDashboards(url, TOKEN, clock, Budget(clock, 300), tls=Tls(str(pem.authority)))
    assert made.find(MARK) is None
    made.close()
    strict = GrafanaDashboards(url, TOKEN, clock, Budget(clock, 300))
    with pytest.raises(Unavailable, match=r"is not trusted.*Check the host in `grafana-url`; .*SSL_CERT_FILE"):
        strict.find(MARK)
    strict.close()


# Marks and links


def test_a_mark_is_written_with_its_window_and_found_again(grafana: GrafanaServer) -> None:
    with dashboards(grafana) as made:
        assert made.find(MARK) is None
        number = made.annotate(MARK)
        assert made.find(MARK) == number
    written = grafana.annotations[0]
    assert (written["text"], written["tags"]) == (MARK.text, list(MARK.tags))
    assert (written["time"], written["timeEnd"]) == ((START - 300) * 1000, START * 1000)
    assert "dashboardUID" not in written


def test_a_mark_is_not_written_twice_also_by_a_later_run(grafana: GrafanaServer) -> None:
    with dashboards(grafana) as made:
        first = made.annotate(MARK)
        assert made.annotate(replace(MARK, start=START + 3600, end=None, tags=MARK.tags[::-1])) == first
    assert len(grafana.annotations) == 1


@pytest.mark.parametrize(
    "other",
    [replace(MARK, text="GO"), replace(MARK, tags=("cicd-agents", "cart")), replace(MARK, dashboard="shop"), replace(MARK, start=START + 3 * 86_400, end=None)],
)
def test_a_mark_that_differs_is_another_one(grafana: GrafanaServer, other: Mark) -> None:
    with dashboards(grafana) as made:
        assert made.annotate(MARK) != made.annotate(other)


def test_a_mark_of_one_dashboard_is_found_there(grafana: GrafanaServer) -> None:
    mark = replace(MARK, dashboard="shop-overview")
    with dashboards(grafana) as made:
        number = made.annotate(mark)
        assert (made.find(mark), made.find(MARK)) == (number, None)
    assert grafana.annotations[0]["dashboardUID"] == "shop-overview"


@pytest.mark.parametrize("after_work", [False, True])
def test_a_run_that_dies_at_any_call_is_repeated_without_a_second_mark(after_work: bool) -> None:
    for call in range(2):
        grafana = GrafanaServer()
        with grafana, dashboards(grafana) as made:
            grafana.dead_from, grafana.dead_after_work = call, after_work
            with pytest.raises(Unavailable):
                made.annotate(MARK)
            grafana.dead_from = None
            made.annotate(MARK)
            assert len(grafana.annotations) == 1


def test_rights_to_read_and_write_marks_are_named(grafana: GrafanaServer) -> None:
    with dashboards(grafana) as made:
        grafana.rights = VIEWER
        with pytest.raises(NotAllowed, match=r"Permissions needed: annotations:create\. Give the service account the right `annotations:create`"):
            made.annotate(MARK)
        grafana.rights = EDITOR - {"annotations:read"}
        with pytest.raises(NotAllowed, match="the right `annotations:read`"):
            made.find(MARK)
        grafana.rights = ADMIN
        assert made.annotate(MARK)


def test_annotations_of_another_shape_are_said(grafana: GrafanaServer) -> None:
    grafana.handler = lambda _: Reply(200, b'{"items": []}')
    with dashboards(grafana) as made, pytest.raises(BadAnswer, match="the annotations are no list"):
        made.find(MARK)


def test_a_link_shows_the_window_and_the_values_of_the_variables(grafana: GrafanaServer) -> None:
    with dashboards(grafana) as made:
        link = made.link("shop/../x", START - 300, START, {"pod": "api&from=0", "env": "prod"})
    parts = urlsplit(link.url)
    assert (f"{parts.scheme}://{parts.netloc}", parts.path) == (grafana.url, "/d/shop%2F..%2Fx")
    assert parse_qs(parts.query) == {"from": ["1749999700000"], "to": ["1750000000000"], "var-pod": ["api&from=0"], "var-env": ["prod"]}

"""A real Prometheus is asked as it is meant to be: all shapes of answers, long windows, every way to connect, and its own errors in plain words."""

from __future__ import annotations

import gc
import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from tests.servers.clock import START, FakeClock
from tests.servers.prometheus import PASSWORD, USER, Prometheus, running, shared, stop
from tests.servers.prometheus_data import counter, gauge, histogram, openmetrics

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import Tls
from cicd_agents.clients.metrics.prometheus import PrometheusStore
from cicd_agents.clients.metrics.prometheus_access import Access, tls_of
from cicd_agents.domain.errors import NotAllowed, NotFound, Rejected, Unavailable, UsageError

PODS = [f"api-{number}" for number in range(16)]
CODES = ("200", "500")
TIMES = [START - 1800 + 15 * place for place in range(121)]
DATA = openmetrics(
    counter("http_requests_total", *(({"pod": pod, "code": code}, [(time, 10.0 * n) for n, time in enumerate(TIMES)]) for pod in PODS for code in CODES)),
    histogram("latency_seconds", [0.1, 0.5], ({"pod": "api-0"}, [(time, (5 * n, 8 * n, 10 * n), 2.5 * n) for n, time in enumerate(TIMES)])),
    gauge("odd", ({"kind": "gauge"}, [(START - 45, 1), (START - 30, math.nan), (START - 15, math.inf), (START, -math.inf)])),
    gauge("up", ({"job": "api"}, [(time, 1) for time in TIMES])),
)  # fmt: skip


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Prometheus:
    return shared(request.config, DATA)


@contextmanager
def store(url: str, access: Access | None = None, tls: Tls | None = None) -> Iterator[PrometheusStore]:
    clock = FakeClock()
    made = PrometheusStore(url, clock, Budget(clock, 300), access=access, tls=tls)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def prometheus(server: Prometheus) -> Iterator[PrometheusStore]:
    with store(server.url) as made:
        yield made


def test_a_range_selector_gives_the_raw_samples_with_the_times_of_their_scrapes(prometheus: PrometheusStore) -> None:
    answer = prometheus.query('http_requests_total{pod="api-3",code="200"}[1m]', START)
    assert [dict(one.labels) for one in answer.series] == [{"__name__": "http_requests_total", "pod": "api-3", "code": "200"}]
    assert answer.series[0].samples == tuple((START - 60 + 15 * place, 1160.0 + 10 * place) for place in range(5))
    assert (answer.warnings, answer.infos) == ((), ())


def test_a_value_at_a_time_between_two_milliseconds_is_asked_for(prometheus: PrometheusStore) -> None:
    answer = prometheus.query('http_requests_total{pod="api-3",code="200"}', START - 0.0004)
    assert [one.samples for one in answer.series] == [((START, 1200.0),)]


def test_values_that_are_no_numbers_are_kept(prometheus: PrometheusStore) -> None:
    values = [value for _, value in prometheus.query("odd[2m]", START).series[0].samples]
    assert (values[0], values[2:]) == (1.0, [math.inf, -math.inf])
    assert math.isnan(values[1])
    assert math.isnan(prometheus.query("vector(0) / vector(0)", START).series[0].samples[0][1])


def test_no_series_is_an_answer(prometheus: PrometheusStore) -> None:
    assert prometheus.query("nothing_of_this_name", START).series == ()
    assert prometheus.query_range("nothing_of_this_name", START - 60, START, 15).series == ()


def test_a_scalar_is_a_series_without_labels(prometheus: PrometheusStore) -> None:
    assert [(dict(one.labels), one.samples) for one in prometheus.query("1 + 1", START).series] == [({}, ((START, 2.0),))]


def test_a_text_is_refused(prometheus: PrometheusStore) -> None:
    with pytest.raises(Rejected, match="gives a text, not numbers"):
        prometheus.query('"a text"', START)


def test_buckets_come_one_series_per_bound(prometheus: PrometheusStore) -> None:
    answer = prometheus.query("latency_seconds_bucket", START)
    assert {one.labels["le"]: one.samples[0][1] for one in answer.series} == {"0.1": 600.0, "0.5": 960.0, "+Inf": 1200.0}


def test_a_window_has_a_value_at_its_start_and_at_its_end(prometheus: PrometheusStore) -> None:
    answer = prometheus.query_range('sum(http_requests_total{code="200"})', START - 60, START, 15)
    assert answer.series[0].samples == tuple((START - 60 + 15 * place, 16 * (1160.0 + 10 * place)) for place in range(5))


def test_a_long_window_comes_in_parts_that_lose_and_double_nothing(prometheus: PrometheusStore) -> None:
    start = START + 0.25
    answer = prometheus.query_range("vector(time())", start, start + 25_000, 1)
    assert [time for time, _ in answer.series[0].samples] == [start + place for place in range(25_001)]
    assert all(time == value for time, value in answer.series[0].samples)


@pytest.mark.parametrize(("start", "end", "step"), [(0, 60, 0), (60, 0, 15), (0, 60, math.nan), (0, 3e6, 1), (0, math.inf, 1)])
def test_a_window_that_makes_no_sense_is_refused(prometheus: PrometheusStore, start: float, end: float, step: float) -> None:
    with pytest.raises(UsageError, match="query"):
        prometheus.query_range("up", start, end, step)


def test_a_query_too_long_for_an_address_is_sent_as_a_form(prometheus: PrometheusStore) -> None:
    pods = "|".join(f"api-{number}" for number in range(4000))
    assert len(prometheus.query(f'http_requests_total{{pod=~"{pods}"}}', START).series) == 32
    assert len(prometheus.query_range(f'http_requests_total{{pod=~"{pods}"}}', START - 60, START, 15).series) == 32


def test_a_mistake_is_said_in_the_words_of_the_server_with_the_query(prometheus: PrometheusStore) -> None:
    with pytest.raises(Rejected, match=r"Prometheus: a query was rejected \(400\): .*parse error.* The query: sum\(http_requests_total\{$"):
        prometheus.query("sum(http_requests_total{", START)
    with pytest.raises(Rejected, match=r"\(422\): found duplicate series.* The query: http_requests_total \+ on"):
        prometheus.query("http_requests_total + on(code) http_requests_total", START)


def test_a_query_that_takes_too_long_is_not_asked_again() -> None:
    clock = FakeClock()
    with running(DATA, flags=["--query.timeout=1ms"]) as server:
        made = PrometheusStore(server.url, clock, Budget(clock, 300))
        with pytest.raises(Unavailable, match=r"took the server too long \(.*Ask for a shorter window.*The query: sum"):
            made.query_range("sum by (pod) (rate(http_requests_total[30m]))", START - 1800, START, 1)
        made.close()
    assert clock.slept == []


def test_threads_may_ask_at_once(prometheus: PrometheusStore) -> None:
    def asked(pod: str) -> tuple[set[str], float]:
        series = prometheus.query(f'http_requests_total{{pod="{pod}"}}[30m]', START).series
        return {one.labels["pod"] for one in series}, sum(len(one.samples) for one in series)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(asked, PODS * 4)) == [({pod}, 242) for pod in PODS * 4]


def test_threads_that_begin_together_share_one_pool_that_is_closed_with_the_store() -> None:
    begin = threading.Barrier(8)

    def asked(made: PrometheusStore) -> int:
        begin.wait()
        return len(made.query("up", START).series)

    with running(DATA, tls=True) as server:
        assert server.certificates is not None
        with store(server.url, tls=Tls(str(server.certificates.authority))) as made, ThreadPoolExecutor(8) as pool:
            assert list(pool.map(asked, [made] * 8)) == [1] * 8
        gc.collect()  # a connection that nobody closed would be told of here, and fail the test


def test_basic_authentication() -> None:
    with running(DATA, basic_auth=True) as server:
        with store(server.url, Access(user=USER, password=PASSWORD)) as made:
            assert len(made.query("up", START).series) == 1
        for access in (None, Access(user=USER, password="wr0ng-password"), Access(token="t0ken-for-another")):
            with store(server.url, access) as made, pytest.raises(NotAllowed, match=r"\(401\): Unauthorized.*`prometheus-password`") as caught:
                made.query("up", START)
            assert "wr0ng" not in str(caught.value)
            assert "t0ken" not in str(caught.value)


def test_certificates_of_an_own_authority() -> None:
    with running(DATA, tls=True, client_certificate=True) as server:
        assert server.certificates is not None
        pem = server.certificates
        ours = tls_of(str(pem.authority), str(pem.client), str(pem.client_key))
        with store(server.url, tls=ours) as made:
            assert len(made.query("up", START).series) == 1
        with store(server.url) as made, pytest.raises(Unavailable, match=r"certificate of 127\.0\.0\.1 is not trusted.*`prometheus-ca`"):
            made.query("up", START)
        with (
            store(server.url, tls=Tls(str(pem.authority))) as made,
            pytest.raises(Unavailable, match=r"client certificate.*`prometheus-cert` and `prometheus-key`"),
        ):
            made.query("up", START)
        with store(server.url.replace("https", "http")) as made, pytest.raises(Rejected, match=r"speaks TLS\. Begin `prometheus-url` with https://"):
            made.query("up", START)


def test_a_certificate_for_another_name() -> None:
    with running(DATA, tls=True, names="DNS:prometheus.example") as server:
        assert server.certificates is not None
        authority = str(server.certificates.authority)
        with store(server.url, tls=Tls(authority)) as made, pytest.raises(Unavailable, match=r"\(IP address mismatch.*Check the host in `prometheus-url`"):
            made.query("up", START)


def test_https_to_a_server_without_tls(server: Prometheus) -> None:
    with store(server.url.replace("http", "https")) as made, pytest.raises(Unavailable, match=r"no connection.*Does it speak TLS at all"):
        made.query("up", START)


def test_a_path_before_the_api() -> None:
    with running(DATA, prefix="/monitoring/prometheus") as server:
        for url in (server.url, f"{server.url}/", f"{server.url}/api/v1"):
            with store(url) as made:
                assert len(made.query("up", START).series) == 1
        with store(server.url.removesuffix("/prometheus")) as made, pytest.raises(NotFound, match="`prometheus-url`: it is the address before /api/v1"):
            made.query("up", START)


def test_a_server_that_is_gone_is_said() -> None:
    with running(DATA) as server, store(server.url) as made:
        assert made.query("up", START).series
        stop(server.process)
        with pytest.raises(Unavailable, match=r"Prometheus: a query failed: no connection.*It was tried 4 times\."):
            made.query("up", START)


def test_two_credentials_or_half_of_one_are_refused() -> None:
    for access in (Access(token="t", user="u", password="p"), Access(user="u"), Access(password="p"), Access(user="a:b", password="p")):
        with pytest.raises(UsageError, match="prometheus-user"):
            access.headers()


def test_a_key_without_its_certificate_is_refused() -> None:
    with pytest.raises(UsageError, match="name that one in `prometheus-cert`"):
        tls_of("", "", "client.key")

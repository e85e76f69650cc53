"""What a real Prometheus holds becomes an observation for the judge: every exporter's names and units, and nothing is guessed where something is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from math import inf, nan

import pytest
from tests.agents.guardian_metrics_data import BEGIN, BOUNDS, KINDS, NEW, NOW, OLD, SCRAPE, SINCE, Kind, Text, add, add_cluster, below, filled, times
from tests.servers.clock import FakeClock
from tests.servers.prometheus import Prometheus, running, shared, stop

from cicd_agents.agents.guardian_metrics import MetricsAsk, MetricsSeen, gather
from cicd_agents.analysis.canary import default_policy, judge
from cicd_agents.analysis.canary.observing.ask import shift_before
from cicd_agents.analysis.canary.observing.own import own_metrics, parse_own
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.metrics.prometheus import PrometheusStore
from cicd_agents.domain.canary import Judgement, Status, Version
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.guardian import MetricsAnswer, Sides

HTTP = KINDS["http"]


def _data() -> str:
    text = Text()
    for kind in KINDS.values():
        for case in ("healthy", "broken"):
            add(text, kind, f"{kind.pack}-{case}", broken=case == "broken")
    add(text, KINDS["istio"], "slow", slower=2.0)
    add(text, HTTP, "alone", pods=NEW)
    add(text, HTTP, "cluster")
    add_cluster(text, "cluster")
    add_cluster(text, "troubled", troubled=True)
    add(text, HTTP, "troubled")
    for pack in ("istio", "http"):
        add(text, KINDS[pack], "both", pods=(*OLD, *NEW))
    add_cluster(text, "no-limits", limits=False)
    _odd(text)
    return text.openmetrics()


def _odd(text: Text) -> None:
    """Services with one trap each."""

    def counts(namespace: str, pod: str, code: str, samples: list[tuple[float, float]], **others: str) -> None:
        labels = {"namespace": namespace, "pod": pod, "instance": f"{pod}:8080", "job": "api", "code": code, **others}
        text.counters["http_requests_total"].append((labels, samples))

    grown = {pod: [(time, 100.0 * place) for place, time in enumerate(times(pod), 1)] for pod in (OLD[0], NEW[0])}
    for pod, samples in grown.items():
        # Twice the same process: by two Services, and on two ports.
        for service in ("api", "api-canary"):
            counts("two-services", pod, "200", samples, service=service)
        for port in ("8080", "8443"):
            instance = f"{pod}:{port}"
            counts("two-ports", pod, "200", samples, instance=instance)
            start = [(time, SINCE + 0.123 if pod in NEW else BEGIN - 5) for time, _ in samples]
            text.gauges["process_start_time_seconds"].append(({"namespace": "two-ports", "pod": pod, "instance": instance, "job": "api"}, start))
            # Two processes on two ports of one pod.
            counts("two-processes", pod, "200", samples, instance=instance)
        counts("reset", pod, "200", samples)
        # Routes in a label that scrape configurations also have.
        for route, factor in (("/orders", 1.0), ("/pay", 3.0)):
            counts("routes", pod, "200", [(time, factor * value) for time, value in samples], endpoint=route)
        for place, route in enumerate(("/a", "/b")):
            # /b is reset in the middle, behind the growth of /a.
            odd = [(time, value if place == 0 or number < 20 else 50.0 * (number - 20)) for number, (time, value) in enumerate(samples)]
            counts("one-resets", pod, "500", odd, route=route)
        # The first errors are born with their series, 7 at once, and no more come.
        counts("birth", pod, "200", samples)
        if pod in NEW:
            counts("birth", pod, "500", [(time, 7.0) for time, _ in samples[12:]])
        counts("no-status", pod, "", samples)
        counts("odd-status", pod, "strange", samples)
        counts("odd-status", pod, "200", samples)
        counts("nan", pod, "200", [(time, nan) for time, _ in samples])
        counts("ended", pod, "200", [(time, value) for time, value in samples if time < NOW - 600])
        counts("bounds", pod, "200", samples)
        for name, bound in (("0.1", 0.1), ("0.10", 0.1), ("+Inf", inf)):
            labels = {"namespace": "bounds", "pod": pod, "instance": f"{pod}:{name}", "job": "api", "le": name}
            text.counters["http_request_duration_seconds_bucket"].append((labels, [(time, int(value * below(bound))) for time, value in samples]))
        for name, each in (("orders_total", 10.0), ("sessions_total", 100.0), ("checkout_failures_total", 1.0)):
            labels = {"namespace": "http-healthy", "pod": pod, "instance": f"{pod}:8080", "job": "api"}
            text.counters[name].append((labels, [(time, each * place) for place, (time, _) in enumerate(samples)]))
        text.gauges["queue_depth"].append(({"namespace": "http-healthy", "pod": pod}, [(time, 40.0 if pod in NEW else 10.0) for time, _ in samples]))
    for pod, samples in grown.items():
        text.histograms["http_server_requests_seconds"].append(
            ({"namespace": "only-buckets", "pod": pod, "instance": f"{pod}:1", "job": "api"}, filled(samples)),
        )


DATA = _data()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Prometheus:
    return shared(request.config, DATA)


@contextmanager
def opened(url: str) -> Iterator[PrometheusStore]:
    clock = FakeClock(NOW)
    store = PrometheusStore(url, clock, Budget(clock, 300))
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def store(server: Prometheus) -> Iterator[PrometheusStore]:
    with opened(server.url) as made:
        yield made


def ask(namespace: str, kind: Kind = HTTP, **others: object) -> MetricsAsk:
    return MetricsAsk(Sides(kind.canary, kind.baseline, f'namespace="{namespace}"'), NOW, SINCE, scrape=SCRAPE, **others)  # type: ignore[arg-type]


def judged(seen: MetricsSeen) -> Judgement:
    return judge(seen.observation, default_policy(), now=NOW, stage=1)


def counted(version: Version, name: str) -> float:
    """How much a class of requests grew, all replicas together; a fall is a reset."""
    total = 0.0
    for replica in version.replicas:
        for series in replica.requests:
            if series.name == name:
                values = [value for _, value in sorted(series.samples)]
                total += sum(after - before if after >= before else after for before, after in pairwise(values))
    return total


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_healthy_canary_of_every_exporter_passes(store: PrometheusStore, kind: Kind) -> None:
    seen = gather(store, ask(f"{kind.pack}-healthy", kind))
    found = judged(seen)
    assert (seen.pack, found.status) == (kind.pack, Status.PASS), found.reason
    assert seen.observation.warnings == ()
    assert {metric.name: metric.status for metric in found.metrics}["latency_p95"] is Status.PASS


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_broken_canary_of_every_exporter_fails_for_its_errors(store: PrometheusStore, kind: Kind) -> None:
    found = judged(gather(store, ask(f"{kind.pack}-broken", kind)))
    assert found.status is Status.FAIL
    assert "Error rate spike" in found.reason


@pytest.mark.parametrize("pack", ["istio", "linkerd", "envoy", "envoy-listener"])
def test_milliseconds_become_seconds(store: PrometheusStore, pack: str) -> None:
    seen = gather(store, ask(f"{pack}-healthy", KINDS[pack]))
    assert [bucket.bound for bucket in seen.observation.canary.replicas[0].buckets] == [*BOUNDS, inf]
    latency = next(metric for metric in judged(seen).metrics if metric.name == "latency_p95")
    assert latency.canary == pytest.approx(0.08 * 2.683, rel=0.15)


def test_a_slower_canary_fails_for_its_latency(store: PrometheusStore) -> None:
    found = judged(gather(store, ask("slow", KINDS["istio"])))
    assert found.status is Status.FAIL
    assert {metric.name for metric in found.metrics if metric.status is Status.FAIL} >= {"latency_p50", "latency_p95"}


def test_what_stands_before_the_service_is_preferred_and_the_other_pack_is_named(store: PrometheusStore) -> None:
    seen = gather(store, ask("both"))
    assert seen.pack == "istio"
    assert "also there, not used: HTTP of client libraries" in seen.reason


def test_an_explicit_pack_wins(store: PrometheusStore) -> None:
    seen = gather(store, ask("both", pack="http"))
    assert seen.pack == "http"
    assert all("istio" not in record.query for record in seen.queries)


def test_an_unknown_pack_is_a_usage_error_that_names_the_known_ones(store: PrometheusStore) -> None:
    with pytest.raises(UsageError, match=r"no pack 'apache'.*istio.*grpc"):
        gather(store, ask("both", pack="apache"))


def test_a_side_without_series_is_said_and_never_passes(store: PrometheusStore) -> None:
    seen = gather(store, ask("alone"))
    assert any("baseline: none of the selected series is a request counter" in text for text in seen.observation.warnings)
    assert judged(seen).status is Status.NO_DATA


def test_nothing_at_all_is_no_data_and_names_the_matchers(store: PrometheusStore) -> None:
    seen = gather(store, ask("nowhere"))
    assert (seen.pack, judged(seen).status) == ("", Status.NO_DATA)
    assert "api-new" in seen.observation.warnings[0]


def test_only_nan_is_no_data(store: PrometheusStore) -> None:
    assert judged(gather(store, ask("nan"))).status is Status.NO_DATA


def test_a_canary_that_died_in_the_window_is_still_found(store: PrometheusStore) -> None:
    seen = gather(store, ask("ended"))
    assert seen.pack == "http"
    assert counted(seen.observation.canary, "2xx") > 0


@pytest.mark.parametrize(("namespace", "targets"), [("two-services", 1), ("two-ports", 1), ("two-processes", 2)])
def test_one_process_that_is_scraped_twice_counts_once_and_two_processes_twice(store: PrometheusStore, namespace: str, targets: int) -> None:
    seen = gather(store, ask(namespace))
    minutes = len(list(times(OLD[0]))) - 1
    assert counted(seen.observation.baseline, "2xx") == 100.0 * minutes * targets
    assert [replica.name for replica in seen.observation.canary.replicas] == [NEW[0]]
    assert any("counted once" in note for note in seen.notes) is (targets == 1)


def test_the_first_errors_are_counted_though_they_are_born_with_their_series(store: PrometheusStore) -> None:
    assert counted(gather(store, ask("birth")).observation.canary, "5xx") == 7.0


def test_old_counters_do_not_count_from_zero(store: PrometheusStore) -> None:
    seen = gather(store, ask("cluster"))
    assert counted(seen.observation.baseline, "2xx") < 200_000
    assert all(series.samples[0][1] == 0.0 for replica in seen.observation.baseline.replicas for series in replica.requests)


def test_a_reset_of_one_route_does_not_hide_behind_another(store: PrometheusStore) -> None:
    seen = gather(store, ask("one-resets"))
    number = len(list(times(OLD[0])))
    assert counted(seen.observation.baseline, "5xx") == 100.0 * (number - 1) + 100.0 * 19 + 50.0 * (number - 21)


def test_bounds_that_are_written_differently_are_one_bound(store: PrometheusStore) -> None:
    seen = gather(store, ask("bounds"))
    assert [bucket.bound for bucket in seen.observation.baseline.replicas[0].buckets] == [0.1, inf]


@pytest.mark.parametrize("namespace", ["no-status", "only-buckets"])
def test_counters_without_a_status_are_not_taken_for_success(store: PrometheusStore, namespace: str) -> None:
    seen = gather(store, ask(namespace))
    assert "errors cannot be seen" in " ".join(seen.observation.warnings)
    errors = next(metric for metric in judged(seen).metrics if metric.name == "error_rate")
    assert errors.status is Status.NO_DATA
    assert judged(seen).status is not Status.PASS


def test_many_responses_of_unknown_status_make_the_evidence_weaker(store: PrometheusStore) -> None:
    assert "canary: 50 % of the responses have no known status" in gather(store, ask("odd-status")).observation.warnings


def test_added_up_by_the_server_the_counts_are_the_same(store: PrometheusStore) -> None:
    whole = gather(store, ask("http_server-broken", KINDS["http_server"]))
    summed = gather(store, ask("http_server-broken", KINDS["http_server"], most_samples=100))
    assert any(record.query.startswith("sum by (") for record in summed.queries)
    for name in ("2xx", "4xx", "5xx"):
        assert counted(summed.observation.canary, name) == pytest.approx(counted(whole.observation.canary, name), rel=0.02, abs=2)
    assert judged(summed).status is Status.FAIL


def test_cpu_and_memory_are_percent_of_the_limit_and_pods_have_their_start(store: PrometheusStore) -> None:
    canary = gather(store, ask("cluster")).observation.canary.replicas[0]
    gauges = {series.name: series.samples for series in canary.gauges}
    assert [round(value, 6) for _, value in gauges["cpu"]] == [50.0] * len(gauges["cpu"])
    assert {value for _, value in gauges["memory"]} == {60.0}
    assert canary.started == SINCE
    assert all(well for _, well in canary.health)


def test_a_pod_that_was_killed_twice_stops_the_canary_at_once(store: PrometheusStore) -> None:
    seen = gather(store, ask("troubled"))
    counters = {series.name: series.samples[-1][1] for series in seen.observation.canary.replicas[0].counters}
    assert counters == {"restarts": 2.0, "oom_kills": 2.0}
    found = judged(seen)
    assert found.status is Status.FAIL
    assert {alarm.rule for alarm in found.alarms} == {"oom_kills", "health"}


def test_resources_may_have_matchers_of_their_own(store: PrometheusStore) -> None:
    pods = Sides('pod=~"api-new-.*"', 'pod=~"api-old-.*"', 'namespace="cluster"')
    seen = gather(store, ask("nginx-ingress-healthy", KINDS["nginx-ingress"], pods=pods))
    assert {replica.name for replica in seen.observation.canary.replicas} == {"nginx-0", "nginx-1", *NEW}
    assert judged(seen).status is Status.PASS


def test_the_share_of_the_traffic_is_computed_where_nobody_tells_it(store: PrometheusStore) -> None:
    assert gather(store, ask("http-healthy")).observation.share[-1][1] == pytest.approx(1 / 3, abs=0.02)
    assert gather(store, ask("http-healthy", share=((SINCE, 0.25),))).observation.share == ((SINCE, 0.25),)


def test_a_baseline_of_before_the_deployment_is_moved_onto_the_canarys_time(store: PrometheusStore) -> None:
    shift = shift_before(SINCE, NOW)
    seen = gather(store, ask("http-broken", shift=shift, calibration=0.0))
    newest = max(time for replica in seen.observation.baseline.replicas for series in replica.requests for time, _ in series.samples)
    assert NOW - SCRAPE <= newest <= NOW
    assert not seen.observation.concurrent
    assert judged(seen).status is Status.FAIL


def test_without_a_concurrent_baseline_both_sides_may_be_the_same_selector(store: PrometheusStore) -> None:
    every = Sides('pod=~"api-.*"', 'pod=~"api-.*"', 'namespace="http-healthy"')
    seen = gather(store, MetricsAsk(every, NOW, SINCE, scrape=SCRAPE, shift=shift_before(SINCE, NOW), calibration=0.0))
    assert len(seen.observation.baseline.replicas) == len(OLD)
    first = min(time for replica in seen.observation.canary.replicas for series in replica.requests for time, _ in series.samples)
    assert SINCE - 2 * SCRAPE <= first <= SINCE


def test_the_same_matchers_for_both_sides_are_refused(store: PrometheusStore) -> None:
    with pytest.raises(UsageError, match="are the same"):
        gather(store, MetricsAsk(Sides('pod="a"', 'pod="a"'), NOW, SINCE))
    with pytest.raises(UsageError, match="very same series"):
        gather(store, MetricsAsk(Sides('pod=~"api-.*"', 'pod=~"api.*"', 'namespace="http-healthy"'), NOW, SINCE))


def test_a_baseline_that_holds_the_canary_too_is_judged_without_it(store: PrometheusStore) -> None:
    seen = gather(store, MetricsAsk(Sides('pod=~"api-new-.*"', 'pod=~"api-.*"', 'namespace="http-broken"'), NOW, SINCE, scrape=SCRAPE))
    assert {replica.name for replica in seen.observation.baseline.replicas} == set(OLD)
    assert any("left out of it" in note for note in seen.notes)


def test_a_preview_without_users_says_so(store: PrometheusStore) -> None:
    assert any("users do not reach" in text for text in gather(store, ask("http-healthy", preview=True)).observation.warnings)


OWN = (
    "checkout.errors=checkout_failures_total{selector}",
    "checkout.total=orders_total{selector}",
    "orders.count=orders_total{selector}",
    "sessions.count=sessions_total{namespace!=\"x\",{matchers}}",
    "queue=max(queue_depth{selector})",
)  # fmt: skip


def test_queries_of_ones_own_become_counters_and_values(store: PrometheusStore) -> None:
    seen = gather(store, ask("http-healthy", own=parse_own(OWN)))
    counters = {series.name for replica in seen.observation.canary.replicas for series in replica.counters}
    assert counters == {"checkout.errors", "checkout.total", "orders", "sessions"}
    values = {series.name: {value for _, value in series.samples} for series in seen.observation.canary.values}
    assert values == {"queue": {40.0}}
    policy = default_policy()
    more = own_metrics(parse_own(OWN), policy.metrics)
    found = judge(seen.observation, type(policy)((*policy.metrics, *more), policy.stages), now=NOW, stage=1)
    told = {metric.name: metric for metric in found.metrics}
    assert told["checkout"].canary == pytest.approx(0.1)
    assert told["conversion"].canary == pytest.approx(0.1)
    assert told["queue"].status is Status.FAIL


def test_a_query_that_gives_many_series_is_left_out_and_named(store: PrometheusStore) -> None:
    seen = gather(store, ask("http-healthy", own=parse_own(["requests=http_requests_total{selector}"])))
    assert any("the query requests gives" in text for text in seen.observation.warnings)


def test_routes_in_a_label_that_scrape_configurations_also_have_are_all_counted(store: PrometheusStore) -> None:
    seen = gather(store, ask("routes"))
    assert not [note for note in seen.notes if "counted once" in note]
    assert counted(seen.observation.canary, "2xx") == pytest.approx(4 * counted(gather(store, ask("reset")).observation.canary, "2xx"))


def test_a_service_without_buckets_is_told_what_to_do(store: PrometheusStore) -> None:
    [note] = [note for note in gather(store, ask("reset")).notes if "latency is not measured" in note]
    assert "http_request_duration_seconds_bucket" in note
    assert "`latency_p95: {required: false}`" in note
    assert not [note for note in gather(store, ask("http-healthy")).notes if "latency is not measured" in note]


def test_a_query_that_fails_is_named_and_the_others_are_judged(store: PrometheusStore) -> None:
    seen = gather(store, ask("http-broken", own=parse_own(["odd=no_such_function(up{selector})"])))
    assert [text.split(":")[0] for text in seen.failed] == ["canary, odd", "baseline, odd"]
    assert judged(seen).status is Status.FAIL
    assert [record.warning != "" for record in seen.queries if record.metric == "odd"] == [True, True]


def test_a_server_that_does_not_answer_is_a_service_error() -> None:
    text = Text()
    add(text, HTTP, "http-healthy", pods=NEW)
    with running(text.openmetrics()) as server, opened(server.url) as store:
        stop(server.process)
        with pytest.raises(ServiceError, match="Prometheus"):
            gather(store, ask("http-healthy"))


class Partial:
    """A store whose answers may be partial."""

    def __init__(self, store: PrometheusStore) -> None:
        self.store = store

    def query(self, promql: str, at: float) -> MetricsAnswer:
        answer = self.store.query(promql, at)
        return MetricsAnswer(answer.query, answer.series, ("store gateway 2 was not reached",)) if "[" in promql else answer

    def query_range(self, promql: str, start: float, end: float, step: float) -> MetricsAnswer:
        return self.store.query_range(promql, start, end, step)


def test_warnings_of_the_store_make_the_evidence_weaker(store: PrometheusStore) -> None:
    seen = gather(Partial(store), ask("http-healthy"))
    assert any("store gateway 2" in text for text in seen.observation.warnings)
    assert judged(seen).weaker


def test_queries_are_recorded_with_what_they_gave(store: PrometheusStore) -> None:
    records = gather(store, ask("cluster")).queries
    canary = next(record for record in records if record.metric == "http_requests_total" and record.side == "canary")
    assert canary.query.startswith('http_requests_total{namespace="cluster",pod=~"api-new-.*",uri!~"/(actuator|')
    assert canary.query.endswith("[1260s]")
    assert canary.series == 6
    assert 220 <= canary.samples <= 240
    baseline = next(record for record in records if record.metric == "http_requests_total" and record.side == "baseline")
    assert baseline.query.endswith("[3000s]")


def test_what_is_not_told_of_resources_is_said(store: PrometheusStore) -> None:
    assert any("CPU and memory are not judged" in note for note in gather(store, ask("http-healthy")).notes)
    assert not any("CPU and memory" in note for note in gather(store, ask("cluster")).notes)
    seen = gather(store, ask("no-limits"))
    assert {series.name for series in seen.observation.canary.replicas[0].gauges} == {"cpu_cores", "memory_bytes"}
    assert "canary: no limit of memory is told by metrics, so its usage is not judged unless the cluster tells the limit" in seen.notes


def test_every_metric_of_the_policy_knows_the_query_that_it_rests_on(store: PrometheusStore) -> None:
    found = gather(store, ask("cluster", own=parse_own(["orders.count=orders_total{selector}", "sessions.count=sessions_total{selector}"]))).query_of
    names = {name: re.split(r"[{(]", query)[0] for name, query in found.items()}
    assert names == {
        "error_rate": "http_requests_total", "client_error_rate": "http_requests_total", "latency_p50": "http_request_duration_seconds_bucket",
        "latency_p95": "http_request_duration_seconds_bucket", "latency_p99": "http_request_duration_seconds_bucket",
        "cpu": "container_cpu_usage_seconds_total", "memory": "container_memory_working_set_bytes", "conversion": "orders_total",
    }  # fmt: skip
    assert all("api-new" in query for query in found.values())

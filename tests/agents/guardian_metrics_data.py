"""Services as each kind of exporter shows them: four old pods, and two new ones for the last 20 minutes, scraped every 30 seconds.

`broken` ones answer every 25th request of the new pods with an error. Each service has a namespace of its own, so that one Prometheus holds all of them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import erf, inf, log, sqrt

from tests.servers.prometheus_data import counter, gauge, histogram, openmetrics

NOW = 1_750_000_000.0
SINCE = NOW - 1200
BEGIN = NOW - 2400
SCRAPE = 30.0
OLD = tuple(f"api-old-{number}" for number in range(4))
NEW = tuple(f"api-new-{number}" for number in range(2))
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
USUAL_ERRORS, BROKEN_ERRORS = 0.004, 0.04
Labels = dict[str, str]
Counts = Mapping[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Kind:
    """How an exporter shows a request: the counter (or empty: the histogram's count), the histogram with its unit, and the labels of a pod and a status."""

    pack: str
    requests: str
    durations: str
    per_second: float
    labels: Callable[[str, str], Labels]
    canary: str = 'pod=~"api-new-.*"'
    baseline: str = 'pod=~"api-old-.*"'
    latency_labels: Callable[[str, str], Labels] | None = None


def _pod(pod: str, **others: str) -> Labels:
    return {"pod": pod, "instance": f"{pod}:8080", "job": "api", **others}


def _side(pod: str) -> str:
    return "new" if pod in NEW else "old"


KINDS = {
    kind.pack: kind
    for kind in (
        Kind(
            "istio", "istio_requests_total", "istio_request_duration_milliseconds", 1000.0,
            lambda pod, code: _pod(pod, reporter="destination", response_code=code, destination_workload=f"api-{_side(pod)}", destination_version=_side(pod)),
        ),
        Kind(
            "linkerd", "response_total", "response_latency_ms", 1000.0,
            lambda pod, code: _pod(pod, direction="inbound", status_code=code, classification="failure" if code == "500" else "success"),
        ),
        Kind(
            "envoy-listener", "envoy_http_downstream_rq_xx", "envoy_http_downstream_rq_time", 1000.0,
            lambda pod, code: _pod(pod, envoy_response_code_class=code[0], envoy_http_conn_manager_prefix="ingress"),
            latency_labels=lambda pod, _: _pod(pod, envoy_http_conn_manager_prefix="ingress"),
        ),
        Kind(
            "envoy", "envoy_cluster_upstream_rq", "envoy_cluster_upstream_rq_time", 1000.0,
            lambda pod, code: _gateway(pod, envoy_response_code=code, envoy_cluster_name=f"api-{_side(pod)}"),
            'envoy_cluster_name="api-new"', 'envoy_cluster_name="api-old"', lambda pod, _: _gateway(pod, envoy_cluster_name=f"api-{_side(pod)}"),
        ),
        Kind(
            "nginx-ingress", "nginx_ingress_controller_requests", "nginx_ingress_controller_request_duration_seconds", 1.0,
            lambda pod, code: {**_gateway(pod, status=code, ingress="api", service=f"api-{_side(pod)}"), "controller_pod": f"nginx-{pod[-1]}"},
            'service="api-new"', 'service="api-old"',
        ),
        Kind("traefik", "traefik_service_requests_total", "traefik_service_request_duration_seconds", 1.0, lambda pod, code: _pod(pod, code=code)),
        Kind(
            "opentelemetry", "", "http_server_request_duration_seconds", 1.0,
            lambda pod, code: _pod(pod, http_response_status_code=code, http_route="/orders"),
        ),
        Kind(
            "http_server", "", "http_server_requests_seconds", 1.0,
            lambda pod, code: _pod(pod, status=code, outcome={"2": "SUCCESS", "4": "CLIENT_ERROR", "5": "SERVER_ERROR"}[code[0]], uri="/orders"),
        ),
        Kind(
            "http", "http_requests_total", "http_request_duration_seconds", 1.0, lambda pod, code: _pod(pod, code=code, handler="/orders"),
            latency_labels=lambda pod, _: _pod(pod, handler="/orders"),
        ),
        Kind(
            "grpc", "grpc_server_handled_total", "grpc_server_handling_seconds", 1.0,
            lambda pod, code: _pod(pod, grpc_code={"2": "OK", "4": "NotFound", "5": "Internal"}[code[0]], grpc_service="shop.Orders"),
            latency_labels=lambda pod, _: _pod(pod, grpc_service="shop.Orders"),
        ),
    )
}  # fmt: skip


def _gateway(pod: str, **others: str) -> Labels:
    """Seen by a proxy in front: two of them, and none is a pod of the service."""
    return {"pod": f"gateway-{pod[-1]}", "instance": f"gateway-{pod[-1]}:9000", "job": "gateway", "scrape": pod, **others}


@dataclass(slots=True)
class Text:
    """Series of all services, by family."""

    counters: dict[str, list[tuple[Labels, list[tuple[float, float]]]]] = field(default_factory=lambda: defaultdict(list))
    gauges: dict[str, list[tuple[Labels, list[tuple[float, float]]]]] = field(default_factory=lambda: defaultdict(list))
    histograms: dict[str, list[tuple[Labels, list[tuple[float, list[float], float]]]]] = field(default_factory=lambda: defaultdict(list))
    bounds: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def openmetrics(self, later: float = 0.0) -> str:
        """As Prometheus is loaded with it, so many seconds later (times alone: values that are times stay)."""
        return openmetrics(
            *(counter(name, *later_by(later, series)) for name, series in self.counters.items()),
            *(gauge(name, *later_by(later, series)) for name, series in self.gauges.items()),
            *(
                histogram(name, self.bounds[name], *((labels, [(time + later, counts, total) for time, counts, total in filled]) for labels, filled in series))
                for name, series in self.histograms.items()
            ),
        )


def later_by(seconds: float, series: list[tuple[Labels, list[tuple[float, float]]]]) -> list[tuple[Labels, list[tuple[float, float]]]]:
    """The same values at other times."""
    return [(labels, [(time + seconds, value) for time, value in samples]) for labels, samples in series]


def times(pod: str, begin: float = BEGIN) -> Iterator[float]:
    """When a pod is scraped: new ones for the first time 30 seconds after their start."""
    time = SINCE + SCRAPE if pod in NEW else begin
    while time <= NOW:
        yield time
        time += SCRAPE


def counted(pod: str, broken: bool, seed: str, mean: float = 400.0, begin: float = BEGIN) -> Counts:
    """The counters of a pod by status; as client libraries do it, a status is born with its first response."""
    draw = random.Random(f"{seed}/{pod}")  # noqa: S311 a simulation
    errors = BROKEN_ERRORS if broken and pod in NEW else USUAL_ERRORS
    totals = {"200": 0, "404": 0, "500": 0}
    if pod in OLD:
        totals = {"200": 5_000_000, "404": 90_000, "500": 20_000}
    result: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for time in times(pod, begin):
        number = max(0, round(draw.gauss(mean, mean**0.5)))
        bad = sum(draw.random() < errors for _ in range(number))
        missing = sum(draw.random() < 0.02 for _ in range(number - bad))
        for code, gain in (("200", number - bad - missing), ("404", missing), ("500", bad)):
            totals[code] += gain
            if totals[code]:
                result[code].append((time, float(totals[code])))
    return result


def below(bound: float, median: float = 0.08, sigma: float = 0.6) -> float:
    """The fraction of requests that take at most so many seconds."""
    return 1.0 if bound == inf else 0.5 * (1 + erf(log(bound / median) / (sigma * sqrt(2))))


def filled(samples: list[tuple[float, float]], slower: float = 1.0) -> list[tuple[float, list[float], float]]:
    """A histogram of so many requests."""
    return [(time, [float(int(value * below(bound / slower))) for bound in (*BOUNDS, inf)], value * 0.1) for time, value in samples]


def add(text: Text, kind: Kind, namespace: str, *, broken: bool = False, pods: tuple[str, ...] = (*OLD, *NEW), slower: float = 1.0) -> None:
    """A service as one kind of exporter shows it."""
    text.bounds[kind.durations] = tuple(bound * kind.per_second for bound in BOUNDS)
    for pod in pods:
        counts = counted(pod, broken, namespace)
        slow = slower if pod in NEW else 1.0
        for code, samples in counts.items():
            if kind.requests:
                text.counters[kind.requests].append(({"namespace": namespace, **kind.labels(pod, code)}, samples))
            if kind.latency_labels is None:
                text.histograms[kind.durations].append(({"namespace": namespace, **kind.labels(pod, code)}, filled(samples, slow)))
        if kind.latency_labels is not None:
            whole = [(time, sum(dict(samples).get(time, 0.0) for samples in counts.values())) for time, _ in counts["200"]]
            text.histograms[kind.durations].append(({"namespace": namespace, **kind.latency_labels(pod, "")}, filled(whole, slow)))


def add_cluster(text: Text, namespace: str, pods: tuple[str, ...] = (*OLD, *NEW), *, troubled: bool = False, limits: bool = True) -> None:
    """What cAdvisor and kube-state-metrics say. `troubled`: the first new pod is killed for want of memory in minutes 8 and 9, and not ready after that."""
    for pod in pods:
        start = SINCE if pod in NEW else BEGIN - 86_400
        ill = troubled and pod == NEW[0]
        labels = {"namespace": namespace, "pod": pod, "container": "api"}
        cadvisor = {**labels, "instance": "node-1:10250", "job": "kubelet"}
        state = {**labels, "instance": "kube-state-metrics:8080", "job": "kube-state-metrics"}
        of_pod = {name: value for name, value in state.items() if name != "container"}
        seen = list(times(pod))
        text.counters["container_cpu_usage_seconds_total"].append((cadvisor, [(time, 0.25 * (time - start)) for time in seen]))
        text.gauges["container_memory_working_set_bytes"].append((cadvisor, [(time, 300e6) for time in seen]))
        for resource, unit, value in (("cpu", "core", 0.5), ("memory", "byte", 500e6)) if limits else ():
            text.gauges["kube_pod_container_resource_limits"].append(({**state, "resource": resource, "unit": unit}, [(time, value) for time in seen]))
        kills = [SINCE + 480, SINCE + 540] if ill else []
        text.counters["kube_pod_container_status_restarts_total"].append((state, [(time, float(sum(kill <= time for kill in kills))) for time in seen]))
        if kills:
            killed = [(time, 1.0) for time in seen if time >= kills[0]]
            text.gauges["kube_pod_container_status_last_terminated_reason"].append(({**state, "reason": "OOMKilled"}, killed))
        text.gauges["kube_pod_start_time"].append((of_pod, [(time, start) for time in seen]))
        for condition in ("true", "false"):
            ready = [(time, float((time < SINCE + 480 or not ill) is (condition == "true"))) for time in seen]
            text.gauges["kube_pod_status_ready"].append(({**of_pod, "condition": condition}, ready))

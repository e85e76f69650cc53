"""Two services after a switch, and the same time of four days before: in one of them every day has as many errors at that hour."""

from __future__ import annotations

from collections.abc import Iterator

from tests.agents.guardian_metrics_data import BEGIN, NEW, NOW, OLD, SCRAPE, SINCE
from tests.servers.prometheus_data import Labels, counter, histogram, openmetrics

DAY = 86_400.0
DAYS = 4
BOUNDS = (0.1, 0.25, 1.0)


def _samples(begin: float, end: float, busy: float, fraction: float, later: float) -> Iterator[tuple[float, float, float]]:
    """(time, all requests, errors) of a pod; from SINCE on the fraction of errors is `later`."""
    time, total, bad = begin, 0.0, 0.0
    while time <= end:
        yield time, total, bad
        time += SCRAPE
        rate = later if time % DAY > SINCE % DAY else fraction
        total, bad = total + busy, bad + round(busy * rate)


def _service(namespace: str, rush: float) -> list[tuple[Labels, list[tuple[float, float, float]]]]:
    """The old pods ended as the new ones began, 20 minutes ago, and since then there are many errors. On earlier days other pods had `rush` at that hour."""
    busy = 800.0
    pods = [(pod, list(_samples(BEGIN, SINCE, busy, 0.005, 0.005))) for pod in OLD]
    pods += [(pod, list(_samples(SINCE, NOW, 2 * busy, 0.02, 0.02))) for pod in NEW]
    for day in range(1, DAYS + 1):
        pods += [(f"api-{day}-{number}", list(_samples(BEGIN - day * DAY, NOW - day * DAY, 2 * busy, 0.005, rush))) for number in range(2)]
    return [({"namespace": namespace, "pod": pod, "instance": f"{pod}:8080", "job": "api"}, samples) for pod, samples in pods]


def earlier_data() -> str:
    """What Prometheus is loaded with."""
    series = [*_service("rush", 0.02), *_service("calm", 0.005)]
    counts = [({**labels, "code": code}, [(time, bad if code == "500" else total - bad) for time, total, bad in samples])
              for labels, samples in series for code in ("200", "500")]  # fmt: skip
    buckets = [(labels, [(time, (total * 0.6, total * 0.97, total, total), total * 0.1) for time, total, _ in samples]) for labels, samples in series]
    return openmetrics(counter("http_requests_total", *counts), histogram("http_request_duration_seconds", BOUNDS, *buckets))

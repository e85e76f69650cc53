"""Seconds for the 20 queries of a verification against a real Prometheus: one after the other and in parallel, beside plain httpx and curl in the same run.

`python -m benchmarks.guardian_speed [--rounds 5] [--pods 16]`. Needs Debian's package prometheus (and curl, for its line). Half an hour of 15 s scrapes is
loaded: requests by code, 13 buckets, CPU, memory, connections, restarts, health. What is asked are raw samples (`name[30m]`) and some rates. Our times are
those of a new store each round, its connections and their end included, up to series of numbers; httpx's are up to parsed JSON. The whole verification is
what the guardian does: it looks which metrics there are, asks for them, judges, and says what this traffic can show.
Exit code 1 where 20 queries in parallel, or the whole verification, take longer than a second.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
from tests.servers.prometheus import Prometheus, running
from tests.servers.prometheus_data import counter, gauge, histogram, openmetrics

from cicd_agents.agents.guardian_metrics import MetricsAsk, gather
from cicd_agents.analysis.canary import judge
from cicd_agents.analysis.canary.outlook import outlook
from cicd_agents.clients.clock import Budget, SystemClock
from cicd_agents.clients.http import Tls
from cicd_agents.clients.metrics.prometheus import PrometheusStore
from cicd_agents.domain.canary import Judgement
from cicd_agents.domain.guardian import Sides

LIMIT = 1.0
NOW = 1_750_000_000.0
TIMES = [NOW - 1800 + 15 * place for place in range(121)]
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
WORKERS = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="the median of so many counts")
    parser.add_argument("--pods", type=int, default=16)
    options = parser.parse_args()
    if shutil.which("promtool") is None:
        print("Prometheus is not installed (Debian, Ubuntu: apt-get install prometheus)", file=sys.stderr)
        return 2
    text = data(options.pods)
    with running(text) as plain, running(text, tls=True) as secure:
        samples = sum(asked(plain, pool=None))
        print(f"{len(QUERIES)} queries, {options.pods} pods, 30 minutes at 15 s: {samples:,} samples in the answers; median of {options.rounds}")
        ways: dict[str, Callable[[], object]] = {
            "one after the other": lambda: asked(plain, pool=None),
            f"{WORKERS} at once": lambda: asked(plain, pool=WORKERS),
            f"{WORKERS} at once, TLS with an own authority": lambda: asked(secure, pool=WORKERS),
            "the whole verification": lambda: verified(plain),
            "httpx.Client, one after the other": lambda: by_httpx(plain),
        }
        if shutil.which("curl"):
            ways["curl, one after the other, nothing parsed"] = lambda: by_curl(plain)
        seconds = measured(ways, options.rounds)
    beside = seconds["httpx.Client, one after the other"]
    for name, took in seconds.items():
        print(f"{name:45} {took:6.3f} s   {took / beside:5.2f} × httpx")
    slowest = max(seconds[f"{WORKERS} at once"], seconds["the whole verification"])
    print(f"goal: {LIMIT:.0f} s for 20 queries in parallel, and for the whole verification; {'missed' if slowest > LIMIT else 'reached'}")
    return int(slowest > LIMIT)


def measured(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each way; the ways take turns, so that a busy moment hits all of them."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def asked(server: Prometheus, *, pool: int | None) -> list[int]:
    """The numbers of samples that a new store gives."""
    clock = SystemClock()
    tls = Tls(str(server.certificates.authority)) if server.certificates else None
    store = PrometheusStore(server.url, clock, Budget(clock, 60), tls=tls)

    def one(query: str) -> int:
        return sum(len(series.samples) for series in store.query(query, NOW).series)

    try:
        if pool is None:
            return [one(query) for query in QUERIES]
        with ThreadPoolExecutor(pool) as workers:
            return list(workers.map(one, QUERIES))
    finally:
        store.close()


def verified(server: Prometheus) -> tuple[Judgement, tuple[str, ...]]:
    """What the guardian does at one look."""
    clock = SystemClock()
    store = PrometheusStore(server.url, clock, Budget(clock, 60))
    try:
        ask = MetricsAsk(Sides(*SIDES), NOW, since=TIMES[0])
        observation = gather(store, ask).observation
        judgement = judge(observation, ask.policy, now=NOW)
        return judgement, outlook(observation, ask.policy, NOW, judgement.stage)
    finally:
        store.close()


def by_httpx(server: Prometheus) -> list[object]:
    """The same by httpx alone, parsed as JSON."""
    with httpx.Client(trust_env=False) as client:
        return [client.get(f"{server.url}/api/v1/query", params={"query": query, "time": NOW}).json() for query in QUERIES]


def by_curl(server: Prometheus) -> None:
    """The same by one run of curl, which keeps its connection."""
    addresses = [str(httpx.URL(f"{server.url}/api/v1/query", params={"query": query, "time": NOW})) for query in QUERIES]
    subprocess.run(["curl", "-s", "-S", "--fail", "--noproxy", "*", "--compressed", *addresses], check=True, stdout=subprocess.DEVNULL)


SIDES = ('pod=~"canary-.*"', 'pod=~"stable-.*"')
QUERIES = tuple(
    query.replace("SIDE", side)
    for side in SIDES
    for query in (
        "http_requests_total{SIDE}[30m]",
        "http_request_duration_seconds_bucket{SIDE}[30m]",
        "container_cpu_percent{SIDE}[30m]",
        "container_memory_percent{SIDE}[30m]",
        "connections_active{SIDE}[30m]",
        "container_restarts_total{SIDE}[30m]",
        "up{SIDE}[30m]",
        "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{SIDE}[5m])))",
        'sum(rate(http_requests_total{SIDE,code=~"5.."}[5m])) / sum(rate(http_requests_total{SIDE}[5m]))',
        "sum(increase(http_requests_total{SIDE}[30m]))",
    )
)


def data(pods: int) -> str:
    """The metrics of so many pods, a quarter of them canaries; the same in each run."""
    chance = random.Random(11)  # noqa: S311 the same data every time
    names = [f"{'canary' if number < pods // 4 else 'stable'}-{number}" for number in range(pods)]
    levels = {name: [(time, chance.uniform(20, 60)) for time in TIMES] for name in names}
    return openmetrics(
        counter("http_requests_total", *(({"pod": name, "code": code}, grown(chance, most)) for name in names for code, most in CODES)),
        histogram("http_request_duration_seconds", BOUNDS, *(({"pod": name}, filled(chance)) for name in names)),
        *(gauge(metric, *(({"pod": name}, levels[name]) for name in names)) for metric in GAUGES),
        counter("container_restarts_total", *(({"pod": name}, [(time, 0.0) for time in TIMES]) for name in names)),
        gauge("up", *(({"pod": name}, [(time, 1.0) for time in TIMES]) for name in names)),
    )


CODES = (("200", 2000), ("404", 20), ("500", 3))
GAUGES = ("container_cpu_percent", "container_memory_percent", "connections_active")


def grown(chance: random.Random, most: int) -> list[tuple[float, float]]:
    """A counter that grows by up to `most` per scrape."""
    value, samples = 0, []
    for moment in TIMES:
        value += chance.randint(0, most)
        samples.append((moment, float(value)))
    return samples


def filled(chance: random.Random) -> Iterator[tuple[float, tuple[float, ...], float]]:
    """A histogram of 500 requests per scrape."""
    counts = [0] * (len(BOUNDS) + 1)
    for moment in TIMES:
        for place in range(len(counts)):
            counts[place] += 500 * (place + 1) // len(counts) + chance.randint(0, 2)
        yield moment, tuple(float(sum(counts[: place + 1])) for place in range(len(counts))), float(sum(counts)) * 0.07


if __name__ == "__main__":
    sys.exit(main())

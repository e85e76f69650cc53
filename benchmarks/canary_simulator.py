"""Simulated canaries: a deployment as a scraper sees it, minute by minute (standard library only; knows nothing of the judge).

A run is 20 minutes of the old version alone, then 30 minutes with a canary at 5 % (5 minutes), 25 % (10) and 50 % (15) of the traffic. Each pod exposes
cumulative counters of requests by class and of latency buckets (Prometheus' default bounds), CPU and memory in percent of the limit, restarts, log messages
and, in some families, business events and health checks. Pods of the canary are added with the stages, and each warms up. Other strategies: a rolling update
(batch by batch), blue/green (nothing, then all), and everything at once; there the old pods go, and only their time before is left to compare with.
"""

# Families share one signature, whether they need all of it or not.
# ruff: noqa: ARG001
from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import ceil, erf, exp, inf, log, sin, sqrt

from cicd_agents.domain.canary import Bucket, LogTemplate, Observation, Replica, Samples, Series, Strategy, Version

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, inf)
BEFORE, AFTER, MINUTE = 20, 30, 60.0
START = 1_700_000_040.0
SMOKE = 0.002  # of the traffic, before a switch
EXCEPTION = "java.lang.NullPointerException: at <*>"


@dataclass(slots=True)
class Minute:
    """What one pod is like in one minute; families change it. `age` is in minutes, `at` minutes since the canary began (negative before)."""

    at: int
    age: float
    canary: bool
    pod: int
    share: float
    rate: float  # requests a second of this pod
    error: float
    client_error: float
    scale: float  # factor on latency
    tail: float = 0.0  # fraction of requests that are
    tail_scale: float = 1.0  # so many times slower
    bulk: float = 1.0  # factor on the faster nine tenths only
    cpu: float = 45.0
    memory: float = 50.0
    conversion: float = 0.1
    exceptions: float = 0.0
    restart: bool = False
    lost: bool = False
    healthy: bool = True


Shape = Callable[[Minute, random.Random, "Run"], None]


@dataclass(slots=True)
class Scene:
    """The service; a family may fix what is drawn by default."""

    rps: float
    error: float
    median: float
    sigma: float
    pods: int
    canary_pods: tuple[int, int, int]
    pod_error: float = 0.08  # lasting differences between pods, as standard deviations of logarithms
    pod_latency: float = 0.03
    jitter: float = 0.03  # of each pod's latency and load, minute by minute
    business: float = 0.0  # sessions per request
    shares: tuple[tuple[int, float], ...] = ((0, 0.05), (5, 0.25), (15, 0.5))
    strategy: Strategy = Strategy.CANARY
    checks: bool = False  # health checks, two a minute
    cluster: float = 1.0  # mean number of errors that come together
    uneven: float = 0.0  # differences of the pods' traffic, as the standard deviation of its logarithm
    offset: float = 0.0  # scrapes of a pod come so many seconds too early or late at most, with the counts of the whole minute
    scaling: bool = False  # pods of both versions come and go
    zones: int = 1
    earlier: int = 0  # days before, at the same time, that are known


@dataclass(slots=True)
class Run:
    """What a run draws once, for families to use."""

    scene: Scene
    memo: dict[str, float] = field(default_factory=dict)

    def once(self, key: str, value: float) -> float:
        """The first value that was given under this key."""
        return self.memo.setdefault(key, value)


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of run: `change` alters the service, `shape` each minute of each pod; `held`: not used for tuning; not `counted`: at the tolerance's border."""

    name: str
    healthy: bool
    shape: Shape
    change: Callable[[Scene], Scene] = lambda scene: scene
    held: bool = False
    counted: bool = True


def simulate(family: Family, seed: int) -> Observation:
    """One run of a family; the same seed gives the same run."""
    draw = random.Random(f"{family.name}/{seed}")  # noqa: S311 a simulation
    scene = family.change(_scene(draw))
    run = Run(scene)
    total = scene.canary_pods[-1]
    starts = [0] * scene.canary_pods[0] + [5] * (scene.canary_pods[1] - scene.canary_pods[0]) + [15] * (total - scene.canary_pods[1])
    if scene.strategy is not Strategy.CANARY:
        starts = [0] * scene.pods if scene.shares[0][1] in {0.0, 1.0} else [begin for begin, _ in scene.shares for _ in range(2)]
    old = [_Pod(f"old-{number}", number, False, -10_000, scene, draw) for number in range(scene.pods)]
    new = [_Pod(f"new-{number}", number, True, start, scene, draw) for number, start in enumerate(starts)]
    if scene.scaling:
        _scale(old, new, scene, draw)
    for at in range(-BEFORE, AFTER):
        share = _share(scene, at)
        left = old if scene.strategy is Strategy.CANARY else old[: ceil(len(old) * (1 - share) - 1e-9)]
        for pods, part in ((left, 1 - share), (new, share)):
            alive = [pod for pod in pods if pod.start <= at < pod.end]
            weights = sum(pod.weight for pod in alive)
            for pod in alive:
                # Before the switch there are only a few smoke requests.
                pod.live(at, share, max(part, SMOKE if pod.canary else 0.0) * pod.weight / weights, family, run, draw)
    shares = tuple((START + at * MINUTE, share) for at, share in scene.shares)
    earlier = tuple(_earlier_day(family, scene, f"{number + 1} days ago", draw) for number in range(scene.earlier))
    was, new_one = (Version(name, tuple(pod.replica() for pod in pods)) for name, pods in (("old", old), ("new", new)))
    return Observation(was, new_one, START, shares, earlier=earlier)


def _earlier_day(family: Family, scene: Scene, name: str, draw: random.Random) -> Version:
    """The old version at the same time of another day, a little busier or calmer: one pod stands for all, as counted in blocks of five minutes."""
    run, busy = Run(scene), exp(draw.gauss(0, 0.1))
    pod = _Pod(name, 0, False, -10_000, scene, draw)
    for at in range(-BEFORE, AFTER):
        pod.live(at, 0.0, busy, family, run, draw)
    pod.samples = {key: [sample for sample in samples if (sample[0] - START) % (5 * MINUTE) < 1] for key, samples in pod.samples.items()}
    return Version(name, (pod.replica(),))


def strategy_of(family: Family) -> Strategy:
    """How the family's new version takes over."""
    return family.change(_scene(random.Random(0))).strategy  # noqa: S311 a simulation


def _scene(draw: random.Random) -> Scene:
    return Scene(
        rps=draw.uniform(60, 250), error=exp(draw.uniform(log(0.0005), log(0.005))), median=exp(draw.uniform(log(0.03), log(0.15))),
        sigma=draw.uniform(0.45, 0.8), pods=draw.randint(6, 12), canary_pods=draw.choice(((1, 2, 4), (1, 3, 6), (2, 2, 4))),
    )  # fmt: skip


def _share(scene: Scene, at: int) -> float:
    return next((share for begin, share in reversed(scene.shares) if at >= begin), 0.0)


def _scale(old: list[_Pod], new: list[_Pod], scene: Scene, draw: random.Random) -> None:
    """Some old pods end, others begin, and one of the last new ones is replaced."""
    for pod in old[1 : len(old) // 2]:
        pod.end = draw.randint(2, 25)
        old.append(_Pod(f"old-{len(old)}", len(old), False, draw.randint(-5, pod.end), scene, draw))
    new[-1].end = 22
    new.append(_Pod(f"new-{len(new)}", len(new), True, 20, scene, draw))


class _Pod:
    """One pod and its counters."""

    def __init__(self, name: str, number: int, canary: bool, start: int, scene: Scene, draw: random.Random) -> None:
        self.name, self.number, self.canary, self.start = name, number, canary, start
        self.error = exp(draw.gauss(0, scene.pod_error))
        self.latency = exp(draw.gauss(0, scene.pod_latency))
        self.weight = exp(draw.gauss(0, scene.uneven))
        self.offset = draw.uniform(-scene.offset, scene.offset)
        self.end = 10_000
        self.health: list[tuple[float, bool]] = []
        self.began = START + max(start, -600) * MINUTE
        self.counts = {"2xx": 0, "4xx": 0, "5xx": 0}
        self.slow = [0] * len(BOUNDS)
        self.other = {"restarts": 0, "sessions": 0, "orders": 0}
        self.logged = 0
        self.samples: dict[str, list[tuple[float, float]]] = {}

    def live(self, at: int, share: float, part: float, family: Family, run: Run, draw: random.Random) -> None:
        """One minute: what happens, then a scrape at its end."""
        scene = run.scene
        if at == max(self.start, -BEFORE):
            self.scrape(at)
        noise = exp(draw.gauss(0, scene.jitter))
        minute = Minute(
            at, at - self.start, self.canary, self.number, share, scene.rps * part * exp(draw.gauss(0, scene.jitter)), scene.error * self.error, 0.02,
            self.latency * noise,
            cpu=45 + draw.gauss(0, 3), memory=50 + draw.gauss(0, 1),
        )  # fmt: skip
        family.shape(minute, draw, run)
        if minute.restart:
            self.counts = dict.fromkeys(self.counts, 0)
            self.slow, self.logged = [0] * len(BOUNDS), 0
            self.other = {"restarts": self.other["restarts"] + 1, "sessions": 0, "orders": 0}
        self.serve(minute, scene, draw)
        if scene.checks:
            self.health += [(START + (at + part) * MINUTE, minute.healthy) for part in (0.5, 1.0)]
        if not minute.lost:
            self.scrape(at + 1, minute)

    def serve(self, minute: Minute, scene: Scene, draw: random.Random) -> None:
        mean = max(0.0, minute.rate * MINUTE)
        number, before = 0, 0.0
        for index, bound in enumerate(BOUNDS):
            upto = 1.0 if bound == inf else _below(bound, scene, minute)
            number += _poisson(mean * max(0.0, upto - before), draw)
            before = upto
            self.slow[index] += number
        errors = min(number, _clustered(number * min(1.0, max(0.0, minute.error)), scene.cluster, draw))
        client = min(number - errors, _poisson(number * minute.client_error, draw))
        self.counts["5xx"] += errors
        self.counts["4xx"] += client
        self.counts["2xx"] += number - errors - client
        self.logged += min(number, _poisson(number * minute.exceptions, draw))
        sessions = _poisson(number * scene.business, draw)
        self.other["sessions"] += sessions
        self.other["orders"] += min(sessions, _poisson(sessions * minute.conversion, draw))

    def scrape(self, at: int, minute: Minute | None = None) -> None:
        time = START + at * MINUTE + self.offset
        values: dict[str, float] = {f"counts/{name}": float(value) for name, value in self.counts.items()}
        values |= {f"other/{name}": float(value) for name, value in self.other.items()}
        values |= {f"slow/{bound}": value for bound, value in zip(BOUNDS, self.slow, strict=True)} | {f"log/{EXCEPTION}": self.logged}
        if minute:
            values |= {"gauge/cpu": minute.cpu, "gauge/memory": minute.memory}
        for name, value in values.items():
            # As client libraries do it: a labelled series is born with its first event.
            if value or name in self.samples or not name.startswith(("counts/", "log/", "other/")):
                self.samples.setdefault(name, []).append((time, float(value)))

    def replica(self) -> Replica:
        def of(prefix: str) -> list[tuple[str, Samples]]:
            return [(name[len(prefix) :], tuple(samples)) for name, samples in self.samples.items() if name.startswith(prefix)]

        return Replica(
            self.name, self.began, tuple(Series(*pair) for pair in of("counts/")), tuple(Bucket(float(name), samples) for name, samples in of("slow/")),
            tuple(Series(*pair) for pair in of("gauge/")), tuple(Series(*pair) for pair in of("other/")),
            tuple(self.health),
            logs=tuple(LogTemplate(name, samples, critical=True) for name, samples in of("log/")),
        )  # fmt: skip


def _below(bound: float, scene: Scene, minute: Minute) -> float:
    def normal(scale: float) -> float:
        return 0.5 * (1 + erf(log(bound / (scene.median * scale)) / (scene.sigma * sqrt(2))))

    body = normal(minute.scale * minute.bulk)
    if minute.bulk != 1.0:
        body = min(body, 0.9 + max(0.0, normal(minute.scale) - 0.9)) if normal(minute.scale) > 0.9 else min(body, normal(minute.scale))
    return (1 - minute.tail) * body + minute.tail * normal(minute.scale * minute.tail_scale)


def _poisson(mean: float, draw: random.Random) -> int:
    if mean <= 0:
        return 0
    if mean > 30:
        return max(0, round(draw.gauss(mean, sqrt(mean))))
    limit, product, count = exp(-mean), draw.random(), 0
    while product > limit:
        product *= draw.random()
        count += 1
    return count


def _clustered(mean: float, size: float, draw: random.Random) -> int:
    """Errors that come in clusters of a geometric size: a lost connection fails all that waited for it."""
    if size <= 1:
        return _poisson(mean, draw)
    return sum(1 + int(log(max(1e-12, draw.random())) / log(1 - 1 / size)) for _ in range(_poisson(mean / size, draw)))


# Healthy families


def nothing(minute: Minute, draw: random.Random, run: Run) -> None:
    """Steady."""


def warm_up(minute: Minute, draw: random.Random, run: Run) -> None:
    left = exp(-max(0.0, minute.age) / run.once("tau", draw.uniform(0.6, 1.2)))
    if minute.canary:
        minute.scale *= 1 + 2 * left
        minute.error += 0.02 * left
        minute.cpu = max(minute.cpu, min(99, minute.cpu + 50 * left))


def slow_start(minute: Minute, draw: random.Random, run: Run) -> None:
    left = exp(-max(0.0, minute.age) / run.once("tau", draw.uniform(1.2, 2.0)))
    if minute.canary:
        minute.scale *= 1 + 1.5 * left
        minute.error += 0.01 * left


def shared_bursts(minute: Minute, draw: random.Random, run: Run) -> None:
    for number in range(3):
        begin = run.once(f"begin{number}", draw.randint(-15, 27))
        if begin <= minute.at < begin + run.once(f"long{number}", draw.randint(1, 5)):
            minute.error += run.once(f"size{number}", draw.uniform(0.01, 0.3)) * exp(draw.gauss(0, 0.1))
            minute.scale *= 2


def own_bursts(minute: Minute, draw: random.Random, run: Run) -> None:
    for number in range(3):
        begin = run.once(f"begin{number}", draw.randint(-15, 27))
        hits = run.once(f"side{number}", draw.random()) < 0.5
        if begin <= minute.at < begin + run.once(f"long{number}", draw.randint(1, 2)) and minute.canary is hits:
            minute.error += run.once(f"size{number}", draw.uniform(0.005, 0.05))
            minute.scale *= 1.5


def diurnal(minute: Minute, draw: random.Random, run: Run) -> None:
    grown = 1 + 0.8 * (minute.at + BEFORE) / (BEFORE + AFTER)
    minute.rate *= grown
    minute.scale *= grown**0.5
    minute.error *= grown
    minute.cpu *= grown**0.8


def rush_hour(minute: Minute, draw: random.Random, run: Run) -> None:
    """At this time of every day: three times the errors, and slower."""
    if minute.at >= 3:
        minute.rate *= 1.5
        minute.error *= 3
        minute.scale *= 1.7


def scrape_loss(minute: Minute, draw: random.Random, run: Run) -> None:
    begin = run.once("hole", draw.randint(0, 20))
    minute.lost = draw.random() < 0.2 or (begin <= minute.at < begin + 7 and minute.canary)


def restarts(minute: Minute, draw: random.Random, run: Run) -> None:
    minute.restart = draw.random() < 0.01 and minute.age > 2
    if minute.restart:
        minute.rate *= 0.6


def walking(minute: Minute, draw: random.Random, run: Run) -> None:
    """Noise that lasts for some minutes, of each pod."""
    for kind, size in (("l", 0.06), ("e", 0.25)):
        key = f"{kind}{minute.canary}{minute.pod}"
        run.memo[key] = 0.85 * run.memo.get(key, 0.0) + draw.gauss(0, size * 0.53)
    minute.scale *= exp(run.memo[f"l{minute.canary}{minute.pod}"])
    minute.error *= exp(run.memo[f"e{minute.canary}{minute.pod}"])


def slower_node(minute: Minute, draw: random.Random, run: Run) -> None:
    if minute.canary:
        minute.scale *= 1.08
        minute.cpu += 8


def pauses(minute: Minute, draw: random.Random, run: Run) -> None:
    if draw.random() < 0.15:
        minute.tail, minute.tail_scale = 0.01, 12


def two_endpoints(minute: Minute, draw: random.Random, run: Run) -> None:
    mixed = 0.15 + 0.1 * sin(minute.at / 5 + run.once("phase", draw.uniform(0, 6)))
    minute.tail, minute.tail_scale = mixed, 6
    minute.error *= 1 + 3 * mixed


def cold_memory(minute: Minute, draw: random.Random, run: Run) -> None:
    if minute.canary:
        minute.memory = 52 - 30 * exp(-max(0.0, minute.age) / 12) + draw.gauss(0, 1)


def health_blips(minute: Minute, draw: random.Random, run: Run) -> None:
    minute.healthy = draw.random() > 0.03


def zone_failure(minute: Minute, draw: random.Random, run: Run) -> None:
    begin, long = run.once("begin", draw.randint(4, 24)), run.once("long", draw.randint(2, 6))
    if minute.pod % 3 == 0 and begin <= minute.at < begin + long:
        minute.error += 0.05
        minute.scale *= 1.5


def baseline_gap(minute: Minute, draw: random.Random, run: Run) -> None:
    begin = run.once("hole", draw.randint(3, 18))
    minute.lost = not minute.canary and begin <= minute.at < begin + 6


def baseline_deploy(minute: Minute, draw: random.Random, run: Run) -> None:
    """The old version is restarted, pod by pod, and is slow and failing at first."""
    begin = run.once("begin", draw.randint(4, 20)) + minute.pod // 2
    if not minute.canary and minute.at >= begin:
        minute.restart = minute.at == begin
        left = exp(-(minute.at - begin) / 0.8)
        minute.error += 0.01 * left
        minute.scale *= 1 + left


def shared_exceptions(minute: Minute, draw: random.Random, run: Run) -> None:
    minute.exceptions = 0.0005


def failing_dependency(minute: Minute, draw: random.Random, run: Run) -> None:
    """Errors of both versions rise to another level at some minute, and stay there."""
    if minute.at >= run.once("begin", draw.randint(-8, 20)):
        minute.error *= 2.5


# Regressions


def _also(first: Shape, second: Shape) -> Shape:
    def both(minute: Minute, draw: random.Random, run: Run) -> None:
        first(minute, draw, run)
        second(minute, draw, run)

    return both


def worse(
    *, times: float = 1.0, plus: float = 0.0, scale: float = 1.0, since: int = 0, tail: float = 0.0, tail_scale: float = 1.0, bulk: float = 1.0,
    share: float = 0.0, client: float = 0.0, conversion: float = 1.0, exceptions: float = 0.0, one_pod: bool = False, ramp: int = 0,
) -> Shape:  # fmt: skip
    def shape(minute: Minute, draw: random.Random, run: Run) -> None:
        if not minute.canary or minute.at < since or minute.share < share or (one_pod and minute.pod != 0):
            return
        part = min(1.0, (minute.at - since) / ramp) if ramp else 1.0
        minute.error = minute.error * times + plus * part
        minute.scale *= scale
        minute.bulk = bulk
        if tail:
            minute.tail, minute.tail_scale = tail, tail_scale
        minute.client_error += client
        minute.conversion *= conversion
        minute.exceptions = exceptions

    return shape


def hot(minute: Minute, draw: random.Random, run: Run) -> None:
    if minute.canary:
        minute.cpu = 95 + draw.gauss(0, 1)


def leak(minute: Minute, draw: random.Random, run: Run) -> None:
    if minute.canary:
        minute.memory = min(99.0, minute.memory + run.once("leak", draw.uniform(1.5, 3.0)) * max(0.0, minute.age))


def crashing(minute: Minute, draw: random.Random, run: Run) -> None:
    if minute.canary and minute.age > 0 and int(minute.age) % 3 == 0:
        minute.restart = True
        minute.rate *= 0.5
        minute.error += 0.02


def unwell(minute: Minute, draw: random.Random, run: Run) -> None:
    minute.healthy = not (minute.canary and minute.at >= 8)


def _fixed(**changes: object) -> Callable[[Scene], Scene]:
    return lambda scene: replace(scene, **changes)  # type: ignore[arg-type]


_HUNDRED = _fixed(rps=100.0, error=0.002)
_LOW = _fixed(rps=3.0, error=0.003)
_ROLLING = _fixed(strategy=Strategy.ROLLING, pods=8, shares=((0, 0.25), (5, 0.5), (10, 0.75), (15, 1.0)), checks=True)
_BLUE_GREEN = _fixed(strategy=Strategy.BLUE_GREEN, shares=((0, 0.0), (6, 1.0)), checks=True)
_AT_ONCE = _fixed(strategy=Strategy.BLUE_GREEN, shares=((0, 1.0),), checks=True)
_WITH_DAYS = _fixed(strategy=Strategy.BLUE_GREEN, shares=((0, 1.0),), checks=True, earlier=7)

FAMILIES = (
    Family("steady", True, nothing),
    Family("high traffic", True, nothing, _fixed(rps=2500.0, error=0.003, pod_latency=0.04, pod_error=0.1)),
    Family("low traffic", True, nothing, _LOW),
    Family("tiny traffic", True, nothing, _fixed(rps=0.2, error=0.005)),
    Family("diurnal drift", True, diurnal),
    Family("shared bursts", True, shared_bursts),
    Family("pod noise", True, nothing, _fixed(pod_error=0.3, pod_latency=0.08)),
    Family("own bursts", True, own_bursts),
    Family("warm-up", True, warm_up),
    Family("scrape loss", True, scrape_loss),
    Family("restarts", True, restarts),
    Family("unequal replicas", True, nothing, _fixed(pods=16, canary_pods=(1, 1, 1))),
    Family("rare errors", True, nothing, _fixed(error=0.00002)),
    Family("changing shares", True, nothing, _fixed(shares=((0, 0.05), (4, 0.5), (7, 0.1), (12, 0.25), (13, 0.05), (20, 0.5)))),
    Family("slow start", True, slow_start),
    Family("walking noise", True, walking),
    Family("slower node", True, slower_node),
    Family("small service", True, nothing, _fixed(rps=20.0, pods=2, canary_pods=(1, 1, 1))),
    Family("pauses", True, pauses),
    Family("two endpoints", True, two_endpoints),
    Family("cold memory", True, cold_memory),
    Family("errors x1.5 (border)", False, worse(times=1.5), _HUNDRED, counted=False),
    Family("errors +0.05 pp (inside)", False, worse(plus=0.0005), _HUNDRED, counted=False),
    Family("errors x2", False, worse(times=2), _HUNDRED),
    Family("errors x3", False, worse(times=3), _HUNDRED),
    Family("errors +1 pp", False, worse(plus=0.01)),
    Family("errors +5 pp", False, worse(plus=0.05)),
    Family("rare errors +0.3 pp", False, worse(plus=0.003), _fixed(error=0.00002)),
    Family("low traffic +2 pp", False, worse(plus=0.02), _LOW),
    Family("low traffic +10 pp", False, worse(plus=0.1), _LOW),
    Family("latency x1.25 (border)", False, worse(scale=1.25), counted=False),
    Family("latency x1.5", False, worse(scale=1.5)),
    Family("latency x2", False, worse(scale=2)),
    Family("2 % x10 slower", False, worse(tail=0.02, tail_scale=10)),
    Family("5 % x5 slower", False, worse(tail=0.05, tail_scale=5)),
    Family("late errors +2 pp", False, worse(plus=0.02, since=18)),
    Family("late latency x2", False, worse(scale=2, since=18)),
    Family("errors +1 pp at 50 %", False, worse(plus=0.01, share=0.5)),
    Family("behind warm-up +2 pp", False, _also(warm_up, worse(plus=0.02))),
    Family("shared bursts, +2 pp", False, _also(shared_bursts, worse(plus=0.02))),
    Family("pod noise, errors x3", False, worse(times=3), _fixed(rps=150.0, error=0.003, pod_error=0.3, pod_latency=0.08)),
    Family("scrape loss, +2 pp", False, _also(scrape_loss, worse(plus=0.02))),
    Family("drift, latency x1.5", False, _also(diurnal, worse(scale=1.5))),
    Family("CPU saturation", False, hot),
    Family("memory leak", False, leak),
    Family("crash loop", False, crashing),
    Family("one endpoint +3 pp", False, worse(plus=0.03), lambda scene: replace(scene, error=0.001)),
    Family("one pod only +8 pp", False, worse(plus=0.08, one_pod=True)),
    Family("P50 shift x1.5", False, worse(bulk=1.5)),
    Family("4xx +5 pp", False, worse(client=0.05)),
    Family("log exceptions", False, worse(exceptions=0.003)),
    Family("business -10 %", False, worse(conversion=0.9), _fixed(rps=800.0, business=0.2)),
    Family("ramp to +2 pp", False, worse(plus=0.02, ramp=20)),
    Family("stuck, 5 % x200 slower", False, worse(tail=0.05, tail_scale=200)),
    Family("walking noise, x1.8", False, _also(walking, worse(scale=1.8))),
    Family("pauses, +1 pp", False, _also(pauses, worse(plus=0.01))),
    # Written after the last change of the judge, measured once.
    Family("health blips", True, health_blips, _fixed(checks=True), held=True),
    Family("zone failure", True, zone_failure, held=True),
    Family("gaps in the baseline", True, baseline_gap, held=True),
    Family("baseline restarted", True, baseline_deploy, held=True),
    Family("shared exceptions", True, shared_exceptions, held=True),
    Family("both rise to a new level", True, failing_dependency, held=True),
    Family("clusters of errors", True, nothing, _fixed(cluster=5.0), held=True),
    Family("uneven replicas", True, nothing, _fixed(uneven=1.0), held=True),
    Family("scrape offsets", True, nothing, _fixed(offset=25.0), held=True),
    Family("autoscaling", True, nothing, _fixed(scaling=True), held=True),
    Family("business, steady", True, nothing, _fixed(rps=800.0, business=0.2), held=True),
    Family("rolling", True, nothing, _ROLLING, held=True),
    Family("blue/green", True, nothing, _BLUE_GREEN, held=True),
    Family("all at once", True, nothing, _AT_ONCE, held=True),
    Family("all at once, drift", True, diurnal, _AT_ONCE, held=True),
    Family("health failing", False, unwell, _fixed(checks=True), held=True),
    Family("clusters, +1 pp", False, worse(plus=0.01), _fixed(cluster=5.0), held=True),
    Family("uneven replicas, +1 pp", False, worse(plus=0.01), _fixed(uneven=1.0), held=True),
    Family("zone failure, +2 pp", False, _also(zone_failure, worse(plus=0.02)), held=True),
    Family("new level, x4", False, _also(failing_dependency, worse(times=4)), _fixed(rps=150.0, error=0.002), held=True),
    Family("autoscaling, latency x1.6", False, worse(scale=1.6), _fixed(scaling=True), held=True),
    Family("scrape offsets, +1 pp", False, worse(plus=0.01), _fixed(offset=25.0), held=True),
    Family("gaps in the baseline, x3", False, _also(baseline_gap, worse(times=3)), _fixed(rps=150.0, error=0.002), held=True),
    Family("baseline restarted, +2 pp", False, _also(baseline_deploy, worse(plus=0.02)), held=True),
    Family("rolling, +1 pp", False, worse(plus=0.01), _ROLLING, held=True),
    Family("blue/green, +3 pp", False, worse(plus=0.03, share=1.0), _BLUE_GREEN, held=True),
    Family("all at once, +3 pp", False, worse(plus=0.03), _AT_ONCE, held=True),
    Family("all at once, latency x2", False, worse(scale=2), _AT_ONCE, held=True),
    Family("earlier days", True, nothing, _WITH_DAYS, held=True),
    Family("earlier days, drift", True, diurnal, _WITH_DAYS, held=True),
    Family("earlier days, rush hour", True, rush_hour, _WITH_DAYS, held=True),
    Family("earlier days, drift, +3 pp", False, _also(diurnal, worse(plus=0.03)), _WITH_DAYS, held=True),
    Family("earlier days, rush hour, +3 pp", False, _also(rush_hour, worse(plus=0.03)), _WITH_DAYS, held=True),
    Family("earlier days, latency x2", False, worse(scale=2), _WITH_DAYS, held=True),
)  # fmt: skip

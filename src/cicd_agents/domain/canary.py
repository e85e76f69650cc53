"""The words of canary judgement: what was observed, the policy, and what is concluded.

Times are seconds since the epoch, UTC; latencies are in seconds, shares and rates fractions (0.001 is 0.1 %), CPU and memory percent of the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Samples = tuple[tuple[float, float], ...]  # (time, value), in any order


class Direction(StrEnum):
    """Which way is worse."""

    INCREASE = "increase"
    DECREASE = "decrease"


class Kind(StrEnum):
    """What a metric is, and so how it is tested."""

    RATIO = "count-ratio"  # events of requests
    QUANTILE = "quantile"  # latency, as requests slower than a bucket bound
    GAUGE = "gauge"  # a level, minute by minute
    BUSINESS = "business"  # a count ratio of business counters, or a level
    LOGS = "logs"  # critical log messages of requests


class Status(StrEnum):
    """What is known of a metric, or of the whole."""

    PASS = "pass"  # noqa: S105 an outcome
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"  # seen, but too little to tell
    NO_DATA = "no-data"  # not seen


class Decision(StrEnum):
    """What to do with the canary."""

    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"


class Strategy(StrEnum):
    """How the new version takes over."""

    CANARY = "canary"
    BLUE_GREEN = "blue-green"
    ROLLING = "rolling"
    AB = "a-b"


# What was observed


@dataclass(frozen=True, slots=True)
class Series:
    """One series: a raw cumulative counter, a gauge, or a value per step, as its place in the observation says."""

    name: str
    samples: Samples


@dataclass(frozen=True, slots=True)
class Bucket:
    """The raw cumulative counter of requests that took at most `bound` seconds (infinity: all of them)."""

    bound: float
    samples: Samples


@dataclass(frozen=True, slots=True)
class LogTemplate:
    """How often a kind of log message was seen, as a cumulative counter; `critical` for exceptions, panics and out-of-memory."""

    template: str
    samples: Samples
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Replica:
    """What one pod shows. `started` is when it did, None where unknown.

    `requests` are counters named by outcome class ("2xx", "404", "5xx"), or "total" and those of the errors; `counters` are others ("restarts", "oom_kills",
    business events);
    `gauges` such as "cpu", "memory", "connections"; `health` is (time, healthy).
    """

    name: str
    started: float | None = None
    requests: tuple[Series, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    gauges: tuple[Series, ...] = ()
    counters: tuple[Series, ...] = ()
    health: tuple[tuple[float, bool], ...] = ()
    logs: tuple[LogTemplate, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One side. `values` are ready series, named as the metrics of the policy, for what has no counts."""

    name: str
    replicas: tuple[Replica, ...] = ()
    values: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """One line of a plain table: `metric` is a name of the policy; None where a side has no number. Units are those of the metric."""

    metric: str
    canary: float | None
    baseline: float | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of both versions. `since` is when this canary began to serve, None: with its first sample.

    `share` is the canary's share of the traffic over time; `warnings` say why the data may be partial. `concurrent` is False where the baseline is of another
    time (before the deployment, or the same time of an earlier day, shifted onto the canary's): then the evidence is weaker. It was `moved` by so many seconds,
    0: not known. `earlier` is the whole service at the same clock time of earlier days, each moved onto the present; it is looked at where no baseline of the
    same time is left.
    """

    baseline: Version = Version("baseline")
    canary: Version = Version("canary")
    since: float | None = None
    share: Samples = ()
    points: tuple[Point, ...] = ()
    warnings: tuple[str, ...] = ()
    concurrent: bool = True
    moved: float = 0.0
    earlier: tuple[Version, ...] = ()


# The policy


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much worse is harmless. A bound is `ratio × baseline + margin`, in the metric's unit; for what should not fall, `ratio` is below 1.

    `harmless_*`: inside the null hypothesis of the always-valid test, so that a difference like this never counts as evidence.
    `go_*`: the user's GO limit, which the estimate must pass as well before a metric fails. `stop_ratio`: the NO-GO limit, which must be ruled out for a PASS;
    `see_margin`: where the baseline is small, the difference that must be ruled out instead.
    `ceiling` and `stop`: absolute GO and NO-GO limits, None: there is none.
    """

    harmless_ratio: float = 1.1
    harmless_margin: float = 0.0
    go_ratio: float = 1.2
    go_margin: float = 0.0
    stop_ratio: float = 1.5
    see_margin: float = 0.0
    ceiling: float | None = None
    stop: float | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the policy.

    `events`: the counters that count (prefixes of outcome classes for requests: "5" is every 5xx; exact names otherwise); `of`: the counters of all, empty: all
    requests. `quantile` for latency. `unit` is what reports print: "%" (of a fraction), "s", "percent" or "". `required`: without it there is no PASS.
    `critical`: failing it rolls back; otherwise it holds. `weight` is its share of the false-alarm budget and of the score.
    """

    name: str
    kind: Kind
    title: str = ""
    direction: Direction = Direction.INCREASE
    events: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    quantile: float | None = None
    unit: str = ""
    weight: float = 1.0
    critical: bool = True
    required: bool = False
    dry_run: bool = False
    tolerance: Tolerance = Tolerance()


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: the canary's share, the least minutes, and what to do when nothing can be told. `see` multiplies what must be ruled out for a PASS.

    `inconclusive` may be anything; `no_data` may only hold: what cannot be seen is neither promoted nor rolled back. `tolerances` replace those of the policy.
    """

    share: float
    minutes: float
    see: float = 1.0
    inconclusive: Decision = Decision.HOLD
    no_data: Decision = Decision.HOLD
    tolerances: tuple[tuple[str, Tolerance], ...] = ()


@dataclass(frozen=True, slots=True)
class AtOnce:
    """The rules that do not wait, each with the least that must have been seen.

    `error_rate`: more than this fraction of errors, with `least_errors` errors in each of two minutes. `latency`: P99 beyond so many seconds.
    `restarts` of one replica within `restart_minutes` are a crash loop; `oom_kills` of the canary; health failing without a break for `health_seconds`,
    over at least `least_checks` results.
    """

    error_rate: float = 0.10
    least_errors: int = 10
    latency: float = 10.0
    restarts: int = 3
    restart_minutes: float = 15.0
    oom_kills: int = 2
    health_seconds: float = 120.0
    least_checks: int = 4


@dataclass(frozen=True, slots=True)
class CanaryPolicy:
    """How to judge. `alpha` is the false-alarm budget of all metrics together, over all looks. Seconds: `step`, `warm_up` (pod age), `hole` (longest gap).

    Where no baseline of the same time is left: `objective` is the part of the requests that should have no server error, whose budget must not burn too fast;
    `earlier_days` is of how many days before the same clock time is looked at (0: of none).
    """

    metrics: tuple[Metric, ...]
    stages: tuple[Stage, ...]
    strategy: Strategy = Strategy.CANARY
    alpha: float = 0.01
    step: float = 60.0
    warm_up: float = 180.0
    hole: float = 300.0
    at_once: AtOnce = AtOnce()
    slo_latency: float | None = None
    least_requests: int = 50
    objective: float = 0.999
    earlier_days: int = 7


# The conclusion


@dataclass(frozen=True, slots=True)
class Strength:
    """Why a metric is judged so: `log_e` is the natural logarithm of the e-value, `threshold` what it must reach (log of 1/alpha).

    `p_value` is the always-valid one, min(1, 1/e). Counts are after all exclusions. `dispersion` is how much noisier than pure chance the counts are (1: not at
    all), `pod_noise` the standard deviation of lasting differences between pods, as a fraction. `seen_minutes`: minutes that both sides could be compared in.
    """

    log_e: float | None = None
    threshold: float | None = None
    alpha: float | None = None
    p_value: float | None = None
    canary_events: float | None = None
    canary_total: float | None = None
    baseline_events: float | None = None
    baseline_total: float | None = None
    seen_minutes: float = 0.0
    dispersion: float | None = None
    pod_noise: float | None = None


@dataclass(frozen=True, slots=True)
class MetricJudgement:
    """What is concluded of one metric. `effect` is canary divided by baseline; `upper` the bound that the canary's value is below with 95 % confidence.

    `needed_requests` and `needed_minutes`: how many more of the canary's would tell, None where it is told already or cannot be said.
    """

    name: str
    title: str
    kind: Kind
    unit: str
    status: Status
    reason: str
    canary: float | None = None
    baseline: float | None = None
    delta: float | None = None
    limit: float | None = None
    effect: float | None = None
    upper: float | None = None
    strength: Strength = Strength()
    weight: float = 1.0
    critical: bool = True
    required: bool = False
    dry_run: bool = False
    weaker: bool = False
    exclusions: tuple[str, ...] = ()
    needed_requests: int | None = None
    needed_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """An at-once rule that fired, with what was seen."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class NextTrigger:
    """A number that would roll the next stage back: `limit` in the metric's unit."""

    metric: str
    title: str
    unit: str
    limit: float
    text: str


@dataclass(frozen=True, slots=True)
class RiskTerm:
    """One term of the risk score."""

    name: str
    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """The whole conclusion; `reason` is one plain sentence. `minutes` is how long the canary has been serving, `stage` an index into the policy's stages.

    `budget` is each metric's share of the false-alarm budget. `risk` is 0 to 1. `weaker`: it rests on points, another time or partial data.
    """

    status: Status
    decision: Decision
    reason: str
    strategy: Strategy
    stage: int
    share: float
    minutes: float
    metrics: tuple[MetricJudgement, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    exclusions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    triggers: tuple[NextTrigger, ...] = ()
    risk: float = 0.0
    risk_terms: tuple[RiskTerm, ...] = ()
    budget: tuple[tuple[str, float], ...] = ()
    alpha: float = 0.01
    weaker: bool = False
    needed_requests: int | None = None
    needed_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class Foresight:
    """What can be seen beforehand: a change of `metric` to `ratio` times the baseline shows after about `minutes`, None: not within `horizon` minutes."""

    metric: str
    ratio: float
    minutes: float | None
    horizon: float
    text: str

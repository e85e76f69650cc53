"""The words of the deployment-guardian around the judge (domain.canary): what it asks, what it saw, and what its report says.

Times are seconds since the epoch, UTC; latencies are in seconds, shares and rates fractions (0.001 is 0.1 %), CPU and memory percent of the limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cicd_agents.domain.canary import Alarm, Decision, NextTrigger, RiskTerm, Samples, Status
from cicd_agents.domain.finding import Fix

# What metrics say


@dataclass(frozen=True, slots=True)
class Sampled:
    """One series of an answer: its labels, without order, and its samples by time. NaN and infinite values are kept as they are."""

    labels: Mapping[str, str]
    samples: Samples


@dataclass(frozen=True, slots=True)
class MetricsAnswer:
    """What a store said to a query. `warnings` mean that the data may be partial; `infos` say less."""

    query: str
    series: tuple[Sampled, ...]
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


class MetricsStore(Protocol):
    """A server of PromQL. Methods raise ServiceError, Rejected for a query that it does not understand; several threads may call them."""

    def query(self, promql: str, at: float) -> MetricsAnswer:
        """The value at a time; of `name[30m]` all raw samples of that window, at the times of their scrapes."""
        ...

    def query_range(self, promql: str, start: float, end: float, step: float) -> MetricsAnswer:
        """A value per step from `start` to `end`, both inclusive; a window beyond the server's limit of points is asked for in parts."""
        ...


@dataclass(frozen=True, slots=True)
class Sides:
    """Which series belong to which version: PromQL label matchers without braces, such as `namespace="prod",pod=~"api-7d9-.*"`; `common` goes to both."""

    canary: str
    baseline: str
    common: str = ""


@dataclass(frozen=True, slots=True)
class QueryRecord:
    """A query as it was asked, for the report. `side` is canary, baseline or both; `value` the newest value where there is one series."""

    metric: str
    side: str
    query: str
    series: int
    samples: int
    value: float | None = None
    warning: str = ""


# What the cluster says


@dataclass(frozen=True, slots=True)
class PodState:
    """A pod as the cluster sees it now. `version` is its template hash or revision; `oom_kills` counts containers whose last end was by memory."""

    name: str
    version: str
    images: tuple[str, ...]
    started: float | None
    ready: bool
    restarts: int
    oom_kills: int = 0
    waiting: str = ""  # the reason of a container that waits (CrashLoopBackOff, ImagePullBackOff), empty: none does
    memory_limit: float | None = None  # bytes, all containers, None where one has none
    cpu_limit: float | None = None  # cores
    ready_since: float | None = None  # when the present readiness began, None: not known


# Acting


@dataclass(frozen=True, slots=True)
class KnownRevision:
    """A version that a delivery tool can go to. `id` is the tool's own name for it (history id, ReplicaSet, commit), `version` images or commits for people.

    `good`: it was fully available once; None where the tool does not tell. `why` says how that is known.
    """

    id: str
    version: str
    deployed: float | None = None
    good: bool | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryStanding:
    """How a target stands. `good` is the newest revision before the current one that is known to be good, None: there is none.

    `healthy`: all of the current revision's replicas are ready; None where that is not told. `settled`: nothing is going on. `failed`: why it has given up.
    `obstacles` are reasons not to act now (an operation is running, a right is missing), `notes` what a person should know. `share` is the canary's part of the
    traffic, `stable` what serves beside a canary, where the tool tells.
    """

    target: str
    current: KnownRevision | None
    good: KnownRevision | None = None
    earlier: tuple[KnownRevision, ...] = ()
    stable: KnownRevision | None = None
    healthy: bool | None = None
    settled: bool = True
    failed: str = ""
    health: str = ""
    share: float | None = None
    obstacles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


# The report


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A judged metric as the report shows it; numbers are in the metric's unit (domain.canary.Metric). `evidence` says what the conclusion rests on."""

    name: str
    title: str
    kind: str
    unit: str
    baseline: float | None
    canary: float | None
    delta: float | None
    limit: float | None
    effect: float | None
    p_value: float | None
    status: Status
    reason: str
    evidence: str = ""
    query: str = ""
    critical: bool = True
    required: bool = False
    dry_run: bool = False
    weaker: bool = False
    needed_requests: int | None = None
    needed_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Two lines over time and a limit, in `unit` (as a metric's): at most 120 points each."""

    name: str
    title: str
    unit: str
    baseline: Samples
    canary: Samples
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class MessageCount:
    """How often each version wrote a kind of log message; `message` is its template, redacted."""

    message: str
    canary: float
    baseline: float
    critical: bool = False


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened, in one sentence."""

    time: float
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A page for people, such as a dashboard."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class GuardianDetails:
    """The guardian's part of the report contract. `stage` counts from 1 of `stages`; `share` is the canary's part of the traffic.

    `positives` and `negatives` are what speaks for and against the new version, in sentences; `actions` what to do; `foresight` what this traffic can show.
    """

    service: str
    environment: str
    strategy: str
    stage: int
    stages: int
    share: float
    minutes: float
    stage_minutes: float
    status: Status
    decision: Decision
    reason: str
    metrics: tuple[MetricRow, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    positives: tuple[str, ...] = ()
    negatives: tuple[str, ...] = ()
    actions: tuple[Fix, ...] = ()
    risk_score: float = 0.0
    risk_terms: tuple[RiskTerm, ...] = ()
    triggers_next_stage: tuple[NextTrigger, ...] = ()
    foresight: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    queries: tuple[QueryRecord, ...] = ()
    charts: tuple[Chart, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    links: tuple[Link, ...] = ()
    budget: tuple[tuple[str, float], ...] = ()
    alpha: float = 0.01
    weaker: bool = False
    judge: str = "always-valid"
    canary_version: str = ""
    baseline_version: str = ""
    needed_requests: int | None = None
    needed_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class WatchState:
    """How far a watch has come, so that a later job goes on with it. It holds for one `version` of one service in one environment only.

    `stage` counts from 0, `stages` says when each began (time, share); `ended` is the decision that ended the watch, empty while it goes on. `judged` are the
    versions in the words of the delivery tool, `run` the CI run: by these a run that was killed while it rolled back is finished by the next one. `told` is the
    kind of the last message to people (report.guardian_slack), empty: there was none.
    """

    service: str
    environment: str
    version: str
    since: float
    stage: int = 0
    stages: Samples = ()
    timeline: tuple[TimelineEntry, ...] = ()
    ended: str = ""
    judged: tuple[str, ...] = ()
    run: str = ""
    told: str = ""

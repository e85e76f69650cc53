"""From the answers about one side to a Version: replicas with counters, buckets, levels, restarts and health (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import TypeVar

from cicd_agents.analysis.canary.observing import levels, lives
from cicd_agents.analysis.canary.observing.ask import MetricsAsk
from cicd_agents.analysis.canary.observing.joining import Raw, Scrapes, Target, by_scrape, joined, once, raw_of, scrapes_of
from cicd_agents.analysis.canary.observing.outcomes import outcome
from cicd_agents.analysis.canary.observing.own import OwnKind
from cicd_agents.analysis.canary.observing.plan import span
from cicd_agents.analysis.canary.outcomes import UNKNOWN
from cicd_agents.analysis.canary.packs.choice import Choice
from cicd_agents.analysis.canary.packs.pack import PODS
from cicd_agents.analysis.canary.packs.resources import RESOURCE_PODS
from cicd_agents.domain.canary import Bucket, Kind, Replica, Samples, Series, Version
from cicd_agents.domain.guardian import MetricsAnswer

Answers = Mapping[str, MetricsAnswer]
Key = TypeVar("Key")
# Of more responses than this fraction without a known status the observation is partial.
MOST_UNKNOWN = 0.05


@dataclass(slots=True)
class Told:
    """What is to be said of a side: `notes` for people, `warnings` where the data are partial."""

    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Parts:
    """A replica in the making."""

    requests: dict[str, Samples] = field(default_factory=dict)
    buckets: dict[float, Samples] = field(default_factory=dict)
    counters: dict[str, Samples] = field(default_factory=dict)
    gauges: dict[str, Samples] = field(default_factory=dict)
    health: lives.Health = ()


def version_of(name: str, answers: Answers, choice: Choice, ask: MetricsAsk, told: Told) -> Version:
    """One side, "canary" or "baseline", at its own time."""
    parts: dict[str, _Parts] = defaultdict(_Parts)
    started = _traffic(parts, name, answers, choice, ask, told)
    _resources(parts, name, answers, ask, started, told)
    replicas = tuple(_replica(replica, part, started.get(replica)) for replica, part in sorted(parts.items()))
    return Version(name, replicas, (*_values(name, answers, ask, told), *_blind(replicas, ask)))


def _replica(name: str, part: _Parts, started: float | None) -> Replica:
    return Replica(
        name, started, _series(part.requests), tuple(Bucket(bound, samples) for bound, samples in sorted(part.buckets.items())), _series(part.gauges),
        _series(part.counters), part.health,
    )  # fmt: skip


def _series(named: Mapping[str, Samples]) -> tuple[Series, ...]:
    return tuple(Series(name, samples) for name, samples in sorted(named.items()) if samples)


def _traffic(parts: dict[str, _Parts], side: str, answers: Answers, choice: Choice, ask: MetricsAsk, told: Told) -> dict[str, float]:
    """Requests, buckets and counters of the user's own; gives when each pod began."""
    labels = choice.pack.replica if choice.pack else PODS
    roles = ["requests", "durations", *(f"counter {own.name}" for own in ask.own if own.kind is OwnKind.COUNTER)]
    raw = {role: raw_of(answers[role].series, labels) for role in roles if role in answers}
    processes = raw_of(answers["process_start"].series, labels) if "process_start" in answers else []
    pods = raw_of(answers["pod_start"].series, RESOURCE_PODS) if "pod_start" in answers else []
    started = lives.starts(pods, processes)
    same, doubled = lives.process_starts(processes), 0
    for role in raw:
        raw[role], dropped = once(by_scrape(raw[role]), same)
        doubled = max(doubled, dropped)
    if doubled:
        told.notes.append(f"{side}: {doubled} scrape targets show a process that another one shows too; they are counted once")
    window = span(ask, side)[0]
    scrapes = scrapes_of(item for items in raw.values() for item in items)
    first = min((times[0] for times in scrapes.values()), default=window)
    joins = _Joins(scrapes, started, window, first + 1.5 * ask.policy.step, ask.policy.hole)
    for (replica, name), samples in joins.of(raw.get("requests", []), lambda item: outcome_of(item.labels, choice)).items():
        parts[replica].requests[name] = samples
    for (replica, bound), samples in joins.of(raw.get("durations", []), lambda item: bound_of(item.labels, choice)).items():
        parts[replica].buckets[bound] = samples
    for role in roles[2:]:
        for (replica, _), samples in joins.of(raw.get(role, []), lambda _: 0).items():
            parts[replica].counters[role.removeprefix("counter ")] = samples
    _known_outcomes(parts, side, told)
    return started


@dataclass(frozen=True, slots=True)
class _Joins:
    """How series of one replica and class become one counter."""

    scrapes: Scrapes
    started: Mapping[str, float]
    window: float
    late: float
    hole: float

    def of(self, series: Iterable[Raw], key: Callable[[Raw], Key | None]) -> dict[tuple[str, Key], Samples]:
        groups: dict[tuple[str, Key], list[Raw]] = defaultdict(list)
        for item in series:
            if (name := key(item)) is not None:
                groups[item.replica, name].append(item)
        born = {replica: self._born(replica) for replica, _ in groups}
        return {group: joined(items, self.scrapes, self.hole, born=born[group[0]]) for group, items in groups.items()}

    def _born(self, replica: str) -> bool:
        """Whether it began within the window: as told, otherwise because it appeared later than the first others (as the judge has it)."""
        began = self.started.get(replica)
        if began is not None:
            return began >= self.window
        return min((times[0] for target, times in self.scrapes.items() if target[0] == replica), default=0.0) > self.late


def outcome_of(labels: Mapping[str, str], choice: Choice) -> str:
    """The class of the outcome that a series counts."""
    return outcome(labels, choice.pack.status, choice.pack.grpc) if choice.pack else UNKNOWN


def bound_of(labels: Mapping[str, str], choice: Choice) -> float | None:
    """The bucket's bound in seconds; "0.1" and "0.10" are the same one."""
    try:
        bound = float(labels.get("le", ""))
    except ValueError:
        return None
    return None if isnan(bound) or bound <= 0 or choice.durations is None else round(bound * choice.durations.to_seconds, 9)


def _known_outcomes(parts: Mapping[str, _Parts], side: str, told: Told) -> None:
    """Without any known status there are no outcomes: taking all for good would be blindness that looks like health."""
    totals: dict[str, float] = defaultdict(float)
    for part in parts.values():
        for name, samples in part.requests.items():
            totals[name] += max(value for _, value in samples) if samples else 0.0
    everything, unknown = sum(totals.values()), totals.get(UNKNOWN, 0.0)
    if totals and set(totals) == {UNKNOWN}:
        for part in parts.values():
            part.requests.clear()
        told.warnings.append(f"{side}: no request counter has a label with a status, so errors cannot be seen")
    elif everything > 0 and unknown / everything > MOST_UNKNOWN:
        told.warnings.append(f"{side}: {100 * unknown / everything:.0f} % of the responses have no known status")


def _resources(parts: dict[str, _Parts], side: str, answers: Answers, ask: MetricsAsk, started: Mapping[str, float], told: Told) -> None:
    """CPU, memory, connections, restarts, kills and readiness, by pod."""

    def of(role: str) -> list[Raw]:
        return raw_of(answers[role].series, RESOURCE_PODS) if role in answers else []

    used = {"cpu": levels.cores(of("cpu"), ask.policy.hole), "memory": levels.plain(of("memory"))}
    for role, unit in (("cpu", "cpu_cores"), ("memory", "memory_bytes")):
        shares = levels.percent(used[role], levels.latest(of(f"{role}_limit")))
        for pod, samples in levels.total(used[role]).items():
            parts[pod].gauges.update({role: shares[pod]} if pod in shares else {unit: samples})
        if used[role] and not shares:
            told.notes.append(f"{side}: no limit of {role} is told by metrics, so its usage is not judged unless the cluster tells the limit")
    for pod, samples in levels.total(levels.plain(of("connections"))).items():
        parts[pod].gauges["connections"] = samples
    window, end = span(ask, side)
    pods, containers = lives.restarts(of("restarts"), started, window)
    for pod, samples in pods.items():
        parts[pod].counters["restarts"] = samples
    kills = lives.oom_kills(of("oom"), containers)
    events = of("oom_events") if not kills else []
    for pod, samples in (kills or _joined_by_pod(events, ask.policy.hole)).items():
        parts[pod].counters["oom_kills"] = samples
    for pod, health in lives.readiness(of("ready"), started, ask.policy.warm_up, end).items():
        parts[pod].health = health


def _joined_by_pod(series: Sequence[Raw], hole: float) -> dict[str, Samples]:
    scrapes: dict[Target, list[float]] = scrapes_of(series)
    groups: dict[str, list[Raw]] = defaultdict(list)
    for item in series:
        groups[item.replica].append(item)
    return {pod: joined(items, scrapes, hole) for pod, items in groups.items()}


def _values(side: str, answers: Answers, ask: MetricsAsk, told: Told) -> tuple[Series, ...]:
    """Ready values of the user's own queries. One without an answer stays in sight, empty."""
    result = []
    for own in ask.own:
        if own.kind is not OwnKind.VALUE:
            continue
        series = answers[f"value {own.name}"].series if f"value {own.name}" in answers else ()
        if len(series) > 1:
            told.warnings.append(f"{side}: the query {own.name} gives {len(series)} series instead of one; add them up in the query")
        result.append(Series(own.name, series[0].samples if len(series) == 1 else ()))
    return tuple(result)


def _blind(replicas: Sequence[Replica], ask: MetricsAsk) -> tuple[Series, ...]:
    """Empty ready series for the error rates of a side whose requests have no outcomes: then they are NO-DATA, not "no errors"."""
    if any(replica.requests for replica in replicas) or not any(replica.buckets for replica in replicas):
        return ()
    counters = {series.name for replica in replicas for series in replica.counters}
    return tuple(Series(metric.name, ()) for metric in ask.policy.metrics if metric.kind is Kind.RATIO and not metric.of and not counters & set(metric.events))

"""Which queries are asked of a metrics store for both versions (pure).

Raw samples are asked for by a range selector, `name{…}[2100s]`, at their own times. Where that would be too many samples the server adds the counters up over
what does not matter (route, method), still as raw counters of each scraped process: all series of a process are reset together, and the birth of one shows as
growth of the sum, so nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from cicd_agents.analysis.canary.observing.ask import MetricsAsk
from cicd_agents.analysis.canary.observing.joining import TARGET
from cicd_agents.analysis.canary.observing.own import OwnKind
from cicd_agents.analysis.canary.observing.promql import all_of, checked, labels_of, selector
from cicd_agents.analysis.canary.packs.choice import Choice, Found, source_name
from cicd_agents.analysis.canary.packs.pack import Pack, Source
from cicd_agents.analysis.canary.packs.resources import LIMIT_OF, NARROWED, SOURCES
from cicd_agents.domain.canary import CanaryPolicy, Kind, Metric
from cicd_agents.domain.errors import UsageError

CANARY, BASELINE = "canary", "baseline"
BOTH = (CANARY, BASELINE)
# Of these the newest value is enough.
_NEWEST = frozenset({"cpu_limit", "memory_limit", "pod_start"})


@dataclass(frozen=True, slots=True)
class Planned:
    """A query for one side. `step` 0: at the time `end`; otherwise a value per step from `start` to `end`. `metric` is a title for people."""

    role: str
    side: str
    metric: str
    query: str
    start: float
    end: float
    step: float = 0.0


@dataclass(frozen=True, slots=True)
class Selected:
    """The checked matchers of a side."""

    traffic: str
    pods: str


def selected(ask: MetricsAsk) -> dict[str, Selected]:
    """The matchers of both sides. Raises UsageError for what are no matchers, and where both sides would be the same series."""
    pods = ask.pods or ask.sides
    common, pods_common = checked(ask.sides.common, "metrics-selector"), checked(pods.common, "metrics-selector of pods")
    result = {}
    for side in BOTH:
        traffic = all_of(common, checked(getattr(ask.sides, side), f"{side}-selector"))
        result[side] = Selected(traffic, all_of(pods_common, checked(getattr(pods, side), f"{side}-selector of pods")))
    if not result[CANARY].traffic:
        raise UsageError('canary-selector: which series are the canary\'s must be said, such as namespace="prod",pod=~"api-7d9f-.*".')
    if result[CANARY].traffic == result[BASELINE].traffic and ask.shift <= 0:
        raise UsageError("canary-selector and baseline-selector are the same: both versions would be the same series.")
    return result


def planned(ask: MetricsAsk, choice: Choice, found: Mapping[str, Found], pods: Mapping[str, Found]) -> list[Planned]:
    """All queries for both sides. `found` is what the probe of the traffic's matchers says, `pods` that of the pods' matchers."""
    matchers = selected(ask)
    result: list[Planned] = []
    if choice.pack is not None:
        kept = _kept(choice.pack, matchers.values())
        for role, name in (("requests", choice.requests), ("durations", choice.durations.buckets if choice.durations else "")):
            if name:
                by = (*kept, "le") if role == "durations" else kept
                result += [_counters(ask, side, role, name, all_of(matchers[side].traffic, choice.matchers), by, found[side]) for side in BOTH]
    for source in SOURCES:
        if name := source_name(source, (pods[CANARY], pods[BASELINE])):
            result += [_source(ask, side, source, name, matchers[side].pods, pods[side]) for side in BOTH]
    return result + [item for side in BOTH for item in _own(ask, side, matchers[side].traffic)]


def query_of(plans: Iterable[Planned], policy: CanaryPolicy) -> dict[str, str]:
    """The query of the canary's side that each metric of the policy rests on, for those that have one."""
    asked = {plan.role: plan.query for plan in plans if plan.side == CANARY}
    return {metric.name: query for metric in policy.metrics if (query := next((asked[role] for role in _roles(metric) if role in asked), ""))}


def _roles(metric: Metric) -> tuple[str, ...]:
    own = (f"value {metric.name}", *(f"counter {name}" for name in metric.events))
    if metric.kind is Kind.QUANTILE:
        return (*own, "durations")
    if metric.kind is Kind.GAUGE:
        return (*own, *(metric.events or (metric.name,)))
    return (*own, "requests") if metric.kind is Kind.RATIO and not metric.of else own


def span(ask: MetricsAsk, side: str) -> tuple[float, float]:
    """The window of a side."""
    if side == BASELINE:
        return ask.start - ask.shift, ask.now - ask.shift
    # What the canary's series were before it began to serve is not the canary: smoke tests, or the old version under the same labels.
    # By a clock that is ahead of ours it begins later than now, and then there is nothing of it yet.
    return ask.start if ask.since is None else min(max(ask.start, ask.since - 2 * ask.scrape), ask.now), ask.now


def window(ask: MetricsAsk, side: str) -> int:
    """The length of a side's window in whole seconds."""
    start, end = span(ask, side)
    return max(1, ceil(end - start))


def _kept(pack: Pack, sides: Iterable[Selected]) -> tuple[str, ...]:
    """The labels that must stay when the server adds up."""
    of_sides = [label for side in sides for label in labels_of(side.traffic)]
    return tuple(dict.fromkeys((*pack.replica, *TARGET, *pack.status, *pack.grpc, *of_sides)))


def _counters(ask: MetricsAsk, side: str, role: str, name: str, matchers: str, by: tuple[str, ...], found: Found) -> Planned:
    start, end = span(ask, side)
    chosen = selector(name, matchers)
    if found.series.get(name, 0) * window(ask, side) / ask.scrape <= ask.most_samples:
        return Planned(role, side, name, f"{chosen}[{window(ask, side)}s]", start, end)
    return Planned(role, side, name, f"sum by ({', '.join(by)}) ({chosen})", start, end, ask.scrape)


def _source(ask: MetricsAsk, side: str, source: Source, name: str, matchers: str, found: Found) -> Planned:
    start, end = span(ask, side)
    narrow = LIMIT_OF.get(source.role, "") if name == "kube_pod_container_resource_limits" else NARROWED.get(name, "")
    chosen = selector(name, all_of(matchers, source.matchers, narrow))
    if source.role in _NEWEST:
        return Planned(source.role, side, name, f"last_over_time({chosen}[{window(ask, side)}s])", start, end)
    if found.series.get(name, 0) * window(ask, side) / ask.scrape > ask.most_samples:
        return Planned(source.role, side, name, chosen, start, end, ask.policy.step)
    return Planned(source.role, side, name, f"{chosen}[{window(ask, side)}s]", start, end)


def _own(ask: MetricsAsk, side: str, matchers: str) -> list[Planned]:
    start, end = span(ask, side)
    result = []
    for own in ask.own:
        query = own.filled(matchers)
        if own.kind is OwnKind.COUNTER:
            result.append(Planned(f"counter {own.name}", side, own.name, f"{query}[{window(ask, side)}s]", start, end))
        else:
            result.append(Planned(f"value {own.name}", side, own.name, query, start, end, ask.policy.step))
    return result

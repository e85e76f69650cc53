"""Which counts a metric is about: rows of events and exposure per replica, and what the null, the GO and the NO-GO limit allow them (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from math import exp, inf, isfinite, log

from cicd_agents.analysis.canary.tables import AGES, Counted, ReplicaTable, Row, Stream
from cicd_agents.domain.canary import Direction, Metric, Tolerance

# A fraction of slow requests that no tolerance on a quantile should be narrower than.
LEAST_SLOW = 0.0005


@dataclass(frozen=True, slots=True)
class Limits:
    """Rates: `rho` the ratio to the baseline that the null allows, with `margin` on top; `go` what the estimate must pass; `stop` what a PASS rules out."""

    rho: float
    go: float
    stop: float
    margin: float = 0.0


def ratio_stream(metric: Metric, canary: Sequence[ReplicaTable], baseline: Sequence[ReplicaTable]) -> Stream:
    """The stream of a count ratio."""
    mine, other = _ratio(metric, canary), _ratio(metric, baseline)
    common = metric.direction is Direction.DECREASE and sum(map(sum, other.events)) > 0.5 * sum(map(sum, other.exposure)) > 0
    if common:
        return Stream(_complement(mine), _complement(other), complement=True)
    return Stream(mine, other, ages=tuple(_ratio(metric, canary, masks) for masks in by_age(canary)))


def by_age(replicas: Sequence[ReplicaTable]) -> list[list[list[bool]]]:
    """The masks of the replicas for each of the ages."""
    return [[replica.ages[age] for replica in replicas] for age in range(len(AGES))]


def _ratio(metric: Metric, replicas: Sequence[ReplicaTable], masks: Sequence[Sequence[bool]] = ()) -> Counted:
    events, exposure = [], []
    for replica, mask in zip(replicas, masks or [replica.usable for replica in replicas], strict=True):
        if metric.of or _is_counter(metric, replica):
            happened = [row for name, row in replica.counters.items() if name in metric.events]
        else:
            happened = [row for name, row in replica.requests.items() if name.startswith(metric.events or ("5",))]
        of_all = [row for name, row in replica.counters.items() if name in metric.of] if metric.of else requests(replica)
        events.append(_masked(happened, mask, len(mask)))
        exposure.append(_masked(of_all, mask, len(mask)))
    return Counted(events, exposure)


def _is_counter(metric: Metric, replica: ReplicaTable) -> bool:
    return any(name in metric.events for name in replica.counters)


def requests(replica: ReplicaTable) -> list[Row]:
    """The rows whose sum is all requests: the outcome classes, or the widest bucket."""
    return list(replica.requests.values()) if replica.requests else [replica.latency[max(replica.latency)]] if replica.latency else []


def log_stream(canary: Sequence[ReplicaTable], baseline: Sequence[ReplicaTable], template: str | None = None) -> Stream:
    """Critical log messages of requests (of minutes, where no requests are counted): all of them, or those of one template."""

    def side(replicas: Sequence[ReplicaTable], masks: Sequence[Sequence[bool]]) -> Counted:
        rows = [[row for name, row in replica.logs.items() if (name == template if template else name in replica.critical)] for replica in replicas]
        return Counted(
            [_masked(row, mask, len(mask)) for row, mask in zip(rows, masks, strict=True)],
            [_masked(requests(replica) or [[1.0] * len(mask)], mask, len(mask)) for replica, mask in zip(replicas, masks, strict=True)],
        )

    ages = tuple(side(canary, masks) for masks in by_age(canary))
    return Stream(side(canary, [replica.usable for replica in canary]), side(baseline, [replica.usable for replica in baseline]), ages=ages)


def _complement(side: Counted) -> Counted:
    pairs = zip(side.events, side.exposure, strict=True)
    return Counted([[max(0.0, n - x) for x, n in zip(events, exposure, strict=True)] for events, exposure in pairs], side.exposure)


def latency_stream(bound: float, canary: Sequence[ReplicaTable], baseline: Sequence[ReplicaTable]) -> Stream:
    """Requests slower than a bucket bound."""

    def side(replicas: Sequence[ReplicaTable]) -> Counted:
        events, exposure = [], []
        for replica in replicas:
            size = len(replica.usable)
            if bound not in replica.latency:
                events.append([0.0] * size)
                exposure.append([0.0] * size)
                continue
            total, quick = replica.latency[max(replica.latency)], replica.latency[bound]
            events.append([max(0.0, n - x) if use else 0.0 for n, x, use in zip(total, quick, replica.usable, strict=True)])
            exposure.append([n if use else 0.0 for n, use in zip(total, replica.usable, strict=True)])
        return Counted(events, exposure)

    return Stream(side(canary), side(baseline), bound)


def histogram(replicas: Sequence[ReplicaTable], until: int, since: int = 0) -> list[tuple[float, float]]:
    """(bound, cumulative count) of all usable steps from `since` to `until` of replicas that share their bounds."""
    result: dict[float, float] = {}
    for replica in replicas:
        usable = replica.usable[since:until]
        all_of_it = all(usable)
        for bound, row in replica.latency.items():
            part = row[since:until]
            result[bound] = result.get(bound, 0.0) + sum(part if all_of_it else compress(part, usable))
    highest, ordered = 0.0, []
    for bound in sorted(result):
        highest = max(highest, result[bound])
        ordered.append((bound, highest))
    return ordered


def quantile(counts: Sequence[tuple[float, float]], q: float) -> float | None:
    """As Prometheus' histogram_quantile: linear within a bucket, the second highest bound in the last; None without requests."""
    if not counts or counts[-1][1] <= 0:
        return None
    rank, below, lower = q * counts[-1][1], 0.0, 0.0
    for bound, upto in counts:
        if upto >= rank and upto > below:
            if not isfinite(bound):
                return lower
            return lower + (bound - lower) * max(0.0, rank - below) / (upto - below)
        below = upto
        lower = bound if isfinite(bound) else lower
    return lower


def survival(counts: Sequence[tuple[float, float]], at: float) -> float:
    """The fraction slower than `at` seconds; between bounds the logarithms are interpolated. Half a request stands for none."""
    total = counts[-1][1] if counts else 0.0
    if total <= 0 or at <= 0:
        return 1.0
    left, above = None, 1.0
    for bound, upto in counts:
        slower = max(total - upto, 0.5) / total if isfinite(bound) else 0.5 / total
        if bound >= at:
            if not isfinite(bound):
                return above
            begin = left if left is not None else bound / 4
            if at <= begin:
                return above
            share = (log(at) - log(begin)) / (log(bound) - log(begin))
            return exp((1 - share) * log(above) + share * log(min(above, slower)))
        left, above = bound, min(above, slower)
    return above


def bounds_about(counts: Sequence[tuple[float, float]], q: float, slo: float | None = None) -> list[float]:
    """The bounds next to a quantile, below and above, and the one at the SLO (for the tail)."""
    total = counts[-1][1] if counts else 0.0
    finite = [(bound, 1 - upto / total) for bound, upto in counts if isfinite(bound)] if total > 0 else []
    below = [bound for bound, slower in finite if 1 - q <= slower < 0.97]
    above = [bound for bound, slower in finite if slower < 1 - q]
    chosen = set(below[-1:] + above[:1])
    if slo is not None and finite:
        chosen.add(min((bound for bound, _ in finite), key=lambda bound: abs(log(bound / slo)) if slo > 0 else inf))
    return sorted(chosen)


def ratio_limits(tolerance: Tolerance, rate: float, wide: float, see: float, *, complement: bool = False, falling: bool = False) -> Limits:
    """The limits of a count ratio at the baseline's `rate`, with `wide` for lasting differences between pods."""
    if complement:
        common = 1 - rate
        harmless, go, stop = (1 - common * share for share in (tolerance.harmless_ratio, tolerance.go_ratio, tolerance.stop_ratio))
        return Limits(max(harmless, rate * wide) / rate, go, stop)
    if falling:
        return Limits(min(tolerance.harmless_ratio, 1 / wide), tolerance.go_ratio * rate - tolerance.go_margin, tolerance.stop_ratio * rate)
    rho = max(tolerance.harmless_ratio, wide)
    return Limits(
        rho, tolerance.go_ratio * rate + tolerance.go_margin, max(tolerance.stop_ratio * rate, rate + tolerance.see_margin * see), tolerance.harmless_margin
    )


def latency_limits(tolerance: Tolerance, counts: Sequence[tuple[float, float]], bound: float, see: float) -> Callable[[float, float], Limits]:
    """What a latency that is so many times the baseline's does to the requests above a bound, as factors on the baseline's rate."""
    rate = survival(counts, bound)
    ratio = survival(counts, bound / max(1.0, tolerance.go_ratio)) / rate
    go = ratio * rate + LEAST_SLOW
    stop = max(survival(counts, bound / max(1.0, tolerance.stop_ratio)), go) + LEAST_SLOW * see

    def limits(at: float, wide: float) -> Limits:
        scale = at / rate
        return Limits(max(ratio, wide), min(1.0, go * scale), min(1.0, stop * scale), LEAST_SLOW)

    return limits


def _masked(rows: Iterable[Sequence[float]], usable: Sequence[bool], size: int) -> Row:
    total = [0.0] * size
    for row in rows:
        for index, value in enumerate(row):
            total[index] += value
    return [value if use else 0.0 for value, use in zip(total, usable, strict=True)]

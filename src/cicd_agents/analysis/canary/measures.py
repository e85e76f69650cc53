"""From a metric of the policy and the tables to its judgement, in plain words (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import exp, log

from cicd_agents.analysis.canary.climbing import spans
from cicd_agents.analysis.canary.counts import Compared, Setting, compare
from cicd_agents.analysis.canary.gauges import Leveled, judge_levels, rows_of
from cicd_agents.analysis.canary.outcomes import shows
from cicd_agents.analysis.canary.streams import (
    bounds_about,
    histogram,
    latency_limits,
    latency_stream,
    log_stream,
    quantile,
    ratio_limits,
    ratio_stream,
    requests,
)
from cicd_agents.analysis.canary.tables import Levels, ReplicaTable, Tables
from cicd_agents.domain.canary import Direction, Kind, Metric, MetricJudgement, Status, Tolerance

# A critical message that the baseline never logs fails when it came so often, in so many minutes.
NEW_MESSAGES, NEW_MINUTES = 5, 3
RECENT, LEAST_TRAFFIC = 5, 200
MAX_TEMPLATES = 50
# From this quantile on the bound at the service level objective is tested too.
TAIL = 0.99


def present(metric: Metric, tables: Tables) -> bool:
    """Whether the observation has anything of this metric: only then it takes part in the budget."""
    replicas = (*tables.canary, *tables.baseline)
    if metric.name in tables.canary_values or metric.name in tables.baseline_values:
        return True
    if metric.kind is Kind.QUANTILE:
        return any(replica.latency for replica in replicas)
    if metric.kind is Kind.LOGS:
        return any(replica.logs for replica in replicas)
    if metric.kind is Kind.GAUGE:
        return any(name in (metric.events or (metric.name,)) for replica in replicas for name in replica.gauges)
    if metric.kind is Kind.RATIO and not metric.of:
        return any(replica.requests for replica in replicas) and _counted(metric, replicas)
    return any(name in metric.events for replica in replicas for name in replica.counters)


def measure(metric: Metric, tables: Tables, setting: Setting) -> MetricJudgement:
    """The judgement of one metric."""
    if metric.kind is not Kind.GAUGE and (metric.name in tables.canary_values or metric.name in tables.baseline_values):
        return _series(metric, tables, setting)
    if metric.kind is Kind.QUANTILE:
        return _latency(metric, tables, setting)
    if metric.kind is Kind.LOGS:
        return _logs(metric, tables, setting)
    if metric.kind is Kind.GAUGE:
        return _gauge(metric, tables, setting)
    return _ratio(metric, tables, setting)


def uncounted(metric: Metric, tables: Tables) -> MetricJudgement | None:
    """The judgement of a ratio of requests whose events nothing counts, whichever test decides; None: they are counted, or it is no such ratio."""
    replicas = (*tables.canary, *tables.baseline)
    ready = metric.name in tables.canary_values or metric.name in tables.baseline_values
    if metric.kind is not Kind.RATIO or metric.of or ready or not any(requests(replica) for replica in replicas) or _counted(metric, replicas):
        return None
    return blank(metric, Status.NO_DATA, f"{metric.title or metric.name}: requests are counted, but not which of them these are")


def _counted(metric: Metric, replicas: Sequence[ReplicaTable]) -> bool:
    """Whether the events of a ratio of requests are counted: without that none is seen, which looks like health."""
    if any(name in metric.events for replica in replicas for name in replica.counters):
        return True
    return shows({name for replica in replicas for name in replica.requests}, metric.events)


def blank(metric: Metric, status: Status, reason: str) -> MetricJudgement:
    """A judgement with nothing in it yet."""
    return MetricJudgement(
        metric.name, metric.title or metric.name, metric.kind, metric.unit, status, reason,
        weight=metric.weight, critical=metric.critical, required=metric.required, dry_run=metric.dry_run,
    )  # fmt: skip


def _ratio(metric: Metric, tables: Tables, setting: Setting) -> MetricJudgement:
    stream = tables.stream(metric.name, partial(ratio_stream, metric))
    falling = metric.direction is Direction.DECREASE

    limits = partial(ratio_limits, metric.tolerance, see=setting.see, complement=stream.complement, falling=falling)
    found = compare(metric, stream, setting, limits)
    return _told(metric, found, complement=stream.complement)


def _told(metric: Metric, found: Compared, *, complement: bool = False, slower_than: float | None = None) -> MetricJudgement:
    def true(rate: float | None) -> float | None:
        return rate if rate is None or not complement else 1 - rate

    result = blank(metric, found.status, _reason(metric, found, slower_than))
    canary, baseline = true(found.canary), true(found.baseline)
    return replace(
        result, canary=canary, baseline=baseline, delta=_delta(canary, baseline), effect=_effect(canary, baseline), strength=found.strength,
        limit=true(found.limits.go) if found.limits else None, upper=true(found.upper), needed_requests=found.need,
        exclusions=() if found.quiet else ("the baseline's own replicas differ more than its noise explains (A/A check): the evidence is weighed down",),
    )  # fmt: skip


def _reason(metric: Metric, found: Compared, slower_than: float | None) -> str:
    title, strength = metric.title or metric.name, found.strength
    if found.status is Status.NO_DATA:
        return f"{title}: there is no minute in which both versions had traffic after warm-up"
    mine = f"{strength.canary_events or 0:.0f} of {strength.canary_total or 0:.0f}"
    # The quantile that is shown is an estimate between bounds; what is tested are the requests beyond one of them.
    bound = "" if slower_than is None else f" slower than {slower_than:g} s" if slower_than >= 1 else f" slower than {1000 * slower_than:g} ms"
    counts = f"{mine} against {strength.baseline_events or 0:.0f} of {strength.baseline_total or 0:.0f}{bound}"
    if found.status is Status.FAIL:
        word = "drop" if metric.direction is Direction.DECREASE else "spike"
        return f"{title} {word}: {counts}; beyond the tolerance, and chance and the usual noise do not explain it"
    if found.status is Status.PASS:
        return f"{title} within threshold: {counts}"
    if found.beyond and (strength.log_e or 0) > 0:
        return f"{title} looks worse, not proven yet: {counts}"
    more = f"; about {found.need} more requests would tell" if found.need else ""
    return f"{title}: too little to tell, {counts}{more}"


def _latency(metric: Metric, tables: Tables, setting: Setting) -> MetricJudgement:
    q = metric.quantile or 0.95
    until = setting.until
    counts = histogram(tables.baseline, until)
    if not any(replica.latency for replica in (*tables.canary, *tables.baseline)):
        return blank(metric, Status.NO_DATA, f"{metric.title or metric.name}: no latency buckets are measured")
    found: list[tuple[float, Compared]] = []
    for bound in bounds_about(counts, q, setting.slo if q >= TAIL else None):
        stream = tables.stream(bound, partial(latency_stream, bound))
        found.append((bound, compare(metric, stream, setting, latency_limits(metric.tolerance, counts, bound, setting.see))))
    seen = [(bound, item) for bound, item in found if item.status is not Status.NO_DATA]
    if not seen:
        return blank(metric, Status.NO_DATA, f"{metric.title or metric.name}: there is no minute in which both versions had traffic after warm-up")
    bound, best = max(seen, key=lambda item: item[1].strength.log_e or 0.0)
    together = log(sum(exp(min(600.0, item.strength.log_e or 0.0)) for _, item in seen) / len(seen))
    strength = replace(best.strength, log_e=together, p_value=min(1.0, exp(-max(0.0, together))))
    status = _joined([item for _, item in seen], best, together, setting)
    canary, baseline = quantile(histogram(tables.canary, until), q), quantile(histogram(tables.baseline, until, tables.begun) or counts, q)
    best = replace(best, status=status, strength=strength)
    return replace(
        _told(metric, best, slower_than=bound), canary=canary, baseline=baseline, delta=_delta(canary, baseline), effect=_effect(canary, baseline),
        limit=None if baseline is None else baseline * metric.tolerance.go_ratio, upper=None,
    )  # fmt: skip


def _joined(seen: Sequence[Compared], best: Compared, together: float, setting: Setting) -> Status:
    """The bounds share one budget: their mean e-value must reach the threshold."""
    if together >= setting.threshold and best.status is Status.FAIL:
        return Status.FAIL
    return Status.PASS if all(item.status is Status.PASS for item in seen) else Status.INCONCLUSIVE


def _logs(metric: Metric, tables: Tables, setting: Setting) -> MetricJudgement:
    stream = tables.stream("critical logs", log_stream)
    found = compare(metric, stream, setting, partial(ratio_limits, metric.tolerance, see=setting.see))
    result = _told(metric, found)
    new = _new_messages(tables, setting.until)
    if new and found.status is not Status.NO_DATA:
        return replace(result, status=Status.FAIL, reason=f"Critical log messages that the baseline does not have: {new}")
    return result


def _new_messages(tables: Tables, until: int) -> str:
    templates = sorted({name for replica in tables.canary for name in replica.critical})[:MAX_TEMPLATES]
    for template in templates:
        stream = tables.stream(("log", template), partial(log_stream, template=template))
        (a, n_a), (b, n_b) = stream.canary.total(until), stream.baseline.total(until)
        if sum(b) == 0 and sum(n_b) >= sum(n_a) and sum(a) >= NEW_MESSAGES and sum(value > 0.5 for value in a) >= NEW_MINUTES:
            return f"{template[:120]} ({sum(a):.0f} times in {sum(value > 0.5 for value in a)} minutes)"
    return ""


def novelties(tables: Tables, until: int) -> list[str]:
    """Log templates of the canary that the baseline does not have, the most frequent first."""
    known = {name for replica in tables.baseline for name, row in replica.logs.items() if sum(row[:until]) > 0}
    counts: dict[str, float] = {}
    for replica in tables.canary:
        for name, row in replica.logs.items():
            if name not in known and sum(row[:until]) > 0:
                counts[name] = counts.get(name, 0.0) + sum(row[:until])
    return [f"new log message: {name[:120]} ({count:.0f} times)" for name, count in sorted(counts.items(), key=lambda item: -item[1])[:5]]


def traffic(tables: Tables, until: int, share: float) -> list[str]:
    """A note where the canary serves far less or more than its share of the requests of the last minutes: it may be refusing them, or the routing is off."""
    sums = []
    for side in (tables.canary, tables.baseline):
        sums.append(sum(sum(row[max(0, until - RECENT) : until]) for replica in side for row in requests(replica)))
    total = sum(sums)
    if total < LEAST_TRAFFIC or not 0 < share < 1 or 0.5 * share <= sums[0] / total <= 0.5 + 0.5 * share:
        return []
    return [f"the canary served {100 * sums[0] / total:.1f} % of the requests of the last {RECENT} steps, its share is {100 * share:g} %"]


def _gauge(metric: Metric, tables: Tables, setting: Setting) -> MetricJudgement:
    rows = [rows_of(metric, side, setting.until) for side in (tables.canary, tables.baseline)]
    return _since_begun(metric, rows, tables, setting) if any(rows) else _series(metric, tables, setting)


def _series(metric: Metric, tables: Tables, setting: Setting) -> MetricJudgement:
    """A ready series: one value of each version per step; weaker, since the counts behind it are not known."""
    rows = [[side[metric.name]] if metric.name in side else [] for side in (tables.canary_values, tables.baseline_values)]
    return replace(_since_begun(_scaled(metric), rows, tables, setting), weaker=True)


def _since_begun(metric: Metric, rows: Sequence[Sequence[Levels]], tables: Tables, setting: Setting) -> MetricJudgement:
    """The judgement of the levels of canary and baseline, a row for each pod or version, since the canary began."""
    first = tables.begun
    canary, baseline = ([row[first : setting.until] for row in side] for side in rows)
    later = replace(setting, until=max(0, setting.until - first))
    return _leveled(metric, judge_levels(metric, canary, baseline, later, tables.step, lambda: spans(tables, setting.until)[first:]))


def _scaled(metric: Metric) -> Metric:
    """For ready series the whole GO tolerance is inside the null: without counts, less can be told."""
    tolerance = metric.tolerance
    whole = Tolerance(
        tolerance.go_ratio, tolerance.go_margin, tolerance.go_ratio, tolerance.go_margin, tolerance.stop_ratio, tolerance.see_margin, tolerance.ceiling,
        tolerance.stop,
    )  # fmt: skip
    return replace(metric, tolerance=whole)


def _leveled(metric: Metric, found: Leveled) -> MetricJudgement:
    title = metric.title or metric.name
    words = {Status.PASS: "within threshold", Status.FAIL: "drop" if metric.direction is Direction.DECREASE else "spike"}
    word = words.get(found.status, "")
    return replace(
        blank(metric, found.status, f"{title}{' ' + word if word else ''}: {found.reason}"), canary=found.canary, baseline=found.baseline,
        delta=_delta(found.canary, found.baseline), effect=_effect(found.canary, found.baseline), limit=found.limit, strength=found.strength,
    )  # fmt: skip


def _delta(canary: float | None, baseline: float | None) -> float | None:
    return None if canary is None or baseline is None else canary - baseline


def _effect(canary: float | None, baseline: float | None) -> float | None:
    return None if canary is None or not baseline else canary / baseline

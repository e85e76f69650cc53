"""The two lines of each chart of the report, from an observation (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from cicd_agents.analysis.canary.gauges import rows_of
from cicd_agents.analysis.canary.streams import histogram, quantile, requests
from cicd_agents.analysis.canary.tables import Levels, ReplicaTable, Tables, tabulate
from cicd_agents.domain.canary import CanaryPolicy, Direction, Kind, Metric, Observation, Samples
from cicd_agents.domain.guardian import Chart

MOST_POINTS = 120
# Only the quantile that people look at first has a chart, and the first business metrics.
QUANTILE, MOST_CHARTS = 0.95, 8


def charts(observation: Observation, policy: CanaryPolicy, now: float) -> tuple[Chart, ...]:
    """Charts of the error rates, of P95, of CPU, memory and other levels, and of business metrics, as far as both or one of the versions show them."""
    tables = tabulate(observation, policy)
    if tables is None:
        return ()
    until = tables.bins_until(now)
    wide = max(1, ceil(until / MOST_POINTS))
    found = [chart for metric in policy.metrics if (chart := _chart(metric, tables, until, wide))]
    return tuple(found[:MOST_CHARTS])


def _chart(metric: Metric, tables: Tables, until: int, wide: int) -> Chart | None:
    if metric.kind is Kind.LOGS or (metric.kind is Kind.QUANTILE and metric.quantile != QUANTILE):
        return None
    canary, baseline = (_line(metric, tables, own, until, wide) for own in (True, False))
    if not canary:
        return None
    usual = _median_of(baseline)
    return Chart(metric.name, metric.title or metric.name, metric.unit, baseline, canary, _limit(metric, usual))


def _line(metric: Metric, tables: Tables, own: bool, until: int, wide: int) -> Samples:
    replicas, values = (tables.canary, tables.canary_values) if own else (tables.baseline, tables.baseline_values)
    if metric.name in values:
        return _levels_line([values[metric.name]], tables, until, wide)
    if metric.kind is Kind.GAUGE:
        return _levels_line(rows_of(metric, replicas, until), tables, until, wide)
    if metric.kind is Kind.QUANTILE:
        return _quantiles(metric, tables, replicas, until, wide)
    return _ratios(metric, tables, replicas, until, wide)


def _steps(tables: Tables, until: int, wide: int) -> Iterator[tuple[float, int, int]]:
    """(time of the end, first bin, bin after the last) of each point."""
    for begin in range(0, until, wide):
        end = min(until, begin + wide)
        yield tables.start + end * tables.step, begin, end


def _levels_line(rows: Sequence[Levels], tables: Tables, until: int, wide: int) -> Samples:
    points = []
    for time, begin, end in _steps(tables, until, wide):
        held = [value for row in rows for value in row[begin:end] if value is not None]
        if held:
            points.append((time, sum(held) / len(held)))
    return tuple(points)


def _quantiles(metric: Metric, tables: Tables, replicas: Sequence[ReplicaTable], until: int, wide: int) -> Samples:
    points = []
    for time, begin, end in _steps(tables, until, wide):
        counts = histogram(replicas, end, begin)
        value = quantile(counts, metric.quantile or QUANTILE) if counts and counts[-1][1] > 0 else None
        if value is not None:
            points.append((time, value))
    return tuple(points)


def _ratios(metric: Metric, tables: Tables, replicas: Sequence[ReplicaTable], until: int, wide: int) -> Samples:
    """All minutes, warm-up too: people want to see what happened, not only what is compared."""
    counted = any(name in metric.events for replica in replicas for name in replica.counters)
    happened, of_all = [0.0] * tables.bins, [0.0] * tables.bins
    for replica in replicas:
        if metric.of or counted:
            events = [row for name, row in replica.counters.items() if name in metric.events]
        else:
            events = [row for name, row in replica.requests.items() if name.startswith(metric.events or ("5",))]
        exposure = [row for name, row in replica.counters.items() if name in metric.of] if metric.of else requests(replica)
        happened = [sum(column) for column in zip(happened, *events, strict=True)]
        of_all = [sum(column) for column in zip(of_all, *exposure, strict=True)]
    return tuple(
        (time, sum(happened[begin:end]) / whole) for time, begin, end in _steps(tables, until, wide) if (whole := sum(of_all[begin:end])) > 0
    )  # fmt: skip


def _limit(metric: Metric, usual: float | None) -> float | None:
    """The GO limit at the baseline's usual value, or the ceiling where that is higher."""
    tolerance = metric.tolerance
    if usual is None:
        return tolerance.ceiling
    if metric.direction is Direction.DECREASE:
        return usual * tolerance.go_ratio - tolerance.go_margin
    relative = usual * tolerance.go_ratio + tolerance.go_margin
    return relative if tolerance.ceiling is None else max(relative, tolerance.ceiling)


def _median_of(samples: Samples) -> float | None:
    values = sorted(value for _, value in samples)
    return values[len(values) // 2] if values else None

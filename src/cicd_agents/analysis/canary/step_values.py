"""One value per step of both sides, as tests on samples of values want them: Mann-Whitney, Welch's t (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor, nan
from statistics import fmean

from cicd_agents.analysis.canary.gauges import rows_of
from cicd_agents.analysis.canary.streams import histogram, log_stream, quantile, ratio_stream
from cicd_agents.analysis.canary.tables import Counted, ReplicaTable, Tables
from cicd_agents.domain.canary import Kind, Metric


def sides_of(metric: Metric, tables: Tables, now: float) -> tuple[list[float], list[float]]:
    """The canary's and the baseline's values, one for each step since the canary began, NaN where there is none; warm-up is left out."""
    until = tables.bins_until(now)
    first = max(0, floor((tables.since - tables.start) / tables.step + 1e-6))
    if metric.kind is Kind.RATIO or metric.kind is Kind.BUSINESS or metric.kind is Kind.LOGS:
        stream = log_stream(tables.canary, tables.baseline) if metric.kind is Kind.LOGS else ratio_stream(metric, tables.canary, tables.baseline)
        sides = [_rates(side, until, complement=stream.complement) for side in (stream.canary, stream.baseline)]
    elif metric.kind is Kind.QUANTILE:
        sides = [_quantiles(replicas, metric.quantile or 0.95, first, until) for replicas in (tables.canary, tables.baseline)]
    else:
        sides = [_levels(metric, replicas, until) for replicas in (tables.canary, tables.baseline)]
    ready = [tables.canary_values.get(metric.name), tables.baseline_values.get(metric.name)]
    if any(values is not None for values in ready):
        sides = [[nan if value is None else value for value in (values or [])[:until]] for values in ready]
    return sides[0][first:], sides[1][first:]


def _rates(side: Counted, until: int, *, complement: bool) -> list[float]:
    events, exposure = side.total(until)
    rate: Callable[[float], float] = (lambda value: 1 - value) if complement else (lambda value: value)
    return [rate(happened / of) if of > 0 else nan for happened, of in zip(events, exposure, strict=True)]


def _quantiles(replicas: Sequence[ReplicaTable], q: float, first: int, until: int) -> list[float]:
    found = [quantile(histogram(replicas, index + 1, index), q) for index in range(first, until)]
    return [nan] * min(first, until) + [nan if value is None else value for value in found]


def _levels(metric: Metric, replicas: Sequence[ReplicaTable], until: int) -> list[float]:
    rows = rows_of(metric, replicas, until)
    columns = [[value for row in rows if index < len(row) and (value := row[index]) is not None] for index in range(until)]
    return [fmean(values) if values else nan for values in columns]

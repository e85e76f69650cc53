"""Judging levels, minute by minute: CPU, memory, connections, ready series (pure).

Three ways to fail: *sustained* beyond the NO-GO limit while the baseline is not; *paired*, the difference to the baseline beyond the tolerance as a betting
e-process (evidence.py) on blocks of minutes; *leak*, a steady climb (climbing.py) that reaches the NO-GO limit within the horizon.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, sqrt
from statistics import median, pstdev

from cicd_agents.analysis.canary.climbing import STEPS, climb
from cicd_agents.analysis.canary.counts import Setting
from cicd_agents.analysis.canary.evidence import bet_evidence, cap_for
from cicd_agents.analysis.canary.tables import Levels, ReplicaTable
from cicd_agents.domain.canary import Direction, Metric, Status, Strength

SUSTAINED = 5  # steps
LEAK_HORIZON, MAX_PODS = 60.0, 20  # minutes; pods that are looked at
WINDOW = 30
# A step's standardised excess is cut to -1 … 3; the null allows one standard deviation.
HIGHEST_BET = 3.0


@dataclass(frozen=True, slots=True)
class Leveled:
    """The comparison of a level: medians of both sides since warm-up, and why it is judged so."""

    status: Status
    reason: str
    strength: Strength
    canary: float | None
    baseline: float | None
    limit: float | None


def rows_of(metric: Metric, replicas: Sequence[ReplicaTable], until: int) -> list[Levels]:
    """The gauge of each replica, None where it is not usable."""
    rows = []
    for replica in replicas:
        for name, row in replica.gauges.items():
            if name in (metric.events or (metric.name,)):
                rows.append([value if use else None for value, use in zip(row[:until], replica.usable[:until], strict=True)])
                break
    return rows


Spans = Callable[[], Sequence[Hashable]]


def judge_levels(metric: Metric, canary: Sequence[Levels], baseline: Sequence[Levels], setting: Setting, step: float, spans: Spans) -> Leveled:
    """The judgement of a level from a row for each replica (or one row for a version); `spans` names the steps of same load, as `climbing.spans` does."""
    falls = metric.direction is Direction.DECREASE
    tolerance = metric.tolerance
    means = _means(canary, setting.until), _means(baseline, setting.until)
    mine = [value for value in means[0] if value is not None]
    pairs = [(a, b) for a, b in zip(*means, strict=True) if a is not None and b is not None]
    strength = Strength(threshold=setting.threshold, alpha=setting.alpha, seen_minutes=len(pairs) * step / 60)
    if not mine:
        return Leveled(Status.NO_DATA, "there is no usable value of the canary", strength, None, _median(means[1]), None)
    now, other = median(mine[-WINDOW:]), median([b for _, b in pairs][-WINDOW:]) if pairs else None
    limit = go_limit(metric, other)
    absolute = _sustained(metric, canary, baseline, setting.until) or _leak(metric, canary, pairs, means[1], spans, step)
    if absolute:
        return Leveled(Status.FAIL, absolute, strength, now, other, limit)
    if len(pairs) < 2:
        if tolerance.ceiling is not None and len(mine) >= SUSTAINED and (now <= tolerance.ceiling) is not falls:
            return Leveled(Status.PASS, "within the absolute limit; there is no baseline to compare with", strength, now, other, limit)
        return Leveled(Status.INCONCLUSIVE, "there are too few minutes that both sides were seen in", strength, now, other, limit)
    strength = _paired(metric, pairs, baseline, len(canary), setting, step)
    recent = median([a for a, _ in pairs][-SUSTAINED:])
    worse = limit is not None and (recent < limit if falls else recent > limit)
    past_ceiling = tolerance.ceiling is None or (recent < tolerance.ceiling if falls else recent > tolerance.ceiling)
    if strength.log_e is not None and strength.log_e >= setting.threshold and worse and past_ceiling:
        return Leveled(Status.FAIL, f"{recent:.4g} against {other:.4g}, minute after minute", strength, now, other, limit)
    if worse and past_ceiling:
        return Leveled(Status.INCONCLUSIVE, "beyond the limit, but not for long enough to tell", strength, now, other, limit)
    if len(pairs) < 2 + SUSTAINED // 2 and metric.required:
        return Leveled(Status.INCONCLUSIVE, "there are too few minutes that both sides were seen in", strength, now, other, limit)
    return Leveled(Status.PASS, "within the limit", strength, now, other, limit)


def go_limit(metric: Metric, other: float | None) -> float | None:
    """The GO limit: the tolerance over the baseline, or the ceiling where that is higher."""
    tolerance = metric.tolerance
    if other is None:
        return tolerance.ceiling
    if metric.direction is Direction.DECREASE:
        return other * tolerance.go_ratio - tolerance.go_margin
    relative = other * tolerance.go_ratio + tolerance.go_margin
    return relative if tolerance.ceiling is None else max(relative, tolerance.ceiling)


def _sustained(metric: Metric, canary: Sequence[Levels], baseline: Sequence[Levels], until: int) -> str:
    """Beyond the NO-GO limit for so many steps: one and the same pod, or all in the mean. That each minute another pod has a peak is no saturation."""
    stop, falls = metric.tolerance.stop, metric.direction is Direction.DECREASE
    if stop is None:
        return ""

    def beyond(value: float | None) -> bool:
        return value is not None and (value < stop if falls else value > stop)

    others = _worst(baseline, until, falls)
    for row in (*canary, _means(canary, until)):
        recent = [(mine, other) for mine, other in zip(row[:until], others, strict=False) if mine is not None][-SUSTAINED:]
        if len(recent) == SUSTAINED and all(beyond(mine) for mine, _ in recent) and sum(beyond(other) for _, other in recent) <= 1:
            return f"{'below' if falls else 'above'} {stop:g} in each of the last {SUSTAINED} minutes, and the baseline was not"
    return ""


def _worst(rows: Sequence[Levels], until: int, falls: bool) -> Levels:
    result: Levels = []
    for index in range(until):
        values = [value for row in rows if index < len(row) and (value := row[index]) is not None]
        result.append((min(values) if falls else max(values)) if values else None)
    return result


def _leak(metric: Metric, canary: Sequence[Levels], pairs: Sequence[tuple[float, float]], baseline: Levels, spans: Spans, step: float) -> str:
    """A climb of the difference that is steady and reaches the NO-GO limit within the horizon, from a level that is already above the baseline's."""
    stop, tolerance = metric.tolerance.stop, metric.tolerance
    if stop is None or metric.direction is Direction.DECREASE or len(pairs) < STEPS:
        return ""
    level, base = median(a for a, _ in pairs[-3:]), median(b for _, b in pairs[-3:])
    if level <= base * tolerance.go_ratio + tolerance.go_margin:
        return ""
    slope = climb(canary[:MAX_PODS], baseline, spans(), step)
    if slope is None or (left := (stop - level) / slope) > LEAK_HORIZON:
        return ""
    return f"climbs by {slope:.2g} a minute while the baseline does not: {stop:g} is reached in about {max(0.0, left):.0f} minutes"


def _paired(metric: Metric, pairs: Sequence[tuple[float, float]], baseline: Sequence[Levels], pods: int, setting: Setting, step: float) -> Strength:
    tolerance, falls = metric.tolerance, metric.direction is Direction.DECREASE
    level = median(b for _, b in pairs)
    jumps = [(a2 - b2) - (a1 - b1) for (a1, b1), (a2, b2) in pairwise(pairs)]
    # Robust to a step change: the median jump; 1.4826 makes it a standard deviation, the root of 2 undoes the difference.
    chance = 1.4826 * median(abs(jump) for jump in jumps) / sqrt(2)
    lasting = _pod_spread(baseline) * sqrt(1 / max(1, pods) + 1 / max(1, len(baseline)))
    scale = max(chance, 0.02 * abs(level), 1e-12) * setting.wider
    excess = [
        ((b * tolerance.harmless_ratio - tolerance.harmless_margin - a) if falls else (a - b * tolerance.harmless_ratio - tolerance.harmless_margin))
        - 2 * lasting * setting.wider
        for a, b in pairs
    ]
    found = bet_evidence([max(-1.0, min(HIGHEST_BET, value / scale - 1)) for value in excess], cap_for(setting.threshold, 4.0))
    return Strength(
        found.log_e, setting.threshold, setting.alpha, min(1.0, exp(-max(0.0, found.log_e))), seen_minutes=len(pairs) * step / 60,
        pod_noise=round(lasting / abs(level), 4) if level else None,
    )  # fmt: skip


def _pod_spread(rows: Sequence[Levels]) -> float:
    """The standard deviation of the replicas' medians."""
    middles = [median(values) for row in rows if (values := [value for value in row if value is not None])]
    return pstdev(middles) if len(middles) > 1 else 0.0


def _means(rows: Sequence[Levels], until: int) -> Levels:
    result: Levels = []
    for index in range(until):
        values = [value for row in rows if index < len(row) and (value := row[index]) is not None]
        result.append(sum(values) / len(values) if values else None)
    return result


def _median(values: Levels) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None

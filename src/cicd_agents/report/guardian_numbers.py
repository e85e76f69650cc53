"""Numbers of the guardian's report as people read them: 0.12 %, 165 ms, +0.02 points; what is not a number is a dash."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite, isinf

from cicd_agents.domain.guardian import MetricRow

UNKNOWN = "–"
_LAST_TIME = 253_402_300_799  # the end of the year 9999, where datetime ends too
_MOST_MINUTES = 60_000.0  # beyond a thousand hours, minutes tell nothing
_LARGE = 1e15  # beyond this, digits tell nothing


def value_text(value: float | None, unit: str) -> str:
    """A value in its metric's unit (domain.canary.Metric): a fraction as percent, seconds as ms or s."""
    if value is None or not isfinite(value):
        return ("∞" if value > 0 else "-∞") if value is not None and isinf(value) else UNKNOWN
    if unit == "%":
        return f"{number(100 * value, 4 if abs(value) >= 0.1 else 3)} %"
    if unit == "percent":
        return f"{number(value)} %"
    if unit == "s":
        return f"{number(1000 * value)} ms" if abs(value) < 0.9995 else f"{number(value)} s"
    return number(value, 4)


def number(value: float, digits: int = 3) -> str:
    """A finite number with so many significant digits, thousands apart."""
    if not isfinite(value):
        return UNKNOWN
    if abs(value) >= _LARGE:
        return f"{value:.3g}"
    if abs(value) >= 10**digits - 0.5 or abs(value) >= 999.5:
        return f"{value:,.0f}"
    return f"{value + 0.0:.{digits}g}"  # + 0.0: there is no minus zero for people


def scaled(value: float, unit: str) -> float:
    """A value as its chart draws it: percent or milliseconds; `unit_name` names it."""
    return value * {"%": 100.0, "s": 1000.0}.get(unit, 1.0)


def unit_name(unit: str) -> str:
    """What the numbers of `scaled` are in, empty where they have no unit."""
    return {"%": "%", "percent": "%", "s": "ms"}.get(unit, "")


def delta_text(row: MetricRow) -> str:
    """How far the new version is from the old one: absolute, then relative where that says more."""
    if row.delta is None or not isfinite(row.delta):
        return UNKNOWN
    points = {"%": 100.0, "percent": 1.0}.get(row.unit)
    shown = f"{number(points * row.delta)} points" if points else value_text(row.delta, row.unit)
    absolute = shown if row.delta <= 0 or shown.startswith("0 ") else f"+{shown}"
    relative = _relative(row.effect)
    return f"{absolute}, {relative}" if relative else absolute


def _relative(effect: float | None) -> str:
    if effect is None or not isfinite(effect) or effect < 0:
        return ""
    if effect >= 3:
        return f"{number(effect)} ×"
    percent = 100 * (effect - 1)
    return f"{'+' if percent > 0 else ''}{number(percent, 2)} %" if abs(percent) >= 0.05 else ""


def limit_text(row: MetricRow) -> str:
    """The GO limit with its side: at most, or at least where the metric should not fall."""
    if row.limit is None or not isfinite(row.limit):
        return UNKNOWN
    return f"{'≥' if falls(row) else '≤'} {value_text(row.limit, row.unit)}"


def falls(row: MetricRow) -> bool:
    """Whether less is worse. The limit lies on the bad side of the baseline; levels in percent have a ceiling, which a baseline may be above."""
    if row.limit is None or row.baseline is None or (row.kind == "gauge" and row.unit == "percent"):
        return False
    return row.limit < row.baseline


def share_text(share: float) -> str:
    """A part of the traffic: 25 %."""
    return f"{number(100 * share)} %"


def minutes_text(minutes: float) -> str:
    """A length of time: 45 s, 7 min, 7.5 min, 1 h 30 min."""
    if not isfinite(minutes) or minutes < 0:
        return UNKNOWN
    if minutes < 1:
        return f"{60 * minutes:.0f} s"
    if minutes < 90:
        return f"{minutes:.1f}".removesuffix(".0") + " min"
    if minutes > _MOST_MINUTES:
        return f"{number(minutes / 60)} h"
    hours, rest = divmod(round(minutes), 60)
    return f"{hours:,} h {rest} min" if rest else f"{hours:,} h"


def moment(time: float) -> datetime | None:
    """A time of the epoch as UTC, None where it is none."""
    return datetime.fromtimestamp(time, UTC) if isfinite(time) and 0 <= time <= _LAST_TIME else None


def utc(time: float) -> str:
    """2026-01-02 10:05:07 UTC."""
    at = moment(time)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "at an unknown time"

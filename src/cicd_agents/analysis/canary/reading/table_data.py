"""The same table as JSON or YAML: a mapping by metric, a list of metrics, or a mapping of each side (pure).

error_rate: {canary: 0.12%, baseline: 0.10%}        - {metric: error_rate, canary: 0.12, baseline: 0.10, unit: "%"}        canary: {error_rate: 0.12%}
cpu: 48%                                                                                                                    baseline: {error_rate: 0.10%}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from math import isfinite

from cicd_agents.analysis.canary.reading.metric_names import MetricNames
from cicd_agents.analysis.canary.reading.quantities import Quantity, read_quantity
from cicd_agents.analysis.canary.reading.table import MOST_POINTS, aside_of, only, parse_table, point_of
from cicd_agents.analysis.canary.reading.table_parts import NOTHING
from cicd_agents.domain.canary import CanaryPolicy, Metric, Point
from cicd_agents.domain.errors import UsageError

_NAMES, _SIDES = ("metric", "name"), ("canary", "baseline")
_ALIASES = {"new": "canary", "current": "canary", "value": "canary", "old": "baseline", "stable": "baseline", "control": "baseline", "primary": "baseline"}
_KEYS = frozenset((*_NAMES, *_SIDES, "unit"))


def points_of(table: object, policy: CanaryPolicy) -> tuple[Point, ...]:
    """The points of a parsed table. Raises UsageError with the path (`error_rate.canary`) and what to write."""
    if isinstance(table, str):
        return parse_table(table, policy)
    names = MetricNames.of(policy)
    entries = list(_entries(table))
    if len(entries) > MOST_POINTS:
        raise UsageError(f"The table has more than {MOST_POINTS} metrics, which no table needs.")
    points = [point for path, name, entry in entries if (point := _point(path, name, entry, names)) is not None]
    if not any(point.canary is not None or point.baseline is not None for point in points):
        raise UsageError('There is no number of a metric in the table; write for example {"error_rate": {"canary": "0.12%", "baseline": "0.10%"}}.')
    return only(points)


def _entries(table: object) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """(path, name of the metric, its sides and unit)."""
    if isinstance(table, Mapping) and set(table) == {"metrics"}:
        table = table["metrics"]
    if isinstance(table, Mapping):
        table = {_side_of(str(key), entry): entry for key, entry in table.items()}
        sides = {side: table[side] for side in _SIDES if isinstance(table.get(side), Mapping)}
        yield from _by_side(table, sides) if sides else ((str(name)[:80], str(name), _sides_of(str(name)[:80], entry)) for name, entry in table.items())
    elif isinstance(table, Sequence) and not isinstance(table, (bytes, bytearray)):
        for index, entry in enumerate(table):
            path = f"[{index}]"
            name = next((entry[key] for key in _NAMES if entry.get(key)), None) if isinstance(entry, Mapping) else None
            if not isinstance(entry, Mapping) or not isinstance(name, str):
                raise UsageError(f'{path} of the table needs the name of its metric, such as {{"metric": "error_rate", "canary": "0.12%"}}.')
            yield path, name, _sides_of(path, entry)
    else:
        raise UsageError("The table of numbers must be text, a mapping of metrics or a list of them.")


def _side_of(key: str, entry: object) -> str:
    """`Canary:` with metrics below it is the side, however it is written."""
    return key.lower() if isinstance(entry, Mapping) and key.lower() in _SIDES else key


def _by_side(table: Mapping[str, object], sides: Mapping[str, object]) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    left = sorted(str(key)[:40] for key in table if key not in sides)
    if left:
        raise UsageError(f"{left[0]} stands beside the sides of the table; keep canary and baseline only.")
    every = dict.fromkeys(str(name) for side in sides.values() if isinstance(side, Mapping) for name in side)
    for name in every:
        yield name[:80], name, {side: values.get(name) for side, values in sides.items() if isinstance(values, Mapping)}


def _sides_of(path: str, entry: object) -> Mapping[str, object]:
    if not isinstance(entry, Mapping):
        return {"canary": entry}
    named = {_ALIASES.get(str(key).lower(), str(key).lower()): value for key, value in entry.items()}
    unknown = sorted(set(named) - _KEYS)
    if unknown or len(named) < len(entry):
        raise UsageError(f"{path}.{(unknown or ['canary'])[0][:40]} of the table is not known or stands there twice; a metric has canary, baseline and unit.")
    return named


def _point(path: str, name: str, entry: Mapping[str, object], names: MetricNames) -> Point | None:
    metric = names.find(name)
    if metric is None:
        raise UsageError(f"{path} of the table: {names.unknown(name)}.")
    unit = _unit(path, entry.get("unit"))
    canary, baseline = (_number(f"{path}.{side}", entry.get(side), unit) for side in _SIDES)
    if canary is None and baseline is None:
        return None
    try:
        return point_of(metric, canary, baseline) if isinstance(metric, Metric) else aside_of(metric, canary, baseline)
    except UsageError as problem:
        raise UsageError(f"{path} of the table: {problem}") from None


def _unit(path: str, unit: object) -> str:
    if unit is None or unit == "":
        return ""
    value = read_quantity(f"1{unit}") if isinstance(unit, str) and len(unit) < 40 else None
    if value is None or not value.unit:
        raise UsageError(f"{path}.unit of the table, {str(unit)[:40]!r}, is no unit that is known; write %, ms, s or leave it out.")
    return value.unit


def _number(path: str, value: object, unit: str) -> Quantity | None:
    if value is None or (isinstance(value, str) and value.strip().lower() in NOTHING | {""}):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise UsageError(f"{path} of the table is no number; write one with its unit, such as 0.12%.")
    if isinstance(value, str):
        found = _text(path, value)
    elif isinstance(value, float) and not isfinite(value):
        return None
    elif abs(value) > 1e15:
        raise UsageError(f"{path} of the table is too large to be a measured number.")
    else:
        found = Quantity(abs(Decimal(repr(value))), "", "-" if value < 0 else "", repr(value))
    if unit and found.unit not in {"", unit}:
        raise UsageError(f"{path} of the table has the unit {found.unit}, and `unit` says {unit}; keep one of them.")
    return replace(found, unit=unit or found.unit)


def _text(path: str, value: str) -> Quantity:
    try:
        found = read_quantity(value[:200])
    except UsageError as problem:
        raise UsageError(f"{path} of the table: {problem}") from None
    if found is None:
        raise UsageError(f"{path} of the table, {value[:40]!r}, is no number; write one with its unit, such as 0.12% or 165ms.")
    return found

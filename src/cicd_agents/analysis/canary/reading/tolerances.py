"""How much worse is harmless, as people write it: `1.2x`, `+0.1pp`, `-10%`, `80%`, `1.1x +5pp, 80%` (pure).

With a sign it is an addition to the baseline (percent relative to it, points and other units absolute); without one a factor (`x`) or a limit of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from cicd_agents.analysis.canary.reading.quantities import NUMBER, Quantity, in_unit, quantity_of
from cicd_agents.domain.canary import Direction, Kind, Metric, Tolerance
from cicd_agents.domain.errors import UsageError

KEYS = ("harmless", "go", "stop", "see")
FALLING = Tolerance(0.98, 0.0, 0.95, 0.0, 0.9)
# Kinds whose counts are tested, where a limit of its own has no place, and latency, where an addition has none.
_BETWEEN = re.compile(r"(?:[\s,;]|and\b)+|$")
_COUNTED = frozenset((Kind.RATIO, Kind.QUANTILE, Kind.BUSINESS, Kind.LOGS))


@dataclass(frozen=True, slots=True)
class Written:
    """What one text says: a factor on the baseline, an addition in the metric's unit (never negative), a limit of its own; None: not said."""

    ratio: float | None = None
    margin: float | None = None
    absolute: float | None = None


def read_tolerance(metric: Metric, texts: dict[str, object], path: str, *, level: bool) -> Tolerance:
    """The metric's tolerance with what the policy says in its place. `level`: values are compared as levels, not as counts.

    Raises UsageError with the dotted path for a wrong unit, a form that the key does not take, or limits that contradict each other.
    """
    said = {key: _written(metric, texts[key], f"{path}.{key}", level=level) for key in KEYS if texts.get(key) is not None}
    tolerance = metric.tolerance
    if "harmless" in said:
        _only(said["harmless"], f"{path}.harmless", absolute=False)
        tolerance = replace(tolerance, harmless_ratio=_or(said["harmless"].ratio, 1.0), harmless_margin=_or(said["harmless"].margin, 0.0))
    if "go" in said:
        tolerance = _go(tolerance, said["go"])
    if "stop" in said:
        _only(said["stop"], f"{path}.stop", margin=False)
        tolerance = replace(
            tolerance, stop_ratio=_or(said["stop"].ratio, tolerance.stop_ratio), stop=tolerance.stop if said["stop"].absolute is None else said["stop"].absolute
        )
    if "see" in said:
        _only(said["see"], f"{path}.see", ratio=False, absolute=False)
        tolerance = replace(tolerance, see_margin=_or(said["see"].margin, 0.0))
    return _agreeing(metric, tolerance, said, path)


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _go(tolerance: Tolerance, go: Written) -> Tolerance:
    if go.ratio is not None or go.margin is not None:
        tolerance = replace(tolerance, go_ratio=_or(go.ratio, 1.0), go_margin=_or(go.margin, 0.0))
    return tolerance if go.absolute is None else replace(tolerance, ceiling=go.absolute)


def _only(said: Written, path: str, *, ratio: bool = True, margin: bool = True, absolute: bool = True) -> None:
    """Refuses the forms that a key does not take."""
    forms = (
        (ratio, said.ratio, "a factor or relative percent", "a factor (1.5x)"), (margin, said.margin, "an addition", "an addition (+0.5pp)"),
        (absolute, said.absolute, "a limit of its own", "a limit (90%)"),
    )  # fmt: skip
    for there, value, what, _ in forms:
        if not there and value is not None:
            right = " and ".join(example for use, _, _, example in forms if use)
            raise UsageError(f"{path} cannot be {what}; it takes {right}.")


# One text


def _written(metric: Metric, value: object, path: str, *, level: bool) -> Written:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UsageError(f"{path} must be text such as 1.2x, +0.1pp or 80%.")
    if not isinstance(value, str):
        raise UsageError(f"{path}: {value} has no unit; write {value}x for a factor, or a number with its unit and a sign for an addition.")
    said, at = Written(), 0
    text = re.sub(r"([+\-\u2212])\s+", r"\1", value.strip()[:121])
    if not text or len(text) > 120:
        raise UsageError(f"{path} must be text such as 1.2x, +0.1pp or 80%.")
    while at < len(text):
        found = NUMBER.match(text, at)
        between = _BETWEEN.match(text, found.end()) if found else None
        if not found or not between:
            raise UsageError(f"{path}: {text[at:][:30]!r} cannot be read; write 1.2x, +0.1pp, -10% or 80%.")
        said = _with(metric, said, found, path, level=level)
        at = between.end()
    return said


def _with(metric: Metric, said: Written, part: re.Match[str], path: str, *, level: bool) -> Written:
    try:
        value = quantity_of(part)
    except UsageError as problem:
        raise UsageError(f"{path}: {problem}") from None
    kind, number = _reading(metric, value, path)
    if kind == "margin" and metric.kind is Kind.QUANTILE and not level:
        raise UsageError(f"{path}: latency is compared as a factor, since buckets are counted; write 1.2x or +20% instead of {value.text}.")
    if kind == "absolute" and metric.kind in _COUNTED and not level:
        instead = "a factor such as 1.2x, or use at_once.latency or slo" if metric.kind is Kind.QUANTILE else "+0.1pp or 1.5x, or use at_once.error_rate"
        raise UsageError(f"{path}: {value.text} is a limit of its own, which only levels have (gauges, and metrics with a query); write {instead}.")
    if getattr(said, kind) is not None:
        what = {"margin": "what is added", "ratio": "a factor"}.get(kind, "a limit")
        raise UsageError(f"{path} says {what} twice; keep one of them.")
    return Written(**{name: number if name == kind else getattr(said, name) for name in ("ratio", "margin", "absolute")})


def _reading(metric: Metric, value: Quantity, path: str) -> tuple[str, float]:
    """What one part is and its number: ratio, margin (never negative) or absolute."""
    falls = metric.direction is Direction.DECREASE
    if value.unit == "x":
        if value.sign:
            raise UsageError(f"{path}: a factor has no sign; write {value.text.lstrip('+-')} instead of {value.text}.")
        return "ratio", float(value.number)
    if not value.sign:
        return "absolute", _number(metric, value, path)
    if (value.sign == "-") is not falls and value.number != 0:
        way = "fall, so write - in front" if falls else "rise, so write + in front"
        raise UsageError(f"{path}: {value.text} is the wrong way; what is bad about {metric.name} is that it could {way}.")
    if value.unit == "%":
        return "ratio", float(1 + value.signed / 100)
    return "margin", _number(metric, value, path)


def _number(metric: Metric, value: Quantity, path: str) -> float:
    number = in_unit(value, metric.unit)
    if number is None:
        right = {"%": "pp or %", "s": "ms or s", "percent": "pp or %"}.get(metric.unit, "a number without a unit")
        raise UsageError(f"{path}: the unit of {value.text} does not fit {metric.name}; write {right}.")
    return number


# Whether the limits agree


def _agreeing(metric: Metric, tolerance: Tolerance, said: dict[str, Written], path: str) -> Tolerance:
    falls = metric.direction is Direction.DECREASE
    _check_ways(metric, tolerance, path, falls=falls)
    if _wider(tolerance, falls=falls):
        if "harmless" in said:
            raise UsageError(f"{path}: harmless is wider than go, so that go would never count; make harmless smaller.")
        tolerance = replace(tolerance, harmless_ratio=tolerance.go_ratio, harmless_margin=tolerance.go_margin)
    beyond = tolerance.stop_ratio > tolerance.go_ratio if falls else tolerance.stop_ratio < tolerance.go_ratio
    if beyond and ("go" in said or "stop" in said):
        raise UsageError(f"{path}: stop ({tolerance.stop_ratio:g}x) is not beyond go ({tolerance.go_ratio:g}x); set both, stop as the worse one.")
    go, stop = tolerance.ceiling, tolerance.stop
    if go is not None and stop is not None and (stop > go if falls else stop < go):
        raise UsageError(f"{path}: the limit of stop ({stop:g}) is not beyond the limit of go ({go:g}); set both, stop as the worse one.")
    return tolerance


def _check_ways(metric: Metric, tolerance: Tolerance, path: str, *, falls: bool) -> None:
    for key, ratio in (("harmless", tolerance.harmless_ratio), ("go", tolerance.go_ratio), ("stop", tolerance.stop_ratio)):
        if (ratio > 1 or ratio < 0) if falls else ratio < 1:
            right = "between 0 and 1, such as 0.95x or -5%" if falls else "1 or more, such as 1.2x or +20%"
            raise UsageError(f"{path}.{key}: {ratio:g}x is the wrong way for {metric.name}; a factor here is {right}.")


def _wider(tolerance: Tolerance, *, falls: bool) -> bool:
    """Whether what is harmless reaches beyond the GO limit at every baseline."""
    ratio, margin = tolerance.harmless_ratio, tolerance.harmless_margin
    if (ratio, margin) == (tolerance.go_ratio, tolerance.go_margin):
        return False
    return (ratio <= tolerance.go_ratio if falls else ratio >= tolerance.go_ratio) and margin >= tolerance.go_margin


# Writing


def decimal_text(value: float, factor: int = 1) -> str:
    """A number times a power of ten without rounding errors, as short as it can be written."""
    text = format((Decimal(repr(float(value))) * factor).normalize(), "f")
    return text if text not in {"-0", ""} else "0"


def tolerance_texts(metric: Metric, tolerance: Tolerance, *, level: bool) -> dict[str, str]:
    """The texts by key, which read back to the same tolerance."""
    falls = metric.direction is Direction.DECREASE
    sign = "-" if falls else "+"

    def pair(ratio: float, margin: float) -> str:
        return f"{decimal_text(ratio)}x" + (f" {sign}{_with_unit(margin, metric.unit, points=True)}" if margin else "")

    go, stop = pair(tolerance.go_ratio, tolerance.go_margin), pair(tolerance.stop_ratio, 0.0)
    if tolerance.ceiling is not None:
        go += f", {_with_unit(tolerance.ceiling, metric.unit)}"
    if tolerance.stop is not None:
        stop += f", {_with_unit(tolerance.stop, metric.unit)}"
    texts = {"harmless": pair(tolerance.harmless_ratio, tolerance.harmless_margin), "go": go, "stop": stop}
    if tolerance.see_margin and (metric.kind is not Kind.QUANTILE or level):
        texts["see"] = f"{sign}{_with_unit(tolerance.see_margin, metric.unit, points=True)}"
    return texts


def _with_unit(value: float, unit: str, *, points: bool = False) -> str:
    if unit == "%":
        return f"{decimal_text(value, 100)}{'pp' if points else '%'}"
    if unit == "s":
        return f"{decimal_text(value, 1000)}ms" if value < 1 else f"{decimal_text(value)}s"
    return f"{decimal_text(value)}{'pp' if points else '%'}" if unit == "percent" else decimal_text(value)

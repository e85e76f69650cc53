"""OpenMetrics text from plain Python data, which promtool turns into blocks that a real Prometheus serves.

Times are seconds since the epoch. A series is (labels, samples), samples are (time, value); a family keeps its samples together, as the format asks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

Labels = Mapping[str, str]
Samples = Iterable[tuple[float, float]]
# The upper bounds of a histogram's buckets, without +Inf, and per time: how many were at most each bound and in all (cumulative), and the sum of all values.
Filled = Iterable[tuple[float, Sequence[float], float]]


def counter(name: str, *series: tuple[Labels, Samples]) -> str:
    """A counter. One whose name does not end in `_total`, as some exporters have it, is of unknown type in OpenMetrics; Prometheus does not mind."""
    if not name.endswith("_total"):
        return _family(name, "unknown", _lines(name, series))
    return _family(name.removesuffix("_total"), "counter", _lines(name, series))


def gauge(name: str, *series: tuple[Labels, Samples]) -> str:
    """A gauge."""
    return _family(name, "gauge", _lines(name, series))


def histogram(name: str, bounds: Sequence[float], *series: tuple[Labels, Filled]) -> str:
    """A classic histogram: `name_bucket` per bound and +Inf, `name_count` and `name_sum`."""
    lines: list[str] = []
    for labels, filled in series:
        times = list(filled)
        for place, bound in enumerate([*bounds, float("inf")]):
            lines += _lines(f"{name}_bucket", [({**labels, "le": _number(bound)}, [(time, counts[place]) for time, counts, _ in times])])
        lines += _lines(f"{name}_count", [(labels, [(time, counts[-1]) for time, counts, _ in times])])
        lines += _lines(f"{name}_sum", [(labels, [(time, total) for time, _, total in times])])
    return _family(name, "histogram", lines)


def openmetrics(*families: str) -> str:
    """The whole text."""
    return "".join(families) + "# EOF\n"


def _family(name: str, kind: str, lines: Iterable[str]) -> str:
    return f"# TYPE {name} {kind}\n" + "".join(lines)


def _lines(name: str, series: Iterable[tuple[Labels, Samples]]) -> list[str]:
    return [f"{name}{_braces(labels)} {_number(value)} {time:.3f}\n" for labels, samples in series for time, value in samples]


def _braces(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return {float("inf"): "+Inf", float("-inf"): "-Inf"}.get(value) or repr(float(value))

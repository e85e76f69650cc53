"""The curves of a chart made ready to draw: bounded, finite, on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from statistics import median

from cicd_agents.domain.canary import Samples
from cicd_agents.domain.guardian import Chart, GuardianDetails
from cicd_agents.report.escape import plain
from cicd_agents.report.guardian_numbers import moment, number, scaled, unit_name, value_text
from cicd_agents.report.guardian_wording import ranked

MOST_POINTS = 120
_DRAWABLE = 1e12  # of what is larger, no axis can be read
_GAP = 2.5  # so many usual steps without a sample are a gap
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Curves:
    """Both sides of a chart in the unit of `scaled`, ordered by time; `limit` None where there is none to draw."""

    baseline: Samples
    canary: Samples
    limit: float | None

    @property
    def span(self) -> tuple[float, float]:
        """The first and the last time."""
        times = [time for time, _ in (*self.baseline, *self.canary)]
        return min(times), max(times)

    @property
    def beside(self) -> tuple[float, float]:
        """The time in which both sides are there: what the old version was before the new one began is left out."""
        return max(side[0][0] for side in (self.baseline, self.canary) if side), self.span[1]

    @property
    def values(self) -> list[float]:
        """All values, the limit too."""
        return [value for _, value in (*self.baseline, *self.canary)] + ([] if self.limit is None else [self.limit])


def curves(chart: Chart) -> Curves | None:
    """What of a chart can be drawn; None where the new version has nothing."""
    canary = _ready(chart.canary, chart.unit)
    if not canary:
        return None
    limit = scaled(chart.limit, chart.unit) if chart.limit is not None and isfinite(chart.limit) else None
    return Curves(_ready(chart.baseline, chart.unit), canary, limit if limit is not None and abs(limit) < _DRAWABLE else None)


def _ready(samples: Samples, unit: str) -> Samples:
    drawn = [(time, scaled(value, unit)) for time, value in samples if moment(time) and isfinite(value)]
    return tuple(sorted((time, value) for time, value in drawn if abs(value) < _DRAWABLE)[-MOST_POINTS:])


def runs(samples: Samples) -> list[Samples]:
    """The samples without their gaps: a new run begins where none came for much longer than usual."""
    steps = [later - earlier for (earlier, _), (later, _) in pairwise(samples)]
    usual = median(steps) if steps else 0.0
    parts: list[list[tuple[float, float]]] = []
    for index, sample in enumerate(samples):
        if not index or steps[index - 1] > _GAP * usual:
            parts.append([])
        parts[-1].append(sample)
    return [tuple(part) for part in parts]


def cells(samples: Samples, span: tuple[float, float], count: int) -> list[float | None]:
    """The mean in each of so many equal parts of the time, None where there is no sample; what lies outside is left out."""
    begin, end = span
    width = (end - begin) / count or 1.0
    found: list[list[float]] = [[] for _ in range(count)]
    for time, value in samples:
        if begin <= time <= end:
            found[min(count - 1, int((time - begin) / width))].append(value)
    return [sum(values) / len(values) if values else None for values in found]


def sparkline(row: Sequence[float | None], low: float, high: float) -> str:
    """A curve as one line of text; a blank is a gap."""
    height = (high - low) or 1.0
    return "".join(" " if value is None else _BARS[max(0, min(7, int(8 * (value - low) / height)))] for value in row)


def spark_lines(chart: Chart, names: tuple[str, str], width: int) -> list[str]:
    """A chart as lines of text, one for each side, with its least and greatest value; empty where there is nothing to draw."""
    drawn = curves(chart)
    if not drawn:
        return []
    unit = unit_name(chart.unit)
    low, high = min(0.0, *drawn.values), max(drawn.values)
    limit = f", limit {value_text(chart.limit, chart.unit)}" if drawn.limit is not None else ""
    count = min(width, len(drawn.canary))  # more parts than samples would look like gaps
    lines = [f"{plain(' '.join(chart.title.split()), 60)}{limit}"]
    for name, samples in zip(names, (drawn.baseline, drawn.canary)):
        if samples:
            between = f"{number(min(value for _, value in samples))} to {number(max(value for _, value in samples))} {unit}".rstrip()
            lines.append(f"  {name:<8} {sparkline(cells(samples, drawn.span, count), low, high)}  {between}")
    return lines


def telling(details: GuardianDetails, most: int) -> list[Chart]:
    """The charts that matter most, in the order of their metrics: failed ones first."""
    place = {row.name: index for index, row in enumerate(ranked(details.metrics))}
    return sorted(details.charts, key=lambda chart: place.get(chart.name, len(place)))[:most]

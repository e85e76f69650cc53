"""A chart in Mermaid's `xychart-beta`, which GitHub and GitLab draw in comments (mermaid.js.org/syntax/xyChart; Mermaid 10.5 and later).

The diagram has no legend and no gaps: colours are set and named beside it, and each point is the mean of a part of the time in which both sides have samples.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import floor, log10

from cicd_agents.domain.guardian import Chart
from cicd_agents.report.guardian_curves import Curves, cells, curves
from cicd_agents.report.guardian_numbers import moment, unit_name

MOST_CHARTS, MOST_POINTS = 3, 30
_COUNTS = (30, 24, 20, 15, 12, 10, 8, 6, 5, 4, 3)
_TITLE = 60
# The squares of the legend have the colours of the lines; blue and orange differ for the colour-blind too.
OLD, NEW, LIMIT = "🟧", "🟦", "🟥"
_COLOURS = {OLD: "#e08a00", NEW: "#1f77d0", LIMIT: "#d1242f"}
# Quotes, backticks, `%%{` and entities (#, ;) mean something to Mermaid even inside of a text.
_UNSAFE = re.compile(r"[^\w .,:()/+-]+")


def mermaid(chart: Chart, names: tuple[str, str]) -> str | None:
    """The diagram's source, None where there are too few points that can be compared. `names`: the old and the new side."""
    drawn = curves(chart)
    rows = _rows(drawn) if drawn else []
    if not drawn or not rows:
        return None
    begin, end = drawn.beside
    at = moment(begin)
    values = [value for _, _, row in rows for value in row]
    low, high = _range(values)
    unit = unit_name(chart.unit)
    palette = ", ".join(_COLOURS[mark] for mark, _, _ in rows)
    lines = [
        f'%%{{init: {{"xyChart": {{"height": 320}}, "themeVariables": {{"xyChart": {{"plotColorPalette": "{palette}"}}}}}}}}%%',
        "xychart-beta",
        f'    title "{label(chart.title)}"',
        f'    x-axis "minutes since {at:%H:%M} UTC" 0 --> {_plain(max(1.0, (end - begin) / 60))}',
        f'    y-axis "{unit or "value"}" {_plain(low)} --> {_plain(high)}',
        *(f'    line "{label(_name(key, names))}" [{", ".join(map(_plain, row))}]' for _, key, row in rows),
    ]  # fmt: skip
    return "\n".join(lines)


def legend(chart: Chart, names: tuple[str, str], limit: str) -> str:
    """Which colour is which; `limit` is its text, shown where one is drawn."""
    drawn = curves(chart)
    parts = [f"{NEW} {names[1]}", *([f"{OLD} {names[0]}"] if drawn and drawn.baseline else [])]
    return " · ".join([*parts, f"{LIMIT} limit {limit}"] if drawn and drawn.limit is not None else parts)


def label(text: str) -> str:
    """A text inside of the diagram's quotes: letters, digits and harmless signs."""
    return " ".join(_UNSAFE.sub(" ", text).split())[:_TITLE] or "metric"


def _name(key: str, names: tuple[str, str]) -> str:
    return {"old": names[0], "new": names[1]}.get(key, key)


def _rows(drawn: Curves) -> list[tuple[str, str, Sequence[float]]]:
    """(colour, side, values) with the most points at which no side has a gap: nothing is made up."""
    for count in _COUNTS:
        new = [value for value in cells(drawn.canary, drawn.beside, count) if value is not None]
        old = [value for value in cells(drawn.baseline, drawn.beside, count) if value is not None]
        if len(new) == count and len(old) in ({count} if drawn.baseline else {0}):
            limit = [] if drawn.limit is None else [(LIMIT, "limit", [drawn.limit] * count)]
            return [*([(OLD, "old", old)] if old else []), (NEW, "new", new), *limit]
    return []


def _range(values: Sequence[float]) -> tuple[float, float]:
    """From zero where that is not far; never empty."""
    low, high = min(values), max(values)
    if 0 < low <= 0.7 * high:
        low = 0.0
    pad = max(0.08 * (high - low), 0.001 * abs(high), 1e-8)  # so that both ends differ in the digits of `_plain`
    return (low if low == 0 else low - pad), high + pad


def _plain(value: float) -> str:
    """Four significant digits, without an exponent, which the grammar does not know."""
    decimals = max(0, 3 - floor(log10(abs(value)))) if value else 0
    text = f"{value:.{min(decimals, 9)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text

"""A chart of the new version against the old one as SVG, for the HTML report: time in UTC, units at the axis, the limit as a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, floor, log10

from cicd_agents.domain.canary import Samples
from cicd_agents.domain.guardian import Chart
from cicd_agents.report.guardian_curves import Curves, curves, runs
from cicd_agents.report.guardian_html_elements import Html, element, escaped
from cicd_agents.report.guardian_numbers import moment, number, unit_name, utc, value_text

WIDTH, HEIGHT = 720, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 16, 14, 40
_DAY = 86_400
_STEPS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, _DAY)
_MOST_TIMES, _MOST_VALUES = 7, 5


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where times and values lie on the drawing."""

    begin: float
    end: float
    low: float
    high: float

    def x(self, time: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (time - self.begin) / (self.end - self.begin)

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (value - self.low) / (self.high - self.low)


def svg(chart: Chart, names: tuple[str, str], key: str) -> Html | None:
    """The drawing, None where there is nothing to draw; `key` makes its ids its own."""
    drawn = curves(chart)
    if not drawn:
        return None
    frame = _frame(drawn)
    return element(
        "svg",
        element("title", escaped(chart.title, 100), id=f"{key}-title"),
        element("desc", escaped(_told(chart, drawn, names)), id=f"{key}-desc"),
        *_value_axis(frame, unit_name(chart.unit)),
        *_time_axis(frame),
        *_limit(frame, drawn, chart),
        *_curve(frame, drawn.baseline, "old"),
        *_curve(frame, drawn.canary, "new"),
        viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_labelledby=f"{key}-title {key}-desc", class_="chart",
    )  # fmt: skip


def _frame(drawn: Curves) -> _Frame:
    begin, end = drawn.span
    low, high = min(drawn.values), max(drawn.values)
    if 0 < low <= 0.7 * high:
        low = 0.0
    pad = 0.06 * (high - low) or max(0.1 * abs(high), 0.01)
    return _Frame(begin, end if end > begin else begin + 60, low if low == 0 else low - pad, high + pad)


def _told(chart: Chart, drawn: Curves, names: tuple[str, str]) -> str:
    """The chart in a sentence, for those who do not see it."""
    unit = unit_name(chart.unit)
    parts = [
        f"{name} from {_least(samples, min)} to {_least(samples, max)} {unit}".rstrip()
        for name, samples in zip(names, (drawn.baseline, drawn.canary))
        if samples
    ]
    limit = [f"the limit is {value_text(chart.limit, chart.unit)}"] if drawn.limit is not None else []
    begin, end = drawn.span
    return f"{', '.join([*parts, *limit])}; {utc(begin)} to {utc(end)}."


def _least(samples: Samples, choose: Callable[[list[float]], float]) -> str:
    return number(choose([value for _, value in samples]))


def _value_axis(frame: _Frame, unit: str) -> Iterator[Html]:
    right = f"{WIDTH - _RIGHT}"
    for value in _nice(frame.low, frame.high):
        at = f"{frame.y(value):.1f}"
        yield element("line", x1=f"{_LEFT}", x2=right, y1=at, y2=at, class_="grid")
        yield element("text", escaped(f"{number(value)} {unit}".rstrip()), x=f"{_LEFT - 8}", y=at, class_="value")


def _time_axis(frame: _Frame) -> Iterator[Html]:
    span = frame.end - frame.begin
    step = next((step for step in _STEPS if span / step <= _MOST_TIMES), ceil(span / _MOST_TIMES / _DAY) * _DAY)
    form = "%H:%M" if step < _DAY else "%Y-%m-%d"
    bottom = HEIGHT - _BOTTOM
    for index in range(ceil(frame.begin / step), floor(frame.end / step) + 1):
        at, time = f"{frame.x(index * step):.1f}", moment(index * step)
        yield element("line", x1=at, x2=at, y1=f"{bottom}", y2=f"{bottom + 5}", class_="axis")
        if time:
            yield element("text", escaped(f"{time:{form}}"), x=at, y=f"{bottom + 18}", class_="time")
    yield element("line", x1=f"{_LEFT}", x2=f"{WIDTH - _RIGHT}", y1=f"{bottom}", y2=f"{bottom}", class_="axis")
    first = moment(frame.begin)
    yield element("text", escaped(f"{first:%Y-%m-%d}, UTC" if first else "UTC"), x=f"{WIDTH - _RIGHT}", y=f"{HEIGHT - 6}", class_="zone")


def _limit(frame: _Frame, drawn: Curves, chart: Chart) -> Iterator[Html]:
    if drawn.limit is None:
        return
    at = frame.y(drawn.limit)
    yield element("line", x1=f"{_LEFT}", x2=f"{WIDTH - _RIGHT}", y1=f"{at:.1f}", y2=f"{at:.1f}", class_="limit")
    yield element(
        "text",
        escaped(f"limit {value_text(chart.limit, chart.unit)}"),
        x=f"{WIDTH - _RIGHT - 4}",
        y=f"{at - 5 if at > 2 * _TOP else at + 13:.1f}",
        class_="limit-text",
    )


def _curve(frame: _Frame, samples: Samples, class_: str) -> Iterator[Html]:
    for run in runs(samples):
        points = [f"{frame.x(time):.1f},{frame.y(value):.1f}" for time, value in run]
        yield element("polyline", points=" ".join(points * (2 if len(points) == 1 else 1)), class_=class_)


def _nice(low: float, high: float) -> list[float]:
    """A few round values between both."""
    rough = (high - low) / _MOST_VALUES
    size = 10 ** floor(log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    return [index * step for index in range(ceil(low / step), floor(high / step) + 1)]

"""A table of numbers as people write it: `Error rate: 0.12% (baseline: 0.10%) / P95 latency: 165ms (baseline: 150ms)`, one per line, or Markdown (pure).

Every number is taken into the unit of its metric; what is not certain is refused with the line, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from cicd_agents.analysis.canary.reading.metric_names import CONTEXT, MetricNames, words_of
from cicd_agents.analysis.canary.reading.quantities import NUMBER, Quantity, example_of, in_seconds, in_unit, quantity_of, read_quantity
from cicd_agents.analysis.canary.reading.table_parts import JOINING_WORDS, NOTHING, UNIT_IN_NAME, Part, parts_of, role_of, section_of
from cicd_agents.domain.canary import CanaryPolicy, Kind, Metric, Point
from cicd_agents.domain.errors import UsageError

LONGEST_TEXT, MOST_POINTS = 200_000, 200
_TOKEN = re.compile(
    r"(?P<arrow>→|⇒|➜|->|=>)|(?P<none>\b(?:n/a|nan|none|null|unknown)\b)"
    rf"|(?<![\w.,])(?P<quantity>{NUMBER.pattern})(?!\w)|(?P<word>[^\W\d_]+)|(?P<left>\w+)",
    re.IGNORECASE,
)
_WITH_SIDE = (re.compile(r"(?P<side>[^\W\d_]+)[\s._]+(?P<name>.+)"), re.compile(r"(?P<name>.+?)\s*\((?P<side>[^\W\d_]+)\)"))
_SUCCESS = Metric("success_rate", Kind.RATIO, "Success rate", unit="%")
_LEAD = re.compile(r"^(?:\s|[-*•·‣>#]|\d{1,2}[.)]\s|[^\w\s(+|.%-])+")


def parse_table(text: str, policy: CanaryPolicy) -> tuple[Point, ...]:
    """The points of a table as text, in the order they stand. Raises UsageError with the line and what to write where a number cannot be taken for certain."""
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"The table of numbers is longer than {LONGEST_TEXT} characters, which no table needs.")
    names = MetricNames.of(policy)
    found, side = Points(), ""
    for part in parts_of(text):
        if part.point is None and (section := section_of(part.line)) is not None and (section or not read_any(part.line)):
            side = section
        elif part.point is not None or part.line:
            _take(part, names, found, side)
    if not found.points:
        example = "Error rate: 0.12% (baseline: 0.10%) / P95 latency: 165ms (baseline: 150ms)"
        raise UsageError(f"There is no number of a metric in the table; write for example `{example}`.")
    return tuple(found.points.values())


@dataclass(slots=True)
class Points:
    """The points so far, by metric."""

    points: dict[str, Point] = field(default_factory=dict)

    def add(self, point: Point) -> bool:
        """Keep a point, or the other side of one; False where the metric has other numbers already."""
        known = self.points.setdefault(point.metric, point)
        if known.canary is None and point.baseline is None:
            known = self.points[point.metric] = point = replace(known, canary=point.canary)
        elif known.baseline is None and point.canary is None:
            known = self.points[point.metric] = point = replace(known, baseline=point.baseline)
        if len(self.points) > MOST_POINTS:
            raise UsageError(f"The table has more than {MOST_POINTS} metrics, which no table needs.")
        return known == point


def _take(part: Part, names: MetricNames, found: Points, side: str) -> None:
    """Keep what a statement says; `side` is that of the section that it stands in, empty: none."""
    point = _of_cells(part, names) if part.point is not None else _of_line(part, names, side)
    if point is not None and not found.add(point):
        raise part.wrong(f"{point.metric} stands there twice with other numbers; keep one of them")


# One statement


def _of_cells(part: Part, names: MetricNames) -> Point | None:
    name, canary, baseline = part.point or ("", "", "")
    name, default = _without_unit(name)
    if not name or not (read_any(canary) or read_any(baseline)):
        _no_number(part, name, " ".join(cell for cell in (canary, baseline) if cell.lower() not in NOTHING), names)
        return None
    metric = _metric(part, name, names)
    values = [_cell(part, cell, default) for cell in (canary, baseline)]
    return None if metric is None else _point(part, metric, values[0], values[1])


def _no_number(part: Part, name: str, rest: str, names: MetricNames) -> None:
    """Refuse a metric whose value is a word: left out, it would look as if nothing spoke against the new version. A heading has nothing behind its name."""
    if rest.strip() and isinstance(names.find(name), Metric):
        raise part.wrong(f"{rest.strip()[:30]!r} is no number; write one such as 0.12% or 165ms")


def read_any(cell: str) -> bool:
    """Whether a cell has a digit at all."""
    return any(letter.isdigit() for letter in cell)


def _cell(part: Part, cell: str, default: str) -> Quantity | None:
    if not cell or cell.lower() in NOTHING:
        return None
    value = read_quantity(re.sub(r"^[^\w+\-.]+|[^\w%‰]+$", "", cell))
    if value is None:
        raise part.wrong(f"{cell[:30]!r} is no number; write one such as 0.12% or 165ms")
    return replace(value, unit=default) if default and not value.unit else value


def _of_line(part: Part, names: MetricNames, side: str) -> Point | None:
    line = re.sub(r"[*`]", "", _LEAD.sub("", part.line)).strip()
    if not read_any(line) and not _TOKEN.search(line):
        return None
    split = _split(line, names)
    if split is None:
        if read_any(line):
            raise part.wrong("it has a number, but no name of a metric before it; write `name: number`")
        return None
    name, rest = split
    if (own := section_of(name)) and names.leading(rest) is not None:  # `Canary: error rate 5.2%`
        return _of_line(replace(part, line=rest), names, own)
    name, side = _own_side(name, names, side)
    if not read_any(rest) and not any(token["none"] for token in _TOKEN.finditer(rest)):
        if line[len(name) :].lstrip()[:1] in (":", "="):  # else it is prose that begins with the name
            _no_number(part, _without_unit(name)[0], rest, names)
        return None
    name, default = _without_unit(name)
    if words_of(name) in CONTEXT and names.find(name) is None:
        return None
    metric = _metric(part, name, names)
    if metric == "health_checks" and "fail" in rest.lower():
        metric = "health_failures"
    canary, baseline = _sides(part, rest, default, side)
    if metric is None or (canary is None and baseline is None):
        raise part.wrong("it has no number of the canary; write `name: number (baseline: number)`")
    return _point(part, metric, canary, baseline)


def _own_side(name: str, names: MetricNames, side: str) -> tuple[str, str]:
    """`Canary error rate` and `error rate (canary)` without the side, and the side; else the name as it stands and the side of its section."""
    if names.find(name) is None:
        for form in _WITH_SIDE:
            if (found := form.fullmatch(name.strip())) and role_of(found["side"]) in ("canary", "baseline") and names.find(found["name"]) is not None:
                return found["name"], role_of(found["side"])
    return name, side


def _split(line: str, names: MetricNames) -> tuple[str, str] | None:
    """The name and what follows it."""
    found = re.match(r"([^:=]{1,80}?)\s*(?::|=(?!>))\s*(.*)$", line, re.DOTALL)
    if found and not _sided(found[1], names):
        return found[1], found[2]
    leading = names.leading(line)
    return leading if leading and leading[1].strip() else None


def _sided(name: str, names: MetricNames) -> bool:
    """`Error rate 0.12% (baseline: …`: the colon is of a later part."""
    if "(" in re.sub(r"\([^()]*\)", "", name):
        return True
    return names.find(_without_unit(name)[0]) is None and names.leading(name) is not None and read_any(name)


def _without_unit(name: str) -> tuple[str, str]:
    """The name without a unit in brackets (`P95 latency (ms)`), and that unit."""
    found = UNIT_IN_NAME.search(name)
    if not found:
        return name.strip(), ""
    value = read_quantity(f"1{found[1]}")
    return name[: found.start()].strip(), value.unit if value else ""


def _metric(part: Part, name: str, names: MetricNames) -> Metric | str | None:
    found = names.find(name)
    if found is None:
        raise part.wrong(names.unknown(name))
    return found


def _sides(part: Part, rest: str, default: str, side: str) -> tuple[Quantity | None, Quantity | None]:
    """The canary's number and the baseline's. Numbers with a sign are changes and are passed over. `side` is that of numbers that say none."""
    seen: dict[str, list[Quantity | None]] = {"canary": [], "baseline": [], "": []}
    role, named, arrow = side, False, False
    for token in _TOKEN.finditer(rest):
        if token["arrow"]:
            arrow = True
            if seen[""]:
                seen["baseline"].append(seen[""].pop())
        elif token["word"]:
            if (told := role_of(token["word"])) and not (named and token["word"].lower() in JOINING_WORDS):
                role, named = told, True
        elif token["none"]:
            seen.get(role, seen[""]).append(None)
            role, named = side, False
        elif token["quantity"]:
            value = _quantity(part, token, default)
            if role != "other" and not value.sign:
                seen["canary" if arrow and not role else role].append(value)
            role, named, arrow = side, False, False
        else:
            raise part.wrong(f"{token['left'][:30]!r} is no number with a unit that is known; write for example 0.12%, 165ms or 1.2s")
    if len(seen[""]) > 1 and not (seen["canary"] or seen["baseline"]) and not re.search(r"[(\[]", rest):
        raise part.wrong("it has more numbers than canary and baseline, or nothing says which is which; write `name: number (baseline: number)`")
    return _settled(part, seen)


def _quantity(part: Part, token: re.Match[str], default: str) -> Quantity:
    try:
        found = NUMBER.fullmatch(token["quantity"].strip())
        value = quantity_of(found) if found else None
    except UsageError as problem:
        raise part.wrong(str(problem).rstrip(".")) from None
    if value is None:
        raise part.wrong(f"{token['quantity'][:30]!r} is no number")
    return replace(value, unit=default) if default and not value.unit else value


def _settled(part: Part, seen: dict[str, list[Quantity | None]]) -> tuple[Quantity | None, Quantity | None]:
    canary, baseline, plain = seen["canary"], seen["baseline"], seen[""]
    for side in (canary, baseline):
        if not side and plain:
            side.append(plain.pop(0))
    if plain or len(canary) > 1 or len(baseline) > 1:
        raise part.wrong("it has more numbers than canary and baseline; write `name: number (baseline: number)`")
    return (canary[0] if canary else None), (baseline[0] if baseline else None)


def _point(part: Part, metric: Metric | str, canary: Quantity | None, baseline: Quantity | None) -> Point | None:
    try:
        return aside_of(metric, canary, baseline) if isinstance(metric, str) else point_of(metric, canary, baseline)
    except UsageError as problem:
        raise part.wrong(str(problem).rstrip(".")) from None


def aside_of(name: str, canary: Quantity | None, baseline: Quantity | None) -> Point | None:
    """A number that is of no metric of the policy. Requests that went well are those that did not fail; a duration counts in minutes."""
    if name == "success_rate":
        return Point("error_rate", *(None if value is None else round(1 - _fitting(_SUCCESS, value), 12) for value in (canary, baseline)))
    if name == "minutes":
        seconds = in_seconds(canary) if canary is not None and baseline is None else None
        return Point(name, seconds / 60) if seconds is not None and seconds >= 1 else None
    return Point(name, *(None if value is None else float(value.number) for value in (canary, baseline)))


def point_of(metric: Metric, canary: Quantity | None, baseline: Quantity | None) -> Point:
    """The point in the metric's unit. Raises UsageError where a number has no unit that fits, or cannot be. Critical messages may be a plain number."""
    told = [value for value in (canary, baseline) if value is not None]
    if metric.kind is Kind.LOGS and told and all(not value.unit and value.sign != "-" for value in told):
        return Point("critical_messages", *(None if value is None else float(value.number) for value in (canary, baseline)))
    values = [None if value is None else _fitting(metric, value) for value in (canary, baseline)]
    return Point(metric.name, values[0], values[1])


def _fitting(metric: Metric, value: Quantity) -> float:
    title = metric.title or metric.name
    if value.sign == "-":
        raise UsageError(f"{title} cannot be negative ({value.text}).")
    number = in_unit(value, metric.unit)
    if number is None:
        what = f"the unit of {value.text} does not fit" if value.unit else f"{value.text} has no unit"
        raise UsageError(f"{title}: {what}; write it like {example_of(metric.unit)}.")
    if metric.unit == "%" and number > 1:
        raise UsageError(f"{title}: {value.text} is more than 100 %, which a rate cannot be.")
    if number > 1e15:
        raise UsageError(f"{title}: {value.text} is too large to be a measured number.")
    return number


def only(points: Iterable[Point]) -> tuple[Point, ...]:
    """Points of different metrics; raises UsageError where one stands twice with other numbers."""
    found = Points()
    for point in points:
        if not found.add(point):
            raise UsageError(f"{point.metric} stands there twice with other numbers; keep one of them.")
    return tuple(found.points.values())

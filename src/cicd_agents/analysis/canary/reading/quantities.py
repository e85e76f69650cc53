"""Numbers as people write them, with their units: `0,12 %`, `1 200 ms`, `+0.1pp`, `512 MiB` (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from cicd_agents.domain.errors import UsageError

# What groups digits: no-break space, thin space, narrow no-break space, apostrophes, underscore. A plain blank does not: `120 100` may be two numbers.
_GROUP = "\u00a0\u2009\u202f'\u2019_"
_DIGITS = rf"(?:\d{{1,3}}(?:[{_GROUP}]\d{{3}})+(?!\d)|\d+)"
_UNITS = (
    r"%|‰|pp\b|percentage points?\b|points?\b|percent\b", r"[µμu]s\b|ms\b|millis(?:econds)?\b|milliseconds?\b", r"[KMGT]i?B\b|[KMGT]i\b|kB\b|bytes?\b|B\b",
    r"min(?:utes?|s)?\b|hours?\b|h\b|sec(?:onds?|s)?\b|s\b|m\b|d\b|days?\b", r"(?:rps|qps|req/s|requests?/s|ops/s|rpm|req/min)(?![\w/])|/s\b|/min\b",
    r"[xX×](?!\w)|[kKM](?!\w)",
)  # fmt: skip
NUMBER = re.compile(
    rf"(?P<sign>[+\-\u2212\u2013]?)\s?(?P<number>{_DIGITS}(?:[.,]\d+)*|[.,]\d+)(?P<power>[eE][+\-]?\d{{1,3}})?"
    rf"(?:[{_GROUP}\s]?(?P<unit>{'|'.join(_UNITS)}))?"
)

SECONDS = {"us": "0.000001", "ms": "0.001", "s": "1", "min": "60", "h": "3600", "d": "86400"}
_BYTES = {"B": "1", "kB": "1000", "KB": "1000", "MB": "1000000", "GB": "1000000000", "TB": "1000000000000"}
BYTES = _BYTES | {"KiB": "1024", "MiB": "1048576", "GiB": "1073741824", "TiB": "1099511627776"}
BYTES |= {unit.removesuffix("B"): factor for unit, factor in BYTES.items() if unit.endswith("iB")}  # as Kubernetes writes them
PER_SECOND = {"rps": "1", "rpm": "0.01666666666666666667"}
_NAMES = {
    "µs": "us", "μs": "us", "m": "min", "×": "x", "X": "x", "percent": "%", "point": "pp", "points": "pp", "percentage point": "pp", "percentage points": "pp",
    "qps": "rps", "req/s": "rps", "request/s": "rps", "requests/s": "rps", "ops/s": "rps", "/s": "rps", "req/min": "rpm", "/min": "rpm",
}  # fmt: skip
MANY = 60  # digits that one number may have
_SIZES = range(-30, 31)  # powers of ten of what can be measured


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit as a plain word (`%`, `pp`, `ms`, `x`, …; empty: none). `sign` is as written, empty without one; `number` is never negative."""

    number: Decimal
    unit: str = ""
    sign: str = ""
    text: str = ""

    @property
    def signed(self) -> Decimal:
        """The number with its sign."""
        return -self.number if self.sign == "-" else self.number


def quantity_of(found: re.Match[str]) -> Quantity:
    """The quantity of a match of NUMBER. Raises UsageError for a number that cannot be told (`1.2.3`) or that is far too long."""
    text = found.group().strip()
    if len(found["number"]) > MANY:
        raise UsageError(f"{text[:20]}… has too many digits to be a measured number.")
    number = _plain(found["number"], text)
    sign = found["sign"].replace("\u2212", "-").replace("\u2013", "-")
    value = Decimal(number + (found["power"] or ""))
    if value and value.adjusted() not in _SIZES:
        raise UsageError(f"{text[:30]} is too {'large' if value > 1 else 'small'} to be a measured number.")
    return Quantity(value, _unit(found["unit"] or ""), sign, text)


def read_quantity(text: str) -> Quantity | None:
    """The quantity that a whole text is, None where it is something else. Raises UsageError as `quantity_of`."""
    found = NUMBER.fullmatch(text.strip())
    return quantity_of(found) if found else None


def _plain(number: str, text: str) -> str:
    """Digits with a point: the last of comma and point is the decimal sign, except where it groups thousands (`1,200`)."""
    number = number.translate(dict.fromkeys(map(ord, _GROUP)))
    commas, points = number.count(","), number.count(".")
    if commas and points:
        last = "," if number.rfind(",") > number.rfind(".") else "."
        other = "." if last == "," else ","
        if number.count(last) > 1 or not re.fullmatch(rf"\d{{1,3}}(?:\{other}\d{{3}})+\{last}\d+", number):
            raise UsageError(f"{text[:30]} is not a number that can be told; write it with a point, such as 1200.5.")
        return number.replace(other, "").replace(last, ".")
    if commas and re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+", number):
        return number.replace(",", "")
    if commas + points > 1:
        raise UsageError(f"{text[:30]} is not a number that can be told; write it with a point, such as 1200.5.")
    return number.replace(",", ".")


def _unit(written: str) -> str:
    written = " ".join(written.split())
    if written in BYTES or written in {"k", "K", "M"}:
        return "k" if written == "K" else written
    lower = written.lower()
    if lower in _NAMES or written in _NAMES:
        return _NAMES.get(lower) or _NAMES[written]
    for begin, unit in (("milli", "ms"), ("millis", "ms"), ("min", "min"), ("sec", "s"), ("hour", "h"), ("day", "d"), ("byte", "B")):
        if lower.startswith(begin):
            return unit
    return written


def in_seconds(quantity: Quantity) -> float | None:
    """A duration in seconds, None for another unit; a bare 0 needs none."""
    if quantity.unit in SECONDS:
        return float(quantity.number * Decimal(SECONDS[quantity.unit]))
    return 0.0 if quantity.number == 0 and not quantity.unit else None


def in_unit(quantity: Quantity, unit: str) -> float | None:
    """The number in a metric's unit (domain.canary.Metric), None where the written unit does not fit; a bare 0 fits every unit."""
    if quantity.number == 0 and not quantity.unit:
        return 0.0
    if unit == "s":
        return in_seconds(quantity)
    if unit == "%":
        if quantity.unit == "‰":
            return float(quantity.number / 1000)
        return float(quantity.number / 100) if quantity.unit in {"%", "pp"} else None
    if unit == "percent":
        return float(quantity.number) if quantity.unit in {"%", "pp"} else None
    factors = {"": "1", "k": "1000", "M": "1000000"} | BYTES | PER_SECOND
    return float(quantity.number * Decimal(factors[quantity.unit])) if quantity.unit in factors else None


def example_of(unit: str) -> str:
    """How a number of this unit is written, for messages."""
    return {"%": "0.12%", "s": "165ms", "percent": "48% (of its limit)"}.get(unit, "120")

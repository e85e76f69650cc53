"""Queries of the user's own, `name=QUERY` (pure).

Three forms: `name=QUERY` gives one value of each version per step; `name.errors=` and `name.total=` are a pair of raw counters; `name.count=` is one raw
counter, such as a business event. `{selector}` stands for the matchers of a version in braces, `{matchers}` for them without braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cicd_agents.analysis.canary.observing.promql import STRING
from cicd_agents.domain.canary import Direction, Kind, Metric, Tolerance
from cicd_agents.domain.errors import UsageError

MAX_QUERIES, MAX_LENGTH = 50, 4_000
_NAME = re.compile(r"([a-z][a-z0-9_]{0,60})(?:\.(errors|total|count))?")
_PLACEHOLDER = re.compile(r"\{\s*([a-z_]+)\s*\}")
# A placeholder among other matchers, where only `{matchers}` in braces of its own fits.
_BESIDE = re.compile(r"\{\s*(?:selector|matchers)\s*,|,\s*(?:selector|matchers)\s*[,}]|\{[^{}]*\{\s*selector\s*\}")
# Placeholders are filled outside strings only.
_FILLED = re.compile(rf"(?:{STRING.pattern})|\{{\s*(selector|matchers)\s*\}}")
_COUNTER = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\s*(?:\{selector\}|\{[^{}]*\{matchers\}[^{}]*\})")
_PAIRS = {"(": ")", "[": "]", "{": "}"}
# As the error rate of the default policy, and a level that may differ by a tenth.
_RATIO = Tolerance(1.05, 0.00005, 1.0, 0.001, 1.5, 0.005)
_LEVEL = Tolerance(1.1, 0.0, 1.2, 0.0, 1.5, 0.0)


class OwnKind(StrEnum):
    """What a query gives: a value of the version per step, or a raw counter of each replica."""

    VALUE = "value"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class OwnQuery:
    """A query with its placeholder. `name` is the series' name in the observation: `checkout.errors` and `checkout.total` are the pair of `checkout`."""

    name: str
    kind: OwnKind
    query: str

    def filled(self, matchers: str) -> str:
        """The query for one version."""
        values = {"selector": f"{{{matchers}}}", "matchers": matchers}
        return _FILLED.sub(lambda found: values[found[1]] if found[1] else found[0], self.query)


def parse_own(texts: Iterable[str]) -> tuple[OwnQuery, ...]:
    """The queries. Raises UsageError, which names the query and what is wrong with it."""
    found: dict[str, OwnQuery] = {}
    for text in texts:
        name, sign, query = text.partition("=")
        parts = _NAME.fullmatch(name.strip())
        if not sign or not parts:
            raise UsageError(f"queries: NAME=QUERY is expected, with a name of small letters, digits and _; this is none: {text[:80]!r}")
        own = _parsed(parts[1], parts[2] or "", query.strip())
        if own.name in found:
            raise UsageError(f"queries: {own.name} is there twice.")
        found[own.name] = own
    if len(found) > MAX_QUERIES:
        raise UsageError(f"queries: there are {len(found)} queries, {MAX_QUERIES} are allowed.")
    for name in found:
        base, _, part = name.partition(".")
        other = {"errors": "total", "total": "errors"}.get(part)
        if other and f"{base}.{other}" not in found:
            raise UsageError(f"queries: {name} needs {base}.{other} beside it.")
    return tuple(found.values())


def own_metrics(own: Iterable[OwnQuery], known: Iterable[Metric]) -> tuple[Metric, ...]:
    """Metrics for the queries that no metric of the policy uses yet: a pair as an error rate, a value as a level that should not rise. They hold, they do not
    roll back: whoever wants that names the metric in the policy."""
    metrics = tuple(known)
    used = {name for metric in metrics for name in (metric.name, *metric.events, *metric.of)}
    made: list[Metric] = []
    for query in own:
        base, _, part = query.name.partition(".")
        if part == "errors" and query.name not in used and base not in used:
            made.append(Metric(base, Kind.RATIO, _title(base), events=(query.name,), of=(f"{base}.total",), unit="%", critical=False, tolerance=_RATIO))
        if query.kind is OwnKind.VALUE and query.name not in used:
            made.append(Metric(query.name, Kind.GAUGE, _title(query.name), Direction.INCREASE, (query.name,), critical=False, tolerance=_LEVEL))
    return tuple(made)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _parsed(base: str, part: str, query: str) -> OwnQuery:
    name = base if part in ("", "count") else f"{base}.{part}"
    if not query or len(query) > MAX_LENGTH:
        raise UsageError(f"queries: the query of {name} is {'empty' if not query else f'longer than {MAX_LENGTH} characters'}.")
    bare = STRING.sub("0", query)
    if re.search("[\"'`]", bare):
        raise UsageError(f"queries: a string in the query of {name} has no end.")
    _check_pairs(name, bare)
    unknown = [found for found in _PLACEHOLDER.findall(bare) if found not in ("selector", "matchers")]
    if unknown:
        raise UsageError(f"queries: {name} has the placeholder {{{unknown[0]}}}; there are {{selector}} and {{matchers}}.")
    if _BESIDE.search(bare):
        raise UsageError(f'queries: beside other matchers {name} needs {{matchers}}, in braces of its own: x{{code="500",{{matchers}}}}.')
    if not _PLACEHOLDER.search(bare):
        raise UsageError(f"queries: {name} has neither {{selector}} nor {{matchers}}, so it would say the same of both versions.")
    if part and not _COUNTER.fullmatch(bare):
        raise UsageError(
            f"queries: {name} must be a raw counter, such as orders_total{{selector}}, without rate() or sum() around it: those hide births and resets."
        )
    return OwnQuery(name, OwnKind.COUNTER if part else OwnKind.VALUE, query)


def _check_pairs(name: str, bare: str) -> None:
    awaited: list[str] = []
    for sign in bare:
        if sign in _PAIRS:
            awaited.append(_PAIRS[sign])
        elif sign in _PAIRS.values() and (not awaited or awaited.pop() != sign):
            raise UsageError(f"queries: the query of {name} has a {sign} without its other half.")
    if awaited:
        raise UsageError(f"queries: the query of {name} lacks a {awaited[-1]}.")

"""Keptn's `slo.yaml` as input (pure; clients.guardian_files reads the file).

Format: github.com/keptn/spec, service_level_objective.md; defaults: lighthouse-service/event_handler/common.go (parseSLO) of keptn/keptn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cicd_agents.domain.errors import UsageError

MOST_OBJECTIVES, MOST_CRITERIA = 200, 50
OPERATORS = ("<=", "<", "=", ">=", ">")
AGGREGATES = ("avg", "p50", "p90", "p95")
_KNOWN = frozenset(("spec_version", "filter", "comparison", "objectives", "total_score", "apiVersion", "kind", "metadata"))
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE)
_LOOKS = re.compile(r"[<|=>]{1,2}")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion such as `<=+10%`. `comparison`: relative to earlier results, always where there is a `%`; `increase` is False for `-`."""

    operator: str
    value: float
    percentage: bool = False
    comparison: bool = False
    increase: bool = False


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective. `passes` and `warnings`: one of the sets must hold, and in it all. Without `passes` it only informs."""

    sli: str
    passes: tuple[tuple[Criterion, ...], ...] = ()
    warnings: tuple[tuple[Criterion, ...], ...] = ()
    weight: float = 1.0
    key: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class Slo:
    """The file. `number` earlier results of at least the result `include` (all, pass_or_warn, pass) are compared with, joined by `aggregate`."""

    objectives: tuple[Objective, ...]
    pass_percent: float = 90.0
    warning_percent: float | None = 75.0
    number: int = 1
    include: str = "all"
    aggregate: str = "avg"


def parse_criterion(text: str) -> Criterion:
    """The criterion of a text, as Keptn's parseCriteriaString reads it. Raises UsageError for what it refuses."""
    bare = text.replace(" ", "")
    operator = next((known for known in OPERATORS if bare.startswith(known)), "")
    rest = bare[len(operator) :]
    percentage = rest.endswith("%")
    rest = rest.removesuffix("%")
    sign = rest[:1] if rest[:1] in {"+", "-"} else ""
    rest = rest[len(sign) :]
    if not _LOOKS.match(bare) or not operator or not _FLOAT.fullmatch(rest):
        raise UsageError(f"The criterion {text[:60]!r} cannot be read; write one such as <500, <=+10% or >-5.")
    return Criterion(operator, float(rest), percentage, percentage or bool(sign), sign != "-" and (percentage or sign == "+"))


def read_slo(document: Mapping[str, Any]) -> Slo:
    """The objectives of a parsed file. Raises UsageError: one sentence with the path."""
    unknown = sorted(str(key) for key in document if key not in _KNOWN)
    if unknown:
        raise UsageError(f"{unknown[0][:60]} is not known in a Keptn SLO file; it has spec_version, comparison, objectives and total_score.")
    entries = document.get("objectives")
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries or len(entries) > MOST_OBJECTIVES:
        raise UsageError(f"objectives must be a list of 1 to {MOST_OBJECTIVES} objectives, as a Keptn SLO file has.")
    objectives = tuple(_objective(entry, f"objectives[{index}]") for index, entry in enumerate(entries) if entry is not None)
    total = document.get("total_score")
    if total is None:
        if any(objective.passes for objective in objectives):
            raise UsageError("total_score is missing; write for example total_score: {pass: 90%, warning: 75%}.")
        total = {}
    total = _mapping(total, "total_score")
    passing = _percent(total.get("pass"), "total_score.pass")
    if passing is None and any(objective.passes for objective in objectives):
        raise UsageError("total_score.pass is missing; write for example 90%.")
    warning = _percent(total.get("warning"), "total_score.warning")
    return Slo(objectives, 90.0 if passing is None else passing, warning, *_comparison(document.get("comparison")))


def _mapping(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{path} must be a mapping.")
    return value


def _comparison(value: object) -> tuple[int, str, str]:
    if value is None:
        return 1, "all", "avg"
    given = _mapping(value, "comparison")
    number = given.get("number_of_comparison_results") or 3
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number <= 1000:
        raise UsageError("comparison.number_of_comparison_results must be a whole number from 1 to 1000.")
    include, aggregate = str(given.get("include_result_with_score") or "all").lower(), str(given.get("aggregate_function") or "avg")
    if include not in {"all", "pass", "pass_or_warn"}:
        raise UsageError(f"comparison.include_result_with_score must be all, pass or pass_or_warn, not {include[:40]!r}.")
    if aggregate not in AGGREGATES:
        raise UsageError(f"comparison.aggregate_function must be {', '.join(AGGREGATES)}, not {aggregate[:40]!r}.")
    several = {"several_results": number, "single_result": 1, "": 3}
    with_what = str(given.get("compare_with") or "")
    if with_what not in several:
        raise UsageError(f"comparison.compare_with must be single_result or several_results, not {with_what[:40]!r}.")
    return several[with_what], include, aggregate


def _objective(entry: object, path: str) -> Objective:
    given = _mapping(entry, path)
    sli = given.get("sli")
    if not isinstance(sli, str) or not sli or len(sli) > 200:
        raise UsageError(f"{path} needs its sli, the name of what is measured.")
    weight = given.get("weight") or 1
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < 1e6:
        raise UsageError(f"{path}.weight must be a number above 0.")
    key = given.get("key_sli") or False
    if not isinstance(key, bool):
        raise UsageError(f"{path}.key_sli must be true or false.")
    sets = [_sets(given.get(name), f"{path}.{name}") for name in ("pass", "warning")]
    return Objective(sli, sets[0], sets[1], float(weight), key, str(given.get("displayName") or "")[:200])


def _sets(value: object, path: str) -> tuple[tuple[Criterion, ...], ...]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MOST_CRITERIA:
        raise UsageError(f'{path} must be a list such as `- criteria: ["<=+10%", "<500"]`.')
    return tuple(_criteria(entry, f"{path}[{index}]") for index, entry in enumerate(value))


def _criteria(entry: object, path: str) -> tuple[Criterion, ...]:
    texts = _mapping(entry, path).get("criteria")
    if not isinstance(texts, Sequence) or isinstance(texts, str) or not texts or len(texts) > MOST_CRITERIA:
        raise UsageError(f'{path}.criteria must be a list such as ["<=+10%", "<500"].')
    found = []
    for index, text in enumerate(texts):
        try:
            found.append(parse_criterion(str(text)))
        except UsageError as problem:
            raise UsageError(f"{path}.criteria[{index}]: {problem}") from None
    return tuple(found)


def _percent(value: object, path: str) -> float | None:
    if value is None or value == "":
        return None
    text = str(value).removesuffix("%").strip()
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,3}(?:\.\d+)?", text):
        raise UsageError(f"{path} must be a percentage such as 90%, not {str(value)[:40]!r}.")
    return float(text)

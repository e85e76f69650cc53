"""The report as data: contract `cicd-agents/report/v1`. Secrets are redacted here, once, so that no format can print one."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cicd_agents.domain.doctor import DoctorDetails, Excerpt
from cicd_agents.domain.finding import Finding, Location
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.redaction import Redacted, Redactor
from cicd_agents.domain.release import ReleaseDetails
from cicd_agents.domain.verdict import AgentVerdict, Details, FailOn, Outcome, exit_code

if TYPE_CHECKING:
    from cicd_agents.domain.advice import Advice
    from cicd_agents.domain.guardian import GuardianDetails  # noqa: F401 named in quotes below, so that other agents need not load it

SCHEMA = "cicd-agents/report/v1"
T = TypeVar("T")


@dataclass(frozen=True)  # typing marks instances of generic classes, which slots forbid
class AgentReport(Generic[Details]):
    """What a run of an agent says; every field is part of the contract."""

    schema: str
    agent: str
    outcome: Outcome
    exit_code: int
    title: str
    summary: str
    findings: tuple[Finding, ...]
    operations: tuple[Operation, ...]
    details: Details
    notes: tuple[str, ...]
    duration_seconds: float
    advice: Advice | None = None


Report = AgentReport[DoctorDetails]
ReleaseReport = AgentReport[ReleaseDetails]
GuardianReport = AgentReport["GuardianDetails"]


def report_of(verdict: AgentVerdict[Details], fail_on: FailOn, duration: float, redactor: Redactor) -> AgentReport[Details]:
    """The redacted report of a verdict under a policy; `duration` in seconds."""
    clean, count = _redacted(verdict, redactor)
    notes: tuple[str, ...] = clean.notes
    if count:
        notes = (*notes, f"{count} secret{'s' if count > 1 else ''} redacted.")
    return AgentReport(
        SCHEMA, clean.agent, clean.outcome, exit_code(clean.outcome, fail_on), clean.title, clean.summary,
        clean.findings, clean.operations, clean.details, notes, round(duration, 3), clean.advice,
    )  # fmt: skip


def has_news(report: Report) -> bool:
    """Whether people should be told: a cause was found, or one was looked for in vain."""
    return report.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE)


def as_data(value: Any) -> Any:
    """A report, or any part of one, as JSON-ready data in the order of its fields. JSON has no NaN and no infinity: they become null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_data(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (tuple, list)):
        return [as_data(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return str(value) if isinstance(value, StrEnum) else value


def place(location: Location) -> str:
    """path:line:column as far as known."""
    parts = (location.path, location.line, location.column)
    return ":".join(str(part) for part in parts if part is not None)


def _redacted(value: T, redactor: Redactor) -> tuple[T, int]:
    """A copy of frozen data with every text redacted, and how many secrets were found."""
    count = 0
    known: dict[str, Redacted] = {}  # the same text stands in many places

    def walk(item: Any) -> Any:
        nonlocal count
        if isinstance(item, str) and not isinstance(item, StrEnum):
            found = known.get(item) or known.setdefault(item, redactor.redact(item))
            count += found.count
            return found.text
        if isinstance(item, Excerpt):
            return replace(item, lines=tuple(_lines(walk("\n".join(item.lines)), [redactor.redact(line).text for line in item.lines])))
        if isinstance(item, tuple):
            return tuple(walk(part) for part in item)
        if is_dataclass(item) and not isinstance(item, type):
            return replace(item, **{field.name: walk(getattr(item, field.name)) for field in fields(item)})
        return item

    result: T = walk(value)
    return result, count


def _lines(together: str, alone: list[str]) -> list[str]:
    """The lines of a text that was redacted as a whole, as many as before: a secret of several lines takes the place of each of them.

    `alone` are the lines redacted one by one, by which those outside of it are found again.
    """
    lines = together.split("\n")
    if len(lines) == len(alone):
        return lines
    before = 0
    while before < len(lines) and lines[before] == alone[before]:
        before += 1
    after = 0
    while after < len(lines) - before and lines[-1 - after] == alone[-1 - after]:
        after += 1
    hidden = len(alone) - before - after
    return [*alone[:before], *["[redacted]"] * hidden, *alone[len(alone) - after :]]

"""The findings as GitHub workflow commands, which mark the file and line in the pull request; other platforms have no such thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cicd_agents.domain.context import Platform
from cicd_agents.domain.finding import Finding
from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.document import Report
from cicd_agents.report.escape import command_data, command_property
from cicd_agents.report.paths import in_repository

# GitHub shows 10 errors and 10 warnings of a step (docs.github.com, workflow commands).
MOST_ANNOTATIONS = 10
_LEVELS = {Outcome.FAIL: "error", Outcome.INCONCLUSIVE: "warning"}
_TITLE, _MESSAGE, _PATH = 200, 3000, 400


def to_annotations(reports: Sequence[Report], platform: Platform, repository: str = "") -> tuple[str, ...]:
    """Lines to print as they are, at most MOST_ANNOTATIONS. The first finding of a report has one in any case, the others where their place is known."""
    if platform is not Platform.GITHUB:
        return ()
    lines = [line for report in reports for line in _lines(report, repository)]
    return tuple(lines[:MOST_ANNOTATIONS])


def _lines(report: Report, repository: str) -> Iterator[str]:
    level = _LEVELS.get(report.outcome)
    if level is None:
        return
    for index, finding in enumerate(report.findings):
        where = _where(finding, repository)
        if finding.evidence and (where or index == 0):
            title = command_property(f"{report.agent}: {finding.title}", _TITLE)
            yield f"::{level} {where}title={title}::{command_data(_message(report, finding, index == 0), _MESSAGE)}"


def _where(finding: Finding, repository: str) -> str:
    path = in_repository(finding.location.path, repository) if finding.location else None
    if path is None or finding.location is None:
        return ""
    line, column = finding.location.line, finding.location.column
    known = [("file", command_property(path, _PATH)), ("line", line), ("col", column if line else None)]
    return "".join(f"{name}={value}," for name, value in known if value)


def _message(report: Report, finding: Finding, first: bool) -> str:
    lines = [finding.title, *([report.summary] if first and report.summary else [])]
    return "\n".join([*lines, *(f"To do: {fix.title}" for fix in finding.fixes[:3])])

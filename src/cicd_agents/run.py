"""The story of a run: agent → report → exit code."""

from __future__ import annotations

from collections.abc import Callable

from cicd_agents.domain.redaction import Redactor
from cicd_agents.domain.verdict import FailOn, Verdict
from cicd_agents.report.document import Report, report_of


def run(agent: Callable[[], Verdict], fail_on: FailOn, redactor: Redactor, clock: Callable[[], float]) -> Report:
    """Run one agent and report it; `clock` gives seconds."""
    began = clock()
    verdict = agent()
    return report_of(verdict, fail_on, clock() - began, redactor)

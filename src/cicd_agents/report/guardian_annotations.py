"""The guardian's decision as a GitHub workflow command, which GitHub shows on the run's page; other platforms have no such thing."""

from __future__ import annotations

from cicd_agents.domain.canary import Decision
from cicd_agents.domain.context import Platform
from cicd_agents.report.document import GuardianReport
from cicd_agents.report.escape import command_data, command_property
from cicd_agents.report.guardian_wording import NAME, carried_out, deciding, reasoning, verdict_word

_TITLE, _MESSAGE = 200, 3000


def to_guardian_annotations(report: GuardianReport, platform: Platform) -> tuple[str, ...]:
    """The line to print as it is: an error for NO-GO, a warning for HOLD; nothing for GO."""
    details = report.details
    if platform is not Platform.GITHUB or details.decision is Decision.PROMOTE:
        return ()
    level = "error" if verdict_word(details) == "NO-GO" else "warning"
    where = f"{details.service} in {details.environment}" if details.environment else details.service
    title = command_property(f"{NAME}: {verdict_word(details)}, {where}", _TITLE)
    todo = [f"To do: {fix.title}" for fix in details.actions[:1]]
    lines = [reasoning(report), *deciding(details), *todo, *filter(None, [carried_out(report.operations)])]
    return (f"::{level} title={title}::{command_data(chr(10).join(lines), _MESSAGE)}",)

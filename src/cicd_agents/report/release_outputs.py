"""The step outputs of a release, for the steps and jobs that come after us."""

from __future__ import annotations

from cicd_agents.domain.operation import REACHED
from cicd_agents.report.document import ReleaseReport
from cicd_agents.report.outputs import one_line

# The operation by which all see the release.
_PUSH = "Push"


def to_release_outputs(report: ReleaseReport, *, url: str = "", changelog_path: str = "", report_path: str = "", json_path: str = "") -> dict[str, str]:
    """Name to value, in the order of the documentation; a value is one line, empty where nothing is known. `released`: the tag is on the remote."""
    details = report.details
    released = any(operation.kind == _PUSH and operation.status in REACHED for operation in report.operations)
    values = {
        "outcome": str(report.outcome),
        "exit-code": str(report.exit_code),
        "agent": report.agent,
        "title": report.title,
        "version": details.next_version or "",
        "previous-version": details.current_version or "",
        "bump": details.bump,
        "tag": details.tag or "",
        "released": str(released).lower(),
        "release-url": url,
        "changelog-path": changelog_path,
        "report-path": report_path,
        "json-path": json_path,
    }
    return {name: one_line(name, value) for name, value in values.items()}

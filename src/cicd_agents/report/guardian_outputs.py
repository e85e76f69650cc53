"""The step outputs of the guardian, for the steps and jobs that come after us."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from cicd_agents.domain.canary import Decision
from cicd_agents.report.document import GuardianReport
from cicd_agents.report.guardian_wording import rolled_back
from cicd_agents.report.outputs import one_line

# The paths and addresses that only the caller knows, in the order of the documentation.
PLACES = ("report-path", "json-path", "html-path", "comment-url", "issue-url")


def to_guardian_outputs(report: GuardianReport, *, next_share: float | None = None, places: Mapping[str, str] | None = None) -> dict[str, str]:
    """Name to value, in the order of the documentation; a value is one line, empty where nothing is known.

    `next_share` is the next stage's part of the traffic, None after the last one; it is only told where the decision is to go on. `places` has names of PLACES.
    """
    details, known = report.details, places or {}
    values = {
        "outcome": str(report.outcome),
        "exit-code": str(report.exit_code),
        "agent": report.agent,
        "title": report.title,
        "decision": str(details.decision),
        "status": str(details.status),
        "stage": str(details.stage),
        "share": _number(details.share),
        "next-stage": _number(next_share) if details.decision is Decision.PROMOTE else "",
        "risk-score": f"{details.risk_score:.2f}" if isfinite(details.risk_score) else "",
        "rolled-back": str(rolled_back(report)).lower(),
        **{name: known.get(name, "") for name in PLACES},
    }
    return {name: one_line(name, value) for name, value in values.items()}


def _number(value: float | None) -> str:
    return f"{value:.6g}" if value is not None and isfinite(value) else ""

"""Words that several formats share; nothing here is escaped."""

from __future__ import annotations

from cicd_agents.domain.doctor import Flaky, PackageChange
from cicd_agents.domain.operation import OperationStatus
from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.document import Report

HEADS = {
    Outcome.FAIL: "Root cause found",
    Outcome.INCONCLUSIVE: "Not sure",
    Outcome.SKIPPED: "Nothing to diagnose",
    Outcome.PASS: "All is well",
}
STATUSES = {
    OperationStatus.PLANNED: "planned, not done",
    OperationStatus.APPLIED: "done",
    OperationStatus.ALREADY_DONE: "already done",
    OperationStatus.NEEDS_APPROVAL: "needs approval",
    OperationStatus.REFUSED: "refused",
    OperationStatus.FAILED: "failed",
}


def proof_text(report: Report) -> str:
    """The text that shows what broke: the line of the log, or what else the first finding rests on, such as a message of the platform."""
    root = report.details.root_cause
    if root:
        return root.text.strip()
    return next((item.text.strip() for finding in report.findings[:1] for item in finding.evidence), "")


def sentence(text: str) -> str:
    """The text with a full stop, unless it ends in a mark already."""
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?", ":", "…")) else f"{text}."


def package(change: PackageChange) -> str:
    """`lodash 4.17.20 → 4.17.21`, or that it was added or removed."""
    if change.old is None:
        return f"{change.package} {change.new or ''} (added)"
    return f"{change.package} {change.old} → {change.new}" if change.new is not None else f"{change.package} {change.old} (removed)"


def passed(flaky: Flaky) -> str:
    """How often the job passed, with the interval; empty where no runs were looked at."""
    if flaky.pass_rate is None or not flaky.runs:
        return ""
    bound = f", 95 % interval {flaky.interval[0]:.0%} to {flaky.interval[1]:.0%}" if flaky.interval else ""
    return f"Passed in {round(flaky.pass_rate * flaky.runs)} of {flaky.runs} runs ({flaky.pass_rate:.0%}{bound})."


def counted(number: int, noun: str) -> str:
    """`1 commit`, `2 commits`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

"""The step outputs: few, flat values for the steps and jobs that come after us."""

from __future__ import annotations

from collections.abc import Mapping

from cicd_agents.report.document import Report, place
from cicd_agents.report.escape import plain, truncate_utf8
from cicd_agents.report.wording import proof_text

MAX_VALUE = 1000
RERUN = "RerunJobs"
# GitLab's limits of a dotenv report: below 5 KB, 20 variables where nothing else is set; `$NAME` in a value is expanded in later jobs
# (app/services/ci/parse_dotenv_artifact_service.rb: raw is false).
DOTENV_BYTES = 5000
DOTENV_VARIABLES = 20
_CUT = frozenset({"title", "root-cause"})  # these may be cut; of the others a part is worth nothing, so they are whole or empty
_LONG = frozenset({*_CUT, "location", "report-path", "json-path", "html-path", "comment-url", "issue-url", "release-url", "changelog-path"})
_DOTENV_LONG, _DOTENV_SHORT = 400, 100  # bytes of a value: 7 long and 11 short ones, with their names, stay below DOTENV_BYTES


def to_outputs(report: Report, *, report_path: str = "", json_path: str = "", comment_url: str = "", issue_url: str = "") -> dict[str, str]:
    """Name to value, in the order of the documentation. A value is one line of at most MAX_VALUE characters, empty where nothing is known."""
    details = report.details
    root = details.root_cause
    values = {
        "outcome": str(report.outcome),
        "exit-code": str(report.exit_code),
        "agent": report.agent,
        "title": report.title,
        "category": details.category or "",
        "phase": details.phase or "",
        "root-cause": proof_text(report),
        "root-cause-line": str(root.line) if root else "",
        "signature": details.signature or "",
        "fingerprint": details.fingerprint,
        "confidence": f"{details.confidence:.2f}",
        "flaky": details.flaky.verdict,
        "location": place(root.location) if root and root.location else "",
        "rerun": next((str(operation.status) for operation in report.operations if operation.kind == RERUN), ""),
        "report-path": report_path,
        "json-path": json_path,
        "comment-url": comment_url,
        "issue-url": issue_url,
    }
    return {name: one_line(name, value) for name, value in values.items()}


def to_dotenv(outputs: Mapping[str, str]) -> str:
    """The outputs as a GitLab dotenv report: `CICD_AGENTS_RESULT_OUTCOME=fail` and so on, within GitLab's limits.

    `$` becomes `_`, so that nothing is expanded; the names are none of a setting, which a later job would read from them.
    """
    return "".join(f"CICD_AGENTS_RESULT_{name.upper().replace('-', '_')}={_dotenv_value(name, value)}\n" for name, value in outputs.items())


def one_line(name: str, value: str) -> str:
    """A value as one line of at most MAX_VALUE characters: cut where a part is worth something, else whole or empty."""
    line = " ".join(plain(" ".join(value.split()), len(value)).split())
    if len(line) <= MAX_VALUE:
        return line
    return plain(line, MAX_VALUE) if name in _CUT else ""


def _dotenv_value(name: str, value: str) -> str:
    value = value.replace("$", "_")
    limit = _DOTENV_LONG if name in _LONG else _DOTENV_SHORT
    if name in _CUT:
        return truncate_utf8(value, limit).rstrip()
    return value if len(value.encode()) <= limit else ""

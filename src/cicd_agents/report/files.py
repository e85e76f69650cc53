"""Which report files there are and what stands in them."""

from __future__ import annotations

from collections.abc import Sequence

from cicd_agents.report.code_quality import to_code_quality
from cicd_agents.report.document import Report
from cicd_agents.report.json_format import to_json, to_jsonl
from cicd_agents.report.junit import to_junit
from cicd_agents.report.sarif import to_sarif
from cicd_agents.report.summary import to_summary

# The names of the setting `reports`; several reports make JSON Lines of `json`.
FILES = {
    "markdown": "report.md",
    "json": "report.json",
    "sarif": "report.sarif",
    "codequality": "gl-code-quality-report.json",
    "junit": "report-junit.xml",
}


def report_files(reports: Sequence[Report], formats: Sequence[str], *, version: str, hosts: Sequence[str] = (), repository: str = "") -> dict[str, str]:
    """File name to text, in the order of `formats` (names of the setting `reports`)."""
    makers = {
        "markdown": lambda: to_summary(reports, hosts),
        "json": lambda: to_json(reports[0]) if len(reports) == 1 else "".join(to_jsonl(report) for report in reports),
        "sarif": lambda: to_sarif(reports, version),
        "codequality": lambda: to_code_quality(reports, repository),
        "junit": lambda: to_junit(reports),
    }
    return {_name(form, len(reports)): makers[form]() for form in formats}


def _name(form: str, count: int) -> str:
    return "report.jsonl" if form == "json" and count != 1 else FILES[form]

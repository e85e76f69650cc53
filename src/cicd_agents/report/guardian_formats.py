"""The formats in which the guardian's report is printed, and the files it is written to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cicd_agents.report.document import GuardianReport
from cicd_agents.report.guardian import to_guardian_text
from cicd_agents.report.guardian_html import to_guardian_html
from cicd_agents.report.guardian_markdown import to_guardian_markdown, to_guardian_summary
from cicd_agents.report.json_format import to_json, to_jsonl

RENDER: Mapping[str, Callable[[GuardianReport], str]] = {
    "text": to_guardian_text, "markdown": to_guardian_markdown, "json": to_json, "jsonl": to_jsonl, "html": to_guardian_html,
}  # fmt: skip
# The names of the setting `reports` that the guardian has, and their files.
FILES = {"markdown": "report.md", "json": "report.json", "html": "report.html"}


def guardian_files(report: GuardianReport, formats: Sequence[str], hosts: Sequence[str] = ()) -> dict[str, str]:
    """File name to text, in the order of `formats`; other names are left out. `hosts` may be linked to."""
    makers: Mapping[str, Callable[[], str]] = {
        "markdown": lambda: to_guardian_summary([report], hosts), "json": lambda: to_json(report), "html": lambda: to_guardian_html(report, hosts),
    }  # fmt: skip
    return {FILES[form]: makers[form]() for form in formats if form in makers}

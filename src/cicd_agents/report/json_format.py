"""The report as JSON: one indented document, or one line per report (JSON Lines)."""

from __future__ import annotations

import json

from cicd_agents.report.document import Report, as_data


def to_json(report: Report) -> str:
    """One indented document."""
    return json.dumps(as_data(report), ensure_ascii=True, indent=2) + "\n"


def to_jsonl(report: Report) -> str:
    """One line. All but ASCII is escaped, so no log text can end the line early."""
    return json.dumps(as_data(report), ensure_ascii=True, separators=(",", ":")) + "\n"

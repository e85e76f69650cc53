"""The report as JSON: one indented document, or one line per report (JSON Lines)."""

from __future__ import annotations

import json
from typing import Any

from cicd_agents.report.document import AgentReport, as_data


def to_json(report: AgentReport[Any]) -> str:
    """One indented document."""
    return unmarked(json.dumps(as_data(report), ensure_ascii=True, indent=2)) + "\n"


def to_jsonl(report: AgentReport[Any]) -> str:
    """One line. All but ASCII is escaped, so no log text can end the line early."""
    return unmarked(json.dumps(as_data(report), ensure_ascii=True, separators=(",", ":"))) + "\n"


def unmarked(text: str) -> str:
    """JSON in which no runner finds a command: `##[…]` and `##vso[…]` are obeyed anywhere in a line, so the second # is escaped."""
    return text.replace("##", "#\\u0023")

"""The formats in which the report of a release is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cicd_agents.report.document import ReleaseReport
from cicd_agents.report.json_format import to_json, to_jsonl
from cicd_agents.report.release import to_release_markdown, to_release_text

RENDER: Mapping[str, Callable[[ReleaseReport], str]] = {
    "text": to_release_text, "markdown": to_release_markdown, "json": to_json, "jsonl": to_jsonl,
}  # fmt: skip

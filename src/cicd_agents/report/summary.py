"""The reports of one run as one Markdown text for the job summary."""

from __future__ import annotations

from collections.abc import Sequence

from cicd_agents.report.document import Report
from cicd_agents.report.links import Links
from cicd_agents.report.markdown import sections_of
from cicd_agents.report.sections import fitted

# GitHub takes 1 MiB a step and drops a longer summary whole (docs.github.com, workflow commands, step isolation and limits).
SUMMARY_LIMIT = 1 << 20
SUMMARY_BYTES = 900_000


def to_summary(reports: Sequence[Report], hosts: Sequence[str] = (), most: int = SUMMARY_BYTES) -> str:
    """Markdown of at most `most` bytes, cut between sections with a note of what was left out; `hosts` may be linked to."""
    links = Links(hosts)
    return fitted([section for report in reports for section in sections_of(report, links)], most)

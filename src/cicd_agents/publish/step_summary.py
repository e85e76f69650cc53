"""The job summary of GitHub: a file that the runner shows as Markdown."""

from __future__ import annotations

from pathlib import Path

from cicd_agents.publish.outcome import Published, PublishStatus, written
from cicd_agents.report.summary import SUMMARY_LIMIT

DESTINATION = "summary"


def publish_summary(file: str, text: str) -> Published:
    """Append the text to the summary file ($GITHUB_STEP_SUMMARY); skipped without one, and where the step's summary would grow over GitHub's limit."""
    if not file:
        return Published(DESTINATION, PublishStatus.SKIPPED, why="This platform has no job summary.")

    def write() -> Published:
        path, data = Path(file), text.encode(errors="replace")
        before = path.stat().st_size if path.exists() else 0
        if before + len(data) > SUMMARY_LIMIT:
            return Published(DESTINATION, PublishStatus.SKIPPED, why=f"The summary would be over {SUMMARY_LIMIT:,} bytes, and GitHub would show none of it.")
        with path.open("ab") as summary:
            summary.write(b"\n" * bool(before) + data)
        return Published(DESTINATION, PublishStatus.CREATED)

    return written(DESTINATION, write)

"""Annotations of GitHub: workflow commands, printed as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cicd_agents.publish.outcome import Published, PublishStatus, written
from cicd_agents.report.wording import counted

DESTINATION = "annotations"


def publish_annotations(lines: Sequence[str], write: Callable[[str], object]) -> Published:
    """Print the lines (report.annotations) through `write`, each with a line feed."""
    if not lines:
        return Published(DESTINATION, PublishStatus.SKIPPED, why="There is nothing to annotate here.")

    def publish() -> Published:
        for line in lines:
            write(f"{line}\n")
        return Published(DESTINATION, PublishStatus.CREATED, why=f"Printed {counted(len(lines), 'annotation')}.")

    return written(DESTINATION, publish)

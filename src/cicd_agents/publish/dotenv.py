"""The outputs as a file for GitLab's `artifacts:reports:dotenv`, which hands them to later jobs.

A file of an earlier run in the same folder goes first: where the new one then cannot be written, later jobs get no outputs, and not those of another run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cicd_agents.publish.outcome import Published, PublishStatus, written
from cicd_agents.publish.report_files import safe_folder, write_file
from cicd_agents.report.outputs import to_dotenv

DESTINATION = "dotenv"
NAME = "cicd-agents.env"


def publish_dotenv(folder: Path, workspace: Path, outputs: Mapping[str, str]) -> Published:
    """Write the outputs (report.outputs) to NAME in the folder of the report files."""

    def write() -> Published:
        inside = safe_folder(folder, workspace)
        if inside is None:
            return Published(DESTINATION, PublishStatus.FAILED, why=f"{folder} leads out of the workspace; nothing was written.")
        if problem := _cleared(inside / NAME):
            return Published(DESTINATION, PublishStatus.FAILED, why=f"{folder / NAME} is of an earlier run and cannot be removed, so do not use it: {problem}.")
        write_file(inside / NAME, to_dotenv(outputs))
        return Published(DESTINATION, PublishStatus.CREATED, why=f"Written to {folder / NAME}.")

    return written(DESTINATION, write)


def _cleared(path: Path) -> str:
    """Remove what stands there, or empty it where the folder does not let us; why neither was possible, empty: it is gone. A link is not followed."""
    try:
        path.unlink(missing_ok=True)
    except OSError as problem:
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK))
        except OSError:
            return problem.strerror or str(problem)
    return ""

"""The outputs as a file for GitLab's `artifacts:reports:dotenv`, which hands them to later jobs."""

from __future__ import annotations

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
        write_file(inside / NAME, to_dotenv(outputs))
        return Published(DESTINATION, PublishStatus.CREATED, why=f"Written to {folder / NAME}.")

    return written(DESTINATION, write)

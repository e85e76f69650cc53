"""The report files in a folder of the workspace, which may hold a stranger's code: no link in it leads us elsewhere."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cicd_agents.publish.outcome import Published, PublishStatus, written

DESTINATION = "files"


@dataclass(frozen=True, slots=True)
class FilesWritten:
    """What came of it, and the path of each written file by its name: below the folder as it was given, which holds inside and outside of a container."""

    published: Published
    paths: Mapping[str, Path] = field(default_factory=dict)


def publish_files(folder: Path, workspace: Path, files: Mapping[str, str]) -> FilesWritten:
    """Write each text under its name. A relative folder lies in the workspace; one that leads out of it, by `..` or by a link, is refused."""
    paths: dict[str, Path] = {}

    def write() -> Published:
        inside = safe_folder(folder, workspace)
        if inside is None:
            return Published(DESTINATION, PublishStatus.FAILED, why=f"{folder} leads out of the workspace; nothing was written.")
        for name, text in files.items():
            write_file(inside / name, text)
            paths[name] = folder / name
        return Published(DESTINATION, PublishStatus.CREATED, why=f"Written to {folder}.")

    published = written(DESTINATION, write) if files else Published(DESTINATION, PublishStatus.SKIPPED, why="No report files were asked for.")
    return FilesWritten(published, paths)


def safe_folder(folder: Path, workspace: Path) -> Path | None:
    """The folder, made where it was missing; None where a relative one leads out of the workspace. An absolute one is the user's own choice.

    Raises OSError when it cannot be made.
    """
    if folder.is_absolute():
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    root = workspace.resolve()
    inside = (root / folder).resolve()
    if not inside.is_relative_to(root):
        return None
    inside.mkdir(parents=True, exist_ok=True)
    return inside


def write_file(path: Path, text: str) -> Path:
    """Write a text whole or not at all, in place of what stood there: also a link is replaced, not followed. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode(errors="replace"))
        temporary.chmod(0o644)  # mkstemp lets only us read it, but later steps run as another user
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return path

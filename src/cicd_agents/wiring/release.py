"""`cicd-agents release plan|changelog`: options → repository, agent, output."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.agents.release_manager import ReleaseManager, forge_of
from cicd_agents.agents.release_scene import ReleaseRequest
from cicd_agents.analysis.changelog.forge import Forge
from cicd_agents.clients.git import GitRepository, open_repository
from cicd_agents.domain.redaction import Redactor
from cicd_agents.domain.verdict import FailOn
from cicd_agents.report.document import ReleaseReport
from cicd_agents.report.json_format import to_json, to_jsonl
from cicd_agents.report.release import to_release_markdown, to_release_text
from cicd_agents.run import run

if TYPE_CHECKING:
    from cicd_agents.domain.ports import Clock


def release(options: argparse.Namespace, environment: Mapping[str, str], redactor: Redactor, clock: Clock, write: Callable[[str], object]) -> int:
    """Do what was asked; returns the exit code. Raises UsageError."""
    repository = open_repository(Path(options.repo), environment)
    manager = ReleaseManager(repository, clock, _forge(repository))
    request = ReleaseRequest(
        options.until, options.since, options.path, options.branch, getattr(options, "release_as", None), getattr(options, "prerelease", None),
        getattr(options, "graduate", False),
    )  # fmt: skip
    if options.what == "changelog":
        for part in manager.changelog(request, options.all):
            write(redactor.redact(part).text)
        return 0
    report = run(lambda: manager.plan(request), FailOn.NEVER, redactor, clock.monotonic)
    write(_RENDER[options.format](report))
    return report.exit_code


_RENDER: Mapping[str, Callable[[ReleaseReport], str]] = {
    "text": to_release_text, "markdown": to_release_markdown, "json": to_json, "jsonl": to_jsonl,
}  # fmt: skip


def _forge(repository: GitRepository) -> Forge | None:
    remote = repository.remote()
    return forge_of(str(remote.forge), remote.url) if remote else None

"""The memory that the settings name, for all agents."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.settings.model import Settings

if TYPE_CHECKING:
    from cicd_agents.clients.history_store import StoredHistory
    from cicd_agents.wiring.world import World


def has_memory(settings: Settings) -> bool:
    """Whether the settings name one."""
    return bool(settings.history or settings.history_url)


def open_memory(settings: Settings, folder: Path, world: World, *, writable: bool) -> AbstractContextManager[StoredHistory]:
    """The memory; a file lies below `folder`. A dry run writes none, whoever asks. Opening it raises ServiceError and UsageError."""
    from cicd_agents.clients.history import open_history

    path = str(folder / settings.history) if settings.history else ""
    writes = writable and not settings.dry_run
    return open_history(path, settings.history_url, writes, world.clock, redact=lambda text: world.redactor.redact(text).text)

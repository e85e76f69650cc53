"""The memory that the settings name, for all agents."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.domain.errors import ServiceError, UsageError
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


@dataclass(slots=True)
class SharedMemory:
    """A memory for all parts of a run: opened by `how` once, when the first of them needs it, and open until `stack` ends."""

    how: Callable[[], AbstractContextManager[StoredHistory]]
    stack: ExitStack
    _opened: StoredHistory | None = field(default=None, init=False)
    _problem: ServiceError | UsageError | None = field(default=None, init=False)

    def opened(self) -> StoredHistory:
        """The memory. Raises ServiceError and UsageError, the same to each that asks: who does not answer is not waited for again."""
        if self._problem is not None:
            raise self._problem
        if self._opened is None:
            try:
                self._opened = self.stack.enter_context(self.how())
            except (ServiceError, UsageError) as problem:
                self._problem = problem
                raise
        return self._opened

"""The audit log of writes, as a port: what was going to be done is written before it is done, and what came of it after."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cicd_agents.domain.operation import Operation


class AuditFailed(Exception):
    """The audit log cannot be written; nothing may be applied without it. The text says where and why."""


class Phase(StrEnum):
    """When an entry was written. An intent without a result is a run that was stopped in between."""

    INTENT = "intent"
    RESULT = "result"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry: the operation as it stood at that time (seconds since the epoch, UTC)."""

    time: float
    phase: Phase
    operation: Operation
    dry_run: bool = False


class AuditLog(Protocol):
    """Where entries are kept; only ever appended to."""

    def write(self, entry: AuditEntry) -> None:
        """Append an entry. Raises AuditFailed where that is not possible."""
        ...

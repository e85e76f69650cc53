"""The audit log as a file of JSON lines (port `AuditLog`); secrets are hidden before anything is written."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cicd_agents.domain.redaction import Redactor
from cicd_agents.operations.audit import AuditEntry, AuditFailed

# Each line stays short enough to be appended in one write.
MAX_TEXT = 2000
MAX_EVIDENCE = 20
# A link in place of the file could lead our lines anywhere; Windows has no such flag.
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, slots=True)
class AuditFile:
    """Appends entries to a file; `actor` is who started the run, `run_url` where it can be seen.

    A line is appended by one write, so runs that share the file don't mix theirs. It is not flushed to the disk: after a power cut the last lines may miss.
    """

    path: Path
    redactor: Redactor = field(repr=False)
    actor: str = ""
    run_url: str = ""

    def write(self, entry: AuditEntry) -> None:
        """Append an entry. Raises AuditFailed where the file cannot be written."""
        line = json.dumps(self._plain(entry), ensure_ascii=True).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, _FLAGS, 0o644)
            try:
                written = os.write(descriptor, _line_break(descriptor) + line)
            finally:
                os.close(descriptor)
        except OSError as problem:
            raise AuditFailed(f"The audit log {self.path} could not be written: {problem.strerror or problem}.") from problem
        if written < len(line):
            raise AuditFailed(f"The audit log {self.path} could not be written: only a part of the line was taken.")

    def _plain(self, entry: AuditEntry) -> dict[str, Any]:
        operation = entry.operation
        return {
            "time": datetime.fromtimestamp(entry.time, UTC).isoformat(timespec="milliseconds"),
            "phase": str(entry.phase),
            "operation": operation.kind,
            "target": self._safe(operation.target),
            "key": self._safe(operation.key),
            "parameters": {name: self._safe(value) for name, value in operation.parameters},
            "why": self._safe(operation.why),
            "rule": self._safe(operation.rule),
            "evidence": [{"kind": item.kind, "where": self._safe(item.where), "text": self._safe(item.text)} for item in operation.evidence[:MAX_EVIDENCE]],
            "reverse": self._safe(operation.reverse),
            "status": str(operation.status),
            "result": self._safe(operation.result),
            "dry_run": entry.dry_run,
            "actor": self._safe(self.actor),
            "run_url": self._safe(self.run_url),
        }

    def _safe(self, text: str) -> str:
        """The text without secrets; cut after they are hidden, so that no half of one is left."""
        hidden = self.redactor.redact(text).text
        return hidden if len(hidden) <= MAX_TEXT else f"{hidden[: MAX_TEXT - 1]}…"


def _line_break(descriptor: int) -> bytes:
    """A line feed where the file ends within a line (a run was killed while it wrote), so that our line stands alone."""
    if not os.lseek(descriptor, 0, os.SEEK_END):
        return b""
    os.lseek(descriptor, -1, os.SEEK_END)
    return b"" if os.read(descriptor, 1) == b"\n" else b"\n"

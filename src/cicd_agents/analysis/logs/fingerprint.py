"""What makes two failures the same: the rule and what it captured, without what changes from run to run (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from cicd_agents.analysis.logs.masking import masked

# Captures that tell where in a file, how long or how often, not what.
_INCIDENTAL = frozenset({"line", "column", "duration", "seconds", "minutes", "count", "time", "pid", "message"})


def fingerprint_of(rule: str, captures: Mapping[str, str], text: str) -> str:
    """16 hex digits. Of a rule that captures nothing, the masked line tells its failures apart."""
    kept = {name: masked(value.encode()).decode(errors="replace") for name, value in captures.items() if value and name not in _INCIDENTAL}
    words = [f"{name}={kept[name]}" for name in sorted(kept)] or [masked(text.strip().encode()).decode(errors="replace")]
    return hashlib.sha256("\n".join((rule, *words)).encode()).hexdigest()[:16]

"""The file of recorded samples (docs/canary-samples.md): read bounded, refused with the place in it; written so that a reader sees the old or the new one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from cicd_agents.analysis.canary.reading.samples import Recorded, read_samples, samples_document
from cicd_agents.clients.guardian_files import json_of, text_of
from cicd_agents.domain.canary import CanaryPolicy, Observation
from cicd_agents.domain.errors import UsageError

# Two hours of a hundred pods, every 15 seconds.
MAX_BYTES = 128 << 20


def read_samples_file(path: Path, policy: CanaryPolicy) -> Recorded:
    """What was recorded. Raises UsageError with file and place."""
    document = json_of(text_of(path, MAX_BYTES), str(path))
    try:
        return read_samples(document, policy)
    except UsageError as problem:
        raise UsageError(f"{path}: {problem}") from None


def write_samples_file(path: Path, observation: Observation, now: float, redact: Callable[[str], str]) -> None:
    """Keep the samples of both versions; names and messages go through `redact`. Raises UsageError where that is not possible."""
    text = json.dumps(samples_document(observation, now, redact), separators=(",", ":"), allow_nan=False)
    beside = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as problem:
        raise UsageError(f"record-samples: {path} cannot be written: {problem.strerror or problem}.") from None

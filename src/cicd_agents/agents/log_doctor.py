"""The doctor on a log alone: which line broke the run, why, and what to do."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace

from cicd_agents.analysis.logs.diagnosis import diagnose
from cicd_agents.analysis.logs.scan import Catalogue
from cicd_agents.analysis.logs.verdict import verdict_of
from cicd_agents.domain.ports import LogStore
from cicd_agents.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class LogDoctor:
    """Diagnoses logs of a store, one at a time."""

    logs: LogStore
    signatures: Catalogue
    platform: str = "auto"
    baseline: tuple[str, ...] = ()
    max_candidates: int = 10

    def run(self, log: str) -> Verdict:
        """The verdict on one log. Raises UsageError when a log cannot be read."""
        with ExitStack() as stack:
            good = [stack.enter_context(self.logs.open(name)).stream for name in self.baseline]
            opened = stack.enter_context(self.logs.open(log))
            diagnosis = diagnose(opened.stream, platform=self.platform, baseline=good, signatures=self.signatures, max_candidates=self.max_candidates)
            diagnosis = replace(diagnosis, notes=(*opened.notes, *diagnosis.notes))
        return verdict_of(diagnosis, log)

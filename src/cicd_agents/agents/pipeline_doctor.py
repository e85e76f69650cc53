"""pipeline-doctor: reads the log of a failed run and says which line broke it, why, and what to do."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace

from cicd_agents.analysis.logs.diagnosis import diagnose
from cicd_agents.analysis.logs.finders import LineFinder
from cicd_agents.analysis.logs.scan import Catalogue
from cicd_agents.domain.doctor import Diagnosis, DoctorDetails, Failure, RootCause, ScoredLine
from cicd_agents.domain.finding import Evidence, Finding
from cicd_agents.domain.ports import LogStore
from cicd_agents.domain.verdict import Outcome, Verdict

NAME = "pipeline-doctor"
# Below this confidence the verdict is "inconclusive": a lead is shown, but no cause is claimed.
CLAIMED = 0.4


@dataclass(frozen=True, slots=True)
class PipelineDoctor:
    """Diagnoses logs of a store with a catalogue of signatures."""

    logs: LogStore
    signatures: Catalogue
    platform: str = "auto"
    baseline: tuple[str, ...] = ()
    max_candidates: int = 10
    finder: LineFinder | None = None

    def run(self, log: str) -> Verdict:
        """The verdict on one log. Raises UsageError when a log cannot be read."""
        with ExitStack() as stack:
            good = [stack.enter_context(self.logs.open(name)).stream for name in self.baseline]
            opened = stack.enter_context(self.logs.open(log))
            diagnosis = diagnose(
                opened.stream, platform=self.platform, baseline=good, signatures=self.signatures,
                max_candidates=self.max_candidates, finder=self.finder,
            )  # fmt: skip
            diagnosis = replace(diagnosis, notes=(*opened.notes, *diagnosis.notes))
        return verdict_of(diagnosis, log)


def verdict_of(diagnosis: Diagnosis, log: str) -> Verdict:
    """The diagnosis in the words that all agents share."""
    best = diagnosis.failures[0] if diagnosis.failures else None
    details = DoctorDetails(
        platform=diagnosis.platform, log=log, lines=diagnosis.lines, bytes=diagnosis.size,
        phase=best.phase if best else None, category=best.category if best else None, signature=best.signature if best else None,
        confidence=best.confidence if best else 0.0, root_cause=_root(best) if best else None,
        candidates=tuple(ScoredLine(item.line, item.score, item.signature) for item in diagnosis.candidates),
        fixes=best.fixes if best else (), excerpt=best.excerpt if best else None,
        further_failures=tuple(_root(failure) for failure in diagnosis.failures[1:]),
        transient=best.transient if best else False, docs=best.docs if best else None,
        fingerprint=best.fingerprint if best else "",
    )  # fmt: skip
    if diagnosis.failed is False:
        return Verdict(NAME, Outcome.SKIPPED, "Nothing to diagnose", diagnosis.reason, details, notes=diagnosis.notes)
    if best is None:
        return Verdict(NAME, Outcome.INCONCLUSIVE, "No cause found", diagnosis.reason, details, notes=diagnosis.notes)
    sure = best.confidence >= CLAIMED
    findings = tuple(_finding(failure) for failure in diagnosis.failures)
    title = best.title if sure else f"Not sure: {best.title}"
    return Verdict(NAME, Outcome.FAIL if sure else Outcome.INCONCLUSIVE, title, best.cause, details, findings, diagnosis.notes)


def _root(failure: Failure) -> RootCause:
    return RootCause(failure.line, failure.text, failure.step, failure.location)


def _finding(failure: Failure) -> Finding:
    evidence = Evidence("log-line", str(failure.line), failure.text)
    return Finding(failure.signature or "unknown", failure.title, "error", failure.confidence, (evidence,), failure.location, failure.fixes)

"""A diagnosis in the words that all agents share (pure)."""

from __future__ import annotations

from cicd_agents.domain.doctor import Diagnosis, DoctorDetails, Failure, RootCause, ScoredLine
from cicd_agents.domain.finding import Evidence, Finding
from cicd_agents.domain.verdict import Outcome, Verdict

AGENT = "pipeline-doctor"
# Below this confidence the verdict is "inconclusive": a lead is shown, but no cause is claimed.
CLAIMED = 0.4


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
        return Verdict(AGENT, Outcome.SKIPPED, "Nothing to diagnose", diagnosis.reason, details, notes=diagnosis.notes)
    if best is None:
        return Verdict(AGENT, Outcome.INCONCLUSIVE, "No cause found", diagnosis.reason, details, notes=diagnosis.notes)
    sure = best.confidence >= CLAIMED
    findings = tuple(_finding(failure) for failure in diagnosis.failures)
    title = best.title if sure else f"Not sure: {best.title}"
    return Verdict(AGENT, Outcome.FAIL if sure else Outcome.INCONCLUSIVE, title, best.cause, details, findings, diagnosis.notes)


def _root(failure: Failure) -> RootCause:
    return RootCause(failure.line, failure.text, failure.step, failure.location)


def _finding(failure: Failure) -> Finding:
    evidence = Evidence("log-line", str(failure.line), failure.text)
    return Finding(failure.signature or "unknown", failure.title, "error", failure.confidence, (evidence,), failure.location, failure.fixes)

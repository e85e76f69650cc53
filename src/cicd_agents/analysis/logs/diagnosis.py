"""The engine's front door: one log in, one diagnosis out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import BinaryIO

from cicd_agents.analysis.logs import bundled, fallback, structure
from cicd_agents.analysis.logs.confidence import confidence_of
from cicd_agents.analysis.logs.finders import EveryLine, HyperscanFinder, LineFinder
from cicd_agents.analysis.logs.fixing import fixes_of, texts_of
from cicd_agents.analysis.logs.judge import Ranked, rank
from cicd_agents.analysis.logs.leads import leads_of
from cicd_agents.analysis.logs.masking import masked
from cicd_agents.analysis.logs.novelty import good_lines
from cicd_agents.analysis.logs.phases import phase_of
from cicd_agents.analysis.logs.reader import Line, Log
from cicd_agents.analysis.logs.scan import Catalogue, scan
from cicd_agents.analysis.logs.signature import Signature
from cicd_agents.analysis.logs.steps import Shape, Step, shape
from cicd_agents.domain.doctor import Candidate, Diagnosis, Excerpt, Failure

# From this size on, the time that hyperscan takes to get ready is won back by its speed.
HYPERSCAN_FROM = 24 << 20
MAX_FAILURES = 5
MAX_CANDIDATES = 10
# A best score below this is no root cause.
GOOD_ENOUGH = 0.30
# Where the platform does not say that the run failed, the log must say it itself.
SPEAKS_OF_FAILURE = 0.66
_TEXT = 600
_WORD = 12


def diagnose(
    log: BinaryIO | bytes,
    *,
    platform: str = "auto",
    baseline: Iterable[BinaryIO | bytes] = (),
    signatures: Catalogue | None = None,
    max_candidates: int = MAX_CANDIDATES,
    finder: LineFinder | None = None,
) -> Diagnosis:
    """Find why the run of this log failed.

    `log` is bytes or a binary stream that can seek; `platform` is auto, github, gitlab, jenkins or raw; `baseline` are logs of earlier
    successful runs of the same job. Runs in time linear in the log and in bounded memory. Raises ValueError for a stream that cannot seek.
    """
    rules = signatures or bundled.bundled()
    reader = Log(log)
    head, tail = reader.ends()
    named = structure.platform_of(head, tail) if platform == "auto" else platform
    found = scan(reader, rules, finder or finder_for(reader, rules))
    job = shape(found.events, named, found.lines)
    if job.failed is False:
        return _not_failed(named, found.lines, found.size, "The log says that the run succeeded.")
    good = good_lines(baseline)
    leads = leads_of(found.hits, rules, reader)
    ranked = rank([*leads, *fallback.leads(found, job, reader, good, {lead.line for lead in leads})], job, good)
    wrappers = any(item.lead.signature.role == "wrapper" for item in ranked)
    if job.failed is None and not wrappers and (not ranked or ranked[0].score < SPEAKS_OF_FAILURE):
        return _not_failed(named, found.lines, found.size, "Nothing in the log says that the run failed.")
    return _failed(named, found.lines, found.size, ranked, job, reader, max_candidates)


def finder_for(log: Log, rules: Catalogue) -> LineFinder:
    """The faster of the two ways to find the interesting lines of this log."""
    if log.size() >= HYPERSCAN_FROM:
        try:
            return HyperscanFinder(rules.patterns, rules.choices, log.sample())
        except ImportError:
            pass
    return EveryLine()


def _failed(platform: str, lines: int, size: int, ranked: Sequence[Ranked], job: Shape, log: Log, most: int) -> Diagnosis:
    candidates = tuple(Candidate(item.lead.line, round(item.score, 3), item.lead.signature.id, _text(item.lead.text)) for item in ranked[:most])
    good = [item for item in ranked if item.score >= GOOD_ENOUGH and item.lead.signature.role != "wrapper"]
    good = good or [item for item in ranked[:1] if item.lead.signature.weight > 0]
    failures = tuple(_failure(item, ranked, job, log) for item in _independent(good))
    reason = "" if failures else "No line of the log is good enough as a root cause."
    return Diagnosis(platform, lines, size, True, reason, failures, candidates)


def _independent(ranked: Sequence[Ranked]) -> list[Ranked]:
    """The best lead and the further ones that tell of another failure: as good, another message, another place."""
    chosen: list[Ranked] = []
    for item in ranked:
        if not chosen or (
            item.lead.signature.role == "cause"
            and item.score >= 0.9 * chosen[0].score
            and all(abs(item.lead.line - other.lead.line) > 8 and masked(item.lead.text) != masked(other.lead.text) for other in chosen)
            and all(item.lead.location is None or item.lead.location != other.lead.location for other in chosen)
        ):
            chosen.append(item)
        if len(chosen) == MAX_FAILURES:
            break
    return chosen


def _failure(item: Ranked, ranked: Sequence[Ranked], job: Shape, log: Log) -> Failure:
    lead, rule = item.lead, item.lead.signature
    step = job.step_at(lead.line)
    sure = confidence_of(item, ranked, job)
    said = _text(lead.text).strip()
    captures = {**lead.captures, "message": lead.captures.get("message") or said, "said": said}
    title, cause = texts_of(rule, captures)
    phase = _phase(item, ranked, job, log)
    return Failure(
        line=lead.line, offset=lead.offset, text=_text(lead.text), step=(step.name or None) if step else None, location=lead.location,
        signature=rule.id, tool=rule.tool, category=_category(rule, phase, step), phase=phase,
        score=round(item.score, 3), confidence=sure, title=title, cause=cause, docs=rule.docs, transient=rule.transient,
        fixes=fixes_of(rule, captures, sure), excerpt=_excerpt(lead.window, lead.line),
    )  # fmt: skip


# What an unknown message means in a step whose name or command says what it does.
_BY_STEP = (
    ("security_audit", re.compile(r"(?i)(?<!no-)\baudit\b|\bsecurity|trivy|snyk|\bscan\b|vulnerab")),
    ("lint_format", re.compile(r"(?i)\blint|\bformat\b|\bfmt\b|\bstyle\b|prettier|eslint")),
    ("test_failure", re.compile(r"(?i)\btests?\b|\bpytest\b|\bspecs?\b|\bcheck\w*\.py")),
)


def _category(rule: Signature, phase: str, step: Step | None) -> str:
    """The rule's category; for a message of unknown meaning by what the step does."""
    if rule.category != "other":
        return rule.category
    if "(?P<exception>" in rule.match or "(?P<type>" in rule.match:
        return "test_failure" if phase == "test" else "other"
    named = f"{step.command_text} {step.name}" if step and rule.family == "generic" else ""
    return next((category for category, words in _BY_STEP if words.search(named)), "other")


def _phase(item: Ranked, ranked: Sequence[Ranked], job: Shape, log: Log) -> str:
    rule, step = item.lead.signature, job.step_at(item.lead.line)
    beside = {other.lead.signature.phase or "" for other in ranked if other is not item and job.step_at(other.lead.line) is step and other.place >= item.place}
    return phase_of(rule.phase, rule.category, _words(step, log), beside)


def _words(step: Step | None, log: Log) -> Iterator[str]:
    """What the step runs: its last echoed command, the script that GitHub prints at its head, its name."""
    if step is None:
        return
    yield step.command_text
    if step.name and step.offset:
        script = takewhile(lambda line: line.marker != b"endgroup" and not line.text.startswith(b"shell: "), log.window(step.first, step.offset, 0, 30)[1:])
        yield "\n".join(_text(line.text) for line in script)
    yield step.name


def _excerpt(window: Sequence[Line], root: int) -> Excerpt:
    chosen = [line for line in window if root - 6 <= line.number <= root + 14]
    return Excerpt(chosen[0].number if chosen else root, tuple(_text(line.text) for line in chosen))


def _not_failed(platform: str, lines: int, size: int, reason: str) -> Diagnosis:
    return Diagnosis(platform, lines, size, False, reason, (), ())


def _text(raw: bytes) -> str:
    """Bounded, and cut between words: the beginning of a token that is cut could not be known as a secret any more."""
    text = raw.decode(errors="replace")
    if len(text) <= _TEXT:
        return text
    words, _, cut = text[:_TEXT].rpartition(" ")
    return (words or cut[:_WORD]) + " …"

"""The engine's front door: one log in, one diagnosis out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import BinaryIO

from cicd_agents.analysis.logs import bundled, fallback, structure
from cicd_agents.analysis.logs.activity import phase_before
from cicd_agents.analysis.logs.clean import shortened
from cicd_agents.analysis.logs.confidence import confidence_of
from cicd_agents.analysis.logs.finders import EveryLine, HyperscanFinder, LineFinder
from cicd_agents.analysis.logs.fingerprint import fingerprint_of
from cicd_agents.analysis.logs.fixing import Surroundings, fixes_of, texts_of
from cicd_agents.analysis.logs.frames import is_foreign
from cicd_agents.analysis.logs.judge import Ranked, rank
from cicd_agents.analysis.logs.leads import Lead, leads_of
from cicd_agents.analysis.logs.limits import ENDED_BY_PLATFORM, TIME_LIMIT, time_limit
from cicd_agents.analysis.logs.masking import masked
from cicd_agents.analysis.logs.meaning import meaning
from cicd_agents.analysis.logs.novelty import good_lines
from cicd_agents.analysis.logs.outcome import speaks_of_failure
from cicd_agents.analysis.logs.phases import Work, checks_what_was_deployed, phase_of
from cicd_agents.analysis.logs.places import place_of, shown
from cicd_agents.analysis.logs.reader import Line, Log
from cicd_agents.analysis.logs.scan import Catalogue, Scan, scan
from cicd_agents.analysis.logs.signature import Signature
from cicd_agents.analysis.logs.steps import Shape, Step, shape
from cicd_agents.analysis.logs.structure import Event, Kind
from cicd_agents.domain.doctor import Candidate, Diagnosis, Excerpt, Failure
from cicd_agents.domain.finding import Location

# From this size on, the time that hyperscan takes to get ready is won back by its speed.
HYPERSCAN_FROM = 24 << 20
MAX_FAILURES = 5
MAX_CANDIDATES = 10
# A best score below this is no root cause.
GOOD_ENOUGH = 0.30
_TEXT = 600


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
        return _not_failed(named, found.lines, found.size, _MAY_FAIL if job.went_on else "The log says that the run succeeded.")
    good = good_lines(baseline)
    leads = [_time_limited(lead, head, reader) for lead in leads_of(found.hits, rules, reader)]
    ranked = rank([*leads, *fallback.leads(found, job, reader, good, leads)], job, good)
    if job.failed is None and not speaks_of_failure(ranked, tail, found.lines):
        return _not_failed(named, found.lines, found.size, "Nothing in the log says that the run failed.")
    return _failed(named, found, ranked, job, reader, max_candidates)


_MAY_FAIL = "A step failed, but the job went on with its work and ended well."
_WENT_ON = "The job went on with its work after the step that failed: if that step may fail (continue-on-error), the job did not fail."


def _notes(events: Iterable[Event], job: Shape) -> tuple[str, ...]:
    cut = next((event.line for event in events if event.kind is Kind.TRUNCATED), None)
    missing = (f"The runner cut the log at line {cut}, its size limit: the cause may stand in what is missing.",) if cut else ()
    return (*missing, _WENT_ON) if job.went_on else missing


def _time_limited(lead: Lead, head: bytes, log: Log) -> Lead:
    """A cancellation that came when the job's time was up is told as that."""
    if lead.signature.id not in ENDED_BY_PLATFORM or not (limit := time_limit(head, log.read(lead.offset, 500))):
        return lead
    return replace(lead, signature=TIME_LIMIT, captures=limit)


def finder_for(log: Log, rules: Catalogue) -> LineFinder:
    """The faster of the two ways to find the interesting lines of this log."""
    if log.size() >= HYPERSCAN_FROM:
        try:
            return HyperscanFinder(rules.patterns, rules.literals, log.sample())
        except ImportError:
            pass
    return EveryLine()


def _failed(platform: str, found: Scan, ranked: Sequence[Ranked], job: Shape, log: Log, most: int) -> Diagnosis:
    candidates = tuple(Candidate(item.lead.line, round(item.score, 3), item.lead.signature.id, _text(item.lead.text)) for item in ranked[:most])
    good = [item for item in ranked if item.score >= GOOD_ENOUGH and item.lead.signature.role != "wrapper"]
    good = good or [item for item in ranked[:1] if item.lead.signature.weight > 0]
    failures = tuple(_failure(item, ranked, job, log) for item in _independent(good))
    reason = "" if failures else "No line of the log is good enough as a root cause."
    return Diagnosis(platform, found.lines, found.size, True, reason, failures, candidates, _notes(found.events, job))


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
    working = job.working_step(lead.line)
    commands = tuple(filter(None, _commands(working, log)))
    location = shown(_location(lead, log), commands)
    captures = {**lead.captures, "message": lead.captures.get("message") or _text(lead.text).strip()}
    title, cause = texts_of(rule, captures)
    phase = _phase(item, ranked, job, log, location, commands)
    category = _category(rule, _text(lead.text), phase, working)
    return Failure(
        line=lead.line, offset=lead.offset, text=_text(lead.text), step=(step.name or None) if step else None, location=location,
        signature=rule.id, tool=rule.tool, category=category, phase=phase,
        score=round(item.score, 3), confidence=sure, title=title, cause=cause, docs=rule.docs, transient=rule.transient,
        fixes=fixes_of(rule, captures, sure, _surroundings(lead), category), excerpt=_excerpt(lead.window, lead.line),
        fingerprint=fingerprint_of(rule.id, lead.captures, _text(lead.text)), command=working.command_text if working else "",
    )  # fmt: skip


def _surroundings(lead: Lead) -> Surroundings:
    lines = [line for line in lead.window if line.number >= lead.line - 12]
    return Surroundings([_text(line.text) for line in lines], next((at for at, line in enumerate(lines) if line.number == lead.line), 0))


# Long tracebacks and lists of frames reach further than the window of a lead.
_FAR_BEFORE, _FAR_AFTER = 200, 120


def _location(lead: Lead, log: Log) -> Location | None:
    place = lead.location
    if place and not is_foreign(place) and (place.line is not None or lead.signature.place):
        return place
    window = log.window(lead.line, lead.offset, _FAR_BEFORE, _FAR_AFTER)
    at = next((index for index, line in enumerate(window) if line.number == lead.line), None)
    return place if at is None else place_of(lead.signature, lead.captures, window, at)


def _category(rule: Signature, said: str, phase: str, step: Step | None) -> str:
    """The rule's category; for a message of unknown meaning by its words and by what the step does."""
    if rule.category != "other" or rule.family not in _UNKNOWN + _BY_WORDS:
        return rule.category
    if ("(?P<exception>" in rule.match or "(?P<type>" in rule.match) and phase == "test":
        return "test_failure"
    return meaning(said, (step.command_text, step.name) if step and rule.family in _UNKNOWN else ())


# Families whose signatures with the category "other" only say that something is an error.
_UNKNOWN = ("generic", "python", "node", "gradle", "maven", "java", "dotnet", "make", "rpmbuild")
# Those whose messages tell it by their words, or are of no kind.
_BY_WORDS = (
    "ansible", "npm", "yarn", "pnpm", "beam", "php", "electron_builder", "perl", "r", "julia", "lua", "powershell", "ruby", "scala", "swift", "appveyor",
    "azure", "github", "packer", "firebase", "groovy", "astro",
)  # fmt: skip
# Lines before the root that are looked at for what was going on.
_LOOK_BACK = 300


def _phase(item: Ranked, ranked: Sequence[Ranked], job: Shape, log: Log, place: Location | None, commands: Sequence[str]) -> str:
    rule, lead = item.lead.signature, item.lead
    step = job.working_step(lead.line)
    if checks_what_was_deployed(rule.tool, (text for past in job.steps if past.first < lead.line for text in (past.command_text, past.name))):
        return "deploy"
    beside = {other.lead.signature.phase or "" for other in ranked if other is not item and job.step_at(other.lead.line) is step and other.place >= item.place}
    first = max(step.command, step.script_end) if step else 0
    before = [line for line in log.window(lead.line, lead.offset, _LOOK_BACK, 0)[:-1] if line.number > first]
    activity = phase_before(_text(line.text) for line in reversed(before) if line.text)
    work = Work(commands, activity, step.name if step else "", beside, place.path if place else "")
    return phase_of(rule.phase, rule.category, rule.tool, work)


def _commands(step: Step | None, log: Log) -> Iterator[str]:
    """What the step runs: its last echoed command, and the script that GitHub prints at its head."""
    if step is None:
        return
    yield step.command_text
    if step.name and step.offset and step.script_end:
        script = takewhile(lambda line: line.marker != b"endgroup" and not line.text.startswith(b"shell: "), log.window(step.first, step.offset, 0, 30)[1:])
        yield "\n".join(text for line in script if not (text := _text(line.text)).startswith(("with:", "env:", "  ")))


def _excerpt(window: Sequence[Line], root: int) -> Excerpt:
    chosen = [line for line in window if root - 6 <= line.number <= root + 14]
    return Excerpt(chosen[0].number if chosen else root, tuple(_text(line.text) for line in chosen))


def _not_failed(platform: str, lines: int, size: int, reason: str) -> Diagnosis:
    return Diagnosis(platform, lines, size, False, reason, (), ())


def _text(raw: bytes) -> str:
    return shortened(raw.decode(errors="replace"), _TEXT)

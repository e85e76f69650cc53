"""Leads for failures that no signature knows: error annotations, and the last words of the command that failed (pure but for windows)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from cicd_agents.analysis.logs.frames import location_in
from cicd_agents.analysis.logs.leads import Lead
from cicd_agents.analysis.logs.masking import masked
from cicd_agents.analysis.logs.passing import passed
from cicd_agents.analysis.logs.reader import Line, Log
from cicd_agents.analysis.logs.scan import Scan
from cicd_agents.analysis.logs.signature import FixTemplate, Signature
from cicd_agents.analysis.logs.steps import Shape
from cicd_agents.analysis.logs.structure import Event, Kind

_READ = (
    FixTemplate(
        "quick",
        "Read the lines above the failure",
        "No signature knows this message: {message|see the excerpt}. The excerpt shows what the step printed before it stopped.",
    ),
)
ANNOTATION = Signature(
    id="generic.error-annotation", tool="runner", category="other", weight=62, match="x", fixes=_READ,
    title="A step reported an error", cause="The step annotated this line as its error.",
)  # fmt: skip
LAST_WORDS = Signature(
    id="generic.last-words", tool="shell", category="other", weight=36, match="x", fixes=_READ,
    title="The command stopped after this line", cause="It is the last thing that the failed command printed; no signature knows it.",
)  # fmt: skip
TELLING_WORDS = replace(LAST_WORDS, weight=46, cause="It speaks of trouble among the last lines that the failed command printed; no signature knows it.")
NOVEL = Signature(
    id="generic.novel-line", tool="shell", category="other", weight=58, match="x", fixes=_READ,
    title="A line that no good run printed", cause="The line speaks of an error and stands in none of the good runs.",
)  # fmt: skip
_SPEAKS_OF_ERROR = re.compile(
    rb"(?i)error|fail|fatal|cannot|can.t\b|could ?n.t|unable|denied|refused|not found|missing|invalid|exception|abort|panic"
    rb"|unexpected|unsupported|undefined"
    rb"|not (?:allowed|permitted|up|valid|match|clean|ready|healthy)|more than|less than|exceed|too (?:many|large|long|old|few)|must |should "
    rb"|please |needs? to|require|out of date"
)
_NOT_WORDS = re.compile(
    rb"^\W*$|^\[Pipeline\]|^section_|^\$ |^\+ |^##|^Post job|^npm ERR!\s*$|^travis_|script returned exit code"
    rb"|^(?:Cleaning up project directory|Uploading artifacts|Running after_script|Saving cache)"
    rb"|^(?:Job's log exceeded limit|Job execution will continue but no more output)"
)
_EXIT_CODE = re.compile(rb"(?:Error: )?Process completed with exit code|The process .{1,300} failed with exit code")
_LOOK_BACK = 60
# Of these, so many last lines are looked at for words that tell.
_LAST = 14


def leads(found: Scan, job: Shape, log: Log, good: Collection[bytes], known: Collection[Lead]) -> list[Lead]:
    """Leads without a signature of their own, in the order of lines. `known`: the leads that signatures gave."""
    chosen: list[Lead] = []
    lines = {lead.line for lead in known}
    wrappers = {lead.line for lead in known if lead.signature.role == "wrapper"}
    for hit in found.hits:
        if hit.marker == b"error" and hit.line not in lines and not _EXIT_CODE.match(hit.text):
            window = log.window(hit.line, hit.offset, 12, 24)
            chosen.extend(_lead(line, ANNOTATION, window) for line in window if line.number == hit.line and line.text)
    for event in _ends_of_failed_steps(found, job):
        chosen.extend(_last_words(event, log, good, wrappers))
    return chosen


def _ends_of_failed_steps(found: Scan, job: Shape) -> list[Event]:
    """Where each failed step says that it failed, or else ends."""
    ends = []
    for step in [step for step in job.steps if step.failed and not step.cleanup][:4]:
        inside = [event for event in found.events if step.first < event.line <= step.last + 1]
        said = [event for event in inside if event.kind is Kind.FAILED]
        closed = [event for event in inside if event.kind in (Kind.STEP_END, Kind.STEP, Kind.CLEANUP, Kind.JOB_END)]
        ends.extend((said or closed[:1] or inside)[-1:])
    return ends


def _last_words(failed: Event, log: Log, good: Collection[bytes], wrappers: Collection[int]) -> list[Lead]:
    window = log.window(failed.line, failed.offset, _LOOK_BACK, 0)[:-1]
    words = [item for item in window if not _NOT_WORDS.search(item.text) and item.number not in wrappers and not passed(item.text)]
    if not words:
        return []
    if good:
        news = [item for item in words if _SPEAKS_OF_ERROR.search(item.text) and masked(item.text) not in good]
        if news:
            return [_lead(news[0], NOVEL, window)]
    told = _telling(words)
    return [_lead(told, TELLING_WORDS, window)] if told else [_lead(words[-1], LAST_WORDS, window)]


def _telling(words: list[Line]) -> Line | None:
    """The first line that speaks of trouble in the last paragraph that has one."""
    for paragraph in _paragraphs(words[-_LAST:]):
        speaking = next((item for item in paragraph if _SPEAKS_OF_ERROR.search(item.text)), None)
        if speaking:
            return speaking
    return None


def _paragraphs(words: list[Line]) -> Iterator[list[Line]]:
    """Lines that follow on each other without a gap, the last ones first."""
    paragraph: list[Line] = []
    for item in reversed(words):
        if paragraph and paragraph[0].number != item.number + 1:
            yield paragraph
            paragraph = []
        paragraph.insert(0, item)
    yield paragraph


def _lead(line: Line, rule: Signature, window: list[Line]) -> Lead:
    return Lead(
        line=line.number, offset=line.offset, text=line.text, marker=line.marker, signature=rule, captures={}, location=location_in(line.text),
        retried=False, benign=False, window=tuple(item for item in window if abs(item.number - line.number) <= 20),
    )  # fmt: skip

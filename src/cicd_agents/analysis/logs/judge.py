"""Ranks leads: rule weight × role × place × novelty × what speaks against it; a cause above a symptom, the earliest of equals (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from cicd_agents.analysis.logs.leads import Lead
from cicd_agents.analysis.logs.masking import masked
from cicd_agents.analysis.logs.steps import Shape

ROLE = {"cause": 1.0, "headline": 0.97, "symptom": 0.7, "wrapper": 0.2}
# Scores closer than this are equal; the earlier line wins.
_EQUAL = 0.02
# Categories in which a tool says what failed; a lead of them is plain from this score on.
_SAYS_WHAT_FAILED = ("compile", "test_failure", "type_check", "lint_format")
_PLAIN = 0.7
# Families of messages that any program passes on from the system below it, and what a message of them counts beside a plain one.
_SYSTEM = (
    "network", "process", "shell", "git", "ssh", "curl", "wget", "tar", "archive", "checksum", "jq", "yq", "sed", "openssl", "gpg", "base64", "patch",
    "sudo", "rsync", "scp", "node", "java", "disk", "memory", "config",
)  # fmt: skip
_SYMPTOM = 0.82
# These end a job whatever it was doing.
_DECIDES = ("disk_full", "out_of_memory", "timeout", "test_failure", "compile", "infrastructure_runner")
# Lines this close tell the same failure.
_SAME_BLOCK = 2
# Errors of one tool and category with scores this near to the best are of one kind.
_ALIKE = 0.93
# What the command before said, said word for word by the next one too, is one failure that was tried again.
_SAID_BEFORE, _TRIED_BEFORE = 0.9, 0.85
# What these mean outlasts the step that met them: what it wrote is broken, and later steps stumble over it.
_OUTLASTS = ("disk_full",)
# Leads compared with each other for repetition, and the length from which a message is not said twice by chance.
_COMPARED = 120
_SAYS_ENOUGH = 24
_PREFIX = re.compile(rb"^(?:\W*(?:[\w./@-]{1,40}: )?(?:(?i:error|fatal|failed|failure|err!|e):?|##\[error\])[\s:]*)+")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A lead with its score, 0 to 1, and the factors that made it."""

    lead: Lead
    score: float
    place: float
    known_good: bool


def rank(leads: Sequence[Lead], shape: Shape, good: Collection[bytes]) -> list[Ranked]:
    """Best first, one per block of lines. `good`: masked lines of good runs."""
    scored = _said_first(_explained([_score(lead, shape, good) for lead in leads], shape))
    scored = _earliest_of_its_kind(_in_order(scored))
    kept: list[Ranked] = []
    for item in scored:
        if all(abs(item.lead.line - other.lead.line) > _SAME_BLOCK for other in kept):
            kept.append(item)
        if len(kept) >= 40:
            break
    return kept


def _in_order(scored: list[Ranked]) -> list[Ranked]:
    """Best first; of those within _EQUAL of the best that is left, the earliest line first."""
    rest = sorted(scored, key=lambda item: (-item.score, item.lead.line))
    ordered: list[Ranked] = []
    while rest:
        size = next((index for index, item in enumerate(rest) if item.score < rest[0].score - _EQUAL - 1e-9), len(rest))
        ordered += sorted(rest[:size], key=lambda item: (item.lead.line, -item.score))
        rest = rest[size:]
    return ordered


def _explained(scored: list[Ranked], shape: Shape) -> list[Ranked]:
    """Leads that a better explanation of the same step makes symptoms count less.

    Where a compiler, checker or test runner says what failed, a message of the system (a host that refused, a file that was missing) is
    most often part of what was tested, and coverage is low because tests failed.
    """
    says: dict[int, set[tuple[int, str]]] = {}
    for item in scored:
        if _says_what_failed(item):
            says.setdefault(_step_of(item, shape), set()).add((item.lead.line, item.lead.signature.family))

    def explained(item: Ranked) -> bool:
        return bool(says.get(_step_of(item, shape), set()) - {(item.lead.line, item.lead.signature.family)})

    return [replace(item, score=item.score * _SYMPTOM) if _may_be_symptom(item) and explained(item) else item for item in scored]


def _says_what_failed(item: Ranked) -> bool:
    rule = item.lead.signature
    plain = rule.category in _SAYS_WHAT_FAILED and item.score >= _PLAIN and rule.family != "generic"
    return plain and not (rule.category == "compile" and rule.role == "headline")  # such a line names what did not compile, not why


def _step_of(item: Ranked, shape: Shape) -> int:
    step = shape.step_at(item.lead.line) if any(step.failed for step in shape.steps) else None
    return step.first if step else 0


def _may_be_symptom(item: Ranked) -> bool:
    rule = item.lead.signature
    if rule.category == "coverage_threshold":
        return True
    return rule.family in _SYSTEM and rule.category not in _DECIDES


def _earliest_of_its_kind(ordered: list[Ranked]) -> list[Ranked]:
    """Of several errors that one tool reports in one step, the first is the cause and the others may follow from it."""
    if not ordered:
        return ordered
    best = ordered[0]
    earlier = [
        item
        for item in ordered[:_COMPARED]
        if item.lead.line < best.lead.line
        and item.score >= _ALIKE * best.score
        and item.place >= best.place
        and item.lead.signature.family == best.lead.signature.family
        and item.lead.signature.category == best.lead.signature.category
        and item.lead.signature.role == best.lead.signature.role
    ]
    if not earlier:
        return ordered
    first = min(earlier, key=lambda item: item.lead.line)
    return [replace(first, score=best.score), *(item for item in ordered if item is not first)]


def _said_first(scored: list[Ranked]) -> list[Ranked]:
    """A message that is said again, by a retry, a wrapper or a summary, is as good where it was said first.

    The first place takes the score and the signature of the best one of those that repeat it.
    """
    best = sorted(scored, key=lambda item: -item.score)[:_COMPARED]
    messages = {id(item): _message(item.lead.text) for item in best}
    raised: dict[int, Ranked] = {}
    for item in best:
        if item.lead.signature.role == "wrapper" or len(messages[id(item)]) < _SAYS_ENOUGH:
            continue
        for earlier in best:
            if earlier.lead.line < item.lead.line and earlier.score < item.score and _may_be_lifted(earlier, item):
                short, long = sorted((messages[id(earlier)], messages[id(item)]), key=len)
                same = short == long and earlier.lead.signature is item.lead.signature
                if earlier.place < (_TRIED_BEFORE if same else _SAID_BEFORE) * item.place - 1e-9:
                    continue
                if len(short) >= _SAYS_ENOUGH and short in long and item.score > raised.get(id(earlier), earlier).score:
                    raised[id(earlier)] = _lifted(earlier, item)
    return [raised.get(id(item), item) for item in scored]


def _may_be_lifted(earlier: Ranked, later: Ranked) -> bool:
    """Not a warning, nor the short form that a tool prints before its own full report (role symptom)."""
    short, full = earlier.lead.signature, later.lead.signature
    return not earlier.lead.benign and not (short.role == "symptom" and short.family == full.family)


def _lifted(earlier: Ranked, later: Ranked) -> Ranked:
    lead, better = earlier.lead, later.lead
    if better.signature.weight <= lead.signature.weight:
        return replace(earlier, score=later.score)
    captures = {**lead.captures, **better.captures}
    location = lead.location if lead.location and lead.location.line else better.location or lead.location
    return replace(earlier, score=later.score, lead=replace(lead, signature=better.signature, captures=captures, location=location))


def _message(text: bytes) -> bytes:
    """What a line says, without the words before it that only say that it is an error."""
    return _PREFIX.sub(b"", masked(text))


def _score(lead: Lead, shape: Shape, good: Collection[bytes]) -> Ranked:
    rule = lead.signature
    place = shape.place(lead.line, outlasts=rule.category in _OUTLASTS and not lead.benign)
    key = masked(lead.text)
    known_good = key in good
    score = rule.weight / 100 * ROLE[rule.role] * place
    if known_good:
        score *= 0.3
    if lead.benign:
        score *= 0.6
    if lead.retried:
        score *= 0.85
    return Ranked(lead, score, place, known_good)

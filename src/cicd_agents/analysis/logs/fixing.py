"""Fixes of a signature filled with what the log says; nothing is suggested that could not work (pure)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cicd_agents.analysis.logs.advice import advice
from cicd_agents.analysis.logs.clean import shortened
from cicd_agents.analysis.logs.hints import hints_of, shown_by
from cicd_agents.analysis.logs.programs import brings
from cicd_agents.analysis.logs.signature import FixTemplate, Signature, fill
from cicd_agents.analysis.logs.situations import situations
from cicd_agents.domain.finding import Fix
from cicd_agents.domain.invisible import INVISIBLE

_MAX_CAPTURE = 200
_MAX_SAID = 700
_HINT_CONFIDENCE = 0.7
# Lines around the root in which a tool shows values and source, and makes suggestions.
_SHOWN_BEFORE, _SHOWN_AFTER, _HINTS_AFTER = 8, 14, 16
_UNSAFE = re.compile(f"[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]|{INVISIBLE.pattern}")
_KIND_CONFIDENCE = {"quick": 0.8, "lasting": 0.7, "prevention": 0.6}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The cleaned lines from a little before the root line to some after it, and the number of the root among them (from 0)."""

    lines: Sequence[str] = ()
    root: int = 0

    def said(self) -> str:
        """What the log says at the root line and shows beside it, on one line."""
        if not self.lines:
            return ""
        beside = shown_by(self.lines[max(0, self.root - _SHOWN_BEFORE) : self.root + _SHOWN_AFTER])
        own = " ".join(self.lines[self.root].split())
        return " / ".join((own, *(text for text in beside if text not in own and own not in text)))

    def hints(self) -> tuple[str, ...]:
        """What the tool itself suggests."""
        return hints_of(self.lines[self.root], self.lines[self.root + 1 : self.root + _HINTS_AFTER]) if self.lines else ()


NOWHERE = Surroundings()


def fixes_of(rule: Signature, captures: Mapping[str, str], confidence: float, around: Surroundings = NOWHERE, category: str = "") -> tuple[Fix, ...]:
    """The rule's fixes that can be filled, what the tool itself suggests, then the general advice for the category with the evidence.

    `category` is the failure's own, where it is told more closely than by the rule.

    A fix that needs a capture which is missing is left out.
    """
    found = [fix for template in rule.fixes if (fix := _fix(template, captures, confidence))]
    if hints := around.hints():
        told = _printable(" / ".join(hints), _MAX_SAID)
        hint = Fix("quick", f"Follow what {_printable(rule.tool)} itself suggests", told, (), round(confidence * _HINT_CONFIDENCE, 2))
        found.insert(sum(fix.kind == "quick" for fix in found), hint)
    kind = category or rule.category
    message = around.lines[around.root] if around.lines else captures.get("message", "")
    found += (fix for template in (*brings(kind, captures.get("command", "")), *situations(kind, message)) if (fix := _fix(template, captures, confidence)))
    if general := _fix(advice()[kind], captures, confidence):
        said = _printable(around.said(), _MAX_SAID)
        found.append(replace(general, detail=f"{general.detail} The log says: {said}") if said else general)
    return tuple(found)


def texts_of(rule: Signature, captures: Mapping[str, str]) -> tuple[str, str]:
    """(title, cause) of a rule, filled; a text that cannot be filled falls back to the rule's id."""
    short = {name: _printable(value) for name, value in captures.items()}
    return _prose(rule.title, short) or rule.id, _prose(rule.cause, short) or ""


def _prose(template: str, captures: Mapping[str, str]) -> str | None:
    """The filled text; a placeholder with an empty default leaves no gap."""
    text = fill(template, captures)
    return None if text is None else re.sub(r" {2,}", " ", text).strip()


def _fix(template: FixTemplate, captures: Mapping[str, str], confidence: float) -> Fix | None:
    short = {name: _printable(value) for name, value in captures.items()}
    title = _prose(template.title, short)
    if title is None:
        return None
    detail = _prose(template.detail, short) or ""
    commands = tuple(text for text in (_command(command, captures) for command in template.commands) if text is not None)
    if template.commands and not commands and not detail:
        return None
    return Fix(template.kind, title, detail, commands, round(confidence * _KIND_CONFIDENCE[template.kind], 2))


def _command(template: str, captures: Mapping[str, str]) -> str | None:
    """The command with its captures quoted for a POSIX shell; None when one is missing or could be read as anything but a word.

    No placeholder stands inside quotes of the template's own (signature_check): its quoted text would end them.
    """
    quoted = {}
    for name, value in captures.items():
        if value and len(value) <= _MAX_CAPTURE and not value.startswith("-") and not _UNSAFE.search(value):
            quoted[name] = shlex.quote(value)
    return fill(template, quoted)


def _printable(value: str, most: int = _MAX_CAPTURE) -> str:
    return shortened(_UNSAFE.sub("", value), most)

"""Fixes of a signature filled with what the log says; nothing is suggested that could not work (pure)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace

from cicd_agents.analysis.logs.advice import advice
from cicd_agents.analysis.logs.signature import FixTemplate, Signature, fill
from cicd_agents.domain.finding import Fix
from cicd_agents.domain.invisible import INVISIBLE

_MAX_CAPTURE = 200
_UNSAFE = re.compile(f"[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]|{INVISIBLE.pattern}")
_KIND_CONFIDENCE = {"quick": 0.8, "lasting": 0.7, "prevention": 0.6}


def fixes_of(rule: Signature, captures: Mapping[str, str], confidence: float) -> tuple[Fix, ...]:
    """The rule's fixes that can be filled, then the general advice for its category. What needs a missing capture is left out."""
    found = []
    general = advice()[rule.category]
    said = _printable(captures.get("said", ""))
    for template in (*rule.fixes, replace(general, detail=f"{general.detail} The log says: {_escaped(said)}") if said else general):
        fix = _fix(template, captures, confidence)
        if fix is not None:
            found.append(fix)
    return tuple(found)


def texts_of(rule: Signature, captures: Mapping[str, str]) -> tuple[str, str]:
    """(title, cause) of a rule, filled; a text that cannot be filled falls back to the rule's id."""
    short = {name: _printable(value) for name, value in captures.items()}
    return fill(rule.title, short) or rule.id, fill(rule.cause, short) or ""


def _fix(template: FixTemplate, captures: Mapping[str, str], confidence: float) -> Fix | None:
    short = {name: _printable(value) for name, value in captures.items()}
    title = fill(template.title, short)
    if title is None:
        return None
    detail = fill(template.detail, short) or ""
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


def _escaped(text: str) -> str:
    """Text of the log in a template: no braces, so that nothing in it is taken for a placeholder."""
    return text.replace("{", "(").replace("}", ")")


def _printable(value: str) -> str:
    text = _UNSAFE.sub("", value)
    return text if len(text) <= _MAX_CAPTURE else text[: _MAX_CAPTURE - 1] + "…"

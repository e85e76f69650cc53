"""Does a signature keep what it promises: its patterns compile, its examples hit, its near misses do not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cicd_agents.analysis.logs import clean, pattern
from cicd_agents.analysis.logs.literals import needed_literals
from cicd_agents.analysis.logs.matching import match_at
from cicd_agents.analysis.logs.signature import Signature, fill

# A placeholder behind an odd number of quotes of one kind.
_IN_QUOTES = re.compile(r"""^[^']*(?:'[^']*'[^']*)*'[^']*\{\w+[|}]|^[^"]*(?:"[^"]*"[^"]*)*"[^"]*\{\w+[|}]|^[^`]*(?:`[^`]*`[^`]*)*`[^`]*\{\w+[|}]""")


def problems(signature: Signature) -> list[str]:
    """Why the signature cannot be accepted, one sentence each; empty when it can."""
    found = _pattern_problems(signature)
    if found:
        return found
    if not signature.examples:
        found.append("has no example")
    if not signature.near_misses:
        found.append("has no near miss")
    for sample in signature.examples:
        found.extend(_example_problems(signature, sample))
    for sample in signature.near_misses:
        lines = _lines(sample)
        if any(match_at(signature, lines, at) is not None for at in range(len(lines))):
            found.append(f"matches its near miss {sample[:80]!r}")
    found.extend(
        f"the command {command[:60]!r} has a placeholder inside quotes; captures are quoted when they are put in"
        for fix in signature.fixes
        for command in fix.commands
        if _IN_QUOTES.search(command)
    )
    return found


def _pattern_problems(signature: Signature) -> list[str]:
    found = []
    named = (("match", signature.match), ("unless", signature.unless), *(("nearby", near.match) for near in signature.nearby))
    for name, text in named:
        try:
            if text is not None:
                pattern.exact(text)
            if name == "match":
                pattern.check(signature.match)
        except pattern.PatternError as problem:
            found.append(f"'{name}' {problem}")
    return found


def _example_problems(signature: Signature, sample: str) -> list[str]:
    lines = _lines(sample)
    matches = [found for at in range(len(lines)) if (found := match_at(signature, lines, at))]
    if not matches:
        return [f"does not match its example {sample[:80]!r}", *_scan_problem(signature, sample, lines)]
    captures = matches[0].captures
    if fill(signature.title, captures) is None or fill(signature.cause, captures) is None:
        return [f"'title' or 'cause' needs a capture that the example {sample[:60]!r} does not give; add a default: {{name|default}}"]
    return _scan_problem(signature, sample, lines)


def _scan_problem(signature: Signature, sample: str, lines: Sequence[str]) -> list[str]:
    """In a large log, every line that the pattern matches must hold one of its literals."""
    literals = needed_literals(signature.match)
    for line in lines:
        if literals and signature.compiled.search(line):
            text = line.encode()
            if not any(one.text.lower() in text.lower() if one.ignore_case else one.text in text for one in literals):
                return [f"is not found in a large log by {sample[:60]!r}; simplify the pattern"]
    return []


def _lines(sample: str) -> list[str]:
    return [clean.text_of(line).decode() for line in sample.encode().split(b"\n")]

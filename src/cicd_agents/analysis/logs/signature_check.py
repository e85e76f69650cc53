"""Does a signature keep what it promises: its patterns compile, its examples hit, its near misses do not."""

from __future__ import annotations

from collections.abc import Sequence

from cicd_agents.analysis.logs import clean, pattern
from cicd_agents.analysis.logs.matching import match_at
from cicd_agents.analysis.logs.signature import Signature, fill


def problems(signature: Signature) -> list[str]:
    """Why the signature cannot be accepted, one sentence each; empty when it can."""
    found: list[str] = []
    for name, text in (("match", signature.match), ("unless", signature.unless), *(("nearby", near.match) for near in signature.nearby)):
        try:
            if text is not None:
                pattern.exact(text)
            if name == "match":
                pattern.check(signature.match)
        except pattern.PatternError as problem:
            found.append(f"'{name}' {problem}")
    if found:
        return found
    if not signature.examples:
        found.append("has no example")
    if not signature.near_misses:
        found.append("has no near miss")
    for sample in signature.examples:
        lines = _lines(sample)
        captured = [hit for at in range(len(lines)) if (hit := match_at(signature, lines, at)) is not None]
        if not captured:
            found.append(f"does not match its example {sample[:80]!r}")
        elif fill(signature.title, captured[0].captures) is None or fill(signature.cause, captured[0].captures) is None:
            found.append(f"'title' or 'cause' needs a capture that the example {sample[:60]!r} does not give; add a default: {{name|default}}")
        found.extend(_scan_problem(signature, sample, lines))
    for sample in signature.near_misses:
        lines = _lines(sample)
        if any(match_at(signature, lines, at) is not None for at in range(len(lines))):
            found.append(f"matches its near miss {sample[:80]!r}")
    return found


def _scan_problem(signature: Signature, sample: str, lines: Sequence[str]) -> list[str]:
    """In a large log, every line that the pattern matches must hold one of its literals."""
    literals = pattern.needed_literals(signature.match)
    for line in lines:
        if literals and signature.compiled.search(line):
            text = line.encode()
            if not any(one.text.lower() in text.lower() if one.ignore_case else one.text in text for one in literals):
                return [f"is not found in a large log by {sample[:60]!r}; simplify the pattern"]
    return []


def _lines(sample: str) -> list[str]:
    return [clean.text_of(line).decode() for line in sample.encode().split(b"\n")]

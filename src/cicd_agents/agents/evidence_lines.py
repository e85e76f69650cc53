"""Texts and diffs as redacted, bounded lines for a dossier (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from cicd_agents.domain.redaction import Redactor

MOST_CHARACTERS = 1 << 16
# What of a longer text is kept: a secret that lies across the border is found before the text is cut.
_KEPT_CHARACTERS = 48_000


def text_lines(text: str, redactor: Redactor) -> tuple[str, ...]:
    """The lines of a text, redacted as a whole; of one that is too long the beginning."""
    lines = redactor.redact_lines(text[:MOST_CHARACTERS].rstrip("\n").split("\n"))
    return _bounded(lines, cut=len(text) > MOST_CHARACTERS)


def diff_lines(text: str, redactor: Redactor, *, whole: bool) -> tuple[str, ...]:
    """The hunks of a diff, redacted; `whole` is false for a text that is only the beginning.

    Each side is read without the signs before its lines, which would stand between the lines of a secret.
    """
    lines = text[:MOST_CHARACTERS].rstrip("\n").split("\n")
    start = next((index for index, line in enumerate(lines) if line.startswith("@@")), len(lines))
    return _bounded(_hidden(lines[start:], redactor), cut=not whole or len(text) > MOST_CHARACTERS)


def _hidden(lines: Sequence[str], redactor: Redactor) -> list[str]:
    shown = list(lines)
    for other in "-+":
        side = [index for index, line in enumerate(lines) if not line.startswith(other)]
        bare = [lines[index][1:] for index in side]
        for index, before, after in zip(side, bare, redactor.redact_lines(bare), strict=True):
            if after == before:
                continue
            sign = lines[index][:1]
            # Where each side hides something else of a line, what the one leaves may be what the other hides.
            shown[index] = sign + after if shown[index] in (lines[index], sign + after) else "[redacted]"
    return shown


def _bounded(lines: Sequence[str], *, cut: bool) -> tuple[str, ...]:
    """All lines; of a text that was cut those that end well before the cut."""
    if not cut:
        return tuple(lines)
    kept, left = 0, _KEPT_CHARACTERS
    for line in lines[:-1]:
        left -= len(line) + 1
        if left < 0:
            break
        kept += 1
    return tuple(lines[:kept])

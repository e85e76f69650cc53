"""A table of numbers cut into statements: lines, parts of lines, and rows of Markdown tables (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cicd_agents.analysis.canary.reading.metric_names import words_of
from cicd_agents.domain.errors import UsageError

LONGEST_LINE = 2000
BASELINE_WORDS = frozenset((
    "baseline", "base", "was", "vs", "versus", "from", "before", "old", "stable", "previous", "prev", "previously", "against", "control", "primary", "than",
    "compared",
))  # fmt: skip
CANARY_WORDS = frozenset(("canary", "new", "now", "is", "to", "current", "currently", "candidate", "experiment", "after", "value"))
# Numbers behind these words are about the numbers, and are not of a version.
OTHER_WORDS = frozenset(
    ("delta", "change", "diff", "difference", "limit", "threshold", "max", "maximum", "allowed", "by", "up", "down", "increase", "decrease", "δ")
)
NOTHING = frozenset(("n/a", "na", "none", "null", "nan", "unknown", "missing", "—", "-", "–", "?", "no data"))
ROLES = {**dict.fromkeys(BASELINE_WORDS, "baseline"), **dict.fromkeys(CANARY_WORDS, "canary"), **dict.fromkeys(OTHER_WORDS, "other")}
_SEPARATOR_ROW = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+\s*(?::?-+:?)?\s*")
UNIT_IN_NAME = re.compile(r"\((%|pp|[µu]s|ms|s|sec|seconds|min|bytes|[KMG]i?B|rps|req/s)\)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One statement of the text: `line` as it stands; of a Markdown table the cells (name, canary, baseline) as `point`."""

    number: int
    line: str
    point: tuple[str, str, str] | None = None

    def wrong(self, why: str) -> UsageError:
        """The refusal of this statement."""
        return UsageError(f"Line {self.number} of the table, {self.line.strip()[:80]!r}: {why}.")


def parts_of(text: str) -> Iterator[Part]:
    """The statements of a text, in order. Raises UsageError for a line that is far too long, or a heading without a column of the canary."""
    lines = text.splitlines()
    index = 0
    while index < len(lines):
        line = lines[index]
        if len(line) > LONGEST_LINE:
            raise UsageError(f"Line {index + 1} of the table is longer than {LONGEST_LINE} characters; write one metric per line.")
        if "|" in line and index + 1 < len(lines) and _SEPARATOR_ROW.fullmatch(lines[index + 1][:LONGEST_LINE]):
            end = index + 2
            while end < len(lines) and "|" in lines[end]:
                end += 1
            yield from _rows(lines[index:end], index + 1)
            index = end
            continue
        if not _SEPARATOR_ROW.fullmatch(line):
            yield from (Part(index + 1, statement) for statement in _statements(line))
        index += 1


def _statements(line: str) -> Iterator[str]:
    """A line cut at ` / `, `|`, `;`, and at a comma before a next name, outside of brackets."""
    depth, begin = 0, 0
    for index, letter in enumerate(line):
        if letter in "([":
            depth += 1
        elif letter in ")]":
            depth = max(0, depth - 1)
        elif depth == 0 and (letter in "|;" or _slash(line, index) or _next_name(line, index)):
            yield line[begin:index]
            begin = index + 1
    yield line[begin:]


def _slash(line: str, index: int) -> bool:
    """A slash that stands between statements, not inside of a unit such as `req/s`."""
    before, after = line[index - 1 : index], line[index + 1 : index + 2]
    return line[index] == "/" and ((before in {" ", "\t", ""} and after in {" ", "\t", ""}) or before == ")")


def _next_name(line: str, index: int) -> bool:
    """A comma with `name:` after it, where the name says no side: `Error rate: 5%, P95: 1s`; or one after a bracket: `(baseline: 5%), P95 1s`."""
    if line[index] == "," and line[index - 1 : index] == ")" and (word := re.match(r",\s+([^\W\d_]+)", line[index:])):
        return not role_of(word[1])
    if line[index] != "," or not (found := re.match(r",\s+([^\W\d_][^:=,;|()]{0,60}|\d[^\W\d_][^:=,;|()]{0,60})[:=]", line[index:])):
        return False
    return words_of(found[1]) not in ROLES


def _rows(lines: Sequence[str], first: int) -> Iterator[Part]:
    heads = [words_of(cell) for cell in _cells(lines[0])]
    roles = [{role_of(word) for word in head.split()} for head in heads]
    canary, baseline = (next((index for index, found in enumerate(roles) if role in found), None) for role in ("canary", "baseline"))
    if canary is None:
        raise Part(first, lines[0]).wrong("the heading has no column of the canary; name the columns Metric, Baseline and Canary")
    for offset, line in enumerate(lines[2:]):
        cells = _cells(line)
        if any(cells) and len(cells) > canary:
            old = cells[baseline] if baseline is not None and baseline < len(cells) else ""
            unit = UNIT_IN_NAME.search(_cells(lines[0])[canary])
            yield Part(first + 2 + offset, line, (f"{cells[0]} {unit[0] if unit else ''}".strip(), cells[canary], old))


def _cells(line: str) -> list[str]:
    return [re.sub(r"[*`]", "", cell).strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def role_of(word: str) -> str:
    """Which side a word speaks of: canary, baseline, other (a limit, a change), or empty."""
    return ROLES.get(word.lower(), "")

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
# These only join: where a side was named just before (`baseline was 0.1%`, `compared to 0.1%`) it stays.
JOINING_WORDS = frozenset(("is", "was", "to"))
NOTHING = frozenset(("n/a", "na", "none", "null", "nan", "unknown", "missing", "—", "-", "–", "?", "no data"))
ROLES = {**dict.fromkeys(BASELINE_WORDS, "baseline"), **dict.fromkeys(CANARY_WORDS, "canary"), **dict.fromkeys(OTHER_WORDS, "other")}
_NAME_HEADS = frozenset(("metric", "metrics", "name", "indicator", "signal", "measure"))
# Between the columns of a table without rules, the likeliest first.
_BETWEEN = (re.compile(r"\s*\|\s*"), re.compile(r"\t+"), re.compile(r"\s*[,;]\s*"), re.compile(r"\s{2,}"))
_RULE = re.compile(r"[\s\-=+|:]+")
_SECTION_WORDS = frozenset(("metrics", "version", "deployment", "values", "numbers", "the", "pods", "side", "group"))
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
        if between := _between(line):
            end = index + 1
            while end < len(lines) and len(lines[end]) <= LONGEST_LINE and (_RULE.fullmatch(lines[end]) or len(between.split(lines[end].strip())) > 1):
                end += 1
            if end > index + 1:
                yield from _plain_rows(lines[index:end], index + 1, between)
                index = end
                continue
        _refuse_columns(Part(index + 1, line))
        if not _SEPARATOR_ROW.fullmatch(line):
            yield from (Part(index + 1, statement) for statement in _statements(line))
        index += 1


def section_of(line: str) -> str | None:
    """The side that a heading such as `Canary:` or `## Baseline metrics` begins; empty for a heading of anything else, None for what is no heading."""
    marked = line.lstrip().startswith("#") or line.rstrip().rstrip("*").endswith(":")
    words = words_of(re.sub(r"\([^()]*\)|[#:]", " ", line)).split()
    if not words:
        return None
    found = {role_of(word) for word in words} - {""}
    if found in ({"canary"}, {"baseline"}) and all(role_of(word) or word in _SECTION_WORDS for word in words):
        return found.pop()
    return "" if marked else None


def _between(line: str) -> re.Pattern[str] | None:
    """What stands between the columns, where the line is the heading of a table without rules: a column of names, and those of both sides."""
    if any(letter.isdigit() for letter in line):
        return None
    for pattern in _BETWEEN:
        heads = [words_of(cell) for cell in pattern.split(line.strip().strip("|").strip())]
        sides = [{role_of(word) for word in head.split()} & {"canary", "baseline"} for head in heads]
        whole = any("baseline" in side for side in sides[1:]) or heads[0] in _NAME_HEADS
        if len(heads) > 1 and not sides[0] and whole and any("canary" in side for side in sides[1:]):
            return pattern
    return None


def _refuse_columns(part: Part) -> None:
    """Refuse a heading whose columns cannot be told apart: the sides would be taken in the wrong order."""
    words = words_of(part.line).split()
    if words and words[0] in _NAME_HEADS and {"canary", "baseline"} <= {role_of(word) for word in words} and not any(letter.isdigit() for letter in part.line):
        raise part.wrong("the columns of this heading cannot be told apart; put | or a tab between the cells of each line")


def _plain_rows(lines: Sequence[str], first: int, between: re.Pattern[str]) -> Iterator[Part]:
    heads = between.split(lines[0].strip().strip("|").strip())
    rows = []
    for offset, line in enumerate(lines[1:], 1):
        if not _RULE.fullmatch(line):
            cells = between.split(line.strip().removeprefix("|").removesuffix("|").strip())
            if len(cells) > len(heads):
                raise Part(first + offset, line).wrong(f"it has {len(cells)} cells where the heading has {len(heads)}")
            rows.append((first + offset, line, [re.sub(r"[*`]", "", cell) for cell in cells]))
    yield from _of_columns(Part(first, lines[0]), heads, rows)


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
    yield from _of_columns(Part(first, lines[0]), _cells(lines[0]), [(first + 2 + offset, line, _cells(line)) for offset, line in enumerate(lines[2:])])


def _of_columns(heading: Part, heads: Sequence[str], rows: Sequence[tuple[int, str, Sequence[str]]]) -> Iterator[Part]:
    roles = [{role_of(word) for word in words_of(head).split()} for head in heads]
    canary, baseline = (next((index for index, found in enumerate(roles) if role in found), None) for role in ("canary", "baseline"))
    if canary is None:
        raise heading.wrong("the heading has no column of the canary; name the columns Metric, Baseline and Canary")
    unit = UNIT_IN_NAME.search(heads[canary])
    for number, line, cells in rows:
        if any(cells) and len(cells) > canary:
            old = cells[baseline] if baseline is not None and baseline < len(cells) else ""
            yield Part(number, line, (f"{cells[0]} {unit[0] if unit else ''}".strip(), cells[canary], old))


def _cells(line: str) -> list[str]:
    return [re.sub(r"[*`]", "", cell).strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def role_of(word: str) -> str:
    """Which side a word speaks of: canary, baseline, other (a limit, a change), or empty."""
    return ROLES.get(word.lower(), "")

"""One pass over a log: which lines are worth a look, which signatures match them, what the platform says in between.

Lines are cleaned and matched exactly by RE2. In a large log, hyperscan first finds the interesting lines in whole blocks, with wider
patterns over the raw bytes, so that the pass does not loop over all lines in Python.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import re2

from cicd_agents.analysis.logs import clean, pattern, structure
from cicd_agents.analysis.logs.reader import Block, Log
from cicd_agents.analysis.logs.signature import Signature

# Hits kept per signature: the first and the last ones. A flood is counted, not stored.
KEEP_FIRST, KEEP_LAST = 60, 60
MAX_EVENTS = 4000


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that at least one signature matches, with the indices of those signatures."""

    line: int
    offset: int
    marker: bytes
    text: bytes
    rules: tuple[int, ...]


@dataclass(slots=True)
class Scan:
    """What one pass over a log found. Hits and events are in the order of lines."""

    hits: list[Hit]
    events: list[structure.Event]
    counts: dict[int, int]
    lines: int
    size: int


class LineFinder(Protocol):
    """Finds the lines of a block that are worth cleaning."""

    def lines(self, data: bytes) -> Iterator[tuple[int, int]]:
        """(begin, end) of each interesting line in the data, in order, without the line feed."""
        ...


class Matcher:
    """Which of many patterns match a line. RE2's FilteredRE2 looks for the literals that the patterns need and tries only the patterns whose
    literals are there; one automaton of all patterns would spend its time on building states. RE2 gives the automaton of the literals a
    fixed budget of memory, so the patterns are dealt out to several filters."""

    _SHARE = 350

    def __init__(self, patterns: Sequence[bytes]) -> None:
        self._filters = [(first, _filter(patterns[first : first + self._SHARE])) for first in range(0, len(patterns), self._SHARE)]

    def match(self, text: bytes) -> list[int]:
        """The indices of all patterns that match the text, in order."""
        found: list[int] = []
        for first, chosen in self._filters:
            matched = chosen.Match(text)
            if matched:
                found.extend(sorted(first + index for index in matched))
        return found


def _filter(patterns: Sequence[bytes]) -> Any:
    chosen, allowed = re2.Filter(), pattern.options()
    for one in patterns:
        chosen.Add(one, allowed)
    chosen.Compile()
    return chosen


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Signatures made ready for scanning. `exact` knows them by their index, and after them the structural TEXTS."""

    signatures: tuple[Signature, ...]
    exact: Matcher = field(repr=False)


def catalogue(signatures: Iterable[Signature]) -> Catalogue:
    """Compile signatures for scanning; they have passed signature_check."""
    rules = tuple(signatures)
    exact = [*(rule.match.encode() for rule in rules), *(text.encode() for text in structure.TEXTS)]
    return Catalogue(rules, Matcher(exact))


def scan(log: Log, rules: Catalogue, finder: LineFinder) -> Scan:
    """Run the pass. CPU time is linear in the log, memory independent of it."""
    known = len(rules.signatures)
    keep = _Keeper(known)
    events: deque[structure.Event] = deque(maxlen=MAX_EVENTS)
    last_line, size = 0, 0
    for block in log.blocks():
        size += len(block.data)
        for number, begin, end in _numbered(block, finder):
            raw = block.data[begin:end]
            marker, text = clean.undecorated(clean.visible(raw))
            matched = rules.exact.match(text) if text else []
            speaks = bool(matched) and matched[-1] >= known
            if speaks or marker or b"section_" in raw or b"travis_fold" in raw:
                found = structure.events_of(number, raw, marker, text, speaks)
                events.extend(replace(event, offset=block.offset + begin) for event in found)
            hits = tuple(index for index in matched if index < known) if speaks else tuple(matched)
            if hits or marker == b"error":
                keep.add(Hit(number, block.offset + begin, marker, text, hits))
        last_line = block.line + block.data.count(b"\n") - block.data.endswith(b"\n")
    return Scan(keep.hits(), list(events), keep.counts, last_line, size)


def _numbered(block: Block, finder: LineFinder) -> Iterator[tuple[int, int, int]]:
    """(line number, begin, end) of the interesting lines of a block."""
    number, counted, data = block.line, 0, block.data
    for begin, end in finder.lines(data):
        number += data.count(b"\n", counted, begin)
        counted = begin
        yield number, begin, end


class _Keeper:
    """The first and last hits of each signature, bounded."""

    def __init__(self, rules: int) -> None:
        self.counts: dict[int, int] = {}
        self._first: list[Hit] = []
        self._last: dict[int, deque[Hit]] = {}
        self._none = rules

    def add(self, hit: Hit) -> None:
        first = False
        for rule in hit.rules or (self._none,):
            seen = self.counts.get(rule, 0)
            self.counts[rule] = seen + 1
            if seen < KEEP_FIRST:
                first = True
            else:
                self._last.setdefault(rule, deque(maxlen=KEEP_LAST)).append(hit)
        if first:
            self._first.append(hit)

    def hits(self) -> list[Hit]:
        unique = {hit.line: hit for hit in self._first}
        for queue in self._last.values():
            unique.update((hit.line, hit) for hit in queue)
        return [unique[line] for line in sorted(unique)]


class EveryLine:
    """Every line is interesting: ready at once, some 20 MB/s; the right way for logs of ordinary size."""

    def lines(self, data: bytes) -> Iterator[tuple[int, int]]:
        """(begin, end) of all lines."""
        begin = 0
        while begin < len(data):
            end = data.find(b"\n", begin)
            end = len(data) if end < 0 else end
            yield begin, end
            begin = end + 1


class HyperscanFinder:
    """All patterns at once by hyperscan, over 1 GB/s; takes a second or two to compile, so it is for large logs."""

    # Text, then a code, then text: the codes may cut a message in two.
    _INNER = rb"(?:[^\n\r mK\x1b]|[^ZOE+\n\x1b] |[^0-9;\[\n]m|[^0-9;\[\n]K)(?:\x1b\[[0-9;?]*[A-Za-z])+[^\x1b\n\r]"

    def __init__(self, rules: Catalogue) -> None:
        import hyperscan

        expressions = [*structure.SCAN, *(pattern.scan_form(rule.match) for rule in rules.signatures), self._INNER]
        self._inner = len(expressions) - 1
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=expressions,
            ids=list(range(len(expressions))),
            flags=[hyperscan.HS_FLAG_MULTILINE] * len(expressions),
        )
        self._scratch_error = hyperscan.error

    def lines(self, data: bytes) -> Iterator[tuple[int, int]]:
        """(begin, end) of the lines that hold a match."""
        found = self._ends(data)
        if found is not None:
            yield from _spans(data, iter(found))
        else:
            yield from _in_clean_copy(data, lambda copy: _spans(copy, iter(self._ends(copy, False) or ())))

    def _ends(self, data: bytes, stop_at_inner: bool = True) -> list[int] | None:
        """The ends of matches, one per line; None when a code stands inside a line's text."""
        ends: list[int] = []
        line_begin = line_end = -1  # the line of the last match; hyperscan does not promise an order
        inner, cut = self._inner, False

        def on_match(rule: int, _begin: int, end: int, _flags: int, _context: object) -> bool | None:
            nonlocal line_begin, line_end, cut
            if rule == inner:
                cut = stop_at_inner
                return cut or None
            if end > line_end or end <= line_begin:
                line_begin = data.rfind(b"\n", 0, end - 1) + 1
                at = data.find(b"\n", end - 1)
                line_end = at if at >= 0 else len(data)
                ends.append(end)
            return None

        try:
            self._database.scan(data, match_event_handler=on_match)
        except self._scratch_error:
            if not cut:
                raise
        return None if cut else sorted(ends)


def _spans(data: bytes, ends: Iterator[int]) -> Iterator[tuple[int, int]]:
    """The lines that hold the last byte of each match, each line once."""
    last = -1
    for end in ends:
        if end - 1 <= last:
            continue
        begin = data.rfind(b"\n", 0, max(end - 1, 0)) + 1
        stop = data.find(b"\n", max(end - 1, 0))
        last = stop if stop >= 0 else len(data)
        yield begin, last


def _in_clean_copy(data: bytes, find: Any) -> Iterator[tuple[int, int]]:
    """Search a copy without ANSI codes; give the places in the data itself (both have the same line feeds)."""
    step = 1 << 18
    begin = 0
    while begin < len(data):
        end = data.rfind(b"\n", begin, begin + step) + 1
        if end <= begin or begin + step >= len(data):
            end = len(data) if begin + step >= len(data) else (data.find(b"\n", begin + step) + 1 or len(data))
        part = data[begin:end]
        copy = clean.ANSI.sub(b"", part)
        numbers = []
        line, counted = 0, 0
        for first, _last in find(copy):
            line += copy.count(b"\n", counted, first)
            counted = first
            numbers.append(line)
        if numbers:
            starts = _line_starts(part)
            for number in numbers:
                stop = starts[number + 1] - 1 if number + 1 < len(starts) else len(part) - part.endswith(b"\n")
                yield begin + starts[number], begin + stop
        begin = end


def _line_starts(data: bytes) -> list[int]:
    starts, position = [], 0
    for raw in data.split(b"\n"):
        starts.append(position)
        position += len(raw) + 1
    if data.endswith(b"\n"):
        starts.pop()
    return starts

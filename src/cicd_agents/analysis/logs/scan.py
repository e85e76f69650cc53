"""One pass over a log: which lines are worth a look, which signatures match them, what the platform says in between.

Lines are cleaned and matched exactly by RE2. In a large log, hyperscan first finds the lines that hold a literal of some pattern, so that
the pass does not loop over all lines in Python.
"""

from __future__ import annotations

import re
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
# Lines that report passing tests and hooks, whatever their names speak of: pytest -v, unittest, cargo; go test; pre-commit; surefire; TAP; node.
_PASSED_ENDS = (b" PASSED", b" PASSED\r", b" ... ok", b" ... ok\r", b" ... PASSED", b"\x1b[32mPASSED\x1b[0m")
_PASSED = re.compile(
    rb"--- PASS: |\.{6}[^.]*(?:Passed|Skipped)(?:\x1b|\s*$)|Failures: 0, Errors: 0,|(?:^|[Zm+] )ok \d+ |\b0 errors, 0 failures"
    rb"|(?:^|[Zm+] )\s*(?:\x1b\[32m)?\xe2\x9c[\x93\x94] "
)
# Bytes at the end of a log of which every line is looked at.
TAIL = 4 << 20
# A line whose colour codes stand around its text, not inside it: its literals are whole.
_COLOURED_AS_A_WHOLE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\d{4}-\d\d-\d\dT[\d:.]{8,16}Z (?:[0-9a-f]{2}[OE][+ ])?)?(?:\x1b\[[0-9;?]*[A-Za-z])*[^\x1b]*(?:\x1b\[[0-9;?]*[A-Za-z]\s*)*$"
)


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


def scan(log: Log, rules: Catalogue, finder: LineFinder, tail: int = TAIL) -> Scan:
    """Run the pass; of the last `tail` bytes every line is looked at. CPU time is linear in the log, memory independent of it."""
    known = len(rules.signatures)
    keep = _Keeper(known)
    events: deque[structure.Event] = deque(maxlen=MAX_EVENTS)
    last_line, size = 0, 0
    before, every = log.size() - tail, EveryLine()
    for block in log.blocks():
        size += block.size
        for number, begin, end in _numbered(block, finder if size < before else every):
            raw = block.data[begin:end]
            if _passed(raw):
                continue
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
    """Every line is interesting: ready at once, some 10 MB/s; the right way for logs of ordinary size."""

    def lines(self, data: bytes) -> Iterator[tuple[int, int]]:
        """(begin, end) of all lines."""
        begin = 0
        while begin < len(data):
            end = data.find(b"\n", begin)
            end = len(data) if end < 0 else end
            yield begin, end
            begin = end + 1


class HyperscanFinder:
    """The lines that hold a literal of some signature, found by hyperscan, and then a match of its pattern: some 40 MB/s (docs/speed.md).

    Only hyperscan's matcher of literals is used: it is ready in two seconds and exact, where its automata for thousands of
    patterns take many seconds to compile. A signature without a rare literal is looked for in the lines so found only,
    and in the last part of the log (`TAIL`).
    """

    def __init__(self, rules: Catalogue) -> None:
        import hyperscan

        owners = _owners([*(rule.match for rule in rules.signatures), *structure.TEXTS])
        marks = [pattern.Literal(mark, False) for mark in structure.MARKS]
        self._literals = [*owners, *marks, pattern.Literal(b"\x1b[", False)]
        self._marks = range(len(owners), len(owners) + len(marks))
        self._colour = len(self._literals) - 1
        self._forms = list(owners.values())
        self._confirmed: dict[int, Any] = {}
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[literal.text for literal in self._literals],
            ids=list(range(len(self._literals))),
            flags=[hyperscan.HS_FLAG_CASELESS if literal.ignore_case else 0 for literal in self._literals],
            literal=True,
        )

    def lines(self, data: bytes) -> Iterator[tuple[int, int]]:
        """(begin, end) of the lines that hold a match."""
        found: list[tuple[int, int]] = []
        self._database.scan(data, match_event_handler=lambda rule, _begin, end, _flags, _context: found.append((end, rule)))
        found.sort()
        stop = -1
        seen: set[int] = set()
        for end, rule in found:
            if end > stop:
                begin = data.rfind(b"\n", 0, end) + 1
                stop = data.find(b"\n", end)
                stop = stop if stop >= 0 else len(data)
                raw = data[begin:stop]
                done = _passed(raw)
                text = b"" if done else _text_of(raw)
                seen = set()
            if not done and rule not in seen:
                seen.add(rule)
                done = not _COLOURED_AS_A_WHOLE.match(raw) if rule == self._colour else rule in self._marks or self._matches(rule, text)
                if done:
                    yield begin, stop

    def _matches(self, rule: int, text: bytes) -> bool:
        confirm = self._confirmed.get(rule)
        if confirm is None:
            confirm = self._confirmed[rule] = re2.compile(b"|".join(self._forms[rule]), pattern.raw_options())
        return bool(confirm.search(text))


def _passed(raw: bytes) -> bool:
    return raw.endswith(_PASSED_ENDS) or _PASSED.search(raw) is not None


def _text_of(raw: bytes) -> bytes:
    """Like clean.text_of, for lines that are short and plain; only the others pay for more."""
    stamp = clean.STAMP.match(raw)
    text = raw[stamp.end() :] if stamp else raw
    return clean.undecorated(text)[1] if b"\x1b" not in text and b"\r" not in text and len(text) < clean.MAX_TEXT else clean.text_of(raw)


def _owners(patterns: Iterable[str]) -> dict[pattern.Literal, list[bytes]]:
    """Which patterns need each literal."""
    owners: dict[pattern.Literal, list[bytes]] = {}
    for one in patterns:
        for literal in pattern.needed_literals(one):
            owners.setdefault(literal, []).append(b"(?:" + one.encode() + b")")
    return owners

"""One pass over a log: which lines are worth a look, which signatures match them, what the platform says in between.

Lines are cleaned and matched exactly by RE2. In a large log, hyperscan first finds the lines that hold a literal of some pattern, so that
the pass does not loop over all lines in Python.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from cicd_agents.analysis.logs import clean, structure
from cicd_agents.analysis.logs.finders import EveryLine, LineFinder
from cicd_agents.analysis.logs.literals import Literal, needed_literals
from cicd_agents.analysis.logs.matchers import FilterMatcher, Matcher
from cicd_agents.analysis.logs.passing import passed
from cicd_agents.analysis.logs.reader import Block, Log
from cicd_agents.analysis.logs.signature import Signature

# Hits kept per signature: the first and the last ones. A flood is counted, not stored.
KEEP_FIRST, KEEP_LAST = 60, 60
MAX_EVENTS = 4000
# Bytes at the end of a log of which every line is looked at.
TAIL = 4 << 20


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


@dataclass(frozen=True)
class Catalogue:
    """Signatures made ready for scanning. `exact` knows them by their index, and after them the structural TEXTS."""

    signatures: tuple[Signature, ...]
    exact: Matcher = field(repr=False)
    known_literals: Callable[[], Sequence[tuple[Literal, ...]]] | None = field(default=None, repr=False)

    @cached_property
    def patterns(self) -> tuple[str, ...]:
        """All patterns, in the order of `exact`."""
        return patterns_of(self.signatures)

    @cached_property
    def literals(self) -> tuple[tuple[Literal, ...], ...]:
        """The literals that each pattern needs (finders.HyperscanFinder)."""
        return tuple(self.known_literals()) if self.known_literals else literals_of(self.signatures)


def patterns_of(signatures: Iterable[Signature]) -> tuple[str, ...]:
    """The patterns of the signatures, and after them the structural TEXTS."""
    return (*(rule.match for rule in signatures), *structure.TEXTS)


def literals_of(signatures: Iterable[Signature]) -> tuple[tuple[Literal, ...], ...]:
    """The literals that each of these patterns needs."""
    return tuple(needed_literals(text) for text in patterns_of(signatures))


def catalogue(signatures: Iterable[Signature]) -> Catalogue:
    """Compile signatures for scanning; they have passed signature_check."""
    rules = tuple(signatures)
    return Catalogue(rules, FilterMatcher([text.encode() for text in patterns_of(rules)]))


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
            if passed(raw):
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

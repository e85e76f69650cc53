"""Which lines of a block are worth cleaning and matching: all of them, or in a large log those that hold a literal of some pattern."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import re2

from cicd_agents.analysis.logs import clean, pattern, structure
from cicd_agents.analysis.logs.literals import Literal, Sample, literals_rare_in
from cicd_agents.analysis.logs.matchers import database_of
from cicd_agents.analysis.logs.passing import passed

# A line whose colour codes stand around its text, not inside it: its literals are whole.
_COLOURED_AS_A_WHOLE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\d{4}-\d\d-\d\dT[\d:.]{8,16}Z (?:[0-9a-f]{2}[OE][+ ])?)?(?:\x1b\[[0-9;?]*[A-Za-z])*[^\x1b]*(?:\x1b\[[0-9;?]*[A-Za-z]\s*)*$"
)
# A pattern of whose literals a sample of the log holds one more often than this is found by others that are rarer in it.
_FLOOD = 12
# Lines whose decision is remembered: build and test logs repeat themselves.
_REMEMBERED = 1 << 16


class LineFinder(Protocol):
    """Finds the lines of a block that are worth cleaning."""

    def lines(self, data: bytes) -> Iterator[tuple[int, int]]:
        """(begin, end) of each interesting line in the data, in order, without the line feed."""
        ...


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
    """The lines that hold a literal of some pattern, found by hyperscan, and then a match of that pattern (docs/speed.md tells how fast).

    Only hyperscan's matcher of literals is used: it is ready in a second and exact, where its automata for thousands of patterns
    take many seconds to compile. `patterns` come with the literals that each needs (literals.needed_literals); `sample` is some of
    the log: where it is flooded by a pattern's literals, rarer ones are taken. A pattern without literals is looked for in the lines
    so found only, and in the last part of the log (scan.TAIL). Raises ImportError where hyperscan is not installed.
    """

    def __init__(self, patterns: Sequence[str], needed: Sequence[tuple[Literal, ...]], sample: bytes = b"") -> None:
        owners = _owners(patterns, _rarest(patterns, needed, sample))
        marks = [Literal(mark, False) for mark in structure.MARKS]
        literals = [*owners, *marks, Literal(b"\x1b[", False)]
        self._marks = frozenset(range(len(owners), len(owners) + len(marks)))
        self._colour = len(literals) - 1
        self._forms = list(owners.values())
        self._confirmed: dict[int, Any] = {}
        self._decided: dict[bytes, bool] = {}
        self._database = database_of(literals)
        self.texts = frozenset(literal.text for literal in literals)

    def lines(self, data: bytes) -> Iterator[tuple[int, int]]:
        """(begin, end) of the lines that hold a match."""
        found: list[tuple[int, int]] = []
        self._database.scan(data, match_event_handler=lambda rule, _begin, end, _flags, _context: found.append((end, rule)))
        found.sort()
        decided, at, count = self._decided, 0, len(found)
        while at < count:
            end = found[at][0]
            begin = data.rfind(b"\n", 0, end) + 1
            stop = data.find(b"\n", end)
            stop = stop if stop >= 0 else len(data)
            first = at
            while at < count and found[at][0] <= stop:
                at += 1
            raw = data[begin:stop]
            # The same text under another time stamp has the same answer.
            key = raw[raw.find(b"Z", 19, 40) + 1 :] if b"--T::" in (raw[4:17:3], raw[5:18:3]) else raw
            interesting = decided.get(key)
            if interesting is None:
                if len(decided) >= _REMEMBERED:
                    decided.clear()
                interesting = decided[key] = self._interesting(raw, {rule for _, rule in found[first:at]})
            if interesting:
                yield begin, stop

    def _interesting(self, raw: bytes, rules: set[int]) -> bool:
        if passed(raw):
            return False
        if not rules.isdisjoint(self._marks) or (self._colour in rules and not _COLOURED_AS_A_WHOLE.match(raw)):
            return True
        text = _text_of(raw)
        return any(self._matches(rule, text) for rule in rules if rule != self._colour)

    def _matches(self, rule: int, text: bytes) -> bool:
        confirm = self._confirmed.get(rule)
        if confirm is None:
            confirm = self._confirmed[rule] = re2.compile(b"|".join(self._forms[rule]), pattern.raw_options())
        return bool(confirm.search(text))


def _rarest(patterns: Sequence[str], needed: Sequence[tuple[Literal, ...]], sample: bytes) -> Sequence[tuple[Literal, ...]]:
    """The literals of each pattern: those it came with, or if they flood the sample, the ones that the sample holds least often."""
    if not sample:
        return needed
    counts = _counts({literal for literals in needed for literal in literals}, sample)
    flooded = {literal for literal, count in counts.items() if count > _FLOOD}
    known = Sample(sample)
    pairs = zip(patterns, needed, strict=True)
    return [literals if flooded.isdisjoint(literals) else literals_rare_in(known, pattern) for pattern, literals in pairs]


def _counts(literals: Iterable[Literal], sample: bytes) -> Counter[Literal]:
    ordered = list(literals)
    counts: Counter[int] = Counter()

    def count(rule: int, _begin: int, _end: int, _flags: int, _context: object) -> None:
        counts[rule] += 1

    database_of(ordered).scan(sample, match_event_handler=count)
    return Counter({ordered[rule]: seen for rule, seen in counts.items()})


def _text_of(raw: bytes) -> bytes:
    """Like clean.text_of, for lines that are short and plain; only the others pay for more."""
    stamp = clean.STAMP.match(raw)
    text = raw[stamp.end() :] if stamp else raw
    return clean.undecorated(text)[1] if b"\x1b" not in text and b"\r" not in text and len(text) < clean.MAX_TEXT else clean.text_of(raw)


def _owners(patterns: Sequence[str], chosen: Sequence[tuple[Literal, ...]]) -> dict[Literal, list[bytes]]:
    """Which patterns need each literal."""
    owners: dict[Literal, list[bytes]] = {}
    for one, literals in zip(patterns, chosen, strict=True):
        for literal in literals:
            owners.setdefault(literal, []).append(b"(?:" + one.encode() + b")")
    return owners

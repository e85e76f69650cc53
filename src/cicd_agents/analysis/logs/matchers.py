"""Which of thousands of patterns match a line: by hyperscan's matcher of literals made beforehand, or by RE2's filters (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import re2

from cicd_agents.analysis.logs import pattern
from cicd_agents.analysis.logs.literals import Literal


class Matcher(Protocol):
    """Many patterns, matched together; RE2 decides each match."""

    def match(self, text: bytes) -> list[int]:
        """The indices of all patterns that match the cleaned line, in order."""
        ...


class FilterMatcher:
    """RE2's FilteredRE2 looks for the literals that the patterns need and tries only the patterns whose literals are there.

    One automaton of all patterns would spend its time on building states. RE2 gives the automaton of the literals a fixed budget of
    memory, so the patterns are dealt out to several filters. All patterns are compiled at once: for thousands that takes most of a second.
    """

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


def _filter(patterns: Iterable[bytes]) -> Any:
    chosen, allowed = re2.Filter(), pattern.options()
    for one in patterns:
        chosen.Add(one, allowed)
    chosen.Compile()
    return chosen


class LiteralMatcher:
    """A database of literals that was compiled when the package was built, so that only patterns whose literals occur are ever compiled.

    `owners[i]` are the patterns that need the database's literal i; the patterns that need none are matched on every line. Raises
    ImportError where hyperscan is missing, and ValueError where the database was made by another version or for another kind of processor.
    Threads may match at the same time: hyperscan wants a scratch space of its own for each scan, and lets other threads run meanwhile.
    """

    def __init__(self, patterns: Sequence[bytes], owners: Sequence[Sequence[int]], database: bytes) -> None:
        import hyperscan

        try:
            self._database = hyperscan.loadb(database, mode=hyperscan.HS_MODE_BLOCK)
            self._unused = hyperscan.Scratch(self._database)
        except (hyperscan.error, ValueError, RuntimeError) as problem:
            raise ValueError(f"the database cannot be used here: {problem!r}") from None
        self._scratches = [self._unused.clone()]
        self._patterns, self._owners = patterns, owners
        self._compiled: dict[int, Any] = {}
        owned = {index for each in owners for index in each}
        self._unowned = [index for index in range(len(patterns)) if index not in owned]
        self._always = FilterMatcher([patterns[index] for index in self._unowned])

    def match(self, text: bytes) -> list[int]:
        """The indices of all patterns that match the text, in order."""
        literals: set[int] = set()
        scratch = self._scratch()
        try:
            self._database.scan(text, match_event_handler=lambda literal, _begin, _end, _flags, _context: literals.add(literal), scratch=scratch)
        finally:
            self._scratches.append(scratch)
        found = {self._unowned[index] for index in self._always.match(text)}
        for index in {index for literal in literals for index in self._owners[literal]}:
            if self._matches(index, text):
                found.add(index)
        return sorted(found)

    def _scratch(self) -> Any:
        """One that nobody uses: at most as many are made as threads scan at once."""
        try:
            return self._scratches.pop()
        except IndexError:
            return self._unused.clone()

    def _matches(self, index: int, text: bytes) -> bool:
        compiled = self._compiled.get(index)
        if compiled is None:
            compiled = self._compiled[index] = re2.compile(self._patterns[index], pattern.options())
        return compiled.search(text) is not None


def owners_of(needed: Sequence[Sequence[Literal]]) -> dict[Literal, list[int]]:
    """Which patterns need each literal, by their index."""
    owners: dict[Literal, list[int]] = {}
    for index, literals in enumerate(needed):
        for literal in literals:
            owners.setdefault(literal, []).append(index)
    return owners


def database_of(literals: Iterable[Literal]) -> Any:
    """Hyperscan's matcher of literals; each is reported by its place in the order given. Raises ImportError where hyperscan is missing."""
    import hyperscan

    ordered = list(literals)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[literal.text for literal in ordered],
        ids=list(range(len(ordered))),
        flags=[hyperscan.HS_FLAG_CASELESS if literal.ignore_case else 0 for literal in ordered],
        literal=True,
    )
    return database

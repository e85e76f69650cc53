"""Which of many fixed texts occur in a text, without a search for each of them: as a rule none does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SIGNS = '~="_.-'  # the rarest in prose first
_TAIL = 2
_NO_CAPITALS = bytes(byte for byte in range(256) if not 0x41 <= byte <= 0x5A)
_FEW = 2


class Literals:
    """Literals by what shows at once that most of them are absent; what is left is looked for as it is, so the answer is exact.

    Three groups: those with capitals, of which a text has few (only these letters are compared at first); those with a sign, by the letters before it
    (the text is cut at the sign once, for all of them); and the rest.
    """

    __slots__ = ("_by_capitals", "_by_tail", "_plain")

    def __init__(self, literals: Iterable[str]) -> None:
        self._by_capitals: list[tuple[bytes, str]] = []
        self._by_tail: dict[str, dict[str, list[str]]] = {}
        self._plain: list[str] = []
        for literal in dict.fromkeys(literals):
            capitals = _capitals(literal)
            if len(capitals) >= _FEW:
                self._by_capitals.append((capitals, literal))
            elif signed := _tail(literal):
                sign, tail = signed
                self._by_tail.setdefault(sign, {}).setdefault(tail, []).append(literal)
            else:
                self._plain.append(literal)

    def inside(self, text: str) -> Iterator[str]:
        """Each literal that occurs in the text, in no order."""
        if self._by_capitals and (capitals := _capitals(text)):
            for letters, literal in self._by_capitals:
                if letters in capitals and literal in text:
                    yield literal
        for sign, tails in self._by_tail.items():
            if sign in text:
                for tail in tails.keys() & {part[-_TAIL:] for part in text.split(sign)}:
                    for literal in tails[tail]:
                        if literal in text:
                            yield literal
        for literal in self._plain:
            if literal in text:
                yield literal


def _tail(literal: str) -> tuple[str, str] | None:
    """A sign of the literal and the letters before it, as they stand before the sign in every text that holds the literal."""
    for sign in _SIGNS:
        at = literal.rfind(sign)
        if at >= _TAIL and sign not in literal[at - _TAIL : at]:
            return sign, literal[at - _TAIL : at]
    return None


def _capitals(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").translate(None, _NO_CAPITALS)

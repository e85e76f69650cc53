"""Marked blocks in a message: BEGIN_COMMIT_OVERRIDE replaces it, BEGIN_NESTED_COMMIT adds a change to it (both come from release-please)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cicd_agents.analysis.commits.lines import Quoted

# More than this in one message is no message of a person or tool.
MAX_BLOCKS = 500

_OVERRIDE = ("BEGIN_COMMIT_OVERRIDE", "END_COMMIT_OVERRIDE")
_NESTED = ("BEGIN_NESTED_COMMIT", "END_NESTED_COMMIT")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of a body, and the index of the first of them."""

    start: int
    lines: tuple[str, ...]


def override_of(lines: Sequence[str], quoted: Sequence[Quoted]) -> Block | None:
    """The message that replaces this one, or None."""
    blocks, _ = _cut(lines, quoted, _OVERRIDE)
    return next((block for block in blocks if any(line.strip() for line in block.lines)), None)


def nested_in(lines: Sequence[str], quoted: Sequence[Quoted]) -> tuple[list[Block], set[int]]:
    """The nested messages, and the indexes of all lines that belong to them and their marks."""
    return _cut(lines, quoted, _NESTED)


def _cut(lines: Sequence[str], quoted: Sequence[Quoted], marks: tuple[str, str]) -> tuple[list[Block], set[int]]:
    blocks: list[Block] = []
    taken: set[int] = set()
    begun: int | None = None
    for index, line in enumerate(lines):
        word = line.strip()
        if begun is None and word == marks[0] and quoted[index] is not Quoted.YES:
            begun = index
        elif begun is not None and word == marks[1]:
            blocks.append(Block(begun + 1, tuple(lines[begun + 1 : index])))
            taken.update(range(begun, index + 1))
            begun = None
            if len(blocks) == MAX_BLOCKS:
                break
    return blocks, taken

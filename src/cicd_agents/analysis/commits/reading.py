"""How a tool reads commit messages, where tools differ. The default is ours: the specification, and what people really write."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# The types of the specification's examples and of the Angular convention; only these begin a change inside a body, where any word may stand before a colon.
KNOWN_TYPES = frozenset({"feat", "fix", "docs", "style", "refactor", "perf", "test", "build", "ci", "chore", "revert"})


class Withdraw(StrEnum):
    """Which reverts take another commit of the range back."""

    NAMED = "named"  # whatever a revert names: SHA, request or title
    EXACT = "exact"  # only where the quoted title and the SHA both fit (conventional-commits-filter)
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Reading:
    """What of a message counts.

    `exclamation`: `!` is a breaking mark. `hyphen`: so is `BREAKING-CHANGE`. `loose_breaking`: so is a line that begins with "breaking change" in any
    case, with or without a colon, quoted or not. `blank`: the colon of a header needs a blank after it. `exact_case`: `Fix` is not `fix`.
    `merge_titles`: the title of a merge commit is read from its body, where the merged commits are not in the range.
    `bullets`: changes in `* type: text` lists, and the indented commits of `git merge --squash`. `paragraphs`: changes that begin a paragraph of the body.
    `blocks`: BEGIN_NESTED_COMMIT and BEGIN_COMMIT_OVERRIDE. `every_line`: each line of a message that looks like a header is one.
    `only_types`: other types cannot be read; empty: all can.
    """

    exclamation: bool = True
    hyphen: bool = True
    loose_breaking: bool = False
    blank: bool = True
    exact_case: bool = False
    merge_titles: bool = True
    bullets: bool = True
    paragraphs: bool = True
    blocks: bool = True
    every_line: bool = False
    only_types: frozenset[str] = frozenset()
    withdraw: Withdraw = Withdraw.NAMED


DEFAULT_READING = Reading()

"""What is probably meant by a title that cannot be read, or by a type that nobody knows."""

from __future__ import annotations

import re
from functools import lru_cache

_ALIASES = {
    "feature": "feat", "features": "feat", "feats": "feat", "fixes": "fix", "fixed": "fix", "bugfix": "fix", "bug": "fix", "hotfix": "fix", "doc": "docs",
    "documentation": "docs", "tests": "test", "testing": "test", "performance": "perf", "chores": "chore", "refactoring": "refactor", "reverts": "revert",
    "styles": "style", "builds": "build", "deps": "build", "dependencies": "build",
}  # fmt: skip
_FORMS = (
    (re.compile(r"[\w-]+(?:\([^()\n]*\))?!?:\S"), "a blank is missing after the colon"),
    (re.compile(r"[\w-]+(?:\([^()\n]*\))?!? +: "), "no blank may stand before the colon"),
    (re.compile(r"[\w-]+ +\([^()\n]*\)!?: "), "no blank may stand between type and scope"),
    (re.compile(r"[\w-]+!\([^()\n]*\): "), "the ! stands behind the scope"),
    (re.compile(r"\W+\w+(?:\([^()\n]*\))?!?: "), "nothing may stand before the type"),
    (re.compile(r"[\w-]+(?:\([^()\n]*\))?!?:\s*$"), "there is no text behind the colon"),
)  # fmt: skip
_FIRST_WORD = re.compile(r"\W*(\w+)")
_LONGEST = 20


def hint_for_title(title: str, types: frozenset[str]) -> str:
    """Why a title cannot be read as `type(scope): text`, and how it could be; "" where nothing is near."""
    head = title[:300]
    for form, hint in _FORMS:
        if form.match(head):
            return hint
    word = _FIRST_WORD.match(head)
    name = _ALIASES.get(word[1].lower(), word[1].lower()) if word else ""
    return f"the colon is missing: `{name}: …`?" if name in types else ""


@lru_cache(maxsize=1_000)
def hint_for_type(kind: str, types: frozenset[str]) -> str:
    """The known type that an unknown one looks like; "" where it looks like none."""
    if kind in types:
        return ""
    meant = _ALIASES.get(kind)
    if meant is None and len(kind) <= _LONGEST:
        meant = next((known for known in sorted(types) if _near(kind, known)), None)
    return f"`{kind}` is no known type: `{meant}`?" if meant else ""


def _near(word: str, known: str) -> bool:
    """One letter too many, too few, other, or two of them exchanged."""
    if abs(len(word) - len(known)) > 1 or min(len(word), len(known)) < 3:
        return False
    start = next((index for index, (ours, theirs) in enumerate(zip(word, known, strict=False)) if ours != theirs), min(len(word), len(known)))
    ours, theirs = word[start:], known[start:]
    return ours[1:] == theirs or ours == theirs[1:] or ours[1:] == theirs[1:] or (ours[:2] == theirs[1::-1] and len(ours) > 1 and ours[2:] == theirs[2:])

"""Reverts: what a message takes back, and which commits of a range fall."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Mapping, Sequence

# A commit that reverts more than this is no revert of commits.
MAX_TARGETS = 50

_TITLE = re.compile(r"(?:revert|reapply)\b", re.IGNORECASE)
_PARTIAL = re.compile(r"revert(?:s|ed)? (?:a )?parts? |partial(?:ly)? revert", re.IGNORECASE)
# "This reverts commit SHA.", "This reverts merge commit SHA", "Reverts: SHA, SHA", "Reverts commits SHA and SHA"; GitHub: "Reverts owner/repo#12".
_NAMES = re.compile(r"\s*(?:this )?reverts?:?\s+(?:the )?(?:merge )?(?:commits?|pull request|merge request|mr|pr)?:?\s*(.*)", re.IGNORECASE)
_REFS = re.compile(r"(?:refs?|commits?): +(.*)", re.IGNORECASE)
_SHA = re.compile(r"\b[0-9a-f]{7,64}\b")
_REQUEST = re.compile(r"[#!]\d{1,12}\b")
_QUOTED = re.compile(r'(?:revert|reapply)[^"\n]{0,20}"(.*)"', re.IGNORECASE)
_EXACT = re.compile(r"(?:Revert|revert:)\s\"?(.+?)\"?\s*\n\s*This reverts commit ([0-9a-f]{7,64})\.", re.IGNORECASE)


def is_revert(kind: str, title: str) -> bool:
    """Whether a commit says by its title that it takes something back."""
    return kind == "revert" or (not kind and _TITLE.match(title) is not None)


def named_by(kind: str, title: str, body: Sequence[str]) -> tuple[str, ...]:
    """What a message takes back: SHAs, or requests such as `#12`. A revert of a part takes no commit back."""
    if is_partial(title):
        return ()
    revert = is_revert(kind, title)
    found: dict[str, None] = {}
    for line in body:
        if "evert" not in line and not revert:
            continue
        names = _NAMES.match(line) or (_REFS.match(line) if revert else None)
        if names:
            text = names[1].partition("reversing changes")[0]
            found.update(dict.fromkeys(_SHA.findall(text) or (_REQUEST.findall(text) if revert else ())))
        if len(found) >= MAX_TARGETS:
            break
    return tuple(found)[:MAX_TARGETS]


def quoted_title(title: str) -> str | None:
    """The title in quotes of a revert: `feat: x` of `Revert "feat: x" (#12)`. A revert of a revert quotes a revert."""
    found = _QUOTED.match(title)
    return found[1] if found else None


def exact_pair(message: str) -> tuple[str, str] | None:
    """The quoted title and the SHA of a revert as git writes it, or None (the pattern of semantic-release, which allows no other form)."""
    found = _EXACT.match(message[:2_000])
    return (found[1], found[2]) if found else None


def is_partial(title: str) -> bool:
    """Whether a revert says that it takes a part back only."""
    return _PARTIAL.match(title) is not None


def taken_back(reverts: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Commit → the standing commit that takes it back. `reverts`: commit → the commits that it takes back.

    A commit falls where a standing commit takes it back; so a revert of a revert brings the first one back. Commits that revert each other in a circle,
    which git cannot make, all stand. Linear in commits and pairs.
    """
    above = Counter(target for targets in reverts.values() for target in targets)
    by: dict[int, int] = {}
    ready = deque(index for index in reverts if not above[index])
    while ready:
        index = ready.popleft()
        for target in reverts[index]:
            above[target] -= 1
            if index not in by:
                by.setdefault(target, index)
            if not above[target] and target in reverts:
                ready.append(target)
    return by

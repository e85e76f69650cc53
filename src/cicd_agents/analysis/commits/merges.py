"""Titles that forges write for merges: the real title stands in the body (GitHub, GitLab, Bitbucket) or behind a prefix (Azure)."""

from __future__ import annotations

import re

_MERGE = re.compile(
    r"Merge (?:pull request #\d+ from |branch '|branches '|remote-tracking branch '|tag '|commit '|[\w./-]+ into |pull request '|MR |#\d+ into )"
    r"|Merged? in \S+ +\(pull request #\d+\)|Merged PR #?\d+(?::|$)|Merge (?:pull|merge) request ",
)
_AZURE = re.compile(r"Merged PR #?(\d+): *(\S.*)")
_BITBUCKET = re.compile(r"Merged? in \S+ +\(pull request #\d+\)")


def is_merge_title(title: str) -> bool:
    """Whether a forge or git wrote this title for a merge."""
    return title.startswith("Merge") and _MERGE.match(title) is not None


def real_title(title: str, body: list[str], parents: int) -> tuple[str, int] | None:
    """The title that people gave to the merged request, and its line in the message (1 is the first); None where it has none.

    GitHub and GitLab write such titles for merges only. Azure and Bitbucket write them for squashed requests too, which have one parent.
    """
    azure = _AZURE.match(title)
    if azure and parents:
        return azure[2], 1
    if azure or not (parents > 1 or _BITBUCKET.match(title)):
        return None
    for number, line in enumerate(body, start=2):
        if line.strip():
            return line.strip(), number
    return None

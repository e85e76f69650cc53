"""The words of git: who writes, what is pushed, how a ref stands after it was tried, and what a commit changed in a file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How a ref stands after a write was tried."""

    DONE = "done"
    ALREADY = "already-there"  # at the same commit
    ELSEWHERE = "elsewhere"  # a tag of this name at another commit
    BEHIND = "behind"  # the branch has commits that ours does not know
    REFUSED = "refused"  # by the remote: a hook, a protected branch, or another ref of the same push


@dataclass(frozen=True, slots=True)
class Identity:
    """Who makes a commit or tag, and when, in seconds since the epoch."""

    name: str
    email: str
    time: int


@dataclass(frozen=True, slots=True)
class TagResult:
    """A local tag after it was asked for: `commit` is where it points."""

    standing: Standing
    commit: str


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """What to push: `source` is a whole commit id or a full ref name, `target` a full ref name (`refs/heads/…` or `refs/tags/…`)."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class PushedRef:
    """A ref of the remote after a push; `reason` is git's and the remote's own words, empty where all is well."""

    target: str
    standing: Standing
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What a commit changed in a file, as git prints it; `whole` is false where `text` is only its beginning."""

    path: str
    text: str
    whole: bool = True

"""What a release consists of: decided before anything is written, so that it can be shown, approved, and done twice with the same result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cicd_agents.domain.forge import Thread
from cicd_agents.domain.git import PushedRef, RefUpdate, Standing, TagResult


@dataclass(frozen=True, slots=True)
class AssetFile:
    """A file to attach. `path` lies on this machine (empty: `content` is the whole file), `size` in bytes, `digest` is the SHA-256 in hex."""

    name: str
    path: str
    media_type: str
    size: int
    digest: str
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class ReleaseContent:
    """All of a release.

    `base` is the commit that is released; `tagged` the commit that has the tag already, empty where none has. `files` are the whole new contents of the files
    that the release commit changes, by path; without any, `base` itself gets the tag. `moves_branch`: the tag's commit is one that the branch may not have yet.
    `time` (seconds since the epoch) is that of the commit and the tag: it follows from the base, so that two runs make the same commit. `highlights` are lines
    for an announcement, not escaped.
    """

    version: str
    tag: str
    previous_tag: str
    base: str
    branch: str
    time: int
    commit_message: str
    tag_message: str
    title: str
    notes: str
    prerelease: bool = False
    latest: bool = True
    tagged: str = ""
    moves_branch: bool = False
    files: Mapping[str, bytes] = field(default_factory=dict)
    assets: tuple[AssetFile, ...] = ()
    threads: tuple[Thread, ...] = ()
    highlights: tuple[str, ...] = ()


class ReleaseWriter(Protocol):
    """What a release writes to git. Nothing is forced, moved or deleted. Methods raise UsageError and ServiceError (domain.errors)."""

    def make_commit(self, parent: str, files: Mapping[str, bytes], message: str, time: int, also: Sequence[str] = ()) -> str:
        """Write a commit on top of `parent`; only objects, no branch moves. `also` are further parents whose files don't count. Its id."""
        ...

    def make_tag(self, name: str, commit: str, message: str, time: int) -> TagResult:
        """Make the annotated tag here; one that is there stays as it is."""
        ...

    def remote_commit(self, ref: str) -> str:
        """Where the remote's ref (full name) points, tags peeled; empty where there is none."""
        ...

    def fetch(self, ref: str) -> None:
        """Get the commit of a remote's ref, so that it can be looked at here; no ref of ours moves."""
        ...

    def same_release(self, one: str, other: str) -> bool:
        """Whether two commits say the same: first parent, files and message (their signatures may differ)."""
        ...

    def reaches(self, newer: str, older: str) -> bool:
        """Whether a commit can reach another one."""
        ...

    def push(self, updates: Sequence[RefUpdate]) -> tuple[PushedRef, ...]:
        """Push these refs, all or none."""
        ...

    def follow(self, branch: str, commit: str) -> Standing:
        """Move the branch here forward to the commit, with the files where it is checked out."""
        ...

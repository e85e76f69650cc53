"""The revert in Git after a rollback: a branch of ours with one commit, and a pull or merge request of it. A person merges it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cicd_agents.domain.errors import Rejected
from cicd_agents.domain.forge import ChangeRequest, Requests
from cicd_agents.domain.operation import Operation
from cicd_agents.operations.apply import AlreadyDone, Applier
from cicd_agents.report.escape import inline

REVERT = "RevertInGit"
_SHORT = 12
_WORD = re.compile(r"[^A-Za-z0-9._-]+")
_MOST_REASON, _MOST_TEXT = 1000, 60_000


@dataclass(frozen=True, slots=True)
class Revert:
    """What is to be undone on `branch`: what differs between the commits `bad` and `good`, below `paths` (none: everywhere); our branch for it is `head`."""

    bad: str
    good: str
    branch: str
    head: str
    title: str
    text: str
    paths: tuple[str, ...] = ()


class Reverts(Protocol):
    """The git part of it. Methods raise UsageError and ServiceError."""

    def pushed(self, head: str) -> bool:
        """Whether the remote has our branch."""
        ...

    def commit(self, revert: Revert) -> str:
        """Make the commit on top of the remote's branch; no branch moves. Raises AlreadyDone where that states it so, Rejected where others changed it."""
        ...

    def push(self, head: str, commit: str) -> None:
        """Push our branch; never forced."""
        ...


def revert_of(bad: str, good: str, branch: str, reason: str, paths: tuple[str, ...] = ()) -> Revert:
    """The wish with the names and texts that belong to it; the same wish has the same branch."""
    short = [_WORD.sub("-", one)[:_SHORT] for one in (bad, good)]
    below = f" below {inline(', '.join(paths), _MOST_REASON)}" if paths else ""
    title = f"revert: go back from {short[0]} to {short[1]}"
    text = (
        f"{_mark(bad, good)}\nProduction was taken back from `{short[0]}` to `{short[1]}`, and Git still states the bad version{below}.\n\n"
        f"{inline(reason, _MOST_REASON)}\n\nMerge this before automated sync is switched on again; close it where a fix goes forward instead.\n"
    )  # fmt: skip
    return Revert(bad, good, branch, f"cicd-agents/revert-{short[0]}-to-{short[1]}", title, text[:_MOST_TEXT], paths)


@dataclass(frozen=True, slots=True)
class RevertSteps:
    """Does it, looking first: a request that is there, whatever became of it, is not opened a second time."""

    revert: Revert
    git: Reverts
    requests: Requests

    def appliers(self) -> Mapping[str, Applier]:
        """By kind of operation."""
        return {REVERT: self.propose}

    def propose(self, _operation: Operation) -> str:
        """Applier: push the branch and open the request."""
        wish = self.revert
        if (present := self._present()) is not None:
            raise AlreadyDone(_words(present))
        if not self.git.pushed(wish.head):
            self.git.push(wish.head, self.git.commit(wish))
        try:
            made = self.requests.open(wish.head, wish.branch, wish.title, wish.text)
        except Rejected:
            if (present := self._present()) is None:
                raise
            return _words(present)
        return f"Opened {made.url or f'#{made.number}'}; merge it before automated sync is switched on again."

    def _present(self) -> ChangeRequest | None:
        """Our request. Raises Rejected where the branch has one that is not ours."""
        found = self.requests.of_branch(self.revert.head, self.revert.branch)
        ours = next((one for one in found if _mark(self.revert.bad, self.revert.good) in one.body), None)
        if ours is None and any(one.open for one in found):
            raise Rejected(f"The branch {self.revert.head} has a request that does not say what it reverts; look at it and close it.")
        return ours


def _words(request: ChangeRequest) -> str:
    name = request.url or f"#{request.number}"
    if request.open:
        return f"The request is open: {name}"
    return f"The request was merged: {name}" if request.merged_as else f"The request was closed and is not opened again: {name}"


def _mark(bad: str, good: str) -> str:
    return f"<!-- cicd-agents:revert {_WORD.sub('-', bad)[:64]}..{_WORD.sub('-', good)[:64]} -->"

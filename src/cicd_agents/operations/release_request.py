"""The flow by a release request: a branch of ours with version files and changelog, a pull or merge request of it, and the release when it is merged.

The branch is never forced: each new state follows the last one, with the base branch as its first parent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cicd_agents.domain.ci import Author
from cicd_agents.domain.errors import Rejected
from cicd_agents.domain.forge import ChangeRequest, Requests
from cicd_agents.domain.git import RefUpdate, Standing
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.release_content import ReleaseContent, ReleaseWriter
from cicd_agents.operations.apply import AlreadyDone, Applier

UPDATE_BRANCH, OPEN_REQUEST = "UpdateBranch", "OpenRequest"
_MARK = re.compile(r"<!-- cicd-agents:release (\{[^\n]{1,1000}?\}) -->")
_WORD = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class MergedRequest:
    """A release request that was merged: the tag that it is for, and the commit on the base branch that it became."""

    number: int
    tag: str
    commit: str


def release_branch(component: str) -> str:
    """The name of our branch; each component has its own."""
    part = _WORD.sub("-", component).strip("-.")
    return f"cicd-agents/release-{part}" if part else "cicd-agents/release"


def request_text(content: ReleaseContent) -> str:
    """The text of the request: the notes, and a hidden mark by which it is known when it is merged."""
    mark = json.dumps({"tag": content.tag, "version": content.version})
    first = f"Merging this releases **{content.version}**: the merge commit gets the tag `{content.tag}`."
    return f"<!-- cicd-agents:release {mark} -->\n{first}\n\n{content.notes}"


def merged_request(found: Sequence[ChangeRequest], me: Author, tags: frozenset[str]) -> MergedRequest | None:
    """The newest merged request of ours whose tag is not there yet. One that somebody else opened is not ours, whatever its text says."""
    for request in found:
        mark = _MARK.search(request.body[:5000]) if request.merged_as and not request.from_fork and request.author.id == me.id else None
        if mark is None:
            continue
        try:
            tag = json.loads(mark[1]).get("tag")
        except ValueError:
            continue
        if isinstance(tag, str) and 0 < len(tag) < 200:
            return None if tag in tags else MergedRequest(request.number, tag, request.merged_as)
    return None


def request_operations(content: ReleaseContent, head: str) -> tuple[Operation, ...]:
    """The writes, in order."""
    named = ", ".join(sorted(content.files)[:20])
    return (
        Operation(
            UPDATE_BRANCH, head, f"It holds what {content.version} changes, for review.", "Close the request and leave the branch.",
            f"{UPDATE_BRANCH}:{head}:{content.base}", parameters=(("files", named), ("parent", content.base), ("message", content.commit_message)),
        ),
        Operation(
            OPEN_REQUEST, content.branch, f"Merging it releases {content.version}.", "Close the request.", f"{OPEN_REQUEST}:{head}:{content.tag}",
            parameters=(("title", content.commit_message), ("tag", content.tag)),
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestSteps:
    """Does the writes; each looks first."""

    content: ReleaseContent
    head: str
    git: ReleaseWriter
    requests: Requests

    def appliers(self) -> Mapping[str, Applier]:
        """By kind of operation."""
        return {UPDATE_BRANCH: self.update_branch, OPEN_REQUEST: self.open_request}

    def update_branch(self, _operation: Operation) -> str:
        """Bring our branch to the new state."""
        content, ref = self.content, f"refs/heads/{self.head}"
        wanted = self.git.make_commit(content.base, content.files, content.commit_message, content.time)
        there = self.git.remote_commit(ref)
        if there:
            self.git.fetch(ref)
            if self.git.same_release(there, wanted):
                raise AlreadyDone(f"The branch is at {there[:12]} and holds it.")
            if not self.git.reaches(content.base, there):
                wanted = self.git.make_commit(content.base, content.files, content.commit_message, content.time, (there,))
        told = self.git.push([RefUpdate(wanted, ref)])[0]
        if told.standing not in (Standing.DONE, Standing.ALREADY):
            raise Rejected(f"The branch {self.head} was not updated: {told.reason or told.standing}; another run may be at work, run again.")
        return f"The branch is at {wanted[:12]}."

    def open_request(self, _operation: Operation) -> str:
        """Open the request, or bring its text up to date."""
        content = self.content
        title, text = content.commit_message, request_text(content)
        present = next((item for item in self.requests.of_branch(self.head, content.branch) if item.open), None)
        if present is None:
            try:
                made = self.requests.open(self.head, content.branch, title, text)
            except Rejected:
                present = next((item for item in self.requests.of_branch(self.head, content.branch) if item.open), None)
                if present is None:
                    raise
            else:
                return f"Opened {made.url or f'#{made.number}'}."
        if present.title == title and present.body.strip() == text.strip():
            raise AlreadyDone(f"The request is open: {present.url or f'#{present.number}'}")
        done = self.requests.rewrite(present, title, text)
        return f"Updated {done.url or f'#{done.number}'}."

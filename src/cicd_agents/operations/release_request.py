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
_LONGEST_MARK, _LONGEST_TAG = 20_000, 200
_MARK = re.compile(r"<!-- cicd-agents:release (\{[^\n]{1,20000}?\}) -->")
# GitHub's limit of a pull request's text is 65,536 characters.
_MOST_TEXT = 60_000
_MOST_NAMED = 10
_WORD = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class MergedRequest:
    """A release request that was merged: the tags that it is for, and the commit on the base branch that it became."""

    number: int
    tags: tuple[str, ...]
    commit: str


def release_branch(component: str) -> str:
    """The name of our branch; each component has its own."""
    part = _WORD.sub("-", component).strip("-.")
    return f"cicd-agents/release-{part}" if part else "cicd-agents/release"


def request_text(contents: Sequence[ReleaseContent]) -> str:
    """The text of the request: the notes, and a hidden mark by which it is known when it is merged."""
    mark = json.dumps({"tags": [content.tag for content in contents]})
    tags = ", ".join(f"`{content.tag}`" for content in contents[:_MOST_NAMED])
    more = f" and {len(contents) - _MOST_NAMED} more" if len(contents) > _MOST_NAMED else ""
    first = f"Merging this makes the release{'s' if len(contents) > 1 else ''} {tags}{more}: the merge commit gets the tag{'s' if len(contents) > 1 else ''}."
    each = _MOST_TEXT // len(contents)
    notes = (content.notes if len(contents) == 1 else f"# {content.title}\n\n{content.notes[:each]}" for content in contents)
    return f"<!-- cicd-agents:release {mark} -->\n{first}\n\n" + "\n\n".join(notes)[:_MOST_TEXT]


def merged_request(found: Sequence[ChangeRequest], me: Author, tags: frozenset[str]) -> MergedRequest | None:
    """The newest merged request of ours, where one of its tags is not there yet. One that somebody else opened is not ours, whatever its text says."""
    for request in found:
        if not request.merged_as or request.from_fork or request.author.id != me.id:
            continue
        if wanted := _marked(request.body):
            missing = tuple(tag for tag in wanted if tag not in tags)
            return MergedRequest(request.number, missing, request.merged_as) if missing else None
    return None


def _marked(body: str) -> tuple[str, ...]:
    mark = _MARK.search(body[:_LONGEST_MARK])
    try:
        tags = json.loads(mark[1]).get("tags") if mark else None
    except ValueError:
        return ()
    return tuple(tags) if isinstance(tags, list) and all(isinstance(tag, str) and 0 < len(tag) < _LONGEST_TAG for tag in tags) else ()


def request_operations(contents: Sequence[ReleaseContent], head: str) -> tuple[Operation, ...]:
    """The writes, in order."""
    content = contents[0]
    title, versions = content.commit_message.partition("\n")[0], ", ".join(each.tag for each in contents[:_MOST_NAMED])
    named = ", ".join(sorted(content.files)[:20])
    return (
        Operation(
            UPDATE_BRANCH, head, f"It holds what {versions} changes, for review.", "Close the request and leave the branch.",
            f"{UPDATE_BRANCH}:{head}:{content.base}", parameters=(("files", named), ("parent", content.base), ("message", content.commit_message)),
        ),
        Operation(
            OPEN_REQUEST, content.branch, f"Merging it releases {versions}.", "Close the request.", f"{OPEN_REQUEST}:{head}:{versions}",
            parameters=(("title", title), ("tags", versions)),
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestSteps:
    """Does the writes; each looks first."""

    contents: tuple[ReleaseContent, ...]
    head: str
    git: ReleaseWriter
    requests: Requests

    def appliers(self) -> Mapping[str, Applier]:
        """By kind of operation."""
        return {UPDATE_BRANCH: self.update_branch, OPEN_REQUEST: self.open_request}

    def update_branch(self, _operation: Operation) -> str:
        """Bring our branch to the new state."""
        content, ref = self.contents[0], f"refs/heads/{self.head}"
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
        content = self.contents[0]
        title, text = content.commit_message.partition("\n")[0], request_text(self.contents)
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

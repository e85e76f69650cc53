"""The git part of a release: commit, tag, push; each looks at the remote first, so it may be done again after a run that was cut off."""

from __future__ import annotations

from dataclasses import dataclass

from cicd_agents.domain.ci import Status
from cicd_agents.domain.errors import Rejected, UsageError
from cicd_agents.domain.forge import Pipelines
from cicd_agents.domain.git import PushedRef, RefUpdate, Standing
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.ports import Clock
from cicd_agents.domain.release_content import ReleaseContent, ReleaseWriter
from cicd_agents.operations.apply import AlreadyDone

# The checks of the side branch are looked at in growing intervals.
_FIRST_LOOK, _LONGEST_LOOK = 5.0, 60.0
_SHORT = 12


@dataclass(slots=True)
class ReleaseGit:
    """Makes the commit and the tags of releases and pushes all together. `checks_seconds`: how long the checks of a protected branch are waited for.

    `contents` share base, branch and commit; the files of all stand in the first one.
    """

    contents: tuple[ReleaseContent, ...]
    git: ReleaseWriter
    clock: Clock
    pipelines: Pipelines | None = None
    checks_seconds: float = 1800.0
    commit: str = ""

    def __post_init__(self) -> None:
        self.commit = self.commit or self._first.tagged or ("" if self._first.files else self._first.base)

    @property
    def _first(self) -> ReleaseContent:
        return self.contents[0]

    def update_files(self, _operation: Operation) -> str:
        """Make the release commit; the same one each time."""
        content = self._first
        if not content.branch:
            raise UsageError("HEAD is no branch, so nobody knows where the release commit belongs; name it with --branch (setting `release-branch`).")
        self.commit = self.git.make_commit(content.base, content.files, content.commit_message, content.time)
        return f"Commit {self.commit[:_SHORT]}."

    def create_tag(self, operation: Operation) -> str:
        """Make a tag here. Raises Rejected where it is at another commit."""
        content = next(content for content in self.contents if content.tag == operation.target)
        made = self.git.make_tag(content.tag, self.commit, content.tag_message, content.time)
        if made.standing is Standing.ELSEWHERE:
            self._take(content.tag, made.commit)
        if made.standing is not Standing.DONE:
            raise AlreadyDone(f"The tag is there, at {made.commit[:_SHORT]}.")
        return f"Tag at {self.commit[:_SHORT]}."

    def push(self, _operation: Operation) -> str:
        """Push branch and tags together. Raises Rejected with the reason where the remote has something else, or wants checks that fail."""
        self._look()
        answer = self._pushed()
        if answer is None or answer.standing is Standing.REFUSED:
            answer = self._by_side_branch(answer) if answer and self._first.moves_branch else answer
        if answer is not None:
            raise Rejected(f"The push was refused: {answer.reason or answer.standing}.")
        if self._first.moves_branch:
            self.git.follow(self._first.branch, self.commit)
        return f"Pushed {self.commit[:_SHORT]}."

    def _look(self) -> None:
        """Raise AlreadyDone where the remote has all tags at our commit, Rejected where one is at another."""
        there = {content.tag: self.git.remote_commit(f"refs/tags/{content.tag}") for content in self.contents}
        for tag, commit in there.items():
            if commit:
                self._take(tag, commit)
        if all(there.values()):
            raise AlreadyDone(f"The remote has {', '.join(there)}, at {self.commit[:_SHORT]}.")

    def _take(self, tag: str, there: str) -> None:
        """Go on with the commit that has the tag, where it says the same as ours. Raises Rejected where it does not: a tag is never moved."""
        if there == self.commit:
            return
        ref = f"refs/tags/{tag}"
        if self.git.remote_commit(ref) == there:
            self.git.fetch(ref)
        if not self.git.same_release(there, self.commit):
            where = f"The tag {tag} is at {there[:_SHORT]}, not at {self.commit[:_SHORT]}."
            raise Rejected(f"{where} Tags are never moved: release that commit, or a higher version.")
        self.commit = there

    def _pushed(self) -> PushedRef | None:
        """None where all is on the remote now; else the ref that is not. Raises Rejected where the branch went on, AlreadyDone where another run was faster."""
        tags = [RefUpdate(ref, ref) for ref in (f"refs/tags/{content.tag}" for content in self.contents)]
        updates = [RefUpdate(self.commit, f"refs/heads/{self._first.branch}"), *tags] if self._first.moves_branch else tags
        told = self.git.push(updates)
        if any(item.standing is Standing.ELSEWHERE for item in told):
            self._look()
        if any(item.standing is Standing.BEHIND for item in told):
            raise Rejected(f"The branch {self._first.branch} has gone on meanwhile, so nothing was pushed; the run for its newest commit releases.")
        return next((item for item in told if item.standing is Standing.REFUSED), None)

    def _by_side_branch(self, refused: PushedRef) -> PushedRef | None:
        """A protected branch may want checks of the very commit: show it on a branch beside, wait for them, push again (the branch stays)."""
        if self.pipelines is None:
            return refused
        side = f"cicd-agents/release-{self._first.tag}-{self.commit[:_SHORT]}"
        shown = self.git.push([RefUpdate(self.commit, f"refs/heads/{side}")])
        if shown[0].standing not in (Standing.DONE, Standing.ALREADY):
            return refused
        status = self._checked(self.pipelines)
        if status is Status.SUCCESS:
            return self._pushed()
        words = {
            Status.RUNNING: "still run; run again later",
            Status.UNKNOWN: "did not start; let the workflow run on branches `cicd-agents/**`, or allow this account to push",
        }.get(status, "failed")
        return PushedRef(refused.target, Standing.REFUSED, f"{refused.reason}; the checks of the same commit on {side} {words}")

    def _checked(self, pipelines: Pipelines) -> Status:
        end, pause = self.clock.monotonic() + self.checks_seconds, _FIRST_LOOK
        while (status := pipelines.checks(self.commit)) in (Status.RUNNING, Status.UNKNOWN) and self.clock.monotonic() + pause <= end:
            self.clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_LOOK)
        return status

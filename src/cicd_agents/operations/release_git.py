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
    """Makes the commit and the tag of a release and pushes both. `checks_seconds`: how long the checks of a protected branch are waited for."""

    content: ReleaseContent
    git: ReleaseWriter
    clock: Clock
    pipelines: Pipelines | None = None
    checks_seconds: float = 1800.0
    commit: str = ""

    def __post_init__(self) -> None:
        self.commit = self.commit or self.content.tagged or ("" if self.content.files else self.content.base)

    def update_files(self, _operation: Operation) -> str:
        """Make the release commit; the same one each time."""
        content = self.content
        if not content.branch:
            raise UsageError("HEAD is no branch, so nobody knows where the release commit belongs; name it with --branch (setting `release-branch`).")
        self.commit = self.git.make_commit(content.base, content.files, content.commit_message, content.time)
        return f"Commit {self.commit[:_SHORT]}."

    def create_tag(self, _operation: Operation) -> str:
        """Make the tag here. Raises Rejected where the tag is at another commit."""
        made = self.git.make_tag(self.content.tag, self.commit, self.content.tag_message, self.content.time)
        if made.standing is Standing.ELSEWHERE:
            self._take(made.commit)
        if made.standing is not Standing.DONE:
            raise AlreadyDone(f"The tag is there, at {made.commit[:_SHORT]}.")
        return f"Tag at {self.commit[:_SHORT]}."

    def push(self, _operation: Operation) -> str:
        """Push branch and tag together. Raises Rejected with the reason where the remote has something else, or wants checks that fail."""
        self._look()
        answer = self._pushed()
        if answer is None or answer.standing is Standing.REFUSED:
            answer = self._by_side_branch(answer) if answer and self.content.moves_branch else answer
        if answer is not None:
            raise Rejected(f"The push was refused: {answer.reason or answer.standing}.")
        if self.content.moves_branch:
            self.git.follow(self.content.branch, self.commit)
        return f"Pushed {self.commit[:_SHORT]}."

    @property
    def _tag_ref(self) -> str:
        return f"refs/tags/{self.content.tag}"

    def _look(self) -> None:
        """Raise AlreadyDone where the remote has the tag at our commit, Rejected where at another one."""
        there = self.git.remote_commit(self._tag_ref)
        if there:
            self._take(there)
            raise AlreadyDone(f"The remote has the tag, at {there[:_SHORT]}.")

    def _take(self, there: str) -> None:
        """Go on with the commit that has the tag, where it says the same as ours. Raises Rejected where it does not: a tag is never moved."""
        if there == self.commit:
            return
        if self.git.remote_commit(self._tag_ref) == there:
            self.git.fetch(self._tag_ref)
        if not self.git.same_release(there, self.commit):
            where = f"The tag {self.content.tag} is at {there[:_SHORT]}, not at {self.commit[:_SHORT]}."
            raise Rejected(f"{where} Tags are never moved: release that commit, or a higher version.")
        self.commit = there

    def _pushed(self) -> PushedRef | None:
        """None where all is on the remote now; else the ref that is not. Raises Rejected where the branch went on, AlreadyDone where another run was faster."""
        tag = RefUpdate(self._tag_ref, self._tag_ref)
        updates = [RefUpdate(self.commit, f"refs/heads/{self.content.branch}"), tag] if self.content.moves_branch else [tag]
        told = self.git.push(updates)
        if any(item.standing is Standing.ELSEWHERE for item in told):
            self._look()
        if any(item.standing is Standing.BEHIND for item in told):
            raise Rejected(f"The branch {self.content.branch} has gone on meanwhile, so nothing was pushed; the run for its newest commit releases.")
        return next((item for item in told if item.standing is Standing.REFUSED), None)

    def _by_side_branch(self, refused: PushedRef) -> PushedRef | None:
        """A protected branch may want checks of the very commit: show it on a branch beside, wait for them, push again (the branch stays)."""
        if self.pipelines is None:
            return refused
        side = f"cicd-agents/release-{self.content.tag}-{self.commit[:_SHORT]}"
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

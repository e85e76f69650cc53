"""The forge's part of a release: the release with its files, and what tells people of it. Each looks first, so it may be done again."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from cicd_agents.domain.errors import NotFound, Rejected
from cicd_agents.domain.forge import ForgeRelease, Pipelines, ReleaseAsset, Releases, Thread, Threads
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.ports import CodeHost
from cicd_agents.domain.release_content import AssetFile, ReleaseContent
from cicd_agents.operations.apply import AlreadyDone
from cicd_agents.operations.release import shown

_MOST_COMMENTS = 2000


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """Makes the forge's release of one content. `commit` tells the tag's commit; `tag_commit` where the remote has the tag now, empty: nowhere.

    `open_file` opens an asset by its path.
    """

    content: ReleaseContent
    releases: Releases
    commit: Callable[[], str]
    tag_commit: Callable[[], str]
    open_file: Callable[[str], AbstractContextManager[BinaryIO]]

    def create(self, _operation: Operation) -> str:
        """Make the release, as a draft while files are to come. Of two runs at once one makes it, the other finds it."""
        content = self.content
        found = self.releases.find(content.tag)
        if found is not None:
            raise AlreadyDone(self._filled(found))
        # A forge makes a missing tag by itself, at a commit of its choice.
        if self.tag_commit() != self.commit():
            raise Rejected(f"The tag {content.tag} is not on the remote at {self.commit()[:12]}, so no release is made of it.")
        draft = self.releases.drafts and bool(content.assets)
        try:
            made = self.releases.create(
                content.tag, self.commit(), content.title, content.notes, draft=draft, prerelease=content.prerelease, latest=content.latest
            )
        except Rejected:
            if self.releases.find(content.tag) is None:
                raise
            raise AlreadyDone("Another run made it.") from None
        oldest = self.releases.find(content.tag) if draft else made
        if draft and oldest is not None and oldest.id != made.id:
            self.releases.discard_draft(made)
            raise AlreadyDone("Another run made it at the same time.")
        return f"Made {made.url or made.tag}."

    def upload(self, operation: Operation) -> str:
        """Attach a file. Raises Rejected where a file of this name with other content is there."""
        asset = next(item for item in self.content.assets if item.name == operation.target)
        release = self._release()
        present = next((item for item in release.assets if item.name == asset.name), None)
        if present is not None and present.complete:
            _compare(present, asset)
            raise AlreadyDone(f"The file is there{f', {present.size} bytes' if present.size is not None else ''}.")
        if present is not None:
            self.releases.discard(release, present)
        with nullcontext(io.BytesIO(asset.content)) if not asset.path else self.open_file(asset.path) as content:
            made = self.releases.upload(release, asset.name, asset.media_type, content, asset.size)
        _compare(made, asset)
        return f"Uploaded {asset.size} bytes."

    def publish(self, _operation: Operation) -> str:
        """Publish the draft when all its files are whole."""
        release = self._release()
        if not release.draft:
            raise AlreadyDone(f"It is published: {release.url}" if release.url else "It is published.")
        whole = {item.name for item in release.assets if item.complete}
        if missing := [asset.name for asset in self.content.assets if asset.name not in whole]:
            raise Rejected(f"The draft lacks {', '.join(missing[:5])}, so it is not published.")
        done = self.releases.update(release, draft=False, prerelease=self.content.prerelease, latest=self.content.latest)
        return f"Published {done.url or done.tag}."

    def _release(self) -> ForgeRelease:
        found = self.releases.find(self.content.tag)
        if found is None:
            raise NotFound(f"There is no release of {self.content.tag}; run again.")
        return found

    def _filled(self, found: ForgeRelease) -> str:
        """A release that somebody made without notes gets ours; what people wrote stays."""
        state = "as a draft" if found.draft else "published"
        if found.body.strip():
            return f"The release is there, {state}."
        self.releases.update(found, name=found.name or self.content.title, body=self.content.notes)
        return f"The release is there, {state}; it had no notes and got ours."


def _compare(present: ReleaseAsset, asset: AssetFile) -> None:
    ours = f"sha256:{asset.digest}"
    if (present.size is not None and present.size != asset.size) or (present.digest and present.digest != ours):
        raise Rejected(f"The release has a file {asset.name} with other content ({present.size} bytes {present.digest}); released files are not replaced.")


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells people of a release: comments, labels, an issue, an announcement, a deployment."""

    content: ReleaseContent
    threads: Threads
    host: CodeHost | None = None
    releases: Releases | None = None
    pipelines: Pipelines | None = None
    announce: Callable[[str], None] | None = None
    url: str = ""
    labels: tuple[str, ...] = ()
    issue_label: str = "known-problems"
    known_problems: str = ""

    def comment(self, operation: Operation) -> str:
        """Say in an issue or request which version has it."""
        thread = self._thread(operation)
        mark = f"<!-- cicd-agents:released {self.content.tag} -->"
        try:
            if any(mark in comment.body for comment in islice(self.threads.comments(thread), _MOST_COMMENTS)):
                raise AlreadyDone("The comment is there.")
            made = self.threads.comment(thread, f"{mark}\n🎉 This is part of {self._linked()}.")
        except NotFound:
            raise AlreadyDone("There is no such issue or request, so nobody is told.") from None
        return f"Commented{f': {made.url}' if made.url else '.'}"

    def label(self, operation: Operation) -> str:
        """Add the labels of released things."""
        thread = self._thread(operation)
        try:
            if set(self.labels) <= set(self.threads.labels(thread)):
                raise AlreadyDone("The labels are there.")
            self.threads.add_labels(thread, self.labels)
        except NotFound:
            raise AlreadyDone("There is no such issue or request.") from None
        return f"Labelled {', '.join(self.labels)}."

    def open_issue(self, operation: Operation) -> str:
        """Open the issue for known problems, once."""
        if self.host is None:
            raise Rejected("There is no forge that could hold the issue.")
        mark = f"<!-- cicd-agents:known-problems {self.content.tag} -->"
        for issue in islice(self.host.issues(self.issue_label), _MOST_COMMENTS):
            if mark in issue.body:
                raise AlreadyDone(f"The issue is there: {issue.url}")
        made = self.host.create_issue(operation.target, f"{mark}\n{self.known_problems}", (self.issue_label,))
        return f"Opened {made.url or f'#{made.number}'}."

    def tell(self, _operation: Operation) -> str:
        """Announce the release; that it was is noted in its text on the forge."""
        if self.announce is None:
            raise Rejected("There is nowhere to announce it; set `slack-webhook`.")
        mark = "<!-- cicd-agents:announced -->"
        release = self.releases.find(self.content.tag) if self.releases else None
        if release is not None and mark in release.body:
            raise AlreadyDone("It was announced.")
        self.announce(release.url if release else self.url)
        if release is not None and self.releases is not None:
            self.releases.update(release, body=f"{release.body.rstrip()}\n\n{mark}\n")
        return "Announced."

    def deploy(self, operation: Operation) -> str:
        """Start the deployment of the tag, unless it was started since the tag was made."""
        if self.pipelines is None:
            raise Rejected("There is no forge that could start it.")
        runs = self.pipelines.started(operation.target, self.content.tag, float(self.content.time))
        if runs:
            raise AlreadyDone(f"It was started: {runs[0].url or runs[0].ref.id}")
        address = self.pipelines.start(operation.target, self.content.tag, {})
        return f"Started{f' {address}' if address else ''}."

    def _thread(self, operation: Operation) -> Thread:
        return next(thread for thread in self.content.threads if shown(thread) == operation.target)

    def _linked(self) -> str:
        return f"[{self.content.tag}]({self.url})" if self.url else self.content.tag

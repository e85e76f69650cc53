"""One comment on a pull or merge request for each agent and scope: written once, then kept up to date in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cicd_agents.domain.ci import Comment
from cicd_agents.domain.errors import ServiceError
from cicd_agents.domain.ports import CodeHost
from cicd_agents.publish.marker import RESOLVED, digest, marked, read_marker
from cicd_agents.publish.outcome import Published, PublishStatus, guarded

DESTINATION = "comment"


@dataclass(frozen=True, slots=True)
class CommentPlace:
    """Where the comment belongs and how it is found again: the pull request, the agent, and the key of its scope (marker.scope_key)."""

    pull_request: int
    agent: str
    key: str
    from_fork: bool = False


def publish_comment(host: CodeHost, place: CommentPlace, body: str, *, dry_run: bool = False) -> Published:
    """Write or update our comment; nothing is done when its content is the same or `body` is empty.

    Two runs at once: each writes and then looks again. The lowest of our comments stays; whoever wrote another takes it back.
    """
    if not body:
        return Published(DESTINATION, PublishStatus.SKIPPED, why="There is nothing to say.")
    text, content = marked(place.agent, place.key, body), digest(body)

    def publish() -> Published:
        ours = _ours(host, place)
        if ours:
            return _kept(host, place, ours, text, content, PublishStatus.UPDATED, dry_run)
        if dry_run:
            return Published(DESTINATION, PublishStatus.PLANNED, why="Would write a new comment.")
        return _created(host, place, text, content)

    return guarded(DESTINATION, publish, from_fork=place.from_fork)


def resolve_comment(host: CodeHost, place: CommentPlace, body: str, *, dry_run: bool = False) -> Published:
    """Replace our comment by a short text when the run is green again; writes no new one, and says it once."""

    def publish() -> Published:
        ours = _ours(host, place)
        if not ours:
            return Published(DESTINATION, PublishStatus.SKIPPED, why="There is no comment to resolve.")
        text = marked(place.agent, place.key, body, RESOLVED)
        return _kept(host, place, ours, text, RESOLVED, PublishStatus.RESOLVED, dry_run)

    return guarded(DESTINATION, publish, from_fork=place.from_fork)


def _ours(host: CodeHost, place: CommentPlace) -> list[Comment]:
    """Our comments of this agent and scope, the first written first."""
    me = host.me().id
    return sorted((comment for comment in host.comments(place.pull_request) if comment.author.id == me and _belongs(comment, place)), key=_order)


def _belongs(comment: Comment, place: CommentPlace) -> bool:
    marker = read_marker(comment.body)
    return marker is not None and (marker.agent, marker.key) == (place.agent, place.key)


def _order(comment: Comment) -> tuple[int, str]:
    """Numbers written as text, in the order of the numbers."""
    return len(comment.id), comment.id


def _created(host: CodeHost, place: CommentPlace, text: str, content: str) -> Published:
    written = host.create_comment(place.pull_request, text)
    try:
        others = [comment for comment in _ours(host, place) if comment.id != written.id]
    except ServiceError as problem:
        return Published(DESTINATION, PublishStatus.CREATED, written.url, f"It is not known whether another run wrote one too. {problem}")
    ours = sorted([written, *others], key=_order)
    if ours[0].id == written.id:
        return Published(DESTINATION, PublishStatus.CREATED, written.url, _deleted(host, place, ours[1:]))
    return _kept(host, place, ours, text, content, PublishStatus.UPDATED, dry_run=False)


def _kept(host: CodeHost, place: CommentPlace, ours: Sequence[Comment], text: str, content: str, status: PublishStatus, dry_run: bool) -> Published:
    """Bring the first of our comments up to date and delete the others."""
    first, marker = ours[0], read_marker(ours[0].body)
    same = marker is not None and marker.hash == content
    if dry_run:
        return _plan(first, same, status)
    if not same:
        first = host.update_comment(place.pull_request, first, text)
    return Published(DESTINATION, PublishStatus.UNCHANGED if same else status, first.url, _deleted(host, place, ours[1:]))


def _deleted(host: CodeHost, place: CommentPlace, comments: Sequence[Comment]) -> str:
    """Delete comments that are there too often; why it could not be done, else nothing. The next run tries again."""
    try:
        for comment in comments:
            host.delete_comment(place.pull_request, comment)
    except ServiceError as problem:
        return f"A second comment could not be deleted. {problem}"
    return ""


def _plan(comment: Comment, same: bool, status: PublishStatus) -> Published:
    if same:
        return Published(DESTINATION, PublishStatus.UNCHANGED, comment.url)
    verb = "mark the comment as resolved" if status is PublishStatus.RESOLVED else "update the comment"
    return Published(DESTINATION, PublishStatus.PLANNED, comment.url, f"Would {verb}.")

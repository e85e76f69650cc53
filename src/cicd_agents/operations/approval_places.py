"""Where requests for approvals are written and answered: an issue of their own, or a comment on the pull or merge request of the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from cicd_agents.domain.ci import Author, Comment, Issue
from cicd_agents.domain.errors import Refused
from cicd_agents.domain.forge import Thread, ThreadKind, Threads
from cicd_agents.domain.ports import CodeHost
from cicd_agents.operations.approval_request import RequestMarker, read_request_marker

LABEL = "cicd-agents-approval"
# How many of the newest issues with the label, and how many comments of one thread, are read.
MOST_ISSUES, MOST_COMMENTS = 1_000, 5_000


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stands. `id` is the number of the issue or comment; `created` in seconds since the epoch; `open`: false for a closed issue."""

    marker: RequestMarker
    body: str
    created: float | None
    url: str
    open: bool
    id: str
    item: Issue | Comment

    @property
    def order(self) -> tuple[int, str]:
        """Numbers written as text, in the order of the numbers: that of writing."""
        return len(self.id), self.id


@dataclass(frozen=True, slots=True)
class Replies:
    """The comments after a request, oldest first; `complete` is false where there are more than are read."""

    comments: tuple[Comment, ...]
    complete: bool = True


class Place(Protocol):
    """Where requests are written."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    def requests(self, me: Author) -> list[Request]:
        """All requests that our account wrote, the oldest first, whatever they ask for."""
        ...

    def ask(self, title: str, body: str) -> Request | None:
        """Write a new request; None where the platform gave back another text than was written."""
        ...

    def end(self, request: Request, body: str) -> None:
        """Replace the text of a request that is over, and close it; doing it twice does no harm."""
        ...

    def replies(self, request: Request) -> Replies:
        """What was written after the request."""
        ...


@dataclass(frozen=True, slots=True)
class IssuePlace:
    """Each request is an issue with the label, answered by its comments."""

    host: CodeHost
    threads: Threads
    repository: str
    label: str = LABEL

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.repository}, label {self.label}"

    def requests(self, me: Author) -> list[Request]:
        """Our own issues with the label and a marker, of the newest ones."""
        issues = islice(self.host.issues(self.label), MOST_ISSUES)
        return _sorted(_of_issue(issue) for issue in issues if me.id and issue.author.id == me.id)

    def ask(self, title: str, body: str) -> Request | None:
        """Open an issue."""
        return _of_issue(self.host.create_issue(title, body, (self.label,)))

    def end(self, request: Request, body: str) -> None:
        """Text and state change in one call, so that no run finds the one without the other."""
        if isinstance(request.item, Issue):
            self.host.update_issue(request.item, body=body, open=False)

    def replies(self, request: Request) -> Replies:
        """The comments of the issue."""
        comments = tuple(islice(self.threads.comments(Thread(ThreadKind.ISSUE, int(request.id))), MOST_COMMENTS + 1))
        return Replies(comments[:MOST_COMMENTS], len(comments) <= MOST_COMMENTS)


@dataclass(frozen=True, slots=True)
class RequestPlace:
    """Each request is a comment on a pull or merge request, answered by later comments."""

    threads: Threads
    repository: str
    number: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.repository}, request {self.number}"

    def requests(self, me: Author) -> list[Request]:
        """Our own comments with a marker. Raises Refused where there are more comments than are read: the request might be among the others."""
        comments = tuple(islice(self.threads.comments(self._thread), MOST_COMMENTS + 1))
        if len(comments) > MOST_COMMENTS:
            raise Refused(f"{self.name} has more than {MOST_COMMENTS:,} comments, so an approval cannot be asked for there.")
        return _sorted(_of_comment(comment) for comment in comments if me.id and comment.author.id == me.id)

    def ask(self, title: str, body: str) -> Request | None:  # noqa: ARG002 a comment has no title
        """Write a comment."""
        return _of_comment(self.threads.comment(self._thread, body))

    def end(self, request: Request, body: str) -> None:
        """Replace the text of the comment."""
        if isinstance(request.item, Comment):
            self.threads.edit(self._thread, request.item, body)

    def replies(self, request: Request) -> Replies:
        """The comments below the request's own; none where that was deleted."""
        comments = tuple(islice(self.threads.comments(self._thread), MOST_COMMENTS + 1))
        after = next((index for index, comment in enumerate(comments, start=1) if comment.id == request.id), len(comments))
        return Replies(comments[after:MOST_COMMENTS], len(comments) <= MOST_COMMENTS)

    @property
    def _thread(self) -> Thread:
        return Thread(ThreadKind.REQUEST, self.number)


def _of_issue(issue: Issue) -> Request | None:
    marker = read_request_marker(issue.body)
    return Request(marker, issue.body, issue.created, issue.url, issue.open, str(issue.number), issue) if marker else None


def _of_comment(comment: Comment) -> Request | None:
    marker = read_request_marker(comment.body)
    return Request(marker, comment.body, comment.created, comment.url, True, comment.id, comment) if marker else None


def _sorted(requests: Iterable[Request | None]) -> list[Request]:
    return sorted((request for request in requests if request is not None), key=lambda request: request.order)

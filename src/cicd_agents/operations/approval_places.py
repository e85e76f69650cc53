"""Where requests for approvals are written and answered: an issue of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from cicd_agents.domain.ci import Author, Comment, Issue
from cicd_agents.domain.forge import Thread, ThreadKind, Threads
from cicd_agents.domain.ports import CodeHost
from cicd_agents.operations.approval_request import RequestMarker, read_request_marker

LABEL = "cicd-agents-approval"
# How many of the newest issues with the label, and how many comments of one thread, are read.
MOST_ISSUES, MOST_COMMENTS = 1_000, 5_000


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stands. `id` is the number of the issue; `created` in seconds since the epoch; `open`: false for a closed issue."""

    marker: RequestMarker
    body: str
    created: float | None
    url: str
    open: bool
    id: str
    item: Issue

    @property
    def order(self) -> tuple[int, str]:
        """Numbers written as text, in the order of the numbers: that of writing."""
        return len(self.id), self.id


@dataclass(frozen=True, slots=True)
class Replies:
    """The comments after a request, oldest first; `complete` is false where there are more than are read."""

    comments: tuple[Comment, ...]
    complete: bool = True


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
        """Our own issues with the label and a marker, of the newest ones; the oldest first, whatever they ask for."""
        issues = islice(self.host.issues(self.label), MOST_ISSUES)
        return _sorted(_of_issue(issue) for issue in issues if me.id and issue.author.id == me.id)

    def ask(self, title: str, body: str) -> Request | None:
        """Open an issue; None where the platform gave back another text than was written."""
        return _of_issue(self.host.create_issue(title, body, (self.label,)))

    def end(self, request: Request, body: str) -> None:
        """Text and state change in one call, so that no run finds the one without the other; doing it twice does no harm."""
        self.host.update_issue(request.item, body=body, open=False)

    def replies(self, request: Request) -> Replies:
        """The comments of the issue."""
        comments = tuple(islice(self.threads.comments(Thread(ThreadKind.ISSUE, int(request.id))), MOST_COMMENTS + 1))
        return Replies(comments[:MOST_COMMENTS], len(comments) <= MOST_COMMENTS)


def _of_issue(issue: Issue) -> Request | None:
    marker = read_request_marker(issue.body)
    return Request(marker, issue.body, issue.created, issue.url, issue.open, str(issue.number), issue) if marker else None


def _sorted(requests: Iterable[Request | None]) -> list[Request]:
    return sorted((request for request in requests if request is not None), key=lambda request: request.order)

"""A code host in memory that satisfies domain.ports.CodeHost: comments and issues of several accounts, read page by page, with faults where they are wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TypeVar

from cicd_agents.domain.ci import Author, Comment, Issue
from cicd_agents.domain.context import PullRequest
from cicd_agents.domain.errors import NotFound, ServiceError

T = TypeVar("T")
Around = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at a call: nothing happens, or (`after`) it happens and only the answer is lost."""

    error: ServiceError
    after: bool = False


@dataclass(slots=True)
class Forge:
    """The state that all accounts share. `page` is how many items one call reads; ids pass from one digit to two, so their order is not that of text."""

    page: int = 2
    comments: dict[int, list[Comment]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    issue_comments: dict[int, list[str]] = field(default_factory=dict)
    pull_requests: list[PullRequest] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    last_id: int = 7

    def next_id(self) -> int:
        """A number that was not used before."""
        self.last_id += 1
        return self.last_id

    def account(self, number: str, around: Around | None = None) -> Account:
        """The host as an account sees it; `around` wraps each of its calls."""
        return Account(self, Author(number, f"login-{number}"), around or (lambda _: nullcontext()))

    def bodies(self, pull_request: int = 1) -> list[str]:
        """The texts of all comments, oldest first."""
        return [comment.body for comment in self.comments.get(pull_request, [])]


@dataclass(slots=True)
class Account:
    """One account's view. `faults` maps the index of a call (from 0) to what goes wrong; `calls` are the names of all calls so far."""

    forge: Forge
    author: Author
    around: Around
    faults: dict[int, Fault] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def _call(self, name: str, action: Callable[[], T]) -> T:
        fault = self.faults.get(len(self.calls))
        self.calls.append(name)
        with self.around(name), self.forge.lock:
            if fault and not fault.after:
                raise fault.error
            result = action()
            if fault:
                raise fault.error
            return result

    def _pages(self, name: str, items: Callable[[], Sequence[T]]) -> Iterator[T]:
        """Each page is read when it is asked for, as it stands then."""
        begin = 0
        while True:
            page = self._call(name, lambda begin=begin: tuple(items()[begin : begin + self.forge.page]))  # type: ignore[misc]
            yield from page
            begin += len(page)
            if len(page) < self.forge.page:
                return

    def me(self) -> Author:
        """The account itself."""
        return self._call("me", lambda: self.author)

    def pull_request_of(self, sha: str, branch: str) -> PullRequest | None:
        """The pull request with this head."""
        known = self.forge.pull_requests
        return self._call("pull_request_of", lambda: next((found for found in known if (found.head_sha, found.head_ref) == (sha, branch)), None))

    def comments(self, pull_request: int) -> Iterator[Comment]:
        """All comments, oldest first."""
        return self._pages("comments", lambda: self.forge.comments.get(pull_request, []))

    def create_comment(self, pull_request: int, body: str) -> Comment:
        """A new comment at the end."""

        def create() -> Comment:
            number = self.forge.next_id()
            comment = Comment(str(number), self.author, body, f"https://forge.example/pull/{pull_request}#{number}")
            self.forge.comments.setdefault(pull_request, []).append(comment)
            return comment

        return self._call("create_comment", create)

    def update_comment(self, pull_request: int, comment: Comment, body: str) -> Comment:
        """A comment that is gone cannot be changed."""

        def update() -> Comment:
            comments = self.forge.comments.get(pull_request, [])
            for index, found in enumerate(comments):
                if found.id == comment.id:
                    comments[index] = replace(found, body=body)
                    return comments[index]
            raise NotFound(f"Forge: comment {comment.id} is not there.")

        return self._call("update_comment", update)

    def delete_comment(self, pull_request: int, comment: Comment) -> None:
        """One that is gone already is fine."""

        def delete() -> None:
            self.forge.comments[pull_request] = [found for found in self.forge.comments.get(pull_request, []) if found.id != comment.id]

        self._call("delete_comment", delete)

    def issues(self, label: str) -> Iterator[Issue]:
        """All with the label, newest first."""
        return self._pages("issues", lambda: [issue for issue in reversed(self.forge.issues) if label in issue.labels])

    def create_issue(self, title: str, body: str, labels: Sequence[str]) -> Issue:
        """A new open issue."""

        def create() -> Issue:
            number = self.forge.next_id()
            issue = Issue(number, self.author, title, body, True, f"https://forge.example/issues/{number}", tuple(labels))
            self.forge.issues.append(issue)
            return issue

        return self._call("create_issue", create)

    def update_issue(self, issue: Issue, *, body: str | None = None, open: bool | None = None) -> Issue:  # noqa: A002 the port's own name
        """Text and state, as far as they are given."""

        def update() -> Issue:
            for index, found in enumerate(self.forge.issues):
                if found.number == issue.number:
                    changed = replace(found, body=found.body if body is None else body, open=found.open if open is None else open)
                    self.forge.issues[index] = changed
                    return changed
            raise NotFound(f"Forge: issue {issue.number} is not there.")

        return self._call("update_issue", update)

    def comment_issue(self, issue: Issue, body: str) -> Comment:
        """A comment below an issue."""

        def comment() -> Comment:
            self.forge.issue_comments.setdefault(issue.number, []).append(body)
            return Comment(str(self.forge.next_id()), self.author, body)

        return self._call("comment_issue", comment)


class Turns:
    """Two runs at once, one call at a time, in the order of a schedule: which of the two may make the next call while both still run."""

    def __init__(self, schedule: Sequence[int]) -> None:
        self._schedule = iter(schedule)
        self._left = {0, 1}
        self._next = next(self._schedule, 0)
        self._changed = threading.Condition()

    def taker(self, runner: int) -> Around:
        """What wraps the calls of a runner."""

        def around(_name: str) -> AbstractContextManager[None]:
            return _Turn(self, runner)

        return around

    def finished(self, runner: int) -> None:
        """The runner makes no more calls."""
        with self._changed:
            self._left.discard(runner)
            self._changed.notify_all()

    def take(self, runner: int) -> None:
        """Wait for the runner's turn."""
        with self._changed:
            self._changed.wait_for(lambda: self._next == runner or self._left == {runner})

    def hand_on(self) -> None:
        """Let the next one of the schedule call."""
        with self._changed:
            self._next = next(self._schedule, 1 - self._next)
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class _Turn:
    turns: Turns
    runner: int

    def __enter__(self) -> None:
        self.turns.take(self.runner)

    def __exit__(self, *_: object) -> None:
        self.turns.hand_on()

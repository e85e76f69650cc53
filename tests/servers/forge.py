"""A forge in memory for what `code_host` does not hold: threads of comments with times, accounts, teams, and approvals of environments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from tests.servers.clock import FakeClock

from cicd_agents.domain.ci import Author, Comment, Issue
from cicd_agents.domain.context import PullRequest
from cicd_agents.domain.errors import NotFound, ServiceError
from cicd_agents.domain.forge import EnvironmentApproval, Thread, ThreadKind

ALICE, BOB, CAROL, MALLORY = (Author(number, login) for number, login in (("1", "alice"), ("2", "bob"), ("3", "carol"), ("66", "mallory")))
US = Author("7", "release-bot")


@dataclass
class Town:
    """The state that all share: what is written carries the time of the clock."""

    clock: FakeClock
    issues: list[Issue] = field(default_factory=list)
    threads: dict[Thread, list[Comment]] = field(default_factory=dict)
    accounts: dict[str, Author] = field(default_factory=lambda: {who.login: who for who in (ALICE, BOB, CAROL, MALLORY)})
    teams: dict[str, set[str]] = field(default_factory=dict)
    writers: set[str] = field(default_factory=set)
    reviews: list[EnvironmentApproval] = field(default_factory=list)
    last: int = 7

    def next(self) -> int:
        """A number that was not used before."""
        self.last += 1
        return self.last

    def say(self, number: int, author: Author, body: str, *, kind: ThreadKind = ThreadKind.ISSUE, created: float | None = None) -> Comment:
        """Somebody writes a comment."""
        at = self.clock.now() if created is None else created
        made = Comment(str(self.next()), author, body, f"https://forge.example/{number}#{self.last}", at, at)
        self.threads.setdefault(Thread(kind, number), []).append(made)
        return made

    def change(self, comment: Comment, body: str) -> None:
        """Somebody changes a comment now."""
        for comments in self.threads.values():
            comments[:] = [replace(one, body=body, updated=self.clock.now()) if one.id == comment.id else one for one in comments]

    def open_issue(self, author: Author, title: str, body: str, labels: Sequence[str]) -> Issue:
        """Somebody opens an issue."""
        number = self.next()
        self.issues.append(Issue(number, author, title, body, True, f"https://forge.example/{number}", tuple(labels), self.clock.now()))
        self.threads[Thread(ThreadKind.ISSUE, number)] = []
        return self.issues[-1]

    def edit_issue(self, number: int, **fields: object) -> Issue:
        """Change an issue, whoever does it."""
        for index, issue in enumerate(self.issues):
            if issue.number == number:
                self.issues[index] = replace(issue, **fields)  # type: ignore[arg-type]
                return self.issues[index]
        raise NotFound(f"Forge: issue {number} is not there.")


@dataclass
class Desk:
    """What one run sees (ports CodeHost, Threads, People, Reviews). `broken` maps the name of a call to its error; `calls` are all names so far.

    `dies_after` is a call after which the run is killed; `around` wraps each call.
    """

    town: Town
    author: Author = US
    broken: dict[str, ServiceError] = field(default_factory=dict)
    dies_after: str = ""
    calls: list[str] = field(default_factory=list)
    around: Callable[[str], AbstractContextManager[None]] = field(default=lambda _: nullcontext())

    def _called(self, name: str) -> None:
        self.calls.append(name)
        with self.around(name):
            if name in self.broken:
                raise self.broken[name]

    def _written(self, name: str) -> None:
        if self.dies_after == name:
            raise KeyboardInterrupt

    def me(self) -> Author:
        self._called("me")
        return self.author

    def issues(self, label: str) -> Iterator[Issue]:
        self._called("issues")
        yield from [issue for issue in reversed(self.town.issues) if label in issue.labels]

    def create_issue(self, title: str, body: str, labels: Sequence[str]) -> Issue:
        self._called("create_issue")
        made = self.town.open_issue(self.author, title, body, labels)
        self._written("create_issue")
        return made

    def update_issue(self, issue: Issue, *, body: str | None = None, open: bool | None = None) -> Issue:  # noqa: A002 the port's own name
        self._called("update_issue")
        given = {name: value for name, value in (("body", body), ("open", open)) if value is not None}
        return self.town.edit_issue(issue.number, **given)

    def comment_issue(self, issue: Issue, body: str) -> Comment:
        return self.comment(Thread(ThreadKind.ISSUE, issue.number), body)

    def pull_request_of(self, sha: str, branch: str) -> PullRequest | None:
        raise NotImplementedError

    def create_comment(self, pull_request: int, body: str) -> Comment:
        raise NotImplementedError

    def update_comment(self, pull_request: int, comment: Comment, body: str) -> Comment:
        raise NotImplementedError

    def delete_comment(self, pull_request: int, comment: Comment) -> None:
        raise NotImplementedError

    def comments(self, thread: Thread | int) -> Iterator[Comment]:
        """Of the port Threads; the port CodeHost names a pull request by its number alone."""
        self._called("comments")
        yield from list(self.town.threads.get(thread if isinstance(thread, Thread) else Thread(ThreadKind.REQUEST, thread), []))

    def comment(self, thread: Thread, body: str) -> Comment:
        self._called("comment")
        made = self.town.say(thread.number, self.author, body, kind=thread.kind)
        self._written("comment")
        return made

    def labels(self, thread: Thread) -> tuple[str, ...]:
        raise NotImplementedError

    def add_labels(self, thread: Thread, labels: Sequence[str]) -> None:
        raise NotImplementedError

    def of_commit(self, sha: str) -> tuple[int, ...]:
        raise NotImplementedError

    def account(self, login: str) -> Author | None:
        self._called("account")
        return self.town.accounts.get(login)

    def in_team(self, team: str, author: Author) -> bool:
        self._called("in_team")
        if team not in self.town.teams:
            raise NotFound(f"There is no team {team}.")
        return author.id in self.town.teams[team]

    def may_write(self, author: Author) -> bool:
        self._called("may_write")
        return author.id in self.town.writers

    def of_run(self, run_id: str) -> tuple[EnvironmentApproval, ...]:
        self._called("of_run")
        return tuple(self.town.reviews) if run_id == "77" else ()

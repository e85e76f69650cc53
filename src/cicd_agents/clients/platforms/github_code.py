"""GitHub as a code host (ports `Repository` and `CodeHost`): commits, files, pull requests, comments, issues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote, urlsplit

from cicd_agents.clients.http import Http
from cicd_agents.clients.platforms import github_shapes as shapes
from cicd_agents.clients.platforms.github_service import NAME, repository_path
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Author, Comment, Commit, Comparison, Issue
from cicd_agents.domain.context import PullRequest
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Rejected, ServiceError

PAGE = 100
# How many open pull requests, those touched last, are looked at for a commit that GitHub itself ties to none.
MOST_PULL_REQUESTS = 300
# The account behind the token that GitHub.com gives to every workflow (github.com/apps/github-actions).
ACTIONS_BOT = Author("41898282", "github-actions[bot]")
_VIEWER = "query { viewer { login databaseId } }"


@dataclass(frozen=True, slots=True)
class GitHubRepository:
    """Commits and files of one repository, `owner/name`."""

    http: Http
    repository: str

    def compare(self, base: str, head: str) -> Comparison:
        """What changed on the way to `head` since it parted from `base`, oldest commit first; at most 250 commits and 300 files."""
        data = self.http.get_json(self._path(f"/compare/{quote(base, safe='')}...{quote(head, safe='')}"))
        return shapes.comparison(Shape.of(data, f"{NAME}: the comparison of {base[:12]} and {head[:12]}"), base, head)

    def commit(self, sha: str) -> Commit:
        """A commit with its files, at most 300."""
        data = self.http.get_json(self._path(f"/commits/{quote(sha, safe='')}"))
        return shapes.commit(Shape.of(data, f"{NAME}: commit {sha[:12]}"), with_files=True)

    def read_file(self, path: str, ref: str, most: int) -> bytes | None:
        """A file at a commit or branch; None where there is none, or a folder. Raises Refused over `most` bytes."""
        if any(part in ("", ".", "..") for part in path.split("/")):
            return None  # git knows no such names, and on the way a server could take them for another path
        raw = {"accept": "application/vnd.github.raw+json"}
        answer = self.http.get(self._path(f"/contents/{quote(path)}"), {"ref": ref}, headers=raw, missing_ok=True, most=most)
        kind = answer.headers.get("content-type", "")
        if answer.status != 404 and kind.startswith("text/html"):  # GitHub gives raw files a type of its own; this is a proxy's page
            raise BadAnswer(f"{NAME}: reading the file {path} was answered with a web page. Does something stand between?")
        return None if answer.status == 404 or kind.startswith("application/json") else answer.body

    def _path(self, below: str) -> str:
        return repository_path(self.repository) + below


@dataclass(frozen=True, slots=True)
class GitHubCodeHost:
    """Pull requests and issues of one repository, `owner/name`.

    `workflow_token`: the token is the one that GitHub made for this workflow, not one of a person or of another app.
    """

    http: Http
    repository: str
    api_url: str = "https://api.github.com"
    workflow_token: bool = False

    def me(self) -> Author:
        """The account whose token we use. Tokens of apps, and so of workflows, may not ask for it by REST, but may by GraphQL.

        Where that is refused too, only the token of a workflow on GitHub.com has an account that is known beforehand.
        """
        try:
            return shapes.author(Shape.of(self.http.get_json("/user"), f"{NAME}: the account"))
        except NotAllowed as refusal:
            refused = refusal
        try:
            return self._viewer()
        except ServiceError:
            if self.workflow_token and urlsplit(self.api_url).hostname == "api.github.com":
                return ACTIONS_BOT
        raise refused

    def pull_request_of(self, sha: str, branch: str) -> PullRequest | None:
        """The open pull request whose head is exactly this commit; of several the one of this branch, then the oldest.

        GitHub ties a fork's commit to its pull request only sometimes, so the open ones are looked through as well.
        """
        try:
            near = self._open_with_head(sha, self.http.pages(self._path(f"/commits/{quote(sha, safe='')}/pulls"), {"per_page": PAGE}))
        except (NotFound, Rejected):  # 422: the repository itself does not hold the commit
            near = []
        if not near:
            params: dict[str, str | int] = {"state": "open", "sort": "updated", "direction": "desc", "per_page": PAGE}
            near = self._open_with_head(sha, self.http.pages(self._path("/pulls"), params))
        return min(near, key=lambda pull: (pull.head_ref != branch, pull.number), default=None)

    def comments(self, pull_request: int) -> Iterator[Comment]:
        """All comments, oldest first, every page."""
        for item in self.http.pages(self._path(f"/issues/{pull_request}/comments"), {"per_page": PAGE}):
            yield shapes.comment(Shape.of(item, f"{NAME}: the comments of #{pull_request}"))

    def create_comment(self, pull_request: int, body: str) -> Comment:
        """Write a new comment."""
        return shapes.comment(self._sent("POST", f"/issues/{pull_request}/comments", {"body": body}))

    def update_comment(self, pull_request: int, comment: Comment, body: str) -> Comment:  # noqa: ARG002 GitHub's comments have numbers of their own
        """Replace the text of a comment; doing it twice does no harm."""
        return shapes.comment(self._sent("PATCH", f"/issues/comments/{comment.id}", {"body": body}, repeatable=True))

    def delete_comment(self, pull_request: int, comment: Comment) -> None:  # noqa: ARG002 GitHub's comments have numbers of their own
        """Delete a comment; one that is gone already is fine."""
        try:
            self.http.send("DELETE", self._path(f"/issues/comments/{comment.id}"), repeatable=True)
        except NotFound:
            return

    def issues(self, label: str) -> Iterator[Issue]:
        """All issues with the label, open and closed, newest first, every page; GitHub lists pull requests among them, which are left out."""
        params: dict[str, str | int] = {"labels": label, "state": "all", "sort": "created", "direction": "desc", "per_page": PAGE}
        for item in self.http.pages(self._path("/issues"), params):
            data = Shape.of(item, f"{NAME}: the issues")
            if data.maybe("pull_request") is None:
                yield shapes.issue(data)

    def create_issue(self, title: str, body: str, labels: Sequence[str]) -> Issue:
        """Open a new issue; labels that are new are made."""
        return shapes.issue(self._sent("POST", "/issues", {"title": title, "body": body, "labels": list(labels)}))

    def update_issue(self, issue: Issue, *, body: str | None = None, open: bool | None = None) -> Issue:  # noqa: A002 the field's own name
        """Change the text, or reopen or close it; doing it twice does no harm."""
        change = {} if body is None else {"body": body}
        if open is not None:
            change["state"] = "open" if open else "closed"
        return shapes.issue(self._sent("PATCH", f"/issues/{issue.number}", change, repeatable=True))

    def comment_issue(self, issue: Issue, body: str) -> Comment:
        """Write a comment on an issue."""
        return self.create_comment(issue.number, body)

    def _path(self, below: str) -> str:
        return repository_path(self.repository) + below

    def _sent(self, method: str, path: str, body: Any, *, repeatable: bool = False) -> Shape:
        answer = self.http.send(method, self._path(path), body, repeatable=repeatable)
        return Shape.of(answer.json(), f"{NAME}: the answer to a write")

    def _viewer(self) -> Author:
        """The account by GraphQL, whose address lies beside the REST API's (Enterprise Server: /api/graphql beside /api/v3)."""
        address = f"{self.api_url.removesuffix('/').removesuffix('/v3')}/graphql"
        data = Shape.of(self.http.send("POST", address, {"query": _VIEWER}, repeatable=True).json(), f"{NAME}: the account")
        viewer = data.inner("data").inner("viewer")
        return Author(str(viewer.number("databaseId")), viewer.text("login"))

    def _open_with_head(self, sha: str, items: Iterator[Any]) -> list[PullRequest]:
        found = []
        for item in islice(items, MOST_PULL_REQUESTS):
            data = Shape.of(item, f"{NAME}: the pull requests")
            if data.text("state") == "open" and data.inner("head").text("sha") == sha:
                found.append(shapes.pull_request(data))
        return found

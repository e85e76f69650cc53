"""GitLab as a code host: commits and files, merge requests and issues with their notes (GitLab docs, api/repositories, api/notes, api/issues)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cicd_agents.clients.http import Answer
from cicd_agents.clients.platforms import gitlab_shapes as shapes
from cicd_agents.clients.platforms.gitlab_service import Project, reason
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Author, Comment, Commit, Comparison, Issue
from cicd_agents.domain.context import PullRequest
from cicd_agents.domain.errors import NotAllowed, NotFound

# Longest note and description that GitLab takes, in characters (GitLab docs, administration/instance_limits; descriptions may be 1,048,576).
MAX_BODY = 1_000_000
# Longest title of an issue (GitLab docs, api/issues).
MAX_TITLE = 255
# Most files of a commit that are listed.
MAX_COMMIT_FILES = 1_000
_CUT = "\n\n…"


@dataclass(frozen=True, slots=True)
class GitLabRepository:
    """Commits and files of one project (port `Repository`)."""

    project: Project

    def compare(self, base: str, head: str) -> Comparison:
        """What is on `head` since it left `base` (three dots); not complete where GitLab ran out of time or left out patches."""
        answer = self.project.http.get_json(self.project.path("repository", "compare"), {"from": base, "to": head, "straight": "false"})
        data = Shape.of(answer, f"GitLab: the comparison of {base} and {head}")
        files = tuple(shapes.file_change(item) for item in data.items("diffs", missing_ok=True))
        commits = _oldest_first([shapes.commit(item) for item in data.items("commits", missing_ok=True)])
        return Comparison(base, head, commits, files, not data.flag("compare_timeout"), data.text("web_url", ""))

    def commit(self, sha: str) -> Commit:
        """A commit with its files; without them where the token may see the commit only, as a job token may."""
        path = self.project.path("repository", "commits", sha)
        data = Shape.of(self.project.http.get_json(path, {"stats": "false"}), f"GitLab: commit {sha}")
        try:
            diffs = islice(self.project.listed(f"{path}/diff", {}, f"the files of commit {sha}"), MAX_COMMIT_FILES)
            files = tuple(shapes.file_change(item).path for item in diffs)
        except (NotAllowed, NotFound):
            return shapes.commit(data)
        return shapes.commit(data, files)

    def read_file(self, path: str, ref: str, most: int) -> bytes | None:
        """A file at a commit or branch; None where file or ref do not exist. Raises NotFound where the project itself can't be seen."""
        where = self.project.path("repository", "files", path, "raw")
        answer = self.project.http.get(where, {"ref": ref}, missing_ok=True, most=most)
        if answer.status != 404:
            return answer.body
        if "project" in reason(answer):
            with self.project.surely_there():
                raise NotFound(f"GitLab: project {self.project.name} is not there, or may not be seen with this token.")
        return None


@dataclass(frozen=True, slots=True)
class GitLabHost:
    """Merge requests and issues of one project (port `CodeHost`)."""

    project: Project

    def me(self) -> Author:
        """The account of the token; a project access token has one of its own."""
        return shapes.author(Shape.of(self.project.http.get_json("/user"), "GitLab: the account of the token"))

    def pull_request_of(self, sha: str, branch: str) -> PullRequest | None:
        """The open merge request whose head is this commit, also one from a fork; of several the one of that branch."""
        path = self.project.path("repository", "commits", sha, "merge_requests")
        listed = self.project.listed(path, {"state": "opened"}, "the merge requests of the commit")
        # GitLab before 18.2 does not know the filter; and a commit also belongs to merge requests that went on since.
        found = [shapes.merge_request(item) for item in listed if item.text("state", "") == "opened" and item.text("sha", "") == sha]
        return next((request for request in found if request.head_ref == branch), found[0] if found else None)

    def comments(self, pull_request: int) -> Iterator[Comment]:
        """All notes that people and bots wrote, oldest first; not those of GitLab itself."""
        query = {"sort": "asc", "order_by": "created_at", "activity_filter": "only_comments"}
        for item in self.project.listed(self._notes(pull_request), query, f"the notes of merge request {pull_request}"):
            if not item.flag("system"):
                yield shapes.comment(item, self._page(pull_request))

    def create_comment(self, pull_request: int, body: str) -> Comment:
        """Write a note."""
        with self.project.surely_there():
            answer = self.project.http.send("POST", self._notes(pull_request), {"body": capped(body)})
        return shapes.comment(_written(answer, "the note"), self._page(pull_request))

    def update_comment(self, pull_request: int, comment: Comment, body: str) -> Comment:
        """Replace the text of a note."""
        answer = self.project.http.send("PUT", self._notes(pull_request, comment.id), {"body": capped(body)}, repeatable=True)
        return shapes.comment(_written(answer, "the note"), self._page(pull_request))

    def delete_comment(self, pull_request: int, comment: Comment) -> None:
        """Delete a note; one that is gone already is fine."""
        with suppress(NotFound):
            self.project.http.send("DELETE", self._notes(pull_request, comment.id), repeatable=True)

    def issues(self, label: str) -> Iterator[Issue]:
        """All issues with the label, open and closed, newest first."""
        query = {"labels": label, "state": "all", "scope": "all", "order_by": "created_at", "sort": "desc"}
        for item in self.project.listed(self.project.path("issues"), query, f"the issues with the label {label}"):
            yield shapes.issue(item)

    def create_issue(self, title: str, body: str, labels: Sequence[str]) -> Issue:
        """Open a new issue."""
        given = {"title": title[:MAX_TITLE], "description": capped(body), "labels": ",".join(labels)}
        with self.project.surely_there():
            answer = self.project.http.send("POST", self.project.path("issues"), given)
        return shapes.issue(_written(answer, "the issue"))

    def update_issue(self, issue: Issue, *, body: str | None = None, open: bool | None = None) -> Issue:  # noqa: A002 the port's own name
        """Change the text, or reopen or close it."""
        given: dict[str, Any] = {} if body is None else {"description": capped(body)}
        if open is not None and open != issue.open:
            given["state_event"] = "reopen" if open else "close"
        if not given:
            return issue
        answer = self.project.http.send("PUT", self.project.path("issues", issue.number), given, repeatable=True)
        return shapes.issue(_written(answer, "the issue"))

    def comment_issue(self, issue: Issue, body: str) -> Comment:
        """Write a note on an issue."""
        answer = self.project.http.send("POST", self.project.path("issues", issue.number, "notes"), {"body": capped(body)})
        return shapes.comment(_written(answer, "the note"), issue.url)

    def _notes(self, pull_request: int, *note: str) -> str:
        return self.project.path("merge_requests", pull_request, "notes", *note)

    def _page(self, pull_request: int) -> str:
        return f"{self.project.web_url}/-/merge_requests/{pull_request}" if self.project.web_url else ""


def capped(body: str) -> str:
    """The text, cut where GitLab would refuse it for its length."""
    return body if len(body) <= MAX_BODY else body[: MAX_BODY - len(_CUT)] + _CUT


def _oldest_first(commits: list[Commit]) -> tuple[Commit, ...]:
    """GitLab does not promise an order; it is kept or turned round, as git's own order is finer than times are."""
    if commits and (commits[0].time or 0.0) > (commits[-1].time or 0.0):
        commits.reverse()
    return tuple(commits)


def _written(answer: Answer, what: str) -> Shape:
    return Shape.of(answer.json(), f"GitLab: {what} that was written")

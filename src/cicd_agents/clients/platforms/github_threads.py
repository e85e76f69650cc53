"""Comments and labels of GitHub's issues and pull requests (port `Threads`), which share one row of numbers and one API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from cicd_agents.clients.http import Http
from cicd_agents.clients.platforms import github_shapes as shapes
from cicd_agents.clients.platforms.github_service import NAME, repository_path
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Comment
from cicd_agents.domain.errors import NotFound, Rejected
from cicd_agents.domain.forge import Thread

PAGE = 100


@dataclass(frozen=True, slots=True)
class GitHubThreads:
    """Issues and pull requests of one repository, `owner/name`."""

    http: Http
    repository: str

    def comments(self, thread: Thread) -> Iterator[Comment]:
        """All comments, oldest first, every page."""
        for item in self.http.pages(self._path(f"/issues/{thread.number}/comments"), {"per_page": PAGE}):
            yield shapes.comment(Shape.of(item, f"{NAME}: the comments of #{thread.number}"))

    def comment(self, thread: Thread, body: str) -> Comment:
        """Write a comment. It is sent once: where the answer was lost, `comments` tells whether it is there."""
        answer = self.http.send("POST", self._path(f"/issues/{thread.number}/comments"), {"body": body})
        return shapes.comment(Shape.of(answer.json(), f"{NAME}: the answer to a write"))

    def labels(self, thread: Thread) -> tuple[str, ...]:
        """Its labels, every page."""
        items = self.http.pages(self._path(f"/issues/{thread.number}/labels"), {"per_page": PAGE})
        return tuple(Shape.of(item, f"{NAME}: the labels of #{thread.number}").text("name") for item in items)

    def add_labels(self, thread: Thread, labels: Sequence[str]) -> None:
        """Add labels, those it has stay; ones that are new to the repository are made. Doing it twice does no harm."""
        if labels:
            self.http.send("POST", self._path(f"/issues/{thread.number}/labels"), {"labels": list(labels)}, repeatable=True)

    def of_commit(self, sha: str) -> tuple[int, ...]:
        """The merged pull requests that brought the commit, the oldest first; none for a commit that GitHub does not know."""
        try:
            items = list(self.http.pages(self._path(f"/commits/{quote(sha, safe='')}/pulls"), {"per_page": PAGE}))
        except (NotFound, Rejected):  # 422: the repository does not hold the commit
            return ()
        pulls = (Shape.of(item, f"{NAME}: the pull requests of commit {sha[:12]}") for item in items)
        return tuple(sorted(pull.number("number") for pull in pulls if pull.time("merged_at") is not None))

    def _path(self, below: str) -> str:
        return repository_path(self.repository) + below

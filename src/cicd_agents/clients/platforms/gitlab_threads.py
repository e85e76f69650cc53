"""Notes and labels of GitLab's issues and merge requests (GitLab docs, api/notes, api/issues, api/merge_requests).

Lines that begin with a slash are orders to GitLab in a note or description (GitLab docs, user/project/quick_actions); who writes one must have escaped
what came from outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from cicd_agents.clients.platforms import gitlab_shapes as shapes
from cicd_agents.clients.platforms.gitlab_code import capped
from cicd_agents.clients.platforms.gitlab_service import Project
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Comment
from cicd_agents.domain.forge import Thread, ThreadKind

# Most merge requests of one commit that are told.
MAX_REQUESTS = 100
_KINDS = {ThreadKind.ISSUE: "issues", ThreadKind.REQUEST: "merge_requests"}


@dataclass(frozen=True, slots=True)
class GitLabThreads:
    """Issues and merge requests of one project by their iids (port `Threads`)."""

    project: Project

    def comments(self, thread: Thread) -> Iterator[Comment]:
        """All notes that people and bots wrote, oldest first; not those of GitLab itself. Raises NotFound where there is no such thread."""
        query = {"sort": "asc", "order_by": "created_at", "activity_filter": "only_comments"}
        with self.project.surely_there():
            for item in self.project.listed(self._path(thread, "notes"), query, f"the notes of {_shown(thread)}"):
                if not item.flag("system"):
                    yield shapes.comment(item, self._page(thread))

    def comment(self, thread: Thread, body: str) -> Comment:
        """Write a note, cut to what GitLab takes."""
        with self.project.surely_there():
            answer = self.project.http.send("POST", self._path(thread, "notes"), {"body": capped(body)})
        return shapes.comment(Shape.of(answer.json(), f"GitLab: the note on {_shown(thread)} that was written"), self._page(thread))

    def labels(self, thread: Thread) -> tuple[str, ...]:
        """Its labels. Raises NotFound where there is no such thread."""
        with self.project.surely_there():
            answer = self.project.http.get_json(self._path(thread))
        return Shape.of(answer, f"GitLab: {_shown(thread)}").texts("labels", missing_ok=True)

    def add_labels(self, thread: Thread, labels: Sequence[str]) -> None:
        """Add labels; GitLab makes those that the project does not have."""
        if labels:
            with self.project.surely_there():
                self.project.http.send("PUT", self._path(thread), {"add_labels": ",".join(labels)}, repeatable=True)

    def of_commit(self, sha: str) -> tuple[int, ...]:
        """The merged requests that brought the commit, also as their merge or squash commit, by rising iid."""
        path = self.project.path("repository", "commits", sha, "merge_requests")
        listed = self.project.listed(path, {"state": "merged"}, f"the merge requests of commit {sha}")
        with self.project.surely_there():
            found = [item.number("iid") for item in islice(listed, MAX_REQUESTS) if item.text("state", "") == "merged"]
        return tuple(sorted(set(found)))

    def _path(self, thread: Thread, *parts: str) -> str:
        return self.project.path(_KINDS[thread.kind], thread.number, *parts)

    def _page(self, thread: Thread) -> str:
        return f"{self.project.web_url}/-/{_KINDS[thread.kind]}/{thread.number}" if self.project.web_url else ""


def _shown(thread: Thread) -> str:
    return f"issue {thread.number}" if thread.kind is ThreadKind.ISSUE else f"merge request {thread.number}"

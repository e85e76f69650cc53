"""Merge requests of GitLab that we open ourselves (GitLab docs, api/merge_requests)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from cicd_agents.clients.platforms import gitlab_release_shapes as shapes
from cicd_agents.clients.platforms.gitlab_code import MAX_TITLE, capped
from cicd_agents.clients.platforms.gitlab_service import Project
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.forge import ChangeRequest


@dataclass(frozen=True, slots=True)
class GitLabRequests:
    """The merge requests into one project (port `Requests`)."""

    project: Project

    def of_branch(self, head_ref: str, base_ref: str, most: int = 20) -> tuple[ChangeRequest, ...]:
        """Those from this branch of the project itself to that one, newest first; a branch of the same name in a fork is another branch."""
        query = {"source_branch": head_ref, "target_branch": base_ref, "state": "all", "scope": "all", "order_by": "created_at", "sort": "desc"}
        listed = self.project.listed(self.project.path("merge_requests"), query, f"the merge requests of the branch {head_ref}")
        with self.project.surely_there():
            found = (shapes.change_request(item) for item in listed)
            own = (item for item in found if not item.from_fork and (item.head_ref, item.base_ref) == (head_ref, base_ref))
            return tuple(islice(own, most))

    def open(self, head_ref: str, base_ref: str, title: str, body: str) -> ChangeRequest:
        """Open one; the branch stays when it is merged. Raises Rejected where an open one is there already."""
        given = {
            "source_branch": head_ref, "target_branch": base_ref, "title": title[:MAX_TITLE], "description": capped(body), "remove_source_branch": False,
        }  # fmt: skip
        with self.project.surely_there():
            answer = self.project.http.send("POST", self.project.path("merge_requests"), given)
        return shapes.change_request(Shape.of(answer.json(), "GitLab: the merge request that was opened"))

    def rewrite(self, request: ChangeRequest, title: str, body: str) -> ChangeRequest:
        """Change title and description."""
        path, given = self.project.path("merge_requests", request.number), {"title": title[:MAX_TITLE], "description": capped(body)}
        answer = self.project.http.send("PUT", path, given, repeatable=True)
        return shapes.change_request(Shape.of(answer.json(), f"GitLab: merge request {request.number} that was changed"))

"""GitHub's pull requests as far as we make them ourselves (port `Requests`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cicd_agents.clients.http import Http
from cicd_agents.clients.platforms import github_release_shapes as shapes
from cicd_agents.clients.platforms.github_service import NAME, repository_path
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.forge import ChangeRequest

PAGE = 100


@dataclass(frozen=True, slots=True)
class GitHubRequests:
    """Pull requests of one repository, `owner/name`, between its own branches."""

    http: Http
    repository: str

    def of_branch(self, head_ref: str, base_ref: str, most: int = 20) -> tuple[ChangeRequest, ...]:
        """Those from this branch to that one, open and ended, newest first, at most `most`.

        A fork may have an owner and a branch of the same names, so the numbers of the repositories decide.
        """
        return tuple(islice((pull for pull in self._between(head_ref, base_ref) if not pull.from_fork), most))

    def open(self, head_ref: str, base_ref: str, title: str, body: str) -> ChangeRequest:
        """Open one. Raises Rejected where there is one already, and where the branches do not differ."""
        return self._written("POST", "/pulls", {"title": title, "head": head_ref, "base": base_ref, "body": body}, repeatable=False)

    def rewrite(self, request: ChangeRequest, title: str, body: str) -> ChangeRequest:
        """Change title and text; doing it twice does no harm."""
        return self._written("PATCH", f"/pulls/{request.number}", {"title": title, "body": body}, repeatable=True)

    def _between(self, head_ref: str, base_ref: str) -> Iterator[ChangeRequest]:
        owner = self.repository.partition("/")[0]
        params: dict[str, str | int] = {
            "head": f"{owner}:{head_ref}", "base": base_ref, "state": "all", "sort": "created", "direction": "desc", "per_page": PAGE,
        }  # fmt: skip
        for item in self.http.pages(repository_path(self.repository) + "/pulls", params):
            pull = shapes.change_request(Shape.of(item, f"{NAME}: the pull requests"))
            if (pull.head_ref, pull.base_ref) == (head_ref, base_ref):  # GitHub leaves out a filter that it cannot read
                yield pull

    def _written(self, method: str, path: str, fields: dict[str, Any], *, repeatable: bool) -> ChangeRequest:
        answer = self.http.send(method, repository_path(self.repository) + path, fields, repeatable=repeatable)
        return shapes.change_request(Shape.of(answer.json(), f"{NAME}: the answer to a write"))

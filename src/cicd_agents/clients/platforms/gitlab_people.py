"""Accounts of GitLab and what they may do (GitLab docs, api/users and api/members). Accounts are told apart by their numbers alone."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from cicd_agents.clients.platforms.gitlab_service import Project, advice, reason
from cicd_agents.clients.platforms.gitlab_shapes import author as account_of
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Author
from cicd_agents.domain.errors import NotFound

# Least access levels (GitLab docs, api/access_requests, valid access levels): a member who may see something, and one who may push.
GUEST = 10
DEVELOPER = 30


@dataclass(frozen=True, slots=True)
class GitLabPeople:
    """The accounts of a GitLab server, and who of them is what in one project (port `People`)."""

    project: Project

    def account(self, login: str) -> Author | None:
        """The account of a login, in upper or lower case; None where there is none."""
        listed = self.project.listed("/users", {"username": login}, f"the account {login}", most_pages=1)
        found = (account_of(item) for item in listed)
        return next((one for one in found if one.login.lower() == login.lower()), None)

    def in_team(self, team: str, author: Author) -> bool:
        """Whether the account is a member of the group with this full path, also by a group above or one that was invited.

        Raises NotFound where the group itself is not there or may not be seen, so that a misspelt name is not taken for a missing member.
        """
        return self._level(f"/groups/{quote(team, safe='')}", author, "group", f"the group {team}") >= GUEST

    def may_write(self, author: Author) -> bool:
        """Whether the account has the role Developer or a higher one here, also by a group."""
        return self._level(self.project.path(), author, "project", f"the project {self.project.name}") >= DEVELOPER

    def _level(self, place: str, author: Author, kind: str, shown: str) -> int:
        """The access level of an account, 0 where it is no member or is blocked."""
        if not (author.id.isascii() and author.id.isdecimal()):
            return 0
        path = f"{place}/members/all/{author.id}"
        with self.project.surely_there():
            answer = self.project.http.get(path, missing_ok=True)
            if answer.status == 404:
                if kind in reason(answer):
                    raise NotFound(f"GitLab: {shown} was not found. {advice(self.project.token, 'GET', path, 404)}")
                return 0
        member = Shape.of(answer.json(), f"GitLab: a member of {shown}")
        known = member.number("id") == int(author.id) and member.text("state", "active") == "active"
        return member.number("access_level") if known else 0

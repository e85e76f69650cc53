"""Accounts, teams and rights on GitHub (port `People`): who may say yes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from cicd_agents.clients.http import Http
from cicd_agents.clients.platforms import github_shapes as shapes
from cicd_agents.clients.platforms.github_service import NAME, repository_path
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Author
from cicd_agents.domain.errors import UsageError

# Names of accounts, those of apps (`name[bot]`) and of an enterprise (`name_short`) too; teams by the name in their address.
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}(?:\[bot\])?")
_TEAM = re.compile(r"([A-Za-z0-9_-]{1,100})/([A-Za-z0-9_-]{1,200})")
# `maintain` and custom roles are given as the one of these that they build upon.
_WRITING = ("admin", "write")


@dataclass(frozen=True, slots=True)
class GitHubPeople:
    """People as one repository, `owner/name`, sees them. A login may pass to another account, so each answer is compared by the account's number."""

    http: Http
    repository: str

    def account(self, login: str) -> Author | None:
        """The account that has this login now; None where there is none."""
        if not _LOGIN.fullmatch(login):
            return None
        answer = self.http.get(f"/users/{quote(login, safe='')}", missing_ok=True)
        return None if answer.status == 404 else shapes.author(Shape.of(answer.json(), f"{NAME}: the account {login}"))

    def in_team(self, team: str, author: Author) -> bool:
        """Whether the account is an active member of `organisation/team`, or of a team below it.

        The token needs `members: read` of the organisation, else NotAllowed or NotFound is raised: a job's own token cannot have it. NotFound also
        where there is no such team, UsageError where `team` is no such name.
        """
        named = _TEAM.fullmatch(team)
        if named is None:
            raise UsageError(f"`{team[:200]}` names no team: write `organisation/team` as in the team's address.")
        if not self._still(author):
            return False
        path = f"/orgs/{named[1]}/teams/{quote(named[2], safe='')}"
        answer = self.http.get(f"{path}/memberships/{quote(author.login, safe='')}", missing_ok=True)
        if answer.status == 404:
            self.http.get(path)  # raises where it is the team that is not there, or not to be seen
            return False
        return Shape.of(answer.json(), f"{NAME}: the membership in {team}").text("state") == "active"

    def may_write(self, author: Author) -> bool:
        """Whether the account may write to the repository, by whatever right."""
        if not author.id or not _LOGIN.fullmatch(author.login):
            return False
        answer = self.http.get(f"{repository_path(self.repository)}/collaborators/{quote(author.login, safe='')}/permission", missing_ok=True)
        if answer.status == 404:
            return False
        data = Shape.of(answer.json(), f"{NAME}: the rights of {author.login}")
        return shapes.author(data.maybe("user")).id == author.id and data.text("permission") in _WRITING

    def _still(self, author: Author) -> bool:
        """Whether the login belongs to the account of this number."""
        known = self.account(author.login) if author.id else None
        return known is not None and known.id == author.id

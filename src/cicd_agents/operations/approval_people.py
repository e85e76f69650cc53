"""Who may approve: the names of the settings made into accounts by number, and whether an account is one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cicd_agents.domain.ci import Author
from cicd_agents.domain.errors import NotFound, ServiceError, UsageError
from cicd_agents.domain.forge import People
from cicd_agents.operations.approval_request import who_may
from cicd_agents.operations.approval_rules import ApprovalRule, ApproverKind
from cicd_agents.report.escape import code_span

# How many people who are not named themselves are looked up in teams for one plan: each may cost several calls.
MOST_LOOKED_UP = 50
_MENTION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)


class Unsure(Exception):
    """It cannot be told whether an account may approve; the text says why."""


@dataclass(frozen=True, slots=True)
class Voters:
    """Those who may approve by one rule: accounts by number, teams, all who may write. `barred`: numbers of accounts that may not, though."""

    rule: ApprovalRule
    named: Mapping[str, Author]
    teams: tuple[str, ...] = ()
    writers: bool = False
    barred: frozenset[str] = frozenset()

    @property
    def anybody(self) -> bool:
        """Whether nobody was named and the platform itself guards who answers (environments)."""
        return not self.rule.approvers and bool(self.rule.environment)

    def line(self) -> str:
        """Who they are, as a line of Markdown that calls them. Logins are checked, for the platform told them; teams are as the settings name them."""
        names = [_called(author) for author in self.named.values()]
        names += [f"the members of @{team}" for team in self.teams] + ["all who may write to this repository"] * self.writers
        return who_may(names, self.rule.minimum, self.rule.operation, "" if self.rule.starter_may else ", but not who started the run")


def voters_of(rule: ApprovalRule, people: People, barred: frozenset[str] = frozenset()) -> Voters:
    """The accounts and teams of a rule. Raises UsageError where none of its people exists, and ServiceError."""
    named: dict[str, Author] = {}
    unknown: list[str] = []
    for approver in rule.approvers:
        if approver.kind is ApproverKind.ID:
            named.setdefault(approver.name, Author(approver.name))
        elif approver.kind is ApproverKind.LOGIN:
            account = people.account(approver.name)
            if account is None or not account.id:
                unknown.append(approver.name)
            else:
                named[account.id] = account
    teams = tuple(dict.fromkeys(approver.name for approver in rule.approvers if approver.kind is ApproverKind.TEAM))
    writers = any(approver.kind is ApproverKind.WRITERS for approver in rule.approvers)
    if unknown and len(named) < rule.minimum and not teams and not writers:
        raise UsageError(f"approvers: there is no account {', '.join(unknown)}, so nobody could approve {rule.operation}.")
    return Voters(rule, named, teams, writers, frozenset() if rule.starter_may else barred)


def starter_of(login: str, people: People) -> str:
    """The number of the account that started the run; empty where the platform names none. Raises NotFound where it cannot be told from others."""
    if not login:
        return ""
    account = people.account(login)
    if account is None or not account.id:
        raise NotFound(f"The account {login[:80]!r} that started the run is not there, so nobody's approval can be told from its own.")
    return account.id


@dataclass(slots=True)
class Register:
    """Looks accounts up once each, and only so many."""

    people: People
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)

    def may(self, author: Author, voters: Voters) -> bool:
        """Whether the account may approve by the rule. Raises Unsure where that cannot be told."""
        if not author.id or author.id in voters.barred:
            return False
        if author.id in voters.named or voters.anybody:
            return True
        problems: list[str] = []
        for place in (*(f"team:{team}" for team in voters.teams), *(["role:write"] if voters.writers else [])):
            try:
                if self._in(place, author):
                    return True
            except (ServiceError, UsageError) as problem:
                problems.append(str(problem))
        if problems:
            raise Unsure(problems[0])
        return False

    def _in(self, place: str, author: Author) -> bool:
        key = (place, author.id)
        if key not in self._known:
            self._asked.add(author.id)
            if len(self._asked) > MOST_LOOKED_UP:
                self._asked.discard(author.id)
                raise NotFound(f"More than {MOST_LOOKED_UP} people answered who are not named in the settings; name the approvers themselves.")
            team = place.removeprefix("team:")
            self._known[key] = self.people.in_team(team, author) if team != place else self.people.may_write(author)
        return self._known[key]


def distinct(voters: Sequence[Voters]) -> tuple[str, ...]:
    """The lines of all rules, each once."""
    return tuple(dict.fromkeys(one.line() for one in voters))


def _called(author: Author) -> str:
    if not author.login:
        return f"account {author.id}"
    login = f"@{author.login}" if _MENTION.fullmatch(author.login) else code_span(author.login, 80)
    return f"{login} (id {author.id})"

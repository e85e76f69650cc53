"""Who may say yes on GitHub: accounts by number, teams, rights. A login alone never proves anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.clients.platforms.github_connection import connect
from tests.servers.github import BOT, PERSON, STRANGER, GitHub
from tests.servers.github_state import Account
from tests.servers.http_server import Reply, json_reply

from cicd_agents.clients.platforms.github_people import GitHubPeople
from cicd_agents.domain.ci import Author
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, UsageError
from cicd_agents.domain.forge import People

SOMEBODY = Author(str(PERSON.id), PERSON.login)
NOBODY = Author("", "ghost")


@pytest.fixture(params=["", "/api/v3"], ids=["github.com", "Enterprise Server"])
def hub(request: pytest.FixtureRequest) -> Iterator[GitHub]:
    with GitHub(prefix=request.param) as hub:
        hub.permissions.add("members: read")
        hub.teams["octo-org/release-team"] = {PERSON.id: "active"}
        yield hub


def people(hub: GitHub) -> GitHubPeople:
    made = GitHubPeople(connect(hub), hub.repository.full_name)
    port: People = made
    assert port is made
    return made


def renamed(hub: GitHub) -> None:
    """The person took another login, and a stranger the free one."""
    hub.people = {PERSON.login: Account(STRANGER.id, PERSON.login), "mona": Account(PERSON.id, "mona")}


@pytest.mark.parametrize("login", ["octocat", "OctoCat"])
def test_an_account_is_found_by_its_login_in_any_case(hub: GitHub, login: str) -> None:
    assert people(hub).account(login) == SOMEBODY


def test_an_app_has_an_account_too(hub: GitHub) -> None:
    assert people(hub).account("github-actions[bot]") == Author(str(BOT.id), BOT.login)


def test_a_login_that_nobody_has_is_none(hub: GitHub) -> None:
    assert people(hub).account("nobody-has-this") is None


@pytest.mark.parametrize("login", ["", "..", "a/b", "a b", "@octocat", "octocat\n", "x" * 101, "a?b=c", "octocat[bot][bot]"])
def test_what_is_no_login_is_not_asked_for(hub: GitHub, login: str) -> None:
    assert people(hub).account(login) is None
    assert hub.requests == []


def test_only_active_members_are_in_a_team(hub: GitHub) -> None:
    hub.teams["octo-org/release-team"][STRANGER.id] = "pending"
    assert people(hub).in_team("octo-org/release-team", SOMEBODY)
    assert not people(hub).in_team("octo-org/release-team", Author(str(STRANGER.id), STRANGER.login))
    assert not people(hub).in_team("octo-org/release-team", Author(str(BOT.id), BOT.login))


def test_who_took_over_a_login_is_not_its_former_owner(hub: GitHub) -> None:
    renamed(hub)
    hub.teams["octo-org/release-team"] = {STRANGER.id: "active"}
    hub.rights = {STRANGER.id: "admin"}
    assert not people(hub).in_team("octo-org/release-team", SOMEBODY)
    assert not people(hub).may_write(SOMEBODY)


def test_an_account_that_was_deleted_is_nobody(hub: GitHub) -> None:
    hub.people["ghost"] = Account(10137, "ghost")
    hub.rights[10137] = "admin"
    assert not people(hub).in_team("octo-org/release-team", NOBODY)
    assert not people(hub).may_write(NOBODY)
    assert hub.requests == []


def test_a_token_that_may_not_see_teams_says_what_it_takes(hub: GitHub) -> None:
    hub.permissions.remove("members: read")
    with pytest.raises(NotAllowed, match="Add `members: read` of the organisation to a token of a GitHub App or a person; the job's own token cannot have it"):
        people(hub).in_team("octo-org/release-team", SOMEBODY)


def test_a_team_that_is_not_there_is_told_from_a_missing_member(hub: GitHub) -> None:
    with pytest.raises(NotFound, match=r"looking for the team octo-org/relase-team found nothing.*`organisation/team`"):
        people(hub).in_team("octo-org/relase-team", SOMEBODY)


@pytest.mark.parametrize("team", ["release-team", "octo-org/a/b", "octo-org/", "/team", "../team", "octo-org/te am", "octo-org/..", ""])
def test_what_is_no_team_is_a_wrong_setting(hub: GitHub, team: str) -> None:
    with pytest.raises(UsageError, match="names no team"):
        people(hub).in_team(team, SOMEBODY)
    assert hub.requests == []


@pytest.mark.parametrize(
    ("role", "expected"), [("admin", True), ("maintain", True), ("write", True), ("triage", False), ("read", False), ("none", False), ("auditor", False)]
)
def test_who_may_write_is_told_by_the_role(hub: GitHub, role: str, expected: bool) -> None:
    hub.rights[PERSON.id] = role
    assert people(hub).may_write(SOMEBODY) is expected


def test_who_is_no_account_any_more_may_not_write(hub: GitHub) -> None:
    assert not people(hub).may_write(Author("5", "gone"))


def test_a_team_or_right_of_another_shape_is_a_bad_answer(hub: GitHub) -> None:
    hub.faults[1] = json_reply({"state": 5})
    with pytest.raises(BadAnswer, match="the membership in octo-org/t"):
        people(hub).in_team("octo-org/t", SOMEBODY)
    answers: tuple[object, ...] = ({"permission": 7, "user": PERSON.json()}, [], {"permission": "admin", "user": {"id": "5"}})
    for answer in answers:
        hub.faults[len(hub.requests)] = json_reply(answer)
        with pytest.raises(BadAnswer):
            people(hub).may_write(SOMEBODY)


def test_a_right_without_an_account_is_nobodys(hub: GitHub) -> None:
    hub.faults[0] = json_reply({"permission": "admin", "user": None})
    assert not people(hub).may_write(SOMEBODY)


@pytest.mark.parametrize("fault", [Reply(502), Reply(reset=True), json_reply({"message": "slow"}, 429, {"retry-after": "2"})])
def test_a_passing_fault_is_overcome(hub: GitHub, fault: Reply) -> None:
    hub.faults.update({0: fault, 2: fault, 4: fault})
    assert people(hub).in_team("octo-org/release-team", SOMEBODY)
    assert people(hub).may_write(SOMEBODY)

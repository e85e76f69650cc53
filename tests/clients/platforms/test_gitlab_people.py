"""Accounts of GitLab, their groups and their roles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.clients.platforms.gitlab_rig import Rig, gitlab, project
from tests.servers.http_server import json_reply

from cicd_agents.clients.platforms.gitlab_people import GitLabPeople
from cicd_agents.domain.ci import Author
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound
from cicd_agents.domain.forge import People


@pytest.fixture
def server() -> Iterator[Rig]:
    with gitlab() as running:
        yield running


def people(server: Rig, *, job: str = "", name: str = "7") -> People:
    return GitLabPeople(project(server, job=job, name=name))


def author(account: dict[str, object]) -> Author:
    return Author(str(account["id"]), str(account["username"]))


def test_an_account_is_found_by_its_login_in_any_case(server: Rig) -> None:
    ada = server.forge.add_account("Ada")
    assert people(server).account("ada") == author(ada)
    assert people(server).account("nobody") is None


def test_an_account_of_another_login_is_not_taken(server: Rig) -> None:
    server.faults = {0: json_reply([{"id": 5, "username": "ada2"}])}
    assert people(server).account("ada") is None


def test_a_member_of_a_group_is_known_by_number_not_by_login(server: Rig) -> None:
    ada = server.forge.add_account("ada", groups=["org/team/releasers"])
    eve = server.forge.add_account("eve")
    port = people(server)
    assert port.in_team("org/team/releasers", author(ada))
    assert not port.in_team("org/team/releasers", author(eve))
    assert not port.in_team("org/team/releasers", Author(str(eve["id"]), "ada"))


def test_minimal_access_makes_no_member(server: Rig) -> None:
    ada = server.forge.add_account("ada", groups=["org"])
    server.forge.groups["org"][ada["id"]] = 5
    assert not people(server).in_team("org", author(ada))


def test_a_group_that_cannot_be_seen_is_not_taken_for_a_missing_member(server: Rig) -> None:
    ada = server.forge.add_account("ada")
    with pytest.raises(NotFound, match="the group org/relesers was not found"):
        people(server).in_team("org/relesers", author(ada))


def test_a_project_that_cannot_be_seen_is_not_taken_for_a_missing_member(server: Rig) -> None:
    ada = server.forge.add_account("ada", level=40)
    with pytest.raises(NotFound, match="the project 99 was not found"):
        people(server, name="99").may_write(author(ada))


@pytest.mark.parametrize(("level", "may"), [(0, False), (10, False), (20, False), (30, True), (40, True), (50, True)])
def test_developers_and_higher_roles_may_write(server: Rig, level: int, may: bool) -> None:
    assert people(server).may_write(author(server.forge.add_account("ada", level=level))) is may


def test_an_account_that_is_blocked_may_nothing(server: Rig) -> None:
    ada = server.forge.add_account("ada", level=50)
    ada["state"] = "blocked"
    assert not people(server).may_write(author(ada))


@pytest.mark.parametrize("number", ["", "ada", "-1", "1/../2", "٣"])
def test_an_author_without_a_number_may_nothing_and_nobody_is_asked(server: Rig, number: str) -> None:
    assert not people(server).may_write(Author(number, "ada"))
    assert not server.requests


def test_an_answer_about_somebody_else_gives_no_right(server: Rig) -> None:
    server.faults = {0: json_reply({"id": 6, "username": "ada", "state": "active", "access_level": 50})}
    assert not people(server).may_write(Author("5", "ada"))


def test_an_answer_without_a_level_is_told(server: Rig) -> None:
    server.faults = {0: json_reply({"id": 5, "username": "ada"})}
    with pytest.raises(BadAnswer, match="`access_level` should be a whole number"):
        people(server).may_write(Author("5", "ada"))


def test_a_job_token_may_not_ask_about_people(server: Rig) -> None:
    ada = server.forge.add_account("ada", level=40)
    port = people(server, job=server.job_token())
    for ask in (lambda: port.account("ada"), lambda: port.may_write(author(ada)), lambda: port.in_team("org", author(ada))):
        with pytest.raises(NotAllowed, match="CICD_AGENTS_GITLAB_TOKEN"):
            ask()

"""Who took part in a release, and who for the first time."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.changelog.people import Contributor, Newcomers, Person, contributors, is_bot, is_dependency_bot, shown_name
from cicd_agents.domain.release import HistoryCommit


def commit(sha: str, name: str, email: str, message: str = "x") -> HistoryCommit:
    return HistoryCommit(sha, (), name, email, 0, message)


def test_each_person_is_named_once_however_they_are_spelt() -> None:
    commits = [
        commit("1", "Jane Doe", "jane@example.com"),
        commit("2", "jane  doe", "other@example.com"),
        commit("3", "JD", "JANE@example.com"),
        commit("4", "octo", "1+octo@users.noreply.github.com"),
        commit("5", "Octo Cat", "octo@users.noreply.github.com"),
    ]
    assert contributors(commits) == (Contributor("Jane Doe", False), Contributor("octo", False))


def test_co_authors_take_part_and_bots_do_not() -> None:
    message = "feat: x\n\nCo-authored-by: Ann <ann@example.com>\nco-authored-by: dependabot[bot] <x@y>\n"
    commits = [commit("1", "renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com", message)]
    assert contributors(commits) == (Contributor("Ann", False),)


def test_a_mail_address_is_never_shown() -> None:
    assert contributors([commit("1", "jane@example.com", "jane@example.com")]) == (Contributor("jane", False),)
    assert shown_name("Jane (jane.d@mail.example.org)") == "Jane (jane.d)"


def test_first_time_means_that_neither_name_nor_mail_is_older() -> None:
    commits = [
        commit("1", "New One", "new@example.com"),
        commit("2", "Old Name", "changed@example.com"),
        commit("3", "Changed Name", "OLD@example.com"),
    ]
    newcomers = Newcomers(commits, earlier=[Person("old name", "x@example.com"), Person("y", "old@example.com")])
    assert contributors(commits, newcomers) == (Contributor("New One", True), Contributor("Old Name", False), Contributor("Changed Name", False))


def test_in_a_history_people_are_new_in_their_first_release_only() -> None:
    first, second = [commit("1", "Ann", "ann@x")], [commit("2", "Ann", "ann@x"), commit("3", "Bob", "bob@x", "x\n\nCo-Authored-By: Cy <cy@x>")]
    newcomers = Newcomers([*first, *second])
    assert contributors(first, newcomers) == (Contributor("Ann", True),)
    assert contributors(second, newcomers) == (Contributor("Ann", False), Contributor("Bob", True), Contributor("Cy", True))


@pytest.mark.parametrize(
    ("name", "email", "bot"),
    [
        ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", True),
        ("Renovate Bot", "bot@renovateapp.com", True),
        ("project_12_bot_ab", "project12_bot@noreply.gitlab.com", True),
        ("GitHub", "noreply@github.com", True),
        ("semantic-release-bot", "x@martynus.net", True),
        ("Talbot", "talbot@example.com", False),
        ("Jane", "jane@example.com", False),
    ],
)
def test_bots_are_known(name: str, email: str, bot: bool) -> None:
    assert is_bot(Person(name, email)) is bot


def test_only_some_bots_update_dependencies() -> None:
    assert is_dependency_bot("renovate[bot]")
    assert not is_dependency_bot("github-actions[bot]")

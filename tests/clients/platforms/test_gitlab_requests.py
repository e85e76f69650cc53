"""Merge requests of GitLab that we open ourselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.clients.platforms.gitlab_rig import Rig, gitlab, project

from cicd_agents.clients.platforms.gitlab_requests import GitLabRequests
from cicd_agents.domain.errors import NotAllowed, Rejected
from cicd_agents.domain.forge import Requests

SHA, MERGED = "a" * 40, "c" * 40
BRANCH = "release/1.x"


@pytest.fixture
def server() -> Iterator[Rig]:
    with gitlab() as running:
        running.heads[BRANCH] = SHA
        yield running


def requests(server: Rig, *, job: str = "", access: str | None = None) -> GitLabRequests:
    return GitLabRequests(project(server, access=access, job=job))


def test_a_request_is_opened_and_found_again_and_its_branch_stays(server: Rig) -> None:
    port: Requests = requests(server)
    made = port.open(BRANCH, "main", "Release 1.0.0", "The notes.")
    assert (made.number, made.head_ref, made.head_sha, made.base_ref) == (1, BRANCH, SHA, "main")
    assert (made.title, made.body, made.open, made.merged_as, made.from_fork) == ("Release 1.0.0", "The notes.", True, "", False)
    assert made.author.login == "project_7_bot"
    assert made.url == f"{server.web_url}/-/merge_requests/1"
    assert port.of_branch(BRANCH, "main") == (made,)
    assert server.merge_requests[1].data["force_remove_source_branch"] is False


def test_a_second_one_of_the_same_branch_is_rejected_by_the_number_of_the_first(server: Rig) -> None:
    requests(server).open(BRANCH, "main", "Release 1.0.0", "")
    with pytest.raises(Rejected, match=r"opening a merge request was rejected \(409\).*!1"):
        requests(server).open(BRANCH, "main", "Release 1.0.0", "")
    assert len(server.merge_requests) == 1


def test_title_and_text_are_changed(server: Rig) -> None:
    made = requests(server).open(BRANCH, "main", "Release 1.0.0", "old")
    after = requests(server).rewrite(made, "Release 1.1.0", "new")
    assert (after.number, after.title, after.body) == (1, "Release 1.1.0", "new")


def test_ended_requests_are_listed_newest_first_and_those_of_forks_and_other_branches_are_not(server: Rig) -> None:
    server.add_merge_request(1, SHA, branch=BRANCH, state="closed")
    server.add_merge_request(2, SHA, branch=BRANCH, source_project_id=99)
    server.add_merge_request(3, SHA, branch="other")
    server.add_merge_request(4, SHA, branch=BRANCH)
    server.merge_requests[4].data["target_branch"] = "2.x"
    server.add_merge_request(5, SHA, branch=BRANCH)
    assert [(found.number, found.open) for found in requests(server).of_branch(BRANCH, "main")] == [(5, True), (1, False)]


def test_many_forks_with_a_branch_of_this_name_do_not_hide_ours(server: Rig) -> None:
    server.add_merge_request(1, SHA, branch=BRANCH)
    for iid in range(2, 150):
        server.add_merge_request(iid, SHA, branch=BRANCH, source_project_id=99)
    assert [found.number for found in requests(server).of_branch(BRANCH, "main", 1)] == [1]


@pytest.mark.parametrize("how", ["merge", "squash", "fast-forward"])
def test_the_commit_that_a_merge_made_is_told(server: Rig, how: str) -> None:
    server.add_merge_request(1, SHA, branch=BRANCH)
    server.forge.merge(1, MERGED, how)
    found = requests(server).of_branch(BRANCH, "main")[0]
    assert (found.open, found.merged_as) == (False, MERGED)


def test_of_a_squashed_request_with_a_merge_commit_that_commit_is_told(server: Rig) -> None:
    server.add_merge_request(1, SHA, branch=BRANCH)
    server.forge.merge(1, "d" * 40, "squash")
    server.forge.merge(1, MERGED, "merge")
    assert requests(server).of_branch(BRANCH, "main")[0].merged_as == MERGED


def test_a_request_that_is_being_merged_is_not_ended(server: Rig) -> None:
    server.add_merge_request(1, SHA, branch=BRANCH, state="locked")
    found = requests(server).of_branch(BRANCH, "main")[0]
    assert (found.open, found.merged_as) == (True, "")


def test_a_job_token_lists_requests_but_cannot_open_one(server: Rig) -> None:
    token = server.job_token()
    assert requests(server, job=token).of_branch(BRANCH, "main") == ()
    with pytest.raises(NotAllowed, match=r"opening a merge request was refused .* the role Developer"):
        requests(server, job=token).open(BRANCH, "main", "Release", "")

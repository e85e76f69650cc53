"""Pull requests that we make ourselves on GitHub: found by branches, opened once, rewritten, merged by people; also on a real repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clients.platforms.github_connection import connect
from tests.servers.github import BOT, FORK, GitHub
from tests.servers.github_state import Repo
from tests.servers.http_server import Reply, json_reply
from tests.servers.repositories import bare_remote, git, released

from cicd_agents.clients.platforms.github_requests import GitHubRequests
from cicd_agents.clients.platforms.github_threads import GitHubThreads
from cicd_agents.domain.errors import BadAnswer, NotAllowed, Rejected, Unavailable
from cicd_agents.domain.forge import Requests

BRANCH = "release/main"


@pytest.fixture(params=["", "/api/v3"], ids=["github.com", "Enterprise Server"])
def hub(request: pytest.FixtureRequest) -> Iterator[GitHub]:
    with GitHub(prefix=request.param) as hub:
        yield hub


def requests(hub: GitHub) -> GitHubRequests:
    made = GitHubRequests(connect(hub), hub.repository.full_name)
    port: Requests = made
    assert port is made
    return made


def test_a_request_is_opened_and_found_with_all_that_it_says(hub: GitHub) -> None:
    opened = requests(hub).open(BRANCH, "main", "Release 1.0.0", "Notes")
    hub.issues[opened.number].labels = ("autorelease",)
    [found] = requests(hub).of_branch(BRANCH, "main")
    assert (found.author.id, found.head_ref, found.base_ref, found.title, found.body) == (str(BOT.id), BRANCH, "main", "Release 1.0.0", "Notes")
    assert (found.open, found.merged_as, found.from_fork, found.labels) == (True, "", False, ("autorelease",))
    assert (found.head_sha, found.url) == (hub.commit_of(BRANCH), f"{hub.url}/pull/{found.number}")


def test_open_and_ended_ones_are_found_newest_first_and_no_more_than_asked(hub: GitHub) -> None:
    numbers = []
    for _ in range(3):
        numbers.append(requests(hub).open(BRANCH, "main", "x", "").number)
        hub.merge(numbers[-1])
    closed = hub.open_pull(BRANCH)
    assert closed.pull is not None
    closed.pull.state = "closed"
    found = requests(hub).of_branch(BRANCH, "main")
    assert [one.number for one in found] == [closed.number, *reversed(numbers)]
    assert [bool(one.merged_as) for one in found] == [False, True, True, True]
    assert not any(one.open for one in found)
    assert len(requests(hub).of_branch(BRANCH, "main", most=2)) == 2


def test_forks_and_other_branches_are_no_requests_of_ours(hub: GitHub) -> None:
    for head, base, repository in ((BRANCH, "main", FORK), (BRANCH, "main", Repo(778, "octo/fork-of-app")), (BRANCH, "1.x", None), ("other", "main", None)):
        hub.open_pull(head, base=base, head=repository)
    assert requests(hub).of_branch(BRANCH, "main") == ()


def test_where_github_leaves_out_the_filter_the_branches_still_decide(hub: GitHub) -> None:
    both = [hub.pull_json(hub.open_pull(branch), hub.url) for branch in ("other", BRANCH)]
    hub.faults[0] = json_reply(both)
    assert [one.head_ref for one in requests(hub).of_branch(BRANCH, "main")] == [BRANCH]


def test_a_second_request_of_the_branch_is_rejected(hub: GitHub) -> None:
    requests(hub).open(BRANCH, "main", "x", "")
    with pytest.raises(Rejected, match=f"A pull request already exists for octo:{BRANCH}"):
        requests(hub).open(BRANCH, "main", "x", "")
    assert len(hub.issues) == 1


def test_title_and_text_are_rewritten_and_twice_does_no_harm(hub: GitHub) -> None:
    opened = requests(hub).open(BRANCH, "main", "Release 1.0.0", "old")
    hub.lost[len(hub.requests)] = Reply(502)
    for _ in range(2):
        changed = requests(hub).rewrite(opened, "Release 1.1.0", "")
    assert (changed.number, changed.title, changed.body, changed.open) == (opened.number, "Release 1.1.0", "", True)


def test_an_opened_request_whose_answer_is_lost_is_there_once(hub: GitHub) -> None:
    hub.lost[0] = Reply(reset=True)
    with pytest.raises(Unavailable):
        requests(hub).open(BRANCH, "main", "x", "")
    assert len(requests(hub).of_branch(BRANCH, "main")) == 1


def test_where_actions_may_open_none_the_setting_is_named(hub: GitHub) -> None:
    hub.faults[0] = json_reply({"message": "GitHub Actions is not permitted to create or approve pull requests."}, 403)
    with pytest.raises(NotAllowed, match="`Allow GitHub Actions to create and approve pull requests` must be on"):
        requests(hub).open(BRANCH, "main", "x", "")


@pytest.mark.parametrize("change", [{"title": None}, {"state": 1}, {"merged_at": "soon"}, {"labels": 3}, {"head": None}])
def test_a_request_of_another_shape_is_a_bad_answer(hub: GitHub, change: dict[str, Any]) -> None:
    hub.faults[0] = json_reply([{**hub.pull_json(hub.open_pull(BRANCH), hub.url), **change}])
    with pytest.raises(BadAnswer, match="GitHub: the pull requests"):
        requests(hub).of_branch(BRANCH, "main")


@pytest.mark.parametrize("squash", [True, False])
def test_a_merge_in_a_real_repository_is_told_by_its_commit(hub: GitHub, tmp_path: Path, squash: bool) -> None:
    repository = released(tmp_path / "work")
    remote = bare_remote(tmp_path / "remote.git", repository)
    hub.follow(remote)
    with pytest.raises(Rejected, match="invalid"):
        requests(hub).open(BRANCH, "main", "x", "")
    repository.branch(BRANCH)
    repository.git("push", "--quiet", "origin", BRANCH)
    with pytest.raises(Rejected, match="No commits between"):
        requests(hub).open(BRANCH, "main", "x", "")
    commit = repository.commit("chore: release", {"CHANGELOG.md": "x\n"})
    repository.git("push", "--quiet", "origin", BRANCH)
    opened = requests(hub).open(BRANCH, "main", "Release", "")
    assert opened.head_sha == commit
    merged = hub.merge(opened.number, squash=squash)
    [found] = requests(hub).of_branch(BRANCH, "main")
    assert (found.merged_as, found.open) == (merged, False)
    assert git(remote, "rev-parse", "main") == merged
    assert git(remote, "show", "main:CHANGELOG.md") == "x"
    assert GitHubThreads(connect(hub), "octo/app").of_commit(commit) == (opened.number,)
    assert set(hub.tags) == {"v1.0.0", "v1.1.0"}
    assert hub.tags["v1.0.0"] == git(remote, "rev-parse", "v1.0.0^{commit}")

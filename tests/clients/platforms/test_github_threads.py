"""Comments and labels of issues and pull requests on GitHub, and the pull requests that brought a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.clients.platforms.github_connection import connect
from tests.servers.github import BOT, FORK, GitHub
from tests.servers.http_server import Reply, json_reply

from cicd_agents.clients.platforms.github_threads import GitHubThreads
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, RateLimited, Unavailable
from cicd_agents.domain.forge import Thread, ThreadKind, Threads


@pytest.fixture(params=["", "/api/v3"], ids=["github.com", "Enterprise Server"])
def hub(request: pytest.FixtureRequest) -> Iterator[GitHub]:
    with GitHub(prefix=request.param) as hub:
        yield hub


def threads(hub: GitHub) -> GitHubThreads:
    made = GitHubThreads(connect(hub), hub.repository.full_name)
    port: Threads = made
    assert port is made
    return made


def both(hub: GitHub) -> list[Thread]:
    return [Thread(ThreadKind.ISSUE, hub.add_issue("A bug").number), Thread(ThreadKind.REQUEST, hub.open_pull("fix").number)]


def test_comments_of_issues_and_requests_are_written_and_read(hub: GitHub) -> None:
    for thread in both(hub):
        hub.add_comment(thread.number, "first")
        written = threads(hub).comment(thread, "Released in v1.0.0")
        assert (written.author.id, written.body) == (str(BOT.id), "Released in v1.0.0")
        assert [comment.body for comment in threads(hub).comments(thread)] == ["first", "Released in v1.0.0"]


def test_all_pages_of_comments_are_read_oldest_first(hub: GitHub) -> None:
    thread = both(hub)[0]
    for number in range(205):
        hub.add_comment(thread.number, str(number))
    assert [comment.body for comment in threads(hub).comments(thread)] == [str(number) for number in range(205)]


def test_labels_are_added_to_those_that_are_there_and_twice_does_no_harm(hub: GitHub) -> None:
    for thread in both(hub):
        hub.issues[thread.number].labels = ("bug",)
        for _ in range(2):
            threads(hub).add_labels(thread, ["released", "released: next"])
        assert threads(hub).labels(thread) == ("bug", "released", "released: next")


def test_all_pages_of_labels_are_read(hub: GitHub) -> None:
    thread = both(hub)[0]
    hub.issues[thread.number].labels = tuple(f"label {number}" for number in range(103))
    assert len(threads(hub).labels(thread)) == 103


def test_no_labels_are_no_request(hub: GitHub) -> None:
    thread = both(hub)[0]
    threads(hub).add_labels(thread, [])
    assert hub.requests == []


def test_a_thread_that_is_not_there_is_not_found(hub: GitHub) -> None:
    nowhere = Thread(ThreadKind.ISSUE, 999)
    calls: list[Callable[[], object]] = [
        lambda: list(threads(hub).comments(nowhere)), lambda: threads(hub).comment(nowhere, "x"), lambda: threads(hub).labels(nowhere),
        lambda: threads(hub).add_labels(nowhere, ["x"]),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(NotFound, match="#999"):
            call()


def test_a_comment_whose_answer_is_lost_is_sent_once_and_there(hub: GitHub) -> None:
    thread = both(hub)[0]
    hub.lost[0] = Reply(502)
    with pytest.raises(Unavailable):
        threads(hub).comment(thread, "x")
    assert [comment.body for comment in threads(hub).comments(thread)] == ["x"]


def test_labels_whose_answer_is_lost_are_sent_again(hub: GitHub) -> None:
    thread = both(hub)[0]
    hub.lost[0] = Reply(reset=True)
    threads(hub).add_labels(thread, ["released"])
    assert (hub.issues[thread.number].labels, len(hub.requests)) == (("released",), 2)


def test_either_permission_is_named_where_a_label_is_refused(hub: GitHub) -> None:
    thread = both(hub)[1]
    hub.permissions -= {"issues: write", "pull-requests: write"}
    with pytest.raises(NotAllowed, match=r"Add `pull-requests: write` \(on an issue: `issues: write`\)"):
        threads(hub).add_labels(thread, ["x"])


@pytest.mark.parametrize("squash", [True, False])
def test_the_merged_requests_of_a_commit_are_found_by_it_and_by_what_it_became(hub: GitHub, squash: bool) -> None:
    commit = hub.add_commit("fix: x")
    older = hub.open_pull("one", commits=[commit.sha])
    hub.open_pull("two", commits=[commit.sha])
    newer = hub.open_pull("three", commits=[commit.sha])
    merged = [hub.merge(issue.number, squash=squash) for issue in (newer, older)]
    assert threads(hub).of_commit(commit.sha) == (older.number, newer.number)
    assert threads(hub).of_commit(merged[0]) == (newer.number,)


def test_a_commit_brought_by_no_merged_request_has_none(hub: GitHub) -> None:
    commit = hub.add_commit("fix: x")
    hub.open_pull("one", commits=[commit.sha], head=FORK)
    assert threads(hub).of_commit(commit.sha) == ()
    assert threads(hub).of_commit("d" * 40) == ()


def test_a_limit_that_takes_too_long_is_said(hub: GitHub) -> None:
    hub.faults[0] = json_reply({"message": "slow down"}, 429, {"retry-after": "4000"})
    with pytest.raises(RateLimited):
        threads(hub).of_commit("d" * 40)


@pytest.mark.parametrize("answer", [{}, [{"name": 5}], ["x"], [{}]])
def test_labels_of_another_shape_are_a_bad_answer(hub: GitHub, answer: object) -> None:
    hub.faults[0] = json_reply(answer)
    with pytest.raises(BadAnswer):
        threads(hub).labels(Thread(ThreadKind.ISSUE, 1))

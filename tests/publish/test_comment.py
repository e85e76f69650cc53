"""One comment per agent and scope, whatever happens: updates, resolving, planted markers, lost answers, two runs at once."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.servers.code_host import Account, Fault, Forge, Turns

from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, RateLimited, Refused, Rejected, ServiceError, Unavailable
from cicd_agents.domain.ports import CodeHost
from cicd_agents.publish.comment import CommentPlace, publish_comment, resolve_comment
from cicd_agents.publish.marker import RESOLVED, Marker, digest, marked, read_marker, scope_key
from cicd_agents.publish.outcome import Published, PublishStatus

KEY = scope_key("ci.yml")
PLACE = CommentPlace(1, "pipeline-doctor", KEY)
OTHER_SCOPE = CommentPlace(1, "pipeline-doctor", scope_key("nightly.yml"))
ERRORS = [NotAllowed, NotFound, RateLimited, Unavailable, Rejected, BadAnswer, Refused]


def host_of(account: Account) -> CodeHost:
    """The type checker sees here that the account is a CodeHost."""
    return account


def ours(forge: Forge, place: CommentPlace = PLACE, author: str = "7") -> list[str]:
    """The comments of the place, without their marker."""
    comments = [comment for comment in forge.comments.get(1, []) if comment.author.id == author]
    marked_ones = [comment.body for comment in comments if (found := read_marker(comment.body)) and (found.agent, found.key) == (place.agent, place.key)]
    return [body.partition("\n")[2] for body in marked_ones]


def test_the_first_run_writes_a_comment_that_begins_with_the_marker() -> None:
    forge = Forge()
    published = publish_comment(host_of(forge.account("7")), PLACE, "broken\n")
    assert published == Published("comment", PublishStatus.CREATED, "https://forge.example/pull/1#8")
    assert forge.bodies() == [f"<!-- cicd-agents:pipeline-doctor:{KEY}:{digest('broken' + chr(10))} -->\nbroken\n"]


def test_a_second_run_updates_the_comment_and_one_with_the_same_content_leaves_it() -> None:
    forge = Forge()
    account = forge.account("7")
    publish_comment(account, PLACE, "first")
    assert publish_comment(account, PLACE, "second").status is PublishStatus.UPDATED
    before = len(account.calls)
    assert publish_comment(account, PLACE, "second") == Published("comment", PublishStatus.UNCHANGED, "https://forge.example/pull/1#8")
    assert set(account.calls[before:]) == {"me", "comments"}
    assert ours(forge) == ["second"]


def test_nothing_to_say_makes_no_call() -> None:
    account = Forge().account("7")
    assert publish_comment(account, PLACE, "").status is PublishStatus.SKIPPED
    assert account.calls == []


def test_a_comment_on_a_later_page_is_found() -> None:
    forge = Forge(page=2)
    for number in range(7):
        forge.account("9").create_comment(1, f"talk {number}")
    account = forge.account("7")
    publish_comment(account, PLACE, "first")
    for number in range(3):
        forge.account("9").create_comment(1, f"more {number}")
    assert publish_comment(account, PLACE, "second").status is PublishStatus.UPDATED
    assert ours(forge) == ["second"]


def test_another_scope_and_another_agent_have_a_comment_of_their_own() -> None:
    forge = Forge()
    account = forge.account("7")
    places = [PLACE, OTHER_SCOPE, CommentPlace(1, "drift-detector", KEY)]
    for place in places:
        publish_comment(account, place, f"{place.agent} {place.key}")
    assert [ours(forge, place) for place in places] == [[f"{place.agent} {place.key}"] for place in places]


@pytest.mark.parametrize("body", ["mine now", ""])
def test_a_marker_that_somebody_else_planted_is_left_alone(body: str) -> None:
    forge = Forge()
    planted = marked(PLACE.agent, PLACE.key, body)
    forge.account("666").create_comment(1, planted)
    assert publish_comment(forge.account("7"), PLACE, "broken").status is PublishStatus.CREATED
    assert resolve_comment(forge.account("7"), PLACE, "green").status is PublishStatus.RESOLVED
    assert forge.bodies()[0] == planted
    assert ours(forge) == ["green"]


def test_a_marker_with_the_same_hash_by_somebody_else_does_not_silence_us() -> None:
    forge = Forge()
    forge.account("666").create_comment(1, marked(PLACE.agent, PLACE.key, "broken"))
    assert publish_comment(forge.account("7"), PLACE, "broken").status is PublishStatus.CREATED


def test_a_marker_that_a_log_brought_into_our_own_comment_is_text() -> None:
    forge = Forge()
    account = forge.account("7")
    publish_comment(account, OTHER_SCOPE, "```\n" + marked(PLACE.agent, PLACE.key, "x") + "\n```")
    assert publish_comment(account, PLACE, "broken").status is PublishStatus.CREATED
    assert len(forge.bodies()) == 2


def test_a_comment_of_ours_without_a_marker_is_left_alone() -> None:
    forge = Forge()
    account = forge.account("7")
    account.create_comment(1, "a note by the same bot account")
    publish_comment(account, PLACE, "broken")
    assert forge.bodies()[0] == "a note by the same bot account"


def test_green_turns_the_comment_into_a_short_one_once_and_red_turns_it_back() -> None:
    forge = Forge()
    account = forge.account("7")
    publish_comment(account, PLACE, "broken")
    assert resolve_comment(account, PLACE, "green, run 2") == Published("comment", PublishStatus.RESOLVED, "https://forge.example/pull/1#8")
    assert resolve_comment(account, PLACE, "green, run 3").status is PublishStatus.UNCHANGED
    assert ours(forge) == ["green, run 2"]
    found = read_marker(forge.bodies()[0])
    assert found == Marker("pipeline-doctor", KEY, RESOLVED)
    assert publish_comment(account, PLACE, "broken").status is PublishStatus.UPDATED
    assert ours(forge) == ["broken"]


def test_green_never_writes_a_new_comment() -> None:
    forge = Forge()
    forge.account("9").create_comment(1, "talk")
    assert resolve_comment(forge.account("7"), PLACE, "green").status is PublishStatus.SKIPPED
    assert forge.bodies() == ["talk"]


def test_a_dry_run_says_what_it_would_do_and_writes_nothing() -> None:
    forge = Forge()
    account = forge.account("7")
    assert publish_comment(account, PLACE, "a", dry_run=True) == Published("comment", PublishStatus.PLANNED, why="Would write a new comment.")
    publish_comment(account, PLACE, "a")
    before = forge.bodies()
    url = "https://forge.example/pull/1#8"
    assert publish_comment(account, PLACE, "b", dry_run=True) == Published("comment", PublishStatus.PLANNED, url, "Would update the comment.")
    assert publish_comment(account, PLACE, "a", dry_run=True) == Published("comment", PublishStatus.UNCHANGED, url)
    assert resolve_comment(account, PLACE, "g", dry_run=True) == Published("comment", PublishStatus.PLANNED, url, "Would mark the comment as resolved.")
    assert forge.bodies() == before


def test_comments_that_an_earlier_accident_left_are_reduced_to_the_first() -> None:
    forge = Forge()
    account = forge.account("7")
    for number in range(4):  # ids 8 to 11: the lowest is not the first as text
        account.create_comment(1, marked(PLACE.agent, PLACE.key, f"old {number}"))
    forge.comments[1].reverse()
    published = publish_comment(account, PLACE, "new")
    assert published == Published("comment", PublishStatus.UPDATED, "https://forge.example/pull/1#8")
    assert ours(forge) == ["new"]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("act", [publish_comment, resolve_comment])
def test_a_service_that_refuses_is_told_and_never_raised(error: type[ServiceError], act: Callable[..., Published]) -> None:
    account = Forge().account("7")
    account.faults[0] = Fault(error("Forge: no. Do this."))
    assert act(account, PLACE, "x") == Published("comment", PublishStatus.FAILED, why="Forge: no. Do this.")


def test_on_a_fork_a_refusal_is_what_was_to_be_expected() -> None:
    account = Forge().account("7")
    account.faults = {2: Fault(NotAllowed("Forge: writing was refused (403)."))}
    published = publish_comment(account, CommentPlace(1, "pipeline-doctor", KEY, from_fork=True), "x")
    assert published == Published("comment", PublishStatus.SKIPPED, why="The token of a fork's run may only read. Forge: writing was refused (403).")
    other = Forge().account("7")
    other.faults = {0: Fault(Unavailable("Forge: down."))}
    assert publish_comment(other, CommentPlace(1, "pipeline-doctor", KEY, from_fork=True), "x").status is PublishStatus.FAILED


def start_empty(_: Forge) -> None:
    """No comment yet."""


def start_with_one(forge: Forge) -> None:
    forge.account("7").create_comment(1, marked(PLACE.agent, PLACE.key, "old"))


def start_with_three(forge: Forge) -> None:
    for number in range(3):
        forge.account("7").create_comment(1, marked(PLACE.agent, PLACE.key, f"old {number}"))


STARTS = [start_empty, start_with_one, start_with_three]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("after", [False, True], ids=["not done", "answer lost"])
@pytest.mark.parametrize("act", [publish_comment, resolve_comment])
def test_after_a_fault_at_any_call_the_next_run_finishes_the_work(act: Callable[..., Published], start: Callable[[Forge], None], after: bool) -> None:
    calls = calls_of(act, start)
    assert calls >= 2
    for index in range(calls):
        forge = Forge()
        start(forge)
        forge.account("9").create_comment(1, "talk")
        account = forge.account("7")
        account.faults[index] = Fault(Unavailable("Forge: down."), after)
        first = act(account, PLACE, "new")
        assert "Forge: down." in first.why
        account.faults.clear()
        act(account, PLACE, "new")
        had_one = start is not start_empty or act is publish_comment
        assert ours(forge) == (["new"] if had_one else [])
        assert "talk" in forge.bodies()
        assert len(forge.bodies()) == 1 + had_one


def calls_of(act: Callable[..., Published], start: Callable[[Forge], None]) -> int:
    forge = Forge()
    start(forge)
    forge.account("9").create_comment(1, "talk")
    account = forge.account("7")
    act(account, PLACE, "new")
    return len(account.calls)


def together(forge: Forge, *actions: Callable[[], Published]) -> list[Published]:
    """Run the actions at once, each in its own thread."""
    results: dict[int, Published] = {}

    def work(index: int) -> None:
        results[index] = actions[index]()

    threads = [threading.Thread(target=work, args=(index,), daemon=True) for index in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return [results[index] for index in range(len(actions))]


@pytest.mark.parametrize("meeting", ["create_comment", "me"])
def test_two_runs_that_meet_leave_one_comment(meeting: str) -> None:
    barrier = threading.Barrier(2)
    met: set[int] = set()

    def around(name: str) -> AbstractContextManager[None]:
        if name == meeting and threading.get_ident() not in met:
            met.add(threading.get_ident())
            barrier.wait(30)
        return nullcontext()

    forge = Forge()
    results = together(forge, *(lambda body=body: publish_comment(forge.account("7", around), PLACE, body) for body in ("one", "two")))
    assert len(met) == 2
    assert len(ours(forge)) == 1
    assert ours(forge)[0] in ("one", "two")
    assert {result.url for result in results} <= {"https://forge.example/pull/1#8", "https://forge.example/pull/1#9"}


@pytest.mark.parametrize("earlier", [True, False])
def test_a_comment_that_a_run_left_which_died_after_writing_it_is_merged(earlier: bool) -> None:
    forge = Forge()
    left = marked(PLACE.agent, PLACE.key, "left by the run that died")

    def around(name: str) -> AbstractContextManager[None]:
        if (name == "create_comment") is earlier and len(account.calls) == (3 if earlier else 4):
            forge.account("7").create_comment(1, left)
        return nullcontext()

    account = forge.account("7", around)
    published = publish_comment(account, PLACE, "ours")
    assert ours(forge) == ["ours"]
    assert (published.status, published.url) == (
        PublishStatus.UPDATED if earlier else PublishStatus.CREATED, "https://forge.example/pull/1#8",
    )  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(st.lists(st.integers(0, 1), max_size=24), st.sampled_from(["same", "other"]), st.sampled_from(STARTS), st.integers(1, 3))
def test_in_whatever_order_two_runs_call_one_comment_is_left(schedule: list[int], second: str, start: Callable[[Forge], None], page: int) -> None:
    forge = Forge(page=page)
    start(forge)
    turns = Turns(schedule)

    def run(runner: int, body: str) -> Published:
        try:
            return publish_comment(forge.account("7", turns.taker(runner)), PLACE, body)
        finally:
            turns.finished(runner)

    results = together(forge, lambda: run(0, "same"), lambda: run(1, second))
    assert [result.status for result in results if result.status is PublishStatus.FAILED] == []
    assert len(ours(forge)) == 1
    assert ours(forge)[0] in ("same", second)
    assert {result.url for result in results} == {forge.comments[1][0].url}


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_is_taken_for_a_marker_but_a_marker(text: str) -> None:
    found = read_marker(text)
    assert found is None or re.match(r"\s*<!-- cicd-agents:", text)
    assert read_marker(f"x {marked('a', 'b', text)}") is None
    assert read_marker(marked("pipeline-doctor", KEY, text)) == Marker("pipeline-doctor", KEY, digest(text))


def test_keys_tell_their_parts_apart() -> None:
    assert scope_key("a", "b") != scope_key("ab")
    assert scope_key("a\ud800", "b") == scope_key("a\ud800", "b")
    assert re.fullmatch("[0-9a-f]{16}", scope_key("ci.yml"))

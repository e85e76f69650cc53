"""One issue per kind of failure, whatever happens: counting, reopening, planted markers, lost answers, two runs at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.servers.code_host import Fault, Forge, Turns

from cicd_agents.domain.ci import Issue
from cicd_agents.domain.errors import NotAllowed, Unavailable
from cicd_agents.publish.issue import FailureIssue, IssueMarker, publish_issue, read_issue_marker, resolve_issues
from cicd_agents.publish.marker import digest, scope_key
from cicd_agents.publish.outcome import Published, PublishStatus

KEY = scope_key("ci.yml", "main")
FAILURE = FailureIssue("pipeline-doctor", KEY, "abcdef0123456789", "yarn: lockfile is old", "broken\n", ("ci-failure", "bug"), "run 1 attempt 1", "It is back.")
URL = "https://forge.example/issues/8"


def run(number: int) -> FailureIssue:
    return replace(FAILURE, run=f"run {number} attempt 1", body=f"broken in {number}\n")


def live(forge: Forge) -> list[tuple[Issue, IssueMarker]]:
    """The issues that carry a marker of ours."""
    return [(issue, marker) for issue in forge.issues if issue.author.id == "7" and (marker := read_issue_marker(issue.body))]


def test_the_first_failure_opens_an_issue_with_marker_labels_and_count() -> None:
    forge = Forge()
    assert publish_issue(forge.account("7"), FAILURE) == Published("issue", PublishStatus.CREATED, URL)
    (issue,) = forge.issues
    assert (issue.title, issue.labels, issue.open) == ("yarn: lockfile is old", ("ci-failure", "bug"), True)
    assert issue.body == (
        f"<!-- cicd-agents-issue:pipeline-doctor:{KEY}:abcdef0123456789:1:{digest('run 1 attempt 1')} -->\nbroken\n\n<sub>Seen 1 time.</sub>\n"
    )


def test_the_next_run_counts_in_place_and_silently_and_a_second_publication_of_a_run_does_not() -> None:
    forge = Forge()
    account = forge.account("7")
    publish_issue(account, run(1))
    assert publish_issue(account, run(2)) == Published("issue", PublishStatus.UPDATED, URL)
    before = len(account.calls)
    assert publish_issue(account, run(2)) == Published("issue", PublishStatus.UNCHANGED, URL)
    assert set(account.calls[before:]) == {"me", "issues"}
    ((issue, marker),) = live(forge)
    assert (marker.count, marker.last) == (2, digest("run 2 attempt 1"))
    assert "broken in 2" in issue.body
    assert "Seen 2 times." in issue.body
    assert forge.issue_comments == {}


def test_a_closed_issue_is_opened_again_with_a_comment() -> None:
    forge = Forge()
    account = forge.account("7")
    publish_issue(account, run(1))
    forge.issues[0] = replace(forge.issues[0], open=False)
    assert publish_issue(account, run(2)) == Published("issue", PublishStatus.UPDATED, URL, "Opened again: the failure is back.")
    assert forge.issues[0].open
    assert forge.issue_comments == {8: ["It is back."]}


def test_an_issue_that_a_person_closed_after_our_run_is_not_opened_by_the_same_run() -> None:
    forge = Forge()
    publish_issue(forge.account("7"), run(1))
    forge.issues[0] = replace(forge.issues[0], open=False)
    assert publish_issue(forge.account("7"), run(1)).status is PublishStatus.UNCHANGED
    assert not forge.issues[0].open


def test_another_fingerprint_has_an_issue_of_its_own() -> None:
    forge = Forge()
    publish_issue(forge.account("7"), FAILURE)
    assert publish_issue(forge.account("7"), replace(FAILURE, fingerprint="99")).status is PublishStatus.CREATED
    assert [marker.fingerprint for _, marker in live(forge)] == ["abcdef0123456789", "99"]


def test_the_same_failure_elsewhere_counts_in_the_same_issue() -> None:
    forge = Forge()
    publish_issue(forge.account("7"), run(1))
    other = replace(run(2), key=scope_key("nightly.yml", "main"))
    assert publish_issue(forge.account("7"), other).status is PublishStatus.UPDATED
    assert [(marker.key, marker.count) for _, marker in live(forge)] == [(other.key, 2)]


def test_a_marker_that_somebody_else_planted_is_left_alone() -> None:
    forge = Forge()
    planted = f"{IssueMarker('pipeline-doctor', KEY, FAILURE.fingerprint, 9, digest(FAILURE.run))}\nhello"
    forge.account("666").create_issue("fake", planted, ["ci-failure"])
    assert publish_issue(forge.account("7"), FAILURE).status is PublishStatus.CREATED
    resolve_issues(forge.account("7"), "pipeline-doctor", KEY, "ci-failure", "green")
    assert (forge.issues[0].body, forge.issues[0].open) == (planted, True)


def test_an_issue_on_a_later_page_is_found() -> None:
    forge = Forge(page=2)
    publish_issue(forge.account("7"), run(1))
    for number in range(5):
        forge.account("9").create_issue(f"other {number}", "talk", ["ci-failure"])
    assert publish_issue(forge.account("7"), run(2)).status is PublishStatus.UPDATED


@pytest.mark.parametrize("failure", [replace(FAILURE, labels=()), replace(FAILURE, fingerprint="")])
def test_what_could_not_be_found_again_is_not_written(failure: FailureIssue) -> None:
    account = Forge().account("7")
    published = publish_issue(account, failure)
    assert published.status is PublishStatus.SKIPPED
    assert "could not be found again" in published.why
    assert account.calls == []


def test_the_title_is_one_bounded_line() -> None:
    forge = Forge()
    publish_issue(forge.account("7"), replace(FAILURE, title="a\n\x1b[31mb \u202ec" + "z" * 1000))
    assert forge.issues[0].title.startswith("a b czzz")
    assert len(forge.issues[0].title) == 200


def test_a_dry_run_says_what_it_would_do_and_writes_nothing() -> None:
    forge = Forge()
    account = forge.account("7")
    assert publish_issue(account, run(1), dry_run=True) == Published("issue", PublishStatus.PLANNED, why="Would open a new issue.")
    publish_issue(account, run(1))
    before = list(forge.issues)
    assert publish_issue(account, run(1), dry_run=True) == Published("issue", PublishStatus.UNCHANGED, URL)
    assert publish_issue(account, run(2), dry_run=True) == Published("issue", PublishStatus.PLANNED, URL, "Would count the failure in the issue.")
    assert resolve_issues(account, "pipeline-doctor", KEY, "ci-failure", "g", dry_run=True).why == "Would close 1 issue."
    assert forge.issues == before
    forge.issues[0] = replace(before[0], open=False)
    assert publish_issue(account, run(2), dry_run=True).why == "Would open the issue again."


def test_nothing_is_closed_unless_it_is_asked_for_and_then_only_this_scope() -> None:
    forge = Forge()
    account = forge.account("7")
    publish_issue(account, run(1))
    publish_issue(account, replace(FAILURE, fingerprint="99"))
    publish_issue(account, replace(FAILURE, fingerprint="77", key=scope_key("nightly.yml", "main")))
    assert all(issue.open for issue in forge.issues)
    assert resolve_issues(account, "pipeline-doctor", KEY, "ci-failure", "green") == Published("issue", PublishStatus.RESOLVED, URL, "Closed 2 issues.")
    assert [issue.open for issue in forge.issues] == [False, False, True]
    assert list(forge.issue_comments.values()) == [["green"], ["green"]]
    assert resolve_issues(account, "pipeline-doctor", KEY, "ci-failure", "green").status is PublishStatus.SKIPPED


def test_a_refusal_is_told_and_on_a_fork_it_was_to_be_expected() -> None:
    forge = Forge()
    account = forge.account("7")
    account.faults = {2: Fault(NotAllowed("Forge: opening an issue was refused (403)."))}
    assert publish_issue(account, FAILURE).status is PublishStatus.FAILED
    fork = forge.account("7")
    fork.faults = account.faults
    assert publish_issue(fork, replace(FAILURE, from_fork=True)).status is PublishStatus.SKIPPED


def start_empty(_: Forge) -> None:
    """No issue yet."""


def start_open(forge: Forge) -> None:
    publish_issue(forge.account("7"), run(1))


def start_closed(forge: Forge) -> None:
    start_open(forge)
    forge.issues[0] = replace(forge.issues[0], open=False)


STARTS = [start_empty, start_open, start_closed]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("after", [False, True], ids=["not done", "answer lost"])
def test_after_a_fault_at_any_call_the_next_run_leaves_one_open_issue_that_counts_each_run_once(start: Callable[[Forge], None], after: bool) -> None:
    probe = Forge()
    start(probe)
    account = probe.account("7")
    publish_issue(account, run(2))
    for index in range(len(account.calls)):
        forge = Forge()
        start(forge)
        broken = forge.account("7")
        broken.faults[index] = Fault(Unavailable("Forge: down."), after)
        assert "Forge: down." in publish_issue(broken, run(2)).why
        publish_issue(forge.account("7"), run(2))
        ((issue, marker),) = live(forge)
        assert issue.open
        assert marker.count == (1 if start is start_empty else 2)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 1), max_size=24), st.integers(2, 3), st.sampled_from(STARTS))
def test_in_whatever_order_two_runs_call_one_issue_is_left(schedule: list[int], second: int, start: Callable[[Forge], None]) -> None:
    forge = Forge(page=3)
    start(forge)
    turns = Turns(schedule)
    results: dict[int, Published] = {}

    def work(runner: int, failure: FailureIssue) -> None:
        try:
            results[runner] = publish_issue(forge.account("7", turns.taker(runner)), failure)
        finally:
            turns.finished(runner)

    threads = [threading.Thread(target=work, args=(index, run(number)), daemon=True) for index, number in enumerate((2, second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {result.status for result in results.values()} <= {PublishStatus.CREATED, PublishStatus.UPDATED, PublishStatus.UNCHANGED}
    assert len(live(forge)) == 1
    assert [issue for issue in forge.issues if issue.open] == [live(forge)[0][0]]

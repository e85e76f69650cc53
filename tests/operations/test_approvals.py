"""Approvals from asking to the answer: who may, whose request, what time does, what strangers try, and runs that are killed or meet."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest
from tests.servers.clock import FakeClock
from tests.servers.code_host import Turns
from tests.servers.forge import ALICE, BOB, CAROL, MALLORY, US, Desk, Town

from cicd_agents.domain.ci import Author, Issue
from cicd_agents.domain.errors import NotAllowed, NotFound, ServiceError, Unavailable, UsageError
from cicd_agents.domain.forge import EnvironmentApproval, Thread, ThreadKind
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.operations.approval import Approval, ApprovalStatus, gate
from cicd_agents.operations.approval_people import MOST_LOOKED_UP
from cicd_agents.operations.approval_places import LABEL, MOST_COMMENTS, IssuePlace
from cicd_agents.operations.approval_request import State, read_request_marker
from cicd_agents.operations.approval_rules import ApprovalRule, parse_rules
from cicd_agents.operations.approvals import Approvals, Asking
from cicd_agents.operations.audit import AuditEntry, AuditFailed

HOUR = 3600.0
TAG = Operation("CreateTag", "v1.2.0", "Marks the commit.", "Leave it.", "CreateTag:v1.2.0")
PUSH = Operation("Push", "origin", "All see it.", "Revert.", "Push:v1.2.0", parameters=(("refs", "c0ffee to main"),))
NOTE = Operation("Announce", "Slack", "People hear of it.", "Write another.", "Announce:v1.2.0")
ALL = (TAG, PUSH, NOTE)
TWO = ("alice", "bob")
G, W, R, E = ApprovalStatus.GRANTED, ApprovalStatus.WAITING, ApprovalStatus.REFUSED, ApprovalStatus.EXPIRED


@dataclass
class Memory:
    """An audit log in memory; `full`: nothing can be written any more."""

    entries: list[AuditEntry] = field(default_factory=list)
    full: bool = False

    def write(self, entry: AuditEntry) -> None:
        if self.full:
            raise AuditFailed("The disk is full.")
        self.entries.append(entry)


@pytest.fixture
def town() -> Town:
    return Town(FakeClock())


def run(
    town: Town, *, approvers: Iterable[str] = TWO, desk: Desk | None = None, rules: tuple[ApprovalRule, ...] | None = None,
    audit: Memory | None = None, minimum: int = 1, by_starter: bool | None = None, **asking: object,
) -> Approvals:  # fmt: skip
    """A run whose push needs an approval."""
    desk = desk or Desk(town)
    rules = parse_rules(["Push"], list(approvers), "4h", minimum=minimum, by_starter=by_starter) if rules is None else rules
    settings = Asking("octo/app", **{"scope": "release", "starter": "carol", **asking})  # type: ignore[arg-type]
    return Approvals(rules, settings, IssuePlace(desk, desk, "octo/app"), desk, desk, audit or Memory(), town.clock, desk)


def only(town: Town) -> Issue:
    (issue,) = town.issues
    return issue


def yes(town: Town, author: Author = ALICE, *, word: str = "approve", digits: int = 16, **more: float) -> None:
    """Somebody answers the newest request."""
    issue = town.issues[-1]
    marker = read_request_marker(issue.body)
    assert marker is not None
    town.say(issue.number, author, f"/{word} {marker.plan[:digits]}", **more)  # type: ignore[arg-type]


def state(issue: Issue) -> State:
    marker = read_request_marker(issue.body)
    assert marker is not None
    return marker.state


def ignored(approval: Approval) -> str:
    (note,) = approval.notes
    return note


# Asking


def test_where_nothing_needs_an_approval_nobody_is_called(town: Town) -> None:
    desk = Desk(town)
    found = run(town, desk=desk).approval((TAG, NOTE))
    assert found.status is ApprovalStatus.NOT_NEEDED
    assert desk.calls == []


def test_the_first_run_opens_an_issue_and_says_how_to_answer(town: Town) -> None:
    audit = Memory()
    found = run(town, audit=audit).approval(ALL)
    issue = only(town)
    short = found.plan.hash[:16]
    assert (issue.title, issue.labels, issue.author) == ("Approval needed: Push in octo/app", (LABEL,), US)
    assert "one of @alice (id 1), @bob (id 2), but not who started the run" in issue.body
    assert "Account 3 started the run that asks." in issue.body
    assert found.status is W
    assert found.sentence == f"1 approval needed yet: comment `/approve {short}` at {issue.url} until 2025-06-15 19:06 UTC, then run this job again."
    assert [(entry.phase.value, entry.operation.kind) for entry in audit.entries] == [("intent", "AskForApproval"), ("result", "AskForApproval")]
    assert [write.status for write in found.writes] == [OperationStatus.APPLIED]


def test_the_next_run_finds_the_request_and_opens_no_second_one(town: Town) -> None:
    assert run(town).approval(ALL).status is W
    town.clock.advance(60)
    again = run(town).approval(ALL)
    assert (again.status, again.writes) == (W, ())
    only(town)


def test_a_run_killed_after_the_issue_was_opened_is_continued_by_the_next_one(town: Town) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(town, desk=Desk(town, dies_after="create_issue")).approval(ALL)
    assert run(town).approval(ALL).status is W
    only(town)


def test_a_dry_run_asks_nobody_and_shows_the_text(town: Town) -> None:
    desk = Desk(town)
    found = run(town, desk=desk, dry_run=True).approval(ALL)
    assert found.status is ApprovalStatus.PLANNED
    assert f"/approve {found.plan.hash[:16]}" in found.text
    assert set(desk.calls) == {"me", "account"}
    assert (town.issues, [item.status.value for item in gate(ALL, found)]) == ([], ["planned"] * 3)


@pytest.mark.parametrize("call", ["me", "issues", "create_issue", "account", "comments"])
def test_where_it_cannot_be_asked_or_read_it_raises_and_nothing_is_granted(town: Town, call: str) -> None:
    with pytest.raises(ServiceError, match="no right"):
        run(town, desk=Desk(town, broken={call: NotAllowed("GitHub: no right.")})).approval(ALL)


def test_without_an_audit_log_nobody_is_asked(town: Town) -> None:
    with pytest.raises(ServiceError, match="The disk is full"):
        run(town, audit=Memory(full=True)).approval(ALL)
    assert town.issues == []


def test_approvers_who_are_not_there_are_told_before_anybody_is_asked(town: Town) -> None:
    with pytest.raises(UsageError, match="there is no account nobody, so nobody could approve Push"):
        run(town, approvers=["nobody"]).approval(ALL)
    assert town.issues == []


# Answers


def test_an_approver_grants_it_and_is_named_with_the_comment(town: Town) -> None:
    run(town).approval(ALL)
    yes(town)
    found = run(town).approval(ALL)
    assert (found.status, found.sentence) == (G, "Approved by alice (id 1).")
    assert (found.by[0].author, found.by[0].time, found.by[0].url) == (ALICE, town.clock.now(), found.url)
    assert [item.status.value for item in gate(ALL, found)] == ["planned"] * 3


def test_a_stranger_does_not_count_and_that_is_said(town: Town) -> None:
    run(town).approval(ALL)
    yes(town, MALLORY)
    found = run(town).approval(ALL)
    assert found.status is W
    assert ignored(found) == "An answer of mallory does not count: they are not among those who may approve."


def test_a_login_counts_for_nothing_without_its_number(town: Town) -> None:
    run(town).approval(ALL)
    yes(town, Author("66", "alice"))
    assert run(town).approval(ALL).status is W


def test_a_login_that_passed_to_another_account_meanwhile_needs_a_new_request(town: Town) -> None:
    run(town).approval(ALL)
    town.accounts["alice"] = Author("66", "alice")
    yes(town, Author("66", "alice"))
    assert run(town).approval(ALL).status is W
    assert [state(issue) for issue in town.issues] == [State.REPLACED, State.ASKED]
    assert "@alice (id 66)" in town.issues[1].body


def test_a_number_stays_with_its_account_whatever_its_login(town: Town) -> None:
    run(town, approvers=["id:1", "bob"]).approval(ALL)
    yes(town, Author("1", "alice-renamed"))
    assert run(town, approvers=["id:1", "bob"]).approval(ALL).status is G


def test_team_members_are_asked_for_by_the_api_once_each(town: Town) -> None:
    town.teams["org/sre"] = {BOB.id}
    run(town, approvers=["@org/sre"]).approval(ALL)
    for author in (MALLORY, MALLORY, BOB):
        yes(town, author)
    desk = Desk(town)
    assert run(town, approvers=["@org/sre"], desk=desk).approval(ALL).status is G
    assert desk.calls.count("in_team") == 2


def test_all_who_may_write_can_be_approvers(town: Town) -> None:
    town.writers = {BOB.id, CAROL.id}
    run(town, approvers=["role:write"]).approval(ALL)
    yes(town, MALLORY)
    yes(town, CAROL)  # who started the run
    assert run(town, approvers=["role:write"]).approval(ALL).status is W
    yes(town, BOB)
    assert run(town, approvers=["role:write"]).approval(ALL).status is G


def test_a_team_that_cannot_be_read_grants_nothing_but_does_not_stop_a_named_approver(town: Town) -> None:
    rules = ["@org/gone", "alice"]
    run(town, approvers=rules).approval(ALL)
    yes(town, BOB)
    found = run(town, approvers=rules).approval(ALL)
    assert found.status is W
    assert "it cannot be told whether they may. There is no team org/gone" in ignored(found)
    yes(town, ALICE)
    assert run(town, approvers=rules).approval(ALL).status is G


def test_a_no_of_somebody_who_cannot_be_looked_up_holds_the_plan_back(town: Town) -> None:
    rules = ["@org/gone", "alice"]
    run(town, approvers=rules).approval(ALL)
    yes(town, BOB, word="refuse")
    yes(town, ALICE)
    found = run(town, approvers=rules).approval(ALL)
    assert found.status is W
    assert "Somebody refused of whom it cannot be told whether they may" in found.notes[-1]


def test_who_started_the_run_may_not_approve_it(town: Town) -> None:
    run(town, starter="alice").approval(ALL)
    yes(town, ALICE)
    found = run(town, starter="alice").approval(ALL)
    assert found.status is W
    assert "they started the run or asked for it" in ignored(found)


def test_a_run_that_somebody_else_starts_again_does_not_make_the_first_starters_approval_good(town: Town) -> None:
    run(town, starter="alice").approval(ALL)
    yes(town, ALICE)
    assert run(town, starter="carol").approval(ALL).status is W
    only(town)


def test_the_only_approver_may_approve_their_own_run_unless_that_is_forbidden(town: Town) -> None:
    run(town, approvers=["alice"], starter="alice").approval(ALL)
    yes(town, ALICE)
    assert run(town, approvers=["alice"], starter="alice").approval(ALL).status is G
    assert run(town, approvers=["alice"], starter="alice", by_starter=False).approval(ALL).status is W


def test_a_starter_whose_account_is_gone_cannot_be_told_from_others(town: Town) -> None:
    with pytest.raises(NotFound, match="account 'gone' that started the run is not there"):
        run(town, starter="gone").approval(ALL)


def test_two_approvals_must_be_of_two_people(town: Town) -> None:
    run(town, minimum=2).approval(ALL)
    yes(town, ALICE)
    yes(town, ALICE)
    waiting = run(town, minimum=2).approval(ALL)
    assert waiting.status is W
    assert waiting.sentence.startswith("1 approval needed yet (alice (id 1) approved)")
    yes(town, BOB)
    granted = run(town, minimum=2).approval(ALL)
    assert (granted.status, granted.sentence) == (G, "Approved by alice (id 1) and bob (id 2).")


def test_two_rules_with_other_approvers_must_both_be_satisfied(town: Town) -> None:
    rules = parse_rules(["Push", "Announce"], ["Push=alice", "Announce=bob"], "4h")
    run(town, rules=rules).approval(ALL)
    yes(town, ALICE)
    assert run(town, rules=rules).approval(ALL).status is W
    yes(town, BOB)
    assert run(town, rules=rules).approval(ALL).status is G


def test_a_changed_comment_does_not_count(town: Town) -> None:
    found = run(town).approval(ALL)
    comment = town.say(only(town).number, ALICE, "Let me look.")
    town.clock.advance(10)
    town.change(comment, f"/approve {found.plan.hash}")
    again = run(town).approval(ALL)
    assert again.status is W
    assert "it was changed after it was written" in ignored(again)


# No


def test_a_no_ends_the_request_at_once_and_whatever_else_was_said(town: Town) -> None:
    run(town).approval(ALL)
    yes(town, ALICE)
    yes(town, BOB, word="refuse")
    yes(town, ALICE)
    found = run(town).approval(ALL)
    assert (found.status, found.sentence) == (R, "Refused by bob (id 2).")
    assert (only(town).open, state(only(town))) == (False, State.REFUSED)


def test_a_refused_plan_stays_refused_for_every_later_run(town: Town) -> None:
    run(town).approval(ALL)
    yes(town, BOB, word="refuse")
    run(town).approval(ALL)
    yes(town, ALICE)
    town.clock.advance(1000 * HOUR)
    found = run(town).approval(ALL)
    assert (found.status, found.url) == (R, only(town).url)
    assert "take the label from the issue" in found.sentence


def test_a_refusal_is_taken_back_by_taking_the_label_away(town: Town) -> None:
    run(town).approval(ALL)
    yes(town, BOB, word="refuse")
    run(town).approval(ALL)
    town.edit_issue(only(town).number, labels=())
    assert run(town).approval(ALL).status is W
    assert len(town.issues) == 2


def test_a_strangers_no_is_none(town: Town) -> None:
    run(town).approval(ALL)
    yes(town, MALLORY, word="refuse")
    yes(town, ALICE)
    assert run(town).approval(ALL).status is G


def test_a_request_that_a_person_closed_holds_the_plan_back_until_it_is_opened_again(town: Town) -> None:
    run(town).approval(ALL)
    town.edit_issue(only(town).number, open=False)
    found = run(town).approval(ALL)
    assert (found.status, found.sentence[:40]) == (R, "The request was closed without an approv")
    town.edit_issue(only(town).number, open=True)
    assert run(town).approval(ALL).status is W
    town.edit_issue(only(town).number, open=False)
    yes(town)
    assert run(town).approval(ALL).status is G


# Time


def test_after_the_time_it_is_expired_and_the_next_run_asks_anew(town: Town) -> None:
    run(town).approval(ALL)
    town.clock.advance(4 * HOUR)
    assert run(town).approval(ALL).status is W
    town.clock.advance(2)
    found = run(town).approval(ALL)
    assert (found.status, found.sentence) == (
        E,
        "Nobody approved it in time. It could be approved until 2025-06-15 19:06 UTC; to ask anew, run this job again.",
    )
    assert (only(town).open, state(only(town))) == (False, State.EXPIRED)
    assert "> **Nobody approved it in time." in only(town).body
    assert run(town).approval(ALL).status is W
    assert [issue.open for issue in town.issues] == [False, True]


def test_an_approval_after_the_time_does_not_count(town: Town) -> None:
    run(town).approval(ALL)
    town.clock.advance(4 * HOUR + 1)
    yes(town)
    found = run(town).approval(ALL)
    assert found.status is E
    assert "it came after the time had passed" in ignored(found)


def test_an_approval_in_time_holds_for_a_run_that_comes_later_but_not_for_ever(town: Town) -> None:
    run(town).approval(ALL)
    town.clock.advance(3.9 * HOUR)
    yes(town)
    town.clock.advance(3.9 * HOUR)
    assert run(town).approval(ALL).status is G
    town.clock.advance(0.2 * HOUR)
    found = run(town).approval(ALL)
    assert (found.status, found.sentence[:38]) == (E, "The approval was given too long ago. I")


def test_an_approval_is_used_up_when_all_is_done(town: Town) -> None:
    approvals = run(town)
    approvals.approval(ALL)
    yes(town)
    granted = approvals.approval(ALL)
    half = (TAG, replace(PUSH, status=OperationStatus.APPLIED), replace(NOTE, status=OperationStatus.FAILED))
    assert approvals.done(granted, half) == ()
    assert run(town).approval(ALL).status is G
    done = tuple(replace(operation, status=OperationStatus.APPLIED) for operation in ALL)
    assert [write.status for write in approvals.done(granted, done)] == [OperationStatus.APPLIED]
    assert (only(town).open, state(only(town))) == (False, State.USED)
    assert run(town).approval(ALL).status is W
    assert len(town.issues) == 2


# Other plans and imitations


def test_a_changed_plan_is_asked_anew_and_the_old_request_ends(town: Town) -> None:
    run(town).approval(ALL)
    yes(town)
    changed = (TAG, replace(PUSH, parameters=(("refs", "badbad to main"),)), NOTE)
    found = run(town).approval(changed)
    assert found.status is W
    assert [(issue.open, state(issue)) for issue in town.issues] == [(False, State.REPLACED), (True, State.ASKED)]
    assert "The plan changed; it is asked anew" in town.issues[0].body


def test_a_plan_for_something_else_is_left_alone(town: Town) -> None:
    run(town).approval(ALL)
    run(town, scope="rollback").approval((replace(PUSH, target="other"),))
    assert [state(issue) for issue in town.issues] == [State.ASKED, State.ASKED]


def test_a_request_that_a_stranger_imitates_is_none(town: Town) -> None:
    run(town).approval(ALL)
    body = only(town).body
    town.issues.clear()
    town.open_issue(MALLORY, "Approval needed", body, (LABEL,))
    yes(town)
    found = run(town).approval(ALL)
    assert found.status is W
    assert [issue.author for issue in town.issues] == [MALLORY, US]
    assert town.issues[0].body == body


def test_a_request_of_ours_that_somebody_changed_is_void(town: Town) -> None:
    run(town).approval(ALL)
    town.edit_issue(only(town).number, body=only(town).body.replace("c0ffee", "bada55"))
    yes(town)
    found = run(town).approval(ALL)
    assert found.status is W
    assert [state(issue) for issue in town.issues] == [State.REPLACED, State.ASKED]


def test_a_request_dated_back_or_ahead_by_hand_still_ends_by_the_forges_time(town: Town) -> None:
    run(town).approval(ALL)
    later = run(town, dry_run=True)
    town.clock.advance(3 * HOUR)
    town.edit_issue(only(town).number, body=later.approval(ALL).text)  # says that it was asked three hours later than it was
    town.clock.advance(1.5 * HOUR)
    assert run(town).approval(ALL).status is E


def test_other_approvers_need_a_new_request(town: Town) -> None:
    run(town).approval(ALL)
    yes(town, ALICE)
    assert run(town, approvers=["bob", "carol"]).approval(ALL).status is W
    assert [state(issue) for issue in town.issues] == [State.REPLACED, State.ASKED]


# Many


def test_of_ten_thousand_comments_so_many_are_read_and_nothing_is_granted(town: Town) -> None:
    found = run(town).approval(ALL)
    number = only(town).number
    for index in range(10_000):
        town.say(number, Author(str(1000 + index), f"sock{index}"), f"/approve {found.plan.hash[:16]}" if index % 2 else "hi")
    yes(town)
    town.threads[Thread(ThreadKind.ISSUE, number)].insert(0, town.threads[Thread(ThreadKind.ISSUE, number)].pop())
    again = run(town).approval(ALL)
    assert again.status is W
    assert "more comments than are read" in again.notes[-1]
    assert len(again.notes) <= 23


def test_thousands_of_answers_of_strangers_cost_few_calls_and_do_not_hide_an_approver(town: Town) -> None:
    town.teams["org/sre"] = set()
    rules = ["@org/sre", "alice"]
    found = run(town, approvers=rules).approval(ALL)
    for index in range(MOST_COMMENTS - 1):
        town.say(only(town).number, Author(str(1000 + index), f"sock{index}"), f"/approve {found.plan.hash[:16]}")
    yes(town, ALICE)
    desk = Desk(town)
    assert run(town, approvers=rules, desk=desk).approval(ALL).status is G
    assert desk.calls.count("in_team") == MOST_LOOKED_UP


# Two runs at once


@pytest.mark.parametrize("schedule", [[0, 1] * 20, [0] * 4 + [1] * 20, [0] * 5 + [1] * 20, [0] * 6 + [1] * 20, [1, 0, 0] * 10, [0, 0, 1, 1] * 8])
def test_two_runs_at_once_leave_one_request(town: Town, schedule: list[int]) -> None:
    turns = Turns(schedule)
    results: list[Approval] = []

    def go(number: int) -> None:
        try:
            results.append(run(town, desk=Desk(town, around=turns.taker(number))).approval(ALL))
        finally:
            turns.finished(number)

    runners = [threading.Thread(target=go, args=(number,)) for number in (0, 1)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert [found.status for found in results] == [W, W]
    markers = [read_request_marker(issue.body) for issue in town.issues]
    assert [marker.state for marker in markers if marker].count(State.ASKED) == 1
    assert len({found.url for found in results}) == 1


# Waiting


def test_waiting_looks_again_in_growing_steps_until_somebody_answers(town: Town) -> None:
    @dataclass
    class Answering(FakeClock):
        """After two minutes alice answers."""

        at: float = 0.0

        def __init__(self) -> None:
            super().__init__()

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.slept) == 3:
                yes(town)

    town.clock = Answering()
    found = run(town).wait(ALL, 3600)
    assert found.status is G
    assert town.clock.slept == [30.0, 45.0, 67.5]
    assert [write.kind for write in found.writes] == ["AskForApproval"]


def test_waiting_ends_with_the_time_that_was_given(town: Town) -> None:
    found = run(town).wait(ALL, 100)
    assert found.status is W
    assert town.clock.slept == [30.0, 45.0, 25.0]


def test_without_a_time_nobody_waits(town: Town) -> None:
    assert run(town).wait(ALL, 0).status is W
    assert town.clock.slept == []


def test_a_look_that_fails_in_passing_does_not_end_the_wait(town: Town) -> None:
    desk = Desk(town)

    @dataclass
    class Breaking(FakeClock):
        """The forge is down after the first step, and back after the second."""

        def __init__(self) -> None:
            super().__init__()

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            desk.broken = {"issues": Unavailable("down")} if len(self.slept) == 1 else {}
            if len(self.slept) == 2:
                yes(town)

    town.clock = Breaking()
    assert run(town, desk=desk).wait(ALL, 3600).status is G


def test_a_waiting_run_whose_request_was_replaced_gives_way_and_asks_for_nothing(town: Town) -> None:
    newer = (replace(PUSH, target="newer"),)

    @dataclass
    class Overtaken(FakeClock):
        """While we wait, a newer run asks for its plan."""

        def __init__(self) -> None:
            super().__init__()

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            run(town).approval(newer)

    town.clock = Overtaken()
    found = run(town).wait(ALL, 3600)
    assert (found.status, found.sentence) == (R, "The request is gone, was changed, or another plan took its place.")
    assert [state(issue) for issue in town.issues] == [State.REPLACED, State.ASKED]


# Environments

BY_PROD = parse_rules(["Push"], [], "4h", environment="prod")


def said(author: Author, approved: bool = True, environment: str = "prod") -> EnvironmentApproval:
    return EnvironmentApproval(environment, author, approved)


@pytest.mark.parametrize(
    ("rules", "reviews", "status"),
    [
        (BY_PROD, [said(MALLORY)], G),
        (BY_PROD, [said(CAROL)], G),  # the platform itself guards whether who started the run may
        (BY_PROD, [], W),
        (BY_PROD, [said(ALICE, environment="staging")], W),
        (BY_PROD, [said(ALICE), said(BOB, approved=False)], R),
        (BY_PROD, [said(US)], W),
        (BY_PROD, [said(Author("9", "deploy[bot]"))], W),
        (BY_PROD, [said(Author("", "ghost"))], W),
        (parse_rules(["Push"], ["alice"], "4h", environment="prod"), [said(BOB)], W),
        (parse_rules(["Push"], ["alice"], "4h", environment="prod"), [said(BOB, approved=False), said(ALICE)], G),
        (parse_rules(["Push"], ["alice", "bob"], "4h", environment="prod", minimum=2), [said(ALICE), said(ALICE)], W),
        (parse_rules(["Push"], ["alice", "bob"], "4h", environment="prod", minimum=2), [said(ALICE), said(BOB)], G),
        (parse_rules(["Push"], ["alice", "carol"], "4h", environment="prod"), [said(CAROL)], W),
    ],
)
def test_an_environments_approval_counts_by_the_rules(
    town: Town, rules: tuple[ApprovalRule, ...], reviews: list[EnvironmentApproval], status: ApprovalStatus
) -> None:
    town.reviews = reviews
    desk = Desk(town)
    assert run(town, rules=rules, run_id="77", desk=desk).approval(ALL).status is status
    assert "issues" not in desk.calls


def test_an_environment_without_protection_is_no_approval_and_how_to_protect_it_is_said(town: Town) -> None:
    found = run(town, rules=BY_PROD, run_id="77").approval(ALL)
    assert found.sentence == (
        "Nobody who may approved this run for the environment prod. Let the job name that environment, and protect it: "
        "GitHub by required reviewers, GitLab by a protected environment with approval rules."
    )


def test_what_bots_say_of_other_environments_is_not_told(town: Town) -> None:
    town.reviews = [said(Author("9", "deploy[bot]"), environment="staging"), said(MALLORY)]
    assert run(town, rules=BY_PROD, run_id="77").approval(ALL).notes == ()


def test_an_environment_cannot_be_asked_without_a_run(town: Town) -> None:
    with pytest.raises(UsageError, match="approval-by: an approval by environment is not possible here"):
        run(town, rules=BY_PROD).approval(ALL)


def test_a_rule_that_names_nobody_lets_nobody_approve_by_comment(town: Town) -> None:
    rules = (ApprovalRule("Push"),)
    run(town, rules=rules).approval(ALL)
    yes(town, ALICE)
    assert run(town, rules=rules).approval(ALL).status is W

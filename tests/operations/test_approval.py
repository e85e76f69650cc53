"""Plans and their hashes, and what becomes of operations with and without an approval."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.domain.ci import Author
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.operations.approval import Approval, ApprovalStatus, Consent, Plan, gate, plan_hash
from cicd_agents.operations.approval_rules import parse_rules

TAG = Operation("CreateTag", "v1.2.0", "Marks the commit.", "Leave it.", "CreateTag:v1.2.0", parameters=(("commit", "c0ffee"), ("message", "v1.2.0")))
PUSH = Operation("Push", "origin", "All see it.", "Revert.", "Push:v1.2.0")
NOTE = Operation("Announce", "Slack", "People hear of it.", "Write another.", "Announce:v1.2.0")
ALL = (TAG, PUSH, NOTE)
RULES = parse_rules(["Push"], ["alice"], "4h")
PLAN = Plan("octo/app", ALL, RULES)
URL = "https://forge.example/8#9"


def approval(status: ApprovalStatus, plan: Plan = PLAN) -> Approval:
    return Approval(status, plan, "A sentence.", URL, (Consent(Author("1", "alice"), 1.0, URL),))


def statuses(operations: tuple[Operation, ...]) -> list[str]:
    return [operation.status.value for operation in operations]


def test_a_hash_is_that_of_the_canonical_json() -> None:

    told = (
        '{"form":"cicd-agents/plan/v1","operations":[{"key":"Push:v1.2.0","kind":"Push","parameters":[],"reverse":"Revert.","target":"origin",'
        '"why":"All see it."}],"repository":"octo/app"}'
    )
    assert plan_hash("octo/app", (PUSH,)) == hashlib.sha256(told.encode()).hexdigest()


@pytest.mark.parametrize(
    "changed",
    [
        replace(TAG, kind="DeleteTag"), replace(TAG, target="v1.2.1"), replace(TAG, key="x"), replace(TAG, why="?"), replace(TAG, reverse="?"),
        replace(TAG, parameters=(("commit", "badbad"), ("message", "v1.2.0"))), replace(TAG, parameters=TAG.parameters[::-1]), replace(TAG, parameters=()),
        replace(TAG, target="v1.2.0\u200b"), replace(TAG, why="Marks the commit.\udcff"),
    ],
)  # fmt: skip
def test_every_change_of_the_plan_changes_the_hash(changed: Operation) -> None:
    assert plan_hash("octo/app", (changed, PUSH)) != plan_hash("octo/app", (TAG, PUSH))


def test_repository_order_and_number_of_operations_change_the_hash_too() -> None:
    plans = [("octo/app", ALL), ("octo/other", ALL), ("octo/app", ALL[::-1]), ("octo/app", ALL[:2]), ("octo/app", (*ALL, NOTE))]
    assert len({plan_hash(*plan) for plan in plans}) == len(plans)


@given(st.lists(st.tuples(st.text(), st.text()), max_size=3), st.lists(st.tuples(st.text(), st.text()), max_size=3))
def test_no_two_lists_of_parameters_have_the_same_hash(one: list[tuple[str, str]], other: list[tuple[str, str]]) -> None:
    hashes = [plan_hash("octo/app", (replace(TAG, parameters=tuple(parameters)),)) for parameters in (one, other)]
    assert (hashes[0] == hashes[1]) == (one == other)


def test_what_became_of_operations_does_not_change_the_hash() -> None:
    done = replace(TAG, status=OperationStatus.APPLIED, result="Made.", evidence=(Evidence("line", "1", "x"),))
    assert plan_hash("octo/app", (done,)) == plan_hash("octo/app", (TAG,))


def test_what_is_done_before_the_first_risky_operation_is_no_part_of_the_plan_that_is_approved() -> None:
    assert Plan("octo/app", (replace(TAG, target="v9"), PUSH, NOTE), RULES).hash == PLAN.hash
    assert Plan("octo/app", (TAG, PUSH, replace(NOTE, target="all")), RULES).hash != PLAN.hash


def test_while_it_waits_the_risky_operation_and_all_after_it_are_held_back() -> None:
    gated = gate(ALL, approval(ApprovalStatus.WAITING))
    assert statuses(gated) == ["planned", "needs-approval", "needs-approval"]
    assert gated[0] == TAG
    assert gated[1].result == "A sentence."


@pytest.mark.parametrize("status", [ApprovalStatus.REFUSED, ApprovalStatus.EXPIRED])
def test_refused_and_expired_plans_close_the_gate(status: ApprovalStatus) -> None:
    gated = gate(ALL, approval(status))
    assert statuses(gated) == ["planned", "refused", "refused"]


def test_granted_operations_go_through_and_carry_who_approved() -> None:
    gated = gate(ALL, approval(ApprovalStatus.GRANTED))
    assert statuses(gated) == ["planned"] * 3
    assert gated[1].evidence == (Evidence("approval", URL, "Approved by alice (id 1)."),)
    assert (gated[0].evidence, gated[2].evidence) == ((), ())


@pytest.mark.parametrize("status", [ApprovalStatus.GRANTED, ApprovalStatus.NOT_NEEDED, ApprovalStatus.WAITING, ApprovalStatus.PLANNED])
def test_an_approval_of_other_operations_lets_nothing_through(status: ApprovalStatus) -> None:
    gated = gate((TAG, replace(PUSH, target="evil"), NOTE), approval(status))
    assert statuses(gated) == ["planned", "refused", "refused"]
    assert "not those that were approved" in gated[1].result


def test_what_needed_no_approval_because_it_was_done_needs_one_when_it_is_planned_again() -> None:
    gated = gate(ALL, approval(ApprovalStatus.NOT_NEEDED))
    assert statuses(gated) == ["planned", "refused", "refused"]


def test_without_a_need_nothing_is_held_back() -> None:
    plan = Plan("octo/app", ALL, ())
    assert gate(ALL, approval(ApprovalStatus.NOT_NEEDED, plan)) == ALL


def test_operations_that_were_done_stay_done() -> None:
    done = (replace(TAG, status=OperationStatus.APPLIED), replace(PUSH, status=OperationStatus.ALREADY_DONE), NOTE)
    assert gate(done, approval(ApprovalStatus.WAITING)) == done
    assert Plan("octo/app", done, RULES).needs == ()


def test_a_dry_run_plans_all_and_says_what_would_be_asked() -> None:
    gated = gate(ALL, approval(ApprovalStatus.PLANNED))
    assert statuses(gated) == ["planned"] * 3
    assert gated[1].result == "A sentence."

"""Settings become rules; what is written wrongly is one clear sentence; an operation finds its rule."""

from __future__ import annotations

import pytest

from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.operation import Operation
from cicd_agents.operations.approval_rules import ApprovalRule, Approver, ApproverKind, parse_rules, parse_timeout, rule_of


def operation(kind: str, target: str = "origin", **parameters: str) -> Operation:
    return Operation(kind, target, "why", "back", kind, parameters=tuple(parameters.items()))


def test_flat_settings_become_one_rule_for_each_kind() -> None:
    rules = parse_rules(["Push", "Rollback"], ["alice", "id:42", "@org/team", "Rollback=@org/sre"], "30m", minimum=2)
    everybody = (Approver(ApproverKind.LOGIN, "alice"), Approver(ApproverKind.ID, "42"), Approver(ApproverKind.TEAM, "org/team"))
    assert rules == (ApprovalRule("Push", everybody, 1800.0, minimum=2), ApprovalRule("Rollback", (Approver(ApproverKind.TEAM, "org/sre"),), 1800.0, minimum=2))


def test_nothing_required_is_no_rule() -> None:
    assert parse_rules([], ["alice"], "4h") == ()


def test_a_group_of_one_name_and_all_who_may_write_have_a_spelling_of_their_own() -> None:
    (rule,) = parse_rules(["*"], ["team:acme", "role:write", "@a/b/c"], "4h")
    assert rule.approvers == (Approver(ApproverKind.TEAM, "acme"), Approver(ApproverKind.WRITERS), Approver(ApproverKind.TEAM, "a/b/c"))


@pytest.mark.parametrize(("text", "seconds"), [("4h", 14_400), ("30m", 1800), ("2d", 172_800), ("1m", 60), ("30d", 2_592_000)])
def test_a_timeout_is_minutes_hours_or_days(text: str, seconds: int) -> None:
    assert parse_timeout(text) == seconds


@pytest.mark.parametrize("text", ["", "4", "4 h", "0m", "31d", "4H", "-1h", "٤h", "1h30m", "99999999d"])
def test_another_timeout_is_refused_by_the_name_of_its_setting(text: str) -> None:
    with pytest.raises(UsageError, match=r"^approval-timeout: .*such as 30m, 4h or 2d\.$"):
        parse_timeout(text)


@pytest.mark.parametrize(
    ("required", "approvers", "said"),
    [
        (["Push it"], ["alice"], "approval-required: 'Push it' is no kind"),
        (["Рush"], ["alice"], "approval-required: 'Рush' is no kind"),  # a Cyrillic letter
        (["Push"], [], "approvers: nobody is named who may approve 'Push'"),
        (["Push"], ["al ice"], "approvers: 'al ice' is neither"),
        (["Push"], ["аlice"], "approvers: 'аlice' is neither"),  # a Cyrillic letter
        (["Push"], ["@alice"], "approvers: '@alice' is neither"),
        (["Push"], ["id:0"], "approvers: 'id:0' is neither"),
        (["Push"], ["id:alice"], "approvers: 'id:alice' is neither"),
        (["Push"], ["alice", "Rollback=bob"], "approvers: 'Rollback' needs no approval"),
        (["Pusch"], ["alice"], "approval-required: there is no operation 'Pusch'; did you mean Push?"),
        (["Push"], ["alice"] * 101, "approvers: 101 entries"),
    ],
)  # fmt: skip
def test_wrong_text_is_one_sentence_that_names_the_setting(required: list[str], approvers: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=f"^{said}"):
        parse_rules(required, approvers, "4h", kinds=["Push", "Promote:prod", "Rollback"])


def test_more_approvals_than_people_can_never_be_given() -> None:
    with pytest.raises(UsageError, match="1 may approve 'Push', but approval-minimum asks for 2"):
        parse_rules(["Push"], ["alice", "alice"], "4h", minimum=2)
    assert parse_rules(["Push"], ["alice", "@org/team"], "4h", minimum=2)


def test_by_environment_nobody_has_to_be_named() -> None:
    assert parse_rules(["Push"], [], "4h", environment="prod")[0].environment == "prod"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("Push", operation("Push")), ("push", operation("Push")), ("*", operation("Anything")), ("Create*", operation("CreateTag")),
        ("Promote:prod", operation("Promote:prod", "octo/app prod")), ("Promote", operation("Promote:prod")), ("Sync:prod", operation("Sync", "prod")),
        ("Sync:prod", operation("Sync", "octo/app", environment="Prod")), ("Promote:*", operation("Promote:dev")),
    ],
)  # fmt: skip
def test_an_operation_is_found_by_kind_glob_target_and_environment_in_any_case(pattern: str, found: Operation) -> None:
    rules = parse_rules([pattern], ["alice"], "4h")
    assert rule_of(found, rules) == rules[0]


@pytest.mark.parametrize(
    ("pattern", "other"), [("Push", operation("PushTag")), ("Promote:prod", operation("Promote:dev")), ("Sync:prod", operation("Sync", "product"))]
)
def test_another_operation_needs_no_approval(pattern: str, other: Operation) -> None:
    assert rule_of(other, parse_rules([pattern], ["alice"], "4h")) is None


def test_the_most_exact_rule_decides_and_a_hyphen_takes_out() -> None:
    rules = parse_rules(["*", "-Announce"], ["alice", "Rollback=@org/sre"], "4h")
    assert rule_of(operation("Announce"), rules) is None
    rollback, push = rule_of(operation("Rollback"), rules), rule_of(operation("Push"), rules)
    assert rollback is not None
    assert push is not None
    assert (rollback.approvers, push.approvers) == ((Approver(ApproverKind.TEAM, "org/sre"),), (Approver(ApproverKind.LOGIN, "alice"),))


def test_an_exact_name_goes_before_a_longer_glob() -> None:
    rules = parse_rules(["Push**", "-Push"], ["alice"], "4h")
    assert rule_of(operation("Push"), rules) is None
    assert rule_of(operation("PushTag"), rules) is not None


def test_the_starter_may_only_approve_where_nobody_else_could_unless_it_is_said() -> None:
    alone, two = parse_rules(["Push"], ["alice"], "4h")[0], parse_rules(["Push"], ["alice", "bob"], "4h")[0]
    team, never = parse_rules(["Push"], ["@org/team"], "4h")[0], parse_rules(["Push"], ["alice"], "4h", by_starter=False)[0]
    assert [rule.starter_may for rule in (alone, two, team, never)] == [True, False, False, False]

"""Which of several leads is the root cause."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cicd_agents.analysis.logs.diagnosis import diagnose
from cicd_agents.analysis.logs.judge import ROLE, Ranked, rank
from cicd_agents.analysis.logs.leads import Lead
from cicd_agents.analysis.logs.masking import masked
from cicd_agents.analysis.logs.scan import Catalogue, catalogue
from cicd_agents.analysis.logs.signature import Signature
from cicd_agents.analysis.logs.steps import Shape, Step
from cicd_agents.domain.finding import Location

ONE_STEP = Shape((Step(1, 1000, "Run make", failed=True),), True)
SILENT = Shape((Step(1, 1000, ""),), None)


def lead(
    line: int, text: str = "", weight: int = 80, role: str = "cause", rule: str = "", category: str = "other", place: Location | None = None, **facts: bool
) -> Lead:
    signature = Signature(id=rule or f"r{line}.x", tool="t", category=category, weight=weight, match="x", title="t", cause="c", role=role)
    text = text or f"message {'abcdefghijklmnopqrstuvwxyz'[line % 26] * 5}"
    return Lead(
        line=line, offset=line * 10, text=text.encode(), marker=b"", signature=signature, captures={"from": str(line)}, location=place,
        retried=facts.get("retried", False), benign=facts.get("benign", False), window=(),
    )  # fmt: skip


def order(*leads: Lead, shape: Shape = ONE_STEP, good: frozenset[bytes] = frozenset()) -> list[int]:
    return [item.lead.line for item in rank(leads, shape, good)]


def score(one: Lead, shape: Shape = ONE_STEP, good: frozenset[bytes] = frozenset()) -> float:
    (item,) = rank([one], shape, good)
    return item.score


def test_nothing_is_ranked_where_there_are_no_leads() -> None:
    assert rank([], ONE_STEP, frozenset()) == []


def test_a_cause_stands_above_a_headline_a_symptom_and_a_wrapper_of_the_same_weight() -> None:
    assert order(lead(5, role="wrapper"), lead(15, role="symptom"), lead(25, role="headline"), lead(35, role="cause")) == [35, 25, 15, 5]
    assert order(lead(5, role="wrapper", weight=95), lead(15, weight=40)) == [15, 5]


def test_a_better_rule_stands_above_an_earlier_one() -> None:
    assert order(lead(5, weight=60), lead(15, weight=90)) == [15, 5]


@pytest.mark.parametrize("weight", [40, 61, 80, 90])
def test_of_equals_the_earliest_comes_first(weight: int) -> None:
    assert order(lead(45, weight=weight), lead(5, weight=weight), lead(25, weight=weight)) == [5, 25, 45]


def test_scores_that_hardly_differ_are_equal() -> None:
    assert order(lead(5, weight=80), lead(25, weight=81)) == [5, 25]


def test_scores_within_two_hundredths_are_equal_wherever_they_lie() -> None:
    assert [weight for weight in range(40, 95) if order(lead(5, weight=weight), lead(25, weight=weight + 1)) != [5, 25]] == []


def test_lines_of_one_block_are_one_failure() -> None:
    assert order(lead(5), lead(6), lead(7), lead(8)) == [5, 8]


def test_at_most_forty_are_kept() -> None:
    assert len(order(*(lead(line) for line in range(3, 600, 3)))) == 40


@pytest.mark.parametrize(
    ("one", "factor"),
    [
        (lead(5), 1.0),
        (lead(5, benign=True), 0.6),
        (lead(5, retried=True), 0.85),
        (lead(5, benign=True, retried=True), 0.51),
        (lead(5, role="headline"), ROLE["headline"]),
    ],
    ids=["error", "warning", "retried", "both", "headline"],
)
def test_what_speaks_against_a_line_lowers_its_score(one: Lead, factor: float) -> None:
    assert score(one) == pytest.approx(0.8 * factor)


def test_a_warning_stands_below_a_weaker_error() -> None:
    assert order(lead(5, weight=85, benign=True), lead(25, weight=60)) == [25, 5]


def test_a_line_that_a_good_run_prints_too_counts_less_whatever_its_numbers() -> None:
    good = frozenset({masked(b"cache 17 is cold at 10:00:01")})
    known, news = lead(5, "cache 99 is cold at 23:59:59", weight=90), lead(25, "the ledger does not balance", weight=60)
    assert order(known, news) == [5, 25]
    assert order(known, news, good=good) == [25, 5]
    assert score(known, good=good) == pytest.approx(0.3 * 0.9)
    assert [item.known_good for item in rank([known, news], ONE_STEP, good)] == [False, True]


STEPS = Shape(
    (
        Step(1, 10, "Run checkout"),
        Step(11, 30, "Run make", failed=True, command=21),
        Step(31, 40, "Run report"),
        Step(41, 50, "", cleanup=True),
    ),
    True,
)  # fmt: skip


def test_the_failing_step_stands_above_earlier_later_and_clean_up() -> None:
    assert order(lead(45), lead(35), lead(5), lead(25), shape=STEPS) == [25, 5, 35, 45]
    assert order(lead(45, weight=95), lead(25, weight=60), shape=STEPS) == [25, 45]


def test_within_the_failing_step_the_last_command_stands_above_what_ran_before() -> None:
    assert order(lead(15), lead(25), shape=STEPS) == [25, 15]


def test_where_no_step_is_known_the_place_says_nothing() -> None:
    assert [item.place for item in rank([lead(5), lead(900)], SILENT, frozenset())] == [1.0, 1.0]


SAID = "Cannot resolve host registry.example"


def test_a_message_said_again_by_a_wrapper_counts_at_its_first_place() -> None:
    first, again = lead(5, SAID, weight=50), lead(25, f"Error: {SAID}: giving up", weight=85)
    best, other = rank([first, again], ONE_STEP, frozenset())
    assert [best.lead.line, other.lead.line] == [5, 25]
    assert (best.score, best.lead.signature.id, best.lead.text) == (0.85, again.signature.id, SAID.encode())


def test_what_two_commands_of_a_step_say_word_for_word_is_one_failure_that_was_tried_again() -> None:
    first, again = lead(15, SAID, rule="net.dns"), lead(25, SAID, rule="net.dns")
    again = replace(again, signature=first.signature)
    assert order(first, again, shape=STEPS)[0] == 15
    assert order(first, lead(25, SAID, rule="net.other"), shape=STEPS)[0] == 25
    assert order(replace(first, line=5), again, shape=STEPS)[0] == 25  # another step: it may have been got over there


def test_a_full_disk_outlasts_the_step_that_met_it() -> None:
    full, after = lead(5, "no space left", weight=94, category="disk_full"), lead(25, "unexpected token", weight=88)
    assert order(full, after, shape=STEPS)[0] == 5
    assert order(replace(full, benign=True), after, shape=STEPS)[0] == 25
    assert order(lead(5, "no space left", weight=94), after, shape=STEPS)[0] == 25
    assert order(replace(full, line=35), after, shape=STEPS)[0] == 25
    tested = Shape((Step(1, 10, "npm test"), *STEPS.steps[1:]), True)
    assert order(full, after, shape=tested)[0] == 25  # a test may try what happens then


def test_the_first_place_takes_the_captures_of_the_better_rule_and_keeps_its_own_location() -> None:
    first = lead(5, SAID, weight=50, place=Location("a.py", 1))
    again = lead(25, f"Error: {SAID}", weight=85, place=Location("b.py", 2))
    best = rank([first, again], ONE_STEP, frozenset())[0]
    assert best.lead.captures == {"from": "25"}
    assert best.lead.location == Location("a.py", 1)
    unplaced = rank([lead(5, SAID, weight=50), again], ONE_STEP, frozenset())[0]
    assert unplaced.lead.location == Location("b.py", 2)


def test_the_first_place_keeps_its_rule_where_that_is_as_good() -> None:
    first, again = lead(5, SAID, weight=85, role="symptom"), lead(25, f"Error: {SAID}", weight=80)
    best = rank([first, again], ONE_STEP, frozenset())[0]
    assert (best.lead.signature.id, best.score) == (first.signature.id, 0.8)


def test_the_short_form_that_a_tool_prints_before_its_full_report_is_not_raised() -> None:
    first, again = lead(5, SAID, weight=80, role="symptom", rule="vitest.inline"), lead(25, f"Error: {SAID}", weight=85, rule="vitest.assertion")
    assert order(first, again) == [25, 5]


def test_of_two_that_repeat_a_message_the_better_one_raises_it() -> None:
    best = rank([lead(5, SAID, weight=40), lead(15, f"x: {SAID}", weight=60), lead(25, f"y: {SAID}", weight=90)], ONE_STEP, frozenset())[0]
    assert (best.lead.line, best.score, best.lead.signature.id) == (5, 0.9, "r25.x")


@pytest.mark.parametrize(
    ("first", "again", "shape"),
    [
        (lead(5, "no such file", weight=50), lead(25, "error: no such file", weight=85), ONE_STEP),
        (lead(5, SAID, weight=50), lead(25, f"Error: {SAID}", weight=95, role="wrapper"), ONE_STEP),
        (lead(5, SAID, weight=50, benign=True), lead(25, f"Error: {SAID}", weight=85), ONE_STEP),
        (lead(5, SAID, weight=50), lead(25, f"Error: {SAID}", weight=85), STEPS),
        (lead(5, SAID, weight=50), lead(25, "Cannot resolve anything but this", weight=85), ONE_STEP),
    ],
    ids=["too short", "by a wrapper's own rule", "first as a warning", "first in another step", "another message"],
)
def test_a_message_is_not_raised(first: Lead, again: Lead, shape: Shape) -> None:
    found = {item.lead.line: item.score for item in rank([first, again], shape, frozenset())}
    assert found[5] < found[25] or again.signature.role == "wrapper"
    assert found[5] == pytest.approx(score(first, shape))


def test_of_alike_errors_of_one_tool_the_first_is_the_cause() -> None:
    first, second = lead(5, weight=80, rule="gcc.undeclared", category="compile"), lead(25, weight=84, rule="gcc.type", category="compile")
    best, other = rank([first, second], ONE_STEP, frozenset())
    assert [best.lead.line, best.score, other.lead.line, other.score] == [5, 0.84, 25, 0.84]


@pytest.mark.parametrize(
    "first",
    [
        lead(5, weight=80, rule="ld.undeclared", category="compile"),
        lead(5, weight=80, rule="gcc.undeclared", category="configuration"),
        lead(5, weight=83, rule="gcc.undeclared", category="compile", role="headline"),
        lead(5, weight=60, rule="gcc.undeclared", category="compile"),
    ],
    ids=["another tool", "another category", "another role", "much weaker"],
)
def test_errors_that_are_not_alike_keep_their_order(first: Lead) -> None:
    assert order(first, lead(25, weight=88, rule="gcc.type", category="compile")) == [25, 5]


def test_an_alike_error_of_an_earlier_step_is_not_the_cause() -> None:
    assert order(lead(5, weight=95, rule="gcc.a", category="compile"), lead(25, weight=80, rule="gcc.b", category="compile"), shape=STEPS) == [25, 5]


def test_a_message_of_the_system_counts_less_beside_a_test_that_says_what_failed() -> None:
    system = lead(5, weight=88, rule="network.refused", category="dependency_network")
    test = lead(25, weight=82, rule="pytest.assertion", category="test_failure")
    assert order(system, test) == [25, 5]
    assert order(system, lead(25, weight=82, rule="npm.eresolve", category="dependency_resolution")) == [5, 25]


def test_two_rules_of_one_family_at_one_line_do_not_explain_each_other() -> None:
    system, test = lead(30, weight=90, rule="node.api_missing"), lead(30, weight=74, rule="node.type_error", category="test_failure")
    assert rank([system, test], ONE_STEP, frozenset())[0].lead.signature.id == "node.api_missing"


def test_a_headline_of_a_build_explains_no_message_of_the_system() -> None:
    system = lead(10, weight=90, rule="network.down")
    assert score_of(system, lead(30, weight=75, rule="npm.install", category="compile", role="headline")) == pytest.approx(0.9)
    assert score_of(system, lead(30, weight=75, rule="gcc.error", category="compile")) == pytest.approx(0.9 * 0.82)


def score_of(one: Lead, *others: Lead) -> float:
    return next(item.score for item in rank([one, *others], ONE_STEP, frozenset()) if item.lead.line == one.line)


def test_low_coverage_counts_less_beside_a_test_that_failed() -> None:
    coverage = lead(25, weight=88, rule="pytest.coverage", category="coverage_threshold")
    assert order(coverage, lead(5, weight=82, rule="jest.failed", category="test_failure")) == [5, 25]
    assert score(coverage) == pytest.approx(0.88)


@pytest.mark.parametrize(
    ("system", "test"),
    [
        (lead(5, weight=88, rule="disk.full", category="disk_full"), lead(25, weight=82, rule="pytest.x", category="test_failure")),
        (lead(5, weight=88, rule="network.x"), lead(25, weight=60, rule="pytest.x", category="test_failure")),
        (lead(5, weight=88, rule="network.x"), lead(25, weight=82, rule="generic.x", category="test_failure")),
        (lead(5, weight=88, rule="npm.x"), lead(25, weight=82, rule="pytest.x", category="test_failure")),
    ],
    ids=["it ends any job", "the test is not plain", "no tool says so", "no system's message"],
)
def test_a_message_that_the_tests_do_not_explain_keeps_its_score(system: Lead, test: Lead) -> None:
    found = {item.lead.line: item.score for item in rank([system, test], ONE_STEP, frozenset())}
    assert found[5] == pytest.approx(0.88)


def test_a_message_of_the_system_in_another_step_or_in_none_is_judged_by_itself() -> None:
    system = lead(5, weight=88, rule="network.refused", category="dependency_network")
    test = lead(25, weight=82, rule="pytest.assertion", category="test_failure")
    apart = {item.lead.line: item.score for item in rank([system, test], STEPS, frozenset())}
    assert apart[5] == pytest.approx(score(system, STEPS))
    stepless = rank([system, test], Shape((), None), frozenset())
    assert [item.lead.line for item in stepless] == [25, 5]


def test_the_score_is_never_more_than_one_nor_less_than_zero() -> None:
    found: list[Ranked] = rank([lead(5, weight=100), lead(25, weight=0)], ONE_STEP, frozenset())
    assert [item.score for item in found] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b"took 1.23 s", b"took 45.6 s", True),
        (b"at 0xdeadbeef", b"at 0x1", True),
        (b"in /tmp/abc-1/x.log now", b"in /tmp/zzz now", True),
        (b"id 123e4567-e89b-12d3-a456-426614174000", b"id 00000000-E89B-12d3-a456-426614174000", True),
        (b"commit 1a2b3c4d5e6f", b"commit ffffffffff", True),
        (b" a \t b ", b"a b", True),
        (b"x" * 400 + b"a", b"x" * 400 + b"b", True),
        (b"took long", b"took short", False),
        (b"", b" ", True),
    ],
)
def test_messages_are_the_same_but_for_what_changes_from_run_to_run(one: bytes, other: bytes, same: bool) -> None:
    assert (masked(one) == masked(other)) is same


def rules(**roles: str) -> Catalogue:
    return catalogue(
        Signature(id=f"demo.{role}", tool="demo", category="other", weight=80, role=role, match=f"^{word}", title=role, cause="c")
        for word, role in roles.items()
    )


def test_the_engine_ranks_so_too() -> None:
    log = b"boom\n" + b"ok\n" * 5 + b"wrapped\n"
    found = diagnose(log, signatures=rules(boom="cause", wrapped="wrapper"))
    assert [(item.line, item.signature) for item in found.candidates] == [(1, "demo.cause"), (7, "demo.wrapper")]
    assert [item.line for item in found.failures] == [1]

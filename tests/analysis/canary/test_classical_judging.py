"""`judge: welch | fisher | chi-square | proportions`, and the A/B test: what they conclude, and that they look once."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.canary.making import START, counter, observation, replica, with_gauge

from cicd_agents.analysis.canary import default_policy, judge
from cicd_agents.analysis.canary.classical.judging import ClassicalTest, judge_classical
from cicd_agents.analysis.canary.classical.one_look import fisher_exact
from cicd_agents.domain.canary import Alarm, Decision, Judgement, MetricJudgement, Observation, Series, Stage, Status, Strategy, Version
from cicd_agents.domain.errors import UsageError

# One stage of 20 minutes at the share of the samples.
POLICY = replace(default_policy(), stages=(Stage(0.2, 20), Stage(1.0, 30)))
AB = replace(default_policy(Strategy.AB), stages=(Stage(0.2, 20),))
TESTS = list(ClassicalTest)
COUNTED = [test for test in ClassicalTest if test is not ClassicalTest.WELCH]
WHEN = START + 1500


def of(judgement: Judgement, name: str) -> MetricJudgement:
    return next(metric for metric in judgement.metrics if metric.name == name)


def uneven(rate: float, minutes: int = 30) -> list[float]:
    """Errors a minute that average `rate`, and are not all the same: without any spread t says nothing."""
    return [rate + (1 if minute % 2 else -1) for minute in range(minutes)]


def seen(errors: float, *, slow: float = 0.02) -> Observation:
    old = tuple(replica(f"old-{number}", [1000.0] * 30, uneven(4.0)) for number in range(4))
    return Observation(Version("old", old), Version("new", (replica("new-0", [1000.0] * 30, uneven(errors), slow=slow),)), START, ((START, 0.2),))


@pytest.mark.parametrize("test", TESTS)
def test_a_canary_like_the_baseline_passes(test: ClassicalTest) -> None:
    found = judge_classical(seen(4.0), POLICY, WHEN, test)
    assert (found.status, found.decision) == (Status.PASS, Decision.PROMOTE), found.reason
    assert "within threshold" in of(found, "error_rate").reason


@pytest.mark.parametrize("test", TESTS)
def test_five_times_the_errors_fail_with_counts_or_means_and_the_name_of_the_test(test: ClassicalTest) -> None:
    found = judge_classical(seen(20.0), POLICY, WHEN, test)
    assert (found.status, found.decision) == (Status.FAIL, Decision.ROLLBACK), found.reason
    row = of(found, "error_rate")
    assert row.reason.startswith("Error rate spike: ")
    assert {ClassicalTest.WELCH: "Welch", ClassicalTest.FISHER: "Fisher", ClassicalTest.CHI_SQUARE: "chi-square", ClassicalTest.PROPORTIONS: "two-proportion"}[
        test
    ] in row.reason
    assert row.canary == pytest.approx(0.02)
    assert row.baseline == pytest.approx(0.004)
    assert row.strength.p_value is not None
    assert row.strength.p_value < 1e-6


@pytest.mark.parametrize("test", TESTS)
def test_slower_requests_fail(test: ClassicalTest) -> None:
    found = judge_classical(seen(4.0, slow=0.2), POLICY, WHEN, test)
    row = of(found, "latency_p95")
    if test is ClassicalTest.WELCH:
        assert row.baseline is not None
        assert row.canary is not None
        assert row.canary > 1.5 * row.baseline
    else:
        assert row.status is Status.FAIL
        assert "4000 of 20000 against 1600 of 80000" in row.reason


def test_welch_needs_spread_to_tell_and_its_effect_size_is_told() -> None:
    usual = with_gauge(seen(4.0), "cpu", [85.0 + minute % 5 for minute in range(30)], [40.0 + minute % 4 for minute in range(30)])
    row = of(judge_classical(usual, POLICY, WHEN, ClassicalTest.WELCH), "cpu")
    assert row.status is Status.FAIL
    assert "mean 87 % against 41.5 %" in row.reason
    assert "d = " in row.reason


@pytest.mark.parametrize("test", COUNTED)
def test_what_has_no_counts_is_tested_by_welch(test: ClassicalTest) -> None:
    usual = with_gauge(seen(4.0), "cpu", [48.0 + minute % 5 for minute in range(30)], [45.0 + minute % 4 for minute in range(30)])
    row = of(judge_classical(usual, POLICY, WHEN, test), "cpu")
    assert row.status is Status.PASS
    assert "Welch" in row.reason


def test_the_p_value_is_that_of_the_test_on_the_totals() -> None:
    row = of(judge_classical(seen(8.0), POLICY, WHEN, ClassicalTest.FISHER), "error_rate")
    assert row.strength.p_value == pytest.approx(fisher_exact(160, 20_000, 320, 80_000).p_value)


# One look


@pytest.mark.parametrize("test", TESTS)
def test_before_its_stage_is_over_a_test_is_not_made(test: ClassicalTest) -> None:
    found = judge_classical(seen(20.0), POLICY, START + 600, test)
    assert (found.status, found.decision) == (Status.INCONCLUSIVE, Decision.HOLD)
    row = of(found, "error_rate")
    assert "made once, when the stage has had its minutes (10 more)" in row.reason
    assert row.strength.p_value is None


@pytest.mark.parametrize("test", TESTS)
def test_what_comes_after_the_stage_changes_nothing(test: ClassicalTest) -> None:
    quiet = judge_classical(seen(4.0), POLICY, START + 1200, test)
    errors = [*uneven(4.0, 20), *[60.0] * 10]
    later = replace(seen(4.0), canary=Version("new", (replica("new-0", [1000.0] * 30, errors),)))
    for minute in (21, 25, 29):
        found = judge_classical(later, POLICY, START + 60 * minute, test)
        assert of(found, "error_rate") == of(quiet, "error_rate")


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("began", [300.0, 290.0])
def test_the_minutes_of_an_earlier_stage_are_left_out(test: ClassicalTest, began: float) -> None:
    errors = [*[40.0] * 5, *uneven(4.0, 25)]
    found = replace(seen(4.0), canary=Version("new", (replica("new-0", [1000.0] * 30, errors),)), share=((START, 0.05), (START + began, 0.2)))
    two = replace(POLICY, stages=(Stage(0.05, 4), Stage(0.2, 20), Stage(1.0, 30)))
    first = of(judge_classical(found, two, START + 240, test), "error_rate")
    assert first.canary == pytest.approx(0.04)
    second = of(judge_classical(found, two, START + 1500, test), "error_rate")
    assert second.canary == pytest.approx(0.004, rel=0.05)
    assert second.status is Status.PASS


def test_trouble_that_does_not_wait_is_still_found_at_once() -> None:
    found = judge_classical(observation([300.0] * 30), POLICY, START + 420, ClassicalTest.FISHER)
    assert found.decision is Decision.ROLLBACK
    assert isinstance(found.alarms[0], Alarm)


@pytest.mark.parametrize("test", TESTS)
def test_the_report_says_that_it_is_valid_for_one_look_and_promises_no_budget(test: ClassicalTest) -> None:
    found = judge_classical(seen(4.0), POLICY, WHEN, test)
    assert any("valid for one look only" in note for note in found.notes)
    assert any("independent of each other" in note for note in found.notes)
    assert found.budget == ()


def test_each_stage_has_its_part_of_the_level() -> None:
    one = of(judge_classical(seen(4.0), replace(POLICY, stages=POLICY.stages[:1]), WHEN, ClassicalTest.FISHER), "error_rate").strength.alpha
    two = of(judge_classical(seen(4.0), POLICY, WHEN, ClassicalTest.FISHER), "error_rate").strength.alpha
    assert one is not None
    assert two == pytest.approx(one / 2)


# What is not known


@pytest.mark.parametrize("test", TESTS)
def test_what_cannot_be_seen_neither_promotes_nor_rolls_back(test: ClassicalTest) -> None:
    old = seen(4.0)
    empty = [
        Observation(),
        replace(old, canary=Version("new")),
        replace(old, baseline=Version("old")),
        replace(old, canary=Version("new", (replica("new-0", [nan] * 30, [nan] * 30),))),
        replace(old, canary=Version("new", (replica("new-0", [0.0] * 30, [0.0] * 30),))),
    ]
    for each in empty:
        found = judge_classical(each, POLICY, WHEN, test)
        assert found.decision is Decision.HOLD, (each, found.reason)
    assert judge_classical(old, POLICY, START + 3600, test).status is Status.NO_DATA, "the newest sample is too old"


@pytest.mark.parametrize("test", TESTS)
def test_too_few_requests_do_not_pass(test: ClassicalTest) -> None:
    few = Observation(
        Version("old", (replica("old-0", [4.0] * 30, [0.0] * 30),)), Version("new", (replica("new-0", [1.0] * 30, [0.0] * 30),)), START, ((START, 0.2),)
    )  # fmt: skip
    found = judge_classical(few, POLICY, WHEN, test)
    assert found.decision is Decision.HOLD, found.reason


def test_a_policy_without_sense_is_refused() -> None:
    with pytest.raises(UsageError):
        judge_classical(seen(4.0), replace(POLICY, metrics=()), WHEN, ClassicalTest.FISHER)


@given(
    st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)), max_size=12), st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)), max_size=12),
    st.sampled_from(TESTS), st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_odd_counts_never_raise(canary: list[tuple[float, float]], baseline: list[tuple[float, float]], test: ClassicalTest, ab: bool) -> None:
    def version(name: str, rows: list[tuple[float, float]]) -> Version:
        return Version(name, (replica(name, [requests for requests, _ in rows], [errors for _, errors in rows]),) if rows else ())

    judge_classical(Observation(version("old", baseline), version("new", canary), START), AB if ab else POLICY, WHEN, test)


# A/B


def shop(orders: float, *, other: float = 30.0, sessions: float = 1000.0) -> Observation:
    def with_orders(version: Version, each: float) -> Version:
        counters = (Series("orders", counter([each] * 30)), Series("sessions", counter([sessions] * 30)))
        return replace(version, replicas=tuple(replace(item, counters=counters) for item in version.replicas))

    usual = seen(4.0)
    return replace(usual, canary=with_orders(usual.canary, orders), baseline=with_orders(usual.baseline, other))


@pytest.mark.parametrize(("orders", "words"), [(30.0, "no difference is proven so far"), (45.0, "B is better"), (20.0, "B is worse")])
def test_an_ab_test_tells_the_result_of_its_business_counters(orders: float, words: str) -> None:
    [told] = [note for note in judge(shop(orders), AB, now=WHEN).notes if note.startswith("A/B test")]
    assert f"B {orders / 10:.3g} %" in told
    assert "A 3 % (3000 of 100000)" in told
    assert "with 95 % confidence at every look" in told
    assert words in told


def test_what_is_common_is_told_as_it_is_and_not_by_what_did_not_happen() -> None:
    [told] = [note for note in judge(shop(900.0, other=800.0), AB, now=WHEN).notes if note.startswith("A/B test")]
    assert "B 90 %" in told
    assert "B is better" in told


def test_other_strategies_and_metrics_without_counters_have_no_ab_test() -> None:
    assert not [note for note in judge(shop(45.0), POLICY, now=WHEN).notes if note.startswith("A/B test")]
    assert not [note for note in judge(seen(4.0), AB, now=WHEN).notes if note.startswith("A/B test")]


def test_proportions_of_an_ab_test_are_judged_at_every_look_by_the_sequential_test() -> None:
    early = judge_classical(shop(15.0), AB, START + 900, ClassicalTest.PROPORTIONS)
    row = of(early, "conversion")
    assert row.status is Status.FAIL
    assert "sequential two-proportion" in row.reason
    assert early.decision is Decision.ROLLBACK
    assert any("valid at every look" in note for note in early.notes)
    assert "made once" in of(judge_classical(shop(15.0), AB, START + 900, ClassicalTest.FISHER), "conversion").reason


def test_the_sequential_test_is_slower_than_the_one_for_one_look() -> None:
    slight = shop(27.0)
    once = of(judge_classical(slight, replace(AB, strategy=Strategy.CANARY), WHEN, ClassicalTest.PROPORTIONS), "conversion").strength.p_value
    often = of(judge_classical(slight, AB, START + 1200, ClassicalTest.PROPORTIONS), "conversion").strength.p_value
    assert once is not None
    assert often is not None
    assert often > once

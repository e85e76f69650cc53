# ruff: noqa: S311
from __future__ import annotations

import random
from functools import partial
from math import exp, inf, lgamma, log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.canary.making import poisson

from cicd_agents.analysis.canary.borrowing import BURST_RATE, BURSTS, FRESH, MEMORIES, Earlier, borrowed_gains
from cicd_agents.analysis.canary.evidence import Split, cap_for, split_evidence
from cicd_agents.analysis.canary.noise import apart

EQUAL = ((0.0, 1.0),)
FACTORS = (1.6, 2.0, 4.0)


def _sum(earlier: list[Earlier], steps: list[Split], factor: float = 2.0) -> float:
    return sum(borrowed_gains(earlier, steps, EQUAL, [factor])[0])


def test_one_step_is_the_bayes_factor_of_the_gamma_prior_with_bursts_in_both_hypotheses() -> None:
    # Without earlier steps every keeper starts from FRESH events at the rate of the baseline, here 4 of 400.
    def events_at(count: float, size: float, rate: float) -> float:
        return lgamma(FRESH + count) - lgamma(FRESH) + FRESH * log(FRESH / rate) - (FRESH + count) * log(FRESH / rate + size)

    def likelihood(factor: float) -> float:
        usual = exp(9 * log(factor) + events_at(9 + 4, 100 * factor + 400, 0.01))
        burst = exp(events_at(9, 100, 0.01 * BURST_RATE) + events_at(4, 400, 0.01))
        return log((1 - BURSTS) * usual + BURSTS * burst)

    assert _sum([], [Split(9, 100, 4, 400, 1.0)]) == pytest.approx(likelihood(2.0) - likelihood(1.0))


def test_an_earlier_baseline_adds_evidence_where_it_agrees() -> None:
    steps = [Split(3.0, 750, 4.5, 2250, 1.0)] * 8
    assert _sum([Earlier(6.0, 3000)] * 20, steps) > _sum([], steps) + 0.5


def test_an_earlier_baseline_that_disagrees_is_forgotten() -> None:
    # Both versions are five times worse than before: that is no evidence against the canary.
    steps = [Split(15.0, 1500, 15.0, 1500, 1.0)] * 10
    assert _sum([Earlier(6.0, 3000)] * 20, steps) < 1


def test_a_burst_of_both_is_no_evidence_and_neither_are_the_minutes_after_it() -> None:
    calm = Split(3.0, 1500, 3.0, 1500, 1.0)
    steps = [calm] * 8 + [Split(120.0, 1500, 120.0, 1500, 1.0)] * 2 + [calm] * 8
    assert _sum([Earlier(6.0, 3000)] * 20, steps) < 0


def test_a_burst_of_the_canary_says_little_and_later_minutes_speak_for_it() -> None:
    calm = Split(2.0, 1000, 8.0, 4000, 1.0)
    steps = [calm] * 10 + [Split(80.0, 1000, 8.0, 4000, 1.0)] + [calm] * 10
    equals = apart(((0.05, 0.7), (0.2, 0.3)), 1, 4)
    for row in borrowed_gains([Earlier(10.0, 5000)] * 20, steps, equals, FACTORS):
        assert -0.6 < row[10] < 0.1
        assert all(gain < 0.05 for gain in row[11:])


def test_a_minute_on_the_high_side_is_no_burst() -> None:
    # 16 errors where the null expects 6 and the doubling 12: what they say is not cut to a third.
    earlier = [Earlier(12.0, 6000)] * 60
    steps = [Split(12.0, 3000, 6.0, 3000, 1.0)] * 6 + [Split(16.0, 3000, 6.0, 3000, 1.0)]
    assert borrowed_gains(earlier, steps, EQUAL, [2.0])[0][-1] > 2.5


def test_pods_that_differ_are_part_of_the_null() -> None:
    steps = [Split(4.5, 1500, 3.0, 1500, 1.0)] * 12
    noisy = apart(((0.3, 1.0),), 1, 4)
    assert sum(borrowed_gains([], steps, noisy, [2.0])[0]) < _sum([], steps)


def test_without_any_event_nothing_is_gained() -> None:
    assert borrowed_gains([Earlier(0.0, 1000)], [Split(0.0, 10, 0.0, 10, 1.0)], EQUAL, FACTORS) == [[0.0]] * 3
    assert borrowed_gains([], [], EQUAL, FACTORS) == [[]] * 3
    assert sum(weight for _, weight in MEMORIES) == pytest.approx(1)


@pytest.mark.parametrize("drift", [0.0, 0.015])
def test_the_null_passes_the_threshold_rarely_however_often_one_looks(drift: float) -> None:
    # Rates that stay, and rates that grow by half within the 50 minutes, the same for both versions.
    draw, crossed, runs, alpha = random.Random(11), 0, 150, 0.05
    threshold = log(1 / alpha)
    for _ in range(runs):
        earlier = [Earlier(poisson(6 * exp(drift * at), draw), 3000) for at in range(-20, 0)]
        steps: list[Split] = []
        for at in range(25):
            share, level = (0.05 if at < 5 else 0.25 if at < 15 else 0.5), 6 * exp(drift * at)
            steps.append(Split(poisson(level * share, draw), 3000 * share, poisson(level * (1 - share), draw), 3000 * (1 - share), 1.0))
        for number in range(3, 26):
            part, cap = steps[:number], cap_for(threshold)
            if split_evidence(part, cap, borrowed=partial(borrowed_gains, earlier, part, EQUAL)).log_e >= threshold:
                crossed += 1
                break
    assert crossed / runs <= alpha + 0.02


counts = st.floats(0, 1e9)


@given(
    st.lists(st.builds(Earlier, counts, counts), max_size=20),
    st.lists(st.builds(Split, counts, counts, counts, counts, st.floats(0.1, 10), st.floats(1, 50), st.floats(0, 1)), max_size=20),
)
def test_it_never_raises_and_stays_finite(earlier: list[Earlier], steps: list[Split]) -> None:
    for row in borrowed_gains(earlier, steps, apart(((0.1, 1.0),), 2, 4), (0.5, 2.0, 40.0)):
        assert all(-inf < gain < inf for gain in row)

# ruff: noqa: S311
from __future__ import annotations

import random
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.canary.making import poisson

from cicd_agents.analysis.canary.evidence import BEGUN_CAP, FROM_START, ONSETS, Split, bet_evidence, cap_for, mix, split_evidence


def test_without_steps_the_e_value_is_one() -> None:
    assert split_evidence([], 2.0).log_e == pytest.approx(0.0, abs=0.02)
    assert bet_evidence([], 2.0).log_e == pytest.approx(0.0, abs=0.02)


def test_one_step_by_hand() -> None:
    # 3 events of the canary and 1 of the baseline, equal exposure, null ratio 1, one alternative of ratio 3: q0 = 1/2, q1 = 3/4.
    found = split_evidence([Split(3, 100, 1, 100, 1.0)], 9.0, factors=((3.0, 1.0),))
    ratio = (0.75 / 0.5) ** 3 * (0.25 / 0.5)
    later = (1 - FROM_START) / ONSETS
    assert exp(found.log_e) == pytest.approx(FROM_START * ratio + later * ONSETS, rel=1e-9)


def test_a_margin_counts_as_events_of_the_baseline() -> None:
    with_margin = split_evidence([Split(9, 100, 0, 400, 1.0, margin=0.01)] * 3, 9.0)
    with_events = split_evidence([Split(9, 100, 4, 400, 1.0)] * 3, 9.0)
    assert with_margin.log_e == pytest.approx(with_events.log_e)
    assert split_evidence([Split(9, 100, 0, 400, 1.0, margin=0.1)] * 3, 9.0).log_e < with_margin.log_e


def test_one_step_cannot_decide() -> None:
    threshold = log(1000)
    assert split_evidence([Split(10_000, 10_000, 0, 10_000, 1.1)], cap_for(threshold)).log_e < threshold
    assert split_evidence([Split(10_000, 10_000, 0, 10_000, 1.1)] * 4, cap_for(threshold)).log_e > threshold


def test_the_onset_is_found() -> None:
    steps = [Split(2, 1000, 2, 1000, 1.1)] * 12 + [Split(30, 1000, 2, 1000, 1.1)] * 6
    found = split_evidence(steps, cap_for(6.0))
    assert found.onset == 12
    assert found.log_e > 6


def test_it_falls_too() -> None:
    assert split_evidence([Split(50, 1000, 100, 1000, 0.98)] * 8, 2.5, falling=True).log_e > 6
    assert split_evidence([Split(100, 1000, 100, 1000, 0.98)] * 8, 2.5, falling=True).log_e < 1


def test_the_null_passes_the_threshold_rarely_however_often_one_looks() -> None:
    draw, crossed, runs, alpha = random.Random(7), 0, 600, 0.05
    for _ in range(runs):
        steps = []
        for _ in range(25):
            # At the border of the null: the canary's rate is 1.2 times the baseline's.
            steps.append(Split(poisson(6.0, draw), 500, poisson(10.0, draw), 1000, 1.2))
            if split_evidence(steps, cap_for(log(1 / alpha))).log_e >= log(1 / alpha):
                crossed += 1
                break
    assert crossed / runs <= alpha + 0.02


counts = st.floats(0, 1e9)


@given(st.lists(st.builds(Split, counts, counts, counts, counts, st.floats(0.1, 10), st.floats(1, 50)), max_size=40), st.floats(0.5, 5))
def test_it_never_raises_and_stays_finite(steps: list[Split], cap: float) -> None:
    for falling in (False, True):
        found = split_evidence(steps, cap, falling=falling)
        assert -700 < found.log_e < 700
        assert 0 <= found.onset <= max(0, len(steps) - 1)


def test_counts_over_all_minutes_are_cut_later_and_still_no_two_minutes_decide() -> None:
    cap, loud = cap_for(5.3), [[9.0, 9.0, 0.0, 0.0]]
    within, over_all = mix([(1.0, loud[0])], cap), mix([(1.0, [0.0] * 4)], cap, loud)
    assert within.log_e == pytest.approx(log(FROM_START) + 2 * cap, abs=0.1)
    assert over_all.log_e == pytest.approx(log(FROM_START) + 2 * BEGUN_CAP * cap, abs=0.1)
    assert over_all.lasting <= 0


@given(st.lists(st.floats(-5, 5), max_size=40))
def test_more_cap_is_never_less_evidence(gains: list[float]) -> None:
    assert mix([(1.0, gains)], 1.0).log_e <= mix([(1.0, gains)], 2.0).log_e + 1e-9

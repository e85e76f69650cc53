from __future__ import annotations

from collections import Counter
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.analysis.canary.counters import clean, increments, levels, resets, spread


def _increments(samples: list[tuple[float, float]], scrapes: list[float], born: float | None = None, hole: float = 300.0) -> list[tuple[float, float, float]]:
    return increments(samples, scrapes, born, hole, Counter())


def test_clean_drops_what_is_no_number_and_sorts() -> None:
    found: Counter[str] = Counter()
    assert clean([(60, 1), (0, 0), (120, nan), (180, inf), (60, 1), (240, 3)], found) == [(0, 0), (60, 1), (240, 3)]
    assert found == {"NaN or infinite samples": 2, "samples out of order": 1, "samples of the same time": 1}


def test_a_reset_counts_from_zero() -> None:
    assert _increments([(0, 100), (60, 119), (120, 1), (180, 5)], [0, 60, 120, 180]) == [(0, 60, 19), (60, 120, 1), (120, 180, 4)]
    assert resets([[(0, 100), (60, 119), (120, 1)]]) == [120]


def test_series_that_come_back_late_after_a_restart_tell_of_no_second_one() -> None:
    often = [(0, 100), (60, 119), (120, 1), (180, 20), (240, 40), (300, 50)]
    errors, odd = [(0, 7), (60, 8), (240, 1), (300, 2)], [(0, 3), (60, 3), (300, 1)]
    assert resets([often, errors, odd]) == [120]
    assert resets([[*often[:5], (300, 2)], errors, odd]) == [120, 300]
    assert resets([often, [(0, 7), (60, 8), (120, 8), (240, 1)]]) == [120], "a store that fills gaps shows the old value once more"
    assert resets([[(0, 5), (60, 1), (120, 0), (180, 4)], errors]) == [60, 120], "each drop of one series is a restart"
    assert resets([errors, odd]) == [240], "what no other series tells is a restart"


def test_a_series_that_comes_back_late_counts_from_the_scrape_before() -> None:
    assert _increments([(0, 7), (60, 8), (600, 2)], [0, 60, 120, 540, 600]) == [(0, 60, 1), (540, 600, 2)]


def test_a_series_born_later_than_its_replica_counts_from_zero() -> None:
    assert _increments([(120, 5), (180, 5)], [0, 60, 120, 180]) == [(60, 120, 5), (120, 180, 0)]


def test_the_first_value_of_an_old_replica_is_no_increase() -> None:
    assert _increments([(0, 500), (60, 510)], [0, 60]) == [(0, 60, 10)]


def test_a_new_replica_counts_from_its_start() -> None:
    assert _increments([(60, 7)], [60], born=20) == [(20, 60, 7)]


def test_holes_are_dropped() -> None:
    assert _increments([(0, 0), (60, 1), (600, 90), (660, 91)], [0, 60, 600, 660]) == [(0, 60, 1), (600, 660, 1)]


def test_spread_splits_by_time() -> None:
    assert spread([(30, 90, 6), (90, 150, 2)], 0, 60, 3) == pytest.approx([3, 4, 1])


def test_levels_take_the_median() -> None:
    assert levels([(0, 1), (10, 9), (20, 2), (130, 4), (140, 8)], 0, 60, 3) == [2, None, 6]


@given(st.lists(st.tuples(st.floats(0, 3600), st.floats(0, 1e6)), max_size=60))
def test_spread_never_makes_up_counts(samples: list[tuple[float, float]]) -> None:
    kept = clean(samples, Counter())
    counted = _increments(kept, [time for time, _ in kept], hole=1e9)
    row = spread(counted, 0, 60, 61)
    assert all(value >= 0 for value in row)
    assert sum(row) <= sum(gain for _, _, gain in counted) + 1e-3


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=50))
def test_clean_never_raises_and_is_sorted(samples: list[tuple[float, float]]) -> None:
    kept = clean(samples, Counter())
    assert kept == sorted(kept)
    assert len({time for time, _ in kept}) == len(kept)

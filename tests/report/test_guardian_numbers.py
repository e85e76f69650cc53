"""Numbers as people read them."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.guardian_samples import CPU, ERRORS, LATENCY, PAYMENTS, START

from cicd_agents.report.guardian_numbers import delta_text, limit_text, minutes_text, number, share_text, utc, value_text


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0012, "%", "0.12 %"), (0.052, "%", "5.2 %"), (0.9997, "%", "99.97 %"), (0.0, "%", "0 %"), (0.00001234, "%", "0.00123 %"), (1.0, "%", "100 %"),
        (0.165, "s", "165 ms"), (0.00025, "s", "0.25 ms"), (0.9996, "s", "1 s"), (1.25, "s", "1.25 s"), (4000, "s", "4,000 s"), (0.0, "s", "0 ms"),
        (48.0, "percent", "48 %"), (48.23, "percent", "48.2 %"), (2500.0, "", "2,500"), (1.5, "", "1.5"), (1e300, "", "1e+300"), (-0.0, "", "0"),
        (None, "s", "–"), (nan, "%", "–"), (inf, "s", "∞"), (-inf, "", "-∞"), (7.0, "bananas", "7"),
    ],
)  # fmt: skip
def test_a_value_has_the_unit_that_people_use(value: float | None, unit: str, shown: str) -> None:
    assert value_text(value, unit) == shown


def test_a_delta_is_told_in_points_or_units_and_in_percent_or_times() -> None:
    shown = [delta_text(row) for row in (ERRORS, LATENCY, CPU, PAYMENTS)]
    assert shown == ["+5.1 points, 52 ×", "+15 ms, +10 %", "+3 points, +6.7 %", "-0.06 points, -0.06 %"]
    assert delta_text(replace(ERRORS, delta=0.0, effect=1.0)) == "0 points"
    assert delta_text(replace(ERRORS, delta=0.01, effect=None)) == "+1 points"
    assert delta_text(replace(LATENCY, delta=-0.05, effect=0.5)) == "-50 ms, -50 %"
    assert [delta_text(replace(ERRORS, delta=value, effect=nan)) for value in (None, nan, inf)] == ["–"] * 3


def test_a_limit_says_on_which_side_good_is() -> None:
    assert [limit_text(row) for row in (ERRORS, LATENCY, CPU, PAYMENTS)] == ["≤ 0.2 %", "≤ 180 ms", "≤ 80 %", "≥ 95 %"]
    assert limit_text(replace(CPU, baseline=85.0)) == "≤ 80 %", "a ceiling stays one where the old version is above it"
    assert [limit_text(replace(ERRORS, limit=value)) for value in (None, nan, inf)] == ["–"] * 3


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [(0.0, "0 s"), (0.75, "45 s"), (7, "7 min"), (7.5, "7.5 min"), (90, "1 h 30 min"), (120, "2 h"), (1e9, "16,666,667 h"), (nan, "–"), (-1, "–")],
)
def test_a_length_of_time_is_short(minutes: float, shown: str) -> None:
    assert minutes_text(minutes) == shown


def test_times_are_utc_and_a_time_that_is_none_is_said_to_be() -> None:
    assert utc(START + 307) == "2026-01-02 10:05:07 UTC"
    assert {utc(time) for time in (nan, inf, -1.0, 1e18)} == {"at an unknown time"}
    assert share_text(0.25) == "25 %"
    assert share_text(0.005) == "0.5 %"


@given(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(["%", "s", "percent", ""]))
def test_no_number_becomes_a_word_or_a_long_text(value: float, unit: str) -> None:
    row = replace(ERRORS, canary=value, baseline=value, delta=value, limit=value, effect=value, unit=unit)
    for shown in (value_text(value, unit), delta_text(row), limit_text(row), number(value), minutes_text(value)):
        assert "nan" not in shown
        assert "inf" not in shown
        assert len(shown) < 60

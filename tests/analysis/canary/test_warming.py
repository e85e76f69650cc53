from __future__ import annotations

import pytest

from cicd_agents.analysis.canary.tables import Counted, Row, Stream
from cicd_agents.analysis.canary.warming import admitted

MINUTES = 14


def _stream(newborn: float, young: float, adolescent: float, grown: float, size: float = 1000.0) -> Stream:
    """One pod, with so many errors in each minute of an age."""
    ages = [0] + [1] * 2 + [2] * 3 + [3] * (MINUTES - 6)
    events = (newborn, young, adolescent, grown)

    def of(*chosen: int) -> Counted:
        return Counted([[events[age] if age in chosen else 0.0 for age in ages]], [[size if age in chosen else 0.0 for age in ages]])

    return Stream(of(2, 3), of(3), ages=(of(0), of(1), of(2)))


def _minutes(stream: Stream, until: int = MINUTES) -> list[int]:
    exposure: Row = admitted(stream, until)[1]
    return [index for index, size in enumerate(exposure) if size > 0]


def test_all_minutes_count_where_the_first_ones_are_level() -> None:
    assert _minutes(_stream(3, 3, 3, 3)) == list(range(MINUTES))


def test_a_first_minute_that_is_a_little_higher_is_left_out_alone() -> None:
    assert _minutes(_stream(8, 3, 3, 3)) == list(range(1, MINUTES))


def test_after_a_clear_warm_up_as_long_again_is_left_out() -> None:
    assert _minutes(_stream(20, 8, 3, 3)) == list(range(6, MINUTES))


def test_minutes_after_a_warm_up_count_where_nothing_of_it_can_be_left() -> None:
    # Clear, but small beside all that was counted: a tenth of its excess is a fraction of what chance does.
    assert _minutes(_stream(62, 31, 30, 30)) == list(range(3, MINUTES))


@pytest.mark.parametrize("until", [1, 3, 4])
def test_before_there_is_enough_to_compare_with_only_grown_minutes_count(until: int) -> None:
    assert _minutes(_stream(3, 3, 3, 3), until) == list(range(3, until))

from __future__ import annotations

from math import sin

import pytest

from cicd_agents.analysis.canary.climbing import climb

ONE = ["one"] * 30
FLAT: list[float | None] = [30.0] * 30


def pod(values: list[float]) -> list[list[float | None]]:
    return [[value + 0.3 * sin(7.0 * number) for number, value in enumerate(values)]]


def test_a_steady_climb_is_told_per_minute() -> None:
    assert climb(pod([40.0 + 2 * minute for minute in range(12)]), FLAT[:12], ONE[:12], 60.0) == pytest.approx(2.0, abs=0.1)
    assert climb(pod([40.0 + 2 * minute for minute in range(12)]), FLAT[:12], ONE[:12], 30.0) == pytest.approx(4.0, abs=0.2)


@pytest.mark.parametrize(
    "canary",
    [[18.0] * 10 + [38.0] * 10, [18.0] * 5 + [30.0] * 5 + [45.0] * 10, [60.0 - minute for minute in range(20)]],
    ids=["a step", "two steps", "a fall"],
)
def test_steps_with_the_stages_are_no_climb(canary: list[float]) -> None:
    stages = ["5 %"] * 5 + ["25 %"] * 5 + ["50 %"] * 10
    assert climb(pod(canary), FLAT[:20], stages, 60.0) is None


def test_a_climb_that_goes_on_through_the_stages_is_seen() -> None:
    stages = ["5 %"] * 5 + ["25 %"] * 10 + ["50 %"] * 5
    canary = [40.0 + 2 * minute + (10.0 if minute >= 5 else 0.0) for minute in range(20)]
    assert climb(pod(canary), FLAT[:20], stages, 60.0) == pytest.approx(2.0, abs=0.1)


def test_twice_the_work_climbs_twice_as_much_when_traffic_grows() -> None:
    traffic = [1.0 + 0.02 * minute for minute in range(20)]
    assert climb([[40.0 * load for load in traffic]], [20.0 * load for load in traffic], ONE[:20], 60.0) is None
    assert climb([[40.0 * load + 1.5 * minute for minute, load in enumerate(traffic)]], [20.0 * load for load in traffic], ONE[:20], 60.0)


def test_too_few_minutes_and_spans_that_are_too_short_tell_nothing() -> None:
    climbing: list[float | None] = [40.0 + 2 * minute for minute in range(20)]
    assert climb([climbing[:7]], FLAT[:7], ONE[:7], 60.0) is None
    assert climb([climbing], FLAT[:20], [minute // 4 for minute in range(20)], 60.0) is None
    assert climb([[None] * 20], FLAT[:20], ONE[:20], 60.0) is None
    assert climb([], FLAT[:20], ONE[:20], 60.0) is None


def test_pods_that_join_take_part_and_hide_nothing() -> None:
    first: list[float | None] = [40.0 + 2 * minute for minute in range(12)]
    late: list[float | None] = [*[None] * 8, *(40.0 + 2 * minute for minute in range(4))]
    assert climb([first, late], FLAT[:12], ONE[:12], 60.0) == pytest.approx(2.0)
    assert climb([late] * 9, FLAT[:12], ONE[:12], 60.0) is None, "four minutes tell nothing, however many pods there are"

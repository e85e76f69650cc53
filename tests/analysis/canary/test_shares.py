"""The canary's share as a tool tells it, and since when it counts."""

from __future__ import annotations

import pytest
from tests.analysis.canary.making import START, replica

from cicd_agents.analysis.canary.observing.ask import MetricsAsk
from cicd_agents.analysis.canary.observing.shares import arriving, before_the_switch, told_share
from cicd_agents.domain.canary import Samples, Version
from cicd_agents.domain.guardian import Sides

COUNTED: Samples = ((0.0, 0.05), (600.0, 0.25))


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ((), COUNTED),
        (((900.0, 0.25),), COUNTED),
        (((900.0, 0.26),), ((0.0, 0.05), (600.0, 0.26))),
        (((900.0, 0.1),), ((0.0, 0.05), (600.0, 0.25), (900.0, 0.1))),
        (((900.0, 0.1), (960.0, 0.1)), ((0.0, 0.05), (600.0, 0.25), (900.0, 0.1))),
        (((900.0, 0.1), (960.0, 0.5), (1020.0, 0.5)), ((0.0, 0.05), (600.0, 0.25), (960.0, 0.5))),
    ],
)
def test_a_share_that_counts_confirm_began_when_they_say_and_another_when_it_was_seen_first(looks: Samples, expected: Samples) -> None:
    assert told_share(COUNTED, looks) == expected


def test_a_share_that_was_another_one_meanwhile_begins_anew() -> None:
    assert told_share(COUNTED, ((700.0, 0.25), (800.0, 0.0), (900.0, 0.25))) == (*COUNTED, (900.0, 0.25))


def test_without_counts_it_began_with_the_first_look() -> None:
    assert told_share((), ((900.0, 0.25), (960.0, 0.25))) == ((900.0, 0.25),)


def test_a_stage_whose_traffic_has_not_come_has_not_begun() -> None:
    """Else a tool that does nothing would be promoted by the clock alone."""
    given: Samples = ((0.0, 0.05), (600.0, 0.25))
    assert arriving(given, ((600.0, 0.05), (660.0, 0.05)), 660.0) == ((0.0, 0.05), (660.0, 0.05))
    assert arriving(given, ((660.0, 0.05), (720.0, 0.25)), 720.0) == (*given, (720.0, 0.25))
    assert arriving(given, ((540.0, 0.05), (660.0, 0.25)), 660.0) == given


def _asked(minutes: int, shift: float = 0.0) -> MetricsAsk:
    return MetricsAsk(Sides("", "", ""), START + 60 * minutes, START, shift=shift)


def _served(*requests: float) -> Version:
    return Version("pods", (replica("pod", requests, [0.0] * len(requests)),))


def test_smoke_tests_before_a_switch_are_no_share_and_users_are() -> None:
    users, smoke = _served(*[1000.0] * 20), _served(*[60.0] * 20)
    assert before_the_switch(Version("new"), users, _asked(20)) == ((START, 0.0),)
    assert before_the_switch(smoke, users, _asked(20)) == ((START, 0.0),)
    assert before_the_switch(Version("new"), Version("old"), _asked(20)) == ((START, 0.0),)
    switched = before_the_switch(_served(*[30.0] * 10, *[1000.0] * 10), _served(*[1000.0] * 10, *[0.0] * 10), _asked(20))
    assert [share for _, share in switched] == [0.0, 1.0]
    assert START + 420 <= switched[1][0] <= START + 600


def test_beside_a_baseline_of_another_time_as_many_requests_are_a_switch() -> None:
    was = Version("old", (replica("pod", [1000.0] * 20, [0.0] * 20, START - 1320),))
    assert before_the_switch(_served(*[60.0] * 20), was, _asked(20, 1320.0)) == ((START, 0.0),)
    assert before_the_switch(_served(*[1000.0] * 20), was, _asked(20, 1320.0))[-1] == (START, 1.0)

"""The canary's share as a tool tells it, and since when it counts."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.canary.observing.shares import arriving, told_share
from cicd_agents.domain.canary import Samples

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

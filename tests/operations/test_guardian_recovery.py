"""The wait after a rollback ends when all is well twice, when the tool gives up, or in time; it says what is not back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from tests.servers.clock import FakeClock

from cicd_agents.domain.errors import NotAllowed, RateLimited, ServiceError, Unavailable
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.operations.guardian_recovery import NotRecovered, Recovery, recovery_operation

GOOD, BAD = KnownRevision("r1", "registry/api:1.1"), KnownRevision("r2", "registry/api:1.2")
WELL = DeliveryStanding("x:api", GOOD, earlier=(BAD,), healthy=True)
STILL = DeliveryStanding("x:api", BAD, earlier=(GOOD,), healthy=True)
Seen = DeliveryStanding | ServiceError
Value = TypeVar("Value")


def verified(
    seen: Sequence[Seen], *, to: KnownRevision | None = GOOD, metrics: Sequence[str | None] = (), seconds: float = 120, before: Seen | None = None
) -> str:
    """What the wait says, where the last of what is seen stays so."""
    looks, answers, clock = forever(seen), forever(metrics or (None,)), FakeClock()

    def look() -> DeliveryStanding:
        found = next(looks)
        if isinstance(found, ServiceError):
            raise found
        return found

    recovery = Recovery(look, to, clock, seconds, lambda: next(answers), before if isinstance(before, DeliveryStanding) else None)
    try:
        return recovery.verify(recovery_operation("x:api", to, "k", seconds))
    finally:
        assert clock.monotonic() <= seconds


def forever(values: Sequence[Value]) -> Iterator[Value]:
    yield from values
    while True:
        yield values[-1]


@pytest.mark.parametrize(
    "seen",
    [
        [WELL],
        [STILL, STILL, WELL],
        [replace(WELL, settled=False), replace(WELL, healthy=False), WELL],
        [Unavailable("No answer."), WELL, RateLimited("Later."), WELL],
        [replace(STILL, failed="The rollout of 1.2 has given up."), WELL],
    ],
)
def test_it_is_back_when_the_tool_is_there_and_well_twice_in_a_row(seen: list[Seen]) -> None:
    assert verified(seen).startswith("It is at registry/api:1.1, healthy, and the metrics are back to normal, after ")


def test_the_metrics_must_be_back_too_and_are_only_asked_for_when_the_tool_is_well() -> None:
    asked = ["The error rate is 4 %.", None, None]
    assert verified([STILL, STILL, WELL], metrics=asked).endswith("after 12 s.")


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ([STILL], "within 120 s: it runs registry/api:1.2 and not registry/api:1.1."),
        ([replace(WELL, current=None)], "it runs something unknown"),
        ([replace(WELL, settled=False, health="2 of 3")], "it is still changing (2 of 3)."),
        ([replace(WELL, healthy=False)], "it is not healthy."),
        ([replace(WELL, healthy=None)], "it does not tell whether it is healthy."),
        ([Unavailable("No answer.")], "No answer."),
        ([WELL, replace(WELL, healthy=False)] * 30, "it was well for one look only."),
        ([replace(STILL, failed="It has given up.")], "x:api did not recover: It has given up."),
    ],
)
def test_what_is_not_back_is_said(seen: list[Seen], words: str) -> None:
    with pytest.raises(NotRecovered) as caught:
        verified(seen)
    assert words in str(caught.value)


def test_what_the_tool_said_of_the_bad_version_before_is_not_taken_for_a_failed_rollback() -> None:
    old = replace(STILL, failed="It has given up.", healthy=False)
    assert verified([old, old, old, WELL], before=old).startswith("It is at registry/api:1.1")


def test_a_right_that_was_taken_away_ends_the_wait_at_once() -> None:
    with pytest.raises(NotAllowed):
        verified([NotAllowed("No.")])


def test_frozen_is_when_no_traffic_is_left_on_the_canary_whatever_its_pods_do() -> None:
    assert verified([replace(STILL, share=0.25), replace(STILL, share=0.0, healthy=False)], to=None).startswith("It is on the stable version")
    with pytest.raises(NotRecovered, match="the canary still has 25% of the traffic"):
        verified([replace(STILL, share=0.25)], to=None)


def test_a_tool_that_keeps_the_bad_version_in_its_specification_is_back_when_the_stable_one_has_all_traffic() -> None:
    aborted = replace(STILL, stable=GOOD, share=0.0, healthy=False)
    assert verified([aborted]).startswith("It is at registry/api:1.1")
    with pytest.raises(NotRecovered):
        verified([replace(aborted, share=None)])

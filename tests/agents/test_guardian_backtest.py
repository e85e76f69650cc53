"""Past releases are judged as a watch would have judged them, and the rates count what could be seen alone."""

from __future__ import annotations

from tests.analysis.canary.making import START, observation

from cicd_agents.agents.guardian_backtest import Backtest, PastRelease, backtest, told
from cicd_agents.analysis.canary import default_policy
from cicd_agents.domain.canary import Observation
from cicd_agents.domain.errors import Unavailable
from cicd_agents.domain.guardian import Sides

SIDES = Sides('version="v2"', 'version="v1"')
WORSE = [2.0] * 5 + [60.0] * 25


def release(name: str, good: bool | None = None, minutes: int = 30) -> PastRelease:
    return PastRelease(name, START, START + 60 * minutes, SIDES, good)


def replay(*releases: PastRelease) -> Backtest:
    def observe(one: PastRelease) -> Observation:
        if one.name == "lost":
            raise Unavailable("Prometheus: it did not answer.")
        return Observation() if one.name == "empty" else observation(WORSE if one.name == "worse" else [2.0] * 30)

    return backtest(releases, observe, default_policy())


def test_a_good_release_that_is_left_alone_is_no_false_alarm() -> None:
    found = replay(release("fine", True), release("fine"))
    assert found.false_alarms == (0, 2)
    assert found.caught == (0, 0)
    assert [one.looks for one in found.replayed] == [30, 30]


def test_a_bad_release_is_caught_in_the_minute_in_which_a_watch_would_have_stopped_it() -> None:
    (one,) = replay(release("worse", False)).replayed
    assert one.minute is not None
    assert 5 < one.minute < 15
    assert one.looks == one.minute
    assert replay(release("worse", False)).caught == (1, 1)


def test_a_stop_of_a_release_that_was_good_counts_as_a_false_alarm() -> None:
    found = replay(release("worse", True), release("fine", True))
    assert found.false_alarms == (1, 2)
    assert "1 of 2 (50.0%, 95 % interval 9.5% to 90.5%)" in told(found)


def test_what_cannot_be_seen_counts_for_nothing_and_is_told() -> None:
    found = replay(release("lost", True), release("empty", True), release("fine", True, minutes=0))
    assert found.false_alarms == (0, 0)
    text = told(found)
    assert "Prometheus: it did not answer." in text
    assert "none was seen" in text
    assert "3 of 3 releases could not be seen" in text


def test_each_release_has_a_line_with_what_would_have_been_done() -> None:
    lines = told(replay(release("worse", False), release("fine", True))).splitlines()
    assert lines[0].startswith("rollback at minute")
    assert "worse (bad," in lines[0]
    assert lines[1].startswith("pass") or lines[1].startswith("inconclusive")
    assert "Bad releases that would have been rolled back: 1 of 1" in lines[-1]

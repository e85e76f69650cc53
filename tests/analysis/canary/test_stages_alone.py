"""Where there is little to compare with: before the switch, at 100 %, with a baseline of another time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.analysis.canary.making import START, observation, replica

from cicd_agents.analysis.canary import default_policy, foresight_of_stages, judge
from cicd_agents.domain.canary import Decision, Judgement, Observation, Replica, Series, Status, Strategy, Version
from cicd_agents.domain.errors import UsageError

SWITCH = default_policy(Strategy.BLUE_GREEN)
BEFORE = 1800.0


def at(seen: Observation, minute: float, policy: object = SWITCH) -> Judgement:
    return judge(seen, policy, now=START + 60 * minute)  # type: ignore[arg-type]


def _up(results: int, *, bad: int = 0) -> tuple[tuple[float, bool], ...]:
    return tuple((START + 30 + 30 * number, number < results - bad) for number in range(results))


def _preview(*pods: Replica, old: bool = True) -> Observation:
    baseline = observation([2.0] * 30).baseline if old else Version("old")
    return Observation(baseline, Version("new", pods), START, ((START, 0.0),))


def test_before_the_switch_health_alone_can_pass_and_says_how_little_that_is() -> None:
    judgement = at(_preview(Replica("new-0", START, health=_up(12)), Replica("new-1", START, health=_up(12))), 6)
    assert (judgement.status, judgement.decision) == (Status.PASS, Decision.PROMOTE)
    assert any("No user reaches the new version" in note for note in judgement.notes)
    assert at(_preview(Replica("new-0", START, health=_up(12)), old=False), 6).status is Status.PASS


def test_before_the_switch_nothing_seen_is_no_pass() -> None:
    assert at(_preview(Replica("new-0", START)), 6).status is Status.NO_DATA
    assert at(_preview(), 6).status is Status.NO_DATA
    few = at(_preview(Replica("new-0", START, health=((START + 300, True),))), 6)
    assert few.status is Status.INCONCLUSIVE
    assert "10 results or 50 requests are needed" in few.reason
    old = at(_preview(Replica("new-0", START, health=_up(12))), 25)
    assert old.status is Status.NO_DATA


def test_before_the_switch_restarts_and_failing_checks_hold_or_roll_back() -> None:
    restarts = (Series("restarts", ((START - 60, 0.0), (START + 60, 0.0), (START + 120, 1.0), (START + 300, 1.0))),)
    assert at(_preview(Replica("new-0", START - 60, health=_up(12), counters=restarts)), 6).status is Status.INCONCLUSIVE
    assert at(_preview(Replica("new-0", START, health=_up(12, bad=1))), 6).status is Status.INCONCLUSIVE
    assert at(_preview(Replica("new-0", START, health=_up(12, bad=8))), 6).decision is Decision.ROLLBACK


def test_before_the_switch_smoke_requests_count() -> None:
    assert at(_preview(replica("new-0", [20.0] * 6, [0.0] * 6, started=START)), 6).status is Status.PASS
    failing = replica("new-0", [20.0] * 6, [1.6] * 6, started=START)
    assert at(_preview(failing), 6).decision is Decision.ROLLBACK
    assert at(_preview(failing, old=False), 6).status is Status.INCONCLUSIVE


def _all_at_once(errors: float, *, slow: float = 0.02, before: float = 2.0) -> Observation:
    old = tuple(replica(f"old-{number}", [1000.0] * 30, [before] * 30, START - BEFORE) for number in range(4))
    new = tuple(replica(f"new-{number}", [1000.0] * 30, [errors] * 30, slow=slow, started=START) for number in range(4))
    return Observation(Version("old", old), Version("new", new), START, ((START, 1.0),))


def test_with_everything_switched_the_time_before_is_the_baseline_and_that_is_weaker() -> None:
    judgement = at(_all_at_once(2.0), 29.9)
    assert judgement.status is Status.INCONCLUSIVE  # the stage's minutes
    assert judgement.weaker
    assert any("another time" in note for note in judgement.notes)
    done = at(replace(_all_at_once(2.0), share=()), 30, replace(SWITCH, stages=(replace(SWITCH.stages[1], minutes=20),)))
    assert (done.status, done.weaker) == (Status.PASS, True)


@pytest.mark.parametrize(("errors", "slow"), [(30.0, 0.02), (2.0, 0.3)])
def test_with_everything_switched_clear_trouble_fails(errors: float, slow: float) -> None:
    assert at(_all_at_once(errors, slow=slow), 15).decision is Decision.ROLLBACK


def test_with_a_baseline_of_another_time_what_is_not_clear_holds() -> None:
    # Four times in ten more than before: beyond the GO limit, within the NO-GO limit.
    judgement = at(_all_at_once(28.0, before=20.0), 20)
    assert judgement.decision is Decision.HOLD


def test_a_burning_error_budget_is_told_where_no_baseline_is_beside() -> None:
    judgement = at(_all_at_once(40.0), 8)
    assert "burn_rate" in [alarm.rule for alarm in judgement.alarms]
    assert "burn_rate" not in [alarm.rule for alarm in at(_all_at_once(40.0, before=35.0), 8).alarms]


def test_a_burn_that_was_over_soon_after_the_switch_is_no_alarm() -> None:
    seen = _all_at_once(2.0)
    first = tuple(replica(f"new-{number}", [1000.0] * 30, [90.0] * 2 + [2.0] * 28, started=START) for number in range(4))
    judged = [at(replace(seen, canary=Version("new", first)), minute) for minute in range(3, 20)]
    assert all(judgement.decision is Decision.HOLD for judgement in judged)


def test_a_full_stage_never_passes_on_what_earlier_stages_showed() -> None:
    # At 100 % the old pods are gone, and so are the canary's samples of requests.
    seen = observation([2.0] * 30)
    rolled = replace(seen, share=((START, 0.5), (START + 1800, 1.0)))
    assert at(rolled, 62, default_policy()).status is Status.NO_DATA


def test_young_minutes_count_where_there_is_no_warm_up() -> None:
    new = replica("new-0", [1000.0] * 30, [2.0] * 30, started=START)
    seen = replace(observation([2.0] * 30), canary=Version("new", (new,)))
    errors = at(seen, 12, default_policy()).metrics[0]
    assert errors.strength.canary_total == pytest.approx(12_000)


def test_stages_say_beforehand_what_they_can_show() -> None:
    policy = default_policy()
    told = foresight_of_stages(policy, requests_per_second=100, rate=0.002)
    assert len(told) == 3
    assert told[1].startswith("At 25 % of the traffic, until minute 15: error rate 2 times 0.2 % shows after about 1")
    assert "not even" in foresight_of_stages(policy, requests_per_second=0.1, rate=0.002)[0]
    with pytest.raises(UsageError):
        foresight_of_stages(policy, requests_per_second=1, rate=0.1, metric="latency_p95")

"""Where no baseline of the same time is left: the same time of earlier days, and what the baseline was drifting to by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp, log

import pytest
from tests.analysis.canary.making import START, replica

from cicd_agents.analysis.canary import default_policy, judge
from cicd_agents.analysis.canary.correcting import Change, corrected, factor
from cicd_agents.analysis.canary.drift import Slope, line_slope, poisson_slope
from cicd_agents.analysis.canary.earlier import Counts, Day, Past
from cicd_agents.analysis.canary.observing.ask import MetricsAsk
from cicd_agents.analysis.canary.observing.earlier import earlier_versions, side_of
from cicd_agents.analysis.canary.packs.choice import Choice
from cicd_agents.analysis.canary.packs.traffic import HTTP
from cicd_agents.analysis.canary.tables import tabulate
from cicd_agents.domain.canary import CanaryPolicy, Decision, Judgement, Observation, Replica, Series, Status, Strategy, Version
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import MetricsAnswer, Sampled, Sides

POLICY = default_policy(Strategy.BLUE_GREEN)
BEFORE, AFTER = 30, 30
BEGIN = START - 60 * BEFORE
NOTHING = Counts({}, {}, {})


def _switched(errors: float, *, before: Sequence[float] = (2.0,) * BEFORE, slow: float = 0.02, days: Sequence[Version] = ()) -> Observation:
    """Four old pods until the switch, four new ones since; so many errors of 1000 requests a minute each."""
    old = tuple(replica(f"old-{number}", [1000.0] * BEFORE, before, BEGIN) for number in range(4))
    new = tuple(replica(f"new-{number}", [1000.0] * AFTER, [errors] * AFTER, slow=slow, started=START) for number in range(4))
    return Observation(Version("old", old), Version("new", new), START, ((START, 1.0),), earlier=tuple(days))


def _day(before: float, after: float, *, slow: tuple[float, float] = (0.02, 0.02), requests: float = 4000.0) -> Version:
    """An earlier day: so many errors of the requests of a minute before the time of the switch, and after it; `slow` likewise."""
    first = replica("day", [requests] * BEFORE, [before] * BEFORE, BEGIN, slow=slow[0])
    then = replica("night", [requests] * AFTER, [after] * AFTER, START, slow=slow[1])
    return Version("day", (first, then))


def at(seen: Observation, minute: float, policy: CanaryPolicy = POLICY) -> Judgement:
    return judge(seen, policy, now=START + 60 * minute)


def _looked_at(now: float, earlier: int, answered: Sequence[int]) -> list[int]:
    """Which days ago are compared with, where the store knows so many."""
    ask = MetricsAsk(Sides("a", "b"), now, now - 1200, POLICY, shift=1200.0, earlier=earlier)
    choice = Choice(HTTP, "http_requests_total")
    counted = {side_of(day): {"requests": MetricsAnswer("q", (Sampled({"code": "200"}, ((now - day * 86_400.0, 5.0),)),))} for day in answered}
    return [int(version.name.split()[0]) for version in earlier_versions(counted, choice, ask)]


SUNDAY = 1_750_000_000.0


@pytest.mark.parametrize(
    ("weekday", "earlier", "answered", "found"),
    [
        (1, 7, range(1, 8), [3, 4, 5, 6, 7]),
        (6, 7, range(1, 8), [1, 2, 3, 4, 5, 6, 7]),
        (5, 7, range(1, 8), [1, 2, 3, 4, 7]),
        (0, 14, range(1, 15), [1, 7, 8, 14]),
        (1, 7, (1, 2, 3, 4, 5), [1, 2, 3, 4, 5]),
    ],
    ids=["Monday", "Saturday of one week", "Friday", "Sunday of two weeks", "Monday of a young service"],
)
def test_a_day_is_compared_with_days_of_its_kind_where_there_are_enough(weekday: int, earlier: int, answered: Sequence[int], found: list[int]) -> None:
    assert _looked_at(SUNDAY + weekday * 86_400.0, earlier, answered) == found


RUSH = tuple(_day(8.0 + spare, 24.0 + 3 * spare) for spare in range(7))


def test_a_rise_that_is_usual_for_the_hour_explains_itself_and_without_earlier_days_it_fails() -> None:
    assert at(_switched(6.0), 25).decision is Decision.ROLLBACK
    judged = at(_switched(6.0, days=RUSH), 25)
    errors = judged.metrics[0]
    assert (judged.decision, errors.status, errors.weaker) == (Decision.HOLD, Status.PASS, True)
    assert any("7 earlier days are looked at, as weaker evidence" in note and "5xx × " in note for note in judged.notes)


def test_latency_that_is_usual_for_the_hour_explains_itself() -> None:
    days = [_day(8.0, 8.0, slow=(0.02, 0.2)) for _ in range(7)]
    assert at(_switched(2.0, slow=0.2), 25).decision is Decision.ROLLBACK
    assert at(_switched(2.0, slow=0.2, days=days), 25).decision is Decision.HOLD
    assert at(_switched(2.0, slow=0.6, days=days), 25).decision is Decision.ROLLBACK


def test_more_than_is_usual_for_the_hour_fails() -> None:
    judged = at(_switched(60.0, days=RUSH), 25)
    assert judged.decision is Decision.ROLLBACK
    assert judged.metrics[0].status is Status.FAIL


def test_earlier_days_without_that_rise_do_not_excuse_it() -> None:
    assert at(_switched(12.0, days=[_day(8.0 + spare, 8.0 + spare) for spare in range(7)]), 25).decision is Decision.ROLLBACK


def test_a_level_that_earlier_days_had_too_holds() -> None:
    """The day before was calm, so nothing changes between the two times of most days; but this high it was on some of them."""
    days = [_day(after, after) for after in (4.0, 90.0, 8.0, 60.0, 30.0)]
    judged = at(_switched(12.0, days=days), 25)
    assert judged.decision is Decision.HOLD
    assert "earlier days are like that at this time" in judged.reason


def test_too_few_earlier_days_are_said_and_change_nothing() -> None:
    judged = at(_switched(12.0, days=RUSH[:2]), 25)
    assert judged.decision is Decision.ROLLBACK
    assert any("2 of 7 days have requests at both times, 3 are needed" in note for note in judged.notes)
    none = at(_switched(12.0, days=[*RUSH[:2], Version("empty"), Version("idle", (Replica("r", None, (Series("2xx", ((START, 5.0),)),)),))]), 25)
    assert any("2 of 7 days" in note for note in none.notes)


def test_a_policy_of_no_earlier_days_does_not_look_at_them() -> None:
    judged = at(_switched(12.0, days=RUSH), 25, replace(POLICY, earlier_days=0))
    assert judged.decision is Decision.ROLLBACK
    assert not any("earlier days" in note for note in judged.notes)


def test_earlier_days_are_not_looked_at_while_the_old_version_runs_beside() -> None:
    old = tuple(replica(f"old-{number}", [1000.0] * 60, [2.0] * 60, BEGIN) for number in range(4))
    seen = replace(_switched(12.0, days=RUSH), baseline=Version("old", old), share=((START, 0.5),))
    judged = at(seen, 25, default_policy())
    assert judged.decision is Decision.ROLLBACK
    assert not judged.weaker


def test_a_usual_burn_of_the_budget_is_no_alarm() -> None:
    burning = [_day(8.0, 100.0 + spare) for spare in range(7)]
    assert "burn_rate" in [alarm.rule for alarm in at(_switched(30.0), 8).alarms]
    assert at(_switched(30.0, days=burning), 8).alarms == ()


def test_the_objective_says_when_the_budget_burns() -> None:
    assert "objective 99.9 %" in at(_switched(40.0), 8).reason
    assert "burn_rate" not in [alarm.rule for alarm in at(_switched(40.0), 8, replace(POLICY, objective=0.99)).alarms]
    for wrong in (0.9, 1.0):
        with pytest.raises(UsageError, match=r"objective must be between 94% and 99\.999%"):
            at(_switched(2.0), 8, replace(POLICY, objective=wrong))
    with pytest.raises(UsageError, match="earlier_days must be between 0 and 28"):
        at(_switched(2.0), 8, replace(POLICY, earlier_days=29))


def test_what_the_old_version_drifted_to_by_itself_holds() -> None:
    rising = [2.0 * exp(0.03 * (minute - BEFORE)) for minute in range(BEFORE)]
    judged = at(_switched(3.5, before=rising), 25)
    assert judged.metrics[0].status is Status.INCONCLUSIVE
    assert "by its own trend the old version could be at" in judged.metrics[0].reason
    # As many errors against a level that did not rise are a regression.
    level = sum(rising) / BEFORE
    assert at(_switched(3.5, before=[level] * BEFORE), 25).metrics[0].status is Status.FAIL


def test_a_slope_of_counts_is_found_with_its_error() -> None:
    found = poisson_slope([(float(step), 1000 * exp(0.02 * step), 1e6) for step in range(30)])
    assert found is not None
    assert found.each == pytest.approx(0.02, abs=1e-4)
    assert found.error == pytest.approx(1 / (1000 * exp(0.3) * 30 * 75) ** 0.5, rel=0.1)
    assert poisson_slope([(0.0, 0.0, 10.0), (1.0, 0.0, 10.0)]) is None
    assert poisson_slope([(3.0, 2.0, 10.0)]) is None


def test_a_slope_is_drawn_out_to_the_worse_side_only() -> None:
    rising = line_slope([(float(step), log(1.01) * step) for step in range(10)])
    assert rising.factor(20, falls=False) == pytest.approx(1.01**20)
    assert rising.factor(20, falls=True) == 1.0
    assert rising.factor(1e6, falls=False) == pytest.approx(2.0)
    assert Slope(-0.01, 0.0).factor(20, falls=True) == pytest.approx(exp(-0.2))
    assert Slope(0.0, 0.01).factor(20, falls=False) == pytest.approx(exp(0.2))


def _of(now: tuple[float, float], before: tuple[float, float]) -> Day:
    then, there = (Counts({"5xx": x, "2xx": n - x}, {}, {}) for x, n in (before, now))
    return Day(then, there, NOTHING)


def _errors(counts: Counts) -> tuple[float, float]:
    return counts.of_class("5")


def test_a_usual_change_is_the_median_of_days_and_chance_changes_nothing() -> None:
    doubled = [_of((20_000, 1e6), (10_000, 1e6)) for _ in range(6)]
    assert factor(Past((*doubled, _of((900_000, 1e6), (10, 1e6))), 7), _errors) == pytest.approx(2.0, rel=0.01)
    few = [_of((x, 1000), (y, 1000)) for x, y in ((3, 1), (1, 2), (2, 2), (4, 2), (1, 3))]
    assert factor(Past(tuple(few), 5), _errors) == pytest.approx(1.0, abs=0.05)
    assert factor(Past(tuple(doubled[:2]), 2), _errors) == 1.0


def test_a_corrected_baseline_has_as_many_requests_as_before() -> None:
    tables = tabulate(_switched(2.0), POLICY)
    assert tables is not None
    other = corrected(tables, Change({"5": 3.0}, {0.25: 2.0}, {}))
    for was, now in zip(tables.baseline, other.baseline, strict=True):
        assert [sum(column) for column in zip(*now.requests.values(), strict=True)] == pytest.approx(
            [sum(column) for column in zip(*was.requests.values(), strict=True)]
        )
        assert now.requests["5xx"] == pytest.approx([3 * value for value in was.requests["5xx"]])
        total = was.latency[max(was.latency)]
        assert [n - x for n, x in zip(total, now.latency[0.25], strict=True)] == pytest.approx([0.04 * n for n in total])
        columns = list(zip(*(now.latency[bound] for bound in sorted(now.latency)), strict=True))
        assert all(list(column) == sorted(column) for column in columns)

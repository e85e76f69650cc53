from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest
from tests.analysis.canary.making import START, observation, replica

from cicd_agents.analysis.canary import default_policy, foresight, judge
from cicd_agents.analysis.canary.history import compare_with_history, shifted
from cicd_agents.analysis.canary.slo import Counts, burn_rates
from cicd_agents.analysis.canary.streams import bounds_about, quantile, survival
from cicd_agents.domain.canary import Decision, Direction, Judgement, Observation, Point, Status
from cicd_agents.domain.errors import UsageError

POLICY = default_policy()
INF = float("inf")


def _points(*points: Point) -> Judgement:
    return judge(Observation(points=points), POLICY, now=0.0)


def test_a_table_within_the_rules_proceeds_and_is_weaker() -> None:
    judgement = _points(Point("error_rate", 0.0012, 0.0010), Point("latency_p95", 0.165, 0.150), Point("cpu", 48, 45))
    assert (judgement.status, judgement.decision) == (Status.PASS, Decision.PROMOTE)
    assert "Error rate within threshold" in [metric.reason for metric in judgement.metrics]
    assert judgement.weaker
    assert "weaker" in judgement.notes[0]


def test_a_table_beyond_the_rules_rolls_back() -> None:
    judgement = _points(Point("error_rate", 0.052, 0.0010), Point("latency_p95", 0.450, 0.150))
    assert (judgement.status, judgement.decision) == (Status.FAIL, Decision.ROLLBACK)
    assert "Error rate spike" in judgement.reason


def test_a_table_between_the_limits_holds() -> None:
    assert _points(Point("latency_p95", 0.200, 0.150)).decision is Decision.HOLD
    assert _points(Point("error_rate", 0.12, 0.1)).status is Status.FAIL
    assert _points(Point("conversion", 0.08, 0.1)).status is Status.FAIL
    assert _points(Point("conversion", 0.099, 0.1)).status is Status.PASS


def test_a_table_without_numbers_is_no_data() -> None:
    for value in (None, nan, INF):
        judgement = _points(Point("error_rate", value, 0.001))
        assert (judgement.status, judgement.decision) == (Status.NO_DATA, Decision.HOLD)
    assert _points(Point("nobody", 1.0, 1.0)).status is Status.NO_DATA
    assert _points(Point("error_rate", 0.002)).status is Status.INCONCLUSIVE
    assert _points(Point("error_rate", 0.001)).status is Status.PASS, "that is within the limit of any baseline"


def test_foresight_says_what_can_be_seen() -> None:
    far = foresight(POLICY, requests_per_second=100, rate=0.002, ratio=2)
    near = foresight(POLICY, requests_per_second=1000, rate=0.002, ratio=2)
    assert far.minutes is not None
    assert near.minutes is not None
    assert near.minutes < far.minutes <= 25
    assert foresight(POLICY, requests_per_second=0.2, rate=0.002).minutes is None
    assert foresight(POLICY, requests_per_second=100, rate=0.0001, ratio=1.5).minutes is None  # inside the tolerance
    assert "does not show within 30 minutes" in foresight(POLICY, requests_per_second=0.2, rate=0.002).text
    assert foresight(POLICY, requests_per_second=nan, rate=0.002).minutes is None
    with pytest.raises(UsageError):
        foresight(POLICY, requests_per_second=1, rate=0.1, metric="latency_p95")


def test_burn_rates_need_both_windows() -> None:
    hour = [Counts(60.0 * minute, 20.0, 1000.0) for minute in range(1, 61)]
    fast, *_ = burn_rates(hour, 0.999, 3600.0)
    assert fast.status is Status.FAIL
    assert [fast.long, fast.short] == pytest.approx([20, 20])
    over = [*hour[:50], *(Counts(60.0 * minute, 0.0, 1000.0) for minute in range(51, 61))]
    assert burn_rates(over, 0.999, 3600.0)[0].status is Status.PASS
    assert burn_rates([Counts(3600.0, 1.0, 20.0)], 0.999, 3600.0)[0].status is Status.INCONCLUSIVE
    assert all(burn.status is Status.NO_DATA for burn in burn_rates([], 0.999, 0.0))
    with pytest.raises(UsageError):
        burn_rates([], 1.0, 0.0)


def test_history_of_the_same_time_of_day() -> None:
    days = [[100.0, 102.0], [98.0, 101.0], [103.0, 99.0], [97.0, 100.0]]
    assert compare_with_history([150.0, 151.0], days).status is Status.FAIL
    assert compare_with_history([105.0], days).status is Status.PASS
    assert compare_with_history([50.0], days, direction=Direction.DECREASE).status is Status.FAIL
    assert compare_with_history([nan], days).status is Status.NO_DATA
    assert compare_with_history([150.0], days[:2]).status is Status.INCONCLUSIVE
    assert compare_with_history([150.0], [[60.0], [100.0], [140.0], [180.0]]).status is Status.INCONCLUSIVE


def test_an_earlier_time_can_be_the_baseline() -> None:
    seen = observation([2.0] * 30)
    yesterday = replace(seen.baseline, replicas=tuple(replica(f"old-{number}", [1000.0] * 30, [2.0] * 30, START - 86_400) for number in range(4)))
    judgement = judge(replace(seen, baseline=shifted(yesterday, 86_400), concurrent=False), POLICY, now=START + 1500)
    assert judgement.status is Status.PASS
    assert judgement.weaker


def test_quantiles_and_survival_of_buckets() -> None:
    counts = [(0.1, 50.0), (0.25, 90.0), (0.5, 99.0), (INF, 100.0)]
    assert quantile(counts, 0.5) == pytest.approx(0.1)
    assert quantile(counts, 0.7) == pytest.approx(0.175)
    assert quantile(counts, 0.999) == 0.5
    assert quantile([], 0.5) is None
    assert quantile([(0.1, 0.0), (INF, 0.0)], 0.5) is None
    assert survival(counts, 0.1) == pytest.approx(0.5)
    assert survival(counts, 0.25) == pytest.approx(0.1)
    assert 0.1 < survival(counts, 0.2) < 0.5
    assert bounds_about(counts, 0.95) == [0.25, 0.5]
    assert bounds_about(counts, 0.5, slo=0.5) == [0.1, 0.25, 0.5]

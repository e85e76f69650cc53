"""What the traffic that was seen can show: computed from raw counters of an observation."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest
from tests.analysis.canary.making import START, observation, replica

from cicd_agents.analysis.canary import default_policy
from cicd_agents.analysis.canary.outlook import Traffic, outlook, traffic_of
from cicd_agents.domain.canary import Kind, Observation, Replica, Series, Stage, Strategy, Version

POLICY = default_policy()
SEEN = observation([2.0] * 30)
NOW = START + 1800


def pair(found: Traffic | None) -> tuple[float, float]:
    assert found is not None
    return found.requests_per_second, found.rate


def test_the_traffic_is_that_of_both_versions_and_the_errors_those_of_the_old_one() -> None:
    found = traffic_of(observation([50.0] * 30), POLICY, NOW)
    assert found is not None
    assert found.requests_per_second == pytest.approx(5 * 1000 / 60)
    assert found.rate == pytest.approx(0.002)


def test_what_is_older_than_half_an_hour_or_later_than_now_does_not_count() -> None:
    old = tuple(replica(f"old-{number}", [10_000.0] * 30 + [1000.0] * 40, [0.0] * 30 + [10.0] * 40) for number in range(4))
    seen = Observation(Version("old", old), Version("new"), START + 1800)
    assert pair(traffic_of(seen, POLICY, START + 60 * 60)) == pytest.approx((4000 / 60, 0.01))


def test_a_counter_that_was_reset_counts_from_0() -> None:
    samples = tuple((START + 60 * minute, float(100 * (minute % 10))) for minute in range(30))
    one = Replica("old-0", requests=(Series("2xx", samples),))
    assert pair(traffic_of(Observation(Version("old", (one,)), Version("new")), POLICY, NOW)) == pytest.approx((2700 / (29 * 60), 0.0))


def test_where_requests_have_no_outcome_their_errors_are_not_known() -> None:
    old = tuple(replace(item, requests=()) for item in SEEN.baseline.replicas)
    assert traffic_of(replace(SEEN, baseline=Version("old", old)), POLICY, NOW) is None


def test_an_error_rate_of_own_counters_is_one_too() -> None:
    samples = {name: tuple((START + 60 * minute, each * minute) for minute in range(30)) for name, each in (("failed", 6.0), ("jobs", 600.0))}
    one = Replica("old-0", counters=tuple(Series(name, rows) for name, rows in samples.items()))
    metrics = tuple(replace(item, events=("failed",), of=("jobs",)) if item.name == "error_rate" else item for item in POLICY.metrics)
    assert pair(traffic_of(Observation(Version("old", (one,)), Version("new")), replace(POLICY, metrics=metrics), NOW)) == pytest.approx((10.0, 0.01))


@pytest.mark.parametrize(
    "seen",
    [
        Observation(),
        Observation(Version("old", (replica("old-0", [1000.0], [0.0]),)), Version("new")),
        Observation(Version("old", (replica("old-0", [1.0] * 30, [0.0] * 30),)), Version("new")),
        Observation(Version("old", (replica("old-0", [nan] * 30, [nan] * 30),)), Version("new")),
        replace(SEEN, baseline=Version("old")),
    ],
    ids=["nothing", "one minute", "30 requests", "NaN", "no old version"],
)
def test_of_traffic_that_is_not_known_nothing_is_said(seen: Observation) -> None:
    assert traffic_of(seen, POLICY, NOW) is None
    assert outlook(seen, POLICY, NOW) == ()


def test_a_doubling_is_foreseen_in_the_words_of_people_and_then_each_stage() -> None:
    told = outlook(SEEN, POLICY, NOW)
    assert told[0].startswith("At this traffic (83 requests a second, error rate 0.2 %) a doubling of the error rate shows after about ")
    assert [line.partition(" % ")[0] for line in told[1:]] == ["At 5", "At 25", "At 50"]


def test_only_this_stage_and_later_ones_are_foreseen() -> None:
    assert [line.partition(" % ")[0] for line in outlook(SEEN, POLICY, NOW, 2)[1:]] == ["At 50"]
    assert outlook(SEEN, POLICY, NOW, 3) == (), "at 100 % no baseline is left"


def test_more_traffic_shows_a_doubling_sooner_and_little_does_not_show_it() -> None:
    def minutes(requests: float) -> str:
        return outlook(observation([0.002 * requests] * 30, requests=requests, errors=0.002 * requests), POLICY, NOW)[0]

    assert "does not show within 30 minutes" in minutes(10.0)
    soon, late = (float(minutes(requests).split()[-2]) for requests in (10_000.0, 1000.0))
    assert soon < late


def test_a_doubling_within_the_tolerance_is_not_promised() -> None:
    assert "within the tolerance" in outlook(observation([0.1] * 30, errors=0.1), POLICY, NOW)[0]


def test_without_an_error_so_far_rates_are_named_and_not_multiples() -> None:
    told = outlook(observation([0.0] * 30, errors=0.0), POLICY, NOW)
    assert told[0].startswith("At this traffic (83 requests a second, error rate 0 so far) error rate ")
    assert "times" not in " ".join(told)
    assert "does not show" in outlook(observation([0.0] * 30, requests=1.0, errors=0.0), POLICY, NOW)[0]


@pytest.mark.parametrize(
    ("seen", "policy"),
    [
        (replace(SEEN, concurrent=False), POLICY),
        (SEEN, default_policy(Strategy.BLUE_GREEN)),
        (SEEN, replace(POLICY, stages=(Stage(1.0, 30),))),
        (SEEN, replace(POLICY, metrics=tuple(item for item in POLICY.metrics if item.kind is not Kind.RATIO))),
    ],
    ids=["another time", "blue/green", "all at once", "no error rate"],
)
def test_where_no_baseline_runs_beside_it_nothing_is_foreseen(seen: Observation, policy: object) -> None:
    assert outlook(seen, policy, NOW) == ()  # type: ignore[arg-type]

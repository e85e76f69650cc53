# ruff: noqa: S311
from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from math import inf, nan
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.analysis.canary.making import START, counter, observation, replica, with_gauge

from cicd_agents.analysis.canary import default_policy, judge
from cicd_agents.analysis.canary.judgement import judge_tables
from cicd_agents.analysis.canary.tables import tabulate
from cicd_agents.domain.canary import (
    Bucket,
    CanaryPolicy,
    Decision,
    Judgement,
    LogTemplate,
    Metric,
    MetricJudgement,
    Observation,
    Replica,
    Series,
    Stage,
    Status,
    Strategy,
    Version,
)  # fmt: skip
from cicd_agents.domain.errors import UsageError

POLICY = default_policy()


def at(seen: Observation, minute: float, policy: CanaryPolicy = POLICY, stage: int | None = None) -> Judgement:
    return judge(seen, policy, now=START + 60 * minute, stage=stage)


def metric(judgement: Judgement, name: str) -> MetricJudgement:
    return next(item for item in judgement.metrics if item.name == name)


def test_an_equal_canary_passes_and_is_promoted() -> None:
    judgement = at(observation([2.0] * 30), 20)
    assert (judgement.status, judgement.decision) == (Status.PASS, Decision.PROMOTE)
    errors = metric(judgement, "error_rate")
    assert errors.status is Status.PASS
    assert errors.reason.startswith("Error rate within threshold")
    assert [errors.canary, errors.baseline, errors.limit] == pytest.approx([0.002, 0.002, 0.003])
    assert sum(alpha for _, alpha in judgement.budget) == pytest.approx(POLICY.alpha)
    assert judgement.risk < 0.2


def test_a_canary_with_many_errors_fails_but_not_on_one_minute() -> None:
    seen = observation([50.0] * 30)
    assert at(seen, 2).decision is Decision.HOLD
    judgement = at(seen, 4)
    assert (judgement.status, judgement.decision) == (Status.FAIL, Decision.ROLLBACK)
    assert "Error rate spike" in judgement.reason
    assert judgement.risk > 0.9
    one = observation([2.0] * 10 + [80.0] + [2.0] * 19)
    assert all(at(one, minute).decision is not Decision.ROLLBACK for minute in range(3, 31))


def test_a_baseline_without_any_error_still_shows_what_is_worse() -> None:
    old = Version("old", tuple(replica(f"old-{number}", [100_000.0] * 30, [0.0] * 30) for number in range(4)))
    for errors, status in ((400.0, Status.FAIL), (3.0, Status.PASS)):
        seen = Observation(old, Version("new", (replica("new-0", [100_000.0] * 30, [errors] * 30),)), START, ((START, 0.2),))
        assert at(seen, 8).status is status


def test_late_trouble_is_caught() -> None:
    assert at(observation([2.0] * 18 + [30.0] * 12), 26).status is Status.FAIL


def test_trouble_of_both_versions_is_not_the_canarys() -> None:
    bad = [2.0] * 8 + [150.0] * 5 + [2.0] * 17
    seen = observation(bad)
    both = replace(seen, baseline=Version("old", tuple(replica(f"old-{number}", [1000.0] * 30, bad) for number in range(4))))
    assert all(at(both, minute).decision is not Decision.ROLLBACK for minute in range(3, 31))


def test_a_slow_tail_fails_on_latency() -> None:
    judgement = at(observation([2.0] * 30, slow=0.08), 12)
    assert judgement.status is Status.FAIL
    assert metric(judgement, "latency_p99").status is Status.FAIL
    assert metric(judgement, "error_rate").status is Status.PASS


def test_the_stage_needs_its_minutes() -> None:
    judgement = at(observation([2.0] * 30), 3, replace(POLICY, stages=(Stage(0.2, 10),)))
    assert (judgement.status, judgement.decision) == (Status.INCONCLUSIVE, Decision.HOLD)
    assert judgement.needed_minutes == pytest.approx(7)


def test_little_traffic_is_inconclusive_and_says_what_is_needed() -> None:
    judgement = at(observation([0.0] * 30, requests=3.0, errors=0.0), 20)
    assert (judgement.status, judgement.decision) == (Status.INCONCLUSIVE, Decision.HOLD)
    assert judgement.needed_requests is not None
    assert judgement.needed_requests > 0
    assert judgement.needed_minutes is not None
    assert judgement.needed_minutes > 0


def _with_values(seen: Observation, value: float) -> Observation:
    def bad(series: Series) -> Series:
        return Series(series.name, tuple((time, value) for time, _ in series.samples))

    def pod(item: Replica) -> Replica:
        buckets = tuple(Bucket(bucket.bound, bad(Series("", bucket.samples)).samples) for bucket in item.buckets)
        return replace(item, requests=tuple(map(bad, item.requests)), buckets=buckets)

    return replace(seen, canary=replace(seen.canary, replicas=tuple(map(pod, seen.canary.replicas))))


@pytest.mark.parametrize(
    "seen",
    [
        Observation(),
        Observation(Version("old", (Replica("a"),)), Version("new", (Replica("b"),))),
        replace(observation([2.0] * 30), canary=Version("new")),
        replace(observation([2.0] * 30), baseline=Version("old")),
        _with_values(observation([2.0] * 30), nan),
        _with_values(observation([2.0] * 30), inf),
        _with_values(observation([2.0] * 30), 0.0),
        observation([0.0] * 30, requests=0.0, errors=0.0),
    ],
    ids=["nothing", "empty pods", "no canary", "no baseline", "NaN", "infinite", "zero", "no traffic"],
)
@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_blindness_never_rolls_back_and_never_promotes(seen: Observation, stage: int) -> None:
    for minute in (1, 6, 15, 29):
        judgement = at(seen, minute, stage=stage)
        assert judgement.status in {Status.NO_DATA, Status.INCONCLUSIVE}
        assert judgement.decision is Decision.HOLD


def test_a_dead_store_is_no_data_even_after_bad_minutes() -> None:
    judgement = at(observation([50.0] * 10, minutes=10), 25)
    assert (judgement.status, judgement.decision) == (Status.NO_DATA, Decision.HOLD)
    assert "15 minutes old" in judgement.reason


def test_warm_up_by_pod_age_is_left_out() -> None:
    begin = START
    young = replica("new-0", [1000.0] * 30, [100.0] * 3 + [2.0] * 27, started=begin)
    seen = replace(observation([2.0] * 30), canary=Version("new", (young,)))
    judgement = at(seen, 12)
    assert judgement.decision is not Decision.ROLLBACK
    assert metric(judgement, "error_rate").strength.canary_events == pytest.approx(12)  # as long again after a clear warm-up
    assert any("warm-up" in text for text in judgement.exclusions)


def test_errors_that_are_born_with_the_series_count() -> None:
    samples = counter([40.0] * 30)
    born = replace(observation([0.0] * 30).canary.replicas[0], requests=(Series("2xx", counter([960.0] * 30)), Series("5xx", samples[3:])))
    judgement = at(replace(observation([0.0] * 30), canary=Version("new", (born,))), 10)
    assert metric(judgement, "error_rate").strength.canary_events == pytest.approx(40 * 8 + 80)
    assert any("appeared later" in text for text in judgement.exclusions)


def test_resets_and_holes_are_told() -> None:
    times = [(START + 60 * minute, float(1000 * (minute % 12))) for minute in range(31) if not 20 <= minute <= 26]
    odd = Replica("new-0", START - 3600, (Series("2xx", tuple(times)),))
    judgement = at(replace(observation([2.0] * 30), canary=Version("new", (odd,))), 30)
    assert any("counter resets" in text for text in judgement.exclusions)
    assert any("holes" in text for text in judgement.exclusions)


def test_at_once_needs_a_least_of_evidence() -> None:
    few = observation([1.0] * 30, requests=3.0, errors=0.0)
    assert not at(few, 2).alarms
    many = at(observation([400.0] * 30), 2)
    assert [alarm.rule for alarm in many.alarms] == ["error_rate"]
    assert many.decision is Decision.ROLLBACK


def test_crash_loops_and_memory_kills_act_at_once() -> None:
    def with_counter(name: str, values: list[float]) -> Observation:
        seen = observation([2.0] * 30)
        pod = replace(seen.canary.replicas[0], counters=(Series(name, counter(values)),))
        return replace(seen, canary=Version("new", (pod,)))

    one = [0.0] * 30
    one[4] = 1.0
    thrice = [1.0 if minute in {3, 5, 7} else 0.0 for minute in range(30)]
    assert not at(with_counter("restarts", one), 12).alarms
    assert at(with_counter("restarts", thrice), 10).alarms[0].rule == "crash_loop"
    assert at(with_counter("oom_kills", thrice), 10).alarms[0].rule == "oom_kills"
    assert not at(with_counter("oom_kills", one), 10).alarms


def test_health_failing_for_two_minutes_acts_at_once() -> None:
    seen = observation([2.0] * 30)

    def with_health(states: list[bool]) -> Observation:
        pod = replace(seen.canary.replicas[0], health=tuple((START + 300 + 20 * number, state) for number, state in enumerate(states)))
        return replace(seen, canary=Version("new", (pod, replica("new-1", [1000.0] * 30, [2.0] * 30))))

    assert at(with_health([True] * 5 + [False] * 8), 12).alarms[0].rule == "health"
    assert not at(with_health([True, False, True, False, False, True]), 12).alarms


def test_p99_beyond_ten_seconds_acts_at_once() -> None:
    seen = observation([2.0] * 30)
    pod = seen.canary.replicas[0]
    buckets = tuple(Bucket(bucket.bound, counter([900.0 if bucket.bound < inf else 1000.0] * 30)) for bucket in pod.buckets)
    assert at(replace(seen, canary=Version("new", (replace(pod, buckets=buckets),))), 3).alarms[0].rule == "latency"


def test_gauges() -> None:
    seen = observation([2.0] * 30)
    steady = [45.0, 46.0, 44.0] * 10
    assert metric(at(with_gauge(seen, "cpu", steady, steady), 12), "cpu").status is Status.PASS
    hot = metric(at(with_gauge(seen, "cpu", [96.0] * 30, steady), 12), "cpu")
    assert (hot.status, hot.limit) == (Status.FAIL, 80.0)
    assert metric(at(with_gauge(seen, "cpu", [96.0] * 30, [96.0] * 30), 12), "cpu").status is not Status.FAIL
    leaking = [50.0 + 2 * minute for minute in range(20)] + [90.0] * 10
    assert metric(at(with_gauge(seen, "memory", leaking, [50.0, 51.0] * 15), 14), "memory").status is Status.FAIL
    filling = [20.0 + min(30, 3 * minute) for minute in range(30)]
    assert metric(at(with_gauge(seen, "memory", filling, [50.0, 51.0] * 15), 10), "memory").status is Status.PASS


def with_slow(slow: Sequence[float], beside: float = 0.0) -> Observation:
    """So many of the canary's 1,000 requests a minute are slower than 0.25 s, 20 of the baseline's; its samples lie `beside` seconds after the minutes."""

    def pod(name: str, slow: Sequence[float], beside: float = 0.0) -> Replica:
        rows = {0.25: [1000.0 - value for value in slow], 0.5: [1000.0 - 0.9 * value for value in slow], inf: [1000.0] * 30}
        buckets = tuple(Bucket(bound, tuple((time + beside, value) for time, value in counter(row))) for bound, row in rows.items())
        return Replica(name, START - 3600, buckets=buckets)

    old = tuple(pod(f"old-{number}", [20.0] * 30) for number in range(4))
    return Observation(Version("old", old), Version("new", (pod("new-0", slow, beside),)), START, ((START, 0.2),))


def rolled_back(seen: Observation) -> list[int]:
    return [minute for minute in range(3, 30) if at(seen, minute).decision is Decision.ROLLBACK]


@pytest.mark.parametrize("edges", [(90.0, 90.0), (60.0, 130.0), (140.0, 50.0)])
def test_two_minutes_of_a_burst_that_lie_across_three_are_no_lasting_trouble(edges: tuple[float, float]) -> None:
    first, last = edges
    assert rolled_back(with_slow([first, 180.0, last, *[20.0] * 27])) == []
    assert rolled_back(with_slow([180.0] * 30))[0] <= 4


def test_samples_that_lie_across_the_minutes_show_a_burst_in_one_more_of_them() -> None:
    assert rolled_back(with_slow([180.0, 180.0, *[20.0] * 28], beside=30.0)) == []
    assert rolled_back(with_slow([180.0] * 30, beside=30.0))


def test_peaks_that_go_from_pod_to_pod_are_no_saturation() -> None:
    seen = observation([2.0] * 30)
    pods = [replica(f"new-{number}", [1000.0] * 30, [2.0] * 30) for number in range(3)]

    def with_cpu(levels: list[list[float]]) -> Observation:
        rows = [tuple((START + 60 * index + 30, value) for index, value in enumerate(row)) for row in levels]
        return replace(seen, canary=Version("new", tuple(replace(pod, gauges=(Series("cpu", row),)) for pod, row in zip(pods, rows, strict=True))))

    peaks = [[97.0 if minute % 3 == number else 40.0 for minute in range(30)] for number in range(3)]
    assert metric(at(with_cpu(peaks), 15), "cpu").status is not Status.FAIL
    assert metric(at(with_cpu([[97.0] * 30, [40.0] * 30, [40.0] * 30]), 15), "cpu").status is Status.FAIL


@pytest.mark.parametrize("told", [True, False])
def test_a_pod_that_gets_more_work_with_a_stage_does_not_leak(told: bool) -> None:
    """CPU steps up with the traffic, whether the shares are told or only seen in the requests; what climbs within a stage is a leak."""
    shares = ((START, 0.05), (START + 300, 0.25), (START + 540, 0.5)) if told else ()
    old = tuple(replica(f"old-{number}", [1000.0] * 30, [2.0] * 30) for number in range(4))
    new = replica("new-0", [200.0] * 5 + [1300.0] * 4 + [4000.0] * 21, [0.4] * 5 + [2.6] * 4 + [8.0] * 21)
    seen = Observation(Version("old", old), Version("new", (new,)), START, shares)
    steps = [level + 0.1 * (number % 3) for level, length in ((18.0, 5), (33.0, 4), (48.0, 21)) for number in range(length)]
    assert all(metric(at(with_gauge(seen, "cpu", steps, [27.0, 28.0] * 15), minute), "cpu").status is not Status.FAIL for minute in range(8, 30))
    climbing = [value + 2.5 * number for number, value in enumerate(steps)]
    assert metric(at(with_gauge(seen, "cpu", climbing, [27.0, 28.0] * 15), 20), "cpu").status is Status.FAIL


def test_pods_that_come_with_a_stage_make_no_leak() -> None:
    seen = with_gauge(observation([2.0] * 30), "memory", [40.0, 40.2] * 15, [30.0, 30.1] * 15)
    late = [replica(f"new-{number}", [1000.0] * (30 - 4 * number), [2.0] * (30 - 4 * number), begin=START + 240 * number) for number in range(1, 5)]
    gauges = [tuple((START + 240 * number + 30 + 60 * index, 40.0 + 12 * number) for index in range(30 - 4 * number)) for number in range(1, 5)]
    grown = tuple(replace(pod, gauges=(Series("memory", samples),), started=START + 240 * number) for number, (pod, samples) in enumerate(zip(late, gauges), 1))
    joined = replace(seen, canary=Version("new", (*seen.canary.replicas, *grown)))
    assert all(metric(at(joined, minute), "memory").status is not Status.FAIL for minute in range(8, 28))


def test_one_restart_whose_errors_come_back_late_is_no_crash_loop() -> None:
    seen = observation([2.0] * 30)
    good = (*counter([900.0] * 10), *((START + 660 + 60 * index, 900.0 * (index + 1)) for index in range(20)))
    late = [(*counter([1.0] * 10), *((START + 660 + 60 * index, float(index)) for index in range(back, 20))) for back in (2, 5)]
    rows = (Series("2xx", good), *(Series(name, samples) for name, samples in zip(("404", "503"), late)))
    once = replace(seen, canary=Version("new", (replace(seen.canary.replicas[0], requests=rows, buckets=()),)))
    assert not [alarm for minute in range(10, 30) for alarm in at(once, minute).alarms]


def test_new_critical_messages_fail_and_others_are_told() -> None:
    seen = observation([2.0] * 30)
    logs = (LogTemplate("panic: <*>", counter([1.0] * 30), critical=True), LogTemplate("cache miss <*>", counter([5.0] * 30)))
    judgement = at(replace(seen, canary=Version("new", (replace(seen.canary.replicas[0], logs=logs),))), 12)
    assert "panic" in metric(judgement, "critical_logs").reason
    assert judgement.status is Status.FAIL
    assert any("cache miss" in note for note in judgement.notes)


def _shop(canary: float) -> Observation:
    seen = observation([2.0] * 30)

    def add(version: Version, rate: float) -> Version:
        pods = tuple(
            replace(pod, counters=(Series("orders", counter([500 * rate] * 30)), Series("sessions", counter([500.0] * 30)))) for pod in version.replicas
        )
        return Version(version.name, pods)

    return replace(seen, canary=add(seen.canary, canary), baseline=add(seen.baseline, 0.2))


def test_business_counts() -> None:
    assert metric(at(_shop(0.2), 25), "conversion").status is Status.PASS
    judgement = at(_shop(0.16), 28)
    assert metric(judgement, "conversion").status is Status.FAIL
    assert judgement.decision is Decision.ROLLBACK


@pytest.mark.parametrize(("rate", "status"), [(0.98, Status.PASS), (0.90, Status.FAIL)])
def test_what_mostly_succeeds_is_tested_by_what_fails(rate: float, status: Status) -> None:
    seen = observation([2.0] * 30)

    def add(version: Version, success: float) -> Version:
        rows = (Series("payments_succeeded", counter([200 * success] * 30)), Series("payments", counter([200.0] * 30)))
        return Version(version.name, tuple(replace(pod, counters=rows) for pod in version.replicas))

    payments = metric(at(replace(seen, canary=add(seen.canary, rate), baseline=add(seen.baseline, 0.98)), 28), "payment_success")
    assert payments.status is status
    assert payments.canary == pytest.approx(rate)
    assert payments.limit == pytest.approx(0.98 * 0.95)


def test_without_shares_the_stage_follows_from_the_time() -> None:
    seen = replace(observation([2.0] * 30), share=())
    assert [at(seen, minute).stage for minute in (2, 7, 20)] == [0, 1, 2]
    assert at(seen, 20).share == 0.5


def test_ready_series_are_compared_but_weaker() -> None:
    def values(name: str, numbers: list[float]) -> Version:
        samples = tuple((START + 60 * minute + 30, number) for minute, number in enumerate(numbers))
        return Version(name, values=(Series("latency_p95", samples), Series("error_rate", tuple((time, 0.001) for time, _ in samples))))

    steady = [0.150, 0.155, 0.148] * 10
    good = at(Observation(values("old", steady), values("new", steady), START), 20)
    assert metric(good, "latency_p95").status is Status.PASS
    assert metric(good, "latency_p95").weaker
    assert at(Observation(values("old", steady), values("new", [0.4, 0.41, 0.39] * 10), START), 20).status is Status.FAIL


def test_only_critical_metrics_roll_back_and_dry_runs_never_act() -> None:
    seen = observation([50.0] * 30)

    def policy(changed: Metric) -> CanaryPolicy:
        return replace(POLICY, metrics=tuple(changed if item.name == "error_rate" else item for item in POLICY.metrics))

    assert at(seen, 12, policy(replace(metric_of("error_rate"), critical=False))).decision is Decision.HOLD
    dry = at(seen, 12, policy(replace(metric_of("error_rate"), dry_run=True, required=False)))
    assert metric(dry, "error_rate").status is Status.FAIL
    assert dry.decision is not Decision.ROLLBACK


def test_a_stage_may_have_its_own_tolerances_and_policy() -> None:
    seen = observation([8.0] * 30)
    assert at(seen, 20).status is Status.FAIL
    loose = replace(metric_of("error_rate").tolerance, harmless_ratio=5.0, go_ratio=5.0, stop_ratio=6.0)
    lenient = replace(POLICY, stages=(Stage(0.05, 5), Stage(0.2, 10, tolerances=(("error_rate", loose),))))
    assert at(seen, 20, lenient).status is Status.PASS


def metric_of(name: str) -> Metric:
    return next(item for item in POLICY.metrics if item.name == name)


def test_the_next_stage_has_its_triggers_as_numbers() -> None:
    triggers = at(observation([2.0] * 30), 12).triggers
    assert any(trigger.text == "Error rate > 0.3 %" for trigger in triggers)
    assert any(trigger.limit == 0.1 for trigger in triggers)


def test_a_canary_that_serves_less_than_its_share_is_told() -> None:
    seen = replace(observation([2.0] * 30), share=((START, 0.6),))
    assert any("its share is 60 %" in note for note in at(seen, 12).notes)
    assert not any("its share" in note for note in at(observation([2.0] * 30), 12).notes)


def test_the_bound_at_the_objective_is_tested_in_the_tail() -> None:
    seen = observation([2.0] * 30)
    pod = seen.canary.replicas[0]
    shares = {0.1: 0.5, 0.25: 0.98, 0.5: 0.995, 1.0: 0.9975, 10.0: 0.9976, inf: 1.0}
    slow = tuple(Bucket(bound, counter([1000 * share] * 30)) for bound, share in shares.items())
    stuck = replace(seen, canary=Version("new", (replace(pod, buckets=slow),)))
    assert metric(at(stuck, 20), "latency_p99").status is not Status.FAIL
    assert metric(at(stuck, 20, replace(POLICY, slo_latency=8.0)), "latency_p99").status is Status.FAIL


def test_a_baseline_of_another_time_is_weaker() -> None:
    judgement = at(replace(observation([2.0] * 30), concurrent=False), 20)
    assert judgement.weaker
    assert any("another time" in note for note in judgement.notes)


@pytest.mark.parametrize(
    "policy",
    [
        replace(POLICY, metrics=()),
        replace(POLICY, stages=()),
        replace(POLICY, alpha=0.0),
        replace(POLICY, step=0.0),
        replace(POLICY, metrics=(POLICY.metrics[0], POLICY.metrics[0])),
        replace(POLICY, stages=(Stage(0.05, 5, no_data=Decision.PROMOTE),)),
        replace(POLICY, stages=(Stage(0.05, 5, no_data=Decision.ROLLBACK),)),
        replace(POLICY, stages=(Stage(1.5, 5),)),
        replace(POLICY, stages=(Stage(0.5, 5, tolerances=(("nothing", POLICY.metrics[0].tolerance),)),)),
        replace(POLICY, metrics=(replace(POLICY.metrics[2], quantile=None),)),
        replace(POLICY, metrics=(replace(POLICY.metrics[0], weight=-1.0),)),
        replace(POLICY, metrics=(replace(POLICY.metrics[0], weight=0.0),)),
        replace(POLICY, metrics=(replace(POLICY.metrics[0], tolerance=replace(POLICY.metrics[0].tolerance, harmless_ratio=0.5)),)),
    ],
)
def test_a_policy_without_sense_is_refused(policy: CanaryPolicy) -> None:
    with pytest.raises(UsageError):
        judge(observation([2.0] * 5, minutes=5), policy, now=START + 300)


def test_every_strategy_has_a_default() -> None:
    for strategy in Strategy:
        assert judge(Observation(), default_policy(strategy), now=START).strategy is strategy


def test_prepared_tables_judge_as_the_samples_until_then() -> None:
    seen = observation([2.0] * 10 + [40.0] * 20)
    tables = tabulate(seen, POLICY)
    for minute in (8, 13, 16):
        cut = observation(([2.0] * 10 + [40.0] * 20)[:minute], minutes=minute)
        assert judge_tables(tables, seen, POLICY, now=START + 60 * minute).metrics[0].strength == at(cut, minute).metrics[0].strength


odd = st.floats() | st.sampled_from([nan, inf, -inf, -1.0, 0.0, 1e300, 1e14])
times = st.floats(START, START + 1800) | odd
series = st.builds(Series, st.sampled_from(["2xx", "5xx", "cpu", "restarts", "orders", "sessions"]), st.lists(st.tuples(times, odd), max_size=6).map(tuple))
pods = st.builds(
    Replica, st.text(max_size=3), st.none() | times, st.lists(series, max_size=3).map(tuple),
    st.lists(st.builds(Bucket, odd, st.lists(st.tuples(times, odd), max_size=4).map(tuple)), max_size=3).map(tuple), st.lists(series, max_size=2).map(tuple),
    st.lists(series, max_size=2).map(tuple), st.lists(st.tuples(times, st.booleans()), max_size=3).map(tuple),
    st.lists(st.builds(LogTemplate, st.text(max_size=3), st.lists(st.tuples(times, odd), max_size=3).map(tuple), st.booleans()), max_size=2).map(tuple),
)  # fmt: skip
versions = st.builds(Version, st.just("v"), st.lists(pods, max_size=3).map(tuple), st.lists(series, max_size=2).map(tuple))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.builds(Observation, versions, versions, st.none() | times, st.lists(st.tuples(times, odd), max_size=3).map(tuple)), times)
def test_it_never_raises_for_odd_data(seen: Observation, now: float) -> None:
    judgement = judge(seen, POLICY, now=now)
    assert 0 <= judgement.risk <= 1
    assert judgement.status is not Status.PASS or judgement.decision is Decision.PROMOTE


@pytest.mark.parametrize("now", [1.7e308, -1.7e308, 1e16, inf, nan])
def test_a_moment_that_is_none_is_blind(now: float) -> None:
    version = Version("v", (Replica("pod", None, (Series("2xx", ((START, 0.0), (START + 60, 50.0))),)),))
    for share in ((), ((START, 1.0),)):
        judged = judge(Observation(version, version, START, share), POLICY, now=now)
        assert (judged.status, judged.decision) == (Status.NO_DATA, Decision.HOLD)


def test_thirty_minutes_of_sixteen_pods_take_well_below_a_second() -> None:
    draw = random.Random(5)
    minutes = 120  # scraped every 15 seconds

    def pod(name: str) -> Replica:
        rows = [[draw.randint(200, 300) for _ in range(minutes)] for _ in range(20)]
        return Replica(
            name, START - 3600, tuple(Series(f"{number}xx", counter(rows[number], step=15)) for number in range(2, 6)),
            tuple(Bucket(bound, counter([250.0 * (number + 1)] * minutes, step=15)) for number, bound in enumerate((0.1, 0.25, 0.5, 1.0, 2.5, inf))),
            tuple(Series(name, counter([0.1] * minutes, step=15)) for name in ("cpu", "memory", "connections")),
        )  # fmt: skip

    seen = Observation(Version("old", tuple(pod(f"o{number}") for number in range(12))), Version("new", tuple(pod(f"n{number}") for number in range(4))), START)
    began = process_time()
    at(seen, 30)
    assert process_time() - began < 1.0

"""The same clock time of earlier days, as a real Prometheus has it, explains what is usual; and what it does not have is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock

import pytest
from tests.agents.guardian_earlier_data import DAY, DAYS, earlier_data
from tests.agents.guardian_metrics_data import BEGIN, NOW, SCRAPE, SINCE
from tests.servers.clock import FakeClock
from tests.servers.prometheus import shared

from cicd_agents.agents.guardian_metrics import MetricsAsk, gather
from cicd_agents.analysis.canary import judge
from cicd_agents.analysis.canary.defaults import default_policy
from cicd_agents.analysis.canary.observing.ask import shift_before
from cicd_agents.analysis.canary.observing.own import parse_own
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.metrics.prometheus import PrometheusStore
from cicd_agents.domain.canary import Decision, Judgement, Strategy
from cicd_agents.domain.errors import Rejected
from cicd_agents.domain.guardian import MetricsAnswer, Sides

POLICY = default_policy(Strategy.BLUE_GREEN)


class Counting:
    """A store that counts what it is asked, and refuses what has one of these words at these days ago."""

    def __init__(self, store: PrometheusStore, refused: Sequence[tuple[str, int]] = ()) -> None:
        self.store, self.refused, self.ranges, self._lock = store, refused, 0, Lock()

    def query(self, promql: str, at: float) -> MetricsAnswer:
        return self.store.query(promql, at)

    def query_range(self, promql: str, start: float, end: float, step: float) -> MetricsAnswer:
        with self._lock:
            self.ranges += 1
        if any(word in promql and round((NOW - end) / DAY) == day for word, day in self.refused):
            raise Rejected("Prometheus: a query was rejected: too many samples.")
        return self.store.query_range(promql, start, end, step)


@contextmanager
def asked_of(config: pytest.Config, *refused: tuple[str, int]) -> Iterator[Counting]:
    clock = FakeClock(NOW)
    store = PrometheusStore(shared(config, earlier_data()).url, clock, Budget(clock, 300))
    yield Counting(store, refused)
    store.close()


def ask(namespace: str, earlier: int) -> MetricsAsk:
    sides = Sides('pod=~"api-new-.*"', 'pod=~"api-old-.*"', f'namespace="{namespace}"')
    return MetricsAsk(
        sides, NOW, SINCE, POLICY, shift=shift_before(SINCE, NOW), share=((SINCE, 1.0),), earlier=earlier, every=f'namespace="{namespace}",pod=~"api-.*"'
    )  # fmt: skip


def judged(store: Counting, namespace: str, earlier: int) -> Judgement:
    return judge(gather(store, ask(namespace, earlier)).observation, replace(POLICY, earlier_days=max(1, earlier)), now=NOW)


def test_errors_that_every_day_has_at_this_hour_hold_and_without_looking_at_them_they_roll_back(request: pytest.FixtureRequest) -> None:
    with asked_of(request.config) as store:
        assert judged(store, "rush", 0).decision is Decision.ROLLBACK
        found = judged(store, "rush", DAYS)
        assert found.decision is Decision.HOLD
        assert any("4 earlier days are looked at, as weaker evidence" in note and "5xx × " in note for note in found.notes)


def test_errors_that_no_other_day_has_roll_back(request: pytest.FixtureRequest) -> None:
    with asked_of(request.config) as store:
        assert judged(store, "calm", DAYS).decision is Decision.ROLLBACK


def test_of_each_day_as_many_were_counted_as_there_were_requests(request: pytest.FixtureRequest) -> None:
    with asked_of(request.config) as store:
        seen = gather(store, ask("rush", DAYS))
    assert store.ranges == 2 * DAYS
    days = seen.observation.earlier
    assert [day.name for day in days] == ["1 day ago", "2 days ago", "3 days ago", "4 days ago"]
    for day in days:
        (pod,) = day.replicas
        counted = {series.name: series.samples[-1][1] for series in pod.requests}
        whole = 2 * 1600.0 / SCRAPE * (pod.requests[0].samples[-1][0] - BEGIN)
        assert sum(counted.values()) == pytest.approx(whole, rel=0.02)
        assert counted["5xx"] == pytest.approx(0.0125 * whole, rel=0.1)
        assert [bucket.bound for bucket in pod.buckets] == [0.1, 0.25, 1.0, float("inf")]
        assert pod.requests[0].samples[-1][0] == NOW


def test_only_one_day_stands_in_the_list_of_queries(request: pytest.FixtureRequest) -> None:
    with asked_of(request.config) as store:
        told = [record for record in gather(store, ask("rush", DAYS)).queries if "ago" in record.side]
    assert [record.side for record in told] == ["1 day ago", "1 day ago"]
    assert all(record.series > 0 for record in told)


def test_a_day_that_is_answered_in_part_is_left_out_and_that_is_said(request: pytest.FixtureRequest) -> None:
    with asked_of(request.config, ("bucket", 2), ("requests_total", 3)) as store:
        seen = gather(store, ask("rush", DAYS))
    assert [day.name for day in seen.observation.earlier] == ["1 day ago", "4 days ago"]
    assert any("2 of 8 queries of earlier days were not answered: Prometheus: a query was rejected" in note for note in seen.notes)
    assert seen.failed == ()
    found = judge(seen.observation, replace(POLICY, earlier_days=DAYS), now=NOW)
    assert found.decision is Decision.ROLLBACK
    assert any("2 of 4 days have requests at both times, 3 are needed" in note for note in found.notes)


def test_counters_of_ones_own_are_asked_too(request: pytest.FixtureRequest) -> None:
    with asked_of(request.config) as store:
        own = parse_own(["sold.count=http_requests_total{selector}"])
        day = gather(store, replace(ask("calm", 1), own=own)).observation.earlier[0]
    (series,) = day.replicas[0].counters
    assert series.name == "sold"
    assert series.samples[-1][1] == pytest.approx(sum(item.samples[-1][1] for item in day.replicas[0].requests), rel=0.01)


def test_without_matchers_of_all_versions_the_old_ones_names_are_looked_for(request: pytest.FixtureRequest) -> None:
    with asked_of(request.config) as store:
        assert gather(store, replace(ask("rush", DAYS), every="")).observation.earlier == ()


def test_a_long_window_is_asked_in_longer_blocks(request: pytest.FixtureRequest) -> None:
    with asked_of(request.config) as store:
        seen = gather(store, replace(ask("rush", 1), since=NOW - 80_000.0, shift=80_120.0))
    (day,) = seen.observation.earlier
    assert len(day.replicas[0].requests[0].samples) <= 73

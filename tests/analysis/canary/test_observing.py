"""From raw series to an observation: nothing that was counted is lost, nothing counts twice, and what is not known is not made up."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.canary.making import START, observation, with_gauge

from cicd_agents.analysis.canary import default_policy, judge
from cicd_agents.analysis.canary.counters import increments
from cicd_agents.analysis.canary.observing.ask import MetricsAsk
from cicd_agents.analysis.canary.observing.charts import MOST_POINTS, charts
from cicd_agents.analysis.canary.observing.joining import Raw, by_scrape, joined, once, raw_of, scrapes_of
from cicd_agents.analysis.canary.observing.levels import cores, percent, stacked
from cicd_agents.analysis.canary.observing.lives import oom_kills, readiness, restarts, starts
from cicd_agents.analysis.canary.observing.outcomes import outcome
from cicd_agents.analysis.canary.observing.own import OwnKind, own_metrics, parse_own
from cicd_agents.analysis.canary.observing.plan import CANARY, span, window
from cicd_agents.analysis.canary.observing.pods import waiting, with_pods
from cicd_agents.analysis.canary.observing.promql import checked, labels_of
from cicd_agents.domain.canary import Observation, Replica, Status, Version
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import PodState, Sampled, Sides

HOLE = 300.0


def raw(values: list[float], pod: str = "a", begin: float = 0.0, **labels: str) -> Raw:
    return Raw({"pod": pod, "instance": f"{pod}:1", **labels}, tuple((begin + 15.0 * place, value) for place, value in enumerate(values)), pod)


def growth(samples: tuple[tuple[float, float], ...], scrapes: list[float]) -> float:
    """What the judge counts."""
    return sum(gain for _, _, gain in increments(samples, scrapes, None, HOLE, Counter()))


@st.composite
def process(draw: st.DrawFn) -> tuple[list[Raw], float]:
    """The series of one process, with what was really counted in the window after its first scrape: births and restarts as they come."""
    length = draw(st.integers(2, 12))
    restart = draw(st.one_of(st.none(), st.integers(1, length - 1)))
    series, truth = [], 0.0
    for route in range(draw(st.integers(1, 4))):
        birth = draw(st.integers(0, length - 1)) if route else 0
        value = float(draw(st.integers(0, 10**9))) if birth == 0 else 0.0
        values = [value]
        samples = [(0.0, value)] if birth == 0 else []
        for place in range(1, length):
            if place == restart:
                value = 0.0
            gain = float(draw(st.integers(0, 50))) if place >= birth else 0.0
            value += gain
            # A reset that has caught up already is no reset to anybody.
            if place == restart and value >= values[-1] > 0:
                value = values[-1]
                gain = 0.0
            values.append(value)
            truth += gain
            if place >= birth:
                samples.append((15.0 * place, value))
        series.append(Raw({"instance": "a:1", "route": str(route)}, tuple(samples), "a"))
    return series, truth


@given(made=process())
def test_everything_that_a_process_counted_is_counted_once(made: tuple[list[Raw], float]) -> None:
    series, truth = made
    samples = joined(series, scrapes_of(series), HOLE)
    assert samples[0][1] == 0.0
    assert growth(samples, sorted({time for item in series for time, _ in item.samples})) == pytest.approx(truth)


@given(made=process(), earlier=st.floats(1.0, 14.0))
def test_what_else_was_scraped_a_little_earlier_changes_nothing(made: tuple[list[Raw], float], earlier: float) -> None:
    series, truth = made
    samples = joined(series, scrapes_of(series), HOLE)
    others = [time - earlier for time, _ in samples]
    assert growth(samples, sorted([time for time, _ in samples] + others)) == pytest.approx(truth)


def test_a_restart_of_the_whole_process_stays_visible_as_a_reset() -> None:
    series = [raw([100, 110, 3, 9], route="/a"), raw([40, 50, 2, 4], route="/b")]
    values = [value for _, value in joined(series, scrapes_of(series), HOLE)]
    assert values == [0, 20, 5, 13]


def test_growth_over_a_hole_is_left_out_even_where_another_port_was_scraped_meanwhile() -> None:
    holed = Raw({"instance": "a:1"}, ((0.0, 0.0), (15.0, 10.0), (600.0, 1000.0), (615.0, 1010.0)), "a")
    steady = Raw({"instance": "a:2"}, tuple((15.0 * place, float(place)) for place in range(42)), "a")
    series = [holed, steady]
    assert joined(series, scrapes_of(series), HOLE)[-1][1] == 10 + 10 + 41


def test_a_pod_that_began_in_the_window_counts_from_zero() -> None:
    series = [raw([7, 9])]
    assert [value for _, value in joined(series, scrapes_of(series), HOLE, born=True)] == [7, 9]


def test_samples_that_are_no_numbers_and_series_without_any_are_left_out() -> None:
    nothing = float("nan")
    found = raw_of([Sampled({"pod": "a"}, ((0, nothing), (1, 5.0), (1, 5.0))), Sampled({"pod": "b"}, ((0, nothing),))], ("pod",))
    assert [(item.replica, item.samples) for item in found] == [("a", ((1, 5.0),))]


def test_a_pair_of_prometheus_servers_counts_once() -> None:
    series = [raw([1, 2, 3], prometheus_replica="0"), raw([1, 2], prometheus_replica="1")]
    kept, dropped = once(series)
    assert (kept, dropped) == ([series[0]], 1)


@pytest.mark.parametrize("label", ["endpoint", "service", "container"])
def test_a_label_of_the_application_that_looks_like_a_targets_loses_no_route(label: str) -> None:
    """As `http_requests_total{endpoint="/orders"}` of a service whose scrape configuration has no such label."""

    def of_route(route: str, values: list[float], code: str = "200", method: str = "GET") -> Raw:
        plain = raw(values, code=code, method=method)
        return replace(plain, labels={**plain.labels, label: route})

    quiet = [of_route("/health", [10.0 * place for place in range(9)], code=code) for code in ("200", "500")]
    busy = [of_route("/orders", [1000.0 + 400.0 * place for place in range(9)], code=code) for code in ("200", "500")]
    other = [of_route("/pay", [5.0, 6.0, 7.0], method="POST")]
    for series in ([*quiet, *busy], [*quiet, *busy, *other], [*quiet[:1], *other]):
        kept, dropped = once(by_scrape(series))
        assert ([item.samples for item in kept], dropped) == ([item.samples for item in series], 0)
        assert len(scrapes_of(kept)) == 1  # so that a route that appears later is seen as born


@pytest.mark.parametrize("later", [0.0, 4.0], ids=["the same moments", "other moments"])
def test_a_process_that_two_services_scrape_still_counts_once(later: float) -> None:
    counted = [100.0, 160.0, 7.0, 60.0, 110.0]
    series = [raw(counted, service="api"), raw([value + later for value in counted], begin=later, service="api-metrics")]
    kept, dropped = once(by_scrape(series))
    assert (len(kept), dropped) == (1, 1)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({"status": "error"}, "5xx"), ({"status": "success"}, "2xx"),
        ({"code": "200"}, "2xx"), ({"code": "499"}, "4xx"), ({"status": "5xx"}, "5xx"), ({"status": "5"}, "5xx"), ({"code": "0"}, "unknown"), ({}, "unknown"),
        ({"status": "", "code": "503"}, "5xx"), ({"status": "SERVER_ERROR"}, "5xx"), ({"status": "CLIENT_ERROR"}, "4xx"), ({"status": "600"}, "unknown"),
        ({"code": "200", "grpc": "13"}, "5xx"), ({"code": "200", "grpc": "0"}, "2xx"), ({"code": "200", "grpc": "5"}, "4xx"), ({"grpc": "OK"}, "2xx"),
        ({"grpc": "DEADLINE_EXCEEDED"}, "5xx"), ({"grpc": "DeadlineExceeded"}, "5xx"), ({"grpc": "Canceled"}, "4xx"), ({"code": "503", "grpc": ""}, "5xx"),
    ],
)  # fmt: skip
def test_outcomes(labels: dict[str, str], found: str) -> None:
    assert outcome(labels, ("status", "code"), ("grpc",)) == found


def test_cpu_is_the_growth_of_its_counter_over_about_a_minute() -> None:
    series = [raw([0.5 * 15 * place for place in range(9)], container="api", instance="node")]
    found = cores(series, HOLE)["a", "api"]
    assert {round(value, 9) for _, value in found} == {0.5}
    assert found[0][0] == 60.0


def test_a_pod_is_as_full_as_its_fullest_container_and_one_without_a_limit_does_not_count() -> None:
    used = {("a", "api"): ((0.0, 90.0),), ("a", "proxy"): ((0.0, 10.0),), ("a", "agent"): ((0.0, 500.0),)}
    assert percent(used, {("a", "api"): 100.0, ("a", "proxy"): 50.0}) == {"a": ((0.0, 90.0),)}


@given(st.lists(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), min_size=1, max_size=6), min_size=1, max_size=4))
def test_a_sum_of_levels_is_never_more_than_all_of_them_at_once(rows: list[list[tuple[int, int]]]) -> None:
    samples = [tuple(sorted((float(time), float(value)) for time, value in dict(row).items())) for row in rows]
    found = stacked(samples, sum)
    assert [time for time, _ in found] == sorted({time for row in samples for time, _ in row})
    assert max(value for _, value in found) <= sum(max(value for _, value in row) for row in samples)


def test_restarts_are_those_within_the_window_whichever_copy_of_the_exporter_was_asked() -> None:
    series = [raw([3, 3, 4], instance="state-0", container="api"), raw([4, 5], begin=30.0, instance="state-1", container="api")]
    pods, _ = restarts(series, {}, 0.0)
    assert pods["a"] == ((0.0, 0.0), (15.0, 0.0), (30.0, 1.0), (45.0, 2.0))


def test_restarts_before_the_first_sample_of_a_new_pod_count() -> None:
    pods, _ = restarts([raw([2, 2], begin=100.0, container="api")], {"a": 60.0}, 0.0)
    assert pods["a"][-1][1] - pods["a"][0][1] == 2


def test_only_restarts_after_a_kill_for_want_of_memory_are_kills() -> None:
    _, parts = restarts([raw([0, 1, 1, 2], container="api")], {}, 0.0)
    reasons = [Raw({"container": "api"}, ((45.0, 1.0), (60.0, 1.0)), "a")]
    assert oom_kills(reasons, parts)["a"][-1][1] == 1.0


def test_a_kill_of_long_ago_is_none() -> None:
    _, parts = restarts([raw([3, 3, 3], container="api")], {}, 0.0)
    assert oom_kills([raw([1, 1, 1], container="api")], parts) == {}


def test_starting_is_not_failing_but_staying_unready_is() -> None:
    slow = raw([0, 0, 0, 1, 1])
    assert readiness([slow], {"a": 0.0}, 180.0, 60.0)["a"] == ((45.0, True), (60.0, True))
    stuck = raw([0] * 20)
    assert [time for time, _ in readiness([stuck], {"a": 0.0}, 180.0, 285.0)["a"]] == [180.0 + 15 * place for place in range(8)]


def test_a_pod_that_has_gone_does_not_fail_for_ever() -> None:
    assert readiness([raw([1, 1, 0, 0])], {"a": -1000.0}, 180.0, 600.0)["a"] == ((0.0, True), (15.0, True))


def test_a_pods_start_is_what_the_cluster_says_before_what_its_process_says() -> None:
    assert starts([raw([500])], [raw([700, 900]), raw([800], pod="b")]) == {"a": 500, "b": 800}


@pytest.mark.parametrize("text", ['a="1"', '{a="1", b=~"x|y",}', "a='1',b!=`x}`", 'a="x\\"},{"', ""])
def test_matchers_are_accepted(text: str) -> None:
    assert checked(checked(text, "s"), "s") == checked(text, "s")


@pytest.mark.parametrize("text", ["a", 'a=1"', 'a="1"} or up{b="2"', 'a="1",,b="2"', 'sum(x{a="1"})', 'a="1\n"', '__name__="up"', 'a="1" b="2"', "a=\"1'"])
def test_what_is_more_than_matchers_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="canary-matchers"):
        checked(text, "canary-matchers")


def test_the_labels_of_matchers_are_known() -> None:
    assert labels_of('a="b=1,c=2",d!~"e"') == ("a", "d")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("orders", "NAME=QUERY"), ("Orders=x{selector}", "NAME=QUERY"), ("a.rate=x{selector}", "NAME=QUERY"), ("a=", "empty"), ("a=up", "neither"),
        ('a=x{job="{selector}"}', "neither"), ("a=x{selektor}", "placeholder {selektor}"), ("a=sum(x{selector}", "lacks a )"),
        ('a=x{selector,code="1"}/y{selector}', "beside other matchers"), ('a=x{code="1",matchers}/y{selector}', "beside other matchers"),
        ('a=x{code="1",{selector}}', "beside other matchers"),
        ("a=x{selector})", "without its"),
        ('a=x{b="1,{matchers}}', "no end"), ("a.count=rate(x{selector}[5m])", "raw counter"), ("a.errors=x{selector}", "needs a.total"),
        ("a.count=sum(x{selector})", "raw counter"),
    ],
)  # fmt: skip
def test_wrong_queries_are_refused_with_the_reason(text: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=re.escape(wrong)):
        parse_own([text])


def test_a_name_may_not_be_used_twice() -> None:
    with pytest.raises(UsageError, match="twice"):
        parse_own(["a=x{selector}", "a.count=y{selector}"])


def test_placeholders_are_filled_outside_strings_only() -> None:
    (own,) = parse_own(['a=x{selector} / on() y{note="{selector}",{matchers}}'])
    assert own.kind is OwnKind.VALUE
    assert own.filled('pod="p"') == 'x{pod="p"} / on() y{note="{selector}",pod="p"}'


def test_queries_that_the_policy_names_already_make_no_second_metric() -> None:
    own = parse_own(["orders.count=o{selector}", "error_rate=e{selector}", "depth=d{selector}", "pay.errors=a{selector}", "pay.total=b{selector}"])
    assert [metric.name for metric in own_metrics(own, default_policy().metrics)] == ["depth", "pay"]


NOW = START + 1800


def pod(name: str = "new-0", **others: object) -> PodState:
    values = {"version": "v2", "images": (), "started": NOW - 600, "ready": True, "restarts": 0, **others}
    return PodState(name, **values)  # type: ignore[arg-type]


def one(state: PodState, replica: Replica | None = None) -> Replica:
    seen = Observation(canary=Version("new", (replica,) if replica else ()), since=NOW - 900)
    return with_pods(seen, [state], [], NOW).canary.replicas[0]


def test_a_crash_loop_that_the_cluster_tells_is_an_alarm_at_once() -> None:
    seen = observation([2.0] * 30)
    crashing = pod(restarts=4, ready=False, waiting="CrashLoopBackOff")
    found = judge(with_pods(seen, [crashing], [pod("old-0", started=START - 9999)], NOW), default_policy(), now=NOW, stage=1)
    assert found.status is Status.FAIL
    assert {"crash_loop", "health"} <= {alarm.rule for alarm in found.alarms}


def test_restarts_of_an_old_pod_may_be_of_long_ago_and_do_not_count() -> None:
    assert one(pod(started=NOW - 90_000, restarts=5)).counters == ()
    assert [series.name for series in one(pod(restarts=5)).counters] == ["restarts"]


def test_kills_count_only_for_pods_that_began_with_the_canary() -> None:
    assert one(pod(started=NOW - 90_000, oom_kills=2)).counters == ()
    seen = with_pods(observation([2.0] * 30), [pod(oom_kills=2, started=START + 60)], [], NOW)
    assert "oom_kills" in {alarm.rule for alarm in judge(seen, default_policy(), now=NOW, stage=1).alarms}


def test_unreadiness_lasts_since_it_began_but_not_while_a_pod_starts() -> None:
    assert {well for _, well in one(pod(ready=False, ready_since=NOW - 200)).health} == {False}
    assert one(pod(ready=False, ready_since=NOW - 200)).health[0][0] >= NOW - 200
    assert one(pod(ready=False, started=NOW - 60, ready_since=NOW - 60)).health == ()
    assert len(one(pod(ready=False, started=NOW - 150, waiting="ImagePullBackOff")).health) == 11


def test_an_image_that_cannot_be_pulled_stops_the_canary_though_it_has_no_metrics() -> None:
    seen = observation([2.0] * 30)
    none = Observation(seen.baseline, Version("new"), NOW - 300)
    found = judge(with_pods(none, [pod(started=NOW - 300, ready=False, waiting="ImagePullBackOff")], [], NOW), default_policy(), now=NOW, stage=0)
    assert [alarm.rule for alarm in found.alarms] == ["health"]


def test_metrics_go_before_the_snapshot_of_the_cluster() -> None:
    known = Replica("new-0", started=5.0, health=((1.0, True),))
    assert one(pod(ready=False), known).health == known.health
    assert one(pod(), known).started == 5.0


def test_usage_becomes_percent_by_the_limits_of_the_cluster() -> None:
    seen = with_gauge(observation([2.0] * 5, minutes=5), "memory_bytes", [600e6] * 5, [300e6] * 5)
    found = with_pods(seen, [pod(memory_limit=1e9)], [], NOW).canary.replicas[0]
    assert {round(value) for series in found.gauges if series.name == "memory" for _, value in series.samples} == {60}


def test_why_pods_wait_is_said_once_for_all() -> None:
    assert waiting([pod("a", waiting="ImagePullBackOff"), pod("b", waiting="ImagePullBackOff"), pod("c")]) == ("a and 1 more: ImagePullBackOff",)


def test_charts_have_both_lines_a_limit_and_at_most_so_many_points() -> None:
    seen = with_gauge(observation([30.0] * 400, minutes=400), "cpu", [70.0] * 400, [50.0] * 400)
    found = {chart.name: chart for chart in charts(seen, default_policy(), START + 400 * 60)}
    assert set(found) == {"error_rate", "client_error_rate", "latency_p95", "cpu"}
    errors = found["error_rate"]
    assert len(errors.canary) <= MOST_POINTS
    assert {round(value, 6) for _, value in errors.canary} == {0.03}
    assert {round(value, 6) for _, value in errors.baseline} == {0.002}
    assert errors.limit == pytest.approx(0.003)
    assert found["cpu"].limit == 80.0
    assert all(before < after for (before, _), (after, _) in pairwise(errors.canary))


def test_nothing_observed_has_no_charts() -> None:
    assert charts(Observation(), default_policy(), NOW) == ()


def test_a_canary_that_begins_later_by_a_clock_ahead_of_ours_has_an_empty_window() -> None:
    ask = MetricsAsk(Sides('pod="new"', 'pod="old"'), now=1000.0, since=1100.0)
    assert span(ask, CANARY) == (1000.0, 1000.0)
    assert window(ask, CANARY) == 1

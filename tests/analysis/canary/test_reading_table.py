from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.analysis.canary import default_policy, judge
from cicd_agents.analysis.canary.reading.policy_file import read_policy
from cicd_agents.analysis.canary.reading.table import parse_table
from cicd_agents.analysis.canary.reading.table_data import points_of
from cicd_agents.domain.canary import Decision, Judgement, Observation, Point, Status
from cicd_agents.domain.errors import UsageError

POLICY = default_policy()
GOOD = "Error rate: 0.12% (baseline: 0.10%) / P95 latency: 165ms (baseline: 150ms) / CPU: 48% (baseline: 45%)"
BAD = "Error rate: 5.2% (baseline: 0.10%) / P95 latency: 450ms (baseline: 150ms)"
EXPECTED = (Point("error_rate", 0.0012, 0.001), Point("latency_p95", 0.165, 0.15), Point("cpu", 48.0, 45.0))


def _judged(text: str) -> Judgement:
    return judge(Observation(points=parse_table(text, POLICY)), POLICY, now=0.0)


def test_the_table_that_is_good_passes_word_for_word() -> None:
    assert parse_table(GOOD, POLICY) == EXPECTED
    judgement = _judged(GOOD)
    assert (judgement.status, judgement.decision) == (Status.PASS, Decision.PROMOTE)
    assert "Error rate within threshold" in [metric.reason for metric in judgement.metrics]


def test_the_table_that_is_bad_fails_word_for_word() -> None:
    judgement = _judged(BAD)
    assert (judgement.status, judgement.decision) == (Status.FAIL, Decision.ROLLBACK)
    assert "Error rate spike" in judgement.reason


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace(" / ", "\n"),
        GOOD.replace(" / ", "/"),
        "- **Error rate**: 0,12 % vs 0,10 %\n- `P95`: 165 ms was 150 ms\n3. CPU usage = 48% vs. 45%",
        "5xx: from 0.10% to 0.12% (+0.02pp)\np95 latency: 150ms → 165ms (+10%)\ncpu: 45% -> 48%",
        "Error rate 0.12% (baseline: 0.10%), latency p95 0.165s (baseline: 0.150s), CPU 48% (baseline: 45%)",
        "errors: canary 0.12%, baseline 0.10%; 95th percentile latency (ms): 165 (baseline: 150); CPU: baseline 45%, canary 48%",
        (
            "| Metric | Baseline | Canary | Delta |\n|:--|---|---|--:|\n| Error rate | 0.10% | **0.12%** | +0.02pp |\n| P95 latency | 150ms | 165 ms ✅ | |\n"
            "| CPU | 45% | 48% | |"
        ),
        "Metric | Old | New (ms)\n---|---|---\nP95 latency | 150 | 165\n\nerror_rate: 1.2‰ (baseline: 1‰)\ncpu: 48% (baseline: 45%)",
        "Deployment: v2.3.1\nStage: 5%\nDuration: 165ms\n\n" + GOOD,
        "Metric       Baseline  Canary\n------       --------  ------\nError rate   0.10 %    0.12 %\nP95 latency  150 ms    165ms\nCPU  45%  48%",
        "metric\tbaseline\tcanary\nError rate\t0.10%\t0.12%\np95\t150ms\t165ms\ncpu\t45%\t48%",
        "Metric,Canary,Baseline,Delta\nError rate,0.12%,0.10%,+20%\nP95,165ms,150ms\nCPU,48%,45%",
        "Metric | Baseline | Canary\nError rate | 0.10% | 0.12%\nP95 | 150ms | 165ms\nCPU | 45% | 48%",
        "## Canary (v2)\n- Error rate: 0.12%\n- P95: 165ms\n- CPU: 48%\n\n## Baseline (v1)\n- Error rate: 0.10%\n- P95: 150ms\n- CPU: 45%",
        "Baseline metrics:\nError rate: 0.10%\nP95: 150ms\nCPU: 45%\nCanary metrics:\nError rate: 0.12%\nP95: 165ms\nCPU: 48%",
        "Success rate: 99.88% (baseline: 99.90%)\nP95: 165ms compared to 150ms\nCPU is 48%, baseline is 45%",
        "Canary error rate: 0.12%\nBaseline error rate: 0.10%\nlatency_p95 (canary): 165ms\nP95 (baseline): 150ms\nnew CPU usage: 48%\nold CPU usage: 45%",
        "Canary: error rate 0.12%; Baseline: error rate 0.10%; P95: canary was 165ms, baseline was 150ms; CPU 48% (45%)",
    ],
)
def test_many_ways_to_write_the_same_table(text: str) -> None:
    assert sorted(parse_table(text, POLICY), key=lambda point: point.metric) == sorted(EXPECTED, key=lambda point: point.metric)


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("Connections: 1,200 (baseline: 1'100)", Point("connections", 1200.0, 1100.0)),
        ("Connections: 1.2k (baseline: 1\u202f100)", Point("connections", 1200.0, 1100.0)),
        ("RAM: 62.5 %", Point("memory", 62.5)),
        ("p99: 165µs (was 0,15 ms)", Point("latency_p99", 0.000165, 0.00015)),
        ("Median response time: 1.5 min", Point("latency_p50", 90.0)),
        ("Conversion rate: n/a (baseline: 3.1%)", Point("conversion", None, 0.031)),
        ("Cart abandonment: 60% (baseline: 61%, limit: 64%)", Point("cart_abandonment", 0.6, 0.61)),
        ("payment success: 99.1 % was 99.2 %", Point("payment_success", 0.991, 0.992)),
        ("Error rate: 0 (baseline: 0)", Point("error_rate", 0.0, 0.0)),
        ("Throughput: 1,200 req/s (baseline: 1180 req/s)", Point("traffic", 1200.0, 1180.0)),
    ],
)
def test_numbers_come_in_the_unit_of_their_metric(text: str, point: Point) -> None:
    assert parse_table(text, POLICY) == (point,)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Error rate: 0.12", "has no unit; write it like 0.12%"),
        ("ok\nP95: 165 (baseline: 150)", "Line 2 of the table"),
        ("Memory: 512MB (baseline: 400MB)", "the unit of 512MB does not fit; write it like 48%"),
        ("memory: 512Mi (baseline: 400Mi)", "Memory: the unit of 512Mi does not fit; write it like 48% (of its limit)"),
        ("P95 latency: 165%", "the unit of 165% does not fit; write it like 165ms"),
        ("Eror rate: 0.12%", "did you mean error_rate?"),
        ("Foo: 3", "it has error_rate, client_error_rate"),
        ("latency: 165ms", "is no metric of the policy"),
        ("Error rate: 150%", "more than 100 %"),
        ("Error rate: 1.2.3%", "is not a number that can be told"),
        ("Error rate: 1% 2% 3%", "more numbers than canary and baseline"),
        ("Connections: 120 100 90", "more numbers than canary and baseline"),
        ("Error rate: 1%\n5xx: 2%", "stands there twice"),
        ("Error rate: +0.1%", "no number of the canary"),
        ("0.12%", "no name of a metric before it"),
        ("Error rate: 0.10% 5.2%", "nothing says which is which"),
        ("Metric Baseline Canary\nError rate 0.10% 5.2%", "the columns of this heading cannot be told apart"),
        ("Metric,Canary,Baseline\nError rate,5,2 %,0,1 %", "it has 5 cells where the heading has 3"),
        ("Metric  Baseline  Canary\nError rate  low  high", "is no number"),
        ("| Metric | Baseline |\n|---|---|\n| Error rate | 1% |", "no column of the canary"),
        ("| Metric | Canary |\n|---|---|\n| Error rate | a lot, 5 |", "is no number"),
        ("", "There is no number of a metric in the table"),
        ("all is well", "There is no number of a metric in the table"),
        ("x" * 3000, "is longer than 2000 characters"),
        ("\n" * 300_000, "is longer than 200000 characters"),
        (f"P95: {'9' * 80}ms", "too many digits"),
    ],
)
def test_what_is_not_certain_is_refused_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_table(text, POLICY)
    assert says in str(refused.value)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        ("OOM kills: 2", Status.FAIL, "killed for want of memory 2 times"),
        ("OOM kills: 2 (baseline: 2)", Status.PASS, "Every metric"),
        ("OOM kills: 1", Status.INCONCLUSIVE, "OOM kills beyond the GO limit"),
        ("Pod restarts: 5 (baseline: 0)", Status.FAIL, "restarted 5 times"),
        ("Restarts: 2", Status.PASS, "Every metric"),
        ("Health checks: 4 consecutive failures", Status.FAIL, "Failed health checks spike"),
        ("Failed health checks: 3", Status.INCONCLUSIVE, "Failed health checks beyond the GO limit"),
        ("Exceptions: 3 (baseline: 0)", Status.FAIL, "Critical log messages spike"),
        ("Panics: 1 (baseline: 0)", Status.FAIL, "Critical log messages spike"),
        ("Exceptions in logs: 3", Status.INCONCLUSIVE, "no baseline to compare with"),
        ("Exceptions: 3 (baseline: 5)", Status.PASS, "Every metric"),
        ("Critical errors: 0", Status.PASS, "Every metric"),
        ("Duration: 3 minutes", Status.INCONCLUSIVE, "the stage needs 2 more minutes"),
        ("Duration: 10 min", Status.PASS, "Every metric"),
        ("Duration: 3 minutes / P99: 12s", Status.FAIL, "P99 latency is 12 s"),
    ],
)
def test_incidents_and_minutes_count_as_the_default_policy_says(text: str, status: Status, says: str) -> None:
    judgement = _judged(f"Error rate: 0.12% (baseline: 0.10%) / {text}")
    assert (judgement.status, says in judgement.reason) == (status, True), judgement.reason
    assert judgement.exclusions == ()


def test_an_incident_count_without_anything_else_is_judged_too() -> None:
    assert points_of({"oom_kills": 2, "restarts": {"canary": 1}}, POLICY) == (Point("oom_kills", 2.0), Point("restarts", 1.0))
    assert _judged("OOM kills: 2").decision is Decision.ROLLBACK


@pytest.mark.parametrize(("text", "status"), [("Error rate: 0.05%", Status.PASS), ("Error rate: 0.2%", Status.INCONCLUSIVE)])
def test_without_a_baseline_what_no_baseline_could_forbid_is_good(text: str, status: Status) -> None:
    assert _judged(text).status is status


def test_a_limit_that_is_just_met_is_met() -> None:
    met = [f"Error rate: {(place + 10) / 100:.2f}% (baseline: {place / 100:.2f}%)" for place in range(1, 300)]
    assert [text for text in met if _judged(text).status is not Status.PASS] == []


def test_metrics_of_the_policy_go_by_their_names_and_titles() -> None:
    policy = read_policy({"metrics": {"checkout_errors": {"title": "Failed checkouts", "kind": "ratio", "events": "failed", "of": "all"}, "cpu": False}}).policy
    assert parse_table("checkout-errors: 1% (baseline: 1%)", policy) == (Point("checkout_errors", 0.01, 0.01),)
    assert parse_table("Failed checkouts: 1%", policy) == (Point("checkout_errors", 0.01),)
    with pytest.raises(UsageError, match="is no metric of the policy"):
        parse_table("CPU: 48%", policy)


@pytest.mark.parametrize(
    "table",
    [
        {"error_rate": {"canary": "0.12%", "baseline": "0.10%"}, "p95": {"new": "165ms", "old": "150 ms"}, "cpu": {"canary": 48, "baseline": 45, "unit": "%"}},
        [
            {"metric": "Error rate", "canary": 0.12, "baseline": 0.1, "unit": "%"},
            {"name": "latency_p95", "canary": 165, "baseline": 150, "unit": "ms"},
            {"name": "CPU", "canary": "48%", "baseline": "45 %"},
        ],
        {"metrics": {"canary": {"5xx": "0.12%", "p95": "165ms", "cpu": "48%"}, "baseline": {"5xx": "0.10%", "p95": "150ms", "cpu": "45%"}}},
        GOOD,
    ],
)
def test_mappings_and_lists_say_the_same(table: object) -> None:
    assert points_of(table, POLICY) == EXPECTED


@pytest.mark.parametrize(
    "text", ["P95 latency: slow", "P95 latency = ok (baseline: ok)", "| metric | baseline | canary |\n|---|---|---|\n| P95 latency | good | good |"]
)
def test_a_metric_with_a_word_for_a_number_is_refused_and_not_left_out(text: str) -> None:
    with pytest.raises(UsageError, match=r"Line \d+ of the table.* is no number; write one such as"):
        parse_table(f"Error rate: 0.12% (baseline: 0.10%)\n{text}", POLICY)


@pytest.mark.parametrize("text", ["CPU and memory look fine", "Latency:", "Health: good", "Status: all well"])
def test_headings_and_prose_are_no_error(text: str) -> None:
    assert parse_table(f"Error rate: 0.12% (baseline: 0.10%)\n{text}", POLICY)[0] == EXPECTED[0]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"error_rate": 0.12}, "error_rate of the table: Error rate: 0.12 has no unit"),
        ({"error_rate": {"canary": "1%", "limit": "2%"}}, "error_rate.limit of the table is not known"),
        ({"error_rate": {"canary": "1%", "new": "2%"}}, "stands there twice"),
        ({"error_rate": {"canary": "1%", "unit": "ms"}}, "has the unit %, and `unit` says ms"),
        ({"error_rate": {"canary": 1, "unit": "parsec"}}, "is no unit that is known"),
        ({"error_rate": {"canary": [1]}}, "error_rate.canary of the table is no number"),
        ({"error_rate": "many"}, "error_rate.canary of the table, 'many', is no number"),
        ({"cpu": -3}, "cannot be negative"),
        ({"cpu": {"canary": 1e300, "unit": "%"}}, "too large"),
        ([{"canary": "1%"}], "[0] of the table needs the name"),
        ([{"metric": "cpu", "canary": "1%"}, {"metric": "CPU", "canary": "2%"}], "cpu stands there twice"),
        ({"canary": {"cpu": "1%"}, "p95": "1s"}, "p95 stands beside the sides"),
        ({"speed": "3ms"}, "is no metric of the policy"),
        ({"error_rate": None}, "There is no number of a metric"),
        (3, "must be text, a mapping"),
        ({str(number): "1%" for number in range(300)}, "more than 200 metrics"),
    ],
)
def test_what_is_not_certain_in_data_is_refused_with_its_path(table: object, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        points_of(table, POLICY)
    assert says in str(refused.value)


def _one_sentence(problem: UsageError) -> None:
    assert str(problem).endswith((".", "?"))
    assert "\n" not in str(problem)


PIECES = st.sampled_from(
    [
        "Error rate",
        "p95",
        "CPU",
        ":",
        "=",
        " ",
        "0.12%",
        "1,2",
        "(",
        ")",
        "baseline",
        "vs",
        "→",
        "|",
        "---",
        "\n",
        "/",
        "ms",
        "n/a",
        "+",
        "-",
        "é",
        "\u2009",
        "9" * 30,
    ]
)


@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=25).map("".join)))
def test_any_text_is_points_or_one_sentence(text: str) -> None:
    try:
        points = parse_table(text, POLICY)
    except UsageError as problem:
        _one_sentence(problem)
    else:
        assert points
        assert all(value is None or value >= 0 for point in points for value in (point.canary, point.baseline))


KEYS = st.sampled_from(["cpu", "canary", "baseline", "metric", "unit", "metrics", "x"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))


@given(JSON)
def test_any_data_is_points_or_one_sentence(value: object) -> None:
    try:
        points_of(value, POLICY)
    except UsageError as problem:
        _one_sentence(problem)

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.analysis.canary import default_policy
from cicd_agents.analysis.canary.reading.policy_file import PolicyFile, read_policy
from cicd_agents.analysis.canary.reading.policy_keys import AT_ONCE, METRIC, POLICY, STAGE, TOLERANCE
from cicd_agents.analysis.canary.reading.policy_text import policy_as_text
from cicd_agents.domain.canary import CanaryPolicy, Decision, Direction, Kind, Metric, Strategy, Tolerance
from cicd_agents.domain.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]


def _metric(read: PolicyFile, name: str) -> Metric:
    return next(metric for metric in read.policy.metrics if metric.name == name)


def _tolerance(name: str, **texts: Any) -> Tolerance:
    return _metric(read_policy({"metrics": {name: texts}}), name).tolerance


def test_nothing_said_is_the_default_policy() -> None:
    assert read_policy({}).policy == default_policy()
    assert read_policy({"strategy": "rolling", "metrics": {"cpu": None}}).policy == default_policy(Strategy.ROLLING)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_the_text_of_a_policy_reads_back_to_it(strategy: Strategy) -> None:
    policy = default_policy(strategy)
    assert read_policy(yaml.safe_load(policy_as_text(policy))) == PolicyFile(policy)


def test_the_example_reads_back_from_its_text() -> None:
    read = read_policy(yaml.safe_load((ROOT / "examples/canary/policy.yml").read_text(encoding="utf-8")))
    assert read_policy(yaml.safe_load(policy_as_text(read.policy, read.queries))) == read
    assert "connections: false" in policy_as_text(read.policy, read.queries)
    assert read.policy.slo_latency == 0.3
    assert read.policy.stages[1].tolerances[0][1].go_margin == 0.002
    assert read.policy.stages[2].inconclusive is Decision.ROLLBACK
    assert [query.name for query in read.queries] == ["checkout_errors.errors", "checkout_errors.total", "queue_length"]
    checkout = _metric(read, "checkout_errors")
    assert (checkout.kind, checkout.events, checkout.of) == (Kind.RATIO, ("checkout_errors.errors",), ("checkout_errors.total",))
    assert checkout.tolerance == Tolerance(1.05, 0.0001, 1.0, 0.002, 1.5, 0.005)
    assert _metric(read, "queue_length").tolerance == Tolerance(1.1, 0.0, 1.5, 10.0, 2.0, 0.0, 500.0, 1000.0)


def test_tolerances_are_read_as_people_write_them() -> None:
    assert _tolerance("latency_p95", go="1.3x").go_ratio == 1.3
    assert _tolerance("latency_p95", go="+20%") == Tolerance(1.2, 0.0, 1.2, 0.0, 1.5)
    assert _tolerance("error_rate", go="+0.1pp", see="+ 1 pp").see_margin == 0.01
    assert _tolerance("error_rate", go="1.2x, +0.05 points") == replace(default_policy().metrics[0].tolerance, go_ratio=1.2, go_margin=0.0005)
    assert _tolerance("conversion", go="-3%", stop="-20%") == Tolerance(0.98, 0.0, 0.97, 0.0, 0.8)
    assert _tolerance("cpu", go="75%", stop="95%") == Tolerance(1.1, 5.0, 1.1, 5.0, 1.5, 0.0, 75.0, 95.0)
    assert _tolerance("cpu", go="1.2x +3pp").ceiling == 80.0
    assert _tolerance("connections", go="1.5x +20, 300").ceiling == 300.0


def test_what_is_harmless_is_never_more_than_go() -> None:
    assert _tolerance("latency_p95", go="1.1x").harmless_ratio == 1.1
    with pytest.raises(UsageError, match=r"metrics\.latency_p95: harmless is wider than go"):
        _tolerance("latency_p95", go="1.1x", harmless="1.3x")


def test_own_metrics_of_each_kind() -> None:
    read = read_policy(
        {
            "metrics": {
                "jobs": {"kind": "ratio", "events": ["failed"], "of": "all", "dry-run": True},
                "render": {"kind": "quantile", "quantile": "P90", "go": "1.4x"},
                "queue": {"kind": "gauge", "critical": False, "weight": 0.5, "go": "1.3x, 90"},
                "signups": {"kind": "business", "direction": "decrease", "events": "signups", "of": "visits"},
                "panics": {"kind": "logs", "title": "Panics"},
                "apdex": {"query": "apdex{selector}", "direction": "decrease", "go": "-2%, 0.9", "stop": "-10%, 0.8"},
            }
        }
    )
    assert _metric(read, "jobs") == Metric("jobs", Kind.RATIO, "Jobs", events=("failed",), of=("all",), unit="%", dry_run=True)
    assert (_metric(read, "render").quantile, _metric(read, "render").unit) == (0.9, "s")
    assert _metric(read, "queue").tolerance.ceiling == 90.0
    assert _metric(read, "signups").tolerance == Tolerance(0.98, 0.0, 0.95, 0.0, 0.9)
    apdex = _metric(read, "apdex")
    assert (apdex.kind, apdex.direction, apdex.tolerance.ceiling, apdex.tolerance.stop) == (Kind.GAUGE, Direction.DECREASE, 0.9, 0.8)
    assert [(query.name, query.query) for query in read.queries] == [("apdex", "apdex{selector}")]


STAGE_5 = {"share": "5%", "minutes": 5}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "The policy must be a mapping"),
        ({"stagess": []}, "stagess is not known; did you mean stages?"),
        ({"x": 1}, "x is not known; it has alpha"),
        ({"warm_up": "3m", "warm-up": "3m"}, "warm_up stands there twice"),
        ({"strategy": "yolo"}, "strategy must be canary or blue-green"),
        ({"alpha": "0%"}, "alpha must be above 0"),
        ({"alpha": "a lot"}, "alpha must be a part of the whole"),
        ({"warm_up": 180}, "warm_up must be a time with its unit"),
        ({"step": "2h"}, "step must be between 1s and 1h"),
        ({"hole": "10s"}, "hole (10s) must not be shorter than step"),
        ({"slo": "300"}, "slo must be a time with its unit"),
        ({"objective": "90%"}, "objective must be between 94% and 99.999%, not 90%"),
        ({"objective": 1}, "objective must be between 94% and 99.999%, not 100%"),
        ({"objective": "99.9"}, "objective must be a part of the whole"),
        ({"earlier_days": 29}, "earlier_days must be between 0 and 28"),
        ({"earlier_days": -1}, "earlier_days must be a whole number from 0"),
        ({"earlier_days": 1.5}, "earlier_days must be a whole number from 0"),
        ({"stages": []}, "stages must be a list of 1 to 20"),
        ({"stages": [{"share": "5%"}]}, "stages[0] needs its minutes"),
        ({"stages": [{"share": "500%", "minutes": 5}]}, "stages[0].share must be a part of the whole"),
        ({"stages": [STAGE_5, {"share": 0.01, "minutes": 5}]}, "stages[1].share (0.01) is below the stage before"),
        ({"stages": [{**STAGE_5, "no_data": "promote"}]}, "stages[0].no_data must be hold"),
        ({"stages": [{**STAGE_5, "see": 0}]}, "stages[0].see must be above 0"),
        ({"stages": [{**STAGE_5, "tolerances": {"speed": {}}}]}, "stages[0].tolerances.speed is no metric of this policy"),
        ({"stages": [{**STAGE_5, "tolerances": {"cpu": {"weight": 1}}}]}, "stages[0].tolerances.cpu.weight is not known"),
        ({"at_once": {"restarts": 0}}, "at_once.restarts must be a whole number from 1"),
        ({"at_once": {"error_rate": "12pp x"}}, "at_once.error_rate must be a part of the whole"),
        ({"metrics": []}, "metrics must be a mapping by name"),
        ({"metrics": {"Bad Name": {}}}, "metrics.Bad Name: the name must be small letters"),
        ({"metrics": {"latncy_p95": {"go": "1.1x"}}}, "is no metric of the default policy (did you mean latency_p95?), so it needs its kind"),
        ({"metrics": {"speed": {}}}, "metrics.speed is no metric of the default policy, so it needs its kind"),
        ({"metrics": {"speed": False}}, "metrics.speed leaves out a metric that the policy does not have"),
        ({"metrics": {"cpu": {"kind": "ratio"}}}, "metrics.cpu.kind: cpu is a gauge already"),
        ({"metrics": {"cpu": {"goo": "80%"}}}, "metrics.cpu.goo is not known; did you mean go?"),
        ({"metrics": {"cpu": {"go": "80ms"}}}, "metrics.cpu.go: the unit of 80ms does not fit cpu; write pp or %"),
        ({"metrics": {"cpu": {"go": 1.2}}}, "metrics.cpu.go: 1.2 has no unit; write 1.2x"),
        ({"metrics": {"cpu": {"go": "a bit"}}}, "metrics.cpu.go: 'a bit' cannot be read"),
        ({"metrics": {"cpu": {"go": "1.2x 1.3x"}}}, "metrics.cpu.go says a factor twice"),
        ({"metrics": {"cpu": {"go": "1e999x"}}}, "metrics.cpu.go: 1e999x is too large to be a measured number"),
        ({"metrics": {"cpu": {"go": "0.5x"}}}, "metrics.cpu.go: 0.5x is the wrong way"),
        ({"metrics": {"cpu": {"go": "-5pp"}}}, "write + in front"),
        ({"metrics": {"cpu": {"go": "95%"}}}, "the limit of stop (90) is not beyond the limit of go (95)"),
        ({"metrics": {"cpu": {"stop": "+5pp"}}}, "metrics.cpu.stop cannot be an addition; it takes a factor (1.5x) and a limit (90%)"),
        ({"metrics": {"cpu": {"harmless": "80%"}}}, "metrics.cpu.harmless cannot be a limit of its own"),
        ({"metrics": {"latency_p95": {"go": "500ms"}}}, "use at_once.latency or slo"),
        ({"metrics": {"latency_p95": {"go": "+50ms"}}}, "latency is compared as a factor"),
        ({"metrics": {"latency_p95": {"go": "2x"}}}, "stop (1.5x) is not beyond go (2x)"),
        ({"metrics": {"error_rate": {"go": "5%"}}}, "metrics.error_rate.go: 5% is a limit of its own"),
        ({"metrics": {"conversion": {"go": "+5%"}}}, "write - in front"),
        ({"metrics": {"conversion": {"go": "1.2x"}}}, "is the wrong way for conversion"),
        ({"metrics": {"cpu": {"direction": "decrease"}}}, "metrics.cpu.direction"),
        ({"metrics": {"a": {"kind": "ratio"}}}, "metrics.a needs the counters it counts"),
        ({"metrics": {"a": {"kind": "quantile"}}}, "metrics.a needs its quantile"),
        ({"metrics": {"a": {"kind": "gauge", "quantile": 0.5}}}, "metrics.a.quantile is for the kind quantile only"),
        ({"metrics": {"a": {"query": "x", "errors": "y", "total": "z"}}}, "give either query, or errors together with total"),
        ({"metrics": {"a": {"query": "up"}}}, "metrics.a: a has neither {selector} nor {matchers}"),
        ({"metrics": {"a": {"errors": "sum(x{selector})", "total": "y{selector}"}}}, "metrics.a: a.errors must be a raw counter"),
        ({"metrics": {"cpu": {"errors": "x{selector}", "total": "y{selector}"}}}, "metrics.cpu: errors and total are a ratio, and this is a gauge"),
        ({"metrics": {"a": {"errors": "y"}}}, "give either query, or errors together with total"),
        ({"metrics": {"cpu": {"dry_run": True, "required": True}}}, "a dry run decides nothing"),
        ({"metrics": {"cpu": {"weight": "much"}}}, "metrics.cpu.weight must be a number"),
        ({"metrics": {"cpu": {"critical": "yes"}}}, "metrics.cpu.critical must be true or false"),
        ({"metrics": {"cpu": {"events": ["a b"]}}}, "metrics.cpu.events must be a name or a list"),
        ({"metrics": {metric.name: False for metric in default_policy().metrics}}, "metrics leaves no metric"),
    ],
)
def test_what_is_wrong_is_said_with_its_path(document: Any, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_policy(document)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def _one_sentence(problem: UsageError) -> None:
    assert str(problem)
    assert "\n" not in str(problem)


NAMES = [key.name for key in (*POLICY, *STAGE, *METRIC, *TOLERANCE, *AT_ONCE)]
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 500)
    | st.floats()
    | st.sampled_from(["5%", "1.2x", "+0.1pp", "3m", "canary", "hold", "gauge", "P95", "up"])
    | st.text(max_size=8)
)
TREES = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "cpu", "error_rate", "own"]), inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(st.sampled_from([key.name for key in POLICY]), TREES, max_size=4))
def test_any_document_is_a_policy_or_one_sentence(document: dict[str, Any]) -> None:
    try:
        read = read_policy(document)
    except UsageError as problem:
        _one_sentence(problem)
    else:
        assert read_policy(yaml.safe_load(policy_as_text(read.policy, read.queries))) == read


RATIOS = st.sampled_from(["1.2x", "+20%", "1.35x"])


@given(
    go=RATIOS,
    more=st.sampled_from(["", " +0.3pp"]),
    stop=st.sampled_from(["1.5x", "+80%", "3x"]),
    share=st.integers(0, 100),
    minutes=st.integers(0, 600) | st.floats(0, 600),
)
def test_any_numbers_survive_being_written_and_read(go: str, more: str, stop: str, share: int, minutes: float) -> None:
    policy = read_policy({"stages": [{"share": f"{share}%", "minutes": minutes}], "metrics": {"error_rate": {"go": go + more, "stop": stop}}}).policy
    assert _again(policy) == policy


def _again(policy: CanaryPolicy) -> CanaryPolicy:
    return read_policy(yaml.safe_load(policy_as_text(policy))).policy

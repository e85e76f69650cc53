from __future__ import annotations

from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.analysis.canary.reading.analysis_template import Template, read_template
from cicd_agents.analysis.canary.reading.expression_values import condition_holds
from cicd_agents.analysis.canary.reading.expressions import ConditionError, parse_condition
from cicd_agents.analysis.canary.reading.keptn_slo import parse_criterion, read_slo
from cicd_agents.domain.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("condition", "result", "holds"),
    [
        ("result[0] >= 0.95", [0.96], True),
        ("result[0] >= 0.95", [nan], False),
        ("result[0] < 0.95", [nan], False),
        ("result[0] >= 0.95", [inf], True),
        ("isNaN(result[0]) || isInf(result[0])", [inf], True),
        ("len(result) == 0 || result[0] <= 1", [], True),
        ("len(result) > 0 && result[0] <= 1", [], False),
        ("all(result, {# > 1})", [2.0, 3.0], True),
        ("all(result, # > 1)", [2.0, 0.5], False),
        ("any(result, {# < 1}) and not none(result, {# < 1})", [2.0, 0.5], True),
        ("len(filter(result, {# > 1})) == 1 && count(result, {# > 1}) == 1", [2.0, 0.0], True),
        ("sum(map(result, {# * 2})) == 6", [1.0, 2.0], True),
        ("all(result.items, {.value > 1})", {"items": [{"value": 2}]}, True),
        ("2 in result", [2.0, 3.0], True),
        ("result not in [1, 2]", 3.0, True),
        ("result == 'true'", "true", True),
        ('result contains "ok"', "all ok", True),
        ("default(result, 0) < 0.05", None, True),
        ("isNil(result) or result < 5", None, True),
        ("result?.a == nil", None, True),
        ("(result[0] - result[1]) / result[1] <= 0.1", [1.1, 0.0], False),
        ("result[0] / result[1] > 100", [1.0, 0.0], True),
        ("result[0] * 100 < 5 ? true : false", [0.01], True),
        ("!(result[0] < 1)", [2.0], True),
        ("-2 ** 2 == -4 && 2 ** 3 ** 2 == 512 && 7 % 4 == 3 && -7 % 4 == -3", 1.0, True),
        ("asFloat(result) > 1 && asInt('7') == 7", "1.5", True),
        ("result[-1] == 3 && len(result[1:]) == 2 && max(result) == 3 && mean(result) == 2", [1.0, 2.0, 3.0], True),
        ("result[0] > 1 + 2 * 3 - 1", [6.5], True),
        ("1 == 1.0 && 'a' < 'b' && nil == nil", 1.0, True),
    ],
)
def test_conditions_are_evaluated_as_expr_does(condition: str, result: object, holds: bool) -> None:
    assert condition_holds(parse_condition(condition), result) is holds


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        ("result[0] > 1", []),
        ("result[0] > 1", None),
        ("result > 1", [2.0]),
        ("result > 1", "1.5"),
        ("result == 'true'", True),
        ("1", 1.0),
        ("result && true", 1.0),
        ("asInt('1.1') == 1", 1.0),
        ("result.a > 1", 1.0),
        ("7 % 0 == 1", 1.0),
        ("max([]) > 1", 1.0),
        ("9.0 ** 9 ** 9 > 1", 1.0),
        ("default(result, 0) < 0.05", []),
        ("len(result[0:result[0]]) > 0", [float("nan")]),
        ("len(result[1.0:]) > 0", [1.0]),
        ("all(map(result, {all(result, {all(result, {# > 0})})}), {#})", [1.0] * 80),
    ],
)
def test_a_condition_that_does_not_fit_the_value_is_an_error(condition: str, result: object) -> None:
    with pytest.raises(ConditionError):
        condition_holds(parse_condition(condition), result)


@pytest.mark.parametrize(
    "condition",
    [
        "__import__('os').system('true')", "result.Name() == 'hi'", "a == true", "# > 1", "result matches '(a+)+$'", "result[0] >", "(result", "'open", "",
        "result ; 1", "(" * 100 + "1" + ")" * 100, "1 +" * 2000 + "1", "len(1, 2) == 1", "let x = 1; x > 0", "all(result, {# > 1)",
    ],
)  # fmt: skip
def test_a_condition_that_cannot_be_read_is_refused(condition: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_condition(condition)
    assert not isinstance(refused.value, ConditionError)


def _one_sentence(problem: UsageError) -> None:
    assert str(problem).endswith((".", "?"))


WORDS = st.sampled_from(
    [
        "result",
        "[0]",
        ">",
        "<=",
        "&&",
        "||",
        "!",
        "(",
        ")",
        "1",
        "0.5",
        "len",
        "all",
        "{",
        "}",
        "#",
        ",",
        "nil",
        "'a'",
        "in",
        ".",
        "?",
        ":",
        "+",
        "/",
        "**",
        "-",
        " ",
    ]
)
RESULTS = st.none() | st.floats() | st.text(max_size=3) | st.lists(st.floats(), max_size=4)


@given(st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=30), RESULTS)
def test_any_condition_holds_or_not_or_is_refused(text: str, result: object) -> None:
    try:
        assert condition_holds(parse_condition(text), result) in {True, False}
    except UsageError as problem:
        _one_sentence(problem)


def _example(**arguments: str) -> Template:
    return read_template(yaml.safe_load((ROOT / "examples/canary/analysis-template.yml").read_text(encoding="utf-8")), arguments)


def test_an_analysis_template_is_read_with_its_arguments() -> None:
    template = _example(**{"service-name": "shop", "latest-hash": "abc"})
    assert (template.name, template.kind, template.unreadable) == ("success-rate", "AnalysisTemplate", ())
    success, latency = template.metrics
    assert (success.interval, success.count, success.failure_limit, success.address) == (60.0, 5, 1, "http://prometheus.example.com:9090")
    assert success.success == "len(result) > 0 && result[0] >= 0.99"
    assert 'service="shop",pod_template_hash="abc",code!~"5.."' in success.query
    assert (success.dry_run, latency.dry_run) == (False, True)
    assert template.notes == ("latency-p95 has only a failureCondition: for Argo Rollouts NaN is good",)
    assert "0.5" in _example(**{"service-name": "s", "latest-hash": "h", "least": "0.5"}).metrics[0].success


def _document(metric: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"kind": "ClusterAnalysisTemplate", "metadata": {"name": "t"}, "spec": {"metrics": [{"name": "m", **metric}], **spec}}


PROMETHEUS = {"provider": {"prometheus": {"query": "up"}}}


def test_times_limits_and_counts_are_read() -> None:
    metric = read_template(
        _document({**PROMETHEUS, "interval": "1h30m", "initialDelay": "500ms", "count": "3", "failureLimit": -1, "consecutiveSuccessLimit": 2})
    ).metrics[0]
    assert (metric.interval, metric.initial_delay, metric.count, metric.failure_limit, metric.consecutive_success_limit) == (5400.0, 0.5, 3, -1, 2)
    assert read_template(_document(PROMETHEUS)).metrics[0].count == 1
    assert read_template(_document({**PROMETHEUS, "interval": "1m"})).metrics[0].count is None


def test_other_providers_are_listed_as_not_readable() -> None:
    template = read_template(_document({"provider": {"datadog": {"query": "x"}}}, dryRun=[{"metricName": ".*"}]))
    assert (template.metrics, template.unreadable) == ((), (("m", "datadog", True),))


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"kind": "Deployment", "spec": {}}, "This is no AnalysisTemplate"),
        (_document({}), "spec.metrics[0] needs a name and a provider"),
        (_document(PROMETHEUS, templates=[{"templateName": "x"}]), "spec.templates: it takes in other templates"),
        (_document({**PROMETHEUS, "successCondition": "result.Name()"}), "spec.metrics[0].successCondition: The condition 'result.Name()' cannot be read"),
        (_document({**PROMETHEUS, "interval": "soon"}), "spec.metrics[0].interval must be a time such as 30s"),
        (_document({**PROMETHEUS, "failureLimit": "few"}), "spec.metrics[0].failureLimit must be a whole number"),
        (_document({**PROMETHEUS, "count": 3}), "spec.metrics[0].interval is missing"),
        (_document({**PROMETHEUS, "failureLimit": -1}), "both switched off"),
        (_document({**PROMETHEUS, "inconclusiveLimit": -1}), "is negative"),
        (_document({"provider": {"prometheus": {"query": "up{{args.x}}"}}}), "the argument x is not declared in spec.args"),
        (_document({"provider": {"prometheus": {"query": "up{{ args.x }}"}}}, args=[{"name": "x"}]), "the argument x has no value"),
        (_document(PROMETHEUS, dryRun=[{"metricName": "("}]), "is no regular expression"),
        (_document(PROMETHEUS, args=[{}]), "spec.args[0] needs its name"),
        ({"kind": "AnalysisTemplate", "spec": {"metrics": [{"name": "m", **PROMETHEUS}] * 2}}, "spec.metrics names m twice"),
    ],
)
def test_a_template_that_cannot_be_read_is_refused_with_its_path(document: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_template(document)
    assert says in str(refused.value)


def test_an_argument_that_the_template_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="has no argument color; it has service-name, latest-hash, least"):
        _example(color="red", **{"service-name": "s", "latest-hash": "h"})


def test_an_slo_file_is_read() -> None:
    slo = read_slo(yaml.safe_load((ROOT / "examples/canary/slo.yml").read_text(encoding="utf-8")))
    assert (slo.number, slo.include, slo.aggregate, slo.pass_percent, slo.warning_percent) == (3, "pass", "avg", 90.0, 75.0)
    first, second, third = slo.objectives
    assert (first.sli, first.key, first.weight, len(first.passes[0]), len(first.warnings)) == ("response_time_p95", True, 2.0, 2, 1)
    assert (second.weight, third.passes) == (1.0, ())
    assert read_slo({"objectives": [{"sli": "x"}]}).number == 1


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "objectives must be a list"),
        (
            {"objectives": [{"sli": "x", "pass": [{"criteria": ["10"]}]}], "total_score": {"pass": "90%"}},
            "objectives[0].pass[0].criteria[0]: The criterion '10' cannot be read",
        ),
        ({"objectives": [{"sli": "x", "pass": [{"criteria": ["<1"]}]}]}, "total_score is missing"),
        ({"objectives": [{"sli": "x", "pass": [{"criteria": ["<1"]}]}], "total_score": {"warning": "5%"}}, "total_score.pass is missing"),
        ({"objectives": [{"sli": "x", "pass": [{"criteria": "<1"}]}]}, "objectives[0].pass[0].criteria must be a list"),
        ({"objectives": [{"sli": "x", "weight": -1}]}, "objectives[0].weight must be a number above 0"),
        ({"objectives": [{"sli": "x", "key_sli": "yes"}]}, "objectives[0].key_sli must be true or false"),
        ({"objectives": [{"pass": []}]}, "objectives[0] needs its sli"),
        ({"objectives": [{"sli": "x"}], "comparison": {"aggregate_function": "p42"}}, "comparison.aggregate_function must be"),
        ({"objectives": [{"sli": "x"}], "comparison": {"compare_with": "mars"}}, "comparison.compare_with must be"),
        ({"objectives": [{"sli": "x"}], "comparison": {"include_result_with_score": "good"}}, "comparison.include_result_with_score must be"),
        ({"objectives": [{"sli": "x"}], "total_score": {"pass": "most"}}, "total_score.pass must be a percentage"),
        ({"goals": []}, "goals is not known"),
    ],
)
def test_an_slo_file_that_cannot_be_read_is_refused_with_its_path(document: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_slo(document)
    assert says in str(refused.value)


@given(st.text(alphabet="<>=+-%0123456789. |eE", max_size=12) | st.text(max_size=12))
def test_any_criterion_is_read_or_refused(text: str) -> None:
    try:
        criterion = parse_criterion(text)
    except UsageError as problem:
        _one_sentence(problem)
    else:
        assert criterion.comparison or not criterion.percentage


SMALL = st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from(["1m", "x", "up", "{{args.a}}", "result > 1", "<=5", "90%", "AnalysisTemplate"])
WORDS_OF_FILES = (
    "kind", "spec", "metrics", "args", "name", "value", "provider", "prometheus", "query", "interval", "count", "successCondition", "dryRun", "metricName",
    "objectives", "sli", "pass", "criteria", "weight", "total_score", "comparison", "metadata",
)  # fmt: skip
KEYS = st.sampled_from(WORDS_OF_FILES)
DOCUMENTS = st.recursive(SMALL, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20)


@given(st.dictionaries(KEYS, DOCUMENTS, max_size=4))
def test_any_document_is_read_or_refused(document: dict[str, Any]) -> None:
    for read in (read_template, read_slo, lambda value: read_template({"kind": "AnalysisRun", "spec": value})):
        try:
            read(document)
        except UsageError as problem:
            _one_sentence(problem)

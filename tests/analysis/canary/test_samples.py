"""Recorded samples: what is written is read as the same observation, what makes no sense is refused with its place, and totals become classes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from math import inf, isnan, nan
from pathlib import Path
from typing import Any

import pytest
from benchmarks.canary_simulator import FAMILIES, START, simulate
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cicd_agents.analysis.canary import default_policy, judge
from cicd_agents.analysis.canary.classical.judging import ClassicalTest, judge_classical
from cicd_agents.analysis.canary.outcomes import REST, classed, shows
from cicd_agents.analysis.canary.reading.samples import DOCUMENT, LOG, REPLICA, VERSION, read_samples, samples_document
from cicd_agents.domain.canary import Bucket, LogTemplate, Observation, Replica, Samples, Series, Version
from cicd_agents.domain.errors import UsageError

SCHEMA = json.loads((Path(__file__).parents[3] / "schema/canary-samples-v1.json").read_text(encoding="utf-8"))
POLICY = default_policy()
BEGAN = 1_700_000_000.0


def again(observation: Observation, now: float) -> Any:
    """Through the text of a file."""
    document = json.loads(json.dumps(samples_document(observation, now), allow_nan=False))
    Draft202012Validator(SCHEMA).validate(document)
    return read_samples(document, POLICY)


@pytest.mark.parametrize("name", ["steady", "errors x3", "crash loop", "health blips", "log exceptions", "business, steady", "earlier days", "all at once"])
def test_a_simulated_canary_is_read_as_it_was_written_and_judged_the_same(name: str) -> None:
    observation = simulate(next(family for family in FAMILIES if family.name == name), 5)
    now = START + 17 * 60
    found = again(observation, now)
    assert found.now == now
    assert found.observation == observation
    assert judge(found.observation, POLICY, now=found.now) == judge(observation, POLICY, now=now)


TIMES = st.floats(1.6e9, 1.8e9, allow_nan=False)
SERIES = st.lists(st.tuples(TIMES, st.floats(allow_nan=False, allow_infinity=False)), max_size=3).map(tuple)
NAMED = st.dictionaries(st.text(max_size=8), SERIES, max_size=3).map(lambda held: tuple(Series(name, samples) for name, samples in held.items()))
CLASSED = st.dictionaries(st.sampled_from(["2xx", "304", "404", "5xx"]), SERIES, max_size=4)
REPLICAS = st.builds(
    Replica, st.text(max_size=8), st.none() | TIMES,
    CLASSED.map(lambda held: tuple(Series(name, samples) for name, samples in ({"2xx": ()} | held).items())),
    st.dictionaries(st.floats(0.001, 60) | st.just(inf), SERIES, max_size=3).map(lambda held: tuple(Bucket(bound, of) for bound, of in held.items())),
    NAMED, NAMED, st.lists(st.tuples(TIMES, st.booleans()), max_size=3).map(tuple),
    st.lists(st.builds(LogTemplate, st.text(max_size=8), SERIES, st.booleans()), max_size=2).map(tuple),
)  # fmt: skip
VERSIONS = st.builds(Version, st.text(max_size=8), st.lists(REPLICAS, max_size=2).map(tuple), SERIES.map(lambda of: (Series("latency_p95", of),)))
SEEN = Version("seen", (), (Series("cpu", ((1.7e9, 1.0),)),))
OBSERVATIONS = st.builds(
    Observation, VERSIONS, st.just(SEEN), st.none() | TIMES, st.lists(st.tuples(TIMES, st.floats(0, 1)), max_size=2).map(tuple), st.just(()),
    st.lists(st.text(max_size=8), max_size=2).map(tuple), st.booleans(), st.just(0.0), st.lists(VERSIONS, max_size=2).map(tuple),
)  # fmt: skip


@given(OBSERVATIONS, TIMES)
def test_any_observation_is_read_as_it_was_written(observation: Observation, now: float) -> None:
    assert again(observation, now).observation == observation


def test_what_was_measured_and_is_no_number_stays_none() -> None:
    observation = Observation(canary=Version("new", (Replica("pod", gauges=(Series("cpu", ((BEGAN, nan), (BEGAN + 60, inf), (BEGAN + 120, 5.0))),)),)))
    values = [value for _, value in again(observation, BEGAN).observation.canary.replicas[0].gauges[0].samples]
    assert [isnan(value) for value in values] == [True, True, False]


def test_names_and_messages_are_redacted() -> None:
    series = (Series("secret", ((BEGAN, 1.0),)),)
    pod = Replica("secret", requests=series, gauges=series, counters=series, logs=(LogTemplate("a secret", ((BEGAN, 1.0),)),))
    side = Version("secret", (pod,), series)
    observation = Observation(side, side, warnings=("secret",), earlier=(side,))
    text = json.dumps(samples_document(observation, BEGAN, lambda text: text.replace("secret", "***")))
    assert "***" in text
    assert "secret" not in text


def test_the_schema_has_the_keys_that_are_read() -> None:
    parts = SCHEMA["$defs"]
    keys = [
        SCHEMA["properties"],
        *(parts[name]["properties"] for name in ("version", "replica")),
        parts["replica"]["properties"]["logs"]["items"]["properties"],
    ]
    assert [set(held) for held in keys] == [set(names) for names in (DOCUMENT, VERSION, REPLICA, LOG)]


def pod(**parts: Any) -> dict[str, Any]:
    return {"canary": {"replicas": [parts]}}


SEEN_CPU = {"gauges": {"cpu": [[BEGAN, 1]]}}
REFUSED: list[tuple[Any, str]] = [
    ([], "The file must be a mapping"),
    ({}, "There are no samples"),
    ({"schema": "cicd-agents/report/v1"}, "cicd-agents/canary-samples/v1 is read here"),
    ({"canaries": {}}, "canaries is not known"),
    ({"canary": []}, "canary must be a mapping"),
    ({"canary": {"replicas": {}}}, "canary.replicas must be a list"),
    ({"canary": {"replicas": [{"pod": "a"}]}}, "canary.replicas[0].pod is not known"),
    (pod(requests=[[BEGAN, 1]]), "canary.replicas[0].requests must be a mapping"),
    (pod(requests={"5xx": {"a": 1}}), "canary.replicas[0].requests.5xx must be a list of [time, value]"),
    (pod(requests={"5xx": [[BEGAN, 1], [BEGAN]]}), "canary.replicas[0].requests.5xx[1] is no [time, value]"),
    (pod(requests={"5xx": [[BEGAN, "1"]]}), "canary.replicas[0].requests.5xx[0] is no [time, value]"),
    (pod(requests={"5xx": [[BEGAN, True]]}), "canary.replicas[0].requests.5xx[0] is no [time, value]"),
    (pod(requests={"5xx": [[None, 1]]}), "canary.replicas[0].requests.5xx[0] is no [time, value]"),
    (pod(requests={"5xx": [["2026-03-02T10:00:00Z", 1]]}), "canary.replicas[0].requests.5xx[0] is no [time, value]"),
    (pod(requests={"5xx": [[BEGAN * 1000, 1]]}), "divide milliseconds by 1000"),
    (pod(requests={"errors": [[BEGAN, 1]]}), "canary.replicas[0].requests: 'errors' is no outcome class"),
    (pod(requests={"Total": [[BEGAN, 1]]}), "'Total' is no outcome class"),
    (pod(buckets={"5000": [[BEGAN, 1]]}), "'5000' is no upper bound in seconds"),
    (pod(buckets={"fast": [[BEGAN, 1]]}), "'fast' is no upper bound in seconds"),
    (pod(buckets={"-1": [[BEGAN, 1]]}), "'-1' is no upper bound"),
    (pod(buckets={"nan": [[BEGAN, 1]]}), "'nan' is no upper bound"),
    (pod(health=[[BEGAN, "yes"]]), "canary.replicas[0].health[0]"),
    (pod(logs=[{"samples": []}]), "canary.replicas[0].logs[0].template must be a text"),
    (pod(logs=[{"template": "a", "critical": 1}]), "canary.replicas[0].logs[0].critical must be true or false"),
    (pod(name=5), "canary.replicas[0].name must be a text"),
    (pod(started="yesterday"), "canary.replicas[0].started is 'yesterday', which is no time"),
    ({"canary": {"values": {"erorr_rate": [[BEGAN, 1]]}}}, "did you mean error_rate"),
    ({"canary": {"values": {"Error rate": [[BEGAN, 0.01], [BEGAN, 1.2]]}}}, "canary.values.error_rate has values above 1"),
    ({"canary": {"values": {"restarts": [[BEGAN, 1]]}}}, "'restarts' is no metric"),
    (pod(**SEEN_CPU) | {"now": "soon"}, "now is 'soon', which is no time"),
    (pod(**SEEN_CPU) | {"now": 1e300}, "now is '1e+300', which is no number of seconds"),
    (pod(**SEEN_CPU) | {"since": True}, "since is 'True', which is no number of seconds"),
    (pod(**SEEN_CPU) | {"share": 50}, "share is the canary's part of the traffic, from 0 to 1"),
    (pod(**SEEN_CPU) | {"share": [[BEGAN, -0.1]]}, "from 0 to 1"),
    (pod(**SEEN_CPU) | {"share": "half"}, "share must be a list"),
    (pod(**SEEN_CPU) | {"concurrent": "no"}, "concurrent must be true or false"),
    (pod(**SEEN_CPU) | {"moved": None}, "moved is 'None'"),
    (pod(**SEEN_CPU) | {"earlier": [{"replicas": [5]}]}, "earlier[0].replicas[0] must be a mapping"),
    (pod(**SEEN_CPU) | {"warnings": [5]}, "warnings[0] must be a text"),
    ({"canary": {"replicas": [{}] * 1001}}, "at most 1000 entries"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_makes_no_sense_is_refused_with_its_place(document: Any, said: str) -> None:
    with pytest.raises(UsageError) as problem:
        read_samples(document, POLICY)
    assert said in str(problem.value)


def test_times_names_and_shares_may_be_written_as_people_do() -> None:
    document = pod(gauges={"cpu": [[1772445600, 40], [1772445660, "NaN"]]}, started="2026-03-02T10:00:00Z", health=[[1772445600, 1]])
    found = read_samples(document | {"since": "2026-03-02T10:00:00", "share": 0.25, "baseline": {"values": {"P95 latency": [[1772445600, 0.2]]}}}, POLICY)
    assert found.now == 1772445660
    assert (found.observation.since, found.observation.canary.replicas[0].started) == (1772445600, 1772445600)
    assert list(found.observation.share) == [(1772445600, 0.25)]
    assert list(found.observation.canary.replicas[0].health) == [(1772445600, True)]
    assert found.observation.baseline.values[0].name == "latency_p95"


# All requests and the errors, instead of classes


def by_class(replica: Replica) -> Mapping[str, Samples]:
    found = classed(Observation(canary=Version("new", (replica,)))).canary.replicas[0]
    return {series.name: series.samples for series in found.requests}


def counted(*values: float, step: float = 60.0, first: float = 0.0) -> Samples:
    return tuple((first + number * step, value) for number, value in enumerate(values))


def test_what_errors_do_not_count_of_a_total_is_good() -> None:
    replica = Replica("pod", requests=(Series("total", counted(0, 100, 200)), Series("5xx", counted(3, 8, first=60)), Series("404", counted(0, 1, 1))))
    assert by_class(replica) == {REST: counted(0, 96, 191), "5xx": counted(3, 8, first=60), "404": counted(0, 1, 1)}


def test_a_class_begins_anew_with_the_total() -> None:
    replica = Replica("pod", requests=(Series("total", counted(500, 50, 150)), Series("5xx", ((0.0, 80.0), (120.0, 10.0)))))
    assert by_class(replica)[REST] == counted(420, 50, 140)


def test_a_lost_scrape_of_a_class_counts_what_it_did_before() -> None:
    replica = Replica("pod", requests=(Series("total", counted(100, 200, 300)), Series("5xx", ((0.0, 10.0), (120.0, 30.0)))))
    assert by_class(replica)[REST] == counted(90, 190, 270)


def test_errors_alone_are_errors_of_what_the_widest_bucket_counts() -> None:
    buckets = (Bucket(0.1, counted(0, 50)), Bucket(inf, counted(0, 100)))
    assert by_class(Replica("pod", requests=(Series("5xx", counted(0, 5)),), buckets=buckets))[REST] == counted(0, 95)
    # Where they are more than the buckets count, every request fails: the buckets are of something else.
    assert by_class(Replica("pod", requests=(Series("5xx", counted(0, 500)),), buckets=buckets))[REST] == counted(0, 0)


def test_classes_stay_as_they_are() -> None:
    buckets = (Bucket(inf, counted(0, 100)),)
    failing = Replica("pod", requests=(Series("404", counted(1)),), buckets=buckets)
    other = Replica("pod", requests=(Series("2xx", counted(5)), Series("5xx", counted(1))))
    for replicas in ((), (other,), (other, failing)):  # where others count all classes, a pod that has only errors has no more
        observation = Observation(canary=Version("new", replicas))
        assert classed(observation) == observation
    assert by_class(Replica("pod", requests=(Series("5xx", counted(1)),))) == {"5xx": counted(1)}


@pytest.mark.parametrize(
    ("names", "events", "known"),
    [
        ({"2xx"}, (), True), ({"2xx", "5xx"}, ("5",), True), ({"2xx", "unknown"}, ("4",), True), ({"200", "503"}, ("503",), True), ({"200"}, ("503",), True),
        ({"2XX", "50x"}, ("50",), True), (set(), (), False), ({"errors"}, (), False), ({REST, "5xx"}, ("5",), True), ({REST, "5xx"}, ("4",), False),
        ({"2xx", "4xx"}, ("429",), False), ({"2xx", "4XX"}, ("42",), False), ({"2xx", "404"}, ("429",), True), ({"ok", "fail"}, ("5",), False),
    ],
)  # fmt: skip
def test_what_no_counter_would_tell_of_is_not_taken_for_none(names: set[str], events: tuple[str, ...], known: bool) -> None:
    assert shows(names, events) is known


@pytest.mark.parametrize("form", ["total", "errors and buckets"])
def test_a_canary_that_fails_is_seen_in_every_form(form: str) -> None:
    def version(name: str, errors: float) -> Version:
        every, failed = (counted(*(rate * at for at in range(31)), first=BEGAN) for rate in (3000, 3000 * errors))
        requests = (Series("total", every), Series("5xx", failed)) if form == "total" else (Series("5xx", failed),)
        return Version(name, tuple(Replica(f"{name}-{pod}", BEGAN - 3600, requests, (Bucket(0.1, every), Bucket(inf, every))) for pod in range(3)))

    good, bad = (judge(Observation(version("old", 0.002), version("new", rate), BEGAN), POLICY, now=BEGAN + 1800) for rate in (0.002, 0.02))
    assert [judged.metrics[0].strength.canary_total for judged in (good, bad)] == pytest.approx([270_000, 270_000])
    assert (str(good.metrics[0].status), str(bad.metrics[0].status)) == ("pass", "fail")


@pytest.mark.parametrize("names", [("total",), ("total", "errors"), ("ok", "failed"), ()])
def test_errors_that_nothing_counts_are_not_seen(names: tuple[str, ...]) -> None:
    every = counted(*(3000.0 * at for at in range(31)), first=BEGAN)
    pods = tuple(Replica(f"{pod}", BEGAN - 3600, tuple(Series(name, every) for name in names), (Bucket(0.1, every), Bucket(inf, every))) for pod in range(3))
    judged = judge(Observation(Version("old", pods), Version("new", pods), BEGAN), POLICY, now=BEGAN + 1800)
    assert (str(judged.status), str(judged.decision)) == ("no-data", "hold")
    assert "Error rate: requests are counted, but not which of them these are" in judged.reason
    for test in ClassicalTest:
        classical = judge_classical(Observation(Version("old", pods), Version("new", pods), BEGAN), POLICY, BEGAN + 1800, test, stage=2)
        assert (str(classical.status), str(classical.decision)) == ("no-data", "hold")


def test_client_errors_that_only_a_total_holds_are_not_judged() -> None:
    every, failed = (counted(*(rate * at for at in range(31)), first=BEGAN) for rate in (3000.0, 3.0))
    pods = (Replica("pod", BEGAN - 3600, (Series("total", every), Series("5xx", failed)), (Bucket(0.1, every), Bucket(inf, every))),)
    judged = judge(Observation(Version("old", pods), Version("new", pods), BEGAN), POLICY, now=BEGAN + 1800)
    assert {metric.name for metric in judged.metrics} >= {"error_rate", "latency_p95"}
    assert "client_error_rate" not in {metric.name for metric in judged.metrics}


@pytest.mark.parametrize("name", ["steady", "errors x3", "restarts", "crash loop"])
def test_what_is_seen_later_does_not_change_a_judgement(name: str) -> None:
    observation = simulate(next(family for family in FAMILIES if family.name == name), 3)
    for minute in (4, 9.5, 16):
        now = START + 60 * minute
        cut = samples_document(observation, now)
        for side in (cut["baseline"], cut["canary"]):
            for item in side["replicas"]:
                for part in ("requests", "buckets", "gauges", "counters"):
                    item[part] = {key: [pair for pair in pairs if pair[0] <= now] for key, pairs in item.get(part, {}).items()}
                item["logs"] = [log | {"samples": [pair for pair in log["samples"] if pair[0] <= now]} for log in item.get("logs", ())]
        assert judge(read_samples(cut, POLICY).observation, POLICY, now=now) == judge(observation, POLICY, now=now)


def test_shares_beyond_all_of_the_traffic_are_left_out() -> None:
    observation = replace(simulate(FAMILIES[0], 3), share=((START, 25.0), (START, nan)))
    judged = judge(observation, POLICY, now=START + 240)
    assert judged.stage == 0
    assert any("shares of the traffic that are not from 0 to 1" in text for text in judged.exclusions)

"""The report as SARIF 2.1.0: the structure that code-scanning services require, checked by hand."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cicd_agents.domain.doctor import DoctorDetails, RootCause
from cicd_agents.domain.finding import Evidence, Finding, Fix, Location
from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.document import Report
from cicd_agents.report.sarif import to_sarif

HOSTILE = "\x1b[31m::set-output name=a::b\n##[error]x </details> @team <img src=x> \u202e\ud800" + "z" * 100_000
NOTHING = DoctorDetails("raw", "ci.log", 9, 90, None, None, None, 0.0, None, (), (), None)
SKIPPED = Report("cicd-agents/report/v1", "pipeline-doctor", Outcome.SKIPPED, 0, "Nothing to diagnose", "It passed.", (), (), NOTHING, (), 0.1)


def finding(rule: str = "demo.rule", text: str = "boom", line: int = 12, location: Location | None = None) -> Finding:
    fixes = tuple(Fix("quick", f"{text} {number}", "", (), 0.5) for number in range(4))
    return Finding(rule, text, "error", 0.8, (Evidence("log-line", str(line), text),), location, fixes)


def report(*findings: Finding, log: str = "ci.log", docs: str | None = None, category: str = "test_failure") -> Report:
    root = RootCause(12, "boom", None, None)
    details = replace(NOTHING, log=log, category=category, signature="demo.rule", root_cause=root, docs=docs)
    return replace(SKIPPED, outcome=Outcome.FAIL, findings=findings, details=details)


def run_of(*reports: Report) -> dict[str, Any]:
    """The one run of the log, after checking what SARIF 2.1.0 requires of it."""
    text = to_sarif(reports, "1.2.3")
    assert text.isascii()
    assert text.endswith("}\n")
    log: dict[str, Any] = json.loads(text)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("cicd-agents", "1.2.3")
    rules = [rule["id"] for rule in driver["rules"]]
    assert len(set(rules)) == len(rules)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
    for result in run["results"]:
        check_result(result, rules)
    found: dict[str, Any] = run
    return found


def check_result(result: dict[str, Any], rules: list[str]) -> None:
    assert result["ruleId"] in rules
    assert result["level"] in ("none", "note", "warning", "error")
    assert result["message"]["text"]
    assert len(result["locations"]) == 1
    for place in (*result["locations"], *result["relatedLocations"]):
        physical = place["physicalLocation"]
        assert re.fullmatch(r"(?:[A-Za-z0-9._~/+@-]|%[0-9A-F]{2})+", physical["artifactLocation"]["uri"])
        for number in physical.get("region", {"startLine": 1}).values():
            assert number >= 1
        if "region" in physical:
            assert "startLine" in physical["region"]


def test_a_result_has_its_rule_its_message_and_both_places() -> None:
    run = run_of(report(finding(location=Location("src/app.py", 7, 3)), docs="https://docs.example/rule"))
    assert run["tool"]["driver"]["rules"] == [{"id": "demo.rule", "shortDescription": {"text": "boom"}, "helpUri": "https://docs.example/rule"}]
    in_log = {"physicalLocation": {"artifactLocation": {"uri": "ci.log"}, "region": {"startLine": 12}}, "message": {"text": "log line"}}
    assert run["results"] == [
        {
            "ruleId": "demo.rule",
            "level": "error",
            "message": {"text": "boom. What to do: boom 0; boom 1; boom 2"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": "src/app.py"}, "region": {"startLine": 7, "startColumn": 3}}}],
            "relatedLocations": [in_log],
            "properties": {"confidence": 0.8, "category": "test_failure", "evidence": "boom"},
        }
    ]


def test_a_finding_without_a_place_points_to_its_line_in_the_log() -> None:
    (result,) = run_of(report(finding(line=30)))["results"]
    assert result["locations"] == result["relatedLocations"]
    assert result["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "ci.log"}, "region": {"startLine": 30}}


@pytest.mark.parametrize(
    ("place", "region"),
    [
        (Location("a.py"), None),
        (Location("a.py", 3), {"startLine": 3}),
        (Location("a.py", 3, 4), {"startLine": 3, "startColumn": 4}),
        (Location("a.py", None, 4), None),
        (Location("a.py", 0, 0), None),
        (Location("a.py", 3, 0), {"startLine": 3}),
    ],
)
def test_a_region_is_given_as_far_as_lines_and_columns_count_from_one(place: Location, region: dict[str, int] | None) -> None:
    (result,) = run_of(report(finding(location=place)))["results"]
    assert result["locations"][0]["physicalLocation"].get("region") == region


def test_a_rule_without_docs_has_no_address_and_a_finding_without_fixes_no_advice() -> None:
    run = run_of(report(replace(finding(), fixes=())))
    assert "helpUri" not in run["tool"]["driver"]["rules"][0]
    assert run["results"][0]["message"]["text"] == "boom"


def test_a_run_that_did_not_fail_has_no_results() -> None:
    assert run_of(SKIPPED)["results"] == []
    assert run_of()["results"] == []


def test_several_reports_are_one_run_and_a_rule_is_listed_once() -> None:
    run = run_of(report(finding(), finding("other.rule", line=3)), SKIPPED, report(finding(), log="second.log"))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["demo.rule", "other.rule"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places] == [("ci.log", 12), ("ci.log", 3), ("second.log", 12)]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("src/my app/ä.py", "src/my%20app/%C3%A4.py"),
        ("C:\\work\\a.cs", "C%3A/work/a.cs"),
        ("a?b#c%20d.py", "a%3Fb%23c%2520d.py"),
        ("[x]{y}<z>|\"'.py", "%5Bx%5D%7By%7D%3Cz%3E%7C%22%27.py"),
        ("node@1.2_~+-/x.js", "node@1.2_~+-/x.js"),
        ("a\nb.py", "a%0Ab.py"),
        ("\x1b[31ma\u202e.py", "a.py"),
        ("\ud800.py", "%EF%BF%BD.py"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
    ],
)
def test_odd_paths_are_percent_encoded(path: str, uri: str) -> None:
    (result,) = run_of(report(finding(location=Location(path, 1)), log=path))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
    assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=60))
def test_a_percent_encoded_path_can_be_read_back(path: str) -> None:
    (result,) = run_of(report(finding(location=Location(f"x{path}", 1))))["results"]
    decoded = unquote(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
    assert decoded.isascii() is path.isascii()
    if path.isascii():  # others are normalised (NFC)
        assert decoded == f"x{path}".replace("\\", "/")


def test_a_path_with_two_slashes_names_no_host() -> None:
    (result,) = run_of(report(finding(location=Location("//evil.example/a.py", 1))))["results"]
    assert not result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("//")


def test_hostile_text_is_cleaned_and_cut() -> None:
    (result,) = run_of(report(finding(text=HOSTILE, location=Location(HOSTILE, 1)), log=HOSTILE))["results"]
    texts = [result["message"]["text"], result["properties"]["evidence"]]
    assert [len(text) for text in texts] == [1000, 500]
    for text in texts:
        assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ud800-\udfff]", text) == []
    assert len(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) < 1300


def test_the_address_of_the_docs_belongs_to_the_rule_of_the_root_cause() -> None:
    run = run_of(report(finding(), finding("other.rule", line=30), docs="https://docs.example/demo"))
    assert {rule["id"]: rule.get("helpUri") for rule in run["tool"]["driver"]["rules"]} == {"demo.rule": "https://docs.example/demo", "other.rule": None}


def test_a_finding_without_evidence_is_not_rendered() -> None:
    assert [result["ruleId"] for result in run_of(report(finding("a.b"), replace(finding(), evidence=())))["results"]] == ["a.b"]


@pytest.mark.parametrize(("kind", "where"), [("annotation", "https://git.example/job/2"), ("log-line", "x"), ("log-line", "0"), ("commit", "12")])
def test_a_proof_that_is_no_log_line_points_to_the_log_as_a_whole(kind: str, where: str) -> None:
    (result,) = run_of(report(replace(finding(), evidence=(Evidence(kind, where, "lost"),))))["results"]
    assert result["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "ci.log"}}, "message": {"text": "log"}}]


def test_the_log_line_is_found_among_other_evidence() -> None:
    proofs = (Evidence("annotation", "job 2", "lost"), Evidence("log-line", "12", "boom"))
    (result,) = run_of(report(replace(finding(), evidence=proofs)))["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 12}

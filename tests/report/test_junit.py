"""The JUnit XML, read by an XML parser: one case per job, counts that agree, nothing of a log that ends an element."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.samples import ANNOTATED, FULL, SKIPPED, of_text

from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.document import Report
from cicd_agents.report.junit import to_junit

HOSTILE = "]]></failure><x/> & < > \" ' \x00\x0b\x1b[31m \ufffe\uffff \ud800 ##[error]x\n::set-output name=a::b <!DOCTYPE a [<!ENTITY b 'c'>]> &b;"


def suites_of(*reports: Report) -> list[ElementTree.Element]:
    """The suites, after checking that all counts agree with the cases and that every word is allowed in JUnit."""
    root = ElementTree.fromstring(to_junit(reports))  # noqa: S314 our own text
    assert root.tag == "testsuites"
    for node in (root, *root):
        cases = node.findall(".//testcase")
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(node.attrib[attribute]) == sum(case.find(tag) is not None for case in cases)
        assert int(node.attrib["tests"]) == len(cases)
    for case in root.iter("testcase"):
        assert set(case.attrib) == {"classname", "name"}
        assert {child.tag for child in case} <= {"failure", "error", "skipped"}
        assert len(case) <= 1
    assert {child.tag for child in root} <= {"testsuite"}
    return list(root)


def test_each_failed_job_is_a_case() -> None:
    (suite,) = suites_of(FULL)
    assert (suite.attrib["name"], suite.attrib["time"]) == ("pipeline-doctor", "0.100")
    first, second, third = suite
    assert [case.attrib["name"] for case in suite] == ["build", "lint", "test (3.12)"]
    assert first[0].attrib == {"message": "yarn: lockfile is old", "type": "dependency_resolution"}
    assert first[0].text == (
        "package.json asks for more.\nLog line 12: error Your lockfile needs to be updated.\nPlace: src/app.py:7:3\n"
        "To do: Update `yarn.lock`: It is older than package.json."
    )
    assert (second[0].attrib, second[0].text) == ({"message": "ruff: E501", "type": "lint_format"}, "Log line 5: line too long")
    assert (third[0].attrib, third[0].text) == ({"message": "The same failure as in build"}, None)


@pytest.mark.parametrize(("outcome", "tag"), [(Outcome.FAIL, "failure"), (Outcome.INCONCLUSIVE, "error"), (Outcome.SKIPPED, "skipped")])
def test_the_outcome_names_the_element(outcome: Outcome, tag: str) -> None:
    (suite,) = suites_of(replace(SKIPPED, outcome=outcome))
    assert [child.tag for child in suite[0]] == [tag]


def test_a_job_that_is_well_is_a_case_without_a_child() -> None:
    (suite,) = suites_of(replace(SKIPPED, outcome=Outcome.PASS))
    assert [len(case) for case in suite] == [0]


def test_several_reports_are_several_suites() -> None:
    assert [[case.attrib["name"] for case in suite] for suite in suites_of(ANNOTATED, SKIPPED)] == [["build"], ["ci.log"]]
    assert suites_of() == []


def test_a_message_of_the_platform_stands_in_for_the_line() -> None:
    (suite,) = suites_of(ANNOTATED)
    assert suite[0][0].text == "package.json asks for more.\nThe hosted runner lost communication"


def test_hostile_text_stays_inside_and_commands_no_runner() -> None:
    text = to_junit([of_text(HOSTILE)])
    (suite,) = suites_of(of_text(HOSTILE))
    assert "]]></failure><x/> & < > \" '" in (suite[0][0].text or "")
    assert re.findall(r"##\[|[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", text) == []
    assert [line for line in text.splitlines() if line.strip().startswith("::")] == []


def test_a_text_of_100_kb_is_bounded() -> None:
    assert len(to_junit([of_text("z" * 100_000)])) < 20_000


PIECES = ["<", ">", "&", '"', "]]>", "&#0;", "\n", "\t", "\r", "\x0c", "\ufffe", "\ud800", "\U0001fa7a", "::", "##["]


@settings(deadline=None)
@given(st.lists(st.one_of(st.text(max_size=4), st.sampled_from(PIECES)), max_size=10).map("".join))
def test_any_text_makes_xml_that_parses(text: str) -> None:
    suites_of(of_text(text))

"""Annotations, read by a parser of workflow commands that follows the runner's: what comes out is what went in, and never another command."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.report.samples import ANNOTATED, FULL, SKIPPED, of_text

from cicd_agents.domain.context import Platform
from cicd_agents.domain.finding import Location
from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.annotations import MOST_ANNOTATIONS, to_annotations
from cicd_agents.report.document import Report
from cicd_agents.report.escape import command_data, command_property, plain, workflow_safe

FINDING = FULL.findings[0]


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    properties: dict[str, str]
    data: str


def decoded(text: str, *, is_property: bool) -> str:
    """Percent codes that the runner knows, replaced in its order: the percent sign comes last."""
    codes = {"%0D": "\r", "%0A": "\n", **({"%3A": ":", "%2C": ","} if is_property else {}), "%25": "%"}
    for code, character in codes.items():
        text = text.replace(code, character)
    return text


def command_of(line: str) -> Command | None:
    """A printed line as the runner reads it: `::name key=value,key=value::data`."""
    line = line.lstrip()
    if not line.startswith("::") or (end := line.find("::", 2)) < 0:
        return None
    name, _, properties = line[2:end].partition(" ")
    pairs = (part.split("=", 1) for part in properties.strip().split(",") if part)
    known = {pair[0]: decoded(pair[1], is_property=True) for pair in pairs if len(pair) == 2}
    return Command(name, known, decoded(line[end + 2 :], is_property=False))


def commands(*reports: Report) -> list[Command]:
    lines = to_annotations(reports, Platform.GITHUB, "org/name")
    found = [command_of(line) for line in lines]
    assert all(len(re.split("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", line)) == 1 for line in lines)
    return [command for command in found if command]


def test_a_finding_marks_file_line_and_column() -> None:
    assert commands(FULL) == [
        Command(
            "error",
            {"file": "src/app.py", "line": "7", "col": "3", "title": "pipeline-doctor: yarn: lockfile is old"},
            "yarn: lockfile is old\npackage.json asks for more.\nTo do: Update `yarn.lock`",
        )
    ]


@pytest.mark.parametrize("platform", [platform for platform in Platform if platform is not Platform.GITHUB])
def test_other_platforms_have_none(platform: Platform) -> None:
    assert to_annotations([FULL], platform) == ()


@pytest.mark.parametrize(("outcome", "level"), [(Outcome.FAIL, "error"), (Outcome.INCONCLUSIVE, "warning")])
def test_a_doubtful_cause_is_a_warning(outcome: Outcome, level: str) -> None:
    assert [command.name for command in commands(replace(FULL, outcome=outcome))] == [level]


@pytest.mark.parametrize("outcome", [Outcome.SKIPPED, Outcome.PASS])
def test_where_nothing_broke_there_is_none(outcome: Outcome) -> None:
    assert commands(SKIPPED, replace(FULL, outcome=outcome)) == []


@pytest.mark.parametrize(
    ("location", "properties"),
    [
        (Location("src/a.py"), {"file": "src/a.py"}),
        (Location("src/a.py", None, 4), {"file": "src/a.py"}),
        (Location("/home/runner/work/name/name/a b,c:d.py", 3), {"file": "a b,c:d.py", "line": "3"}),
        (Location("/usr/lib/x.py", 3), {}),
        (None, {}),
    ],
)
def test_a_place_is_told_as_far_as_it_lies_in_the_repository(location: Location | None, properties: dict[str, str]) -> None:
    (command,) = commands(replace(FULL, findings=(replace(FINDING, location=location),)))
    assert {name: value for name, value in command.properties.items() if name != "title"} == properties


def test_only_the_first_finding_is_told_without_a_place_and_none_without_evidence() -> None:
    nowhere = replace(FINDING, location=None)
    assert len(commands(replace(FULL, findings=(nowhere, nowhere, FINDING)))) == 2
    assert commands(replace(FULL, findings=(replace(FINDING, evidence=()),))) == []
    assert [command.properties["title"] for command in commands(ANNOTATED)] == ["pipeline-doctor: The runner was lost"]


def test_there_are_no_more_than_github_shows() -> None:
    assert len(commands(replace(FULL, findings=(FINDING,) * 30), FULL)) == MOST_ANNOTATIONS == 10


PIECES = ["::", "%", "%0A", "%25", "\n", "\r\n", ",", "=", ":", "##[", "add-mask", "title=", "\u2028", "\x85", "\ud800"]
TEXTS = st.lists(st.one_of(st.text(max_size=4), st.sampled_from(PIECES)), max_size=10).map("".join)


@settings(deadline=None)
@given(TEXTS)
@example("x::error::y")
@example("a\n::set-output name=a::b")
@example(",line=9,file=b::c%0A::add-mask::x")
def test_no_text_ends_its_place_in_a_command(text: str) -> None:
    line = f"::error title={command_property(text, 200)},line=3::{command_data(text, 200)}"
    command = command_of(line)
    assert command
    assert set(command.properties) - {"title"} == {"line"}
    assert (command.name, command.properties["line"]) == ("error", "3")
    assert command.data == workflow_safe(plain(text, 200))
    assert command.properties.get("title", "") == workflow_safe(" ".join(plain(text, 200).split()))
    assert "##[" not in line
    assert [inner for inner in command.data.split("\n") if command_of(inner)] == []


@settings(deadline=None)
@given(TEXTS)
def test_a_hostile_report_prints_annotations_and_nothing_else(text: str) -> None:
    lines = to_annotations([of_text(text)], Platform.GITHUB)
    assert {command.name for command in commands(of_text(text))} == {"warning"}
    assert len(commands(of_text(text))) == len(lines)
    assert all(len(line) < 13_000 for line in lines)

"""Report files: their names, and that each holds its format."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from tests.report.samples import FULL, HOST, RUN, SKIPPED

from cicd_agents.report.files import FILES, report_files
from cicd_agents.settings.options import BY_NAME


def test_every_format_of_the_setting_has_a_file() -> None:
    assert tuple(FILES) == BY_NAME["reports"].choices
    made = report_files([FULL], tuple(FILES), version="1.2", hosts=(HOST,), repository="org/name")
    assert list(made) == ["report.md", "report.json", "report.sarif", "gl-code-quality-report.json", "report-junit.xml"]
    assert f"]({RUN})" in made["report.md"]
    assert json.loads(made["report.json"])["details"]["job"] == "build"
    assert json.loads(made["report.sarif"])["runs"][0]["tool"]["driver"]["version"] == "1.2"
    assert json.loads(made["gl-code-quality-report.json"])[0]["location"]["path"] == "src/app.py"
    assert ElementTree.fromstring(made["report-junit.xml"].encode()).tag == "testsuites"  # noqa: S314 our own text


@pytest.mark.parametrize("formats", [(), ("junit",), ("json", "markdown")])
def test_only_the_formats_that_were_chosen_are_made_in_their_order(formats: tuple[str, ...]) -> None:
    assert list(report_files([SKIPPED], formats, version="1")) == [FILES[form] for form in formats]


def test_several_reports_make_json_lines() -> None:
    made = report_files([FULL, SKIPPED], ("json",), version="1")
    assert [json.loads(line)["outcome"] for line in made["report.jsonl"].splitlines()] == ["fail", "skipped"]

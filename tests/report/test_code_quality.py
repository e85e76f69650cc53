"""The GitLab code quality report: what GitLab requires of each entry, and which findings have one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.report.samples import ANNOTATED, FULL, SKIPPED, of_text

from cicd_agents.domain.finding import Location
from cicd_agents.report.code_quality import to_code_quality
from cicd_agents.report.document import Report

FINDING = FULL.findings[0]


def entries(*reports: Report) -> list[dict[str, Any]]:
    """The entries, after checking what GitLab requires."""
    text = to_code_quality(reports, "group/name")
    assert text.isascii()
    found: list[dict[str, Any]] = json.loads(text)
    for entry in found:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert not entry["location"]["path"].startswith(("/", "./"))
        assert entry["location"]["lines"]["begin"] >= 1
    assert len({entry["fingerprint"] for entry in found}) == len(found)
    return found


def test_a_finding_with_a_place_is_an_entry() -> None:
    (entry,) = entries(FULL)
    assert {**entry, "fingerprint": ""} == {
        "description": "yarn: lockfile is old", "check_name": "yarn.frozen_lockfile", "fingerprint": "", "severity": "major",
        "location": {"path": "src/app.py", "lines": {"begin": 7}},
    }  # fmt: skip
    assert len(entry["fingerprint"]) == 64


@pytest.mark.parametrize(("severity", "shown"), [("error", "major"), ("warning", "minor"), ("note", "info"), ("strange", "info")])
def test_the_severity_is_one_of_gitlabs(severity: str, shown: str) -> None:
    assert entries(replace(FULL, findings=(replace(FINDING, severity=severity),)))[0]["severity"] == shown


@pytest.mark.parametrize("location", [None, Location("/usr/lib/x.py", 3), Location("../x.py", 3), Location("")])
def test_a_finding_without_a_place_in_the_repository_is_left_out(location: Location | None) -> None:
    assert entries(replace(FULL, findings=(replace(FINDING, location=location),))) == []


def test_a_finding_without_evidence_is_left_out_and_so_is_a_message_of_the_platform() -> None:
    assert entries(replace(FULL, findings=(replace(FINDING, evidence=()),)), ANNOTATED, SKIPPED) == []


def test_a_path_on_the_runner_is_that_of_the_repository_and_without_a_line_it_is_the_first() -> None:
    (entry,) = entries(replace(FULL, findings=(replace(FINDING, location=Location("/builds/group/name/src/b.py")),)))
    assert entry["location"] == {"path": "src/b.py", "lines": {"begin": 1}}


def test_fingerprints_outlive_a_move_and_tell_equal_findings_apart() -> None:
    moved = replace(FINDING, location=Location("src/app.py", 99))
    assert [entry["fingerprint"] for entry in entries(replace(FULL, findings=(FINDING,)))] == [
        entry["fingerprint"] for entry in entries(replace(FULL, findings=(moved,)))
    ]
    assert len(entries(replace(FULL, findings=(FINDING, moved)), FULL)) == 3


def test_hostile_text_is_bounded_and_free_of_commands() -> None:
    text = to_code_quality([of_text("a\x1b[31m\u202e##[error]x\n\ud800" + "z" * 100_000)])
    assert "##[" not in text
    assert len(text) < 3000
    for entry in entries(of_text("a\x1b[31m\u202eb\n" + "z" * 100)):
        assert entry["description"].startswith("ab zzz")

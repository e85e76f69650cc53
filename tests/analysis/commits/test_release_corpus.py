"""The whole corpus, where CICD_AGENTS_CORPUS names its folder; it is not part of the repository."""

import os
from collections import Counter
from pathlib import Path

import pytest
from benchmarks.release_accuracy import _rows, case_problem, planned, read_repository, tool_for

FOLDER = Path(os.environ.get("CICD_AGENTS_CORPUS", "no corpus")) / "release"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="CICD_AGENTS_CORPUS names no folder with a release corpus")


def test_all_messages_are_read_as_expected() -> None:
    cases = [case for case in _rows(FOLDER / "parse_cases.jsonl") if case["kind"] == "commit" and "input" in case]
    assert {case["id"]: problem for case in cases if (problem := case_problem(case))} == {}


def test_nearly_all_releases_are_planned_as_they_were_made() -> None:
    rows = [row for row in _rows(FOLDER / "ground_truth_dev.jsonl") if row["kind"] == "release"]
    repositories = {name: read_repository(FOLDER / f"{name.replace('/', '+')}.jsonl.gz") for name in {row["repo"] for row in rows}}
    right = Counter(planned(repositories[row["repo"]], row, tool_for(row)).bump.value == row["expected_bump"] for row in rows)
    assert right[True] / len(rows) >= 0.985

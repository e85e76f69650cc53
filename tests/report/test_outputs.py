"""Step outputs and GitLab's dotenv: the documented names, one line each, within the limits."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.samples import ANNOTATED, FULL, SKIPPED, of_text

from cicd_agents.domain.operation import OperationStatus
from cicd_agents.report.outputs import DOTENV_BYTES, DOTENV_VARIABLES, MAX_VALUE, to_dotenv, to_outputs

NAMES = [
    "outcome", "exit-code", "agent", "title", "category", "phase", "root-cause", "root-cause-line", "signature", "fingerprint", "confidence", "flaky",
    "location", "rerun", "report-path", "json-path", "comment-url", "issue-url",
]  # fmt: skip


def test_everything_that_is_known_is_an_output() -> None:
    outputs = to_outputs(
        FULL, report_path="out/report.md", json_path="out/report.json", comment_url="https://git.example/c", issue_url="https://git.example/i"
    )  # fmt: skip
    assert outputs == {
        "outcome": "fail", "exit-code": "0", "agent": "pipeline-doctor", "title": "yarn: lockfile is old", "category": "dependency_resolution",
        "phase": "build", "root-cause": "error Your lockfile needs to be updated.", "root-cause-line": "12", "signature": "yarn.frozen_lockfile",
        "fingerprint": "abcdef0123456789", "confidence": "0.87", "flaky": "yes", "location": "src/app.py:7:3", "rerun": "applied",
        "report-path": "out/report.md", "json-path": "out/report.json", "comment-url": "https://git.example/c", "issue-url": "https://git.example/i",
    }  # fmt: skip


def test_what_is_not_known_is_empty_and_the_names_and_their_order_stay() -> None:
    for report in (FULL, SKIPPED, ANNOTATED):
        assert list(to_outputs(report)) == NAMES
    skipped = to_outputs(SKIPPED)
    assert {name: value for name, value in skipped.items() if value} == {
        "outcome": "skipped", "exit-code": "0", "agent": "pipeline-doctor", "title": "Nothing to diagnose", "confidence": "0.00", "flaky": "unknown",
    }  # fmt: skip


def test_a_message_of_the_platform_is_the_root_cause_without_a_line() -> None:
    outputs = to_outputs(ANNOTATED)
    assert (outputs["root-cause"], outputs["root-cause-line"], outputs["location"]) == ("The hosted runner lost communication", "", "")


@pytest.mark.parametrize("status", list(OperationStatus))
def test_a_rerun_is_told_by_its_status(status: OperationStatus) -> None:
    first, second = FULL.operations
    assert to_outputs(replace(FULL, operations=(second, replace(first, status=status))))["rerun"] == str(status)


PIECES = ["\n", "\r", "\u2028", "\x85", "\x1b[31m", "$CI_JOB_TOKEN", "${X}", "$$", "=", "#", "'", '"', "🩺" * 200, "z" * 999]
TEXTS = st.lists(st.one_of(st.text(max_size=5), st.sampled_from(PIECES)), max_size=12).map("".join)


@settings(deadline=None)
@given(TEXTS)
def test_any_text_is_one_bounded_line(text: str) -> None:
    outputs = to_outputs(of_text(text), report_path=text, json_path=text, comment_url=text, issue_url=text)
    for value in outputs.values():
        assert len(value) <= MAX_VALUE
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", value)
        assert value == value.strip()


def read_dotenv(text: str) -> dict[str, str]:
    """A dotenv report as GitLab reads it: every line `NAME=value`, the first `=` divides, blanks around are dropped; nothing else is allowed."""
    values = {}
    for line in text.encode().splitlines(keepends=True):
        found = re.fullmatch(rb"(.*?)=(.*)\n", line)
        assert found
        name, value = (part.strip() for part in found.groups())
        assert re.fullmatch(rb"[A-Za-z0-9_]+", name)
        values[name.decode()] = value.decode()
    return values


@settings(deadline=None)
@given(TEXTS)
def test_any_text_stays_within_gitlabs_limits_and_nothing_is_expanded(text: str) -> None:
    outputs = to_outputs(of_text(text), report_path=text, json_path=text, comment_url=text, issue_url=text)
    dotenv = to_dotenv(outputs)
    assert len(dotenv.encode()) < DOTENV_BYTES
    assert "$" not in dotenv
    values = read_dotenv(dotenv)
    assert len(values) == len(NAMES) <= DOTENV_VARIABLES
    assert values["CICD_AGENTS_RESULT_OUTCOME"] == "inconclusive"
    for name, value in outputs.items():
        shown = values[f"CICD_AGENTS_RESULT_{name.upper().replace('-', '_')}"]
        whole = value.replace("$", "_").strip()
        assert shown in ("", whole) or (name in ("title", "root-cause") and whole.startswith(shown))


def test_the_largest_values_that_are_kept_still_fit_together() -> None:
    longest = {name: "é" * 200 if name in ("title", "root-cause", "location") or name.endswith(("path", "url")) else "x" * 100 for name in NAMES}
    dotenv = to_dotenv(longest)
    assert 4000 < len(dotenv.encode()) < DOTENV_BYTES
    assert list(read_dotenv(dotenv).values()) == list(longest.values())
    longer = read_dotenv(to_dotenv({name: f"{value}é" for name, value in longest.items()}))
    assert {name for name, value in longer.items() if value} == {"CICD_AGENTS_RESULT_TITLE", "CICD_AGENTS_RESULT_ROOT_CAUSE"}


def test_an_address_that_is_too_long_is_left_out_rather_than_cut() -> None:
    outputs = to_outputs(FULL, comment_url="https://git.example/" + "a" * 500)
    assert outputs["comment-url"].endswith("aaa")
    assert read_dotenv(to_dotenv(outputs))["CICD_AGENTS_RESULT_COMMENT_URL"] == ""
    assert to_outputs(FULL, comment_url="https://git.example/" + "a" * 1000)["comment-url"] == ""

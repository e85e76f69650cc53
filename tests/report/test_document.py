"""The report as data: the contract holds for every outcome, and no secret leaves by any format."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.report.samples import FULL, HOST, JOB, NOTHING, RUN

from cicd_agents.domain.context import Platform
from cicd_agents.domain.doctor import DoctorDetails, Excerpt, Flaky, RootCause, ScoredLine
from cicd_agents.domain.finding import Evidence, Finding, Fix, Location
from cicd_agents.domain.redaction import Redactor
from cicd_agents.domain.verdict import FailOn, Outcome, Verdict
from cicd_agents.report.annotations import to_annotations
from cicd_agents.report.code_quality import to_code_quality
from cicd_agents.report.document import Report, as_data, has_news, report_of
from cicd_agents.report.json_format import to_json, to_jsonl
from cicd_agents.report.junit import to_junit
from cicd_agents.report.markdown import to_markdown
from cicd_agents.report.outputs import to_dotenv, to_outputs
from cicd_agents.report.sarif import to_sarif
from cicd_agents.report.slack import to_slack
from cicd_agents.report.summary import to_summary
from cicd_agents.report.text import to_text

SCHEMA = json.loads((Path(__file__).parents[2] / "schema" / "report-v1.json").read_text())
TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
FORMATS: dict[str, Callable[[Report], str]] = {
    "text": to_text,
    "coloured": lambda report: to_text(report, colour=True),
    "markdown": to_markdown,
    "json": to_json,
    "jsonl": to_jsonl,
    "sarif": lambda report: to_sarif([report], "1.0"),
    "summary": lambda report: to_summary([report], (HOST,)),
    "junit": lambda report: to_junit([report]),
    "codequality": lambda report: to_code_quality([report]),
    "annotations": lambda report: "\n".join(to_annotations([report], Platform.GITHUB)),
    "slack": lambda report: json.dumps(to_slack(report, "org/repo")),
    "outputs": lambda report: json.dumps(to_outputs(report)),
    "dotenv": lambda report: to_dotenv(to_outputs(report)),
}
WITH_NOTES = {"text", "coloured", "markdown", "summary", "json", "jsonl"}
HOSTILE = "\x1b[31m\x1b]0;t\x07::set-output name=a::b\n##[error]x ```` </details> @team #123 <img src=x> \u202e\ud800" + "z" * 100_000


def failed(text: str = "boom", path: str = "src/app.py", line: int | None = 7) -> Verdict:
    place = Location(path, line, 3)
    fix = Fix("quick", f"Try {text}", f"because {text}", (f"echo {text}",), 0.6)
    root, further = RootCause(12, text, f"step {text}", place), RootCause(30, text, None, None)
    details = DoctorDetails(
        "github", "ci.log", 40, 400, "test", "test_failure", "demo.rule", 0.8, root, (ScoredLine(12, 0.8, "demo.rule"), ScoredLine(5, 0.3, None)),
        (fix,), Excerpt(11, (f"before {text}", text)), (further,), docs="https://docs.example/rule", flaky=Flaky(reason=text),
    )  # fmt: skip
    finding = Finding("demo.rule", text, "error", 0.8, (Evidence("log-line", "12", text),), place, (fix,))
    return Verdict("pipeline-doctor", Outcome.FAIL, text, text, details, (finding,), (text,))


VERDICTS = {
    "failed": failed(),
    "failed, no column or line": failed(line=None),
    "hostile": failed(HOSTILE, HOSTILE),
    "everything": Verdict("pipeline-doctor", Outcome.FAIL, FULL.title, FULL.summary, FULL.details, FULL.findings, FULL.notes, FULL.operations),
    "inconclusive": Verdict("pipeline-doctor", Outcome.INCONCLUSIVE, "No cause found", "why", replace(NOTHING, candidates=(ScoredLine(3, 0.2, None),))),
    "skipped": Verdict("pipeline-doctor", Outcome.SKIPPED, "Nothing to diagnose", "It passed.", NOTHING),
}


def report(verdict: Verdict, fail_on: FailOn = FailOn.NEVER, known: tuple[str, ...] = ()) -> Report:
    return report_of(verdict, fail_on, 1.23456, Redactor(known))


@pytest.mark.parametrize("verdict", VERDICTS.values(), ids=VERDICTS.keys())
def test_json_and_jsonl_say_the_same_and_hold_to_the_schema(verdict: Verdict) -> None:
    made = report(verdict)
    document, line = to_json(made), to_jsonl(made)
    assert document.isascii()
    assert line.isascii()
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert json.loads(document) == json.loads(line)
    jsonschema.validate(json.loads(document), SCHEMA)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_json_keeps_the_order_of_the_contract() -> None:
    assert list(json.loads(to_json(report(VERDICTS["failed"])))) == [
        "schema", "agent", "outcome", "exit_code", "title", "summary", "findings", "operations", "details", "notes", "duration_seconds",
        "advice",
    ]  # fmt: skip


def test_the_json_holds_every_value_of_the_verdict() -> None:
    found = json.loads(to_json(report(VERDICTS["failed"], FailOn.FAIL)))
    fix = {"kind": "quick", "title": "Try boom", "detail": "because boom", "commands": ["echo boom"], "confidence": 0.6}
    place = {"path": "src/app.py", "line": 7, "column": 3}
    assert found == {
        "schema": "cicd-agents/report/v1", "agent": "pipeline-doctor", "outcome": "fail", "exit_code": 1, "title": "boom", "summary": "boom",
        "findings": [
            {"id": "demo.rule", "title": "boom", "severity": "error", "confidence": 0.8,
             "evidence": [{"kind": "log-line", "where": "12", "text": "boom"}], "location": place, "fixes": [fix]},
        ],
        "operations": [],
        "details": {
            "platform": "github", "log": "ci.log", "lines": 40, "bytes": 400, "phase": "test", "category": "test_failure", "signature": "demo.rule",
            "confidence": 0.8, "root_cause": {"line": 12, "text": "boom", "step": "step boom", "location": place},
            "candidates": [{"line": 12, "score": 0.8, "signature": "demo.rule"}, {"line": 5, "score": 0.3, "signature": None}], "fixes": [fix],
            "excerpt": {"first": 11, "lines": ["before boom", "boom"]},
            "further_failures": [{"line": 30, "text": "boom", "step": None, "location": None}], "transient": False, "docs": "https://docs.example/rule",
            "flaky": {"verdict": "unknown", "pass_rate": None, "runs": 0, "reason": "boom", "interval": None, "evidence": []},
            "fingerprint": "", "job": None, "run_url": None, "job_url": None, "other_jobs": [], "changes": None, "similar": None,
        },
        "notes": ["boom"], "duration_seconds": 1.235, "advice": None,
    }  # fmt: skip


def test_the_json_holds_what_is_known_beside_the_log() -> None:
    found = json.loads(to_json(FULL))
    jsonschema.validate(found, SCHEMA)
    details = found["details"]
    assert (details["fingerprint"], details["job"], details["run_url"], details["job_url"]) == ("abcdef0123456789", "build", RUN, JOB)
    proof = {"kind": "run", "where": "41", "text": "attempt 1 failed, attempt 2 passed"}
    assert details["flaky"] == {
        "verdict": "yes", "pass_rate": 0.7, "runs": 10, "reason": "It passed and failed on the same commit.", "interval": [0.4, 0.89], "evidence": [proof],
    }  # fmt: skip
    changes = details["changes"]
    assert changes["packages"][:2] == [
        {"file": "yarn.lock", "package": "lodash", "old": "4.17.20", "new": "4.17.21"},
        {"file": "yarn.lock", "package": "left-pad", "old": None, "new": "1.3.0"},
    ]
    assert changes["suspects"][1] == {"sha": "d" * 40, "subject": "Tidy", "author": "", "reasons": [], "url": ""}
    assert (changes["good_sha"], changes["bad_sha"], changes["commits"], changes["complete"]) == ("a" * 40, "b" * 40, 3, False)
    assert (changes["files"], changes["ci_files"]) == (["src/app.py", "yarn.lock"], [".github/workflows/ci.yml"])
    assert details["similar"] == {
        "fingerprint": "abcdef0123456789", "count": 4, "first_seen": "2026-01-02T03:04:05Z", "last_seen": "2026-03-04T05:06:07Z",
        "branches": ["main", "dev"], "url": "https://git.example/run/9",
    }  # fmt: skip
    assert details["other_jobs"][1] == {
        "job": "test (3.12)", "title": "", "line": None, "text": "", "category": None, "confidence": 0.0, "same": True, "url": "",
    }  # fmt: skip
    assert [(item["kind"], item["status"], item["result"]) for item in found["operations"]] == [
        ("RerunJobs", "applied", "Started 1 job."), ("CreateIssue", "refused", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(("outcome", "news"), [(Outcome.FAIL, True), (Outcome.INCONCLUSIVE, True), (Outcome.SKIPPED, False), (Outcome.PASS, False)])
def test_only_a_cause_or_a_vain_search_for_one_is_news(outcome: Outcome, news: bool) -> None:
    assert has_news(replace(FULL, outcome=outcome)) is news


def test_as_data_leaves_a_class_and_plain_values_as_they_are() -> None:
    assert as_data(Report) is Report
    assert as_data([1, None, (True, Outcome.PASS)]) == [1, None, [True, "pass"]]


@pytest.mark.parametrize(
    ("outcome", "codes"),
    [
        (Outcome.PASS, (0, 0, 0)),
        (Outcome.SKIPPED, (0, 0, 0)),
        (Outcome.INCONCLUSIVE, (0, 0, 3)),
        (Outcome.FAIL, (0, 1, 1)),
    ],
)
def test_the_exit_code_follows_from_outcome_and_policy_alone(outcome: Outcome, codes: tuple[int, ...]) -> None:
    verdict = Verdict("pipeline-doctor", outcome, "t", "s", NOTHING)
    assert tuple(report(verdict, policy).exit_code for policy in (FailOn.NEVER, FailOn.FAIL, FailOn.INCONCLUSIVE)) == codes


# Words of ours from closed lists, numbers as text, and the name of the log (a test of its own).
CLOSED = {"agent", "platform", "phase", "category", "kind", "severity", "where", "verdict", "log"}


def filled(value: Any, secret: str) -> tuple[Any, int]:
    """A copy with the secret appended to every free text, and how many there are."""
    if isinstance(value, StrEnum):
        return value, 0
    if isinstance(value, str):
        return f"{value} {secret}", 1
    if isinstance(value, tuple):
        parts = [filled(part, secret) for part in value]
        return tuple(part for part, _ in parts), sum(count for _, count in parts)
    if is_dataclass(value) and not isinstance(value, type):
        made = {field.name: filled(getattr(value, field.name), secret) for field in fields(value) if field.name not in CLOSED}
        return replace(value, **{name: part for name, (part, _) in made.items()}), sum(count for _, count in made.values())
    return value, 0


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("secret", [TOKEN, "correct-horse-battery"], ids=["shape", "known"])
def test_a_secret_in_every_text_leaves_by_no_format_and_is_counted(form: str, secret: str) -> None:
    verdict, count = filled(VERDICTS["everything"], secret)
    assert secret in verdict.details.flaky.reason
    assert secret in verdict.details.changes.suspects[0].url
    made = report(verdict, known=("correct-horse-battery",))
    assert count > 80
    assert made.notes[-1] == f"{count} secrets redacted."
    assert secret not in FORMATS[form](made)
    if form in WITH_NOTES:
        assert f"{count} secrets redacted." in FORMATS[form](made)


def test_one_secret_is_counted_in_the_singular_and_none_is_not_told() -> None:
    assert report(replace(VERDICTS["skipped"], summary=TOKEN)).notes == ("1 secret redacted.",)
    assert report(VERDICTS["skipped"]).notes == ()


def test_a_verdict_without_secrets_is_not_changed() -> None:
    verdict = VERDICTS["failed"]
    made = report(verdict)
    assert (made.title, made.summary, made.details, made.findings, made.notes) == (
        verdict.title, verdict.summary, verdict.details, verdict.findings, verdict.notes,
    )  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_a_secret_in_the_name_of_the_log_leaves_by_no_format(form: str) -> None:
    verdict = replace(failed(), details=replace(failed().details, log=f"{TOKEN}.log"), findings=(replace(failed().findings[0], location=None),))
    assert TOKEN not in FORMATS[form](report(verdict))


@pytest.mark.parametrize("form", FORMATS)
def test_a_private_key_over_several_lines_of_the_excerpt_leaves_by_no_format(form: str) -> None:
    body = "MIIEowIBAAKCAQEAx3bQ7V9pZk0uT4yqk1mW2n8R5s6D7f8G9h0JkLmNoPqRsTuV"
    lines = ("boom", "-----BEGIN RSA PRIVATE KEY-----", body, "-----END RSA PRIVATE KEY-----")
    verdict = failed()
    made = report(replace(verdict, details=replace(verdict.details, excerpt=Excerpt(12, lines))))
    assert body not in FORMATS[form](made)


@pytest.mark.parametrize("form", ["json", "jsonl", "sarif"])
@pytest.mark.parametrize("command", ["##[add-mask]x", "##vso[task.setvariable variable=a]b"])
def test_json_on_the_console_of_a_runner_is_no_workflow_command(form: str, command: str) -> None:
    assert command.partition("[")[0] + "[" not in FORMATS[form](report(failed(f"text {command}")))

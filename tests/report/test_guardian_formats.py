"""The guardian's report as data and for other places: JSON by the schema, files, step outputs, Slack, annotations; no secret leaves by any of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from math import inf, nan
from pathlib import Path
from typing import Any, NoReturn

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.guardian_checks import HOSTILE, UNSEEN
from tests.report.guardian_samples import (
    BAD_TABLE,
    BLIND,
    CHARTS,
    DASHBOARD,
    DETAILS,
    ERRORS,
    FULL,
    GOOD_TABLE,
    HOST,
    OPERATIONS,
    PASSED,
    STATUSES,
    UNDECIDED,
    of_table,
    of_text,
    report_of_details,
)

from cicd_agents.domain.context import Platform
from cicd_agents.domain.guardian import GuardianDetails, QueryRecord
from cicd_agents.domain.operation import OperationStatus
from cicd_agents.domain.redaction import Redactor
from cicd_agents.domain.verdict import FailOn, GuardianVerdict
from cicd_agents.report.document import GuardianReport, report_of
from cicd_agents.report.guardian_annotations import to_guardian_annotations
from cicd_agents.report.guardian_formats import RENDER, guardian_files
from cicd_agents.report.guardian_incident import to_incident
from cicd_agents.report.guardian_outputs import PLACES, to_guardian_outputs
from cicd_agents.report.guardian_slack import message_kind, to_guardian_slack
from cicd_agents.report.json_format import to_json, to_jsonl
from cicd_agents.report.outputs import DOTENV_BYTES, DOTENV_VARIABLES, MAX_VALUE, to_dotenv

SCHEMA = json.loads((Path(__file__).parents[2] / "schema" / "report-v1.json").read_text())
NAMES = [
    "outcome", "exit-code", "agent", "title", "decision", "status", "stage", "share", "next-stage", "risk-score", "rolled-back", "report-path", "json-path",
    "html-path", "comment-url", "issue-url",
]  # fmt: skip


def strict(text: str) -> Any:
    """JSON as other readers take it: without NaN and Infinity."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("report", [*STATUSES.values(), of_table(*BAD_TABLE), of_text(HOSTILE)], ids=[*STATUSES, "table", "hostile"])
def test_json_and_jsonl_say_the_same_and_hold_to_the_schema(report: GuardianReport) -> None:
    document, line = to_json(report), to_jsonl(report)
    assert strict(document) == strict(line)
    assert line.count("\n") == 1
    jsonschema.validate(strict(document), SCHEMA)


def test_the_json_has_every_field_of_the_details_and_the_numbers_as_they_are() -> None:
    details = strict(to_json(FULL))["details"]
    assert list(details) == [field.name for field in fields(GuardianDetails)]
    assert (details["status"], details["decision"], details["metrics"][0]["canary"], details["metrics"][0]["limit"]) == ("fail", "rollback", 0.052, 0.002)
    assert details["charts"][0]["canary"][0] == [1767348000.0, 0.16]
    assert details["budget"] == [["error_rate", 0.005], ["latency_p95", 0.002]]


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_what_is_no_number_is_null_and_still_holds_to_the_schema(value: float) -> None:
    row = replace(ERRORS, baseline=value, canary=value, delta=value, limit=value, effect=value, p_value=value, needed_minutes=value)
    details = replace(
        DETAILS, metrics=(row,), charts=(replace(CHARTS[0], canary=((1.0, value), (2.0, 0.1)), limit=value),),
        queries=(QueryRecord("m", "canary", "q", 1, 1, value),),
        triggers_next_stage=(replace(DETAILS.triggers_next_stage[0], limit=value),), risk_terms=(replace(DETAILS.risk_terms[0], value=value),),
    )  # fmt: skip
    found = strict(to_json(report_of_details(details)))
    jsonschema.validate(found, SCHEMA)
    assert found["details"]["charts"][0]["canary"] == [[1.0, None], [2.0, 0.1]]
    for render in RENDER.values():
        assert render(report_of_details(details))


def test_numbers_of_other_agents_may_not_be_null() -> None:
    broken = strict(to_json(FULL)) | {"duration_seconds": None}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)


def test_each_format_is_rendered_and_each_file_written() -> None:
    assert list(RENDER) == ["text", "markdown", "json", "jsonl", "html"]
    beginnings = {name: render(FULL)[:12] for name, render in RENDER.items()}
    assert beginnings == {
        "text": "🛡️ Deploymen", "markdown": "## 🛡️ Deploy", "json": '{\n  "schema"', "jsonl": '{"schema":"c', "html": "<!DOCTYPE ht",
    }  # fmt: skip
    files = guardian_files(FULL, ["json", "sarif", "html", "markdown"], (HOST,))
    assert list(files) == ["report.json", "report.html", "report.md"]
    assert f"[Dashboard]({DASHBOARD})" in files["report.md"]
    assert f'href="{DASHBOARD}"' in files["report.html"]
    assert files["report.json"] == to_json(FULL)


# Secrets


def filled(value: Any, secret: str) -> tuple[Any, int]:
    """A copy with the secret appended to every free text, and how many there are."""
    if isinstance(value, str) and not isinstance(value, StrEnum):
        return f"{value} {secret}", 1
    if isinstance(value, tuple):
        parts = [filled(part, secret) for part in value]
        return tuple(part for part, _ in parts), sum(count for _, count in parts)
    if is_dataclass(value) and not isinstance(value, type):
        made = {field.name: filled(getattr(value, field.name), secret) for field in fields(value)}
        return replace(value, **{name: part for name, (part, _) in made.items()}), sum(count for _, count in made.values())
    return value, 0


FORMS: dict[str, Callable[[GuardianReport], str]] = {
    **RENDER,
    "slack": lambda report: json.dumps(to_guardian_slack(report, "org/repo")),
    "annotations": lambda report: "".join(to_guardian_annotations(report, Platform.GITHUB)),
    "outputs": lambda report: json.dumps(to_guardian_outputs(report)),
    "incident": lambda report: "\n".join(to_incident(report)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", ["ghp_" + "a1B2c3D4e5F6" * 3, "correct-horse-battery"], ids=["shape", "known"])
def test_a_secret_in_every_text_leaves_by_no_form_and_is_counted(form: str, secret: str) -> None:
    verdict = GuardianVerdict("deployment-guardian", FULL.outcome, FULL.title, FULL.summary, DETAILS, FULL.findings, FULL.notes, FULL.operations)
    full, count = filled(verdict, secret)
    assert secret in full.details.charts[0].title
    assert secret in full.details.budget[0][0]
    made = report_of(full, FailOn.FAIL, 0.4, Redactor(("correct-horse-battery",)))
    assert count > 120
    assert made.notes[-1] == f"{count} secrets redacted."
    assert made.exit_code == 1
    assert secret not in FORMS[form](made)


# Step outputs


def test_everything_that_is_known_is_an_output() -> None:
    places = {"report-path": "out/report.md", "json-path": "out/report.json", "html-path": "out/report.html", "comment-url": "https://git.example/c"}
    assert to_guardian_outputs(PASSED, next_share=0.5, places=places) == {
        "outcome": "pass", "exit-code": "0", "agent": "deployment-guardian", "title": PASSED.title, "decision": "promote", "status": "pass", "stage": "2",
        "share": "0.25", "next-stage": "0.5", "risk-score": "0.04", "rolled-back": "false", "report-path": "out/report.md", "json-path": "out/report.json",
        "html-path": "out/report.html", "comment-url": "https://git.example/c", "issue-url": "",
    }  # fmt: skip


@pytest.mark.parametrize("report", STATUSES.values(), ids=STATUSES.keys())
def test_the_names_and_their_order_stay(report: GuardianReport) -> None:
    assert list(to_guardian_outputs(report)) == NAMES
    assert set(PLACES) <= set(NAMES)


def test_a_next_stage_is_only_told_to_those_who_may_go_on() -> None:
    assert [to_guardian_outputs(report, next_share=0.5)["next-stage"] for report in (PASSED, UNDECIDED, BLIND, FULL)] == ["0.5", "", "", ""]
    assert to_guardian_outputs(PASSED)["next-stage"] == "", "after the last stage there is none"


def test_rolled_back_is_true_only_when_the_old_version_is_back() -> None:
    first, rollback, request = OPERATIONS
    failed = replace(rollback, status=OperationStatus.FAILED)
    unseen = replace(rollback, kind="VerifyRecovery", status=OperationStatus.FAILED)
    reports = (
        FULL, replace(FULL, operations=(first, failed, request)), replace(FULL, operations=(first, rollback, unseen)), replace(FULL, operations=()), PASSED,
    )  # fmt: skip
    assert [to_guardian_outputs(report)["rolled-back"] for report in reports] == ["true", "false", "false", "false", "false"]


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.text(max_size=5), st.sampled_from(["\n", "\u2028", "\x1b[31m", "$CI_JOB_TOKEN", "=", "🩺" * 200, "z" * 999])), max_size=12).map(
        "".join
    )
)
def test_any_text_is_one_bounded_line_and_fits_gitlabs_limits(text: str) -> None:
    outputs = to_guardian_outputs(of_text(text), places=dict.fromkeys(PLACES, text))
    for value in outputs.values():
        assert len(value) <= MAX_VALUE
        assert "\n" not in value
        assert not UNSEEN.search(value)
    dotenv = to_dotenv(outputs)
    assert len(dotenv.encode()) < DOTENV_BYTES
    assert dotenv.count("\n") == len(NAMES) <= DOTENV_VARIABLES
    assert "$" not in dotenv


def test_numbers_that_are_none_are_empty_outputs() -> None:
    outputs = to_guardian_outputs(report_of_details(replace(PASSED.details, share=nan, risk_score=inf)), next_share=nan)
    assert (outputs["share"], outputs["risk-score"], outputs["next-stage"]) == ("", "", "")


# Slack


def texts_of(message: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in message["blocks"] if "text" in block]


def test_a_message_says_decision_numbers_place_and_the_first_thing_to_do() -> None:
    message = to_guardian_slack(FULL, "org/shop", "https://git.example/c")
    head, decision, place, todo = texts_of(message)
    assert head == "Deployment-guardian: NO-GO · api in production · org/shop"
    assert decision == (
        "*Decision: ROLLBACK.* Error rate spike: 312 of 6000 against 18 of 18000; beyond the tolerance, and chance and the usual noise do not explain it. "
        "A rollback is safe: no migration ran.\n• Error rate 5.2 % (baseline 0.1 %, limit ≤ 0.2 %, +5.1 points, 52 ×)\n"
        "*Carried out: 2 of 3 operations (1 waiting for an approval).*"
    )
    assert place.splitlines()[4] == "Stage: stage 2 of 4, 25 % of the traffic"
    assert todo == "To do: Roll back to 1.4.1\n`argocd app rollback api 41 --project shop`"
    assert [(item["text"]["text"], item["url"]) for item in message["blocks"][-1]["elements"]] == [
        ("Open the comment", "https://git.example/c"), ("Dashboard", DASHBOARD),
    ]  # fmt: skip


ABOUT = "Error rate: too little to tell, {} of {} against {}; about {} more requests would tell (and {})."


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ABOUT.format(3, 500, 12, "1,200", "CPU"), ABOUT.format(7, 900, 30.5, "800", "Memory"), True),
        ("the stage needs 5 more minutes.", "the stage needs 4.", False),
        ("P95 latency looks worse", "P99 latency looks worse", False),
        ("Cannot see: the newest sample is 7 minutes old.", "Cannot see: there is no usable sample.", False),
        ("x" * 5000 + "1", "x" * 5000 + "2", True),
    ],
)
def test_messages_are_of_one_kind_where_only_numbers_differ(one: str, other: str, same: bool) -> None:
    assert (message_kind("hold", "inconclusive", one) == message_kind("hold", "inconclusive", other)) is same
    assert message_kind("hold", "inconclusive", one) != message_kind("hold", "no-data", one)


@pytest.mark.parametrize("text", [HOSTILE, "<!channel>", "<https://evil.example|x>", "`" * 50, "z" * 100_000, "&" * 5000])
def test_a_hostile_or_long_text_stays_text_within_slacks_limits(text: str) -> None:
    message = to_guardian_slack(of_text(text), text)
    for part in texts_of(message)[1:]:
        assert "<" not in part
        assert 0 < len(part) <= 3000
    assert len(texts_of(message)[0]) <= 150
    assert all(len(item["text"]["text"]) <= 75 for block in message["blocks"] for item in block.get("elements", ()))
    assert len(message["blocks"]) <= 6


def test_a_good_plain_table_has_no_button_and_never_says_the_other_word() -> None:
    message = to_guardian_slack(of_table(*GOOD_TABLE))
    assert "ROLLBACK" not in json.dumps(message)
    assert "PROCEED TO NEXT STAGE" in json.dumps(message)
    assert [block["type"] for block in message["blocks"]] == ["header", "section", "section"]


# Annotations


def test_a_no_go_is_one_error_and_a_hold_one_warning() -> None:
    (error,) = to_guardian_annotations(FULL, Platform.GITHUB)
    assert error.startswith("::error title=Deployment-guardian%3A NO-GO%2C api in production::Error rate spike: 312 of 6000")
    assert error.endswith("%0ATo do: Roll back to 1.4.1%0ACarried out: 2 of 3 operations (1 waiting for an approval).")
    (warning,) = to_guardian_annotations(BLIND, Platform.GITHUB)
    assert warning.startswith("::warning title=Deployment-guardian%3A HOLD (cannot see)%2C api in production::Cannot see: ")


def test_a_go_and_other_platforms_have_no_annotation() -> None:
    assert to_guardian_annotations(PASSED, Platform.GITHUB) == ()
    assert to_guardian_annotations(FULL, Platform.GITLAB) == ()


def test_a_hostile_text_is_one_command_of_one_line() -> None:
    (line,) = to_guardian_annotations(of_text(HOSTILE), Platform.GITHUB)
    assert "\n" not in line
    assert "\r" not in line
    assert not UNSEEN.search(line)
    assert line.startswith("::error title=")
    assert line.count("::error") == 1

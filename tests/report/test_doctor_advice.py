"""A model's advice in the doctor's report: where it stands, where it never stands, and that it is the first to go where room is short."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.report.samples import FULL, HOST, SKIPPED
from tests.report.test_advice import ADVICE

from cicd_agents.domain.advice import Advice
from cicd_agents.domain.context import Platform
from cicd_agents.report.advice import HEADING, advice_text
from cicd_agents.report.annotations import to_annotations
from cicd_agents.report.code_quality import to_code_quality
from cicd_agents.report.document import Report
from cicd_agents.report.json_format import to_json, to_jsonl
from cicd_agents.report.junit import to_junit
from cicd_agents.report.markdown import to_markdown
from cicd_agents.report.outputs import to_outputs
from cicd_agents.report.sarif import to_sarif
from cicd_agents.report.slack import to_slack
from cicd_agents.report.summary import to_summary
from cicd_agents.report.text import to_text

EXPLAINED = replace(FULL, advice=ADVICE)
SILENT = replace(FULL, advice=Advice(problem="The model did not answer in time.", model="gemini-2.5-flash", calls=1))
HOSTS = (HOST,)


def test_text_has_the_explanation_after_what_to_do_and_nothing_else_is_other() -> None:
    plain, explained = to_text(FULL), to_text(EXPLAINED)
    assert explained.index("What to do") < explained.index(HEADING) < explained.index("Changed since")
    assert explained.replace(f"{advice_text(ADVICE)}\n", "") == plain


@pytest.mark.parametrize("made", [to_markdown, lambda report, hosts: to_summary((report,), hosts)], ids=["comment", "summary"])
def test_markdown_has_the_explanation_after_the_fixes_and_the_footer_tells_whose_it_is(made: object) -> None:
    plain, explained = made(FULL, HOSTS), made(EXPLAINED, HOSTS)  # type: ignore[operator]
    assert explained.index("### Fixes") < explained.index(f"### {HEADING}") < explained.index("### Changed since")
    assert "Diagnosed by rules, without a model." in plain
    assert "Diagnosed by rules; the explanation is a model's." in explained
    begin, end = explained.index(f"### {HEADING}"), explained.index("### Changed since")
    assert (explained[:begin] + explained[end:]).replace("; the explanation is a model's", ", without a model") == plain


def test_where_no_model_answered_the_footer_says_so_and_the_reason_is_one_line() -> None:
    text = to_markdown(SILENT, HOSTS)
    assert "There is no explanation: The model did not answer in time." in text
    assert "Diagnosed by rules, without a model." in text


def test_json_holds_it_as_the_last_field_and_null_where_nobody_was_asked() -> None:
    for made in (to_json, to_jsonl):
        data = json.loads(made(EXPLAINED))
        assert list(data)[-1] == "advice"
        assert data["advice"]["narrative"] == ADVICE.narrative
        assert data["advice"]["citations"] == [{"item": "log:test", "line": 3, "quote": "expected 119 but received 100"}]
        assert json.loads(made(FULL))["advice"] is None


@pytest.mark.parametrize("platform", list(Platform))
def test_nothing_of_it_is_in_any_other_format(platform: Platform) -> None:
    def elsewhere(report: Report) -> list[object]:
        reports = (report,)
        return [to_outputs(report), to_annotations(reports, platform), to_slack(report), to_sarif(reports, "1"), to_junit(reports), to_code_quality(reports)]

    for base in (FULL, SKIPPED):
        assert elsewhere(replace(base, advice=ADVICE)) == elsewhere(base)


def test_a_comment_that_is_too_long_loses_the_explanation_before_anything_of_the_engine() -> None:
    plain = to_markdown(FULL, HOSTS)
    short = to_markdown(EXPLAINED, HOSTS, len(plain.encode()) + 700)
    assert HEADING not in short
    assert "> Left out because the text would be too long here: explanation." in short
    assert "Log excerpt around line" in short
    assert HEADING in to_markdown(EXPLAINED, HOSTS, len(to_markdown(EXPLAINED, HOSTS).encode()))

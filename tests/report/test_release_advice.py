"""A model's words in the report of a release: marked, escaped, and in no output."""

from __future__ import annotations

import json
from dataclasses import replace

from cicd_agents.domain.advice import Advice, Citation, Usage
from cicd_agents.domain.redaction import Redactor
from cicd_agents.domain.release import ReleaseDetails
from cicd_agents.domain.verdict import FailOn, Outcome, ReleaseVerdict
from cicd_agents.report.advice import HEADING
from cicd_agents.report.document import ReleaseReport, report_of
from cicd_agents.report.json_format import to_json
from cicd_agents.report.release import to_release_markdown, to_release_text
from cicd_agents.report.release_outputs import to_release_outputs

DETAILS = ReleaseDetails("1.0.0", "1.1.0", "minor", (), "## 1.1.0\n\n- a change\n", (), "a feature", tag="v1.1.0")
ADVICE = Advice(
    narrative="Carts <b>sum</b> up.\n::error::pwned", extra=(("title", "Carts"), ("highlights", "- Sums\n- Rounds"), ("migration", "Call `sum`.")),
    citations=(Citation("commit:1a2b3c4d5e", 1, "feat: sum up"),), model="gemini-2.5-flash", usage=Usage(1000, 0, 50, 0), cost=0.001, calls=1,
)  # fmt: skip


def report(advice: Advice | None) -> ReleaseReport:
    verdict = ReleaseVerdict("release-manager", Outcome.PASS, "1.0.0 → 1.1.0 (minor)", "a feature", DETAILS, advice=advice)
    return report_of(verdict, FailOn.INCONCLUSIVE, 0.0, Redactor())


def test_without_a_model_the_report_is_what_it_was() -> None:
    for render in (to_release_text, to_release_markdown):
        assert HEADING not in render(report(None))
        assert render(report(Advice())) == render(report(None)), "no model was asked"


def test_the_explanation_stands_before_the_changelog_with_its_parts_and_its_price() -> None:
    for render in (to_release_text, to_release_markdown):
        text = render(report(ADVICE))
        places = [text.index(words) for words in (HEADING, "Title", "Highlights", "Sums", "Migration", "gemini-2.5-flash", "a change")]
        assert places == sorted(places)


def test_its_words_are_escaped() -> None:
    markdown = to_release_markdown(report(ADVICE))
    assert "<b>" not in markdown
    for render in (to_release_text, to_release_markdown):
        assert not [line for line in render(report(ADVICE)).splitlines() if line.lstrip().startswith("::")]


def test_a_failure_is_one_sentence() -> None:
    failed = replace(Advice(), model="gemini-2.5-flash", problem="Gemini did not answer in time.")
    assert "There is no explanation: Gemini did not answer in time." in to_release_text(report(failed))


def test_the_json_has_all_of_it_and_the_outputs_have_nothing() -> None:
    assert json.loads(to_json(report(ADVICE)))["advice"]["extra"][0] == ["title", "Carts"]
    assert to_release_outputs(report(ADVICE)) == to_release_outputs(report(None))

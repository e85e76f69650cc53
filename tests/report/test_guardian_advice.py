"""A model's words in the guardian's report: marked, escaped, told by whom, and in nothing that goes elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.report.guardian_checks import HOSTILE, UNSEEN, Page, commands, live
from tests.report.guardian_samples import FULL, PASSED

from cicd_agents.domain.advice import Advice, Citation, Hypothesis, Suggestion, Usage
from cicd_agents.domain.context import Platform
from cicd_agents.report.advice import HEADING
from cicd_agents.report.document import GuardianReport
from cicd_agents.report.guardian import to_guardian_text
from cicd_agents.report.guardian_annotations import to_guardian_annotations
from cicd_agents.report.guardian_html import to_guardian_html
from cicd_agents.report.guardian_incident import to_incident
from cicd_agents.report.guardian_markdown import to_guardian_markdown
from cicd_agents.report.guardian_outputs import to_guardian_outputs
from cicd_agents.report.guardian_slack import to_guardian_slack
from cicd_agents.report.json_format import to_json

PROOF = (Citation("table:metrics", 2, "error_rate | Error rate | fail"),)
ADVICE = Advice(
    narrative="Quokka: errors rose at minute 12.\nMemory did not.",
    hypotheses=(Hypothesis("error_rate", "Quokka broke `price()`.", 0.7, PROOF), Hypothesis("", "Or not.", 0.2, PROOF)),
    suggestions=(Suggestion("Quokka: look at the pods", commands=("kubectl get pods -n prod",)),), extra=(("next", "Quokka logs\nthen traces"),),
    citations=PROOF, concern="Quokka concern", confidence=0.6, dropped=(("secret", 2),), model="gemini-2.5-flash", usage=Usage(1000, 0, 50, 0),
    seconds=2.0, cost=0.001, calls=1,
)  # fmt: skip
FAILED = Advice(model="gemini-2.5-flash", problem="Gemini did not answer in time.")
FORMS = {"text": to_guardian_text, "markdown": to_guardian_markdown, "html": to_guardian_html}


def hostile() -> Advice:
    """An advice whose every text is hostile, as if nothing had been checked."""
    proof = (Citation(HOSTILE, 1, HOSTILE),)
    return Advice(
        HOSTILE, (Hypothesis(HOSTILE, HOSTILE, 0.5, proof),), (Suggestion(HOSTILE, HOSTILE, (HOSTILE,)),), ((HOSTILE, HOSTILE),), proof, HOSTILE, 0.5,
        ((HOSTILE, 1),), HOSTILE,
    )  # fmt: skip


def told(form: str, advice: Advice | None, report: GuardianReport = FULL) -> str:
    return FORMS[form](replace(report, advice=advice))


@pytest.mark.parametrize("form", FORMS)
def test_without_a_model_the_report_says_so_and_nothing_more(form: str) -> None:
    assert HEADING not in told(form, None)
    assert told(form, Advice()) == told(form, None)
    assert form == "text" or "by statistics, without a model" in told(form, None)


@pytest.mark.parametrize("form", FORMS)
def test_all_parts_are_told_and_marked_as_a_models(form: str) -> None:
    made = told(form, ADVICE) if form != "html" else Page(told(form, ADVICE)).text
    for words in (
        HEADING, "Quokka: errors rose at minute 12.", "Memory did not.", "error", "None of the candidates", "70%", "Suggestion (not tried)",
        "kubectl get pods -n prod", "What to look at next", "then traces", "Quokka concern", "table:metrics", "gemini-2.5-flash",
        "0.0010 US dollars", "secret (2)",
    ):  # fmt: skip
        assert words in made, words


def test_the_footer_says_whose_the_explanation_is_only_where_there_is_one() -> None:
    assert "by statistics; the explanation is a model's. Exit code 1" in told("markdown", ADVICE)
    assert "by statistics; the explanation is a model's" in Page(told("html", ADVICE)).text
    for form in ("markdown", "html"):
        assert "by statistics, without a model" in told(form, FAILED)


@pytest.mark.parametrize("form", FORMS)
def test_a_failure_is_one_sentence(form: str) -> None:
    assert "There is no explanation: Gemini did not answer in time." in told(form, FAILED)


def test_the_page_with_hostile_advice_is_well_formed_and_harmless() -> None:
    page, plain = Page(told("html", hostile())), Page(told("html", None))
    assert page.wrong == []
    assert page.open == []
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in plain.elements} | {"ol", "section", "code", "pre"}
    assert not [value for _, attributes in page.elements for name, value in attributes.items() if name.startswith("on") or (name == "href" and "evil" in value)]
    assert not UNSEEN.search(page.text)
    assert [attributes for _, attributes in page.elements if attributes.get("id") == "explanation"]


def test_hostile_advice_brings_nothing_to_life() -> None:
    assert live(told("markdown", hostile(), PASSED)) == live(told("markdown", None, PASSED))
    for form in ("text", "markdown"):
        assert commands(told(form, hostile())) == []


def test_the_json_has_all_of_it() -> None:
    assert json.loads(to_json(replace(FULL, advice=ADVICE)))["advice"]["narrative"].startswith("Quokka")


def test_what_goes_elsewhere_has_nothing_of_it() -> None:
    explained = replace(FULL, advice=ADVICE)
    assert to_guardian_slack(explained) == to_guardian_slack(FULL)
    assert to_guardian_outputs(explained) == to_guardian_outputs(FULL)
    assert to_incident(explained) == to_incident(FULL)
    for platform in Platform:
        assert to_guardian_annotations(explained, platform) == to_guardian_annotations(FULL, platform)

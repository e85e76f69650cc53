"""The explanation in a report: marked as a model's, with what it took; nothing of it comes to life, whatever it says."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.test_escape import MARKDOWN, TEXTS, commands

from cicd_agents.domain.advice import Advice, Citation, Hypothesis, Suggestion, Usage
from cicd_agents.report.advice import HEADING, advice_section, advice_text

PATCH = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
CITATION = Citation("log:test", 3, "expected 119 but received 100")
ADVICE = Advice(
    narrative="The function `gross` leaves the tax out.\n\n- first\n- second",
    hypotheses=(Hypothesis("jest.assertion", "The tax is missing.", 0.7, (CITATION,)), Hypothesis("", "Something else.", 0.1, (CITATION,))),
    suggestions=(Suggestion("Put the tax back", PATCH, ("npm test",)),),
    extra=(("strategy", "Wait for the server."),),
    citations=(CITATION,),
    concern="The errors began with this version.",
    confidence=0.8,
    dropped=(("mention", 2), ("too long", 1)),
    model="gemini-2.5-flash",
    usage=Usage(12_000, 8000, 400, 90),
    seconds=4.26,
    cost=0.0049,
    calls=2,
)
FOOTER = (
    "Model gemini-2.5-flash, 2 calls, 12,000 tokens in (8,000 cached), 400 out and 90 of thought, 4.3 s, 0.0049 US dollars, "
    "confidence 80% by its own estimate. Dropped: mention (2), too long (1)."
)


def markdown(advice: Advice) -> str:
    section = advice_section(advice)
    return section.text if section else ""


def test_text_tells_all_of_it() -> None:
    assert advice_text(ADVICE).splitlines() == [
        "Explanation (written by a model, checked; the verdict is not its)",
        "  Concern, for a person to look at:",
        "     The errors began with this version.",
        "  The function `gross` leaves the tax out.",
        "  - first",
        "  - second",
        "  1. jest.assertion (70% by the model's own estimate): The tax is missing.",
        "     evidence: log:test line 3: expected 119 but received 100",
        "  2. None of the candidates (10% by the model's own estimate): Something else.",
        "     evidence: log:test line 3: expected 119 but received 100",
        "  Suggestion (not tried): Put the tax back",
        "     --- a/x",
        "     +++ b/x",
        "     @@ -1 +1 @@",
        "     -a",
        "     +b",
        "     $ npm test",
        "  Strategy:",
        "     Wait for the server.",
        "  evidence: log:test line 3: expected 119 but received 100",
        f"  {FOOTER}",
    ]


def test_markdown_tells_all_of_it() -> None:
    text = markdown(ADVICE)
    assert text.startswith(
        f"### {HEADING}\n\n**Concern, for a person to look at:**\n\nThe errors began with this version.\n\nThe function `gross` leaves the tax out."
    )
    assert "\n- first\n\n- second\n" in text
    assert f"```diff\n{PATCH}```" in text
    assert "```sh\nnpm test\n```" in text
    assert "1. `jest.assertion` (70% by the model's own estimate): The tax is missing. `log:test` line 3: `expected 119 but received 100`\n2. None of" in text
    assert "Dropped: mention (2), too long (1)." in text


def test_no_model_no_section() -> None:
    assert advice_section(Advice()) is None
    assert advice_text(Advice()) == ""


def test_a_problem_is_one_line_with_what_it_took() -> None:
    failed = Advice(problem="The model did not answer in time.", model="gemini-2.5-flash", calls=1, seconds=30.0)
    footer = "Model gemini-2.5-flash, 1 call, 0 tokens in (0 cached), 0 out, 30.0 s, 0.0000 US dollars."
    assert advice_text(failed) == f"{HEADING}\n  There is no explanation: The model did not answer in time.\n  {footer}\n"
    assert "There is no explanation: The model did not answer in time." in markdown(failed)


def test_memory_and_unknown_prices_are_told() -> None:
    assert "answered from memory, without a call" in advice_text(replace(ADVICE, remembered=True))
    assert "price not known" in advice_text(replace(ADVICE, cost=None))


def advices() -> st.SearchStrategy[Advice]:
    citations = st.lists(st.builds(Citation, TEXTS, st.integers(1, 9), TEXTS), max_size=2).map(tuple)
    return st.builds(
        Advice,
        narrative=TEXTS,
        hypotheses=st.lists(st.builds(Hypothesis, TEXTS, TEXTS, st.floats(0, 1), citations), max_size=2).map(tuple),
        suggestions=st.lists(st.builds(Suggestion, TEXTS, TEXTS, st.lists(TEXTS, max_size=2).map(tuple)), max_size=2).map(tuple),
        extra=st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple),
        citations=citations,
        concern=TEXTS,
        confidence=st.floats(0, 1),
        dropped=st.lists(st.tuples(TEXTS, st.integers(1, 9)), max_size=2).map(tuple),
        model=st.one_of(st.just("m"), TEXTS),
        problem=st.one_of(st.just(""), TEXTS),
    )


_LIVE = re.compile(r"@\w|#\d|://|www\.|(?<!\w)gh-\d", re.IGNORECASE)


@settings(deadline=None)
@given(advices())
def test_nothing_of_any_advice_comes_to_life_in_markdown(advice: Advice) -> None:
    text = markdown(advice)
    assert commands(text) == []
    for block in MARKDOWN.parse(text):
        assert block.type not in ("table_open", "blockquote_open", "hr", "code_block")
        assert block.type != "heading_open" or block.tag == "h3"
        assert block.type != "html_block"
        for token in block.children or []:
            assert token.type not in ("image", "link_open", "s_open")
            assert token.type != "html_inline" or token.content in ("<sub>", "</sub>")
            assert token.type != "text" or not _LIVE.search(token.content)


@settings(deadline=None)
@given(advices())
def test_nothing_of_any_advice_is_a_command_in_a_terminal_or_log(advice: Advice) -> None:
    text = advice_text(advice)
    assert commands(text) == []
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]", text)


@pytest.mark.parametrize("text", ["x\n" * 5000, "a" * 100_000, "`" * 3000, "- " * 3000])
def test_a_long_advice_is_bounded(text: str) -> None:
    long = replace(ADVICE, narrative=text, concern=text, extra=(("next", text),))
    assert len(markdown(long)) < 60_000
    assert len(advice_text(long)) < 60_000

"""What a model explained, as a part of the HTML report: marked as a model's words, and escaped like any text from outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cicd_agents.domain.advice import Advice, Citation, Hypothesis, Suggestion
from cicd_agents.report.advice import HEADING, PART_NAMES, advice_footer, advice_lines, is_asked, problem_text
from cicd_agents.report.guardian_html_elements import Html, code, element, escaped, items, joined, phrase

_MOST = 12
_NAME, _QUOTE = 80, 160


def explanation(advice: Advice) -> Html | None:
    """The section; None where no model was asked."""
    if not is_asked(advice):
        return None
    parts = [element("p", escaped(problem_text(advice)))] if advice.problem else list(_parts(advice))
    return element("section", element("h2", escaped(HEADING)), *parts, element("p", escaped(advice_footer(advice)), class_="quiet"), id="explanation")


def _parts(advice: Advice) -> Iterator[Html]:
    if advice.concern:
        yield from _headed("Concern, for a person to look at", advice.concern)
    yield from _paragraphs(advice.narrative)
    if advice.hypotheses:
        yield element("ol", *(element("li", _hypothesis(each)) for each in advice.hypotheses[:_MOST]))
    for suggestion in advice.suggestions[:_MOST]:
        yield from _suggestion(suggestion)
    for name, text in advice.extra:
        yield from _headed(PART_NAMES.get(name, name), text)
    if advice.citations:
        yield element("p", element("strong", escaped("Evidence")))
        yield _citations(advice.citations)


def _headed(heading: str, text: str) -> Iterator[Html]:
    yield element("p", element("strong", escaped(f"{heading}:", _NAME)))
    yield from _paragraphs(text)


def _paragraphs(text: str) -> Iterator[Html]:
    return (element("p", phrase(line)) for line in advice_lines(text))


def _hypothesis(hypothesis: Hypothesis) -> Html:
    name = element("code", escaped(hypothesis.candidate, _NAME)) if hypothesis.candidate else escaped("None of the candidates")
    estimate = escaped(f" ({hypothesis.confidence:.0%} by the model's own estimate): ")
    return joined((Html(f"{name}{estimate}{phrase(hypothesis.why)}"), _citations(hypothesis.citations)))


def _suggestion(suggestion: Suggestion) -> Iterator[Html]:
    yield element("p", element("strong", escaped("Suggestion (not tried):")), Html(" "), phrase(suggestion.title))
    if suggestion.patch:
        yield code(suggestion.patch)
    if suggestion.commands:
        yield code("\n".join(suggestion.commands))


def _citations(citations: Sequence[Citation]) -> Html:
    return items([_citation(each) for each in citations], _MOST)


def _citation(citation: Citation) -> Html:
    where = escaped(f"{citation.item} line {citation.line}: ", 2 * _NAME)
    return Html(f"{where}{element('code', escaped(citation.quote, _QUOTE))}")

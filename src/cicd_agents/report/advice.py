"""What a model explained, as text and as a section of Markdown. It is marked as a model's words; every text of it is escaped like any other from outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cicd_agents.domain.advice import Advice, Citation, Hypothesis, Suggestion, Usage
from cicd_agents.report.escape import code_span, fence, inline, plain, prose, workflow_safe
from cicd_agents.report.sections import Section

HEADING = "Explanation (written by a model, checked; the verdict is not its)"
_LINE, _PARAGRAPH, _PATCH, _COMMANDS, _QUOTE, _PROBLEM = 240, 2000, 8000, 2000, 160, 300
_MOST_LINES, _MOST_CITATIONS = 60, 12
RANK = 10  # left out before any evidence of the engine
PART_NAMES = {"strategy": "Strategy", "title": "Title", "highlights": "Highlights", "migration": "Migration", "next": "What to look at next"}


def advice_section(advice: Advice) -> Section | None:
    """The section for a Markdown report; None where no model was asked."""
    if not is_asked(advice):
        return None
    parts = [f"### {HEADING}", *_markdown(advice), f"<sub>{inline(advice_footer(advice), 600)}</sub>"]
    return Section("explanation", workflow_safe("\n\n".join(parts)), RANK)


def advice_text(advice: Advice) -> str:
    """The explanation for a terminal, with a line feed at its end; empty where no model was asked."""
    if not is_asked(advice):
        return ""
    lines = [HEADING, *(f"  {_one(line)}" for line in _plain(advice)), f"  {_one(advice_footer(advice))}"]
    return workflow_safe("\n".join(lines)) + "\n"


def is_asked(advice: Advice) -> bool:
    """Whether a model was asked at all."""
    return bool(advice.problem or advice.model)


def problem_text(advice: Advice) -> str:
    """Why there is no explanation."""
    return f"There is no explanation: {advice.problem}"


def _markdown(advice: Advice) -> Iterator[str]:
    if advice.problem:
        yield prose(problem_text(advice), _PROBLEM)
        return
    if advice.concern:
        yield "**Concern, for a person to look at:**\n\n" + _paragraphs(advice.concern)
    if advice.narrative:
        yield _paragraphs(advice.narrative)
    if advice.hypotheses:
        yield "\n".join(f"{number}. {_hypothesis(each)}" for number, each in enumerate(advice.hypotheses, 1))
    for suggestion in advice.suggestions:
        yield from _suggestion(suggestion)
    for name, text in advice.extra:
        yield f"**{inline(PART_NAMES.get(name, name), 40)}:**\n\n{_paragraphs(text)}"
    if advice.citations:
        yield "Evidence: " + _citations(advice.citations)


def _paragraphs(text: str) -> str:
    """The lines of a text, each escaped; those after a dash are a list."""
    made: list[str] = []
    for line in [line.strip() for line in plain(text, 4 * _PARAGRAPH).split("\n") if line.strip()][:_MOST_LINES]:
        item = line.removeprefix("- ").removeprefix("* ").strip()
        made.append(f"- {prose(item, _PARAGRAPH)}" if item and item != line else prose(line, _PARAGRAPH))
    return "\n\n".join(made)


def _hypothesis(hypothesis: Hypothesis) -> str:
    name = code_span(hypothesis.candidate, 80) if hypothesis.candidate else "None of the candidates"
    return f"{name} ({hypothesis.confidence:.0%} by the model's own estimate): {prose(_flat(hypothesis.why), _PARAGRAPH)} {_citations(hypothesis.citations)}"


def _suggestion(suggestion: Suggestion) -> Iterator[str]:
    yield f"**Suggestion (not tried):** {prose(_flat(suggestion.title), _LINE)}"
    if suggestion.patch:
        yield fence(suggestion.patch, _PATCH, "diff")
    if suggestion.commands:
        yield fence("\n".join(suggestion.commands), _COMMANDS, "sh")


def _citations(citations: Sequence[Citation]) -> str:
    shown = [f"{code_span(citation.item, 80)} line {citation.line}: {code_span(citation.quote, _QUOTE)}" for citation in citations[:_MOST_CITATIONS]]
    return "; ".join(shown)


def _plain(advice: Advice) -> Iterator[str]:
    if advice.problem:
        yield problem_text(advice)
        return
    if advice.concern:
        yield from _headed("Concern, for a person to look at", advice.concern)
    yield from advice_lines(advice.narrative)
    for number, each in enumerate(advice.hypotheses, 1):
        yield f"{number}. {each.candidate or 'None of the candidates'} ({each.confidence:.0%} by the model's own estimate): {_flat(each.why)}"
        yield from (f"   {line}" for line in _proofs(each.citations))
    for suggestion in advice.suggestions:
        yield f"Suggestion (not tried): {_flat(suggestion.title)}"
        yield from (f"   {line}" for line in suggestion.patch.splitlines())
        yield from (f"   $ {command}" for command in suggestion.commands)
    for name, text in advice.extra:
        yield from _headed(PART_NAMES.get(name, name), text)
    yield from _proofs(advice.citations)


def _headed(heading: str, text: str) -> Iterator[str]:
    yield f"{heading}:"
    yield from (f"   {line}" for line in advice_lines(text))


def advice_lines(text: str) -> list[str]:
    """The lines of a model's text, made plain and not yet escaped."""
    return [line for line in plain(text, 4 * _PARAGRAPH).split("\n") if line.strip()][:_MOST_LINES]


def _proofs(citations: Sequence[Citation]) -> Iterator[str]:
    return (f"evidence: {citation.item} line {citation.line}: {_flat(citation.quote)}" for citation in citations[:_MOST_CITATIONS])


def advice_footer(advice: Advice) -> str:
    """Who wrote it and what it took; then what was not kept of it."""
    used = advice.usage
    told = [f"Model {advice.model or 'unknown'}"]
    if advice.remembered:
        told.append("answered from memory, without a call")
    else:
        thoughts = f" and {used.thoughts:,} of thought" if used.thoughts else ""
        told += [
            f"{_many(advice.calls, 'call')}, {used.prompt:,} tokens in ({used.cached:,} cached), {used.output:,} out{thoughts}{_estimated(used)}",
            f"{advice.seconds:.1f} s",
            _cost(advice),
        ]
    if advice.confidence and not advice.problem:
        told.append(f"confidence {advice.confidence:.0%} by its own estimate")
    line = ", ".join(told) + "."
    if advice.dropped:
        line += " Dropped: " + ", ".join(f"{reason} ({count})" for reason, count in advice.dropped) + "."
    return line


def _estimated(used: Usage) -> str:
    return f" ({used.estimated:,} of them estimated from above, as the service did not tell them)" if used.estimated else ""


def _cost(advice: Advice) -> str:
    return "price not known" if advice.cost is None else f"{advice.cost:.4f} US dollars"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _one(text: str) -> str:
    """One safe line; blanks at its beginning are ours."""
    return workflow_safe(plain(" ".join(text.splitlines()), 4 * _LINE))

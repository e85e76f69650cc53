"""The guardian's report as Markdown, for a comment, an issue or a job summary: decision, numbers, what to do; then what they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cicd_agents.domain.finding import Fix
from cicd_agents.domain.guardian import GuardianDetails, MetricRow
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.report.document import GuardianReport
from cicd_agents.report.escape import code_span, fence, inline, prose, workflow_safe
from cicd_agents.report.guardian_markdown_evidence import evidence_sections
from cicd_agents.report.guardian_numbers import delta_text, limit_text, value_text
from cicd_agents.report.guardian_wording import (
    EMBLEM,
    FIX_KINDS,
    NAME,
    carried_out,
    deciding,
    decision_words,
    facts,
    indicators,
    ranked,
    reasoning,
    sides,
    status_text,
    triggers,
    verdict_word,
)
from cicd_agents.report.links import Links
from cicd_agents.report.markdown import GITHUB_COMMENT_BYTES
from cicd_agents.report.operations import operation_markdown
from cicd_agents.report.sections import Section, fitted, listed
from cicd_agents.report.summary import SUMMARY_BYTES
from cicd_agents.report.wording import sentence

_MOST_ROWS, _MOST, _MOST_ACTIONS, _COMMANDS = 40, 20, 8, 2000
_SAID = frozenset({"Deployment", "Environment"})  # they stand in the headline


def to_guardian_markdown(report: GuardianReport, hosts: Sequence[str] = (), most: int = GITHUB_COMMENT_BYTES) -> str:
    """Markdown of at most `most` bytes; every text from outside is escaped or fenced, and links go to `hosts` only."""
    return fitted(list(guardian_sections(report, Links(hosts))), most)


def to_guardian_summary(reports: Sequence[GuardianReport], hosts: Sequence[str] = (), most: int = SUMMARY_BYTES) -> str:
    """The reports of one run as one text for the job summary."""
    links = Links(hosts)
    return fitted([section for report in reports for section in guardian_sections(report, links)], most)


def guardian_sections(report: GuardianReport, links: Links) -> Iterator[Section]:
    """The parts in their order; no line of them is a command to a runner."""
    for section in (*_sections(report), *evidence_sections(report, links)):
        yield Section(section.name, workflow_safe(section.text), section.rank)


def _sections(report: GuardianReport) -> Iterator[Section]:
    details = report.details
    yield Section("decision", "\n\n".join(_decision(report)))
    if details.alarms:
        alarms = listed(details.alarms, _MOST, lambda alarm: f"{code_span(alarm.rule, 60)}: {prose(sentence(alarm.reason))}")
        yield Section("at-once alarms", f"### 🚨 At-once alarms\n\n{alarms}", 1)
    if details.metrics:
        yield Section("metrics", "\n".join(_table(details)), 1)
    if told := "\n\n".join(_indicators(details)):
        yield Section("indicators", told, 3)
    if details.actions:
        yield Section("actions", "### Recommended actions\n\n" + "\n".join(_actions(details.actions)).rstrip("\n"), 1)
    if report.operations:
        yield Section("operations", f"### Operations\n\n{listed(report.operations, _MOST, _operation)}", 2)
    if report.advice:
        from cicd_agents.report.advice import advice_section  # only where a model was asked: most runs ask none

        yield from filter(None, (advice_section(report.advice),))
    heading, numbers = triggers(details)
    if numbers:
        yield Section("triggers", f"### {heading}\n\n{listed(numbers, _MOST, inline)}", 4)


def _decision(report: GuardianReport) -> Iterator[str]:
    details = report.details
    where = f" in {code_span(details.environment, 80)}" if details.environment else ""
    yield f"## {EMBLEM} {NAME}: {verdict_word(details)} · {code_span(details.service, 80)}{where}"
    yield f"**Decision: {decision_words(details)}.** {prose(reasoning(report), 1500)}"
    if numbers := deciding(details):
        yield listed(numbers, _MOST, inline)
    if acted := carried_out(report.operations):
        yield f"**{prose(acted)}**"
    known = [(name, inline(value)) for name, value in facts(details) if name not in _SAID]
    yield _row([name for name, _ in known]) + "\n" + _row(["---"] * len(known)) + "\n" + _row([value for _, value in known])


def _table(details: GuardianDetails) -> Iterator[str]:
    old, new = sides(details)
    yield "### Metrics\n"
    yield _row(["metric", old, new, "delta", "limit", "evidence", "status"])
    yield "|---|--:|--:|--:|--:|---|---|"
    for row in ranked(details.metrics)[:_MOST_ROWS]:
        yield _row(_cells(row))
    if len(details.metrics) > _MOST_ROWS:
        yield f"\n… and {len(details.metrics) - _MOST_ROWS} more metrics."


def _cells(row: MetricRow) -> list[str]:
    title = f"**{inline(row.title, 60)}**" if row.required else inline(row.title, 60)
    numbers = [value_text(row.baseline, row.unit), value_text(row.canary, row.unit), delta_text(row), limit_text(row)]
    return [title, *numbers, inline(row.evidence, 160), status_text(row)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _indicators(details: GuardianDetails) -> Iterator[str]:
    told = indicators(details)
    for heading, icon, texts in (("Speaks against it", "⚠️", told.bad), ("Speaks for it", "✅", told.good), ("Not known", "⏳", told.unknown)):
        if texts:
            yield f"### {icon} {heading}\n\n{listed(texts, _MOST, prose)}"


def _actions(fixes: Sequence[Fix]) -> Iterator[str]:
    for fix in fixes[:_MOST_ACTIONS]:
        yield f"- **{FIX_KINDS.get(fix.kind, 'Then')}:** {prose(fix.title)}" + (f" — {prose(fix.detail)}" if fix.detail else "")
        if fix.commands:
            yield "\n" + "\n".join("  " + line for line in fence("\n".join(fix.commands), _COMMANDS, "sh").splitlines()) + "\n"
    if len(fixes) > _MOST_ACTIONS:
        yield f"- … and {len(fixes) - _MOST_ACTIONS} more"


_MARKS = {
    OperationStatus.APPLIED: "✅", OperationStatus.ALREADY_DONE: "✅", OperationStatus.PLANNED: "📝", OperationStatus.NEEDS_APPROVAL: "✋",
    OperationStatus.REFUSED: "⛔", OperationStatus.FAILED: "❌",
}  # fmt: skip


def _operation(operation: Operation) -> str:
    return f"{_MARKS[operation.status]} {operation_markdown(operation)}"

"""The guardian's report for a terminal: what to do and why first, then the numbers, then what they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cicd_agents.domain.guardian import GuardianDetails, MetricRow
from cicd_agents.report.document import GuardianReport
from cicd_agents.report.escape import plain, workflow_safe
from cicd_agents.report.guardian_curves import spark_lines, telling
from cicd_agents.report.guardian_numbers import delta_text, limit_text, utc, value_text
from cicd_agents.report.guardian_numbers import number as shown_number
from cicd_agents.report.guardian_wording import (
    EMBLEM,
    NAME,
    carried_out,
    could_see,
    deciding,
    decision_words,
    facts,
    indicators,
    ranked,
    reasoning,
    risks,
    sides,
    status_text,
    triggers,
    undo_text,
    unrecorded,
    untold,
    verdict_word,
)
from cicd_agents.report.operations import operation_text
from cicd_agents.report.wording import sentence

_LINE, _CELL, _COMMAND = 400, 40, 2000
_MOST_ROWS, _MOST, _MOST_CHARTS = 60, 30, 6
_SPARK = 40


def to_guardian_text(report: GuardianReport) -> str:
    """Plain text with a line feed at its end."""
    return workflow_safe("\n".join(_lines(report)) + "\n")


def _lines(report: GuardianReport) -> Iterator[str]:
    details = report.details
    yield f"{EMBLEM} {NAME}: {verdict_word(details)} · {_one(details.service)}" + (f" in {_one(details.environment)}" if details.environment else "")
    yield f"  Decision: {decision_words(details)}. {_one(reasoning(report))}"
    yield from (f"  Decided by: {_one(text)}" for text in deciding(details))
    if acted := carried_out(report.operations):
        yield f"  {_one(acted)}"
    yield ""
    yield from (f"  {name:<12} {_one(value)}" for name, value in facts(details))
    if report.advice:
        from cicd_agents.report.advice import advice_text  # only where a model was asked: most runs ask none

        if told := advice_text(report.advice):
            yield "\n" + told.rstrip("\n")
    for heading, lines in _parts(report):
        if lines:
            yield f"\n{heading}"
            yield from (f"  {line}" for line in lines)
    yield from (f"Note: {_one(note)}" for note in report.notes)
    yield f"Judged by {_one(details.judge)} in {report.duration_seconds:.2f} s, exit code {report.exit_code}"


def _parts(report: GuardianReport) -> Iterator[tuple[str, Sequence[str]]]:
    details = report.details
    told = indicators(details)
    yield "At-once alarms", _first([f"{alarm.rule}: {sentence(alarm.reason)}" for alarm in details.alarms])
    yield "Metrics", _table(details)
    yield "Speaks against it", _first([f"❌ {text}" for text in told.bad])
    yield "Speaks for it", _first([f"✅ {text}" for text in told.good])
    yield "Not known", _first([f"⏳ {text}" for text in told.unknown])
    yield "Recommended actions", list(_actions(details))
    yield "Operations", _first([f"{operation_text(item)}{undo_text(item)}" for item in report.operations])
    heading, numbers = triggers(details)
    yield heading, _first(numbers)
    yield "What could be seen", _first(could_see(details))
    yield "Findings", list(_findings(report))
    yield "Curves, from left to right in time", list(_curves(details))
    yield "Risk", _first(risks(details))
    yield "Queries", list(_queries(details))
    yield "Timeline", _first([f"{utc(entry.time)}  {entry.text}" for entry in details.timeline])
    yield "Links", _first([f"{link.title}: {link.url}" for link in details.links])


def _table(details: GuardianDetails) -> list[str]:
    old, new = sides(details)
    rows = [("metric", old, new, "delta", "limit", "status", "evidence"), *(_cells(row) for row in ranked(details.metrics)[:_MOST_ROWS])]
    if len(rows) == 1:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = [("  ".join(cell.ljust(width) for cell, width in zip(row, widths)) + f"  {row[6]}").rstrip() for row in rows]
    rest = len(details.metrics) - _MOST_ROWS
    return [*lines, f"… and {rest} more metrics; --format json has all"] if rest > 0 else lines


def _cells(row: MetricRow) -> tuple[str, ...]:
    numbers = (value_text(row.baseline, row.unit), value_text(row.canary, row.unit), delta_text(row), limit_text(row))
    return (_one(row.title, _CELL), *numbers, status_text(row), _one(row.evidence, 160))


def _actions(details: GuardianDetails) -> Iterator[str]:
    for number, fix in enumerate(details.actions[:_MOST], 1):
        yield f"{number}. {_one(fix.title)}" + (f": {_one(fix.detail)}" if fix.detail else "")
        yield from (f"   $ {_one(line, _COMMAND)}" for command in fix.commands for line in command.splitlines())


def _findings(report: GuardianReport) -> Iterator[str]:
    for finding in untold(report)[:_MOST]:
        yield f"{_one(finding.severity, 20)}: {_one(finding.title)}"
        yield from (f"  {_one(item.kind, 40)} {_one(item.where, 160)}: {_one(item.text)}" for item in finding.evidence[:5])


def _curves(details: GuardianDetails) -> Iterator[str]:
    for chart in telling(details, _MOST_CHARTS):
        yield from (workflow_safe(line) for line in spark_lines(chart, sides(details), _SPARK))


def _queries(details: GuardianDetails) -> Iterator[str]:
    for record in details.queries[:_MOST]:
        value = f", newest value {shown_number(record.value, 6)}" if record.value is not None else ""
        warning = f" (partial data: {_one(record.warning)})" if record.warning else ""
        yield f"{_one(record.metric, _CELL)}, {_one(record.side, 20)}: {record.series:,} series, {record.samples:,} samples{value}{warning}"
        yield f"  {_one(record.query, _COMMAND)}"
    for row in unrecorded(details)[:_MOST]:
        yield f"{_one(row.title, _CELL)}: {_one(row.query, _COMMAND)}"
    if len(details.queries) > _MOST:
        yield f"… and {len(details.queries) - _MOST} more; --format json has all"


def _first(lines: Sequence[str]) -> list[str]:
    """The first lines, each made safe, and how many more there are."""
    shown = [_one(line, 2 * _LINE) for line in lines[:_MOST]]
    return [*shown, f"… and {len(lines) - _MOST} more"] if len(lines) > _MOST else shown


def _one(text: str, limit: int = _LINE) -> str:
    return workflow_safe(plain(" ".join(text.split()), limit))

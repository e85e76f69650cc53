"""What the guardian's decision rests on, as Markdown: charts, what could be seen, findings, queries, timeline, notes, links."""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.domain.finding import Finding
from cicd_agents.domain.guardian import Chart, GuardianDetails, QueryRecord
from cicd_agents.report.document import GuardianReport
from cicd_agents.report.escape import code_span, fence, inline, prose
from cicd_agents.report.guardian_curves import spark_lines, telling
from cicd_agents.report.guardian_mermaid import MOST_CHARTS, legend, mermaid
from cicd_agents.report.guardian_numbers import number, utc, value_text
from cicd_agents.report.guardian_wording import could_see, judged_how, risks, sides, unrecorded, untold
from cicd_agents.report.links import Links
from cicd_agents.report.sections import Section, listed

_MOST, _MOST_EVIDENCE, _QUERY, _MERMAID, _SPARK = 20, 5, 2000, 4000, 40


def evidence_sections(report: GuardianReport, links: Links) -> Iterator[Section]:
    """The sections that follow the decision."""
    details = report.details
    for chart in telling(details, MOST_CHARTS):
        if drawn := _chart(chart, sides(details)):
            yield Section("chart", drawn, 6)
    if lines := could_see(details):
        yield Section("what could be seen", f"### What could be seen\n\n{listed(lines, _MOST, prose)}", 5)
    if findings := untold(report):
        yield Section("findings", f"### Findings\n\n{listed(findings, _MOST, _finding)}", 5)
    if terms := risks(details):
        yield Section("risk score", _folded(f"Risk score {number(details.risk_score, 2)} and its terms", listed(terms, 2 * _MOST, inline)), 9)
    if queries := "\n\n".join(_queries(details)):
        yield Section("queries and values", _folded("Queries and values", queries), 9)
    if details.timeline:
        entries = listed(details.timeline, 2 * _MOST, lambda entry: f"{utc(entry.time)}: {prose(entry.text)}")
        yield Section("timeline", _folded("Timeline", entries), 8)
    if details.links:
        yield Section("links", "See also: " + ", ".join(links.link(inline(item.title, 80), item.url) for item in details.links[:_MOST]), 5)
    if report.notes:
        yield Section("notes", "\n\n".join(_notes(report)), 7)
    yield Section("footer", f"<sub>Judged by {code_span(details.judge, 40)}: {judged_how(report)}. Exit code {report.exit_code}.</sub>")


def _chart(chart: Chart, names: tuple[str, str]) -> str:
    """A diagram with its legend; where gaps forbid one, the curves as text."""
    heading = f"### {inline(chart.title, 60)}\n\n"
    if diagram := mermaid(chart, names):
        return f"{heading}{legend(chart, names, value_text(chart.limit, chart.unit))}\n\n{fence(diagram, _MERMAID, 'mermaid')}"
    lines = spark_lines(chart, names, _SPARK)
    return f"{heading}{fence(chr(10).join(lines), _MERMAID)}" if lines else ""


def _finding(finding: Finding) -> str:
    proofs = (f"{inline(item.kind.replace('-', ' '), 40)} {code_span(item.where)}: {code_span(item.text)}" for item in finding.evidence[:_MOST_EVIDENCE])
    return f"**{prose(finding.title)}** ({inline(finding.severity, 20)})" + "".join(f"\n  - {proof}" for proof in proofs)


def _queries(details: GuardianDetails) -> Iterator[str]:
    """Each query with what it gave; then those of metrics that no record tells of."""
    for record in details.queries[:_MOST]:
        yield f"{_record(record)}\n\n{fence(record.query, _QUERY, 'promql')}"
    for row in unrecorded(details)[:_MOST]:
        yield f"{inline(row.title, 60)}\n\n{fence(row.query, _QUERY, 'promql')}"
    if len(details.queries) > _MOST:
        yield f"… and {len(details.queries) - _MOST} more."


def _record(record: QueryRecord) -> str:
    value = f", newest value {number(record.value, 6)}" if record.value is not None else ""
    warning = f"; partial data: {inline(record.warning, 200)}" if record.warning else ""
    return f"**{inline(record.metric, 60)}**, {inline(record.side, 20)}: {record.series:,} series, {record.samples:,} samples{value}{warning}"


def _notes(report: GuardianReport) -> Iterator[str]:
    for note in report.notes[:_MOST]:
        yield f"> {prose(note)}"
    if len(report.notes) > _MOST:
        yield f"> … and {len(report.notes) - _MOST} more notes"


def _folded(title: str, body: str) -> str:
    """`title` is ours."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"

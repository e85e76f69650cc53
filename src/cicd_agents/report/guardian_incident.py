"""The incident that is opened when a rollback itself fails: what was judged, tried and left undone, and how a person does it by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cicd_agents.domain.operation import REACHED, OperationStatus
from cicd_agents.report.document import GuardianReport
from cicd_agents.report.escape import code_span, fence, inline, plain, prose, workflow_safe
from cicd_agents.report.guardian_numbers import utc
from cicd_agents.report.guardian_wording import NAME, deciding, facts, indicators, reasoning
from cicd_agents.report.links import Links
from cicd_agents.report.markdown import GITHUB_COMMENT_BYTES
from cicd_agents.report.operations import operation_markdown
from cicd_agents.report.sections import Section, fitted, listed

_TITLE, _MOST, _COMMANDS, _QUERY = 200, 20, 4000, 500
_BROKEN = (OperationStatus.FAILED, OperationStatus.REFUSED)


def to_incident(report: GuardianReport, hosts: Sequence[str] = (), most: int = GITHUB_COMMENT_BYTES) -> tuple[str, str]:
    """(title, body in Markdown) of at most `most` bytes; links go to `hosts` only."""
    details = report.details
    where = f" in {details.environment}" if details.environment else ""
    title = plain(" ".join(f"Rollback of {details.service}{where} failed".split()), _TITLE)
    sections = [Section(part.name, workflow_safe(part.text), part.rank) for part in _sections(report, Links(hosts))]
    return title, fitted(sections, most)


def _sections(report: GuardianReport, links: Links) -> Iterator[Section]:
    details = report.details
    broken = [item for item in report.operations if item.status in _BROKEN]
    done = [item for item in report.operations if item.status in REACHED]
    left = [item for item in report.operations if item.status not in (*REACHED, *_BROKEN)]
    where = f" in {code_span(details.environment, 80)}" if details.environment else ""
    yield Section(
        "head",
        f"**{code_span(details.service, 80)}{where} must go back to the old version, and that failed. A person must act now: the new one may still serve.**",
    )
    commands = [command for fix in details.actions for command in fix.commands]
    by_hand = fence("\n".join(commands), _COMMANDS, "sh") if commands else "No commands are known: use the delivery tool to go back to the version before."
    yield Section("by hand", f"### By hand\n\n{by_hand}", 1)
    if broken:
        yield Section("what failed", f"### What failed\n\n{listed(broken, _MOST, operation_markdown)}", 1)
    if done:
        yield Section("what was done", f"### What was done before\n\n{listed(done, _MOST, operation_markdown)}", 2)
    if left:
        yield Section("what was not reached", f"### What was not reached\n\n{listed(left, _MOST, operation_markdown)}", 3)
    judged = listed(facts(details), _MOST, lambda fact: f"{fact[0]}: {inline(fact[1])}")
    yield Section("what was judged", f"### What was judged\n\n{prose(reasoning(report), 1500)}\n\n{judged}", 2)
    if evidence := [*(inline(text) for text in deciding(details)), *(prose(text) for text in indicators(details).bad), *_alarms(report)]:
        yield Section("evidence", f"### Evidence\n\n{listed(evidence, _MOST, str)}", 4)
    if queries := list(dict.fromkeys([row.query for row in details.metrics if row.query])):
        yield Section("queries", f"### Queries\n\n{listed(queries, _MOST, lambda query: code_span(query, _QUERY))}", 6)
    if details.timeline:
        yield Section("timeline", "### Timeline\n\n" + listed(details.timeline, 2 * _MOST, lambda entry: f"{utc(entry.time)}: {prose(entry.text)}"), 5)
    if details.links:
        yield Section("links", "See also: " + ", ".join(links.link(inline(item.title, 80), item.url) for item in details.links[:_MOST]), 5)
    yield Section("footer", f"<sub>Opened by {NAME}. Close it when the old version serves again.</sub>")


def _alarms(report: GuardianReport) -> list[str]:
    return [f"{code_span(alarm.rule, 60)}: {prose(alarm.reason)}" for alarm in report.details.alarms]

"""The report of a release plan as text and Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.domain.release import Decision, ReleaseDetails
from cicd_agents.report.document import ReleaseReport
from cicd_agents.report.escape import code_span, inline, plain, workflow_safe

# The changelog of a plan is our own Markdown, made safe where it is written (analysis/changelog); it is only bounded here.
_MOST_DECISIONS = 200
_LINE = 200


def to_release_text(report: ReleaseReport) -> str:
    """Plain text: the version, why, what each commit counted for, the files and the changelog."""
    return workflow_safe("\n".join(_text(report)) + "\n")


def to_release_markdown(report: ReleaseReport) -> str:
    """Markdown for a summary or a comment."""
    return workflow_safe("\n".join(_markdown(report)) + "\n")


def _text(report: ReleaseReport) -> Iterator[str]:
    details = report.details
    yield f"{report.outcome.value.upper()}  {_one(report.title)}"
    yield f"  {_one(report.summary)}"
    yield f"  rules from {_one(details.source)}" + (f", since {_one(details.previous_tag)}" if details.previous_tag else ", since the first commit")
    if details.decisions:
        yield "\nCommits"
        yield from _decisions(details)
    if details.files:
        yield "\nVersion files"
        yield from (f"  {_one(change.path)}: {_one(change.old)} → {_one(change.new)}" for change in details.files)
    if details.changelog:
        yield "\nChangelog"
        yield plain(details.changelog.rstrip("\n"), 200_000)
    for note in report.notes:
        yield f"Note: {_one(note)}"


def _decisions(details: ReleaseDetails) -> Iterator[str]:
    for decision in details.decisions[:_MOST_DECISIONS]:
        yield f"  {decision.bump.value:<5}  {decision.sha[:10]}  {_one(decision.text)}  [{_one(decision.rule)}]{_hint(decision)}"
    if len(details.decisions) > _MOST_DECISIONS:
        yield f"  … {len(details.decisions) - _MOST_DECISIONS} more; --format json has all"


def _hint(decision: Decision) -> str:
    return f"  hint: {_one(decision.hint)}" if decision.hint else ""


def _markdown(report: ReleaseReport) -> Iterator[str]:
    details = report.details
    yield f"## 📦 {report.agent}: {code_span(report.title)}\n"
    yield inline(report.summary, 1000)
    if details.files:
        yield "\n### Version files\n"
        yield from (f"- {code_span(change.path)}: {code_span(change.old)} → {code_span(change.new)}" for change in details.files)
    if details.changelog:
        yield f"\n### Changelog\n\n{details.changelog.rstrip()}"
    if details.decisions:
        yield "\n<details><summary>Why: each commit and what it counted for</summary>\n"
        for decision in details.decisions[:_MOST_DECISIONS]:
            yield f"- {decision.bump.value} {code_span(decision.sha[:10])} {code_span(decision.text)}: {inline(decision.rule)}" + (
                f" ({inline(decision.hint)})" if decision.hint else ""
            )
        if len(details.decisions) > _MOST_DECISIONS:
            yield f"- … {len(details.decisions) - _MOST_DECISIONS} more"
        yield "\n</details>"
    for note in report.notes:
        yield f"\n> {inline(note)}"


def _one(text: str) -> str:
    return plain(" ".join(text.split()), _LINE)

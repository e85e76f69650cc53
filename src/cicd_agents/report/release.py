"""The report of a release plan as text and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cicd_agents.domain.release import ComponentPlan, Decision, ReleaseDetails
from cicd_agents.report.document import ReleaseReport
from cicd_agents.report.escape import code_span, inline, plain, workflow_safe
from cicd_agents.report.operations import operation_markdown, operation_text

# The changelog of a plan is our own Markdown, made safe where it is written (analysis/changelog); it is only bounded here.
_MOST_DECISIONS = 200
_LINE = 200
# Whether a line of a checkpoint holds, does not, or is not known.
_MARKS = {True: "x", False: " ", None: "?"}
_NOT_YET = " (not known yet)"


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
    since = "each component's last release" if details.components else _one(details.previous_tag or "the first commit")
    yield f"  rules from {_one(details.source)}, since {since}"
    if details.components:
        yield "\nComponents"
        yield from (f"  {_standing(part)}  {_one(part.name)}  {_one(part.reason)}" for part in details.components)
    for part in details.components:
        if part.decisions:
            yield f"\nCommits of {_one(part.name)}"
            yield from _decisions(part)
    if details.decisions:
        yield "\nCommits of no component" if details.components else "\nCommits"
        yield from _decisions(details)
    if details.files:
        yield "\nVersion files"
        yield from (f"  {_one(change.path)}: {_one(change.old)} → {_one(change.new)}" for change in details.files)
    if explained := _explained(report):
        yield f"\n{explained}"
    if details.changelog:
        yield "\nChangelog"
        yield plain(details.changelog.rstrip("\n"), 200_000)
    for part in _told(details):
        yield f"\nChangelog of {_one(part.name)}"
        yield plain(part.changelog.rstrip("\n"), 200_000)
    if report.operations:
        yield "\nOperations"
        yield from (f"  {plain(' '.join(operation_text(item).split()), 1000)}" for item in report.operations)
    for checkpoint in details.checkpoints:
        yield f"\nCheckpoint: {_one(checkpoint.name)}"
        yield from (f"  [{_MARKS[line.done]}] {_one(line.text)}" for line in checkpoint.lines)
    for note in report.notes:
        yield f"Note: {_one(note)}"


def _explained(report: ReleaseReport) -> str:
    """What a model says, as text; empty where none was asked."""
    if report.advice is None:
        return ""
    from cicd_agents.report.advice import advice_text  # its words are many, and most releases are made without a model

    return advice_text(report.advice).rstrip("\n")


def _explained_markdown(report: ReleaseReport) -> str:
    """The same as Markdown."""
    if report.advice is None:
        return ""
    from cicd_agents.report.advice import advice_section

    section = advice_section(report.advice)
    return section.text if section else ""


def _standing(part: ComponentPlan) -> str:
    """A row's beginning: the bump, and the way from version to version."""
    versions = f"{part.current or 'first release'} → {part.next}" if part.tag else part.current or "not released"
    return f"{part.bump:<5}  {_one(versions)}{_via(part)}"


def _via(part: ComponentPlan) -> str:
    return f" ({_one(part.via.replace(':', ' ', 1))})" if part.via else ""


def _told(details: ReleaseDetails) -> list[ComponentPlan]:
    """The components whose changelogs the report tells on their own: of those that are released, where there is not one for all."""
    return [part for part in details.components if part.tag and part.changelog] if not details.changelog else []


def _decisions(details: ReleaseDetails | ComponentPlan) -> Iterator[str]:
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
    if details.components:
        yield "\n| component | bump | version | tag | why |\n|---|---|---|---|---|"
        yield from map(_row, details.components)
    if details.files:
        yield "\n### Version files\n"
        yield from (f"- {code_span(change.path)}: {code_span(change.old)} → {code_span(change.new)}" for change in details.files)
    if explained := _explained_markdown(report):
        yield f"\n{explained}"
    if details.changelog:
        yield f"\n### Changelog\n\n{details.changelog.rstrip()}"
    for part in _told(details):
        yield f"\n### Changelog of {code_span(part.name)}\n\n{part.changelog.rstrip()}"
    for part in details.components:
        yield from _folded(f"Why: each commit of {inline(part.name)} and what it counted for", part.decisions)
    yield from _folded(f"Why: each commit{' of no component' if details.components else ''} and what it counted for", details.decisions)
    if report.operations:
        yield "\n### Operations\n"
        yield from (f"1. {operation_markdown(item)}" for item in report.operations)
    for checkpoint in details.checkpoints:
        yield f"\n### Checkpoint: {inline(checkpoint.name)}\n"
        yield from (f"- [{'x' if line.done else ' '}] {inline(line.text)}{_NOT_YET if line.done is None else ''}" for line in checkpoint.lines)
    for note in report.notes:
        yield f"\n> {inline(note)}"


def _row(part: ComponentPlan) -> str:
    versions = f"{code_span(part.current)} → {code_span(part.next or '')}" if part.tag and part.current else code_span(part.next or part.current or "–")
    via = f" ({inline(part.via.replace(':', ' ', 1))})" if part.via else ""
    cells = (code_span(part.name), part.bump + via, versions, code_span(part.tag) if part.tag else "", inline(part.reason, 300))
    return f"| {' | '.join(cells)} |"


def _folded(title: str, decisions: Sequence[Decision]) -> Iterator[str]:
    if not decisions:
        return
    yield f"\n<details><summary>{title}</summary>\n"
    for decision in decisions[:_MOST_DECISIONS]:
        yield f"- {decision.bump.value} {code_span(decision.sha[:10])} {code_span(decision.text)}: {inline(decision.rule)}" + (
            f" ({inline(decision.hint)})" if decision.hint else ""
        )
    if len(decisions) > _MOST_DECISIONS:
        yield f"- … {len(decisions) - _MOST_DECISIONS} more"
    yield "\n</details>"


def _one(text: str) -> str:
    return plain(" ".join(text.split()), _LINE)

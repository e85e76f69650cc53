"""What is known beside the log, as Markdown: what changed, flaky or real, seen before, other jobs, operations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cicd_agents.domain.doctor import Changes, Flaky, JobFailure, Similar, Suspect
from cicd_agents.domain.finding import Evidence
from cicd_agents.report.document import Report
from cicd_agents.report.escape import code_span, fence, inline, prose
from cicd_agents.report.links import Links
from cicd_agents.report.operations import operation_markdown
from cicd_agents.report.sections import Section, listed
from cicd_agents.report.wording import counted, package, passed

_MOST_PACKAGES, _MOST_SUSPECTS, _MOST_FILES, _MOST_JOBS, _MOST_NAMES = 15, 5, 50, 20, 8
_FLAKY = {"yes": "This failure is flaky.", "no": "This failure is real.", "unknown": "It is not known whether this failure is flaky."}


def background(report: Report, links: Links) -> Iterator[Section]:
    """The sections that follow the fixes."""
    details = report.details
    if details.changes:
        yield Section("changes", "### Changed since the last good run\n\n" + "\n\n".join(_changes(details.changes, links)), 4)
        if details.changes.files:
            yield Section("changed files", _files(details.changes), 8)
    if details.flaky != Flaky():
        yield Section("flaky or real", "### Flaky or real\n\n" + _flaky(details.flaky), 3)
    if details.similar:
        yield Section("seen before", "### Seen before\n\n" + _similar(details.similar, links), 5)
    if details.other_jobs:
        yield Section("other jobs", "### Other failed jobs\n\n" + listed(details.other_jobs, _MOST_JOBS, lambda job: _job(job, links)), 5)
    if report.operations:
        yield Section("operations", "### Operations\n\n" + listed(report.operations, _MOST_JOBS, operation_markdown), 3)


def _changes(changes: Changes, links: Links) -> Iterator[str]:
    cut = "" if changes.complete else " The platform cut the list, so there may be more."
    span = f"{code_span(changes.good_sha[:12])} ({links.link('last good run', changes.good_url)})" if changes.good_url else code_span(changes.good_sha[:12])
    yield f"{span} → {code_span(changes.bad_sha[:12])}: {counted(changes.commits, 'commit')}.{cut}"
    if changes.suspects:
        shown = changes.suspects[:_MOST_SUSPECTS]
        yield "Suspects, best first:\n\n" + "\n".join(f"{number}. {_suspect(item, links)}" for number, item in enumerate(shown, 1))
    if changes.packages:
        yield "Dependencies:\n\n" + listed(changes.packages, _MOST_PACKAGES, lambda change: f"{code_span(package(change))} in {code_span(change.file)}")
    if changes.ci_files:
        yield f"CI configuration: {_names(changes.ci_files)}"
    if changes.bisect:
        yield "To find the commit:\n\n" + fence(changes.bisect, 2000, "sh")


def _suspect(suspect: Suspect, links: Links) -> str:
    author = f" by {inline(suspect.author, 60)}" if suspect.author else ""
    reasons = f": {prose('; '.join(suspect.reasons[:_MOST_NAMES]))}" if suspect.reasons else ""
    return f"{links.link(code_span(suspect.sha[:12]), suspect.url)} {inline(suspect.subject, 100)}{author}{reasons}"


def _files(changes: Changes) -> str:
    names = listed(changes.files, _MOST_FILES, code_span)
    return f"<details><summary>Changed files ({len(changes.files)} named)</summary>\n\n{names}\n\n</details>"


def _flaky(flaky: Flaky) -> str:
    rate = passed(flaky)
    claim = f"**{_FLAKY.get(flaky.verdict, _FLAKY['unknown'])}** {prose(flaky.reason)}" + (f" {rate}" if rate else "")
    return "\n\n".join(part for part in (claim, listed(flaky.evidence, _MOST_NAMES, _proof)) if part)


def _proof(item: Evidence) -> str:
    return f"{inline(item.kind.replace('-', ' ').capitalize(), 40)} {code_span(item.where)}: {prose(item.text, 200)}"


def _similar(similar: Similar, links: Links) -> str:
    branches = f", on {_names(similar.branches)}" if similar.branches else ""
    newest = f" {links.link('Newest run', similar.url)}." if similar.url else ""
    seen = f"{counted(similar.count, 'time')}: first {code_span(similar.first_seen, 40)}, last {code_span(similar.last_seen, 40)}{branches}"
    return f"The same failure was seen {seen}. Fingerprint {code_span(similar.fingerprint, 40)}.{newest}"


def _job(job: JobFailure, links: Links) -> str:
    name = links.link(code_span(job.job), job.url)
    if job.same:
        return f"{name}: the same failure"
    line = f", line {job.line}: {code_span(job.text.strip())}" if job.line else ""
    kind = f" ({job.category}, confidence {job.confidence:.0%})" if job.category else ""
    return f"{name}: {prose(job.title)}{line}{kind}"


def _names(names: Sequence[str]) -> str:
    rest = len(names) - _MOST_NAMES
    return ", ".join(code_span(name, 100) for name in names[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")

"""What is known beside the log, for a terminal: what changed, flaky or real, seen before, other jobs, operations. Lines are made safe by the caller."""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.domain.doctor import Changes, Flaky, JobFailure
from cicd_agents.report.document import Report
from cicd_agents.report.operations import operation_text
from cicd_agents.report.wording import counted, package, passed

_MOST = 5


def background(report: Report) -> Iterator[tuple[str, list[str]]]:
    """(heading, lines) of each part that there is."""
    details = report.details
    if details.changes:
        yield "Changed since the last good run", list(_changes(details.changes))
    if details.flaky != Flaky():
        yield f"Flaky: {details.flaky.verdict}", [text for text in (details.flaky.reason, passed(details.flaky)) if text]
    if details.similar:
        seen = details.similar
        branches = f", on {', '.join(seen.branches[:_MOST])}" if seen.branches else ""
        yield "Seen before", [f"{counted(seen.count, 'time')}, first {seen.first_seen}, last {seen.last_seen}{branches}", *([seen.url] if seen.url else [])]
    if details.other_jobs:
        yield "Other failed jobs", _first([_job(job) for job in details.other_jobs])
    if report.operations:
        yield "Operations", [operation_text(item) for item in report.operations]


def _changes(changes: Changes) -> Iterator[str]:
    cut = "" if changes.complete else " (the platform cut the list)"
    yield f"{changes.good_sha[:12]} → {changes.bad_sha[:12]}, {counted(changes.commits, 'commit')}{cut}"
    for suspect in changes.suspects[:_MOST]:
        reasons = f": {'; '.join(suspect.reasons)}" if suspect.reasons else ""
        yield f"suspect {suspect.sha[:12]} {suspect.subject}{reasons}"
    yield from _first([f"{package(change)} in {change.file}" for change in changes.packages])
    if changes.ci_files:
        yield f"CI configuration: {', '.join(changes.ci_files[:_MOST])}"
    if changes.bisect:
        yield from (f"$ {line}" for line in changes.bisect.splitlines()[:_MOST])


def _job(job: JobFailure) -> str:
    if job.same:
        return f"{job.job}: the same failure"
    return f"{job.job}: {job.title}" + (f", line {job.line}: {job.text.strip()}" if job.line else "")


def _first(lines: list[str]) -> list[str]:
    rest = len(lines) - _MOST
    return lines if rest <= 0 else [*lines[:_MOST], f"… and {rest} more"]

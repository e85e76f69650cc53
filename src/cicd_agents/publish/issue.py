"""One issue for each kind of failure (fingerprint): opened once, counted in place, opened again when the failure is back."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cicd_agents.domain.ci import Issue
from cicd_agents.domain.errors import ServiceError
from cicd_agents.domain.ports import CodeHost
from cicd_agents.publish.marker import digest
from cicd_agents.publish.outcome import Published, PublishStatus, guarded
from cicd_agents.report.escape import plain
from cicd_agents.report.wording import counted

DESTINATION = "issue"
_MAX_TITLE = 200  # GitHub and GitLab take 255 characters
_MARKER = re.compile(r"\s*<!-- cicd-agents-issue:([a-z0-9-]{1,40}):([0-9a-f]{1,64}):([0-9a-f]{1,64}):([0-9]{1,9}):([0-9a-f]{1,64}) -->")


@dataclass(frozen=True, slots=True)
class FailureIssue:
    """What an issue says. `key` is its scope (marker.scope_key), `run` identifies the run and attempt, so that one run counts once.

    The first label finds the issue again. `back` is the Markdown of the comment when a closed issue is opened again.
    """

    agent: str
    key: str
    fingerprint: str
    title: str
    body: str
    labels: tuple[str, ...]
    run: str
    back: str
    from_fork: bool = False


@dataclass(frozen=True, slots=True)
class IssueMarker:
    """The hidden first line of an issue: what it is about, how often that was seen, and the run that was counted last."""

    agent: str
    key: str
    fingerprint: str
    count: int
    last: str

    def __str__(self) -> str:
        return f"<!-- cicd-agents-issue:{self.agent}:{self.key}:{self.fingerprint}:{self.count}:{self.last} -->"


def read_issue_marker(body: str) -> IssueMarker | None:
    """The marker that an issue begins with."""
    found = _MARKER.match(body)
    return IssueMarker(found[1], found[2], found[3], int(found[4]), found[5]) if found else None


def publish_issue(host: CodeHost, failure: FailureIssue, *, dry_run: bool = False) -> Published:
    """Open an issue for the failure, or count it in the one that there is and open that again. A run that was counted last changes nothing."""
    if not failure.labels or not failure.fingerprint:
        missing = "label" if not failure.labels else "fingerprint"
        return Published(DESTINATION, PublishStatus.SKIPPED, why=f"Without a {missing} the issue could not be found again.")

    def publish() -> Published:
        ours = _ours(host, failure.labels[0], _same_failure(failure))
        if ours:
            return _counted(host, failure, ours, dry_run)
        if dry_run:
            return Published(DESTINATION, PublishStatus.PLANNED, why="Would open a new issue.")
        return _opened(host, failure)

    return guarded(DESTINATION, publish, from_fork=failure.from_fork)


def resolve_issues(host: CodeHost, agent: str, key: str, label: str, body: str, *, dry_run: bool = False) -> Published:
    """Close the open issues of this agent and scope with a comment, when the run is green again."""

    def publish() -> Published:
        ours = [issue for issue, marker in _ours(host, label, lambda marker: (marker.agent, marker.key) == (agent, key)) if issue.open]
        if not ours:
            return Published(DESTINATION, PublishStatus.SKIPPED, why="There is no open issue to resolve.")
        if dry_run:
            return Published(DESTINATION, PublishStatus.PLANNED, ours[0].url, f"Would close {counted(len(ours), 'issue')}.")
        for issue in ours:
            host.update_issue(issue, open=False)
            host.comment_issue(issue, body)
        return Published(DESTINATION, PublishStatus.RESOLVED, ours[0].url, f"Closed {counted(len(ours), 'issue')}.")

    return guarded(DESTINATION, publish)


def _same_failure(failure: FailureIssue) -> Callable[[IssueMarker], bool]:
    return lambda marker: (marker.agent, marker.fingerprint) == (failure.agent, failure.fingerprint)


def _ours(host: CodeHost, label: str, wanted: Callable[[IssueMarker], bool]) -> list[tuple[Issue, IssueMarker]]:
    """Our own issues whose marker is wanted, the oldest first."""
    me = host.me().id
    marked = [(issue, read_issue_marker(issue.body)) for issue in host.issues(label) if issue.author.id == me]
    return sorted(((issue, marker) for issue, marker in marked if marker and wanted(marker)), key=lambda pair: pair[0].number)


def _opened(host: CodeHost, failure: FailureIssue) -> Published:
    marker = IssueMarker(failure.agent, failure.key, failure.fingerprint, 1, digest(failure.run))
    title = plain(" ".join(failure.title.split()), _MAX_TITLE)
    issue = host.create_issue(title, _text(marker, failure.body), failure.labels)
    try:
        ours = _ours(host, failure.labels[0], _same_failure(failure))
    except ServiceError as problem:
        return Published(DESTINATION, PublishStatus.CREATED, issue.url, f"It is not known whether another run opened one too. {problem}")
    if not ours or ours[0][0].number >= issue.number:
        return Published(DESTINATION, PublishStatus.CREATED, issue.url)
    return _counted(host, failure, [pair for pair in ours if pair[0].number != issue.number] + [(issue, marker)], dry_run=False)


def _counted(host: CodeHost, failure: FailureIssue, ours: Sequence[tuple[Issue, IssueMarker]], dry_run: bool) -> Published:
    issue, marker = ours[0]
    last = digest(failure.run)
    if dry_run:
        verb = "count the failure in the issue" if issue.open else "open the issue again"
        planned = marker.last != last
        return Published(DESTINATION, PublishStatus.PLANNED if planned else PublishStatus.UNCHANGED, issue.url, f"Would {verb}." if planned else "")
    for other, _ in ours[1:]:
        host.update_issue(other, body=f"The same failure as #{issue.number}.\n", open=False)
    if marker.last == last:
        return Published(DESTINATION, PublishStatus.UNCHANGED, issue.url)
    newer = replace(marker, key=failure.key, count=marker.count + 1, last=last)
    host.update_issue(issue, body=_text(newer, failure.body), open=None if issue.open else True)
    if not issue.open:
        host.comment_issue(issue, failure.back)
    return Published(DESTINATION, PublishStatus.UPDATED, issue.url, "" if issue.open else "Opened again: the failure is back.")


def _text(marker: IssueMarker, body: str) -> str:
    return f"{marker}\n{body}\n<sub>Seen {counted(marker.count, 'time')}.</sub>\n"

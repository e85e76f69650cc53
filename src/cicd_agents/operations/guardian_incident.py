"""When a rollback fails a person has to know: one issue, found again by a hidden line, and one message."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cicd_agents.domain.ci import Issue
from cicd_agents.domain.errors import ServiceError
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.ports import CodeHost
from cicd_agents.operations.apply import AlreadyDone, Applier
from cicd_agents.report.escape import plain

OPEN_INCIDENT, TELL_INCIDENT = "OpenIncident", "TellIncident"
INCIDENT_KINDS = (OPEN_INCIDENT, TELL_INCIDENT)
# GitHub's limit of an issue's text is 65,536 characters; titles are at most 255 on both forges.
_MOST_TEXT, _MOST_TITLE = 60_000, 200


def incident_operations(target: str, what: str, reason: str) -> tuple[Operation, ...]:
    """The two, in order. They are only carried out where a rollback fails; `what` says which rollback, so that it has one incident."""
    why = f"Only where the rollback fails: a person has to act. {reason}"
    found = (("incident", _digest(target, what)),)
    return (
        Operation(OPEN_INCIDENT, target, why, "Close the issue.", f"{OPEN_INCIDENT}:{target}:{what}", parameters=found),
        Operation(TELL_INCIDENT, target, why, "A message cannot be taken back.", f"{TELL_INCIDENT}:{target}:{what}", parameters=found),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class IncidentSteps:
    """Opens the issue and sends the message. `body` makes the text (Markdown) of what was done; `tell` gets that and the issue's address, empty: there is none.

    Without a host there is no issue, without `tell` no message. The first label finds the issue again.
    """

    title: str
    body: Callable[[Sequence[Operation]], str]
    labels: tuple[str, ...]
    host: CodeHost | None = None
    tell: Callable[[Sequence[Operation], str], None] | None = None

    def appliers(self, done: Sequence[Operation]) -> Mapping[str, Applier]:
        """By kind, for what was done."""
        found: dict[str, Applier] = {}
        if (host := self.host) is not None:
            found[OPEN_INCIDENT] = lambda operation: self._open(operation, done, host)
        if (tell := self.tell) is not None:
            found[TELL_INCIDENT] = lambda operation: self._tell(operation, done, tell)
        return found

    def _open(self, operation: Operation, done: Sequence[Operation], host: CodeHost) -> str:
        mark = _mark(operation)
        present = self._found(host, mark)
        if present is not None and present.open:
            raise AlreadyDone(f"The issue is open: {present.url or present.number}")
        text = f"{mark}\n{self.body(done)}"[:_MOST_TEXT]
        if present is not None:
            host.update_issue(present, body=text, open=True)
            return f"Opened again: {present.url or present.number}"
        issue = host.create_issue(plain(" ".join(self.title.split()), _MOST_TITLE), text, self.labels)
        return f"Opened {issue.url or issue.number}"

    def _tell(self, operation: Operation, done: Sequence[Operation], tell: Callable[[Sequence[Operation], str], None]) -> str:
        issue, problem = None, ""
        if self.host is not None:
            try:
                issue = self._found(self.host, _mark(operation))
            except ServiceError as trouble:
                problem = f" {trouble}"  # the message counts more than to know whether it was sent before
        told = f"<!-- cicd-agents-incident-told:{dict(operation.parameters)['incident']} -->"
        if issue is not None and told in issue.body:
            raise AlreadyDone("It was told before.")
        tell(done, issue.url if issue else "")
        if issue is not None and self.host is not None:
            problem = self._note_told(self.host, issue, told)
        return f"Told.{problem}"

    def _note_told(self, host: CodeHost, issue: Issue, told: str) -> str:
        try:
            host.update_issue(issue, body=f"{issue.body[: _MOST_TEXT - len(told)]}\n{told}")
        except ServiceError as problem:
            return f" That could not be noted on the issue, so a second run tells it again: {problem}"
        return ""

    def _found(self, host: CodeHost, mark: str) -> Issue | None:
        """Our own issue of this incident, the oldest; what others write is not ours, whatever it begins with."""
        me = host.me().id
        ours = [issue for issue in host.issues(self.labels[0]) if issue.author.id == me and issue.body.startswith(mark)]
        return min(ours, key=lambda issue: issue.number, default=None)


def _mark(operation: Operation) -> str:
    return f"<!-- cicd-agents-incident:{dict(operation.parameters)['incident']} -->"


def _digest(target: str, what: str) -> str:
    return hashlib.sha256(f"{target}\0{what}".encode(errors="replace")).hexdigest()[:16]

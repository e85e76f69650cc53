"""What a request for an approval says, and the hidden line by which it is found again. Pure.

Anybody can write such a line, so it counts only in what our own account wrote. Somebody who may write to the repository can change even that,
so a request only counts while it says what we would write.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.invisible import INVISIBLE, seen
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.redaction import Redactor
from cicd_agents.operations.approval import SHOWN, Plan
from cicd_agents.report.escape import code_span, fence, inline, plain
from cicd_agents.report.wording import counted

_MARKER = re.compile(r"\s*<!-- cicd-agents-approval:([a-z]{1,10}):([0-9a-f]{16}):([0-9a-f]{64}):([0-9]{1,12}):([0-9]{0,19}) -->", re.ASCII)
_MAX_TITLE = 200  # GitHub and GitLab take 255 characters
_SHORT = 120  # characters of a value that stands in its line
# How many characters of a value are shown, and whether operations that need no approval of their own are shown in one line; the first that fits.
_LEVELS = ((4_000, False), (600, False), (600, True), (120, True))


class State(StrEnum):
    """Where a request stands; only one that is `asked` can be answered."""

    ASKED = "asked"
    REFUSED = "refused"
    USED = "used"
    EXPIRED = "expired"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class RequestMarker:
    """The hidden first line. `scope` stands for what the plan is for (a newer plan for the same takes its place), `plan` is the whole hash.

    `asked` is when we asked by our clock (seconds since the epoch), `starter` the number of the account that started the run, or empty.
    """

    state: State
    scope: str
    plan: str
    asked: int
    starter: str = ""

    def __str__(self) -> str:
        return f"<!-- cicd-agents-approval:{self.state}:{self.scope}:{self.plan}:{self.asked}:{self.starter} -->"


def read_request_marker(body: str) -> RequestMarker | None:
    """The marker that a text begins with."""
    found = _MARKER.match(body)
    if found is None or found[1] not in set(State):
        return None
    return RequestMarker(State(found[1]), found[2], found[3], int(found[4]), found[5])


def scope_of(repository: str, scope: str) -> str:
    """16 hex digits for what a plan is for."""
    return hashlib.sha256(f"{repository}\0{scope}".encode(errors="replace")).hexdigest()[:16]


def same_text(one: str, other: str) -> bool:
    """Whether two bodies say the same; forges change line ends and blanks at the end."""
    return one.split() == other.split()


@dataclass(frozen=True, slots=True)
class RequestText:
    """All that the text of a request depends on. `who` says in Markdown, by rule, who may approve; `until` in seconds since the epoch.

    `slash`: the answer begins with a slash. GitLab takes `/approve` for an order of its own and cuts it out of the note (quick actions), so not there.
    `most` bytes at most. `redactor` hides secrets; the hash is that of the plan with them.
    """

    plan: Plan
    marker: RequestMarker
    who: tuple[str, ...]
    until: float
    slash: bool = True
    most: int = 60_000
    redactor: Redactor = field(default_factory=Redactor)

    def body(self) -> str:
        """The whole text with its marker. Raises UsageError where the plan is too long to be shown: nobody approves what they cannot see."""
        for width, short in _LEVELS:
            text = "\n\n".join([str(self.marker), *self._head(), *self._operations(width, short), *self._how()]) + "\n"
            if len(text.encode()) <= self.most:
                return text
        raise UsageError(
            f"approval-required: the plan has {counted(len(self.plan.held), 'operation')}, too many to be shown in one request. "
            "Ask for an approval of fewer operations, or use `approval-by: environment`."
        )

    def title(self) -> str:
        """The title of an issue."""
        kinds = list(dict.fromkeys(operation.kind for operation in _needing(self.plan)))
        return plain(" ".join(f"Approval needed: {', '.join(kinds)} in {self.plan.repository}".split()), _MAX_TITLE)

    def _head(self) -> Iterator[str]:
        held = self.plan.held
        yield f"### Approval needed for {counted(len(held), 'operation')} of {inline(self.plan.repository)}"
        yield (
            f"Plan `{self.plan.hash[:SHOWN]}`: these operations, in this order, and no others. The settings ask for your approval of those marked as "
            "**risky**; the ones after the first of them wait with it."
        )

    def _operations(self, width: int, short: bool) -> Iterator[str]:
        risky = {id(operation) for operation in _needing(self.plan)}
        for number, operation in enumerate(self.plan.held, start=1):
            needs, shown = id(operation) in risky, self._without_secrets(operation)
            target = _value(shown.target, _SHORT if short and not needs else 300)
            head = f"**{number}.**{' **risky**' if needs else ''} {code_span(shown.kind, 80)} {target}"
            yield head if short and not needs else "\n\n".join([head, *_details(shown, width)])

    def _without_secrets(self, operation: Operation) -> Operation:
        def clean(text: str) -> str:
            return self.redactor.redact(text).text

        parameters = tuple((clean(name), clean(value)) for name, value in operation.parameters)
        return replace(operation, target=clean(operation.target), why=clean(operation.why), reverse=clean(operation.reverse), parameters=parameters)

    def _how(self) -> Iterator[str]:
        slash = "/" if self.slash else ""
        short = self.plan.hash[:SHOWN]
        yield f"---\n\nAnswer until **{moment(self.until)}** with a comment that holds one of these lines, alone on its line:"
        yield f"```\n{slash}approve {short}\n{slash}refuse {short}\n```"
        yield "\n".join(f"- {line}" for line in self.who)
        if self.marker.starter:
            yield f"Account {self.marker.starter} started the run that asks."
        yield "A comment that was changed after it was written does not count. If the plan changes, this is void and asked anew."


def closed_text(body: str, state: State, sentence: str) -> str:
    """The text of a request that is over: why, and below what was asked."""
    marker = read_request_marker(body)
    if marker is None:
        return body
    ended = RequestMarker(state, marker.scope, marker.plan, marker.asked, marker.starter)
    return f"{ended}\n\n> **{inline(sentence, 600)}**\n\n{_MARKER.sub('', body, count=1).lstrip()}"


def moment(seconds: float) -> str:
    """A time for people."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _needing(plan: Plan) -> tuple[Operation, ...]:
    return tuple(operation for operation, needs in zip(plan.operations, plan.needing, strict=True) if needs)


def _details(operation: Operation, width: int) -> Iterator[str]:
    yield f"{inline(operation.why, width)} To undo: {inline(operation.reverse, width)}"
    for name, value in operation.parameters:
        yield f"{inline(name, 80)}: {_value(value, width)}".replace(": \n", ":\n", 1)


def _value(value: str, width: int) -> str:
    """A value as it is: on its line where that shows it whole, else as a block; what is cut or cannot be seen is said."""
    lone = " ".join(value.split()) == value and "|" not in value and len(value) <= min(_SHORT, width)
    shown = code_span(value, _SHORT) if lone else f"\n\n{fence(value, width)}"
    notes = []
    if len(seen(value)) > width and not lone:
        notes.append(f"cut; {len(value):,} characters, SHA-256 `{hashlib.sha256(value.encode(errors='replace')).hexdigest()}`")
    if INVISIBLE.search(value):
        notes.append("**holds characters that cannot be seen**")
    return shown + (f"{' ' if lone else chr(10) * 2}({'; '.join(notes)})" if notes else "")


def who_may(names: Sequence[str], minimum: int, operation: str, barred: str) -> str:
    """A line that says who may approve the operations of a rule; the names are Markdown already."""
    people = ", ".join(names)
    number = "one of" if minimum == 1 else f"{minimum} different people of"
    return f"{code_span(operation)}: {number} {people}{barred}"

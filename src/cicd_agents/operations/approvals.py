"""Approvals from beginning to end: asks for one where operations need it, reads what was answered, and waits where that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from cicd_agents.domain.ci import Author
from cicd_agents.domain.errors import RateLimited, ServiceError, Unavailable, UsageError
from cicd_agents.domain.forge import People, Reviews
from cicd_agents.domain.operation import REACHED, Operation
from cicd_agents.domain.ports import Clock, CodeHost
from cicd_agents.domain.redaction import Redactor
from cicd_agents.operations.apply import apply
from cicd_agents.operations.approval import SHOWN, Approval, ApprovalStatus, Plan
from cicd_agents.operations.approval_answers import Question, answers
from cicd_agents.operations.approval_judging import Judgement, judge, judge_environment
from cicd_agents.operations.approval_people import Register, Voters, distinct, starter_of, voters_of
from cicd_agents.operations.approval_places import IssuePlace, Request
from cicd_agents.operations.approval_request import RequestMarker, RequestText, State, closed_text, moment, same_text, scope_of
from cicd_agents.operations.approval_rules import ApprovalRule
from cicd_agents.operations.audit import AuditLog
from cicd_agents.operations.policy import Mode

ASK, END = "AskForApproval", "EndApprovalRequest"
FIRST_STEP, GROWTH, LONGEST_STEP = 30.0, 1.5, 300.0  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Asking:
    """For whom and how it is asked. `scope` says what the plan is for (`release api`): a newer plan of the same scope takes the place of an older one.

    `starter` is the login that started the run, `run_id` the run for approvals by environment. `resume` completes "then …" for people.
    `slash` is false on GitLab, which takes a line `/approve` for an order of its own; `most` is how many bytes a text may have.
    """

    repository: str
    scope: str = ""
    starter: str = ""
    run_id: str = ""
    resume: str = "run this job again"
    slash: bool = True
    most: int = 60_000
    dry_run: bool = False
    redactor: Redactor = field(default_factory=Redactor)


@dataclass(frozen=True, slots=True)
class Approvals:
    """Asks people at a place, and counts only who may answer by the rules. `reviews` is needed for rules with an environment alone."""

    rules: tuple[ApprovalRule, ...]
    asking: Asking
    place: IssuePlace
    host: CodeHost
    people: People
    audit: AuditLog
    clock: Clock
    reviews: Reviews | None = None

    def approval(self, operations: Sequence[Operation]) -> Approval:
        """Whether the operations are approved; asks where that was not done yet. No call is made where none of them needs an approval.

        Raises ServiceError where that cannot be found out or asked for, and UsageError for approvers that are not there; then nothing may be done.
        """
        return self._approval(operations, ask=True)

    def wait(self, operations: Sequence[Operation], seconds: float) -> Approval:
        """The same, but looks again for so many seconds while nobody decided. A request is only written at the beginning."""
        found = self._approval(operations, ask=True)
        end, step = self.clock.monotonic() + seconds, FIRST_STEP
        while found.status is ApprovalStatus.WAITING and (left := end - self.clock.monotonic()) > 0:
            self.clock.sleep(min(step, left))
            step = min(step * GROWTH, LONGEST_STEP)
            try:
                again = self._approval(operations, ask=False)
            except (Unavailable, RateLimited):  # the next look may go well
                continue
            found = replace(again, writes=(*found.writes, *again.writes))
        return found

    def done(self, approval: Approval, operations: Sequence[Operation]) -> tuple[Operation, ...]:
        """End the request of an approval when all its operations are done, so that it is not good for a second time; what was written."""
        plan = replace(approval.plan, operations=tuple(operations))
        reached = plan.hash == approval.plan.hash and all(operation.status in REACHED for operation in plan.held)
        if approval.status is not ApprovalStatus.GRANTED or not reached or self._by_platform(plan.rules):
            return ()
        mine = self._of(plan, self.place.requests(self.host.me()))
        return tuple(self._end(request, State.USED, f"{approval.sentence} All of it is done.") for request in mine if request.marker.state is State.ASKED)

    def _approval(self, operations: Sequence[Operation], *, ask: bool) -> Approval:
        plan = Plan(self.asking.repository, tuple(operations), self.rules)
        if not plan.needs:
            return Approval(ApprovalStatus.NOT_NEEDED, plan, "Nothing of this needs an approval.")
        round_ = _Round(self, plan, self.host.me(), starter_of(self.asking.starter, self.people))
        return round_.by_environment() if self._by_platform(plan.needs) else round_.by_comment(ask=ask)

    def _by_platform(self, rules: Sequence[ApprovalRule]) -> bool:
        return any(rule.environment for rule in rules)

    def _of(self, plan: Plan, requests: Sequence[Request]) -> list[Request]:
        scope = scope_of(self.asking.repository, self.asking.scope)
        return [request for request in requests if (request.marker.plan, request.marker.scope) == (plan.hash, scope)]

    def _end(self, request: Request, state: State, sentence: str) -> Operation:
        """The operation that ended a request; where that failed, the next run tries again."""

        def end() -> str:
            self.place.end(request, closed_text(request.body, state, sentence))
            return sentence

        key = f"{END}:{self.asking.repository}:{request.id}:{state}"
        return self._write(Operation(END, f"{self.place.name}, {request.url}", sentence, "Run it again to ask anew.", key), end)

    def _write(self, operation: Operation, write: Callable[[], str]) -> Operation:
        return apply((operation,), {operation.kind: lambda _: write()}, Mode.AUTO, self.audit, self.clock)[0]


@dataclass(frozen=True, slots=True)
class _Round:
    """One look at one plan."""

    approvals: Approvals
    plan: Plan
    me: Author
    starter: str

    def by_environment(self) -> Approval:
        """What was said for the environment of the rules; a rule without one cannot be satisfied so."""
        all_, reviews = self.approvals, self.approvals.reviews
        if reviews is None or not all_.asking.run_id or not all(rule.environment for rule in self.plan.needs):
            raise UsageError("approval-by: an approval by environment is not possible here; use `approval-by: comment`.")
        if all_.asking.dry_run:
            return self._planned("")
        voters = self._voters()
        judged = judge_environment(reviews.of_run(all_.asking.run_id), voters, Register(all_.people), self.me)
        return self._approval(judged, "", ())

    def by_comment(self, *, ask: bool) -> Approval:
        """What was answered to the request, which is written where there is none."""
        voters = self._voters()
        text = self._text(voters)
        if self.approvals.asking.dry_run:
            return self._planned(text.body())
        requests = self.approvals.place.requests(self.me)
        mine = self.approvals._of(self.plan, requests)
        refused = next((request for request in mine if request.marker.state is State.REFUSED), None)
        if refused:
            return self._approval(Judgement(ApprovalStatus.REFUSED, _REFUSED_BEFORE), refused.url, ())
        asked = [request for request in mine if request.marker.state is State.ASKED]
        good = [request for request in asked if _as_written(request, text)]
        if not ask and not good:
            return self._approval(Judgement(ApprovalStatus.REFUSED, _GONE), "", ())
        writes = [self.approvals._end(request, State.REPLACED, _VOID) for request in asked if request not in good] if ask else []
        if not good:
            good, written = self._ask(text, requests)
            writes += written
        first, *others = good
        writes += [self.approvals._end(request, State.REPLACED, f"The same was asked before: {first.url}") for request in others] if ask else []
        return self._answered(first, voters, requests, tuple(writes))

    def _voters(self) -> tuple[Voters, ...]:
        barred = frozenset({self.starter} - {""})
        return tuple(voters_of(rule, self.approvals.people, barred) for rule in self.plan.needs)

    def _text(self, voters: Sequence[Voters]) -> RequestText:
        asking, now = self.approvals.asking, self.approvals.clock.now()
        marker = RequestMarker(State.ASKED, scope_of(asking.repository, asking.scope), self.plan.hash, int(now), self.starter)
        return RequestText(self.plan, marker, distinct(voters), marker.asked + self._timeout, asking.slash, asking.most, asking.redactor)

    @property
    def _timeout(self) -> float:
        return min(rule.timeout for rule in self.plan.needs)

    def _ask(self, text: RequestText, before: Sequence[Request]) -> tuple[list[Request], list[Operation]]:
        """Write the request and look again: of two runs at once the first one's stays. Older plans for the same are over then."""
        place, made = self.approvals.place, list[Request]()

        def ask() -> str:
            written = place.ask(text.title(), text.body())
            made.extend([written] if written else [])
            return f"Asked until {moment(text.until)}: {written.url if written else place.name}"

        key = f"{ASK}:{text.marker.scope}:{self.plan.hash}"
        operation = Operation(ASK, place.name, "The settings ask for an approval.", "Close it.", key, parameters=(("plan", self.plan.hash),))
        done = self.approvals._write(operation, ask)
        if not made:
            raise ServiceError(f"The approval could not be asked for: {done.result}")
        writes = [done]
        writes += [
            self.approvals._end(request, State.REPLACED, f"The plan changed; it is asked anew: {made[0].url}")
            for request in before
            if request.marker.scope == text.marker.scope and request.marker.plan != self.plan.hash and request.marker.state is State.ASKED
        ]
        try:
            again = self.approvals._of(self.plan, place.requests(self.me))
        except ServiceError:  # the next run looks again
            return made, writes
        found = [request for request in again if request.marker.state is State.ASKED and _as_written(request, text)]
        return found or made, writes

    def _answered(self, request: Request, voters: Sequence[Voters], requests: Sequence[Request], writes: tuple[Operation, ...]) -> Approval:
        all_, asked = self.approvals, request.created or 0.0
        also_barred = frozenset({request.marker.starter} - {""})
        counted = [one if one.rule.starter_may else replace(one, barred=one.barred | also_barred) for one in voters]
        others = tuple({other.marker.plan for other in requests} - {self.plan.hash})
        replies, until = all_.place.replies(request), asked + self._timeout
        said = answers(Question(self.plan.hash, asked, until, self.me, others), replies.comments)
        judged = judge(said, counted, Register(all_.people), until=until, now=all_.clock.now(), complete=replies.complete)
        if judged.status is ApprovalStatus.WAITING and not request.open:
            judged = replace(judged, status=ApprovalStatus.REFUSED, sentence="The request was closed without an approval; open it again, or let it run out.")
        elif judged.status is ApprovalStatus.WAITING:
            judged = replace(judged, sentence=self._how_to(judged, request, until))
        elif judged.status is ApprovalStatus.EXPIRED:
            judged = replace(judged, sentence=f"{judged.sentence} It could be approved until {moment(until)}; to ask anew, {all_.asking.resume}.")
            writes = (*writes, all_._end(request, State.EXPIRED, judged.sentence))
        elif judged.status is ApprovalStatus.REFUSED:
            writes = (*writes, all_._end(request, State.REFUSED, judged.sentence))
        return self._approval(judged, request.url, writes)

    def _how_to(self, judged: Judgement, request: Request, until: float) -> str:
        slash = "/" if self.approvals.asking.slash else ""
        answer = f"`{slash}approve {self.plan.hash[:SHOWN]}`"
        return f"{judged.sentence}: comment {answer} at {request.url or self.approvals.place.name} until {moment(until)}, then {self.approvals.asking.resume}."

    def _planned(self, text: str) -> Approval:
        return Approval(ApprovalStatus.PLANNED, self.plan, "Dry run: this needs an approval, and nobody was asked for it.", text=text)

    def _approval(self, judged: Judgement, url: str, writes: tuple[Operation, ...]) -> Approval:
        return Approval(judged.status, self.plan, judged.sentence, judged.url or url, judged.by, judged.notes, writes=writes)


_REFUSED_BEFORE = (
    "This plan was refused, and stays so until it changes. To have it asked anew, take the label from the issue, or delete the request where it is a comment."
)
_VOID = "It is void: its text was changed, or who may approve has changed since. It is asked anew."
_GONE = "The request is gone, was changed, or another plan took its place."


def _as_written(request: Request, text: RequestText) -> bool:
    """Whether a request says what we would write for the plan and the rules of today, if we had asked when it was asked."""
    timeout = text.until - text.marker.asked
    expected = replace(text, marker=request.marker, until=request.marker.asked + timeout)
    return request.created is not None and same_text(request.body, expected.body())

"""What the answers to a request amount to: granted, refused, too late, or still to be waited for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cicd_agents.domain.ci import Author
from cicd_agents.domain.forge import EnvironmentApproval
from cicd_agents.operations.approval import ApprovalStatus, Consent, named
from cicd_agents.operations.approval_answers import Answer, Ignored, is_bot, told
from cicd_agents.operations.approval_people import Register, Unsure, Voters

_MOST_NOTES = 20


@dataclass(frozen=True, slots=True)
class Judgement:
    """The status, a sentence on how it stands, those who agreed, where it was decided, and the answers that do not count."""

    status: ApprovalStatus
    sentence: str
    by: tuple[Consent, ...] = ()
    url: str = ""
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Count:
    """The votes so far: for each rule the accounts that agreed, by number."""

    voters: Sequence[Voters]
    register: Register
    yes: list[dict[str, Consent]]
    notes: list[str] = field(default_factory=list)
    unsure: bool = False

    def rules_of(self, author: Author) -> list[int]:
        """The rules by which the account has a say; it is noted where it has none."""
        found, reason = [], "they are not among those who may approve"
        if any(author.id in one.barred for one in self.voters):
            reason = "they started the run or asked for it"
        for index, one in enumerate(self.voters):
            try:
                if self.register.may(author, one):
                    found.append(index)
            except Unsure as problem:
                self.unsure, reason = True, f"it cannot be told whether they may. {problem}"
        if not found:
            self.notes.append(told(Ignored(author, reason.rstrip("."))))
        return found

    @property
    def missing(self) -> int:
        """How many approvals are needed yet, by the rule that needs most."""
        return max(one.rule.minimum - len(agreed) for one, agreed in zip(self.voters, self.yes, strict=True))

    @property
    def by(self) -> tuple[Consent, ...]:
        """All who agreed, each once, in order."""
        return tuple({author: consent for agreed in self.yes for author, consent in agreed.items()}.values())


def judge(answers: Iterable[Answer | Ignored], voters: Sequence[Voters], register: Register, *, until: float, now: float, complete: bool) -> Judgement:
    """What the answers of comments amount to. One no of somebody who may approve is a no, whatever else was said.

    An approval holds for the rule's timeout after it was given, so that an old one does not let through what is done again much later.
    Where not all answers could be read, or it cannot be told whether somebody who refused may, nothing is granted.
    """
    count = _Count(voters, register, [{} for _ in voters])
    stale = doubted = False
    for answer in answers:
        if isinstance(answer, Ignored):
            count.notes.append(told(answer))
            continue
        count.unsure = False
        rules = count.rules_of(answer.author)
        if rules and not answer.approves:
            return Judgement(ApprovalStatus.REFUSED, f"Refused by {named(answer.author)}.", url=answer.url, notes=_few(count.notes))
        doubted = doubted or (count.unsure and not answer.approves)
        for index in rules:
            holds = answer.time + voters[index].rule.timeout >= now
            stale = stale or not holds
            if holds:
                count.yes[index].setdefault(answer.author.id, Consent(answer.author, answer.time, answer.url))
    notes = _few(count.notes)
    if count.missing <= 0 and complete and not doubted:
        return Judgement(ApprovalStatus.GRANTED, _granted(count.by), count.by, count.by[0].url, notes)
    if now > until:
        return Judgement(ApprovalStatus.EXPIRED, "The approval was given too long ago." if stale else "Nobody approved it in time.", notes=notes)
    if not complete:
        notes = (*notes, "There are more comments than are read, so nothing is granted; lock the conversation, or have a new request made.")
    if doubted:
        notes = (*notes, "Somebody refused of whom it cannot be told whether they may, so nothing is granted.")
    return Judgement(ApprovalStatus.WAITING, _waiting(count.missing, count.by), count.by, notes=notes)


def judge_environment(said: Iterable[EnvironmentApproval], voters: Sequence[Voters], register: Register, me: Author) -> Judgement:
    """What people said when the platform asked them for the environment of the rules. Without a yes there is none: it may not be protected at all."""
    count = _Count(voters, register, [{} for _ in voters])
    environments = {one.rule.environment for one in voters}
    for item in said:
        if item.environment not in environments:
            continue
        if not item.author.id or item.author.id == me.id or is_bot(item.author):
            count.notes.append(told(Ignored(item.author, "it is of a bot or of nobody")))
            continue
        rules = [index for index in count.rules_of(item.author) if voters[index].rule.environment == item.environment]
        if rules and not item.approved:
            return Judgement(ApprovalStatus.REFUSED, f"Refused by {named(item.author)} for the environment {item.environment}.", notes=_few(count.notes))
        for index in rules:
            count.yes[index].setdefault(item.author.id, Consent(item.author))
    if count.missing <= 0:
        return Judgement(ApprovalStatus.GRANTED, _granted(count.by), count.by, notes=_few(count.notes))
    return Judgement(ApprovalStatus.WAITING, _unprotected(sorted(environments), count.by), count.by, notes=_few(count.notes))


def _granted(by: Sequence[Consent]) -> str:
    return f"Approved by {' and '.join(named(consent.author) for consent in by)}."


def _waiting(missing: int, by: Sequence[Consent]) -> str:
    so_far = f" ({', '.join(named(consent.author) for consent in by)} approved)" if by else ""
    return f"{missing} approval{'s' if missing > 1 else ''} needed yet{so_far}" if missing > 0 else f"It cannot be granted yet{so_far}"


def _unprotected(environments: Sequence[str], by: Sequence[Consent]) -> str:
    named_ones = " and ".join(environments)
    so_far = f" beside {', '.join(named(consent.author) for consent in by)}" if by else ""
    return (
        f"Nobody who may approved this run for the environment {named_ones}{so_far}. Let the job name that environment, and protect it: "
        "GitHub by required reviewers, GitLab by a protected environment with approval rules."
    )


def _few(notes: Sequence[str]) -> tuple[str, ...]:
    more = len(notes) - _MOST_NOTES
    return (*notes[:_MOST_NOTES], *([f"{more} more answers do not count."] if more > 0 else []))

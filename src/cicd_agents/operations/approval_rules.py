"""Which operations need an approval, and by whom: the flat settings read into rules. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.operation import Operation

DEFAULT_TIMEOUT = 4 * 3600.0
_LEAST_TIMEOUT, _MOST_TIMEOUT = 60.0, 30 * 86_400.0
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}
_TIMEOUT = re.compile(r"([0-9]{1,6})([mhd])", re.ASCII)
# `Rollback`, `Promote:prod`, `Create*`, `*`; a hyphen before it takes an operation out again.
_PATTERN = re.compile(r"-?[A-Za-z*][A-Za-z*]{0,60}(?::[^\s=,\[\]?]{1,200})?", re.ASCII)
# GitHub: letters, digits, hyphens (accounts of an enterprise: an underscore); GitLab: also dots.
_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_TEAM = re.compile(r"[A-Za-z0-9_.-]{1,255}(?:/[A-Za-z0-9_.-]{1,255}){0,20}", re.ASCII)
_MOST_ENTRIES = 100


class ApproverKind(StrEnum):
    """How somebody who may say yes is named."""

    LOGIN = "login"
    ID = "id"
    TEAM = "team"
    WRITERS = "writers"


@dataclass(frozen=True, slots=True)
class Approver:
    """A person by login or number, a team (GitHub: `org/team`) or group (GitLab: full path), or all who may write to the repository (no name)."""

    kind: ApproverKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """Who must agree before operations are done. `operation` is a kind or glob, or `KIND:WHAT` for one target or environment.

    `timeout` in seconds: how long a request can be answered, and how long an approval then holds. `minimum` different people must approve.
    `by_starter`: whether the one who started the run may approve; None: only where nobody else is named. `environment`: the platform asks, not we.
    """

    operation: str
    approvers: tuple[Approver, ...] = ()
    timeout: float = DEFAULT_TIMEOUT
    required: bool = True
    minimum: int = 1
    by_starter: bool | None = None
    environment: str = ""

    @property
    def starter_may(self) -> bool:
        """Whether the person who started the run may approve it; unless it is said, only one who is named alone, for nobody else could.

        Where nobody is named, the environment's own protection decides that too.
        """
        if self.by_starter is not None:
            return self.by_starter
        if not self.approvers:
            return bool(self.environment)
        return len(self.approvers) == 1 and self.approvers[0].kind in (ApproverKind.LOGIN, ApproverKind.ID)


def parse_rules(
    required: Sequence[str], approvers: Sequence[str], timeout: str, *, minimum: int = 1, by_starter: bool | None = None, environment: str = "",
    kinds: Sequence[str] = (),
) -> tuple[ApprovalRule, ...]:  # fmt: skip
    """The rules that the settings `approval-required`, `approvers` and `approval-timeout` state.

    `kinds` are the operations that there are, so that a misspelt one is refused; empty: any name will do. Raises UsageError.
    """
    patterns = [_pattern(entry, kinds) for entry in _bounded(required, "approval-required")]
    for_all, for_one = _approvers(_bounded(approvers, "approvers"), kinds)
    seconds = parse_timeout(timeout)
    names = [pattern for pattern in patterns if not pattern.startswith("-")]
    for name in for_one:
        if not any(_covers(pattern, name) for pattern in names):
            raise UsageError(f"approvers: {name!r} needs no approval; add it to approval-required.")
    rules = [ApprovalRule(pattern[1:], required=False) for pattern in patterns if pattern.startswith("-")]
    for name in dict.fromkeys([*names, *for_one]):
        who = next((found for other, found in for_one.items() if other.lower() == name.lower()), for_all)
        if not who and not environment:
            raise UsageError(f"approvers: nobody is named who may approve {name!r} of approval-required.")
        _enough(who, minimum, name)
        rules.append(ApprovalRule(name, tuple(who), seconds, True, minimum, by_starter, environment))
    return tuple(rules)


def parse_timeout(text: str) -> float:
    """Seconds of `30m`, `4h` or `2d`, from one minute to thirty days. Raises UsageError."""
    found = _TIMEOUT.fullmatch(text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not _LEAST_TIMEOUT <= seconds <= _MOST_TIMEOUT:
        raise UsageError(f"approval-timeout: {text[:40]!r} is no time from 1m to 30d, such as 30m, 4h or 2d.")
    return seconds


def rule_of(operation: Operation, rules: Sequence[ApprovalRule]) -> ApprovalRule | None:
    """The rule by which the operation needs an approval; None: it needs none. Of several rules the most exact one decides, then the first."""
    fitting = [rule for rule in rules if any(_covers(rule.operation, name) for name in _names(operation))]
    best = min(fitting, key=lambda rule: ("*" in rule.operation, ":" not in rule.operation, -len(rule.operation)), default=None)
    return best if best is not None and best.required else None


def _names(operation: Operation) -> Iterator[str]:
    """What a rule may call the operation: its kind, the family of the kind (`Promote` of `Promote:prod`), its target, or the environment that it changes."""
    yield operation.kind
    yield operation.kind.partition(":")[0]
    yield f"{operation.kind}:{operation.target}"
    for name, value in operation.parameters:
        if name == "environment":
            yield f"{operation.kind}:{value}"


def _covers(pattern: str, name: str) -> bool:
    """Case does not matter: an operation that slips through for a letter would be done without asking."""
    return fnmatchcase(name.lower(), pattern.lower())


def _bounded(entries: Sequence[str], setting: str) -> list[str]:
    if len(entries) > _MOST_ENTRIES:
        raise UsageError(f"{setting}: {len(entries)} entries are more than {_MOST_ENTRIES}.")
    return [entry.strip() for entry in entries if entry.strip()]


def _pattern(entry: str, kinds: Sequence[str], setting: str = "approval-required") -> str:
    if not _PATTERN.fullmatch(entry):
        raise UsageError(f"{setting}: {entry[:60]!r} is no kind of operation, such as Rollback, Promote:prod or *.")
    kind = entry.removeprefix("-").partition(":")[0]
    if kinds and not any(_covers(kind, known.partition(":")[0]) for known in kinds):
        near = difflib.get_close_matches(kind, kinds, 1)
        raise UsageError(f"{setting}: there is no operation {kind!r}; {f'did you mean {near[0]}?' if near else 'there are ' + ', '.join(sorted(kinds)) + '.'}")
    return entry


def _approvers(entries: Sequence[str], kinds: Sequence[str]) -> tuple[list[Approver], dict[str, list[Approver]]]:
    """Those for every kind, and those for one kind only, in the order of the settings."""
    for_all: list[Approver] = []
    for_one: dict[str, list[Approver]] = {}
    for entry in entries:
        before, equals, who = entry.rpartition("=")
        place = for_one.setdefault(_pattern(before.strip(), kinds, "approvers"), []) if equals else for_all
        place.append(_approver(who.strip()))
    return for_all, for_one


def _approver(text: str) -> Approver:
    if text == "role:write":
        return Approver(ApproverKind.WRITERS)
    for kind, prefix, form in ((ApproverKind.ID, "id:", _NUMBER), (ApproverKind.TEAM, "team:", _TEAM), (ApproverKind.TEAM, "@", _TEAM)):
        name = text.removeprefix(prefix)
        if name != text:
            if form.fullmatch(name) and (prefix != "@" or "/" in name):
                return Approver(kind, name)
            break
    else:
        if _LOGIN.fullmatch(text):
            return Approver(ApproverKind.LOGIN, text)
    raise UsageError(f"approvers: {text[:60]!r} is neither a login (alice), a number (id:42), a team (@org/team, team:group) nor role:write.")


def _enough(who: Sequence[Approver], minimum: int, name: str) -> None:
    """A rule that nobody can ever satisfy is a mistake that is better told at once."""
    if minimum < 1:
        raise UsageError(f"approval-minimum: {minimum} is less than one approval.")
    people = {approver for approver in who if approver.kind in (ApproverKind.LOGIN, ApproverKind.ID)}
    if who and len(people) == len(set(who)) < minimum:
        raise UsageError(f"approvers: {len(people)} may approve {name!r}, but approval-minimum asks for {minimum}.")

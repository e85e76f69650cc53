"""`plan_release`: from the commits since the last release to the next version, with the reason for each commit (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from cicd_agents.analysis.commits.bump import RANK, Judge
from cicd_agents.analysis.commits.deciding import REVERT_IN_RANGE, WITHDRAWN, Decider
from cicd_agents.analysis.commits.presets import DEFAULT
from cicd_agents.analysis.commits.reading import Reading
from cicd_agents.analysis.versions.calver import Scheme, next_calver, scheme_of
from cicd_agents.analysis.versions.next import Wish, next_version
from cicd_agents.analysis.versions.semver import Version, parse
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, Change, Decision, HistoryCommit, ReleasePlan, ReleaseRules


@dataclass(frozen=True, slots=True)
class World:
    """What the plan must know beside the commits.

    `existing`: the versions that there are, on any line. `released`: whether a SHA or request that a revert names was released before this range; None:
    nobody can tell, and what is not in the range counts as released. `day` is needed for calendar versions. `graduate`: go to 1.0.0 now.
    """

    existing: tuple[str, ...] = ()
    released: Callable[[str], bool] | None = None
    day: date | None = None
    graduate: bool = False
    previous_tag: str | None = None


def plan_release(
    history: Sequence[HistoryCommit], current: str | None, rules: ReleaseRules = DEFAULT.rules, reading: Reading = DEFAULT.reading, world: World = World()
) -> ReleasePlan:
    """What the release of these commits would be.

    `history` are the commits since the last release, newest first; `current` is its version, None before the first release. Takes linear time. No message
    makes it raise; UsageError is raised for a current, forced or initial version that is none, and for a calendar scheme without a day.
    """
    judge = Judge(rules)
    decided = Decider(judge, reading, world.released).decide(history)
    footer, notes = _footer_version(decided.changes, decided.decisions, current, rules, world)
    wanted = max((decision.bump for decision in decided.decisions), key=RANK.__getitem__, default=Bump.NONE)
    version, bump, why = _next(current, wanted, rules, world, rules.release_as or footer)
    released = bump is not Bump.NONE
    return ReleasePlan(
        current_version=current,
        next_version=version,
        bump=bump,
        changes=decided.changes,
        decisions=decided.decisions,
        reason=_reason(why, wanted, decided.decisions) if released else _no_reason(decided.decisions),
        source=rules.source,
        tag=f"{rules.tag_prefix}{version}{rules.tag_suffix}" if released and version else None,
        previous_tag=world.previous_tag,
        notes=notes,
    )


def counted_changes(history: Sequence[HistoryCommit], rules: ReleaseRules, reading: Reading) -> tuple[Change, ...]:
    """The changes of a release that was made already, as `plan_release` finds them, newest first; text and footers may be left out. Never raises."""
    return Decider(Judge(rules), reading).counted(history)


def _next(current: str | None, wanted: Bump, rules: ReleaseRules, world: World, wish: str | None) -> tuple[str | None, Bump, str]:
    """The next version, the bump that leads to it, and the reason."""
    if calendar := scheme_of(rules.scheme):
        return _next_by_calendar(current, wanted, calendar, world, wish)
    base = _version(current)
    existing = tuple(filter(None, map(_parsed, world.existing)))
    step = next_version(base, wanted, rules.zero, Wish(wish, world.graduate, rules.prerelease), existing, rules.initial)
    return (current if step.bump is Bump.NONE else str(step.version)), step.bump, step.reason


def _next_by_calendar(current: str | None, wanted: Bump, how: Scheme, world: World, wish: str | None) -> tuple[str | None, Bump, str]:
    if wish:
        if problem := _problem(wish, current, world, how):
            raise UsageError(f"Release-As {wish[:60]} cannot be followed: {problem}.")
        return wish, wanted if wanted is not Bump.NONE else Bump.PATCH, f"Release-As {wish} was asked for"
    if wanted is Bump.NONE:
        return current, wanted, ""
    if world.day is None:
        raise UsageError(f"The calendar scheme {how.text} needs the day of the release.")
    return next_calver(how, current, world.day, wanted, world.existing), wanted, "the version of the day"


def _version(current: str | None) -> Version | None:
    if current is None:
        return None
    version = _parsed(current)
    if version is None:
        raise UsageError(f"The current version {current[:60]!r} is no semantic version.")
    return version


def _parsed(text: str) -> Version | None:
    return parse(text.strip().removeprefix("v"))


def _footer_version(
    changes: Iterable[Change], decisions: Iterable[Decision], current: str | None, rules: ReleaseRules, world: World
) -> tuple[str | None, tuple[str, ...]]:
    """The newest version that a Release-As footer asks for, if it can be had, and a note on each one that cannot: an old footer must not stop a release."""
    counted = {decision.sha for decision in decisions if decision.rule not in (WITHDRAWN, REVERT_IN_RANGE)}
    found: str | None = None
    notes: list[str] = []
    for change in changes:
        if change.release_as is None or change.sha not in counted:
            continue
        problem = _problem(change.release_as, current, world, scheme_of(rules.scheme))
        if found or problem:
            notes.append(f"Release-As {change.release_as} of {change.sha[:9]} is not followed: {problem or f'{found} of a newer commit is'}.")
            continue
        found = change.release_as
    return found, tuple(notes)


def _problem(text: str, current: str | None, world: World, how: Scheme | None) -> str:
    """Why a version that is wished for cannot be had; empty where it can."""
    wished, base = (how.version(text), how.version(current or "")) if how else (parse(text), _version(current))
    if wished is None:
        return f"it is no version of the scheme {how.text}" if how else "it is no semantic version"
    if base is not None and wished.precedence <= base.precedence:
        return f"it is not above {base}"
    taken = {version.precedence for version in map(how.version if how else _parsed, world.existing) if version}
    return "it exists already" if wished.precedence in taken else ""


def _reason(why: str, wanted: Bump, decisions: Sequence[Decision]) -> str:
    asking = [decision for decision in decisions if decision.bump is wanted and wanted is not Bump.NONE]
    if not asking:
        return f"{why}."
    first = asking[-1]
    many = f" and {len(asking) - 1} more" if len(asking) > 1 else ""
    return f"{why}: {first.sha[:9]} {first.text[:200]!r} by the rule {first.rule!r}{many}."


def _no_reason(decisions: Sequence[Decision]) -> str:
    if not decisions:
        return "There is no commit since the last release."
    rules = Counter(decision.rule for decision in decisions)
    counts = ", ".join(f"{count} × {rule}" for rule, count in rules.most_common(6))
    return f"None of the {len(decisions)} commits since the last release asks for one: {counts}."

"""Replays past releases through the judge, minute by minute, and says how often it would have stopped a good one: its own false-alarm rate on your data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cicd_agents.analysis.canary.judgement import judge_tables
from cicd_agents.analysis.canary.tables import tabulate
from cicd_agents.analysis.flaky.interval import wilson
from cicd_agents.domain.canary import CanaryPolicy, Decision, Judgement, Observation, Status
from cicd_agents.domain.errors import ServiceError
from cicd_agents.domain.guardian import Sides

# A look a minute for a day; a release is judged over its stages, which are shorter.
MOST_LOOKS = 1440


@dataclass(frozen=True, slots=True)
class PastRelease:
    """A release that was: when it began to serve and until when it is replayed. `good`: whether it was; None: not known, it counts as good.

    `samples` is the file that holds what was seen of it, empty: a store still does.
    """

    name: str
    since: float
    until: float
    sides: Sides
    good: bool | None = None
    samples: str = ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the judge would have done. `minute` is when it would have rolled back, None: it would not.

    `status` is that of the last look that saw anything; `problem`: not seen.
    """

    release: PastRelease
    status: Status
    reason: str
    looks: int = 0
    minute: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Backtest:
    """All of them. Rates are of the releases that could be seen, with their 95 % interval (Wilson); None where there are none."""

    replayed: tuple[Replayed, ...]

    @property
    def seen(self) -> tuple[Replayed, ...]:
        """Those of which there is data."""
        return tuple(one for one in self.replayed if not one.problem and one.status is not Status.NO_DATA)

    @property
    def false_alarms(self) -> tuple[int, int]:
        """Good releases that would have been rolled back, and good releases."""
        good = [one for one in self.seen if one.release.good is not False]
        return sum(one.minute is not None for one in good), len(good)

    @property
    def caught(self) -> tuple[int, int]:
        """Bad releases that would have been rolled back, and bad releases."""
        bad = [one for one in self.seen if one.release.good is False]
        return sum(one.minute is not None for one in bad), len(bad)


def backtest(releases: Sequence[PastRelease], observe: Callable[[PastRelease], Observation], policy: CanaryPolicy) -> Backtest:
    """Replay each release; `observe` gives all that is known of one from before its beginning to its end, and may raise ServiceError."""
    return Backtest(tuple(_replayed(release, observe, policy) for release in releases))


def _replayed(release: PastRelease, observe: Callable[[PastRelease], Observation], policy: CanaryPolicy) -> Replayed:
    try:
        observation = observe(release)
    except ServiceError as problem:
        return Replayed(release, Status.NO_DATA, "", problem=str(problem))
    tables = tabulate(observation, policy)
    looks, last = 0, None
    for now in _times(release, policy.step):
        judgement: Judgement = judge_tables(tables, observation, policy, now=now)
        looks += 1
        # A canary whose pods are gone before the replay ends was seen as long as it was there.
        last = judgement if judgement.status is not Status.NO_DATA or last is None else last
        if judgement.decision is Decision.ROLLBACK:
            return Replayed(release, judgement.status, judgement.reason, looks, (now - release.since) / 60)
    return Replayed(release, last.status, last.reason, looks) if last else Replayed(release, Status.NO_DATA, "", problem="Its end is not after its beginning.")


def _times(release: PastRelease, step: float) -> Iterable[float]:
    count = min(MOST_LOOKS, int((release.until - release.since) // step))
    return (release.since + step * (number + 1) for number in range(count))


def told(found: Backtest) -> str:
    """The result as text for a terminal; the caller makes it safe."""
    lines = [_line(one) for one in found.replayed]
    lines += ["", _rate("Good releases that would have been rolled back", *found.false_alarms)]
    if found.caught[1]:
        lines.append(_rate("Bad releases that would have been rolled back", *found.caught))
    blind = len(found.replayed) - len(found.seen)
    if blind:
        lines.append(f"{blind} of {len(found.replayed)} releases could not be seen and count for nothing.")
    return "\n".join(lines) + "\n"


def _line(one: Replayed) -> str:
    if one.problem:
        return f"?         {one.release.name}: {one.problem}"
    done = f"rollback at minute {one.minute:.0f}" if one.minute is not None else str(one.status)
    known = {True: "good", False: "bad", None: "not labelled"}[one.release.good]
    return f"{done}  {one.release.name} ({known}, {one.looks} looks): {one.reason}"


def _rate(what: str, count: int, of: int) -> str:
    if not of:
        return f"{what}: none was seen."
    low, high = wilson(count, of)
    return f"{what}: {count} of {of} ({count / of:.1%}, 95 % interval {low:.1%} to {high:.1%})."

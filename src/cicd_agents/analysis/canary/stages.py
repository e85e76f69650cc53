"""Which stage the canary is in, and since when (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from cicd_agents.analysis.canary.tables import Tables
from cicd_agents.domain.canary import CanaryPolicy

CLOSE = 0.02


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of a judgement: the stage's index, the share, the minutes since the canary began and since the stage did."""

    now: float
    stage: int
    share: float
    minutes: float
    stage_minutes: float


def moment(tables: Tables | None, policy: CanaryPolicy, now: float, stage: int | None) -> Moment:
    """The stage by what is told, by the share of the traffic, or by the minutes that have passed."""
    last = len(policy.stages) - 1
    if tables is None or not isfinite(now):
        index = min(max(stage or 0, 0), last)
        return Moment(now, index, policy.stages[index].share, 0.0, 0.0)
    minutes = max(0.0, (now - tables.since) / 60)
    shares = [(time, share) for time, share in tables.share if time <= now]
    if shares:
        share = shares[-1][1]
        began = now
        for time, value in reversed(shares):
            if abs(value - share) > CLOSE:
                break
            began = time
        index = max((number for number, item in enumerate(policy.stages) if item.share <= share + CLOSE), default=0) if stage is None else stage
        return Moment(now, min(max(index, 0), last), share, minutes, max(0.0, (now - max(began, tables.since)) / 60))
    passed, index = 0.0, 0
    for number, item in enumerate(policy.stages):
        if number <= last - 1 and minutes >= passed + item.minutes and (stage is None or number < stage):
            passed, index = passed + item.minutes, number + 1
    index = min(max(index if stage is None else stage, 0), last)
    return Moment(now, index, policy.stages[index].share, minutes, max(0.0, minutes - passed))

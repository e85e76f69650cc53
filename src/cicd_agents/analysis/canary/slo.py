"""Burn rates of a service level objective: for the stage at 100 %, where no baseline of the same time is left (pure).

A burn rate is the error rate divided by the objective's budget (1 - target); a rate of 1 uses up the budget exactly in the objective's period. A rule fires
only when a long and a short window both burn: the long one for evidence, the short one so that it stops soon after the trouble does. Site Reliability
Workbook (Google, 2018), chapter 5: 14.4 over 1 h and 5 min (2 % of 30 days' budget), 6 over 6 h and 30 min (5 %), 1 over 3 d and 6 h (10 %).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from cicd_agents.analysis.flaky.interval import wilson
from cicd_agents.domain.canary import Status
from cicd_agents.domain.errors import UsageError

Z95 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class BurnRule:
    """Both windows (seconds) must burn faster than `factor`."""

    factor: float
    long: float
    short: float


RULES = (BurnRule(14.4, 3600, 300), BurnRule(6.0, 21_600, 1800), BurnRule(1.0, 259_200, 21_600))


@dataclass(frozen=True, slots=True)
class Counts:
    """Errors and requests of one step that ends at `time`."""

    time: float
    errors: float
    requests: float


@dataclass(frozen=True, slots=True)
class Burn:
    """One rule's answer. Burn rates are None without requests; `low` is the long window's lower 95 % bound, which has to pass too."""

    rule: BurnRule
    status: Status
    long: float | None
    short: float | None
    low: float | None
    reason: str


def burn_rates(steps: Iterable[Counts], target: float, now: float, rules: Sequence[BurnRule] = RULES) -> tuple[Burn, ...]:
    """The answers of all rules. A window that reaches back before the data is judged on what there is. Raises UsageError for a target outside 0 to 1."""
    if not 0 < target < 1:
        raise UsageError(f"the target of a service level objective must be between 0 and 1 (0.999), not {target:g}")
    usable = [step for step in steps if isfinite(step.time) and isfinite(step.errors) and isfinite(step.requests) and step.requests > 0 and step.errors >= 0]
    return tuple(_burn(usable, 1 - target, now, rule) for rule in rules)


def _burn(steps: Sequence[Counts], budget: float, now: float, rule: BurnRule) -> Burn:
    (errors, requests), (late_errors, late_requests) = (_sum(steps, now - window, now) for window in (rule.long, rule.short))
    if requests <= 0 or late_requests <= 0:
        return Burn(rule, Status.NO_DATA, None, None, None, "there were no requests in one of the windows")
    long, short = errors / requests / budget, late_errors / late_requests / budget
    low = wilson(round(min(errors, requests)), max(1, round(requests)), Z95)[0] / budget
    windows = f"{_said(rule.long)} and {_said(rule.short)}"
    if long > rule.factor and short > rule.factor:
        if low > rule.factor:
            return Burn(rule, Status.FAIL, long, short, low, f"the error budget burns {long:.1f} times too fast over {windows}")
        return Burn(rule, Status.INCONCLUSIVE, long, short, low, f"the error budget seems to burn {long:.1f} times too fast, of few requests")
    return Burn(rule, Status.PASS, long, short, low, f"the error budget burns below {rule.factor:g} over {windows}")


def _sum(steps: Iterable[Counts], begin: float, end: float) -> tuple[float, float]:
    chosen = [step for step in steps if begin < step.time <= end]
    return sum(step.errors for step in chosen), sum(step.requests for step in chosen)


def _said(seconds: float) -> str:
    return f"{seconds / 86_400:g} d" if seconds >= 86_400 else f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min"

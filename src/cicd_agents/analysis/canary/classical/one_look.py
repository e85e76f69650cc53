"""Welch's t, Fisher's exact test, chi-square and the two-proportion z test (pure).

B. L. Welch, Biometrika 34 (1947); R. A. Fisher, "Statistical methods for research workers" (1934); K. Pearson, Phil. Mag. 50 (1900).
Each is valid for one look at a sample size that was fixed before; who looks again and again should use `sequential.two_proportions`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import exp, isfinite, lgamma, sqrt

from cicd_agents.analysis.canary.classical.distributions import chi_square_above, normal_above, normal_quantile, t_above

MAX_TABLE = 20_000_000  # beyond it the logarithms of factorials lose the digits that matter


@dataclass(frozen=True, slots=True)
class Tested:
    """A test's statistic and two-sided p-value; None where it cannot be computed. `low` and `high` are the limits of the difference canary - baseline."""

    statistic: float | None
    p_value: float | None
    freedom: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


NOTHING = Tested(None, None)


def welch_t(canary: Sequence[float], baseline: Sequence[float]) -> Tested:
    """Are the means equal, with variances that may differ? Values that are not finite are left out; needs two of each."""
    a, b = ([value for value in side if isfinite(value)] for side in (canary, baseline))
    if len(a) < 2 or len(b) < 2:
        return NOTHING
    (mean_a, var_a), (mean_b, var_b) = (_moments(side) for side in (a, b))
    part_a, part_b = var_a / len(a), var_b / len(b)
    if part_a + part_b <= 0:
        return Tested(None, 1.0 if mean_a == mean_b else 0.0, None, mean_a - mean_b)
    t = (mean_a - mean_b) / sqrt(part_a + part_b)
    freedom = (part_a + part_b) ** 2 / (part_a**2 / (len(a) - 1) + part_b**2 / (len(b) - 1))
    return Tested(t, min(1.0, 2 * t_above(abs(t), freedom)), freedom, mean_a - mean_b)


def _moments(values: Sequence[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    return mean, sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def fisher_exact(events: int, total: int, other_events: int, other_total: int) -> Tested:
    """Two-sided: the sum of the probabilities of all tables that are no likelier than the one seen. The statistic is the odds ratio."""
    if not (0 <= events <= total and 0 <= other_events <= other_total) or total + other_total > MAX_TABLE:
        return NOTHING
    happened = events + other_events
    low, high = max(0, happened - other_total), min(happened, total)
    whole = _choose(total + other_total, happened)

    def chance(count: int) -> float:
        return exp(_choose(total, count) + _choose(other_total, happened - count) - whole)

    # The chances rise up to the mode and fall behind it: what is no likelier than the table seen are two tails.
    mode = min(high, max(low, (total + 1) * (happened + 1) // (total + other_total + 2)))
    seen = chance(events) * (1 + 1e-7)
    left = bisect_right(range(low, mode + 1), seen, key=chance) + low
    right = bisect_left(range(mode, high + 1), True, key=lambda count: chance(count) <= seen) + mode
    p_value = _tail(chance, range(left - 1, low - 1, -1)) + _tail(chance, range(max(right, left), high + 1))
    against = (total - events) * other_events
    return Tested(events * (other_total - other_events) / against if against else None, min(1.0, p_value))


def _tail(chance: Callable[[int], float], counts: Iterable[int]) -> float:
    """The sum of chances that fall: as far as it still grows."""
    total = 0.0
    for count in counts:
        value = chance(count)
        total += value
        if value <= total * 1e-17:
            break
    return total


def _choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def chi_square(table: Sequence[Sequence[float]], *, corrected: bool = True) -> Tested:
    """Are rows and columns independent? With Yates' correction for 2 × 2 tables, as is usual."""
    rows = [sum(row) for row in table]
    columns = [sum(column) for column in zip(*table, strict=False)]
    total = sum(rows)
    if len(rows) < 2 or len(columns) < 2 or any(value < 0 for row in table for value in row):
        return NOTHING
    # The product too, since those of the smallest numbers that there are are 0.
    if total <= 0 or min(rows) * min(columns) / total <= 0:
        return NOTHING
    freedom = (len(rows) - 1) * (len(columns) - 1)
    statistic = 0.0
    for row, across in zip(table, rows, strict=True):
        for value, down in zip(row, columns, strict=False):
            due = across * down / total
            off = abs(value - due)
            statistic += (off - min(0.5, off) if corrected and freedom == 1 else off) ** 2 / due
    return Tested(statistic, chi_square_above(statistic, freedom), float(freedom))


def two_proportions(events: float, total: float, other_events: float, other_total: float, confidence: float = 0.95) -> Tested:
    """The pooled z test of two proportions, with the limits of their difference (unpooled)."""
    if total < 1 or other_total < 1 or not (0 <= events <= total and 0 <= other_events <= other_total):
        return NOTHING
    rate, other = events / total, other_events / other_total
    pooled = (events + other_events) / (total + other_total)
    error = sqrt(pooled * (1 - pooled) * (1 / total + 1 / other_total))
    reach = normal_quantile(0.5 + confidence / 2) * sqrt(rate * (1 - rate) / total + other * (1 - other) / other_total)
    z = (rate - other) / error if error > 0 else None
    return Tested(z, 2 * normal_above(abs(z)) if z is not None else 1.0, None, rate - other, rate - other - reach, rate - other + reach)

"""Effect sizes and summaries of two samples (pure).

Mean ratio; the common language effect size (McGraw and Wong, Psychological Bulletin 111 (1992)) in its rank form, the chance that a value of the canary is
above one of the baseline, ties half; Cohen's d (1988); the R-7 quantile (Hyndman and Fan, The American Statistician 50 (1996)).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import floor, nan, sqrt


def mean(values: Sequence[float]) -> float:
    """The mean, NaN without values."""
    return sum(values) / len(values) if values else nan


def mean_ratio(canary: Sequence[float], baseline: Sequence[float]) -> float:
    """Mean of the canary by mean of the baseline; 1 where both samples have the same mean, NaN where one of the means is 0."""
    a, b = mean(canary), mean(baseline)
    if a == b:
        return 1.0
    return a / b if a and b else nan


def common_language(canary: Sequence[float], baseline: Sequence[float]) -> float:
    """The chance that a value of the canary is above one of the baseline; NaN without values. O(n log n)."""
    if not canary or not baseline:
        return nan
    ordered = sorted(baseline)
    above = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in canary) / 2
    return above / (len(canary) * len(baseline))


def cohen_d(canary: Sequence[float], baseline: Sequence[float]) -> float:
    """The difference of the means in pooled standard deviations (without a sign); NaN where there is no spread."""
    if len(canary) < 2 or len(baseline) < 2:
        return nan
    a, b = mean(canary), mean(baseline)
    squares = sum((value - a) ** 2 for value in canary) + sum((value - b) ** 2 for value in baseline)
    pooled = sqrt(squares / (len(canary) + len(baseline) - 2))
    return abs(a - b) / pooled if pooled > 0 else nan


def percentile(values: Sequence[float], p: float) -> float:
    """The p-th percentile (0 to 100), linear between order statistics (R-7); NaN without values."""
    if not values:
        return nan
    ordered = sorted(values)
    place = (len(ordered) - 1) * min(100.0, max(0.0, p)) / 100
    low = floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def outliers_iqr(values: Sequence[float], factor: float = 3.0) -> list[bool]:
    """Which values are beyond the quartiles by so many interquartile ranges; the fences are at least at the 1st and 99th percentile."""
    low, high = percentile(values, 25), percentile(values, 75)
    below, above = min(percentile(values, 1), low - factor * (high - low)), max(percentile(values, 99), high + factor * (high - low))
    return [value < below or value > above for value in values]


def outliers_sigma(values: Sequence[float], factor: float = 3.0) -> list[bool]:
    """Which values are more than so many standard deviations from the mean."""
    if len(values) < 2:
        return [False] * len(values)
    middle = mean(values)
    deviation = sqrt(sum((value - middle) ** 2 for value in values) / (len(values) - 1))
    return [abs(value - middle) > factor * deviation for value in values]

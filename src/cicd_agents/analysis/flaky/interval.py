"""The score interval of a proportion (pure).

E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American Statistical Association 22 (1927), 209–212.
It keeps its promise for few trials and for rates of 0 and 1, where the textbook interval is empty.
"""

from __future__ import annotations

from math import sqrt

# The 97.5 % quantile of the normal distribution: 95 % between the two bounds.
Z95 = 1.959963984540054


def wilson(successes: int, trials: int, z: float = Z95) -> tuple[float, float]:
    """Lower and upper bound of the true rate; (0, 1) without trials. Raises ValueError for counts that are not of one experiment."""
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no proportion")
    if trials == 0:
        return 0.0, 1.0
    rate, share = successes / trials, z * z / trials
    middle = (rate + share / 2) / (1 + share)
    reach = z * sqrt((rate * (1 - rate) + share / 4) / trials) / (1 + share)
    # At the ends the bound is exact, but for rounding.
    low = 0.0 if successes == 0 else max(0.0, middle - reach)
    return low, 1.0 if successes == trials else min(1.0, middle + reach)

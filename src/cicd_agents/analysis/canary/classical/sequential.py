"""The two-proportion test that may be looked at at any time, for A/B tests (pure).

A confidence sequence for the difference of two proportions from the asymptotic Gaussian mixture of Robbins (1970), in the form of Waudby-Smith, Arbour, Sinha,
Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", Ann. Statist. 52 (2024), arXiv 2103.06476, theorem 2.2:
reach = sqrt(2 (n rho² + 1) / (n² rho²) · log(sqrt(n rho² + 1) / alpha)) standard deviations. It holds at all times at once, for large counts.
"""

from __future__ import annotations

from math import exp, log, sqrt

from cicd_agents.analysis.canary.classical.one_look import NOTHING, Tested

# The number of pairs at which the sequence is made tightest.
TIGHTEST = 5_000.0


def two_proportions(events: float, total: float, other_events: float, other_total: float, confidence: float = 0.95, tightest: float = TIGHTEST) -> Tested:
    """The difference with limits that hold at every look; the p-value is always valid. `statistic` is the z of one look. Nothing for less than one count."""
    if total < 1 or other_total < 1 or not (0 <= events <= total and 0 <= other_events <= other_total) or not 0 < confidence < 1 or tightest <= 0:
        return NOTHING
    rate, other = events / total, other_events / other_total
    # Half an event more on each side: a proportion of 0 or 1 is not certain.
    shrunk = [(count + 0.5) / (size + 1) for count, size in ((events, total), (other_events, other_total))]
    variance = shrunk[0] * (1 - shrunk[0]) / total + shrunk[1] * (1 - shrunk[1]) / other_total
    pairs = 2 / (1 / total + 1 / other_total)
    alpha = 1 - confidence
    rho = sqrt((-2 * log(alpha) + log(-2 * log(alpha) + 1)) / tightest)
    grown = pairs * rho * rho + 1
    reach = sqrt(variance) * sqrt(2 * grown / (pairs * rho * rho) * log(sqrt(grown) / alpha))
    z = (rate - other) / sqrt(variance)
    # The mixture's e-value: the alpha at which 0 leaves the sequence.
    p_value = min(1.0, sqrt(grown) * exp(-min(700.0, z * z * pairs * rho * rho / (2 * grown))))
    return Tested(z, p_value, None, rate - other, rate - other - reach, rate - other + reach)

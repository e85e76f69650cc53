"""What an A/B test says of the business so far: the sequential two-proportion test on each pair of business counters (pure).

The judge asks whether B does harm beyond a tolerance; an A/B test asks which of both is better, in either direction. So its result is told beside the judgement
and does not decide. The interval holds at every look; each metric has its own 95 %.
"""

from __future__ import annotations

from functools import partial

from cicd_agents.analysis.canary.classical.measured import in_common, p_text
from cicd_agents.analysis.canary.classical.sequential import two_proportions
from cicd_agents.analysis.canary.measures import present
from cicd_agents.analysis.canary.streams import ratio_stream
from cicd_agents.analysis.canary.tables import Tables
from cicd_agents.domain.canary import CanaryPolicy, Direction, Kind, Metric, Strategy


def ab_results(tables: Tables, policy: CanaryPolicy, until: int) -> list[str]:
    """A sentence for each business metric that is counted on both sides; none for other strategies."""
    if policy.strategy is not Strategy.AB:
        return []
    return [text for metric in policy.metrics if metric.kind is Kind.BUSINESS and present(metric, tables) and (text := _result(metric, tables, until))]


def _result(metric: Metric, tables: Tables, until: int) -> str:
    stream = tables.stream(metric.name, partial(ratio_stream, metric))
    (events, total, other, other_total), _ = in_common(stream, until)
    if stream.complement:
        events, other = total - events, other_total - other
    found = two_proportions(events, total, other, other_total)
    if found.difference is None or found.low is None or found.high is None:
        return ""
    title = metric.title or metric.name
    sides = f"B {100 * events / total:.3g} % ({events:.0f} of {total:.0f}), A {100 * other / other_total:.3g} % ({other:.0f} of {other_total:.0f})"
    interval = f"{100 * found.difference:+.2g} points, with 95 % confidence at every look {100 * found.low:+.2g} to {100 * found.high:+.2g}"
    return f"A/B test of {title} (sequential two-proportion): {sides}; {interval}, {p_text(found.p_value)}: {_word(metric, found.low, found.high)}."


def _word(metric: Metric, low: float, high: float) -> str:
    if low <= 0 <= high:
        return "no difference is proven so far"
    return "B is better" if (low > 0) is (metric.direction is Direction.DECREASE) else "B is worse"

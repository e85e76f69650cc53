"""Judging where no baseline of the same time is left: at 100 %, after a switch, behind a rolling update (pure).

The baseline is then of another time: an observation may say so (`concurrent=False`), or the old pods are gone and their last minutes are set beside the
canary's. What else differs between the two times cannot be told apart from the release. So a failure must be clear: beyond the NO-GO limit, not only the
GO limit, and further from the usual than the baseline's own blocks of minutes are among themselves (history.py). Besides, the error budget must not burn
at the pace that pages people (slo.py), if it did not before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cicd_agents.analysis.canary.conclusion import stop_limit
from cicd_agents.analysis.canary.history import compare_with_history, shifted
from cicd_agents.analysis.canary.slo import RULES, Burn, BurnRule, Counts, burn_rates
from cicd_agents.analysis.canary.stages import Moment
from cicd_agents.analysis.canary.streams import ratio_stream, requests
from cicd_agents.analysis.canary.tables import ReplicaTable, Tables
from cicd_agents.domain.canary import Alarm, Direction, Kind, Metric, MetricJudgement, Observation, Status

# The objective that is assumed for requests: 99.9 % without a server error.
TARGET = 0.999
# The pace that pages people, and the same over the last minutes: what was over soon after the switch is no reason to go back.
PACE = (RULES[0], BurnRule(RULES[0].factor, 300, 120))
# From this share on nothing else serves.
ALL = 0.98
# How much higher the canary's burn must be than that of the baseline, at its own time.
TIMES = 2.0
BLOCK = 5  # steps of a block
SWITCHING = 2  # steps that the last requests of the old pods may take


def left_alone(tables: Tables, at: Moment, until: int) -> bool:
    """Whether the canary serves everything, and the baseline had no request since the switch was over, though it had some before."""
    begin = max(0, until - max(1, int(at.stage_minutes * 60 / tables.step) - SWITCHING))
    busy = _traffic(tables.baseline, until)
    return at.share >= ALL and sum(busy[begin:]) <= 0 < sum(busy)


def set_beside(observation: Observation, tables: Tables, until: int) -> Observation:
    """The observation with the last minutes of its baseline set beside the canary's last ones."""
    busy = _traffic(tables.baseline, until)
    gone = until - 1 - max(index for index, value in enumerate(busy) if value > 0)
    return replace(observation, baseline=shifted(observation.baseline, gone * tables.step), concurrent=False)


def only_clear(metric: Metric, judged: MetricJudgement, tables: Tables, until: int) -> MetricJudgement:
    """A failure stands only where it is clear; what is not holds."""
    if judged.status is not Status.FAIL or metric.kind is Kind.GAUGE or judged.canary is None or judged.baseline is None:
        return replace(judged, weaker=True)
    limit = stop_limit(metric, metric.tolerance, judged.baseline)
    falls = metric.direction is Direction.DECREASE
    if limit is not None and (judged.canary >= limit if falls else judged.canary <= limit):
        reason = f"{judged.title}: beyond the GO limit, not beyond the NO-GO limit, and the baseline is of another time"
        return replace(judged, status=Status.INCONCLUSIVE, reason=reason, weaker=True)
    if metric.kind is Kind.RATIO:
        present, blocks = _blocks(metric, tables, until)
        usual = compare_with_history(present, blocks, direction=metric.direction, ratio=1.0)
        if len(blocks) >= 3 and usual.status is not Status.FAIL:
            reason = f"{judged.title}: beyond the NO-GO limit, but the baseline differs as much from one five minutes to the next, and it is of another time"
            return replace(judged, status=Status.INCONCLUSIVE, reason=reason, weaker=True)
    return replace(judged, weaker=True)


def burning(tables: Tables, until: int, now: float) -> tuple[Alarm, ...]:
    """The alarm of a fast burn of the error budget that still goes on, silent where the baseline burned nearly as fast at its own time."""
    if now - tables.since < PACE[0].short:
        return ()
    (canary, lately), (baseline, _) = (_burn(side, tables, until, now) for side in (tables.canary, tables.baseline))
    if {canary.status, lately.status} != {Status.FAIL} or canary.long is None or (baseline.long is not None and canary.long < TIMES * baseline.long):
        return ()
    return (Alarm("burn_rate", f"{canary.reason} (objective {100 * TARGET:g} %)"),)


def _burn(side: Sequence[ReplicaTable], tables: Tables, until: int, now: float) -> tuple[Burn, ...]:
    begin = max(0, round((tables.since - tables.start) / tables.step))
    errors = _column([row for replica in side for name, row in replica.requests.items() if name.startswith("5")], until)
    steps = zip(errors[begin:], _traffic(side, until)[begin:], strict=True)
    counts = [Counts(tables.start + (begin + index + 1) * tables.step, bad, number) for index, (bad, number) in enumerate(steps)]
    return burn_rates(counts, TARGET, now, PACE)


def _blocks(metric: Metric, tables: Tables, until: int) -> tuple[list[float], list[list[float]]]:
    """The metric's rates of the canary's last blocks, and of each block of the baseline."""
    stream = ratio_stream(metric, tables.canary, tables.baseline)
    rates = []
    for side in (stream.canary, stream.baseline):
        events, exposure = side.total(until)
        pairs = [(sum(events[max(0, end - BLOCK) : end]), sum(exposure[max(0, end - BLOCK) : end])) for end in range(until, 0, -BLOCK)]
        rates.append([x / n for x, n in pairs if n > 0])
    return rates[0][:3], [[rate] for rate in rates[1]]


def _traffic(side: Sequence[ReplicaTable], until: int) -> list[float]:
    return _column([row for replica in side for row in requests(replica)], until)


def _column(rows: Sequence[Sequence[float]], until: int) -> list[float]:
    return [sum(column) for column in zip(*(row[:until] for row in rows), strict=True)] if rows else [0.0] * until

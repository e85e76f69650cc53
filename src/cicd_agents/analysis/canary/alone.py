"""Judging where no baseline of the same time is left: at 100 %, after a switch, behind a rolling update (pure).

The baseline is then of another time: an observation may say so (`concurrent=False`), or the old pods are gone and their last minutes are set beside the
canary's. What else differs between the two times cannot be told apart from the release. So a failure must be clear: beyond the NO-GO limit, not only the
GO limit, by more than its own error, also if the baseline had gone on drifting as it did (drift.py), and further from the usual than the baseline's own
blocks of minutes are among themselves, and than the same time of earlier days is (earlier.py, history.py). Besides, the error budget must not burn at the pace
that pages people (slo.py), if it did not before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, sqrt
from typing import TypeVar

from cicd_agents.analysis.canary.conclusion import shown, stop_limit
from cicd_agents.analysis.canary.correcting import corrected, usual_change
from cicd_agents.analysis.canary.drift import drift_of
from cicd_agents.analysis.canary.earlier import DAY, LATELY, Past, all_requests, past_of
from cicd_agents.analysis.canary.history import LEAST_DAYS, compare_with_history
from cicd_agents.analysis.canary.slo import RULES, Burn, BurnRule, Counts, burn_rates
from cicd_agents.analysis.canary.stages import Moment
from cicd_agents.analysis.canary.streams import histogram, quantile, ratio_stream
from cicd_agents.analysis.canary.tables import ReplicaTable, Row, Tables
from cicd_agents.domain.canary import Alarm, CanaryPolicy, Direction, Kind, Metric, MetricJudgement, Observation, Status

_Key = TypeVar("_Key", str, float)
_Value = TypeVar("_Value")
# The pace that pages people, and the same over the last minutes: what was over soon after the switch is no reason to go back.
PACE = (RULES[0], BurnRule(RULES[0].factor, 300, 120))
# From this share on nothing else serves.
ALL = 0.98
# How much higher the canary's burn must be than that of the baseline, at its own time, and than the usual one of earlier days.
TIMES = 2.0
BLOCK = 5  # steps of a block
SWITCHING = 2  # steps that the last requests of the old pods may take
# What counts can be compared with themselves at other times.
_COUNTED = frozenset({Kind.RATIO, Kind.BUSINESS, Kind.QUANTILE})


def left_alone(tables: Tables, at: Moment, until: int) -> bool:
    """Whether the canary serves everything, and the baseline had no request since the switch was over, though it had some before."""
    begin = max(0, until - max(1, int(at.stage_minutes * 60 / tables.step) - SWITCHING))
    busy = all_requests(tables.baseline, until)
    return at.share >= ALL and sum(busy[begin:]) <= 0 < sum(busy)


def set_beside(tables: Tables, until: int) -> tuple[Tables, float]:
    """The tables with the last minutes of the baseline set beside the canary's last ones, and by how many seconds they were moved."""
    busy = all_requests(tables.baseline, until)
    steps = until - 1 - max(index for index, value in enumerate(busy) if value > 0)
    baseline = tuple(_later(replica, steps, steps * tables.step) for replica in tables.baseline)
    values = {name: _moved(row, steps, None) for name, row in tables.baseline_values.items()}
    return replace(tables, baseline=baseline, baseline_values=values, streams={}), steps * tables.step


def _later(replica: ReplicaTable, steps: int, seconds: float) -> ReplicaTable:
    return replace(
        replica, usable=_moved(replica.usable, steps, False), requests=_all_moved(replica.requests, steps), latency=_all_moved(replica.latency, steps),
        counters=_all_moved(replica.counters, steps), gauges={name: _moved(row, steps, None) for name, row in replica.gauges.items()},
        logs=_all_moved(replica.logs, steps), restarts=tuple(time + seconds for time in replica.restarts),
        health=tuple((time + seconds, well) for time, well in replica.health), started=None if replica.started is None else replica.started + seconds,
        ages=tuple(_moved(row, steps, False) for row in replica.ages),
    )  # fmt: skip


def _all_moved(rows: Mapping[_Key, Row], steps: int) -> dict[_Key, Row]:
    return {name: _moved(row, steps, 0.0) for name, row in rows.items()}


def _moved(row: list[_Value], steps: int, nothing: _Value) -> list[_Value]:
    return [nothing] * steps + row[: len(row) - steps]


@dataclass(frozen=True, slots=True)
class Alone:
    """What a judgement rests on where no baseline of the same time is left. `seen` are the tables as observed; in `tables` the baseline is corrected by what
    earlier days show of the two times of day, `steps` apart."""

    seen: Tables
    tables: Tables
    until: int
    past: Past
    steps: float
    objective: float
    notes: tuple[str, ...]

    def clear(self, metric: Metric, judged: MetricJudgement) -> MetricJudgement:
        """A failure stands only where it is clear; what is not holds."""
        doubt = self._doubt(metric, judged) if judged.status is Status.FAIL and metric.kind is not Kind.GAUGE else ""
        return replace(judged, status=Status.INCONCLUSIVE, reason=f"{judged.title}: {doubt}", weaker=True) if doubt else replace(judged, weaker=True)

    def _doubt(self, metric: Metric, judged: MetricJudgement) -> str:
        """Why a failure is not clear; empty where it is."""
        if judged.canary is None or judged.baseline is None:
            return ""
        if not _beyond(metric, judged.canary, judged.baseline):
            return "beyond the GO limit, not beyond the NO-GO limit, and the baseline is of another time"
        drifted = self._drifted(metric, judged.baseline)
        if not _beyond(metric, self._surely(metric, judged, judged.canary), drifted):
            if drifted == judged.baseline:
                return "beyond the NO-GO limit by no more than its own error, and the baseline is of another time"
            return f"beyond the NO-GO limit, but by its own trend the old version could be at {shown(drifted, metric.unit)} by now"
        if metric.kind is Kind.RATIO and self._restless(metric):
            return "beyond the NO-GO limit, but the baseline differs as much from one five minutes to the next, and it is of another time"
        if self._usual(metric):
            return f"beyond the NO-GO limit, but {len(self.past.days)} earlier days are like that at this time"
        return ""

    def _drifted(self, metric: Metric, baseline: float) -> float:
        """Where the baseline could be by now by its own trend, at the least where it is taken to be: earlier days may explain a part of the trend."""
        if metric.kind not in _COUNTED:
            return baseline
        was, corrected_to = (_level(metric, tables.baseline, self.until) for tables in (self.seen, self.tables))
        known = was / corrected_to if was and corrected_to else 1.0
        drawn = baseline * known * drift_of(metric, self.seen, self.until, self.steps)
        return min(baseline, drawn) if metric.direction is Direction.DECREASE else max(baseline, drawn)

    def _surely(self, metric: Metric, judged: MetricJudgement, canary: float) -> float:
        """The canary's rate less one standard error of its ratio to the baseline: the noise of counts on both sides, and of pods."""
        strength = judged.strength
        if metric.kind is not Kind.RATIO or not strength.canary_events or not strength.baseline_events:
            return canary
        chance = (strength.dispersion or 1.0) * (1 / strength.canary_events + 1 / strength.baseline_events)
        of_pods = (strength.pod_noise or 0.0) ** 2 * (1 / max(1, len(self.tables.canary)) + 1 / max(1, len(self.tables.baseline)))
        error = sqrt(chance + of_pods)
        return canary * exp(error if metric.direction is Direction.DECREASE else -error)

    def _restless(self, metric: Metric) -> bool:
        present, blocks = _blocks(metric, self.tables, self.until)
        usual = compare_with_history(present, blocks, direction=metric.direction, ratio=1.0)
        return len(blocks) >= 3 and usual.status is not Status.FAIL

    def _usual(self, metric: Metric) -> bool:
        """Whether earlier days are known, and were as bad at this time."""
        present = _level(metric, self.tables.canary, self.until, max(0, self.until - LATELY))
        days = self.past.lately(metric) if metric.kind in _COUNTED and self.past.known else []
        if present is None or len(days) < LEAST_DAYS:
            return False
        return compare_with_history([present], days, direction=metric.direction, ratio=1.0).status in {Status.PASS, Status.INCONCLUSIVE}

    def burning(self, now: float) -> tuple[Alarm, ...]:
        """The alarm of a fast burn of the error budget that still goes on, silent where the baseline burned nearly as fast, or earlier days do."""
        if now - self.seen.since < PACE[0].short:
            return ()
        (canary, lately), (baseline, _) = (self._burn(side, now) for side in (self.seen.canary, self.seen.baseline))
        usual = max(baseline.long or 0.0, (self.past.errors or 0.0) / (1 - self.objective))
        if {canary.status, lately.status} != {Status.FAIL} or canary.long is None or canary.long < TIMES * usual:
            return ()
        return (Alarm("burn_rate", f"{canary.reason} (objective {100 * self.objective:g} %)"),)

    def _burn(self, side: Sequence[ReplicaTable], now: float) -> tuple[Burn, ...]:
        seen = self.seen
        begin = max(0, round((seen.since - seen.start) / seen.step))
        failed = [row[: self.until] for replica in side for name, row in replica.requests.items() if name.startswith("5")]
        errors = [sum(column) for column in zip(*failed, strict=True)] if failed else [0.0] * self.until
        steps = zip(errors[begin:], all_requests(side, self.until)[begin:], strict=True)
        counts = [Counts(seen.start + (begin + index + 1) * seen.step, bad, number) for index, (bad, number) in enumerate(steps)]
        return burn_rates(counts, self.objective, now, PACE)


def standing_alone(observation: Observation, tables: Tables, policy: CanaryPolicy, until: int) -> Alone:
    """What there is beside a baseline of another time."""
    past = past_of(observation, tables, until, policy.earlier_days)
    notes = ["the baseline is of another time: the evidence is weaker, and only clear trouble fails"]
    steps = observation.moved % DAY / tables.step
    if not past.known:
        return Alone(tables, tables, until, past, steps, policy.objective, (*notes, *([past.said] if policy.earlier_days else [])))
    change = usual_change(past, tables, policy.metrics)
    told = f"corrected by what changes between the two times of day: {change.said}" if change.said else "no change between the two times of day is usual"
    notes.append(f"{len(past.days)} earlier days are looked at, as weaker evidence; {told}")
    return Alone(tables, corrected(tables, change), until, past, steps, policy.objective, tuple(notes))


def _beyond(metric: Metric, canary: float, baseline: float) -> bool:
    """Whether the canary is beyond the NO-GO limit at this level of the baseline; also where there is none."""
    limit = stop_limit(metric, metric.tolerance, baseline)
    return limit is None or (canary < limit if metric.direction is Direction.DECREASE else canary > limit)


def _level(metric: Metric, side: Sequence[ReplicaTable], until: int, since: int = 0) -> float | None:
    """The metric's value of a version in the steps from `since` on; None where it was not counted."""
    if metric.kind is Kind.QUANTILE:
        return quantile(histogram(side, until, since), metric.quantile or 0.95)
    counted = ratio_stream(metric, side, ()).canary
    events, exposure = (sum(row[since:]) for row in counted.total(until))
    return events / exposure if exposure > 0 else None


def _blocks(metric: Metric, tables: Tables, until: int) -> tuple[list[float], list[list[float]]]:
    """The metric's rates of the canary's last blocks, and of each block of the baseline."""
    stream = ratio_stream(metric, tables.canary, tables.baseline)
    rates = []
    for side in (stream.canary, stream.baseline):
        events, exposure = side.total(until)
        pairs = [(sum(events[max(0, end - BLOCK) : end]), sum(exposure[max(0, end - BLOCK) : end])) for end in range(until, 0, -BLOCK)]
        rates.append([x / n for x, n in pairs if n > 0])
    return rates[0][:3], [[rate] for rate in rates[1]]

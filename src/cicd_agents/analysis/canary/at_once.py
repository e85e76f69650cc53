"""The rules that do not wait for statistics to gather, each with a least of evidence (pure).

They look at all minutes, warm-up too: a canary that fails every request is broken in its first minute as well. Where the baseline does the same, they
are silent: rolling back would not help.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from cicd_agents.analysis.canary.streams import requests
from cicd_agents.analysis.canary.tables import ReplicaTable, Tables
from cicd_agents.analysis.flaky.interval import wilson
from cicd_agents.domain.canary import Alarm, AtOnce

Z99 = 2.3263478740408408
WINDOW = 3


@dataclass(frozen=True, slots=True)
class _Sums:
    """Events and exposure of the last steps of a version, oldest first."""

    events: list[float]
    exposure: list[float]

    @property
    def rate(self) -> float:
        total = sum(self.exposure)
        return sum(self.events) / total if total > 0 else 0.0


def alarms(tables: Tables, until: int, rules: AtOnce, now: float) -> tuple[Alarm, ...]:
    """The rules that fire at `now`, `until` being the number of whole steps."""
    found = (
        _errors(tables, until, rules),
        _slow(tables, until, rules),
        _crash_loop(tables, rules, now),
        _oom(tables, until, rules),
        _health(tables, rules, now),
    )
    return tuple(alarm for alarm in found if alarm)


def _errors(tables: Tables, until: int, rules: AtOnce) -> Alarm | None:
    canary, baseline = (_sums(side, until, "5") for side in (tables.canary, tables.baseline))
    if not _confirmed(canary, baseline, rules.error_rate, rules.least_errors):
        return None
    text = f"{100 * canary.rate:.1f} % errors in the last {len(canary.events)} minutes ({sum(canary.events):.0f} of {sum(canary.exposure):.0f} requests), "
    return Alarm("error_rate", f"{text}more than {100 * rules.error_rate:g} %")


def _slow(tables: Tables, until: int, rules: AtOnce) -> Alarm | None:
    bounds = {bound for replica in tables.canary for bound in replica.latency if isfinite(bound) and bound >= rules.latency}
    if not bounds:
        return None
    bound = min(bounds)
    canary, baseline = (_slower(side, until, bound) for side in (tables.canary, tables.baseline))
    if not _confirmed(canary, baseline, 0.01, max(3, rules.least_errors // 2)):
        return None
    return Alarm(
        "latency", f"P99 is beyond {bound:g} s: {sum(canary.events):.0f} of {sum(canary.exposure):.0f} requests in the last {len(canary.events)} minutes were"
    )


def _confirmed(canary: _Sums, baseline: _Sums, limit: float, least: int) -> bool:
    """Beyond the limit with 99 % confidence, in at least two minutes that each hold enough; three in a row, or two without a good one between."""
    # Minute by minute: the canary's share may have grown while both were in trouble.
    usual = [1.5 * x / n if n > 0 else 0.0 for x, n in zip(baseline.events, baseline.exposure, strict=True)]
    strong = [_low(x, n) > max(limit, min(0.99, other)) and x >= least for x, n, other in zip(canary.events, canary.exposure, usual, strict=True)]
    if sum(strong) < 2 or not strong[-1]:
        return False
    high = wilson(round(min(sum(baseline.events), sum(baseline.exposure))), round(sum(baseline.exposure)), Z99)[1] if sum(baseline.exposure) >= 1 else 0.0
    return _low(sum(canary.events), sum(canary.exposure)) > max(
        limit, min(1.0, 1.5 * baseline.rate), min(high, 0.5 + high / 2) if baseline.rate > limit else 0.0
    )


def _low(events: float, exposure: float) -> float:
    trials = round(exposure)
    return wilson(max(0, min(trials, round(events))), trials, Z99)[0] if trials > 0 else 0.0


def _sums(side: Sequence[ReplicaTable], until: int, prefix: str) -> _Sums:
    steps = range(max(0, until - WINDOW), until)
    events = [sum(row[at] for replica in side for name, row in replica.requests.items() if name.startswith(prefix)) for at in steps]
    return _Sums(events, [sum(row[at] for replica in side for row in requests(replica)) for at in steps])


def _slower(side: Sequence[ReplicaTable], until: int, bound: float) -> _Sums:
    steps = range(max(0, until - WINDOW), until)
    with_bound = [replica for replica in side if bound in replica.latency]
    totals = [sum(replica.latency[max(replica.latency)][at] for replica in with_bound) for at in steps]
    quick = [sum(replica.latency[bound][at] for replica in with_bound) for at in steps]
    return _Sums([max(0.0, total - part) for total, part in zip(totals, quick, strict=True)], totals)


def _crash_loop(tables: Tables, rules: AtOnce, now: float) -> Alarm | None:
    begin = max(tables.since, now - rules.restart_minutes * 60)
    counts = {replica.name: sum(begin < time <= now for time in replica.restarts) for replica in tables.canary}
    others = [sum(begin < time <= now for time in replica.restarts) for replica in tables.baseline]
    if not counts or max(counts.values()) < rules.restarts or max(others, default=0) >= rules.restarts:
        return None
    worst = max(counts, key=lambda name: counts[name])
    return Alarm("crash_loop", f"{worst} restarted {counts[worst]} times within {rules.restart_minutes:g} minutes")


def _oom(tables: Tables, until: int, rules: AtOnce) -> Alarm | None:
    def killed(side: Sequence[ReplicaTable]) -> float:
        return sum(sum(replica.counters.get("oom_kills", [])[:until]) for replica in side)

    mine, other = killed(tables.canary), killed(tables.baseline)
    if mine < rules.oom_kills - 0.01 or mine <= 2 * other:
        return None
    return Alarm("oom_kills", f"the canary was killed for want of memory {mine:.0f} times")


def _health(tables: Tables, rules: AtOnce, now: float) -> Alarm | None:
    """One replica that has been failing for long, or most of them that fail more than three checks in a row."""
    if _ill(tables.baseline, now):
        return None
    failing = {replica.name: run for replica in tables.canary if len(run := _failing(replica, now)) >= rules.least_checks}
    for name, run in failing.items():
        if run[0] - run[-1] >= rules.health_seconds:
            return Alarm("health", f"{name} has failed {len(run)} health checks in a row, for {run[0] - run[-1]:.0f} seconds")
    checked = [replica for replica in tables.canary if replica.health]
    grown = [replica for replica in checked if replica.name in failing and (replica.started is None or now - replica.started > rules.health_seconds)]
    if grown and 2 * len(grown) > len(checked):
        return Alarm("health", f"{len(grown)} of {len(checked)} replicas have failed {rules.least_checks} or more health checks in a row")
    return None


def _failing(replica: ReplicaTable, now: float) -> list[float]:
    """The times of the failed checks since the last good one, newest first."""
    run: list[float] = []
    for time, well in reversed(replica.health):
        if time > now:
            continue
        if well:
            break
        run.append(time)
    return run


def _ill(side: Sequence[ReplicaTable], now: float) -> bool:
    """Whether most replicas are unwell at present."""
    latest = [next((well for time, well in reversed(replica.health) if time <= now), True) for replica in side]
    return bool(latest) and sum(not well for well in latest) * 2 > len(latest)

"""The stage before any user is sent to the new version: blue/green before the switch (pure).

There are no users' requests to compare, so no metric can be required. What can be seen is whether the new pods are up: health results, restarts, and
smoke requests. Never a PASS on nothing: a least number of results must have been seen.
"""

from __future__ import annotations

from dataclasses import replace

from cicd_agents.analysis.canary.streams import requests
from cicd_agents.analysis.canary.tables import Tables
from cicd_agents.domain.canary import Kind, Metric, MetricJudgement, Status

NAME, TITLE = "health", "Health and restarts"
NOTE = "No user reaches the new version in this stage: it is judged by health, restarts and smoke requests alone, which says little about real traffic."
# So many health results, or smoke requests, must have been seen, and of the requests so many may fail.
LEAST_RESULTS, LEAST_SMOKE, FAILING = 10, 50, 0.05


def unasked(metric: Metric) -> Metric:
    """The metric as it counts in such a stage: nothing is required, and how fast smoke requests are says nothing."""
    return replace(metric, required=False, dry_run=metric.dry_run or metric.kind is Kind.QUANTILE)


def newest(tables: Tables, now: float) -> float | None:
    """The time of the newest sample or health result of the canary."""
    times = [time for replica in tables.canary for time, _ in replica.health if time <= now]
    return max([*times, *([] if tables.last is None else [tables.last])], default=None)


def judge_preview(tables: Tables, until: int, now: float) -> MetricJudgement:
    """Whether the new pods are up and stay up."""
    results = [[well for time, well in sorted(replica.health) if tables.since - 1e-6 <= time <= now] for replica in tables.canary]
    seen = sum(map(len, results))
    asked, failed = _smoke(tables, until)
    restarts = sum(tables.since < time <= now for replica in tables.canary for time in replica.restarts)
    status, reason = _said(results, seen, asked, failed, restarts)
    return MetricJudgement(NAME, TITLE, Kind.GAUGE, "", status, f"{TITLE}: {reason}", critical=False, required=True)


def _said(results: list[list[bool]], seen: int, asked: float, failed: float, restarts: int) -> tuple[Status, str]:
    told = f"{seen} health results, {asked:.0f} smoke requests, {restarts} restarts"
    if seen == 0 and asked <= 0:
        return Status.NO_DATA, "neither a health result nor a smoke request was seen"
    if unwell := sum(not rows[-1] for rows in results if rows):
        return Status.INCONCLUSIVE, f"{unwell} of {len(results)} replicas failed their last health check; {told}"
    if restarts:
        return Status.INCONCLUSIVE, f"replicas restarted; {told}"
    if asked > 0 and failed > FAILING * asked:
        return Status.INCONCLUSIVE, f"{failed:.0f} of {asked:.0f} smoke requests failed; {told}"
    if seen < LEAST_RESULTS and asked < LEAST_SMOKE:
        return Status.INCONCLUSIVE, f"too few to tell, {told}; {LEAST_RESULTS} results or {LEAST_SMOKE} requests are needed"
    return Status.PASS, f"up, {told}"


def _smoke(tables: Tables, until: int) -> tuple[float, float]:
    begin = tables.begun
    asked = sum(sum(row[begin:until]) for replica in tables.canary for row in requests(replica))
    failed = sum(sum(row[begin:until]) for replica in tables.canary for name, row in replica.requests.items() if name.startswith("5"))
    return asked, failed

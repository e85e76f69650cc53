"""The guardian's eyes on metrics: finds the query pack, asks everything for both versions at once, and makes an Observation of the answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from cicd_agents.analysis.canary.observing.ask import MetricsAsk
from cicd_agents.analysis.canary.observing.earlier import earlier_plans, earlier_versions
from cicd_agents.analysis.canary.observing.observation import observed
from cicd_agents.analysis.canary.observing.plan import BASELINE, BOTH, CANARY, Planned, planned, query_of, selected, span, window
from cicd_agents.analysis.canary.packs.choice import Choice, Found, choose, found_in, probe, probe_past
from cicd_agents.domain.canary import Kind, Observation, Version
from cicd_agents.domain.errors import Rejected, ServiceError, UsageError
from cicd_agents.domain.guardian import MetricsAnswer, MetricsStore, QueryRecord

__all__ = ["MetricsAsk", "MetricsSeen", "gather"]

WORKERS = 8
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class MetricsSeen:
    """What metrics say. `pack` is the name of the query pack, empty: none fits; `reason` why this one. `notes` are for people; what makes the evidence weaker
    stands in the observation's warnings. `failed` are the queries that the store did not answer, each with why; `query_of` the canary's query by the name of a
    metric of the policy; `misspelt` the queries of the user's own that it cannot read."""

    observation: Observation
    queries: tuple[QueryRecord, ...] = ()
    pack: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    query_of: Mapping[str, str] = field(default_factory=dict)
    misspelt: tuple[str, ...] = ()


def gather(store: MetricsStore, ask: MetricsAsk, *, workers: int = WORKERS) -> MetricsSeen:
    """Everything that a metrics store says of both versions, asked `workers` at a time.

    A query that fails is named, and its metric has no data. Raises ServiceError where no query is answered, and UsageError for what is asked wrongly.
    """
    sides = selected(ask)
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="metrics") as pool:
        probes = _Probes(store, ask, pool)
        found = probes.of({side: sides[side].traffic for side in BOTH})
        pods = found if ask.pods is None else probes.of({side: sides[side].pods for side in BOTH})
        choice = choose(found[CANARY], found[BASELINE], ask.pack)
        plans, earlier = planned(ask, choice, found, pods), earlier_plans(ask, choice, sides)
        every = list(pool.map(lambda plan: _tried(lambda: _asked(store, plan)), (*plans, *earlier)))
    results, of_days = every[: len(plans)], every[len(plans) :]
    failures = [problem for problem in results if isinstance(problem, ServiceError)]
    if plans and len(failures) == len(plans):
        raise failures[0]
    answers: dict[str, dict[str, MetricsAnswer]] = {side: {} for side in BOTH}
    warnings = [*probes.warnings, *_missing(choice, ask)]
    for plan, result in zip(plans, results, strict=True):
        if isinstance(result, MetricsAnswer):
            answers[plan.side][plan.role] = result
            warnings += [f"{plan.side}, {plan.metric}: {text}" for text in result.warnings]
    failed = tuple(f"{plan.side}, {plan.metric}: {result}" for plan, result in zip(plans, results, strict=True) if isinstance(result, ServiceError))
    observation, told = observed(answers, choice, ask, [*warnings, *(f"a query failed: {text}" for text in failed)])
    records = tuple(_record(plan, result) for plan, result in zip(plans, results, strict=True))
    if earlier:
        observation = replace(observation, earlier=_days(earlier, of_days, choice, ask))
        # One day's queries stand for all: only the time differs.
        records += tuple(_record(plan, result) for plan, result in zip(earlier, of_days, strict=True) if plan.side == earlier[0].side)
    notes = (*told, *_unseen(plans), *_without_buckets(choice, ask), *_unanswered(of_days))
    return MetricsSeen(
        observation, records, choice.pack.name if choice.pack else "", choice.reason, notes, failed, query_of(plans, ask.policy), _misspelt(plans, results)
    )


def _misspelt(plans: Sequence[Planned], results: Sequence[MetricsAnswer | ServiceError]) -> tuple[str, ...]:
    """The queries of the user's own that the server cannot read, each once."""
    found: dict[str, str] = {}
    for plan, result in zip(plans, results, strict=True):
        kind, _, name = plan.role.partition(" ")
        if name and kind in ("value", "counter") and _unreadable(result):
            found.setdefault(name, f"queries: {name}: {result}")
    return tuple(found.values())


def _unreadable(result: object) -> bool:
    """Whether a query was refused for what stands in it (Prometheus, "HTTP API": 400 is for parameters that are missing or wrong)."""
    return isinstance(result, Rejected) and "(400)" in str(result)


def _days(plans: Sequence[Planned], results: Sequence[MetricsAnswer | ServiceError], choice: Choice, ask: MetricsAsk) -> tuple[Version, ...]:
    answers: dict[str, dict[str, MetricsAnswer]] = defaultdict(dict)
    for plan, result in zip(plans, results, strict=True):
        if isinstance(result, MetricsAnswer):
            answers[plan.side][plan.role] = result
    # A day that was answered in part would look like one without errors.
    whole = {side for side in answers if len(answers[side]) == sum(plan.side == side for plan in plans)}
    return earlier_versions({side: answers[side] for side in whole}, choice, ask)


def _unanswered(results: Sequence[MetricsAnswer | ServiceError]) -> Sequence[str]:
    problems = [result for result in results if isinstance(result, ServiceError)]
    return (f"{len(problems)} of {len(results)} queries of earlier days were not answered: {problems[0]}",) if problems else ()


class _Probes:
    """Asks which packs the series of each side have."""

    def __init__(self, store: MetricsStore, ask: MetricsAsk, pool: ThreadPoolExecutor) -> None:
        self.warnings: list[str] = []
        self._store, self._ask, self._pool = store, ask, pool

    def of(self, matchers: Mapping[str, str]) -> dict[str, Found]:
        """What each side has at the end of its window; one that has nothing then may have ended, so it is asked over the whole window.

        Raises ServiceError where neither side is answered, and UsageError for matchers that the server cannot read.
        """
        found, problems = self._round({side: probe(text) for side, text in matchers.items()})
        # Our part of this query is always the same, so what cannot be read are the matchers.
        if wrong := [side for side, problem in problems.items() if _unreadable(problem)]:
            raise UsageError(f"{f'{wrong[0]}-selector' if len(wrong) == 1 else 'metrics-selector'}: {problems[wrong[0]]}")
        if len(problems) == len(matchers):
            raise next(iter(problems.values()))
        quiet = [side for side in matchers if side not in problems and not found[side].series]
        if quiet:
            again, more = self._round({side: probe_past(matchers[side], window(self._ask, side)) for side in quiet})
            found, problems = found | again, problems | more
        self.warnings += [f"{side}: what metrics there are was not told: {problem}" for side, problem in problems.items()]
        return found

    def _round(self, queries: Mapping[str, str]) -> tuple[dict[str, Found], dict[str, ServiceError]]:
        def asked(side: str) -> MetricsAnswer | ServiceError:
            return _tried(lambda: self._store.query(queries[side], span(self._ask, side)[1]))

        results = dict(zip(queries, self._pool.map(asked, queries), strict=True))
        found = {side: found_in(result) if isinstance(result, MetricsAnswer) else Found() for side, result in results.items()}
        return found, {side: result for side, result in results.items() if isinstance(result, ServiceError)}


def _tried(call: Callable[[], _Result]) -> _Result | ServiceError:
    try:
        return call()
    except ServiceError as problem:
        return problem


def _asked(store: MetricsStore, plan: Planned) -> MetricsAnswer:
    if plan.step:
        return store.query_range(plan.query, plan.start, plan.end, plan.step)
    return store.query(plan.query, plan.end)


def _missing(choice: Choice, ask: MetricsAsk) -> Sequence[str]:
    """What is said where a side has no request counters: it is never guessed."""
    if choice.pack is None:
        sides = f"{ask.sides.canary[:200]!r} and {ask.sides.baseline[:200]!r}"
        return (f"{choice.reason}; say what to look at with `queries`, or check the matchers {sides}",)
    return [f"{side}: none of the selected series is a request counter of {choice.pack.title} ({', '.join(choice.pack.requests)})" for side in choice.missing]


def _unseen(plans: Sequence[Planned]) -> Sequence[str]:
    """What is said where the matchers fit no container."""
    if {"cpu", "memory"} & {plan.role for plan in plans}:
        return ()
    return ("CPU and memory are not judged: the matchers select no series of cAdvisor; matchers by namespace and pod would",)


def _without_buckets(choice: Choice, ask: MetricsAsk) -> Sequence[str]:
    """What is said where a latency must be seen that nobody measures: without that nobody finds out what to do about a hold that never ends."""
    given = {own.name for own in ask.own}
    needed = [metric for metric in ask.policy.metrics if metric.kind is Kind.QUANTILE and metric.required and metric.name not in given]
    if choice.pack is None or choice.durations is not None or not needed:
        return ()
    names = " or ".join(family.buckets for family in choice.pack.durations)
    wish = ", ".join(f"{metric.name}: {{required: false}}" for metric in needed)
    return (f"latency is not measured: no side has {names}; let the service write buckets, or put `{wish}` under `metrics` of canary-policy",)


def _record(plan: Planned, result: MetricsAnswer | ServiceError) -> QueryRecord:
    if isinstance(result, ServiceError):
        return QueryRecord(plan.metric, plan.side, plan.query, 0, 0, warning=str(result))
    newest = result.series[0].samples[-1][1] if len(result.series) == 1 and result.series[0].samples else None
    return QueryRecord(
        plan.metric, plan.side, plan.query, len(result.series), sum(len(item.samples) for item in result.series), newest, "; ".join(result.warnings)
    )

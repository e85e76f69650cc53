"""The rules that hold, from policy file and settings; and judgements of what was given as a file: numbers, samples, an AnalysisTemplate, an SLO file."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.analysis.canary import default_policy
from cicd_agents.analysis.canary.observing.own import OwnKind, OwnQuery, own_metrics, parse_own
from cicd_agents.analysis.canary.points import judge_points
from cicd_agents.domain.canary import CanaryPolicy, Judgement, Strategy
from cicd_agents.domain.context import RunContext
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.guardian import MetricsAnswer, MetricsStore, QueryRecord
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.guardian_engines import engine_of
from cicd_agents.wiring.guardian_scene import moment_of, stage_of
from cicd_agents.wiring.guardian_sources import Sources

if TYPE_CHECKING:
    from cicd_agents.analysis.canary.imitation.argo_rollouts import Measurement
    from cicd_agents.analysis.canary.reading.analysis_template import Template, TemplateMetric
    from cicd_agents.analysis.canary.reading.samples import Recorded
    from cicd_agents.wiring.world import World

_MOST_TABLE = 256 << 10
# Without a time of the deployment a template measures the last half hour.
_USUAL = 1800.0
_STEP = 60.0


@dataclass(frozen=True, slots=True)
class Rules:
    """The policy, and the own queries beside the query pack."""

    policy: CanaryPolicy
    own: tuple[OwnQuery, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """The judgement of something that was given, by whose rules, and what was asked for it. `recorded`: of these samples."""

    judgement: Judgement
    engine: str
    queries: tuple[QueryRecord, ...] = ()
    recorded: Recorded | None = None


def rules_of(settings: Settings, context: RunContext) -> Rules:
    """The rules that hold. Raises UsageError for a policy or query that makes no sense. A stranger's policy file is not read."""
    own = parse_own(settings.queries)
    policy = default_policy(Strategy(settings.strategy))
    notes: tuple[str, ...] = ()
    if settings.canary_policy and not context.trusted:
        notes = ("The policy file was not read, since the run is of a fork; the default policy holds.",)
    elif settings.canary_policy:
        from cicd_agents.clients.guardian_files import read_policy_file

        found = read_policy_file(_below(context, settings.canary_policy))
        policy, own = found.policy, (*own, *found.queries)
    more = own_metrics(own, policy.metrics)
    return Rules(replace(policy, metrics=(*policy.metrics, *more)), own, notes)


def given_judgement(settings: Settings, rules: Rules, sources: Sources, context: RunContext, world: World) -> Given | None:
    """The judgement of the file that the settings name, None: they name none. Raises UsageError for one that cannot be read."""
    named = [name for name in ("metrics_table", "metrics_samples", "analysis_template", "slo_file") if getattr(settings, name)]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(name.replace('_', '-') for name in named)} exclude each other; name one.")
    if settings.template_args and not settings.analysis_template:
        raise UsageError("template-args are those of an analysis-template, and there is none; name it, or leave them out.")
    if settings.metrics_table:
        return _of_table(settings, rules, context)
    if settings.metrics_samples:
        return _of_samples(settings, rules, context)
    if settings.analysis_template:
        return _of_template(settings, sources, context, world)
    if settings.slo_file:
        return _of_slo(settings, rules, sources, context, world)
    return None


def _of_table(settings: Settings, rules: Rules, context: RunContext) -> Given:
    from cicd_agents.clients.guardian_files import parse_points, read_points

    if settings.metrics_table == "-":
        points = parse_points(_standard_input(), "standard input", rules.policy)
    else:
        points = read_points(_below(context, settings.metrics_table), rules.policy)
    stage = stage_of(settings.canary_stage, rules.policy)
    return Given(judge_points(points, rules.policy, stage=stage or 0), "single values")


def _of_samples(settings: Settings, rules: Rules, context: RunContext) -> Given:
    """One look at the moment that the file names, by the engine that decides elsewhere too."""
    from cicd_agents.clients.samples_file import read_samples_file

    recorded = read_samples_file(_below(context, settings.metrics_samples), rules.policy)
    judgement = engine_of(settings.judge)(recorded.observation, rules.policy, recorded.now, stage_of(settings.canary_stage, rules.policy))
    return Given(judgement, settings.judge, recorded=recorded)


def _standard_input() -> str:
    """What is piped in. As bytes: how Python would decode it depends on the locale, and it may be anything."""
    data = sys.stdin.buffer.read(_MOST_TABLE + 1)
    if len(data) > _MOST_TABLE:
        raise UsageError(f"standard input: is larger than {_MOST_TABLE >> 10} KiB, which no table of metrics needs.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError("standard input: is not UTF-8.") from None


def _of_template(settings: Settings, sources: Sources, context: RunContext, world: World) -> Given:
    from cicd_agents.analysis.canary.imitation.argo_rollouts import judge_template
    from cicd_agents.clients.guardian_files import read_template_file

    template = read_template_file(_below(context, settings.analysis_template), _arguments(settings.template_args))
    now = world.clock.now()
    since = moment_of(settings.deployed_at, now)
    records: list[QueryRecord] = []
    measured: Mapping[str, Sequence[Measurement]] = {}
    if template.metrics:
        store = sources.metrics()
        measured = {metric.name: _measured(store, metric, now - _USUAL if since is None else since, now, records) for metric in template.metrics}
    return Given(judge_template(template, measured, ended=_ended(template, measured)), "Argo Rollouts", tuple(records))


def _ended(template: Template, measured: Mapping[str, Sequence[Measurement]]) -> bool:
    """Whether every metric has had the measurements that its template asks for."""
    return all(metric.count is None or len(measured.get(metric.name, ())) >= metric.count for metric in template.metrics)


def _measured(store: MetricsStore, metric: TemplateMetric, since: float, now: float, records: list[QueryRecord]) -> list[Measurement]:
    """The metric as it would have been measured since then. A query that is refused is an error of each measurement."""
    from cicd_agents.analysis.canary.imitation.argo_rollouts import Measurement

    step = metric.interval or _STEP
    first = since + metric.initial_delay
    if metric.interval is None or first >= now:
        first = now  # it is measured once
    try:
        answer = store.query_range(metric.query, first, now, step)
    except ServiceError as problem:
        records.append(QueryRecord(metric.name, "canary", metric.query, 0, 0, warning=str(problem)))
        return [Measurement(error=str(problem))]
    records.append(_record(metric.name, metric.query, answer))
    count = int((now - first) // step) + 1
    times = [first + step * number for number in range(count if metric.count is None else min(count, metric.count))]
    values = [[value for series in answer.series for time, value in series.samples if abs(time - at) < step / 2] for at in times]
    return [Measurement(tuple(found)) for found in values]


def _of_slo(settings: Settings, rules: Rules, sources: Sources, context: RunContext, world: World) -> Given:
    """Each indicator is an own query of its name; what has none is not measured."""
    from cicd_agents.analysis.canary.imitation.keptn import judge_slo
    from cicd_agents.clients.guardian_files import read_slo_file

    slo = read_slo_file(_below(context, settings.slo_file))
    matchers = ",".join(part for part in (settings.metrics_selector, settings.canary_selector) if part)
    queries = {query.name: query.filled(matchers) for query in rules.own if query.kind is OwnKind.VALUE}
    store, records = sources.metrics(), list[QueryRecord]()
    values: dict[str, float | None] = {}
    for objective in slo.objectives:
        query = queries.get(objective.sli.replace("-", "_"), "")
        values[objective.sli] = _value(store, objective.sli, query, world.clock.now(), records) if query else None
    return Given(judge_slo(slo, values), "Keptn", tuple(records))


def _value(store: MetricsStore, name: str, query: str, now: float, records: list[QueryRecord]) -> float | None:
    try:
        answer = store.query(query, now)
    except ServiceError as problem:
        records.append(QueryRecord(name, "canary", query, 0, 0, warning=str(problem)))
        return None
    records.append(_record(name, query, answer))
    return answer.series[0].samples[-1][1] if len(answer.series) == 1 and answer.series[0].samples else None


def _record(name: str, query: str, answer: MetricsAnswer) -> QueryRecord:
    samples = sum(len(series.samples) for series in answer.series)
    newest = answer.series[0].samples[-1][1] if len(answer.series) == 1 and answer.series[0].samples else None
    return QueryRecord(name, "canary", query, len(answer.series), samples, newest, "; ".join(answer.warnings))


def _arguments(texts: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"template-args: {text[:60]!r} is not of the form NAME=VALUE.")
        found[name.strip()] = value.strip()
    return found


def _below(context: RunContext, path: str) -> Path:
    return Path(context.workspace or ".") / path

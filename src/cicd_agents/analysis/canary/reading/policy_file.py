"""A canary policy as people write it (docs/canary-policy.md), read into domain.canary.CanaryPolicy (pure; clients.guardian_files reads the file)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from cicd_agents.analysis.canary.defaults import METRICS, STAGES_OF, check_policy, default_policy
from cicd_agents.analysis.canary.observing.own import OwnKind, OwnQuery, parse_own
from cicd_agents.analysis.canary.reading.policy_keys import AT_ONCE, KINDS, METRIC, POLICY, STAGE, TOLERANCE, Form
from cicd_agents.analysis.canary.reading.policy_values import joined, section, value_of
from cicd_agents.analysis.canary.reading.tolerances import FALLING, read_tolerance
from cicd_agents.domain.canary import AtOnce, CanaryPolicy, Decision, Direction, Kind, Metric, Stage, Strategy, Tolerance
from cicd_agents.domain.errors import UsageError

MOST_STAGES, MOST_METRICS = 20, 100
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """What a policy file says: the policy, and the queries of its own metrics beside it, as the setting of own queries would give them."""

    policy: CanaryPolicy
    queries: tuple[OwnQuery, ...] = ()


def read_policy(document: Mapping[str, Any]) -> PolicyFile:
    """The policy of a parsed file; what it does not say is as in the default policy.

    Raises UsageError: one sentence with the dotted path for an unknown key, a value of another form or unit, and what contradicts itself.
    """
    given = section(document, POLICY, "")
    strategy = Strategy(str(_read(given, "strategy") or Strategy.CANARY))
    default = default_policy(strategy)
    metrics, queries = _metrics(given.get("metrics", {}), default)
    stages = _stages(given["stages"], metrics, queries) if "stages" in given else STAGES_OF[strategy]
    at_once = AtOnce(**_fields(section(given.get("at_once", {}), AT_ONCE, "at_once"), AT_ONCE, "at_once"))
    rest = _fields({name: item for name, item in given.items() if name != "strategy"}, POLICY, "")
    policy = replace(default, metrics=metrics, stages=stages, at_once=at_once, **rest)
    _check(policy)
    return PolicyFile(policy, queries)


def _read(given: dict[str, object], name: str) -> object:
    key = next(key for key in POLICY if key.name == name)
    return value_of(key, given[name], name) if name in given else None


def _fields(given: dict[str, object], keys: Any, path: str) -> dict[str, Any]:
    plain = (key for key in keys if key.name in given and key.form not in {Form.SECTION, Form.TOLERANCE})
    return {key.target: value_of(key, given[key.name], joined(path, key.name)) for key in plain}


def _check(policy: CanaryPolicy) -> None:
    if policy.alpha <= 0 or policy.alpha >= 0.5:
        raise UsageError(f"alpha must be above 0 and below 50%, such as 1%, not {policy.alpha:g}.")
    if not 1 <= policy.step <= 3600:
        raise UsageError(f"step must be between 1s and 1h, not {policy.step:g}s.")
    if policy.hole < policy.step:
        raise UsageError(f"hole ({policy.hole:g}s) must not be shorter than step ({policy.step:g}s).")
    if not policy.metrics:
        raise UsageError("metrics leaves no metric; keep at least one.")
    check_policy(policy)


# Metrics


def _metrics(value: object, default: CanaryPolicy) -> tuple[tuple[Metric, ...], tuple[OwnQuery, ...]]:
    if not isinstance(value, Mapping):
        raise UsageError("metrics must be a mapping by name, such as `error_rate: {go: +0.1pp}`.")
    if len(value) > MOST_METRICS:
        raise UsageError(f"metrics has more than {MOST_METRICS} entries, which no policy needs.")
    metrics = {metric.name: metric for metric in default.metrics}
    queries: list[OwnQuery] = []
    for key, entry in value.items():
        name, path = str(key), f"metrics.{str(key)[:60]}"
        if not _NAME.fullmatch(name):
            raise UsageError(f"{path}: the name must be small letters, digits and underscores, such as checkout_errors.")
        found = _metric(name, metrics.get(name), {} if entry is None else entry, path)
        if found is None:
            metrics.pop(name, None)
            continue
        metrics[name] = found[0]
        queries += found[1]
    return tuple(metrics.values()), tuple(queries)


def _metric(name: str, known: Metric | None, entry: object, path: str) -> tuple[Metric, list[OwnQuery]] | None:
    """The metric with its queries, None where it is left out."""
    if entry is False:
        if known is None:
            raise UsageError(f"{path} leaves out a metric that the policy does not have.")
        return None
    given = section({} if entry is True else entry, (*METRIC, *TOLERANCE), path)
    fields = _fields(given, METRIC, path)
    if fields.pop("enabled", True) is False:
        return None
    written: dict[str, str] = {role: str(fields.pop(role)) for role in ("query", "errors", "total") if role in fields}
    roles = set(written)
    queries = _queries(name, written, path)
    kind = _kind(fields, known, roles, path)
    fields["direction"] = Direction(str(fields.get("direction") or (known.direction if known else Direction.INCREASE)))
    metric = replace(known or _blank(name, kind, fields["direction"]), **fields)
    if "total" in roles:
        metric = replace(metric, events=(f"{name}.errors",), of=(f"{name}.total",))
    _complete(metric, roles, path)
    level = metric.kind is Kind.GAUGE or "query" in roles
    texts = {key.name: given[key.name] for key in TOLERANCE if key.name in given}
    return replace(metric, tolerance=read_tolerance(metric, texts, path, level=level)), queries


def _queries(name: str, written: Mapping[str, str], path: str) -> list[OwnQuery]:
    if set(written) not in (set(), {"query"}, {"errors", "total"}):
        raise UsageError(f"{path}: give either query, or errors together with total.")
    try:
        return list(parse_own(f"{name}{'' if role == 'query' else f'.{role}'}={query}" for role, query in written.items()))
    except UsageError as problem:
        raise UsageError(f"{path}: {re.sub(r'^[a-z-]*queries: ', '', str(problem))}") from None


def _kind(fields: dict[str, Any], known: Metric | None, roles: set[str], path: str) -> Kind:
    written = fields.pop("kind", None)
    kind = Kind(KINDS[written]) if written else known.kind if known else Kind.RATIO if "total" in roles else Kind.GAUGE if "query" in roles else None
    if kind is None:
        close = get_close_matches(path.rpartition(".")[2], [metric.name for metric in METRICS], 1, 0.75)
        meant = f" (did you mean {close[0]}?)" if close else ""
        raise UsageError(f"{path} is no metric of the default policy{meant}, so it needs its kind: {', '.join(k for k in KINDS if k != 'count-ratio')}.")
    if known is not None and kind is not known.kind:
        raise UsageError(f"{path}.kind: {known.name} is a {known.kind} already; give a metric of another kind another name.")
    return kind


def _blank(name: str, kind: Kind, direction: Direction) -> Metric:
    falls = direction is Direction.DECREASE
    units = {Kind.RATIO: "%", Kind.QUANTILE: "s", Kind.BUSINESS: "%", Kind.LOGS: "%", Kind.GAUGE: ""}
    return Metric(name, kind, name.replace("_", " ").capitalize(), direction, unit=units[kind], tolerance=FALLING if falls else Tolerance())


def _complete(metric: Metric, roles: set[str], path: str) -> None:
    """Whether the metric can be measured, and does not contradict itself."""
    if metric.kind is Kind.QUANTILE and metric.quantile is None:
        raise UsageError(f"{path} needs its quantile, such as P95.")
    if "total" in roles and metric.kind not in {Kind.RATIO, Kind.BUSINESS}:
        raise UsageError(f"{path}: errors and total are a ratio, and this is a {metric.kind}; use query for its value.")
    if metric.kind is not Kind.QUANTILE and metric.quantile is not None:
        raise UsageError(f"{path}.quantile is for the kind quantile only, and this is a {metric.kind}.")
    if metric.kind in {Kind.RATIO, Kind.BUSINESS} and not metric.events and not roles:
        raise UsageError(f"{path} needs the counters it counts (events), or PromQL (query, or errors and total).")
    if metric.kind is Kind.QUANTILE and metric.direction is Direction.DECREASE:
        raise UsageError(f"{path}.direction: for latency only an increase is worse.")
    if metric.required and metric.dry_run:
        raise UsageError(f"{path}: a dry run decides nothing, so it cannot be required.")
    falls = metric.direction is Direction.DECREASE
    if (falls and max(metric.tolerance.stop_ratio, metric.tolerance.go_ratio) > 1) or (not falls and metric.tolerance.stop_ratio < 1):
        raise UsageError(f"{path}.direction: {metric.name} of the default policy is worse the other way; give a metric of your own another name.")


# Stages


def _stages(value: object, metrics: tuple[Metric, ...], queries: tuple[OwnQuery, ...]) -> tuple[Stage, ...]:
    if not isinstance(value, list) or not value or len(value) > MOST_STAGES:
        raise UsageError(f"stages must be a list of 1 to {MOST_STAGES} stages, such as `- {{share: 5%, minutes: 5}}`.")
    stages = tuple(_stage(entry, f"stages[{index}]", metrics, queries) for index, entry in enumerate(value))
    for index, (before, after) in enumerate(pairwise(stages), 1):
        if after.share < before.share:
            raise UsageError(f"stages[{index}].share ({after.share:g}) is below the stage before ({before.share:g}); the canary's traffic only grows.")
    return stages


def _stage(entry: object, path: str, metrics: tuple[Metric, ...], queries: tuple[OwnQuery, ...]) -> Stage:
    given = section(entry, STAGE, path)
    for name in ("share", "minutes"):
        if name not in given:
            raise UsageError(f"{path} needs its {name}.")
    fields = _fields(given, STAGE, path)
    if fields.get("see") == 0:
        raise UsageError(f"{path}.see must be above 0; 1 is usual.")
    fields |= {name: Decision(str(fields[name])) for name in ("inconclusive", "no_data") if name in fields}
    return Stage(**fields, tolerances=_own_tolerances(given.get("tolerances", {}), f"{path}.tolerances", metrics, queries))


def _own_tolerances(value: object, path: str, metrics: tuple[Metric, ...], queries: tuple[OwnQuery, ...]) -> tuple[tuple[str, Tolerance], ...]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{path} must be a mapping by metric, such as `error_rate: {{go: +0.2pp}}`.")
    known = {metric.name: metric for metric in metrics}
    levels = {query.name for query in queries if query.kind is OwnKind.VALUE}
    found = []
    for name, entry in value.items():
        if name not in known:
            raise UsageError(f"{path}.{str(name)[:60]} is no metric of this policy; it has {', '.join(known)}.")
        metric = known[name]
        texts = section(entry, TOLERANCE, f"{path}.{name}")
        found.append((metric.name, read_tolerance(metric, texts, f"{path}.{name}", level=metric.kind is Kind.GAUGE or name in levels)))
    return tuple(found)

"""AnalysisTemplates and ClusterAnalysisTemplates of Argo Rollouts as input (pure; clients.guardian_files reads the file).

Fields: argo-rollouts.readthedocs.io/en/stable/features/analysis/ and pkg/apis/rollouts/v1alpha1/analysis_types.go. Only Prometheus metrics can be measured
here; the others are kept in `unreadable`, and are never taken as good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cicd_agents.analysis.canary.reading.expressions import Node, parse_condition
from cicd_agents.domain.errors import UsageError

KINDS = ("AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun")
PROVIDERS = ("prometheus", "job", "web", "datadog", "wavefront", "newRelic", "kayenta", "cloudWatch", "graphite", "influxdb", "skywalking")
MOST_METRICS, LONGEST_QUERY = 100, 8000
DEFAULT_ERROR_LIMIT = 4  # utils/defaults: DefaultConsecutiveErrorLimit
_ARGUMENT = re.compile(r"\{\{\s*args\.([A-Za-z0-9_.-]{1,100})\s*\}\}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class TemplateMetric:
    """One Prometheus metric. Times are seconds; `count` None: it runs as long as it is let.

    `success` and `failure` are the conditions as they stand, empty: none. `failure_limit` -1 and `consecutive_success_limit` 0: switched off.
    """

    name: str
    query: str
    address: str = ""
    interval: float | None = None
    initial_delay: float = 0.0
    count: int | None = 1
    success: str = ""
    failure: str = ""
    failure_limit: int = 0
    inconclusive_limit: int = 0
    consecutive_error_limit: int = DEFAULT_ERROR_LIMIT
    consecutive_success_limit: int = 0
    dry_run: bool = False

    def conditions(self) -> tuple[Node | None, Node | None]:
        """The success and the failure condition as trees. Raises UsageError for one that cannot be read."""
        success, failure = (parse_condition(text) if text else None for text in (self.success, self.failure))
        return success, failure


@dataclass(frozen=True, slots=True)
class Template:
    """A template with all arguments in their places. `unreadable`: (metric, provider, dry run) of what cannot be measured here."""

    name: str
    kind: str
    metrics: tuple[TemplateMetric, ...] = ()
    unreadable: tuple[tuple[str, str, bool], ...] = ()
    notes: tuple[str, ...] = ()


def read_template(document: Mapping[str, Any], arguments: Mapping[str, str] | None = None) -> Template:
    """The template of a parsed document, with `arguments` (name: value) over the defaults that it has itself.

    Raises UsageError: one sentence with the path, for what is no such template, an argument without a value, or a condition that cannot be read.
    """
    kind, spec = document.get("kind"), document.get("spec")
    if kind not in KINDS or not isinstance(spec, Mapping):
        raise UsageError(f"This is no {KINDS[0]} of Argo Rollouts (its kind is {str(kind)[:40]!r}); give a file whose kind is {KINDS[0]} or {KINDS[1]}.")
    metadata = document.get("metadata")
    name = str(metadata.get("name") or metadata.get("generateName") or "")[:253] if isinstance(metadata, Mapping) else ""
    metrics = spec.get("metrics") or []
    if spec.get("templates"):
        raise UsageError("spec.templates: it takes in other templates, which are not in this file; give a file of each of them.")
    if not isinstance(metrics, Sequence) or isinstance(metrics, str) or not metrics or len(metrics) > MOST_METRICS:
        raise UsageError(f"spec.metrics must be a list of 1 to {MOST_METRICS} metrics.")
    values = _arguments(spec.get("args") or [], arguments or {})
    dry = _dry_runs(spec.get("dryRun") or [], values)
    read = [_metric(entry, f"spec.metrics[{index}]", values, dry) for index, entry in enumerate(metrics)]
    names = [found.name if isinstance(found, TemplateMetric) else found[0] for found in read]
    if len(set(names)) < len(names):
        raise UsageError(f"spec.metrics names {next(item for item in names if names.count(item) > 1)} twice.")
    readable = tuple(found for found in read if isinstance(found, TemplateMetric))
    return Template(name, str(kind), readable, tuple(found for found in read if not isinstance(found, TemplateMetric)), tuple(_notes(readable)))


def _notes(metrics: Sequence[TemplateMetric]) -> Iterator[str]:
    for metric in metrics:
        if not metric.success and not metric.failure:
            yield f"{metric.name} has no condition: for Argo Rollouts every measurement is good"
        elif metric.failure and not metric.success:
            yield f"{metric.name} has only a failureCondition: for Argo Rollouts NaN is good"


# Arguments


@dataclass(frozen=True, slots=True)
class _Values:
    given: Mapping[str, str]
    missing: frozenset[str]

    def fill(self, value: object, path: str) -> Any:
        """A value with its arguments in their places."""
        if not isinstance(value, str):
            return value

        def put(found: re.Match[str]) -> str:
            name = found[1]
            if name in self.given:
                return self.given[name]
            why = "has no value; give it one" if name in self.missing else "is not declared in spec.args"
            raise UsageError(f"{path}: the argument {name} {why}.")

        return _ARGUMENT.sub(put, value)


def _arguments(declared: object, given: Mapping[str, str]) -> _Values:
    if not isinstance(declared, Sequence) or isinstance(declared, str):
        raise UsageError("spec.args must be a list of arguments with their names.")
    values: dict[str, str] = {}
    missing: set[str] = set()
    for index, entry in enumerate(declared):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if not isinstance(name, str) or not name:
            raise UsageError(f"spec.args[{index}] needs its name.")
        if name in given:
            values[name] = given[name]
        elif isinstance(entry, Mapping) and isinstance(entry.get("value"), (str, int, float)):
            values[name] = str(entry["value"])
        else:
            missing.add(name)
    unknown = sorted(set(given) - set(values))
    if unknown:
        raise UsageError(f"The template has no argument {unknown[0][:60]}; it has {', '.join([*values, *sorted(missing)]) or 'none'}.")
    return _Values(values, frozenset(missing))


def _dry_runs(entries: object, values: _Values) -> list[Any]:
    """The patterns of metrics that only run dry; matched in linear time, since they are of others."""
    import re2

    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise UsageError("spec.dryRun must be a list of metric names.")
    patterns = []
    for index, entry in enumerate(entries):
        name = values.fill(entry.get("metricName"), f"spec.dryRun[{index}]") if isinstance(entry, Mapping) else None
        if not isinstance(name, str) or not name or len(name) > 500:
            raise UsageError(f"spec.dryRun[{index}] needs its metricName.")
        try:
            patterns.append(re2.compile(name))
        except re2.error:
            raise UsageError(f"spec.dryRun[{index}].metricName {name[:60]!r} is no regular expression.") from None
    return patterns


# Metrics


def _metric(entry: object, path: str, values: _Values, dry: Sequence[Any]) -> TemplateMetric | tuple[str, str, bool]:
    if not isinstance(entry, Mapping):
        raise UsageError(f"{path} must be a mapping with a name and a provider.")
    name = values.fill(entry.get("name"), f"{path}.name")
    provider = entry.get("provider")
    if not isinstance(name, str) or not name or len(name) > 253 or not isinstance(provider, Mapping):
        raise UsageError(f"{path} needs a name and a provider.")
    runs_dry = any(pattern.search(name) for pattern in dry)
    settings = provider.get("prometheus")
    if not isinstance(settings, Mapping):
        kind = next((known for known in PROVIDERS if known in provider), next(iter(map(str, provider)), "none"))
        return name, kind[:60], runs_dry
    query = values.fill(settings.get("query"), f"{path}.provider.prometheus.query")
    if not isinstance(query, str) or not query.strip() or len(query) > LONGEST_QUERY:
        raise UsageError(f"{path}.provider.prometheus.query must be PromQL of at most {LONGEST_QUERY} characters.")
    address = values.fill(settings.get("address") or "", f"{path}.provider.prometheus.address")
    limits = {field: _whole(entry, key, path, values, default) for field, key, default in _LIMITS}
    metric = TemplateMetric(
        name, query.strip(), str(address), _duration(entry, "interval", path, values), _duration(entry, "initialDelay", path, values) or 0.0,
        _count(entry, path, values), _condition(entry, "successCondition", path, values), _condition(entry, "failureCondition", path, values),
        **{field: value for field, value in limits.items() if value is not None}, dry_run=runs_dry,
    )  # fmt: skip
    _agree(metric, path)
    return metric


_LIMITS = (
    ("failure_limit", "failureLimit", 0), ("inconclusive_limit", "inconclusiveLimit", 0), ("consecutive_success_limit", "consecutiveSuccessLimit", 0),
    ("consecutive_error_limit", "consecutiveErrorLimit", DEFAULT_ERROR_LIMIT),
)  # fmt: skip


def _whole(entry: Mapping[str, Any], key: str, path: str, values: _Values, default: int | None) -> int | None:
    value = values.fill(entry.get(key), f"{path}.{key}")
    if value is None or value == "":
        return default
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,9}", str(value)):
        raise UsageError(f"{path}.{key} must be a whole number, not {str(value)[:40]!r}.")
    return int(value)


def _count(entry: Mapping[str, Any], path: str, values: _Values) -> int | None:
    """How many measurements: as given; one without an interval; without end otherwise (analysis_types.go, EffectiveCount)."""
    count = _whole(entry, "count", path, values, None)
    return 1 if count is None and not entry.get("interval") else count


def _duration(entry: Mapping[str, Any], key: str, path: str, values: _Values) -> float | None:
    value = values.fill(entry.get(key), f"{path}.{key}")
    if value is None or value == "":
        return None
    text = str(value)
    if len(text) > 40 or not re.fullmatch(rf"(?:{_DURATION.pattern})+", text):
        raise UsageError(f"{path}.{key} must be a time such as 30s, 5m or 1h30m, not {text[:40]!r}.")
    return sum(float(found[1]) * _SECONDS[found[2]] for found in _DURATION.finditer(text))


def _condition(entry: Mapping[str, Any], key: str, path: str, values: _Values) -> str:
    text = values.fill(entry.get(key), f"{path}.{key}")
    if text is None or text == "":
        return ""
    if not isinstance(text, str):
        raise UsageError(f"{path}.{key} must be a condition as text, such as `result[0] >= 0.95`.")
    try:
        parse_condition(text)
    except UsageError as problem:
        raise UsageError(f"{path}.{key}: {problem}") from None
    return " ".join(text.split())


def _agree(metric: TemplateMetric, path: str) -> None:
    if metric.count is not None and metric.count > 1 and not metric.interval:
        raise UsageError(f"{path}.interval is missing; with a count of {metric.count} Argo Rollouts needs one.")
    if metric.failure_limit < 0 and metric.consecutive_success_limit <= 0:
        raise UsageError(f"{path}: failureLimit and consecutiveSuccessLimit are both switched off; Argo Rollouts needs one of them.")
    if min(metric.inconclusive_limit, metric.consecutive_error_limit, metric.consecutive_success_limit, metric.failure_limit + 1) < 0 or metric.count == 0:
        raise UsageError(f"{path}: a limit or the count is negative or 0 where it must not be.")

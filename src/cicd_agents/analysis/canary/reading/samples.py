"""Recorded samples of both versions as JSON: what `record-samples` keeps, and what other tools may write (docs/canary-samples.md; pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf, isfinite, nan
from typing import Any, TypeVar

from cicd_agents.analysis.canary.outcomes import REST, TOTAL, classed, is_outcome
from cicd_agents.analysis.canary.reading.metric_names import MetricNames
from cicd_agents.domain.canary import Bucket, CanaryPolicy, LogTemplate, Metric, Observation, Replica, Samples, Series, Version
from cicd_agents.domain.errors import UsageError

SCHEMA = "cicd-agents/canary-samples/v1"
DOCUMENT = ("schema", "now", "since", "share", "concurrent", "moved", "warnings", "baseline", "canary", "earlier")
VERSION = ("name", "replicas", "values")
REPLICA = ("name", "started", "requests", "buckets", "gauges", "counters", "health", "logs")
LOG = ("template", "critical", "samples")
MOST_REPLICAS, MOST_DAYS, MOST_TEXT = 1000, 31, 400
# In seconds this is the year 5138; a clock of milliseconds is beyond it.
_LATEST = 1e11
# Nobody waits an hour for an answer; milliseconds are beyond it.
_LONGEST = 3600.0
_INFINITE = ("+Inf", "Inf", "inf", "+inf")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded, and the moment to judge at: as the file says, else that of the newest sample."""

    observation: Observation
    now: float


def read_samples(document: object, policy: CanaryPolicy) -> Recorded:
    """The observation of a parsed file. Raises UsageError with the path (`canary.replicas[0].requests.5xx[3]`) and what to write."""
    data = _mapping("", document, DOCUMENT)
    if data.get("schema", SCHEMA) != SCHEMA:
        raise UsageError(f"schema is {str(data['schema'])[:80]!r}, and {SCHEMA} is read here.")
    names = MetricNames.of(policy)
    baseline, canary = (_version(side, data.get(side), names) for side in ("baseline", "canary"))
    times = [time for version in (baseline, canary) for time in _times(version)]
    if not times:
        raise UsageError('There are no samples; write for example {"canary": {"replicas": [{"requests": {"2xx": [[1700000000, 0], [1700000060, 600]]}}]}}.')
    newest = max(times)
    if newest > _LATEST:
        raise UsageError(f"The times are not seconds since 1970 (the newest is {newest:.0f}): divide milliseconds by 1000.")
    now, since = _time("now", data.get("now")), _time("since", data.get("since"))
    earlier = tuple(_version(f"earlier[{number}]", entry, names) for number, entry in enumerate(_list("earlier", data.get("earlier"), MOST_DAYS)))
    warnings = tuple(_text(f"warnings[{number}]", entry) for number, entry in enumerate(_list("warnings", data.get("warnings"), 100)))
    observation = Observation(
        baseline, canary, since, _share(data.get("share"), since, min(times)), warnings=warnings, concurrent=_flag("concurrent", data.get("concurrent"), True),
        moved=_number("moved", data.get("moved", 0.0)), earlier=earlier,
    )  # fmt: skip
    return Recorded(classed(observation), newest if now is None else now)


def _version(path: str, value: object, names: MetricNames) -> Version:
    if value is None:
        return Version(path)
    data = _mapping(path, value, VERSION)
    replicas = _list(f"{path}.replicas", data.get("replicas"), MOST_REPLICAS)
    return Version(
        _text(f"{path}.name", data.get("name", path)), tuple(_replica(f"{path}.replicas[{number}]", entry, number) for number, entry in enumerate(replicas)),
        tuple(_ready(f"{path}.values", name, samples, names) for name, samples in _series(f"{path}.values", data.get("values"))),
    )  # fmt: skip


def _ready(path: str, name: str, samples: Samples, names: MetricNames) -> Series:
    metric = names.find(name)
    if not isinstance(metric, Metric):
        raise UsageError(f"{path}: {names.unknown(name)}.")
    if metric.unit == "%" and any(value > 1 for _, value in samples):
        raise UsageError(f"{path}.{metric.name} has values above 1, and rates are fractions here: 0.01 is 1 %.")
    return Series(metric.name, samples)


def _replica(path: str, value: object, number: int) -> Replica:
    data = _mapping(path, value, REPLICA)
    requests, gauges, counters = (
        tuple(Series(name, samples) for name, samples in _series(f"{path}.{key}", data.get(key))) for key in ("requests", "gauges", "counters")
    )
    if strange := next((series.name for series in requests if not is_outcome(series.name) and series.name not in (TOTAL, REST)), None):
        raise UsageError(f"{path}.requests: {strange[:40]!r} is no outcome class; write 2xx, 404, 5xx, unknown, or total for all requests.")
    buckets = tuple(Bucket(_bound(f"{path}.buckets", bound), samples) for bound, samples in _series(f"{path}.buckets", data.get("buckets")))
    health = _pairs(f"{path}.health", data.get("health"), _well)
    logs = tuple(_log(f"{path}.logs[{index}]", entry) for index, entry in enumerate(_list(f"{path}.logs", data.get("logs"), 1000)))
    name = _text(f"{path}.name", data.get("name", f"{number + 1}"))
    return Replica(name, _time(f"{path}.started", data.get("started")), requests, buckets, gauges, counters, health, logs)


def _log(path: str, value: object) -> LogTemplate:
    data = _mapping(path, value, LOG)
    return LogTemplate(
        _text(f"{path}.template", data.get("template")), _pairs(f"{path}.samples", data.get("samples"), _value),
        _flag(f"{path}.critical", data.get("critical"), False),
    )  # fmt: skip


def _series(path: str, value: object) -> Iterator[tuple[str, Samples]]:
    """(name, samples) of a mapping."""
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise UsageError(f'{path} must be a mapping of names to samples, such as {{"2xx": [[1700000000, 0]]}}.')
    for name, samples in value.items():
        yield str(name)[:MOST_TEXT], _pairs(f"{path}.{str(name)[:60]}", samples, _value)


def _pairs(path: str, value: object, read: Callable[[object], T | None]) -> tuple[tuple[float, T], ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise UsageError(f"{path} must be a list of [time, value], such as [[1700000000, 0], [1700000060, 600]].")
    found = []
    for number, pair in enumerate(value):
        time, of = pair if isinstance(pair, list) and len(pair) == 2 else (None, None)
        moment, held = _value(time), read(of)
        if moment is None or not isfinite(moment) or held is None:
            raise UsageError(f"{path}[{number}] is no [time, value]; the time is in seconds since 1970, and the value a {_NAMES[read]}.")
        found.append((moment, held))
    return tuple(found)


def _value(value: object) -> float | None:
    """A number; what was measured and is none is written as null or "NaN". None: this is no number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return nan if value is None or value == "NaN" else None


def _well(value: object) -> bool | None:
    return value if isinstance(value, bool) else bool(value) if value in (0, 1) else None


_NAMES: dict[Callable[[object], Any], str] = {_value: "number or null", _well: "true or false"}


def _share(value: object, since: float | None, first: float) -> Samples:
    """One share since the beginning, or shares by the time from which they were."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = [[first if since is None else since, value]]
    found = _pairs("share", value, _value)
    if any(not 0 <= share <= 1 for _, share in found):
        raise UsageError("share is the canary's part of the traffic, from 0 to 1 (0.05 is 5 %).")
    return found


def _bound(path: str, text: str) -> float:
    try:
        bound = inf if text in _INFINITE else float(text)
    except ValueError:
        bound = nan
    if not bound > 0 or _LONGEST < bound < inf:
        raise UsageError(f"{path}: {text[:40]!r} is no upper bound in seconds; write for example 0.25, or +Inf.")
    return bound


def _time(path: str, value: object) -> float | None:
    """A single time: seconds since 1970, or ISO 8601 (without a zone UTC)."""
    if isinstance(value, str):
        try:
            read = datetime.fromisoformat(value.strip())
        except ValueError:
            raise UsageError(f"{path} is {value[:40]!r}, which is no time; write seconds since 1970, or 2026-01-31T12:00:00Z.") from None
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    return None if value is None else _number(path, value)


def _number(path: str, value: object) -> float:
    found = None if value is None else _value(value)
    if found is None or not isfinite(found) or abs(found) > _LATEST:
        raise UsageError(f"{path} is {str(value)[:40]!r}, which is no number of seconds.")
    return found


def _flag(path: str, value: object, default: bool) -> bool:
    if value is None:
        return default
    if not isinstance(value, bool):
        raise UsageError(f"{path} must be true or false.")
    return value


def _text(path: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{path} must be a text.")
    return value[:MOST_TEXT]


def _list(path: str, value: object, most: int) -> Sequence[object]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > most:
        raise UsageError(f"{path} must be a list of at most {most} entries.")
    return value


def _mapping(path: str, value: object, keys: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{path or 'The file'} must be a mapping with {', '.join(keys)}.")
    unknown = sorted(str(key) for key in value if key not in keys)
    if unknown:
        raise UsageError(f"{path}{'.' if path else ''}{unknown[0][:60]} is not known; there are {', '.join(keys)}.")
    return value


def _times(version: Version) -> Iterator[float]:
    for replica in version.replicas:
        counted = [series.samples for series in (*replica.requests, *replica.gauges, *replica.counters)]
        counted += [bucket.samples for bucket in replica.buckets] + [log.samples for log in replica.logs]
        yield from (time for samples in counted for time, _ in samples)
        yield from (time for time, _ in replica.health)
    yield from (time for series in version.values for time, _ in series.samples)


# Writing


def samples_document(observation: Observation, now: float, redact: Callable[[str], str] = str) -> dict[str, Any]:
    """What `read_samples` reads as the same observation, as JSON takes it. Names and messages go through `redact`."""

    def pairs(samples: Sequence[tuple[float, float]]) -> list[list[float | None]]:
        return [[time, value if isfinite(value) else None] for time, value in samples if isfinite(time)]

    def named(series: Sequence[Series]) -> dict[str, Any]:
        return {redact(item.name): pairs(item.samples) for item in series}

    def version(side: Version) -> dict[str, Any]:
        return _filled({"name": redact(side.name), "replicas": [replica(item) for item in side.replicas], "values": named(side.values)})

    def replica(item: Replica) -> dict[str, Any]:
        logs = [{"template": redact(log.template), "critical": log.critical, "samples": pairs(log.samples)} for log in item.logs]
        return _filled({
            "name": redact(item.name), "started": item.started, "requests": named(item.requests),
            "buckets": {"+Inf" if bucket.bound == inf else repr(bucket.bound): pairs(bucket.samples) for bucket in item.buckets},
            "gauges": named(item.gauges), "counters": named(item.counters), "health": [list(pair) for pair in item.health], "logs": logs,
        })  # fmt: skip

    told = _filled({"since": observation.since, "share": pairs(observation.share), "warnings": [redact(text) for text in observation.warnings]})
    if not observation.concurrent:
        told |= {"concurrent": False, "moved": observation.moved}
    days = {"earlier": [version(day) for day in observation.earlier]} if observation.earlier else {}
    return {"schema": SCHEMA, "now": now, **told, "baseline": version(observation.baseline), "canary": version(observation.canary), **days}


def _filled(data: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing."""
    return {key: value for key, value in data.items() if value not in (None, [], {})}

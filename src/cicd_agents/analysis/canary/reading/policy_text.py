"""A policy as the text of a policy file, which reads back to the same policy (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from cicd_agents.analysis.canary.defaults import METRICS
from cicd_agents.analysis.canary.observing.own import OwnKind, OwnQuery
from cicd_agents.analysis.canary.reading.policy_keys import KINDS
from cicd_agents.analysis.canary.reading.tolerances import decimal_text, tolerance_texts
from cicd_agents.domain.canary import AtOnce, CanaryPolicy, Kind, Metric, Stage

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./()-]+)*")
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))


def policy_as_text(policy: CanaryPolicy, queries: Sequence[OwnQuery] = ()) -> str:
    """YAML with every key written out, for `guardian policy`."""
    lines = [
        f"strategy: {policy.strategy}", f"alpha: {_percent(policy.alpha)}  # false alarms of all metrics together, over all looks",
        f"step: {_time(policy.step)}", f"warm_up: {_time(policy.warm_up)}", f"hole: {_time(policy.hole)}", f"least_requests: {policy.least_requests}",
        f"objective: {_percent(policy.objective)}", f"earlier_days: {policy.earlier_days}",
    ]  # fmt: skip
    if policy.slo_latency is not None:
        lines.append(f"slo: {_time(policy.slo_latency)}")
    lines += ["stages:", *(line for stage in policy.stages for line in _stage(stage, policy, queries))]
    lines += ["at_once:", *_indented(_at_once(policy.at_once), 2), "metrics:"]
    for metric in policy.metrics:
        lines += [f"  {metric.name}:", *_indented(_metric(metric, queries), 4)]
    known = {metric.name for metric in policy.metrics}
    lines += [f"  {metric.name}: false" for metric in METRICS if metric.name not in known]
    return "\n".join(lines) + "\n"


def _indented(pairs: Iterable[tuple[str, str]], depth: int) -> list[str]:
    return [f"{' ' * depth}{key}: {value}" for key, value in pairs]


def _stage(stage: Stage, policy: CanaryPolicy, queries: Sequence[OwnQuery]) -> list[str]:
    lines = [f"  - share: {_percent(stage.share)}", f"    minutes: {decimal_text(stage.minutes)}", f"    see: {decimal_text(stage.see)}"]
    lines += [f"    inconclusive: {stage.inconclusive}", f"    no_data: {stage.no_data}"]
    known = {metric.name: metric for metric in policy.metrics}
    if stage.tolerances:
        lines.append("    tolerances:")
    for name, tolerance in stage.tolerances:
        lines += [f"      {name}:", *_indented(_quoted(tolerance_texts(known[name], tolerance, level=_level(known[name], queries))), 8)]
    return lines


def _at_once(rules: AtOnce) -> list[tuple[str, str]]:
    return [
        ("error_rate", _percent(rules.error_rate)), ("least_errors", str(rules.least_errors)), ("latency", _time(rules.latency)),
        ("restarts", str(rules.restarts)), ("restart_minutes", decimal_text(rules.restart_minutes)), ("oom_kills", str(rules.oom_kills)),
        ("health", _time(rules.health_seconds)), ("least_checks", str(rules.least_checks)),
    ]  # fmt: skip


def _metric(metric: Metric, queries: Sequence[OwnQuery]) -> list[tuple[str, str]]:
    kind = next(name for name, value in KINDS.items() if value == metric.kind)
    pairs = [("title", _text(metric.title or metric.name)), ("kind", kind), ("direction", str(metric.direction))]
    pairs += [(key, json.dumps(list(names), ensure_ascii=False)) for key, names in (("events", metric.events), ("of", metric.of)) if names]
    if metric.quantile is not None:
        pairs.append(("quantile", decimal_text(metric.quantile)))
    pairs += [("unit", json.dumps(metric.unit)), ("weight", decimal_text(metric.weight))]
    pairs += [(key, "true" if value else "false") for key, value in (("critical", metric.critical), ("required", metric.required), ("dry_run", metric.dry_run))]
    roles = {metric.name: "query", f"{metric.name}.errors": "errors", f"{metric.name}.total": "total"}
    pairs += [(roles[query.name], json.dumps(query.query, ensure_ascii=False)) for query in queries if query.name in roles]
    return pairs + _quoted(tolerance_texts(metric, metric.tolerance, level=_level(metric, queries)))


def _level(metric: Metric, queries: Sequence[OwnQuery]) -> bool:
    return metric.kind is Kind.GAUGE or any(query.name == metric.name and query.kind is OwnKind.VALUE for query in queries)


def _quoted(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(key, json.dumps(text)) for key, text in texts.items()]


def _text(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)


def _percent(share: float) -> str:
    return f"{decimal_text(share, 100)}%"


def _time(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{decimal_text(seconds / size)}{unit}"
    return f"{decimal_text(seconds, 1000)}ms" if 0 < seconds < 1 else f"{decimal_text(seconds)}s"

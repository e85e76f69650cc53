"""From lines to kinds of messages, which of them are critical, and how often each was seen, minute by minute (pure)."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import floor

from cicd_agents.analysis.logs import clean
from cicd_agents.analysis.logs.masking import masked
from cicd_agents.domain.canary import LogTemplate, Observation, Replica, Samples, Version
from cicd_agents.domain.log_counts import LogLine

# Labels of a stream that name the pod.
REPLICAS = ("pod", "pod_name", "kubernetes_pod_name", "k8s_pod_name", "instance", "hostname", "host")
MOST_TEMPLATES = 200
# What stands for "the logs were read and nothing critical is in them".
NOTHING = "no critical message"
# What a server of LogQL looks for; which of the lines are critical is decided here. RE2, as Loki has it.
FILTER = (
    "|~ `(?i)exception|panic|fatal|critical|traceback|out of memory|outofmemory|oom.?kill|allocate memory|segfault|segmentation fault|sigsegv|sigabrt|sigbus"
    "|core dumped|stack ?overflow|deadlock|unhandled|uncaught|alert|emerg|\\werror(:|$)`"
)

# Lines are whatever a service was made to log, so no pattern below goes back over what it has read: repeats are possessive, or bounded.
_CRITICAL = re.compile(
    r"Exception\b|\b(?i:exceptions?)\b|\b(?i:panic(?:ked|king)?)\b|\b(?i:fatal)\b|Traceback \(most recent call last\)|^[\w.$]+Error\b(?::|$)"
    r"|\b(?i:out of memory|outofmemory(?:error)?|cannot allocate memory)\b|\b(?i:oom[-_ ]?kill(?:ed|er|ing)?)\b"
    r"|\b(?i:segfault|segmentation fault|core dumped)\b|\bSIG(?:SEGV|ABRT|BUS|ILL)\b|\b(?i:stackoverflowerror|stack overflow)\b"
    r"|\b(?i:deadlock (?:detected|found))\b|\b(?i:un(?:handled|caught)) (?i:promise )?(?i:rejection|error)\b"
)
# The first of these near the beginning is the line's level.
_LEVEL = re.compile(
    r"""\b(?i:level|lvl|severity|levelname|log\.level)["']?\s*[=:]\s*["']?(\w+)"""
    r"|(?:^|[\s\[|])(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|FATAL|PANIC)(?=[\s\]|:])"
)
_LEVEL_WITHIN = 160
_HARMLESS_LEVELS = frozenset({"trace", "debug", "info", "notice", "information", "verbose"})
_CRITICAL_LEVELS = frozenset({"critical", "crit", "fatal", "panic", "alert", "emerg", "emergency"})
# A mention is no event: addresses, requests, paths, counters that stand at nothing, and sentences that deny it.
_MENTIONS = re.compile(
    r"[a-zA-Z][a-zA-Z0-9+.-]{0,20}+://\S+|\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S+(?: HTTP/[0-9.]+)?|(?<![\w.])/[\w.%~?&=+/-]+"
    r"|(?i:exception|panic|fatal|oom|deadlock|critical|error)[\w.-]{0,100}+[\"']?\s*+[=:]\s*+[\"']?(?i:0+(?:\.0+)?|false|none|null|nil|no|off|\[\]|\{\})(?![\w.])"
    r"|\b(?i:no|0|zero|without|any|non) (?:[\w-]+ )?(?i:exceptions?|panics?|fatal(?: \w+)?|critical \w+|deadlocks?)\b|\bnon-?fatal\b"
)
# Further lines of a message that was counted already.
_CONTINUED = re.compile(
    r"Traceback \(most recent call last\):\s*$|\s+at |\s*\.\.\. \d+ (?:more|common frames)|\s*(?:Caused by|Suppressed):|\s+File \"|\s{2,}\S"
)
_VARYING = (
    (re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,20}+://\S+"), "<url>"),
    (re.compile(r"[\w.+-]{1,64}+@[\w-]++\.[\w.-]+"), "<mail>"),
    (re.compile(r'"[^"]{1,300}"|\'[^\']{1,300}\''), "<text>"),
    (re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])\w{6,}\b"), "<id>"),
)
_FIELDS = ("message", "msg", "error", "err", "exception", "event")
_LEVEL_FIELDS = ("level", "severity", "lvl", "log.level", "levelname")


def is_critical(text: str) -> bool:
    """Whether a line tells of an exception, a panic, memory that ran out or the like. What is logged as information is not critical."""
    if _CONTINUED.match(text):
        return False
    found = _LEVEL.search(text[:_LEVEL_WITHIN])
    level = (found[1] or found[2]).lower() if found else ""
    if level in _HARMLESS_LEVELS:
        return False
    return level in _CRITICAL_LEVELS or bool(_CRITICAL.search(_MENTIONS.sub(" ", text)))


def message_of(line: str) -> str:
    """What a line says, without its stamp; of a JSON line its level and its message."""
    text = clean.visible(line.encode(errors="replace")).decode(errors="replace")
    if not text.startswith("{"):
        return text
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(fields, dict):
        return text
    level = next((f"level={fields[name]} " for name in _LEVEL_FIELDS if isinstance(fields.get(name), str)), "")
    said = [str(fields[name])[:2000] for name in _FIELDS if isinstance(fields.get(name), str | int | float)]
    return level + " ".join(said) if said else text


def template_of(message: str) -> str:
    """The message without what changes from one time to the next."""
    for shape, name in _VARYING:
        message = shape.sub(name, message)
    return masked(message.encode(errors="replace")).decode(errors="replace")


def templates_of(
    lines: Iterable[LogLine], start: float, end: float, redact: Callable[[str], str], *, step: float = 60.0, critical: bool = True, least: int = 1
) -> dict[str, tuple[LogTemplate, ...]]:  # fmt: skip
    """For each replica the kinds of messages with their counters over a grid of steps from `start` to `end`.

    `critical`: only those that are. Kinds seen fewer than `least` times are left out, and of many the rarer ones. `redact` hides secrets: it is given every
    message before it becomes a template.
    """
    kinds: dict[str, str] = {}
    seen: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for line in lines:
        message = message_of(line.text)
        if not start <= line.time < end or (critical and not is_critical(message)) or not message.strip():
            continue
        key = template_of(message)
        if key not in kinds:
            kinds[key] = template_of(redact(message))
        seen[replica_of(line.labels), kinds[key]][floor((line.time - start) / step)] += 1
    totals: Counter[str] = Counter()
    for (_, template), minutes in seen.items():
        totals[template] += minutes.total()
    kept = {template for template, number in totals.most_common(MOST_TEMPLATES) if number >= least}
    found: dict[str, list[LogTemplate]] = defaultdict(list)
    for (replica, template), minutes in sorted(seen.items()):
        if template in kept:
            found[replica].append(LogTemplate(template, _counter(minutes, start, end, step), critical))
    return {replica: tuple(templates) for replica, templates in found.items()}


def replica_of(labels: Mapping[str, str]) -> str:
    """The pod of a stream; "all" where no label names it."""
    return next((labels[name] for name in REPLICAS if labels.get(name)), "all")


def with_logs(
    observation: Observation, canary: Mapping[str, Sequence[LogTemplate]], baseline: Mapping[str, Sequence[LogTemplate]]
) -> Observation:  # fmt: skip
    """The observation with log counters on its replicas; a replica that only logs is added."""
    return replace(observation, canary=_with(observation.canary, canary), baseline=_with(observation.baseline, baseline))


def _with(version: Version, logs: Mapping[str, Sequence[LogTemplate]]) -> Version:
    known = {replica.name: replica for replica in version.replicas}
    for name, templates in logs.items():
        replica = known.get(name, Replica(name))
        known[name] = replace(replica, logs=(*replica.logs, *templates))
    return replace(version, replicas=tuple(known.values()))


def nothing(start: float, end: float) -> LogTemplate:
    """A critical counter that stands at 0: logs were read, and nothing critical was found."""
    return LogTemplate(NOTHING, ((start, 0.0), (end, 0.0)), critical=True)


def _counter(minutes: Mapping[int, int], start: float, end: float, step: float) -> Samples:
    """A cumulative counter with a sample at both ends of every step in which something was counted."""
    total, samples = 0.0, {start: 0.0}
    for minute in sorted(minutes):
        samples.setdefault(start + minute * step, total)
        total += minutes[minute]
        samples[min(end, start + (minute + 1) * step)] = total
    return tuple(sorted(samples.items()))

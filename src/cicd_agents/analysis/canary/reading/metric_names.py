"""Which metric of the policy a name means that a person wrote: `5xx`, `latency p95`, `RAM` (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from cicd_agents.domain.canary import CanaryPolicy, Metric

# Other names of the metrics of the default policy, as words in lower case.
SYNONYMS = {
    "error_rate": ("error rate", "errors", "error", "error ratio", "5xx", "5xx rate", "5xx errors", "5xx error rate", "http 5xx", "server errors",
                   "server error rate", "http errors", "http error rate", "failure rate", "failed requests", "request error rate", "err rate"),
    "client_error_rate": ("client error rate", "client errors", "4xx", "4xx rate", "4xx errors", "4xx error rate", "http 4xx"),
    "cpu": ("cpu", "cpu usage", "cpu utilization", "cpu utilisation", "cpu load", "processor"),
    "memory": ("memory", "mem", "ram", "memory usage", "mem usage", "ram usage", "memory utilization", "memory utilisation"),
    "connections": ("connections", "active connections", "open connections", "connection count", "db connections"),
    "critical_logs": ("critical logs", "critical log messages", "critical errors", "exceptions", "exceptions in logs"),
    "conversion": ("conversion", "conversion rate", "conversions"),
    "payment_success": ("payment success", "payment success rate", "payments", "payment rate", "successful payments"),
    "cart_abandonment": ("cart abandonment", "cart abandonment rate", "abandonment", "abandoned carts"),
    "engagement": ("engagement", "engagement rate", "user engagement"),
}  # fmt: skip
_QUANTILE_WORDS = ("latency", "latencies", "response time", "response", "duration", "request duration", "request latency", "resp time", "delay", "")
# What often stands beside the numbers and is no metric of the default policy: kept as a point, which the judgement names as left out.
ASIDE = {
    "traffic": ("throughput", "traffic", "requests", "request rate", "rps", "qps", "req/s", "request volume", "requests per second"),
    "health_checks": ("health", "health check", "health checks", "healthcheck", "healthchecks", "liveness", "readiness"),
    "uptime": ("uptime", "availability"),
    # What a single value can tell of the rules that do not wait (analysis.canary.points).
    "oom_kills": ("oom kills", "oom kill", "oomkills", "oomkilled", "oom killed", "oom", "ooms", "out of memory kills", "memory kills"),
    "restarts": ("restarts", "restart", "pod restarts", "container restarts", "restart count", "crash loops", "crashes"),
    "health_failures": ("health check failures", "healthcheck failures", "health failures", "failed health checks", "failing health checks",
                        "consecutive health check failures", "consecutive health failures", "consecutive failures"),
    "critical_messages": ("panics", "panic", "fatal errors", "new exceptions", "new critical errors", "unhandled exceptions"),
    "minutes": ("duration", "elapsed", "elapsed time", "observed for", "watched for"),
    "success_rate": ("success rate", "success ratio", "request success rate", "http success rate", "successful requests"),
}  # fmt: skip
# What says where we are; it is not about the versions' behaviour.
CONTEXT = frozenset((
    "stage", "duration", "version", "deployment", "service", "environment", "strategy", "traffic share", "canary traffic", "share", "weight", "canary weight",
    "canary", "baseline", "replicas", "namespace", "date", "time", "window", "canary version", "baseline version", "cluster", "region", "elapsed", "step",
))  # fmt: skip


def words_of(name: str) -> str:
    """A name as words in lower case: `errorRate`, `error_rate` and `Error-Rate` are the same."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.sub(r"[_\-\s]+", " ", re.sub(r"[*`'\"()\[\]]", "", name)).lower().split())


def _quantile_names(percent: str) -> list[str]:
    short = [f"p{percent}", f"{percent}th percentile", f"{percent}th", f"percentile {percent}", f"q{percent}", f"0.{percent} quantile"]
    if percent == "50":
        short += ["median"]
    both = [(f"{mark} {word}".strip(), f"{word} {mark}".strip()) for mark in short for word in _QUANTILE_WORDS]
    return [name for pair in both for name in pair]


def _names_of(metric: Metric) -> Iterable[str]:
    yield words_of(metric.name)
    yield words_of(metric.title or metric.name)
    yield from SYNONYMS.get(metric.name, ())
    if found := re.fullmatch(r"latency_p(\d{2})", metric.name):
        yield from _quantile_names(found[1])


@dataclass(frozen=True, slots=True)
class MetricNames:
    """All names that a policy's metrics go by."""

    known: dict[str, Metric]
    titles: tuple[str, ...]

    @staticmethod
    def of(policy: CanaryPolicy) -> MetricNames:
        """The names of a policy; its own names and titles go before the common synonyms."""
        known: dict[str, Metric] = {}
        for metric in policy.metrics:
            for name in _names_of(metric):
                known.setdefault(name, metric)
        known |= {words_of(metric.name): metric for metric in policy.metrics}
        return MetricNames(known, tuple(metric.name for metric in policy.metrics))

    def find(self, name: str) -> Metric | str | None:
        """The metric; the name of something that is kept aside; None for what nobody knows."""
        words = words_of(name)
        for form in (words, re.sub(r"^(the |average |avg |mean |current |http |api )+", "", words), re.sub(r"( usage| value| rate)$", "", words)):
            if form in self.known:
                return self.known[form]
        return next((aside for aside, names in ASIDE.items() if words == aside or words in names), None)

    def leading(self, text: str) -> tuple[str, str] | None:
        """The longest known name that a text begins with, and the rest after it; for lines without a colon."""
        words = re.split(r"(\s+)", text)
        for count in range(min(len(words), 13), 0, -1):
            name = "".join(words[:count])
            if name.strip() and (self.find(name) is not None):
                return name, "".join(words[count:])
        return None

    def unknown(self, name: str) -> str:
        """What to say of a name that nobody knows: what was probably meant, and what there is."""
        close = get_close_matches(words_of(name), list(self.known), 1, 0.75)
        meant = f" (did you mean {self.known[close[0]].name}?)" if close else ""
        return f"{name.strip()[:60]!r} is no metric of the policy{meant}; it has {', '.join(self.titles)}"

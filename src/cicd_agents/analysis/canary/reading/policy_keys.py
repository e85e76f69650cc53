"""Every key of a canary policy file, once: what it takes and what it means. Reader, JSON Schema and docs follow from this table (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """How a value is written."""

    DURATION = "duration"  # 3m, 90s, 500ms
    MINUTES = "minutes"  # 5, or a duration
    SHARE = "share"  # 5%, or 0.05
    COUNT = "count"  # a whole number from 1
    WHOLE = "whole"  # a whole number from 0
    NUMBER = "number"  # a number from 0
    FLAG = "flag"
    TEXT = "text"
    QUERY = "query"
    CHOICE = "choice"
    NAMES = "names"  # a list of names, or one name
    QUANTILE = "quantile"  # 0.95, 95% or P95
    TOLERANCE = "tolerance"  # 1.2x, +0.1pp, -10%, 80%
    SECTION = "section"  # a mapping or list of its own


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `field` is the name in domain.canary where it differs; `choices` are all that a choice takes."""

    name: str
    form: Form
    help: str
    choices: tuple[str, ...] = ()
    field: str = ""

    @property
    def target(self) -> str:
        """The name in domain.canary."""
        return self.field or self.name


DECISIONS = ("hold", "promote", "rollback")
# What people may write for the kind of a metric, and what domain.canary calls it.
KINDS = {"ratio": "count-ratio", "count-ratio": "count-ratio", "quantile": "quantile", "gauge": "gauge", "business": "business", "logs": "logs"}
UNITS = ("%", "s", "percent", "")

POLICY = (
    Key("strategy", Form.CHOICE, "How the new version takes over; the stages follow from it where none are given.", ("canary", "blue-green", "rolling", "a-b")),
    Key("stages", Form.SECTION, "The stages, in order."),
    Key("metrics", Form.SECTION, "Changes to the metrics of the default policy, by name, and metrics of your own; false leaves one out."),
    Key("alpha", Form.SHARE, "The false-alarm budget of all metrics together, over all looks."),
    Key("step", Form.DURATION, "The length of a step that is compared."),
    Key("warm_up", Form.DURATION, "So much of each pod's life is not compared."),
    Key("hole", Form.DURATION, "The longest gap between samples that is still bridged."),
    Key("at_once", Form.SECTION, "The rules that do not wait."),
    Key("slo", Form.DURATION, "The latency of your service level objective: the bucket bound next to it is tested too.", field="slo_latency"),
    Key("least_requests", Form.COUNT, "With fewer requests of the canary nothing passes."),
    Key(
        "objective", Form.SHARE,
        "The part of the requests that should have no server error, 94% to 99.999%: where no baseline is left its budget must not burn 14.4 times too fast.",
    ),
    Key("earlier_days", Form.WHOLE, "Where no baseline is left: of how many days before the same time is looked at, at most 28; 0 for none."),
)  # fmt: skip
STAGE = (
    Key("share", Form.SHARE, "The canary's part of the traffic."),
    Key("minutes", Form.MINUTES, "The least time in this stage, in minutes."),
    Key("inconclusive", Form.CHOICE, "What to do at the stage's end when nothing can be told.", DECISIONS),
    Key("no_data", Form.CHOICE, "What to do without data: only hold, since what cannot be seen is neither promoted nor rolled back.", ("hold",)),
    Key("see", Form.NUMBER, "How many times more than usual may stay unseen in this stage; 4 at a few percent of the traffic."),
    Key("tolerances", Form.SECTION, "Tolerances of this stage alone, by metric: harmless, go, stop, see."),
)
METRIC = (
    Key("enabled", Form.FLAG, "false leaves the metric out."),
    Key("title", Form.TEXT, "The name in reports."),
    Key("kind", Form.CHOICE, "How it is tested; needed for a metric of your own.", tuple(KINDS)),
    Key("direction", Form.CHOICE, "Which way is worse.", ("increase", "decrease")),
    Key("events", Form.NAMES, "The counters that count: beginnings of outcome classes (5 is every 5xx), or names of counters."),
    Key("of", Form.NAMES, "The counters of all; without it all requests."),
    Key("quantile", Form.QUANTILE, "Which quantile of the latency."),
    Key("unit", Form.CHOICE, "What its numbers are: % of a fraction, s, percent (0 to 100), or nothing.", UNITS),
    Key("weight", Form.NUMBER, "Its share of the false-alarm budget and of the score."),
    Key("critical", Form.FLAG, "Failing it rolls back; otherwise it holds."),
    Key("required", Form.FLAG, "Without it there is no PASS."),
    Key("dry_run", Form.FLAG, "It is judged and shown, and decides nothing."),
    Key("query", Form.QUERY, "PromQL of its value, one series for each version; {selector} and {matchers} stand for the version."),
    Key("errors", Form.QUERY, "The raw counter of what went wrong, such as failed_total{selector}; with total."),
    Key("total", Form.QUERY, "The raw counter of all; with errors."),
)
TOLERANCE = (
    Key("harmless", Form.TOLERANCE, "So much worse is never counted as evidence."),
    Key("go", Form.TOLERANCE, "The GO limit: up to it nothing fails."),
    Key("stop", Form.TOLERANCE, "The NO-GO limit: a PASS must rule it out."),
    Key("see", Form.TOLERANCE, "Where the baseline is small, the addition that a PASS must rule out instead."),
)
AT_ONCE = (
    Key("error_rate", Form.SHARE, "More than this part of errors in two minutes."),
    Key("least_errors", Form.COUNT, "With at least so many errors in each of them."),
    Key("latency", Form.DURATION, "P99 beyond this."),
    Key("restarts", Form.COUNT, "So many restarts of one pod are a crash loop."),
    Key("restart_minutes", Form.MINUTES, "Within so many minutes."),
    Key("oom_kills", Form.COUNT, "So many kills by memory of the canary's pods."),
    Key("health", Form.DURATION, "Health failing for so long without a break.", field="health_seconds"),
    Key("least_checks", Form.COUNT, "Over at least so many checks."),
)

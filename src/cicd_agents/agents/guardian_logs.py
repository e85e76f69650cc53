"""The guardian's eyes on logs: critical messages of both versions, counted, and kinds of messages that only the new version writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cicd_agents.analysis.canary.observing.log_templates import FILTER, nothing, templates_of, with_logs
from cicd_agents.domain.canary import LogTemplate, Observation, Version
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.guardian import MessageCount
from cicd_agents.domain.log_counts import LogCounts, LogLines

__all__ = ["LogsAsk", "LogsSeen", "gather_logs", "message_counts"]

Redact = Callable[[str], str]
# A kind of message of the sample that came less often is chance.
LEAST_NEW = 3
_MOST_KINDS = 40


@dataclass(frozen=True, slots=True)
class LogsAsk:
    """Which lines to read: log queries (LogQL) of both versions, from `start` to `now`. `shift`: the baseline's so many seconds earlier.

    Critical lines are read over the whole window, at most `most_lines` and `most_bytes` for each version; of all lines the last `sample_lines` of the last
    `sample_seconds`, to see which kinds of messages are new. The canary's lines of before `since` are not its own.
    """

    canary: str
    baseline: str
    start: float
    now: float
    shift: float = 0.0
    step: float = 60.0
    most_lines: int = 20_000
    most_bytes: int = 16 << 20
    sample_lines: int = 5_000
    sample_seconds: float = 900.0
    since: float | None = None

    @property
    def begins(self) -> tuple[float, float]:
        """When each version's window begins, both on the canary's time."""
        return max(self.start, self.since if self.since is not None else self.start), self.start


@dataclass(frozen=True, slots=True)
class LogsSeen:
    """Kinds of messages with their counters, by replica. `warnings` say what was not seen; then the logs of both versions are left out.

    `unanswered`: why the store told nothing, empty where it did. A version without a line may be a quiet one, a store that does not answer says nothing.
    """

    canary: Mapping[str, tuple[LogTemplate, ...]] = field(default_factory=dict)
    baseline: Mapping[str, tuple[LogTemplate, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unanswered: str = ""

    def on(self, observation: Observation) -> Observation:
        """The observation with these logs."""
        return with_logs(observation, self.canary, self.baseline)


def gather_logs(store: LogCounts, ask: LogsAsk, redact: Redact) -> LogsSeen:
    """The critical messages and new kinds of messages of both versions. `redact` hides secrets in what is kept.

    A version without any line at all is said, and then neither is counted: a query that matches nothing looks like a healthy service.
    Raises UsageError for what is no log query. Where the store does not answer, that is a warning.
    """
    for name, query in (("canary-logs", ask.canary), ("baseline-logs", ask.baseline)):
        if not query.lstrip().startswith("{"):
            raise UsageError(f'{name}: a log query begins with labels in braces, such as {{app="api", pod=~"api-7d9f-.*"}}; this is none: {query[:80]!r}')
    try:
        samples = [_sample(store, ask, *each) for each in _sides(ask)]
        empty = [side for side, lines in zip(("canary", "baseline"), samples, strict=True) if not lines.lines]
        if empty:
            return LogsSeen(warnings=tuple(f"{side}: no line of its log query was found, so critical messages cannot be seen" for side in empty))
        critical = [_critical(store, ask, *each) for each in _sides(ask)]
    except ServiceError as problem:
        return LogsSeen(warnings=(f"Logs were not read: {problem}",), unanswered=f"Logs were not read: {problem}")
    mine, other = ask.begins
    whole = critical[0].complete_from <= mine and critical[1].complete_from + ask.shift <= other
    begin = other if whole else max(critical[0].complete_from, critical[1].complete_from + ask.shift)
    notes = () if whole else (f"of the critical lines only those of the last {(ask.now - begin) / 60:.0f} minutes are counted: there are too many",)
    sides = [_counted(critical[0], ask, max(begin, mine), 0.0, redact), _counted(critical[1], ask, begin, ask.shift, redact)]
    return LogsSeen(_joined(sides[0], _new(samples, ask, redact)), sides[1], notes)


def _sides(ask: LogsAsk) -> tuple[tuple[str, float, float], ...]:
    """The query of each version, when its window begins on the canary's time, and how much earlier it is asked for."""
    return (ask.canary, ask.begins[0], 0.0), (ask.baseline, ask.begins[1], ask.shift)


def _sample(store: LogCounts, ask: LogsAsk, query: str, start: float, shift: float) -> LogLines:
    begin = max(start, ask.now - ask.sample_seconds) - shift
    return store.lines(query, begin, ask.now - shift, most_lines=ask.sample_lines, most_bytes=ask.most_bytes)


def _critical(store: LogCounts, ask: LogsAsk, query: str, start: float, shift: float) -> LogLines:
    return store.lines(f"{query.rstrip()} {FILTER}", start - shift, ask.now - shift, most_lines=ask.most_lines, most_bytes=ask.most_bytes)


def _counted(lines: LogLines, ask: LogsAsk, begin: float, shift: float, redact: Redact) -> dict[str, tuple[LogTemplate, ...]]:
    """The critical messages by replica, on the canary's time; the counter that stands at 0 where there are none."""
    moved = templates_of(lines.lines, begin - shift, ask.now - shift, redact, step=ask.step)
    found = {replica: tuple(_shifted(template, shift) for template in templates) for replica, templates in moved.items()}
    return found or {"all": (nothing(begin, ask.now),)}


def _shifted(template: LogTemplate, seconds: float) -> LogTemplate:
    return LogTemplate(template.template, tuple((time + seconds, value) for time, value in template.samples), template.critical)


def _new(samples: list[LogLines], ask: LogsAsk, redact: Redact) -> dict[str, tuple[LogTemplate, ...]]:
    """Kinds of messages in the canary's sample that the baseline's does not have; critical ones are counted already."""
    begin = max(ask.start, ask.now - ask.sample_seconds)
    mine = templates_of(samples[0].lines, begin, ask.now, redact, step=ask.step, critical=False, least=LEAST_NEW)
    other = templates_of(samples[1].lines, begin - ask.shift, ask.now - ask.shift, redact, step=ask.step, critical=False)
    known = {template.template for templates in other.values() for template in templates}
    critical = templates_of(samples[0].lines, begin, ask.now, redact, step=ask.step)
    known |= {template.template for templates in critical.values() for template in templates}
    found = {replica: tuple(item for item in templates if item.template not in known) for replica, templates in mine.items()}
    return {replica: templates for replica, templates in found.items() if templates}


def _joined(first: Mapping[str, tuple[LogTemplate, ...]], second: Mapping[str, tuple[LogTemplate, ...]]) -> dict[str, tuple[LogTemplate, ...]]:
    return {replica: (*first.get(replica, ()), *second.get(replica, ())) for replica in dict.fromkeys((*first, *second))}


def message_counts(observation: Observation) -> tuple[MessageCount, ...]:
    """The kinds of messages of both versions, those first that are critical and more frequent in the new one."""
    sides = [_totals(version) for version in (observation.canary, observation.baseline)]
    critical = {log.template for version in (observation.canary, observation.baseline) for replica in version.replicas for log in replica.logs if log.critical}
    found = [MessageCount(kind, sides[0].get(kind, 0.0), sides[1].get(kind, 0.0), kind in critical) for kind in sides[0].keys() | sides[1].keys()]
    found = [one for one in found if one.canary or one.baseline]
    return tuple(sorted(found, key=lambda one: (not one.critical, one.baseline - one.canary, one.message))[:_MOST_KINDS])


def _totals(version: Version) -> Counter[str]:
    totals = Counter[str]()
    for replica in version.replicas:
        for log in replica.logs:
            totals[log.template] += round(max((value for _, value in log.samples), default=0.0))  # the counters begin with the window
    return totals

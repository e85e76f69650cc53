"""What a model is shown of a judged deployment: the question in our words, and what the judgement rests on, redacted and bounded (pure).

The same evidence gives the same dossier: numbers are rounded, times are minutes after the deployment, and nothing of the run stands in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from math import isfinite

from cicd_agents.agents.dossier_shelf import Shelf
from cicd_agents.domain.advice import Archive, Candidate, Dossier, DossierKind
from cicd_agents.domain.canary import Decision, Samples, Status
from cicd_agents.domain.guardian import Chart, GuardianDetails, MessageCount, MetricRow, QueryRecord
from cicd_agents.domain.redaction import Redactor
from cicd_agents.report.guardian_numbers import delta_text, limit_text, number, share_text, value_text

_MOST_CANDIDATES = 6
_MOST_ROWS, _MOST_LINES = 60, 260
# What is shown at first of a curve that is nobody's candidate; the rest can be asked for.
_FEW = 12
_READ = (
    "Say in the narrative what the numbers tell together: which metrics moved, by how much, since which minute after the deployment, and what they have in "
    "common. Say in `next` what to look at next, in order, and what each would show."
)
_QUESTIONS = {
    Decision.ROLLBACK: "A new version of a service was compared with the old one, and the engine decided to take it back. " + _READ,
    Decision.HOLD: (
        "A new version of a service was compared with the old one, and the engine cannot decide yet. Say in the narrative what is missing, and why it could "
        "not be told or seen: too little traffic, too short a time, noise, or metrics that are not there. Say in `next` what would settle it, in order."
    ),
    Decision.PROMOTE: (
        "A new version of a service was compared with the old one, and the engine found nothing that speaks against it: the verdict is a pass. Is there "
        "anything in the evidence that a person should look at before it gets more traffic? If there is, and only then, say it as a concern with its "
        "citation: it holds the new version until a person has looked. What lies within its limit and its usual noise is no concern."
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judgment:
    """What is to be explained: the report's details, kinds of log messages, what the engine noted, and the deployments before this one in sentences.

    `since` is when the new version began to serve; None: with its first sample.
    """

    agent: str
    details: GuardianDetails
    messages: tuple[MessageCount, ...] = ()
    notes: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    since: float | None = None


def dossier_of(judged: Judgment, redactor: Redactor) -> tuple[Dossier, Archive] | None:
    """The dossier, and where its items can be read on; None where nothing was measured, so that there is nothing to be explained."""
    details = judged.details
    if not details.metrics and not details.alarms:
        return None
    shelf = Shelf(redactor, _NoLogs())
    chosen = _candidates(details)
    _fill(shelf, judged, {candidate.id for candidate in chosen})
    named = tuple(Candidate(shelf.name(one.id), shelf.name(one.title, 160), one.item, one.line) for one in chosen)
    return Dossier(judged.agent, _QUESTIONS[details.decision], _verdict(details), tuple(shelf.items), named), shelf


class _NoLogs:
    """No log is kept: kinds of messages are all that is gathered of them."""

    def lines(self, _name: str, _first: int, _last: int) -> tuple[str, ...] | None:
        return None

    def count(self, _name: str) -> int | None:
        return None


def _verdict(details: GuardianDetails) -> str:
    """The verdict in words of ours alone."""
    stage = f"stage {details.stage} of {details.stages} at {share_text(details.share)} of the traffic"
    return f"{details.decision}; status {details.status}, {stage}, risk {number(details.risk_score, 2)} of 1"


# Candidates


def _candidates(details: GuardianDetails) -> list[Candidate]:
    """The alarms and the failed metrics; where there are none, those that are least certain. Each names its line in its table."""
    found = [Candidate(f"at-once.{alarm.rule}", alarm.reason, "table:alarms", line) for line, alarm in enumerate(details.alarms, 1)]
    rows = list(enumerate(details.metrics[:_MOST_ROWS], 2))  # line 1 names the columns
    failed = [(line, row) for line, row in rows if row.status is Status.FAIL and not row.dry_run]
    if not found and not failed:
        failed = sorted(rows, key=lambda pair: _certainty(pair[1]))
    found += [Candidate(row.name, row.reason or row.title, "table:metrics", line) for line, row in failed]
    return found[:_MOST_CANDIDATES]


def _certainty(row: MetricRow) -> tuple[bool, int, float]:
    """What counts and could not be told comes first, then what could not be seen, then what passed with the most evidence against it."""
    order = {Status.INCONCLUSIVE: 0, Status.FAIL: 1, Status.NO_DATA: 1 if row.required else 3, Status.PASS: 2}
    return row.dry_run, order[row.status], 1.0 if row.p_value is None or not isfinite(row.p_value) else row.p_value


# Items


def _fill(shelf: Shelf, judged: Judgment, chosen: Set[str]) -> None:
    details = judged.details
    begin = _began(judged)

    def add(kind: DossierKind, name: str, title: str, lines: Iterable[str], most: int = _MOST_LINES) -> None:
        # Each text on its own first: on one line the secrets of several lines are not known again.
        flat = [" ".join(shelf.redactor.redact(line).text.split()) for line in islice(lines, _MOST_LINES)]
        if flat:
            shelf.add(kind, name, title, flat, shown=slice(0, most))

    add(DossierKind.TABLE, "deployment", "what was judged, and how", _deployment(details))
    add(DossierKind.TABLE, "alarms", "rules that fire at once", (f"{alarm.rule} | {alarm.reason}" for alarm in details.alarms))
    add(DossierKind.TABLE, "metrics", "metrics of the new version beside the old one", _metrics(details))
    for chart in details.charts:
        add(DossierKind.METRIC, chart.name, f"{chart.title} over time", _curve(chart, begin), _MOST_LINES if chart.name in chosen else _FEW)
    add(DossierKind.LOG, "messages", "kinds of log messages, digits and names replaced", _messages(judged.messages))
    add(DossierKind.TABLE, "seen", "what was left out, and what this traffic can show", (*details.exclusions, *details.foresight, *judged.notes))
    add(DossierKind.TABLE, "next-stage", "numbers that would take the next stage back", (trigger.text for trigger in details.triggers_next_stage))
    terms = (f"{term.name} | {number(term.value)} | weight {number(term.weight)}" for term in details.risk_terms)
    add(DossierKind.TABLE, "risk", "terms of the risk score", terms)
    add(DossierKind.TABLE, "timeline", "what happened", (f"{_minute(entry.time, begin)} | {entry.text}" for entry in details.timeline))
    add(DossierKind.TABLE, "queries", "what the metrics were asked", (_query(record) for record in details.queries))
    add(DossierKind.PAST, "deployments", "how the deployments before went", judged.earlier)


def _deployment(details: GuardianDetails) -> Iterator[str]:
    yield f"decision | {details.decision}: {details.reason}"
    yield f"service | {details.service}"
    yield f"environment | {details.environment or 'not told'}"
    yield f"new version | {details.canary_version or 'not told'}"
    yield f"old version | {details.baseline_version or 'not told'}"
    yield f"strategy | {details.strategy}, stage {details.stage} of {details.stages}, {share_text(details.share)} of the traffic"
    yield f"minutes | the new version has served for {details.minutes:.0f}, the stage takes {details.stage_minutes:.0f}"
    yield f"judge | {details.judge}, false alarms at most {number(100 * details.alpha, 2)} %"
    if details.weaker:
        yield "evidence | weaker than usual: of another time, of single values, or partial"
    if details.needed_requests is not None:
        yield f"needed | about {details.needed_requests:,} more requests to the new version"
    if details.needed_minutes is not None:
        yield f"needed | about {details.needed_minutes:.0f} more minutes"


def _metrics(details: GuardianDetails) -> Iterator[str]:
    if details.metrics:
        yield "metric | title | status | new | old | delta | limit | p-value | evidence | reason"
    for row in details.metrics[:_MOST_ROWS]:
        numbers = (value_text(row.canary, row.unit), value_text(row.baseline, row.unit), delta_text(row), limit_text(row))
        p_value = "–" if row.p_value is None else number(row.p_value, 2)
        yield " | ".join((row.name, row.title, f"{row.status}{_marks(row)}", *numbers, p_value, row.evidence or "–", row.reason))


def _marks(row: MetricRow) -> str:
    told = (("required", row.required), ("not critical", not row.critical), ("dry run", row.dry_run), ("weaker", row.weaker))
    marks = ", ".join(word for word, true in told if true)
    return f" ({marks})" if marks else ""


def _curve(chart: Chart, begin: float | None) -> Iterator[str]:
    limit = "" if chart.limit is None else f"; limit {value_text(chart.limit, chart.unit)}"
    yield f"minute after the deployment | new | old{limit}"
    new, old = _by_minute(chart.canary, begin), _by_minute(chart.baseline, begin)
    for minute in sorted(new.keys() | old.keys()):
        yield f"{minute} | {value_text(new.get(minute), chart.unit)} | {value_text(old.get(minute), chart.unit)}"


def _by_minute(samples: Samples, begin: float | None) -> dict[int, float]:
    return {round((time - (begin or 0.0)) / 60): value for time, value in samples if isfinite(time) and isfinite(value)}


def _messages(messages: Sequence[MessageCount]) -> Iterator[str]:
    if messages:
        yield "times in the new version | times in the old one | kind | message"
    for one in sorted(messages, key=lambda one: (not one.critical, one.baseline > 0, -one.canary, one.message)):
        yield f"{one.canary:,.0f} | {one.baseline:,.0f} | {'critical' if one.critical else 'other'} | {one.message}"


def _query(record: QueryRecord) -> str:
    value = "" if record.value is None else f", newest value {number(record.value, 4)}"
    warning = f" (partial: {record.warning})" if record.warning else ""
    return f"{record.metric} | {record.side} | {record.series:,} series, {record.samples:,} samples{value}{warning} | {record.query}"


def _began(judged: Judgment) -> float | None:
    """What times are told after."""
    if judged.since is not None:
        return judged.since
    times = [time for chart in judged.details.charts for time, _ in chart.canary]
    return min(times, default=None)


def _minute(time: float, begin: float | None) -> str:
    return "–" if begin is None else f"minute {round((time - begin) / 60)}"

"""The words that all forms of the guardian's report share; nothing here is escaped.

That something cannot be seen, or not yet be told, has words of its own: neither is good, neither is bad.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cicd_agents.domain.canary import Decision, Status, Strategy
from cicd_agents.domain.finding import Finding
from cicd_agents.domain.guardian import GuardianDetails, MetricRow
from cicd_agents.domain.operation import REACHED, Operation, OperationStatus
from cicd_agents.report.document import GuardianReport
from cicd_agents.report.guardian_numbers import delta_text, limit_text, minutes_text, number, share_text, value_text
from cicd_agents.report.wording import STATUSES, sentence

NAME = "Deployment-guardian"
EMBLEM = "🛡️"
ICONS = {Status.PASS: "✅", Status.FAIL: "❌", Status.INCONCLUSIVE: "⏳", Status.NO_DATA: "🔇"}
STATUS_WORDS = {Status.PASS: "within limit", Status.FAIL: "worse", Status.INCONCLUSIVE: "cannot tell yet", Status.NO_DATA: "cannot see"}
FIX_KINDS = {"quick": "Now", "lasting": "Lasting fix", "prevention": "Prevention"}
_MEANING = {
    Status.INCONCLUSIVE: "Neither good nor bad is proven yet.",
    Status.NO_DATA: "That says nothing of the new version, good or bad: look at where its metrics come from.",
}
_SIDES = {Strategy.BLUE_GREEN.value: ("blue", "green"), Strategy.ROLLING.value: ("old", "new"), Strategy.AB.value: ("A", "B")}
_STRATEGIES = {Strategy.BLUE_GREEN.value: "blue/green", Strategy.ROLLING.value: "rolling update", Strategy.AB.value: "A/B test"}
_MOST_DECIDING = 4


def verdict_word(details: GuardianDetails) -> str:
    """GO, NO-GO or HOLD; the last two with their cause where that is not that something is worse."""
    if details.decision is Decision.ROLLBACK or details.status is Status.FAIL:
        return "NO-GO"
    word = "GO" if details.decision is Decision.PROMOTE else "HOLD"
    return word if details.status is Status.PASS else f"{word} ({STATUS_WORDS[details.status]})"


def decision_words(details: GuardianDetails) -> str:
    """What to do, in the words that people know."""
    if details.decision is Decision.PROMOTE:
        return "PROCEED TO NEXT STAGE" if details.stage < details.stages else "PROCEED: KEEP THE NEW VERSION"
    return {Decision.HOLD: "HOLD", Decision.ROLLBACK: "ROLLBACK"}[details.decision]


def sides(details: GuardianDetails) -> tuple[str, str]:
    """What the old and the new version are called under this strategy."""
    return _SIDES.get(details.strategy, ("baseline", "canary"))


def stage_text(details: GuardianDetails) -> str:
    """Where the deployment stands: stage 2 of 4, 25 % of the traffic."""
    share = f"{share_text(details.share)} of the traffic"
    noun = "batch" if details.strategy == Strategy.ROLLING else "stage"
    if details.strategy == Strategy.BLUE_GREEN:
        share = f"after the switch, {share}" if details.share > 0 else "before the switch, no traffic of users"
    elif details.strategy == Strategy.AB:
        share += " to B"
    return f"{noun} {details.stage} of {details.stages}, {share}" if details.stages > 0 else share


def unrecorded(details: GuardianDetails) -> list[MetricRow]:
    """The metrics whose query stands in no record, nor do they have one of their own."""
    known = {text for record in details.queries for text in (record.metric, record.query)}
    return [row for row in details.metrics if row.query and not {row.name, row.query} & known]


def facts(details: GuardianDetails) -> tuple[tuple[str, str], ...]:
    """(name, value) of what was judged; names are ours, values may come from outside. What is not known is left out."""
    old, new = sides(details)
    versions = f"{new} {details.canary_version} against {old} {details.baseline_version or '(unknown)'}" if details.canary_version else ""
    here = f" (the stage takes {minutes_text(details.stage_minutes)})" if details.stage_minutes > 0 else ""
    known = (
        ("Deployment", details.service),
        ("Environment", details.environment),
        ("Version", versions),
        ("Strategy", _STRATEGIES.get(details.strategy, details.strategy)),
        ("Stage", stage_text(details)),
        ("Duration", f"{minutes_text(details.minutes)}{here}" if details.minutes or here else ""),
        ("Risk", f"score {number(details.risk_score, 2)} (0 to 1)"),
    )
    return tuple((name, value) for name, value in known if value)


def reasoning(report: GuardianReport) -> str:
    """Why, in a sentence or two; what the agent adds in its summary follows."""
    details = report.details
    worse = any(row.status is Status.FAIL and not row.dry_run for row in details.metrics)
    meaning = "" if worse else _MEANING.get(details.status, "")
    added = report.summary if report.summary and not _says(details.reason, report.summary) and not _says(report.summary, details.reason) else ""
    return " ".join(sentence(text) for text in (details.reason, meaning, added) if text.strip())


def judged_how(report: GuardianReport) -> str:
    """By what it was judged, and whose the explanation is: a model never judges."""
    answered = report.advice is not None and report.advice.model and not report.advice.problem
    return "by statistics; the explanation is a model's" if answered else "by statistics, without a model"


def _says(text: str, part: str) -> bool:
    return bool(part.strip()) and part.strip().rstrip(".") in text


def deciding(details: GuardianDetails) -> tuple[str, ...]:
    """The metrics that decided, with their numbers."""
    acting = [row for row in details.metrics if not row.dry_run]
    chosen = [row for row in acting if row.status is details.status and (row.required or row.critical)]
    if details.status is Status.INCONCLUSIVE:
        chosen = [row for row in acting if row.status is Status.FAIL or (row.status is Status.INCONCLUSIVE and (row.required or row.critical))]
    chosen.sort(key=lambda row: (not row.required, not row.critical))
    old = sides(details)[0]
    return tuple(_decided(row, old) for row in chosen[:_MOST_DECIDING])


def _decided(row: MetricRow, old: str) -> str:
    if row.canary is None:
        return f"{row.title}: no value"
    beside = [f"{old} {value_text(row.baseline, row.unit)}" if row.baseline is not None else "", f"limit {limit_text(row)}" if row.limit is not None else ""]
    beside += [delta_text(row)] if row.delta else []
    within = ", ".join(part for part in beside if part)
    return f"{row.title} {value_text(row.canary, row.unit)}" + (f" ({within})" if within else "")


@dataclass(frozen=True, slots=True)
class Indicators:
    """Sentences that speak for the new version, against it, and of what is not known; the metrics' own reasons come first."""

    good: tuple[str, ...]
    bad: tuple[str, ...]
    unknown: tuple[str, ...]


def indicators(details: GuardianDetails) -> Indicators:
    """Each sentence once, where it belongs: what cannot be told or seen speaks neither for nor against, and alarms are told apart."""
    said = {_key(alarm.reason) for alarm in details.alarms}
    unknown = _once(_reasons(details, Status.INCONCLUSIVE, Status.NO_DATA), said)
    bad = _once([*_reasons(details, Status.FAIL), *details.negatives], said)
    return Indicators(_once([*_reasons(details, Status.PASS), *details.positives], said), bad, unknown)


def untold(report: GuardianReport) -> tuple[Finding, ...]:
    """The findings that say more than the indicators and alarms do. One without evidence is not shown."""
    told = indicators(report.details)
    said = {_key(text) for text in (*told.good, *told.bad, *told.unknown, *(alarm.reason for alarm in report.details.alarms))}
    return tuple(finding for finding in report.findings if finding.evidence and _key(finding.title) not in said)


def _reasons(details: GuardianDetails, *statuses: Status) -> list[str]:
    return [f"{row.reason or row.title}{_mark(row)}" for row in details.metrics if row.status in statuses]


def _mark(row: MetricRow) -> str:
    if row.dry_run:
        return " (dry run: not counted)"
    return " (not critical)" if row.status is Status.FAIL and not row.critical else ""


def _key(text: str) -> str:
    return text.strip().rstrip(".")


def _once(texts: Iterable[str], said: set[str]) -> tuple[str, ...]:
    kept = []
    for text in texts:
        key = _key(text)
        if key and key not in said:
            said.add(key)
            kept.append(text.strip())
    return tuple(kept)


def status_text(row: MetricRow) -> str:
    """A metric's status as icon and words."""
    marks = status_marks(row)
    return f"{ICONS[row.status]} {STATUS_WORDS[row.status]}{f' ({marks})' if marks else ''}"


def status_marks(row: MetricRow) -> str:
    """What a status is worth, where that is less than usual."""
    marks = ("dry run" if row.dry_run else "", "not critical" if row.status is Status.FAIL and not row.critical else "", "weaker" if row.weaker else "")
    return ", ".join(mark for mark in marks if mark)


def ranked(rows: Sequence[MetricRow]) -> list[MetricRow]:
    """Failed metrics first, then what is not known, then the good ones, and last those that do not count; otherwise as given."""
    order = (Status.FAIL, Status.INCONCLUSIVE, Status.NO_DATA, Status.PASS)
    return sorted(rows, key=lambda row: (row.dry_run, order.index(row.status)))


def could_see(details: GuardianDetails) -> tuple[str, ...]:
    """What this judgement could and could not see, in sentences."""
    lines = [_needed(details)] if details.needed_requests or details.needed_minutes else []
    needing = [row for row in details.metrics if row.needed_requests or row.needed_minutes]
    lines += [f"{row.title}: {_more(row.needed_requests, row.needed_minutes)} would tell." for row in needing]
    lines += [sentence(text) for text in details.foresight]
    if details.budget:
        parts = ", ".join(f"{name} {value_text(part, '%')}" for name, part in details.budget)
        lines.append(f"False alarms: at most {value_text(details.alpha, '%')} of healthy deployments, over all looks together ({parts}).")
    if details.weaker:
        lines.append("The evidence is weaker than usual: it rests on single values, on another time or on partial data.")
    lines += [f"Left out: {sentence(text)}" for text in details.exclusions]
    return tuple(lines)


def _needed(details: GuardianDetails) -> str:
    return f"To be able to tell: {_more(details.needed_requests, details.needed_minutes)} of the new version."


def _more(requests: int | None, minutes: float | None) -> str:
    parts = [f"{requests:,} more requests" if requests else "", f"{minutes_text(minutes)} more" if minutes else ""]
    return "about " + ", or ".join(part for part in parts if part)


def triggers(details: GuardianDetails) -> tuple[str, tuple[str, ...]]:
    """The numbers that would end what comes next, under a heading; none where nothing comes next."""
    heading = f"Rollback triggers {'of the next stage' if details.stage < details.stages else 'from now on'}"
    if details.decision is Decision.ROLLBACK:
        return heading, ()
    return heading, tuple(item.text or f"{item.title}: {value_text(item.limit, item.unit)}" for item in details.triggers_next_stage)


def risks(details: GuardianDetails) -> tuple[str, ...]:
    """The terms that the risk score has."""
    return tuple(f"{term.name}: {number(term.value, 2)}, weight {number(term.weight)}" for term in details.risk_terms if term.value)


def carried_out(operations: Sequence[Operation]) -> str:
    """Where the writes stand, in one sentence; empty where there are none."""
    if not operations:
        return ""
    counts = {status: sum(operation.status is status for operation in operations) for status in OperationStatus}
    done = sum(counts[status] for status in REACHED)
    if done == len(operations):
        return f"Carried out: all of {len(operations)} operations."
    words = {
        OperationStatus.FAILED: "failed", OperationStatus.REFUSED: "refused", OperationStatus.NEEDS_APPROVAL: "waiting for an approval",
        OperationStatus.PLANNED: "planned",
    }  # fmt: skip
    open_ones = ", ".join(f"{counts[status]} {word}" for status, word in words.items() if counts[status])
    broken = [operation for operation in operations if operation.status in {OperationStatus.FAILED, OperationStatus.REFUSED}]
    by_hand = f" A person must act: {sentence(f'{broken[0].kind} {STATUSES[broken[0].status]}. {broken[0].result}')}" if broken else ""
    return f"Carried out: {done} of {len(operations)} operations ({open_ones}).{by_hand}"


# Kinds of operations by which the old version serves again; what belongs to them (auto-sync, suspending, a request to revert) does not by itself.
_TURNS = ("Rollback", "Undo", "Abort", "SetTrafficWeight")
# The look at what came of them: a rollback that was taken and then failed brought nothing back.
_LOOK = "VerifyRecovery"


def rolled_back(report: GuardianReport) -> bool:
    """Whether the old version was brought back, by this run or before it: all operations that do it are in the world, and it was seen to serve well again."""
    turning = [operation for operation in report.operations if operation.kind.startswith(_TURNS)]
    looks = [operation for operation in report.operations if operation.kind == _LOOK]
    return report.details.decision is Decision.ROLLBACK and bool(turning) and all(operation.status in REACHED for operation in (*turning, *looks))


def undo_text(operation: Operation) -> str:
    """How to undo a write that is planned or done, as a sentence after a blank; empty where that is not told."""
    told = operation.reverse and operation.status in {OperationStatus.PLANNED, OperationStatus.APPLIED}
    return f" To undo: {sentence(operation.reverse)}" if told else ""

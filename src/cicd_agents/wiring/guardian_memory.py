"""The guardian's decisions in the memory: this one is remembered, and the report says how the deployments before it went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cicd_agents.domain.canary import Decision
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.history import PastDecision
from cicd_agents.report.guardian_numbers import utc
from cicd_agents.report.guardian_slack import message_kind
from cicd_agents.wiring.guardian_run import GuardianRun, Judged
from cicd_agents.wiring.memory import SharedMemory, has_memory, open_memory

_SHOWN = 3
# A watch may decide at every stage of a deployment, and hold at many looks.
_MOST_READ = 100
_LONGEST = 80
# The memory keeps no longer one as it is, and it must be known again.
_MOST_KEPT = 250
_UNTOLD = "Slack was not told: "
# Of one run the newest decision stays.
_LATER = 0.001
_WORDS = {Decision.PROMOTE: "went on", Decision.ROLLBACK: "rolled back", Decision.HOLD: "held"}


def memory_of(run: GuardianRun) -> SharedMemory:
    """The memory of the settings, for all of a run; only a trusted run writes it. By the settings of then: a run may become a dry one on its way."""
    return SharedMemory(lambda: open_memory(run.settings, run.workspace, run.world, writable=run.context.trusted), run.stack)


def remember(run: GuardianRun, memory: SharedMemory, judged: Judged) -> tuple[str, ...]:
    """Keep the decision, where there is a memory and the run is trusted; what the memory says of the deployments before, as notes for the report."""
    if not has_memory(run.settings) or run.wish.by_hand:
        return ()
    decision = _decision(run, judged)
    try:
        known = memory.opened().decisions(decision.repository, decision.service, decision.environment, _MOST_READ)
        memory.opened().record_decision(decision)
    except (ServiceError, UsageError) as problem:
        return (f"The decision was not remembered: {problem}",)
    if run.keep_told is None:  # a state of the watch knows what was posted; the memory knows what was decided
        run.last_told = _told(known, decision)
    return earlier(known, decision)


def untold(run: GuardianRun, memory: SharedMemory, judged: Judged) -> None:
    """Note at the decision that people could not be told of it, so that the next run does not take it for told. Only the memory knows that without a state."""
    if not has_memory(run.settings) or run.wish.by_hand or run.keep_told is not None:
        return
    decision = _decision(run, judged)
    try:
        memory.opened().record_decision(replace(decision, time=decision.time + _LATER, reason=f"{_UNTOLD}{decision.reason}"))
    except (ServiceError, UsageError) as problem:
        run.world.say(f"That nobody was told was not remembered: {problem}")


def _told(known: Iterable[PastDecision], now: PastDecision) -> str:
    """What people were told of this deployment last, empty: nothing. Of a GO they are told nothing. `known` has the newest first."""
    same = (one for one in known if _deployment(one) == _deployment(now) and one.decision != Decision.PROMOTE)
    return next((message_kind(one.decision, one.status, one.reason) for one in same), "")


def earlier(known: Iterable[PastDecision], now: PastDecision) -> tuple[str, ...]:
    """One sentence on the last deployments of other versions, each by its last decision; empty where nothing is known. `known` has the newest first."""
    last: dict[str, PastDecision] = {}
    for one in known:
        if _deployment(one) != _deployment(now) and (one.run_id != now.run_id or not now.run_id):
            last.setdefault(_deployment(one), one)
    shown = list(last.values())[:_SHOWN]
    if not shown:
        return ()
    count = f"The last {len(shown)} deployments" if len(shown) > 1 else "The deployment before"
    return (f"{count}: {_listed(shown)}.",)


def _deployment(one: PastDecision) -> str:
    """What tells deployments apart: the version, and only where nobody names it, since when it served."""
    return one.version or f"{one.since:.0f}"


def _listed(shown: Sequence[PastDecision]) -> str:
    return "; ".join(f"{one.version[:_LONGEST] or 'a version'} {_words(one)} ({utc(one.time)})" for one in shown)


def _words(one: PastDecision) -> str:
    return next((words for decision, words in _WORDS.items() if one.decision == decision), "ended in an unknown way")


def _decision(run: GuardianRun, judged: Judged) -> PastDecision:
    found, judgement, now = judged.scene, judged.judgement, run.world.clock.now()
    return PastDecision(
        run.context.repository, found.service, found.environment, run.version(found)[:_MOST_KEPT], judgement.stage, run.number, now,
        now if found.since is None else found.since, str(judgement.status), str(judgement.decision), judgement.reason, judgement.risk, found.sides.canary,
        found.sides.baseline, found.sides.common,
    )  # fmt: skip

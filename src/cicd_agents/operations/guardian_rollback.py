"""A rollback as a checked transaction, for every delivery tool: what must be so beforehand, the writes in their order, and what is done when they fail. Pure.

Planning and carrying out are apart, so that an approval can stand between: `plan` looks once and writes nothing, `carry_out_rollback` does what is planned.
A run that was killed anywhere is simply run again: the plan finds out that the rollback is under way or done, and each step looks first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.apply import Applier
from cicd_agents.operations.audit import AuditLog
from cicd_agents.operations.delivery_way import DeliveryWay
from cicd_agents.operations.guardian_incident import INCIDENT_KINDS, OPEN_INCIDENT, TELL_INCIDENT, incident_operations
from cicd_agents.operations.guardian_recovery import VERIFY, recovery_operation
from cicd_agents.operations.guardian_revert import REVERT
from cicd_agents.operations.guardian_versions import chosen, not_judged, same, shown
from cicd_agents.operations.policy import Mode
from cicd_agents.operations.transaction import carry_out

GUARDIAN_KINDS = (VERIFY, REVERT, OPEN_INCIDENT, TELL_INCIDENT)
# Who opens and tells an incident, given what was done.
IncidentAppliers = Callable[[tuple[Operation, ...]], Mapping[str, Applier]]
_PREFLIGHT = "preflight"
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Intent:
    """What is wanted, and why.

    `judged` are the versions that were judged, as text: images, commits, the revision as the tool showed it then; without them nothing is taken back. `reason`
    is the judgement's sentence. `wished`: the revision to go to, by the tool's own name for it or by a version; empty: the newest that is known to be good.
    `freeze`: all traffic to the stable version and the canary's pods stay, for changes that a rollback would make worse (migrations). `revert`: also in Git.
    `recovery_seconds`: how long the recovery may take. `incident`: an issue and a message where the rollback fails.
    """

    judged: tuple[str, ...]
    reason: str
    evidence: tuple[Evidence, ...] = ()
    wished: str = ""
    freeze: bool = False
    revert: bool = False
    recovery_seconds: float = 600.0
    incident: bool = True


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """What would be done: `left` is what is taken back, `to` where it goes (None for a freeze), `refusals` why it must not be, each a sentence.

    `done`: somebody, or a run that was killed, went back already; the operations then find that out and go on with what is missing.

    With refusals the operations are `refused`, and empty where it is not even known where to go.
    """

    standing: DeliveryStanding
    to: KnownRevision | None
    operations: tuple[Operation, ...]
    refusals: tuple[str, ...] = ()
    done: bool = False

    @property
    def left(self) -> KnownRevision | None:
        """The revision that is taken back."""
        return self.standing.earlier[0] if self.done else self.standing.current


@dataclass(frozen=True, slots=True)
class _Aim:
    to: KnownRevision | None
    refusals: tuple[str, ...] = ()
    done: bool = False


def plan(way: DeliveryWay, intent: Intent) -> RollbackPlan:
    """Look once, and plan. Raises ServiceError and UsageError where the target cannot be seen."""
    standing = way.look()
    aim = _Aim(None, _judged_refusals(standing, intent)) if intent.freeze else _aim(standing, intent)
    refusals = (*aim.refusals, *standing.obstacles)
    operations = rollback_operations(way, standing, aim.to, intent)
    if intent.freeze and not operations:
        refusals = (*refusals, f"{standing.target} knows no freeze: it cannot give the stable version all traffic and keep the pods (freeze: no rolls back).")
    if refusals:
        result = " ".join(refusals)
        operations = tuple(replace(one, status=OperationStatus.REFUSED, rule=_PREFLIGHT, result=result) for one in operations if one.kind not in INCIDENT_KINDS)
    return RollbackPlan(standing, aim.to, operations, refusals, aim.done)


def rollback_operations(way: DeliveryWay, standing: DeliveryStanding, to: KnownRevision | None, intent: Intent) -> tuple[Operation, ...]:
    """The writes in their order; the last two are only done where those before them fail. Empty where there is nothing to do it with."""
    acting: tuple[Operation, ...] = ()
    if intent.freeze:
        acting = way.freeze(standing, intent.reason, intent.evidence)
    elif to is not None:
        acting = way.rollback(standing, to, intent.reason, intent.evidence)
    if not acting:
        return ()
    what = f"{'+'.join(intent.judged)}:{to.id if to else 'freeze'}"
    found = [*acting, recovery_operation(standing.target, to, what, intent.recovery_seconds)]
    if intent.revert and to is not None:
        found.append(Operation(
            REVERT, standing.target, f"Git still states the version that is taken back: {intent.reason}", "Close the request and delete its branch.",
            f"{REVERT}:{standing.target}:{what}", evidence=intent.evidence,
        ))  # fmt: skip
    return (*found, *(incident_operations(standing.target, what, intent.reason) if intent.incident else ()))


def promotion_operations(
    way: DeliveryWay, standing: DeliveryStanding, judged: tuple[str, ...], share: float | None, why: str
) -> tuple[tuple[Operation, ...], tuple[str, ...]]:  # fmt: skip
    """The writes that give the canary its next share (None: all), and why not, if so: the version that was judged must be the one that runs."""
    mismatch = not_judged(judged, standing.current)
    refusals = (*((mismatch,) if mismatch else ()), *standing.obstacles)
    return (() if refusals else way.promote(standing, share, why)), refusals


def judged_operations(
    standing: DeliveryStanding, judged: tuple[str, ...], planned: Callable[[DeliveryStanding], tuple[Operation, ...]]
) -> tuple[tuple[Operation, ...], tuple[str, ...]]:  # fmt: skip
    """What is planned for the standing, and why it must not be, if so: as for a promotion. Where there is nothing to do nothing is said either."""
    operations = planned(standing)
    if not operations:
        return (), ()
    mismatch = not_judged(judged, standing.current)
    refusals = (*((mismatch,) if mismatch else ()), *standing.obstacles)
    return (() if refusals else operations), refusals


def resume_operations(way: DeliveryWay, standing: DeliveryStanding, why: str) -> tuple[Operation, ...]:
    """The writes that switch on again what a rollback switched off; each looks itself whether the bad version would come back with it."""
    return way.resume(standing, why)


def carry_out_rollback(
    operations: tuple[Operation, ...], appliers: Mapping[str, Applier], incident: IncidentAppliers, mode: Mode, audit: AuditLog, clock: Clock
) -> tuple[Operation, ...]:
    """The operations as they stand afterwards.

    Where one of the writes or the recovery failed, the incident is opened and told, with what was done; where not, these two are left out of the result.
    A revert in Git that fails is told by its status and is no incident: production is well.
    """
    main = tuple(one for one in operations if one.kind not in INCIDENT_KINDS)
    done = carry_out(main, appliers, mode, audit, clock)
    if mode is not Mode.AUTO or not failed(done):
        return done
    rest = tuple(one for one in operations if one.kind in INCIDENT_KINDS)
    return (*done, *carry_out(rest, incident(done), mode, audit, clock, side=INCIDENT_KINDS))


def failed(operations: tuple[Operation, ...]) -> bool:
    """Whether production is not as it should be: a write or the recovery failed."""
    return any(one.status is OperationStatus.FAILED and one.kind != REVERT for one in operations)


def _aim(standing: DeliveryStanding, intent: Intent) -> _Aim:
    """Where to go."""
    before = _returned(standing, intent)
    if before is not None:
        return before
    refusals = _judged_refusals(standing, intent)
    if intent.wished:
        to, problem = _wished(standing, intent.wished)
        return _Aim(to, (*refusals, *((problem,) if problem else ())))
    if standing.good is None:
        return _Aim(None, (*refusals, _no_good(standing)))
    return _Aim(standing.good, refusals)


def _judged_refusals(standing: DeliveryStanding, intent: Intent) -> tuple[str, ...]:
    problem = not_judged(intent.judged, standing.current)
    return (problem,) if problem else ()


def _wished(standing: DeliveryStanding, wished: str) -> tuple[KnownRevision | None, str]:
    found = chosen(wished, standing)
    if not found:
        names = ", ".join(shown(one) for one in standing.earlier[:_MOST_NAMED]) or "none"
        return None, f"{standing.target} knows no revision {wished!r}; it can go back to: {names}."
    if standing.current is not None and any(same(one, standing.current, standing.earlier) for one in found):
        return None, f"{wished} is what runs now, so there is nothing to go back to."
    if len(found) > 1:
        return None, f"{wished!r} can mean several revisions: {', '.join(one.id for one in found[:_MOST_NAMED])}; name one of these."
    return found[0], ""


def _no_good(standing: DeliveryStanding) -> str:
    """Never merely the previous one."""
    if not standing.earlier:
        return f"{standing.target} knows no earlier revision, so there is nothing to go back to; a fix has to go forward."
    names = "; ".join(f"{shown(one)}: {one.why or 'nothing is known of it'}" for one in standing.earlier[:_MOST_NAMED])
    return f"None of the earlier revisions of {standing.target} is known to be good; name one by rollback-to ({names})."


def _returned(standing: DeliveryStanding, intent: Intent) -> _Aim | None:
    """Whether somebody, perhaps we in a run that was killed, went back from what was judged already; None: no.

    So it is where the revision before the current one is what was judged, and the current one is older than that or stood before it.
    """
    current, texts = standing.current, [text for text in intent.judged if text.strip()]
    if current is None or not standing.earlier or not texts or not_judged(intent.judged, current) == "":
        return None
    left, older = standing.earlier[0], standing.earlier[1:]
    if not_judged(intent.judged, left):
        return None
    was_there = any(same(current, one) for one in older) or (
        current.deployed is not None and left.deployed is not None and current.deployed < left.deployed
    )  # fmt: skip
    wrong = intent.wished and not any(one.id == current.id for one in chosen(intent.wished, standing))
    return _Aim(current, (), done=True) if was_there and not wrong else None

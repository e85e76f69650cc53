"""What an agent concludes, and the exit code that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from cicd_agents.domain.doctor import DoctorDetails
from cicd_agents.domain.finding import Finding
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.release import ReleaseDetails

if TYPE_CHECKING:  # by name only below: the words of the guardian and of the advisor are many, and whoever needs them not need not wait for them
    from cicd_agents.domain.advice import Advice
    from cicd_agents.domain.guardian import GuardianDetails

Details = TypeVar("Details", DoctorDetails, ReleaseDetails, "GuardianDetails")


class Outcome(StrEnum):
    """The four answers; there is no bare boolean."""

    PASS = "pass"  # noqa: S105 an outcome
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"


class FailOn(StrEnum):
    """When an agent closes the gate."""

    NEVER = "never"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


EXIT_PASS, EXIT_GATE_CLOSED, EXIT_USAGE, EXIT_UNDECIDED, EXIT_APPROVAL, EXIT_BUG = 0, 1, 2, 3, 4, 70


@dataclass(frozen=True)  # typing marks instances of generic classes, which slots forbid
class AgentVerdict(Generic[Details]):
    """An agent's conclusion; `details` is typed per agent by the report contract. `advice` is what a model made of it; None: none was asked."""

    agent: str
    outcome: Outcome
    title: str
    summary: str
    details: Details
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    operations: tuple[Operation, ...] = ()
    advice: Advice | None = None


Verdict = AgentVerdict[DoctorDetails]
ReleaseVerdict = AgentVerdict[ReleaseDetails]
GuardianVerdict = AgentVerdict["GuardianDetails"]


def exit_code(outcome: Outcome, fail_on: FailOn) -> int:
    """The exit code of a verdict under a policy: 0 open, 1 closed, 3 cannot decide and the policy fails closed."""
    if outcome is Outcome.FAIL and fail_on is not FailOn.NEVER:
        return EXIT_GATE_CLOSED
    if outcome is Outcome.INCONCLUSIVE and fail_on is FailOn.INCONCLUSIVE:
        return EXIT_UNDECIDED
    return EXIT_PASS

"""Which agent the event calls for; pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cicd_agents.domain.ci import Status
from cicd_agents.domain.context import Kind, Platform, RunContext
from cicd_agents.domain.errors import UsageError

AUTO = "auto"
DOCTOR = "pipeline-doctor"
RELEASES = "release-manager"
GUARDIAN = "deployment-guardian"
# What a kind of event calls for, and how that is said.
_CALLED_FOR = {
    Kind.TAG: (RELEASES, "a tag"),
    Kind.RELEASE: (RELEASES, "a release"),
    Kind.DEPLOYMENT: (GUARDIAN, "a deployment"),
    Kind.SCHEDULE: ("drift-detector", "a schedule"),
}
_STATUS_OF = {"success": Status.SUCCESS, "failure": Status.FAILURE, "cancelled": Status.CANCELLED}


@dataclass(frozen=True, slots=True)
class Choice:
    """The agent to run, None where nothing is to be done (the outcome is `skipped`, the exit code 0), and why, in one sentence."""

    agent: str | None
    reason: str


def choose(asked: str, context: RunContext, job_status: str, *, agents: Collection[str]) -> Choice:
    """The agent for this event. `asked` is a name or `auto`, `agents` are those of this release.

    `job_status` says how the job around us stands; it is empty where that is not told.
    Raises UsageError when an agent is asked for by its name that this release does not have.
    """
    if asked != AUTO:
        if asked not in agents:
            raise UsageError(f"The agent {asked} is not part of this release; choose one of: {', '.join((AUTO, *agents))}.")
        return Choice(asked, f"{asked} was asked for.")
    choice = _by_run(context) if context.kind is Kind.RUN_FINISHED else _by_job(context, _STATUS_OF.get(job_status, context.target_status))
    if choice.agent is not None and choice.agent not in agents:
        return Choice(None, f"{choice.reason[:-1]}, which is not part of this release.")
    return choice


def _by_run(context: RunContext) -> Choice:
    """Another run ended, and we run because of that."""
    status = context.target_status
    if status.failed:
        return Choice(DOCTOR, "The run failed.")
    if status is Status.SUCCESS:
        return Choice(DOCTOR, "The run succeeded: an earlier comment may be resolved, and a re-run may be settled.")
    if status is Status.UNKNOWN:
        return Choice(DOCTOR, "The event does not say how the run ended, so the platform is asked.")
    return Choice(None, _nothing_of("run", status))


def _by_job(context: RunContext, status: Status) -> Choice:
    """We are a part of the run itself, or run for an event of its own. A failure comes first, whatever the event was."""
    if status.failed:
        return Choice(DOCTOR, "The job failed.")
    if context.kind in _CALLED_FOR:
        agent, event = _CALLED_FOR[context.kind]
        return Choice(agent, f"The event is {event}: that is for the {agent}.")
    if context.kind is not Kind.JOB:
        return Choice(None, _no_event(context))
    if status in (Status.CANCELLED, Status.SKIPPED):
        return Choice(None, _nothing_of("job", status))
    if status is Status.SUCCESS:
        return Choice(DOCTOR, "The job succeeded: an earlier comment may be resolved, and a re-run may be settled.")
    return Choice(DOCTOR, "It is not told how the job stands, so the platform is asked.")


def _nothing_of(what: str, status: Status) -> str:
    said = {Status.CANCELLED: "was cancelled", Status.SKIPPED: "was skipped", Status.RUNNING: "has not ended yet"}[status]
    return f"Nothing to do: the {what} {said}."


def _no_event(context: RunContext) -> str:
    if context.platform is Platform.LOCAL:
        return "Nothing to do: this is no CI that we know; name an agent and what it should look at."
    if context.event == "workflow_run":
        return _nothing_of("run", Status.RUNNING) if context.target else "Nothing to do: the run is one of our own workflow."
    if context.event == "deployment_status":
        return "Nothing to do: the deployment has not ended well, so there is no new version to judge."
    return f"Nothing to do for the event {context.event or 'of this job'}."

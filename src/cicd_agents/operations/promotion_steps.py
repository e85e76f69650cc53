"""Promotes a release to its environments over ports: sets the revision, waits for health, runs the check. Each step looks at the world first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeVar

from cicd_agents.domain.ci import Status
from cicd_agents.domain.errors import Refused, UsageError
from cicd_agents.domain.forge import Delivery, Pipelines
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.apply import AlreadyDone, Applier
from cicd_agents.operations.promotion import Check, Environment, PromotedRelease, Standing, Unhealthy, Way, downgrade, is_later, promotions
from cicd_agents.operations.promotion_checkpoints import Progress
from cicd_agents.operations.promotion_delivery import HEALTHY, SYNCED, Goal, Settling, seen
from cicd_agents.operations.promotion_runs import Deployments

Port = TypeVar("Port")


class GitChange(Protocol):
    """Changes of a file on the branch that environments follow."""

    def version(self, path: str) -> str:
        """The version that the file states there now. Raises UsageError where there is no such file or version."""
        ...

    def set_version(self, path: str, version: str, message: str) -> str:
        """Write the version into the file, commit and push it; the commit's id. Raises AlreadyDone where the file says so already."""
        ...


@dataclass(frozen=True, slots=True)
class Moved:
    """What the first half of a promotion did: what the environment was at, and whether anything was written for it."""

    was: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Promotions:
    """The promotion of one release. Ports that no environment needs may be None. `force` allows a step back; `progress` fills as environments are done."""

    release: PromotedRelease
    environments: Sequence[Environment]
    clock: Clock
    delivery: Delivery | None = None
    pipelines: Pipelines | None = None
    changes: GitChange | None = None
    check: Check | None = None
    force: bool = False
    one_pipeline: bool = False
    progress: dict[str, Progress] = field(default_factory=dict)
    _runs: dict[str, str] = field(default_factory=dict)

    def planned(self) -> tuple[Operation, ...]:
        """One operation per environment, in order, by reading alone. Raises UsageError where the settings do not suffice, and ServiceError."""
        return promotions(self.environments, self.release, {one.name: self.standing(one) for one in self.environments}, force=self.force)

    def appliers(self) -> Mapping[str, Applier]:
        """The appliers of the operations, by kind."""
        return {one.kind: partial(self.promote, one) for one in self.environments}

    def standing(self, environment: Environment) -> Standing:
        """How an environment stands; nothing is written."""
        return {Way.ARGOCD: self._standing_argocd, Way.WORKFLOW: self._standing_workflow, Way.GIT: self._standing_git}[environment.way](environment)

    def promote(self, environment: Environment, _operation: Operation) -> str:
        """Applier: what was done. Raises AlreadyDone where nothing had to be, Unhealthy, Refused for a step back, UsageError and ServiceError."""
        self._note(environment, Progress())
        moved = {Way.ARGOCD: self._by_argocd, Way.WORKFLOW: self._by_workflow, Way.GIT: self._by_git}[environment.way](environment)
        self._note(environment, Progress(revision=True, healthy=True))
        checked = self._checked(environment)
        done = f"{environment.name} {_arrived(environment, self.release)}"
        if not moved.changed:
            raise AlreadyDone(f"{done}, as it was before{checked}.")
        return f"{done}{f'; it was at {moved.was}' if moved.was else ''}{checked}."

    def _checked(self, environment: Environment) -> str:
        if not environment.check:
            return ""
        result = _needed(self.check, environment, "check-command")(environment, self.release.revision(environment))
        self._note(environment, replace(self.progress[environment.name], checked=result.passed))
        if not result.passed:
            verdict = "failed" if result.passed is False else "could not tell"
            raise Unhealthy(f"{environment.name} is at {self.release.revision(environment)}, but its check {verdict}: {result.summary}")
        return "; its check passed"

    def _note(self, environment: Environment, progress: Progress) -> None:
        self.progress[environment.name] = progress

    def _refuse_downgrade(self, environment: Environment, current: str) -> None:
        if not self.force and is_later(current, self.release):
            raise Refused(downgrade(environment, current, self.release))

    # Argo CD

    def _standing_argocd(self, environment: Environment) -> Standing:
        state, said = seen(_needed(self.delivery, environment, "argocd-url"), environment.target)
        if state is None:
            return Standing(said=said)
        there = state.target_revision == self.release.revision(environment) and state.sync == SYNCED
        return Standing(state.target_revision, there, state.health == HEALTHY, said)

    def _by_argocd(self, environment: Environment) -> Moved:
        delivery, wanted = _needed(self.delivery, environment, "argocd-url"), self.release.revision(environment)
        before = delivery.state(environment.target)
        changed = before.target_revision != wanted
        if changed:
            self._refuse_downgrade(environment, before.target_revision)
            delivery.set_revision(environment.target, wanted)
        self._note(environment, Progress(revision=True))
        goal = Goal(environment.target, wanted, before, changed, environment.health_seconds)
        return Moved(before.target_revision, self._settled(delivery, environment, goal) or changed)

    def _settled(self, delivery: Delivery, environment: Environment, goal: Goal) -> bool:
        """Wait for the goal; whether a sync was started for it."""
        settling = Settling(delivery, self.clock, goal)
        try:
            settling.wait()
        except Unhealthy:
            self._note(environment, Progress(revision=True, healthy=False))
            raise
        return settling.asked

    # A workflow or pipeline

    def _deployments(self, environment: Environment) -> Deployments:
        pipelines = _needed(self.pipelines, environment, "token")
        return Deployments(pipelines, self.clock, self.release, self.environments, self.one_pipeline, self._runs)

    def _standing_workflow(self, environment: Environment) -> Standing:
        run = self._deployments(environment).found(environment)
        if run is None:
            return Standing(there=False, said=f"no run of {environment.target} on {self.release.tag}")
        succeeded = run.status is Status.SUCCESS
        return Standing(self.release.tag if succeeded else "", succeeded, succeeded, f"a run of {environment.target} stands as {run.status}")

    def _by_workflow(self, environment: Environment) -> Moved:
        try:
            _run, started = self._deployments(environment).deploy(environment)
        except Unhealthy:
            self._note(environment, Progress(revision=True, healthy=False))
            raise
        return Moved("", started)

    # A Git change

    def _standing_git(self, environment: Environment) -> Standing:
        version = _needed(self.changes, environment, "token").version(environment.target)
        there = version.removeprefix("v") == self.release.version
        if not environment.application:
            return Standing(self.release.version if there else version, there)
        state, said = seen(_needed(self.delivery, environment, "argocd-url"), environment.application)
        return Standing(self.release.version if there else version, there, state.health == HEALTHY if state else None, said)

    def _by_git(self, environment: Environment) -> Moved:
        changes = _needed(self.changes, environment, "token")
        before = _needed(self.delivery, environment, "argocd-url").state(environment.application) if environment.application else None
        was = changes.version(environment.target)
        self._refuse_downgrade(environment, was)
        try:
            commit = changes.set_version(environment.target, self.release.version, f"chore({environment.name}): deploy {self.release.tag}")
        except AlreadyDone:
            commit = ""
        self._note(environment, Progress(revision=True))
        changed = bool(commit)
        if before is not None:
            goal = Goal(environment.application, before.target_revision, before, changed, environment.health_seconds, commit)
            changed = self._settled(_needed(self.delivery, environment, "argocd-url"), environment, goal) or changed
        return Moved(was, changed)


def _arrived(environment: Environment, release: PromotedRelease) -> str:
    """What is known of an environment that is done, as the end of a sentence."""
    revision = release.revision(environment)
    if environment.way is Way.WORKFLOW:
        return f"got {revision} by a run of {environment.target} that succeeded"
    if environment.way is Way.GIT and not environment.application:
        return f"has {revision} in {environment.target}"
    return f"is at {revision} and healthy"


def _needed(port: Port | None, environment: Environment, setting: str) -> Port:
    if port is None:
        raise UsageError(f"environments: {environment.name} needs the setting `{setting}`, which is not there.")
    return port

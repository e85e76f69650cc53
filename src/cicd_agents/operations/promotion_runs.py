"""Deployments by a workflow or pipeline: found where one was started already, else started, and waited for.

Platforms do not tell the inputs of a run, so where several environments share a workflow its runs must name theirs (GitHub: `run-name`, GitLab:
`workflow:name`); what cannot be told apart is neither started again nor taken for done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cicd_agents.domain.ci import Run, Status
from cicd_agents.domain.errors import BadAnswer, RateLimited, Unavailable, UsageError
from cicd_agents.domain.forge import Pipelines
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.promotion import Environment, PromotedRelease, Unhealthy, Way
from cicd_agents.operations.promotion_delivery import looks

# A run is in the lists some seconds after it was started; so long we look before we start one.
SETTLE_SECONDS = 5.0
# What stands for a deployment; of an unknown word it cannot be said that it is none.
_THERE = frozenset({Status.RUNNING, Status.SUCCESS, Status.UNKNOWN})
_GOES_ON = frozenset({Status.RUNNING, Status.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Deployments:
    """The runs that deploy one release. `one_pipeline`: there is one for everything (GitLab), so that other runs than deployments are in its list, too.

    `taken` holds the runs that were seen to deploy, with their environments.
    """

    pipelines: Pipelines
    clock: Clock
    release: PromotedRelease
    environments: Sequence[Environment]
    one_pipeline: bool = False
    taken: dict[str, str] = field(default_factory=dict)

    def found(self, environment: Environment) -> Run | None:
        """The newest run that deploys to the environment; None without one. Raises UsageError where runs cannot be told apart, and ServiceError."""
        others = self._sharing(environment)
        runs = self._open_to(environment, self._runs(environment))
        if not others and not self.one_pipeline:
            return runs[0] if runs else None
        names = {run.ref.id: _named(run, (environment, *others)) for run in runs}
        mine = [run for run in runs if names[run.ref.id] == {environment.name} or self.taken.get(run.ref.id) == environment.name]
        unclear = [run for run in runs if len(names[run.ref.id]) != 1 and run not in mine]
        if unclear and not mine:
            raise UsageError(
                f"environments: {environment.name}: the name of the run {unclear[0].name!r} does not say which environment it deploys, and others than "
                "this are possible: put it there (GitHub: `run-name: Deploy ${{ inputs.environment }}`, GitLab: `workflow:name`)."
            )
        return mine[0] if mine else None

    def deploy(self, environment: Environment) -> tuple[Run, bool]:
        """The run that deployed, and whether it was started now. Raises Unhealthy where it did not succeed in time, UsageError and ServiceError."""
        run = self._there(environment)
        if run is None:
            self.clock.sleep(SETTLE_SECONDS)
            run = self._there(environment)
        if run is not None:
            self.taken[run.ref.id] = environment.name
            return self._waited(environment, run.ref.id, frozenset(), ""), False
        known = frozenset(run.ref.id for run in self._runs(environment))
        trouble = ""
        try:
            self.pipelines.start(environment.target, self.release.tag, self._inputs(environment))
        except (Unavailable, BadAnswer) as problem:
            trouble = str(problem)  # it may have started: its run would appear
        return self._waited(environment, "", known, trouble), True

    def _there(self, environment: Environment) -> Run | None:
        run = self.found(environment)
        return run if run and run.status in _THERE else None

    def _inputs(self, environment: Environment) -> dict[str, str]:
        return {"environment": environment.name, "version": self.release.version, "tag": self.release.tag}

    def _runs(self, environment: Environment) -> tuple[Run, ...]:
        return self.pipelines.started(environment.target, self.release.tag, self.release.since)

    def _sharing(self, environment: Environment) -> tuple[Environment, ...]:
        """The other environments whose runs are in the same list."""
        return tuple(
            other
            for other in self.environments
            if other.name != environment.name and other.way is Way.WORKFLOW and (self.one_pipeline or other.target == environment.target)
        )

    def _open_to(self, environment: Environment, runs: Iterable[Run]) -> list[Run]:
        """Without the runs that we saw deploy to another environment."""
        return [run for run in runs if self.taken.get(run.ref.id, environment.name) == environment.name]

    def _waited(self, environment: Environment, number: str, known: frozenset[str], trouble: str) -> Run:
        """The run once it succeeded; without a number the first one that is not known yet."""
        last: Run | None = None
        for _ in looks(self.clock, environment.health_seconds):
            try:
                runs = self._runs(environment)
            except (Unavailable, RateLimited) as problem:
                trouble = str(problem)
                continue
            number = number or self._new(environment, runs, known)
            last = next((run for run in runs if run.ref.id == number), last)
            if last and last.status is Status.SUCCESS:
                return last
            if last and last.status not in _GOES_ON:
                raise Unhealthy(f"{environment.target} for {environment.name} ended as {last.status}: {last.url or last.ref.id}.")
        stands = f"it stands as {last.status}: {last.url or last.ref.id}" if last else self._unseen(environment)
        said = f" The last answer: {trouble}" if trouble else ""
        raise Unhealthy(f"{environment.target} for {environment.name} did not succeed within {environment.health_seconds:.0f} s; {stands}.{said}")

    def _unseen(self, environment: Environment) -> str:
        names = f" that names {environment.name} alone" if self._sharing(environment) else ""
        return f"no run of it on {self.release.tag}{names} is to be seen"

    def _new(self, environment: Environment, runs: Iterable[Run], known: frozenset[str]) -> str:
        """The id of the run that we started, the oldest of the new ones; empty while there is none."""
        new = [run for run in self._open_to(environment, runs) if run.ref.id not in known]
        others = self._sharing(environment)
        mine = [run for run in new if environment.name in _named(run, (environment,))] or [run for run in new if not _named(run, others)]
        if mine:
            self.taken[mine[-1].ref.id] = environment.name
            return mine[-1].ref.id
        return ""


def _named(run: Run, environments: Iterable[Environment]) -> set[str]:
    """The environments whose names stand in the run's name as words of their own."""
    return {one.name for one in environments if re.search(rf"(?<![\w.-]){re.escape(one.name)}(?![\w-])", run.name, re.IGNORECASE)}

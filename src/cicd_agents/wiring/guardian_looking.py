"""One look: evidence from all services that are there, and what the engine makes of it. What cannot be seen is said, and never raised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cicd_agents.agents.guardian_details import Seen
from cicd_agents.agents.guardian_logs import LogsAsk, gather_logs
from cicd_agents.agents.guardian_metrics import MetricsAsk, MetricsSeen, gather
from cicd_agents.analysis.canary import judge
from cicd_agents.analysis.canary.observing.ask import shift_before
from cicd_agents.analysis.canary.observing.charts import charts
from cicd_agents.analysis.canary.observing.own import OwnQuery
from cicd_agents.analysis.canary.observing.pods import waiting, with_pods
from cicd_agents.domain.canary import CanaryPolicy, Decision, Judgement, Observation, Samples, Status
from cicd_agents.domain.errors import ServiceError
from cicd_agents.domain.guardian import MetricsStore, WatchState
from cicd_agents.domain.log_counts import LogCounts
from cicd_agents.domain.ports import Clock
from cicd_agents.wiring.guardian_scene import Scene

# A baseline of another time ends so long before the deployment, when its first signs may show.
_CALIBRATION = 1800.0


@dataclass(slots=True)
class Looking:
    """Looks again and again; keeps what the last look saw, for the report. `fixed_stage`: the settings name the stage."""

    scene: Scene
    policy: CanaryPolicy
    own: tuple[OwnQuery, ...]
    pack: str
    store: MetricsStore
    logs: LogCounts | None
    log_queries: tuple[str, str]
    clock: Clock
    redact: Callable[[str], str]
    engine: Callable[[Observation, CanaryPolicy, float, int | None], Judgement]
    fixed_stage: int | None = None
    moves: bool = False
    seen: MetricsSeen | None = field(default=None, init=False)
    observation: Observation | None = field(default=None, init=False)
    notes: list[str] = field(default_factory=list, init=False)

    def __call__(self, state: WatchState) -> Judgement:
        """The judgement now."""
        now = self.clock.now()
        self.notes = list(self.scene.notes)
        try:
            observation = self._observed(state, now)
        except ServiceError as problem:
            self.observation = None
            return blind(self.policy, state.stage, f"Cannot see: {problem}")
        self.observation = observation
        stage = state.stage if self.moves or self.fixed_stage is not None else None
        found = self.engine(observation, self.policy, now, stage)
        return replace(found, notes=(*found.notes, *self.notes))

    def told(self) -> Seen:
        """What the last look rests on, for the report."""
        drawn = charts(self.observation, self.policy, self.clock.now()) if self.observation else ()
        return Seen(queries=self.seen.queries if self.seen else (), charts=drawn, query_of=self.seen.query_of if self.seen else {})

    def _observed(self, state: WatchState, now: float) -> Observation:
        # Only where we move the traffic ourselves is its share known better than by the counts.
        share: Samples = state.stages if self.moves else ()
        self.seen = gather(self.store, self._ask(now, state.stage, share))
        self.notes += [*self.seen.notes, *([self.seen.reason] if self.seen.reason else [])]
        observation = self._with_pods(self.seen.observation, now)
        if self.logs is not None:
            start = (self.scene.since if self.scene.since is not None else now - 3600) - _CALIBRATION
            lines = gather_logs(self.logs, LogsAsk(*self.log_queries, start, now, self._shift(now), since=self.scene.since), self.redact)
            self.notes += lines.notes
            observation = lines.on(replace(observation, warnings=(*observation.warnings, *lines.warnings)))
        return observation

    def _ask(self, now: float, stage: int, share: Samples) -> MetricsAsk:
        return MetricsAsk(
            self.scene.sides, now, self.scene.since, self.policy, self.scene.pod_sides, pack=self.pack, own=self.own, calibration=_CALIBRATION,
            shift=self._shift(now), share=share, preview=self.policy.stages[stage].share == 0,
        )  # fmt: skip

    def _shift(self, now: float) -> float:
        if self.scene.concurrent or self.scene.since is None:
            return 0.0
        return shift_before(self.scene.since, now)

    def _with_pods(self, observation: Observation, now: float) -> Observation:
        if self.scene.pods is None:
            return observation
        try:
            canary, baseline = self.scene.pods()
        except ServiceError as problem:
            return replace(observation, warnings=(*observation.warnings, f"The pods could not be seen: {problem}"))
        self.notes += waiting(canary)
        # Pods that run now say nothing of a baseline of another time.
        return with_pods(observation, canary, baseline if self.scene.concurrent else (), now)


def always_valid(observation: Observation, policy: CanaryPolicy, now: float, stage: int | None) -> Judgement:
    """The usual engine."""
    return judge(observation, policy, now=now, stage=stage)


def imitating_kayenta(observation: Observation, policy: CanaryPolicy, now: float, stage: int | None) -> Judgement:
    """Kayenta's rules; a stage's least minutes hold for them too."""
    from cicd_agents.analysis.canary.imitation.kayenta import judge_kayenta

    found = judge_kayenta(observation, policy, now)
    return found if stage is None else replace(found, stage=stage, share=policy.stages[stage].share)


def blind(policy: CanaryPolicy, stage: int, reason: str) -> Judgement:
    """The judgement of what cannot be seen: it holds."""
    return Judgement(Status.NO_DATA, Decision.HOLD, reason, policy.strategy, stage, policy.stages[stage].share, 0.0, risk=0.3, weaker=True)

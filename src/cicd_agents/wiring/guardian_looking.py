"""One look: evidence from all services that are there, and what the engine makes of it. What cannot be seen is said, and never raised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cicd_agents.agents.guardian_details import Seen
from cicd_agents.agents.guardian_logs import LogsAsk, gather_logs, message_counts
from cicd_agents.agents.guardian_metrics import MetricsAsk, MetricsSeen, gather
from cicd_agents.analysis.canary.alone import ALL
from cicd_agents.analysis.canary.observing.ask import USUAL, shift_before
from cicd_agents.analysis.canary.observing.charts import charts
from cicd_agents.analysis.canary.observing.own import OwnQuery
from cicd_agents.analysis.canary.observing.pods import waiting, with_pods
from cicd_agents.analysis.canary.observing.shares import arriving, share_of, told_share
from cicd_agents.analysis.canary.stages import CLOSE
from cicd_agents.clients.metrics.prometheus_check import CheckedStore, check, newest
from cicd_agents.domain.canary import CanaryPolicy, Decision, Judgement, Observation, Samples, Status
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, ServiceError, Unavailable, UsageError
from cicd_agents.domain.guardian import WatchState
from cicd_agents.domain.log_counts import LogCounts
from cicd_agents.domain.ports import Clock
from cicd_agents.wiring.guardian_engines import Engine, always_valid
from cicd_agents.wiring.guardian_scene import Scene

# A baseline of another time ends so long before the deployment, when its first signs may show.
_CALIBRATION = 1800.0
# What does not mend itself while we watch; once may be a gateway that is being rolled out.
_IN_VAIN = (NotAllowed, NotFound, BadAnswer)
_MOST_IN_VAIN = 2


@dataclass(slots=True)
class Looking:
    """Looks again and again; keeps what the last look saw, for the report. `fixed_stage`: the settings name the stage."""

    scene: Scene
    policy: CanaryPolicy
    own: tuple[OwnQuery, ...]
    pack: str
    store: CheckedStore
    logs: LogCounts | None
    log_queries: tuple[str, str]
    clock: Clock
    redact: Callable[[str], str]
    engine: Engine
    fixed_stage: int | None = None
    moves: bool = False
    seen: MetricsSeen | None = field(default=None, init=False)
    observation: Observation | None = field(default=None, init=False)
    looked_at: float = field(default=0.0, init=False)
    notes: list[str] = field(default_factory=list, init=False)
    _shares: Samples = field(default=(), init=False)
    _checked: tuple[str, ...] | None = field(default=None, init=False)
    _in_vain: int = field(default=0, init=False)
    _unread: str = field(default="", init=False)

    def __call__(self, state: WatchState) -> Judgement:
        """The judgement now."""
        now = self.looked_at = self.clock.now()
        self.notes = list(self.scene.notes)
        self._scene_now()
        try:
            observation = self._observed(state, now)
        except ServiceError as problem:
            self.observation = None
            self._in_vain = self._in_vain + 1 if self.seen is None and isinstance(problem, _IN_VAIN) else 0
            return blind(self.policy, state.stage, f"Cannot see: {problem}")
        self.observation = observation
        found = self.engine(observation, self.policy, now, self._stage(state))
        misspelt = self.seen.misspelt if self.seen else ()
        going_on = found.decision is Decision.PROMOTE
        self._in_vain = self._in_vain + 1 if misspelt and going_on else 0
        missing = misspelt[0] if misspelt else self._unread
        if missing and going_on:
            # Who asks for a metric or for logs wants them to be judged: without them nothing goes on. What the others say against the new version stands.
            found = replace(found, status=Status.NO_DATA, decision=Decision.HOLD, reason=f"Cannot see: {missing}")
        return replace(found, notes=(*found.notes, *self.notes))

    def in_vain(self) -> bool:
        """Whether nothing will be seen however often it is looked: a credential, an address or a query is wrong. Said of several looks in a row."""
        return self._in_vain >= _MOST_IN_VAIN

    def told(self) -> Seen:
        """What the last look rests on, for the report."""
        drawn = charts(self.observation, self.policy, self.clock.now()) if self.observation else ()
        messages = message_counts(self.observation) if self.observation and self.logs is not None else ()
        return Seen(queries=self.seen.queries if self.seen else (), charts=drawn, query_of=self.seen.query_of if self.seen else {}, messages=messages)

    def _observed(self, state: WatchState, now: float) -> Observation:
        told = self._told(now)
        self._check(now)
        ask = self._ask(now, state.stage, state.stages if self.moves else self._shares[-1:], told)
        self.seen = gather(self.store, ask)
        if not ask.earlier and (days := self._days(self.seen.observation.share, state.stage)):
            # Only the counts showed that the old version serves no more.
            self.seen = gather(self.store, replace(ask, earlier=days))
        self.notes += [*self.seen.notes, *([self.seen.reason] if self.seen.reason else [])]
        self.notes += self._why_nothing(self.seen.observation, now)
        observation = self._with_pods(self.seen.observation, now)
        if self._shares:
            observation = replace(observation, share=self._dated(state, observation, now))
        if self.logs is not None:
            start = (self.scene.since if self.scene.since is not None else now - 3600) - _CALIBRATION
            lines = gather_logs(self.logs, LogsAsk(*self.log_queries, start, now, self._shift(now), since=self.scene.since), self.redact)
            self.notes += lines.notes
            self._unread = lines.unanswered
            observation = lines.on(replace(observation, warnings=(*observation.warnings, *lines.warnings)))
        return observation

    def _check(self, now: float) -> None:
        """By the first request whether the server can be reached, so that one that cannot is not asked many times. Raises Unavailable."""
        if self._checked is None:
            try:
                self._checked = check(self.store, now).notes
            except Unavailable:
                raise
            except ServiceError:
                self._checked = ()  # some gateways let nothing through but queries; what is wrong else, the first of these will say
        self.notes += self._checked

    def _why_nothing(self, observation: Observation, now: float) -> tuple[str, ...]:
        """Where nothing of the canary was seen: whether the server has new samples of anything."""
        canary = observation.canary
        if canary.replicas or any(series.samples for series in canary.values):
            return ()
        try:
            return newest(self.store, now).notes
        except ServiceError:
            return ()  # the queries before were answered: what these say is said already

    # The canary's part of the traffic: best known by the tool that splits it, then by us where we set it, then by the requests

    def _told(self, now: float) -> float | None:
        """As a tool tells it now; what the looks were told is kept."""
        if self.scene.share is None:
            return None
        share = self.scene.share()
        self._shares = () if share is None else (*self._shares, (now, share))
        return share

    def _dated(self, state: WatchState, observation: Observation, now: float) -> Samples:
        """The share that is told, since it began."""
        if self.moves and len(state.stages) > 1 and self._shares[-1][1] <= state.stages[-1][1]:
            return arriving(state.stages, self._shares, now)
        since = self.scene.since
        counted = () if since is None or not self.scene.concurrent else share_of(observation.canary, observation.baseline, since, now, self.policy)
        return told_share(counted, self._shares)

    def _stage(self, state: WatchState) -> int | None:
        """The stage, where it is not to be found by share and time. Where we move the traffic and a tool tells more than we gave, it is that share's."""
        if not self.moves and self.fixed_stage is None:
            return None
        if self.fixed_stage is not None or not self._shares:
            return state.stage
        told = self._shares[-1][1]
        return max([state.stage, *(index for index, stage in enumerate(self.policy.stages) if stage.share <= told + CLOSE)])

    def _ask(self, now: float, stage: int, share: Samples, told: float | None) -> MetricsAsk:
        if not share and not self.scene.concurrent and self.scene.pods is not None and self.scene.since is not None:
            share = ((self.scene.since, 1.0),)  # no old pod is left, so all of it
        preview = self.policy.stages[stage].share == 0 if told is None else told == 0
        if not share and preview and self.fixed_stage is not None:
            share = ((now - USUAL if self.scene.since is None else self.scene.since, 0.0),)  # who names this stage knows that no user is sent there
        return MetricsAsk(
            self.scene.sides, now, self.scene.since, self.policy, self.scene.pod_sides, pack=self.pack, own=self.own, calibration=_CALIBRATION,
            shift=self._shift(now), share=share, preview=preview, earlier=self._days(share or self._seen_share, stage),
            # Names of pods change with each version, and the cluster tells how all of them are named.
            every=self.scene.whole if self.scene.pods is not None and self.scene.pod_sides is None else "",
        )  # fmt: skip

    def _days(self, share: Samples, stage: int) -> int:
        """Of how many earlier days the same time is asked: of none while the old version serves beside the new one, and for judges that do not look at it."""
        part = share[-1][1] if share else self.policy.stages[stage].share if self.fixed_stage is not None else 0.0
        alone = not self.scene.concurrent or part >= ALL
        return self.policy.earlier_days if alone and self.scene.since is not None and self.engine is always_valid else 0

    @property
    def _seen_share(self) -> Samples:
        """As the last look counted it."""
        return self.observation.share if self.observation else ()

    def _shift(self, now: float) -> float:
        if self.scene.concurrent or self.scene.since is None:
            return 0.0
        return shift_before(self.scene.since, now)

    def _with_pods(self, observation: Observation, now: float) -> Observation:
        if self.scene.pods is None:
            return observation
        try:
            canary, baseline = self.scene.pods()
        except (ServiceError, UsageError) as problem:
            return replace(observation, warnings=(*observation.warnings, f"The pods could not be seen: {problem}"))
        self.notes += waiting(canary)
        # Pods that run now say nothing of a baseline of another time.
        return with_pods(observation, canary, baseline if self.scene.concurrent else (), now)

    def _scene_now(self) -> None:
        """The scene anew, where pods change their version under the same names; where it cannot be seen, as it was."""
        if self.scene.again is None:
            return
        try:
            self.scene = self.scene.again()
        except (ServiceError, UsageError) as problem:
            self.notes.append(f"Which pods are of which version is as at an earlier look: {problem}")


def blind(policy: CanaryPolicy, stage: int, reason: str) -> Judgement:
    """The judgement of what cannot be seen: it holds."""
    return Judgement(Status.NO_DATA, Decision.HOLD, reason, policy.strategy, stage, policy.stages[stage].share, 0.0, risk=0.3, weaker=True)

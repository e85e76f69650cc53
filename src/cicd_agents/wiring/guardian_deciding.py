"""The guardian's judgement in one run: of a file that was given, or by looking at the metrics until it is decided or the time is up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from cicd_agents.agents.guardian_details import Seen
from cicd_agents.agents.guardian_logs import message_counts
from cicd_agents.agents.guardian_watch import Watch, begun, fits, noted
from cicd_agents.analysis.canary.observing.charts import charts
from cicd_agents.analysis.canary.outlook import outlook
from cicd_agents.domain.canary import Decision, Judgement, Observation, Status
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.guardian import WatchState
from cicd_agents.wiring.guardian_engines import ALWAYS_VALID, engine_of
from cicd_agents.wiring.guardian_given import Given, given_judgement
from cicd_agents.wiring.guardian_looking import Looking, blind
from cicd_agents.wiring.guardian_run import WATCH, GuardianRun, Judged
from cicd_agents.wiring.guardian_scene import Scene, scene, stage_of

Keep = Callable[[WatchState], object]


@dataclass(slots=True)
class Deciding:
    """Judges. `take_hands` gets ready what acts, and looks how that stands: before the judgement, so that only what was judged is taken back.

    `promote` gives the canary a share (None: all) and says whether it has that now. `concern` asks a model about a GO, and holds it where one is raised.
    """

    run: GuardianRun
    take_hands: Callable[[Scene], None]
    promote: Callable[[Judgement, float | None], bool]
    concern: Callable[[Judged], Judged]
    _ended: tuple[WatchState, Keep] | None = field(default=None, init=False)
    _asked: tuple[Judgement, Judged] | None = field(default=None, init=False)

    def decided(self) -> Judged:
        """The judgement. Raises UsageError where nothing says what is to be judged."""
        run = self.run
        given = given_judgement(run.settings, run.rules, run.sources, run.context, run.world)
        return self._of_given(given) if given else self._watched()

    def held(self, reason: str) -> None:
        """This GO was held after all: the state that is kept says so and does not end, so that the next run judges again."""
        if self._ended is None:
            return
        state, keep = self._ended
        state = noted(replace(state, ended=""), self.run.world.clock.now(), f"{Decision.HOLD}: {reason}")
        keep(state)
        self._tells(state, keep)

    def _of_given(self, given: Given) -> Judged:
        """Numbers, samples, a template or an SLO file: one look, no watch."""
        found = self.run.nothing_seen
        seen = Seen(queries=given.queries)
        if given.recorded:
            observation, now = given.recorded.observation, given.recorded.now
            self._only_shown(now)
            found = replace(found, since=observation.since, canary_version=observation.canary.name, baseline_version=observation.baseline.name)
            drawn = charts(observation, self.run.rules.policy, now)
            seen = replace(seen, charts=drawn, messages=message_counts(observation), foresight=self._outlook(observation, now, given.judgement))
        self.take_hands(found)
        return Judged(found, given.judgement, seen, given.engine)

    def _only_shown(self, until: float) -> None:
        """Samples of the past say nothing of what runs now: by them nothing is done, told to others or remembered."""
        run = self.run
        age = run.world.clock.now() - until
        if age > run.rules.policy.hole and not run.settings.dry_run:
            run.settings = replace(run.settings, dry_run=True)
            run.notes.append(f"These samples end {age / 60:,.0f} minutes ago, so this is a dry run: nothing is written.")

    def _watched(self) -> Judged:
        run, settings = self.run, self.run.settings
        known = self._known()
        if known is not None and self._to_be_finished(known):
            return self._finished(known)
        found = self._scene()
        if isinstance(found, Judged):
            if known is not None and (known.service, known.environment) == run.named:
                self._tells(known, self._keeper(run.workspace / settings.guardian_state))
            return found
        looking = self._looking(found)
        self.take_hands(found)
        state, keep = self._state(found, known)
        seconds = settings.watch * 60.0 if run.wish.what == WATCH else 0.0
        looking.moves = run.moves
        promote = self._promoting(found, looking) if run.moves else None
        watch = Watch(looking, run.rules.policy, run.world.clock, promote, keep, run.world.say, seconds, float(settings.look_every), looking.in_vain)
        watched = watch.run(state)
        self._ended = watched.state, keep
        self._tells(watched.state, keep)
        if watched.timed_out and seconds:
            run.notes.append(f"It was not decided within {settings.watch} minutes; run it again to go on watching.")
        if watched.given_up:
            run.notes.append("The watch was ended before its time, since looking again would show no more: mend that, and run it again.")
        observation, now = looking.observation, looking.looked_at
        foresight = self._outlook(observation, now, watched.judgement) if observation else ()
        seen = replace(looking.told(), timeline=watched.state.timeline, foresight=foresight)
        self._record(observation, now)
        if self._asked is not None and self._asked[0] is watched.judgement:
            return replace(self._asked[1], seen=seen)
        return Judged(found, watched.judgement, seen, settings.judge, run.moves)

    def _promoting(self, found: Scene, looking: Looking) -> Callable[[Judgement, float | None], bool]:
        """Promotes; before the last promotion a model may raise a concern, and then it is not done."""
        run = self.run

        def promote(judgement: Judgement, share: float | None) -> bool:
            if share is None or share >= run.rules.policy.stages[-1].share:
                asked = self.concern(Judged(found, judgement, looking.told(), run.settings.judge, run.moves))
                self._asked = judgement, asked
                if asked.concern:
                    return False
            return self.promote(judgement, share)

        return promote

    def _outlook(self, observation: Observation, now: float, judgement: Judgement) -> tuple[str, ...]:
        """What this traffic can show in this stage and the next ones, by the tests that decide. Not while a bad version waits to be rolled back."""
        if judgement.decision is Decision.ROLLBACK or self.run.settings.judge != ALWAYS_VALID:
            return ()
        return outlook(observation, self.run.rules.policy, now, judgement.stage)

    def _record(self, observation: Observation | None, now: float) -> None:
        """Keep the samples of the last look, where that is asked for. The gate does not depend on it."""
        run = self.run
        if not run.settings.record_samples:
            return
        from cicd_agents.clients.samples_file import write_samples_file

        if observation is None:
            run.notes.append("record-samples: nothing was seen, so nothing was kept.")
            return
        try:
            write_samples_file(run.workspace / run.settings.record_samples, observation, now, run.redacted)
        except UsageError as problem:
            run.notes.append(str(problem))

    def _scene(self) -> Scene | Judged:
        """What is judged; where that cannot be found out, the judgement that says so."""
        run = self.run
        try:
            return scene(run.settings, run.context, run.sources, run.world.clock.now())
        except ServiceError as problem:
            judgement = blind(run.rules.policy, self._stage or 0, f"Cannot see what runs: {problem}")
            return Judged(run.nothing_seen, judgement, Seen(), run.settings.judge)

    @property
    def _stage(self) -> int | None:
        """The stage that the settings name."""
        return stage_of(self.run.settings.canary_stage, self.run.rules.policy)

    def _looking(self, found: Scene) -> Looking:
        run, settings = self.run, self.run.settings
        return Looking(
            found, run.rules.policy, run.rules.own, "" if settings.metrics_pack == "auto" else settings.metrics_pack, run.sources.metrics(),
            run.sources.logs(), (settings.canary_logs, settings.baseline_logs), run.world.clock, run.redacted, engine_of(settings.judge), self._stage,
        )  # fmt: skip

    def _known(self) -> WatchState | None:
        """The state that an earlier job kept."""
        run = self.run
        if not self._keeps:
            return None
        from cicd_agents.clients.guardian_state import read_state

        try:
            return read_state(run.workspace / run.settings.guardian_state)
        except UsageError as problem:  # a damaged cache must not stop the gate
            run.notes.append(str(problem))
            return None

    @property
    def _keeps(self) -> bool:
        return bool(self.run.settings.guardian_state) and self.run.wish.what == WATCH and not self.run.settings.dry_run

    def _state(self, found: Scene, known: WatchState | None) -> tuple[WatchState, Keep]:
        """Where the watch begins, or goes on, and who keeps its state."""
        run, policy, stage, version = self.run, self.run.rules.policy, self._stage, self.run.version(found)
        now = run.world.clock.now()
        state = begun(policy, found.service, found.environment, version, now if found.since is None else found.since, stage or 0)
        state = replace(state, run=run.number, judged=run.hands.judged if run.hands else ())
        if known and (known.service, known.environment, known.version) == (state.service, state.environment, state.version):
            state = replace(state, told=known.told)
        if known and stage is None and fits(known, policy, found.service, found.environment, version):
            state = replace(noted(known, now, "The watch is taken up again."), run=run.number)
        return state, self._keeper(run.workspace / run.settings.guardian_state) if self._keeps else lambda _state: None

    def _keeper(self, path: Path) -> Keep:
        """Keeps the state in a file. Where that is not possible the watch goes on, and it is said once: a rollback that is decided must not wait for a disk."""
        from cicd_agents.clients.guardian_state import write_state

        def keep(state: WatchState) -> None:
            try:
                write_state(path, state)
            except UsageError as problem:
                if str(problem) not in self.run.notes:
                    self.run.notes.append(str(problem))

        return keep

    def _tells(self, state: WatchState, keep: Keep) -> None:
        """What people were told last stands in the state, where one is kept, and so will what they are told now."""
        if self._keeps:
            self.run.last_told = state.told
            self.run.keep_told = lambda kind: keep(replace(state, told=kind))

    def _to_be_finished(self, known: WatchState) -> bool:
        """Whether an earlier try of this very run decided to roll back."""
        run = self.run
        return known.ended == str(Decision.ROLLBACK) and run.number != "" and known.run == run.number and (known.service, known.environment) == run.named

    def _finished(self, state: WatchState) -> Judged:
        """What an earlier try of this run began; by now there may be no new version left to be seen."""
        run = self.run
        try:
            found = scene(run.settings, run.context, run.sources, run.world.clock.now())
        except (ServiceError, UsageError):
            found = run.nothing_seen
        self.take_hands(found)
        return Judged(found, self._unfinished(state), Seen(timeline=state.timeline), run.settings.judge)

    def _unfinished(self, state: WatchState) -> Judgement:
        """The decision of an earlier try of this run, which may have been stopped while it rolled back: it is brought to its end."""
        hands, policy = self.run.hands, self.run.rules.policy
        if hands is not None:
            # Without any the first try could not even begin, since nothing is taken back that was not judged.
            hands.judged = state.judged or hands.judged
        last = state.timeline[-1].text if state.timeline else "no reason is kept"
        stage = min(state.stage, len(policy.stages) - 1)
        reason = f"An earlier try of this run decided to roll {state.version or 'this version'} back ({last.rstrip('.')})."
        return replace(blind(policy, stage, reason), status=Status.FAIL, decision=Decision.ROLLBACK, risk=1.0)

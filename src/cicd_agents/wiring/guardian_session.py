"""One run of the guardian, from the evidence to the exit code: judge, act by the judgement, tell people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.agents.guardian_details import OUTCOME_OF, Seen, Subject, details_of, findings_of, title_of
from cicd_agents.agents.guardian_watch import Watch, begun, fits, noted
from cicd_agents.clients.audit_file import AuditFile
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.platforms.release_services import ReleaseServices
from cicd_agents.context.choice import GUARDIAN
from cicd_agents.domain.canary import Decision, Judgement, Status
from cicd_agents.domain.context import RunContext
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.finding import Evidence, Fix
from cicd_agents.domain.guardian import DeliveryStanding, Link, Sides, WatchState
from cicd_agents.domain.history import PastDecision
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.verdict import EXIT_PASS, EXIT_UNDECIDED, FailOn, GuardianVerdict
from cicd_agents.operations.guardian_advice import Advice, Advised, Facts, advise
from cicd_agents.operations.guardian_incident import OPEN_INCIDENT
from cicd_agents.operations.transaction import code_of
from cicd_agents.publish.report_files import safe_folder
from cicd_agents.report.document import GuardianReport, report_of
from cicd_agents.report.guardian_incident import to_incident
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.guardian_given import Given, Rules, given_judgement, rules_of
from cicd_agents.wiring.guardian_looking import Looking, always_valid, blind, imitating_kayenta
from cicd_agents.wiring.guardian_places import GuardianPlaces, slack_post
from cicd_agents.wiring.guardian_recovered import ErrorRate
from cicd_agents.wiring.guardian_scene import Scene, named, scene, stage_of
from cicd_agents.wiring.guardian_sources import Sources

if TYPE_CHECKING:
    from cicd_agents.wiring.guardian_acting import Acting
    from cicd_agents.wiring.world import World

WATCH = "watch"
# On a person's machine; in CI it lies beside the report files.
_OWN_FOLDER = ".cicd-agents"
_BY_HAND = ("rollback", "resume")
# Of a table of numbers nobody knows the application; whoever reads the commands does.
_COMMANDS = ("argocd app history {name}", "argocd app rollback {name} <ID>")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: `check` is one look, `watch` looks until it is decided, `rollback` and `resume` act without a judgement, for `reason`."""

    what: str = WATCH
    form: str = "text"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came out of it. `moved`: the watch gave the traffic itself, as far as it went."""

    scene: Scene
    judgement: Judgement
    seen: Seen
    engine: str
    moved: bool = False


@dataclass(slots=True)
class GuardianSession:
    """One run, with all that it needs at hand."""

    settings: Settings
    context: RunContext
    world: World
    wish: Wish
    services: ReleaseServices | None
    budget: Budget
    stack: ExitStack
    sources: Sources = field(init=False)
    rules: Rules = field(init=False)
    notes: list[str] = field(default_factory=list, init=False)
    hands: Acting | None = field(default=None, init=False)
    judged: Judged | None = field(default=None, init=False)
    before: DeliveryStanding | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.sources = Sources(self.settings, self.world, self.budget, self.stack)
        self.rules = rules_of(self.settings, self.context)
        self.notes += self.rules.notes

    def run(self) -> int:
        """Judge, act, tell; the exit code."""
        began = self.world.clock.monotonic()
        if self.wish.what in _BY_HAND:
            self.judged = self._without_judgement()
        else:
            given = given_judgement(self.settings, self.rules, self.sources, self.context, self.world)
            self.judged = self._of_given(given) if given else self._watched()
            self._act(self.judged)
        report = self._report(self.judged, self.world.clock.monotonic() - began)
        self._remember(self.judged)
        return self._told(report)

    # Judging

    def _of_given(self, given: Given) -> Judged:
        """Numbers, a template or an SLO file: one look, no watch."""
        service, environment = named(self.settings, self.context)
        found = Scene(service, environment, Sides("", ""), None)
        self._take_hands(found)
        return Judged(found, given.judgement, Seen(queries=given.queries), given.engine)

    def _watched(self) -> Judged:
        found = self._scene()
        if isinstance(found, Judged):
            return found
        looking = self._looking(found)
        self._take_hands(found)
        state, keep = self._state(found)
        if state.ended == str(Decision.ROLLBACK):
            return Judged(found, self._unfinished(state), Seen(timeline=state.timeline), self.settings.judge)
        seconds = self.settings.watch * 60.0 if self.wish.what == WATCH else 0.0
        hands, looking.moves = self.hands, self._moves
        promote = (lambda judgement, share: hands.promote(share, judgement.reason)) if hands and self._moves else None
        watch = Watch(looking, self.rules.policy, self.world.clock, promote, keep, self.world.say, seconds, float(self.settings.look_every))
        watched = watch.run(state)
        if watched.timed_out and seconds:
            self.notes.append(f"It was not decided within {self.settings.watch} minutes; run it again to go on watching.")
        return Judged(found, watched.judgement, replace(looking.told(), timeline=watched.state.timeline), self.settings.judge, self._moves)

    def _scene(self) -> Scene | Judged:
        """What is judged; where that cannot be found out, the judgement that says so."""
        try:
            return scene(self.settings, self.context, self.sources, self.world.clock.now())
        except ServiceError as problem:
            service, environment = named(self.settings, self.context)
            stage = stage_of(self.settings.canary_stage, self.rules.policy) or 0
            unseen = Scene(service, environment, Sides("", ""), None)
            return Judged(unseen, blind(self.rules.policy, stage, f"Cannot see what runs: {problem}"), Seen(), self.settings.judge)

    def _looking(self, found: Scene) -> Looking:
        engine = imitating_kayenta if self.settings.judge == "kayenta" else always_valid
        return Looking(
            found, self.rules.policy, self.rules.own, "" if self.settings.metrics_pack == "auto" else self.settings.metrics_pack, self.sources.metrics(),
            self.sources.logs(), (self.settings.canary_logs, self.settings.baseline_logs), self.world.clock, self._redacted, engine,
            stage_of(self.settings.canary_stage, self.rules.policy),
        )  # fmt: skip

    def _state(self, found: Scene) -> tuple[WatchState, Callable[[WatchState], object]]:
        """Where the watch begins, or goes on, and who keeps its state."""
        now = self.world.clock.now()
        stage = stage_of(self.settings.canary_stage, self.rules.policy)
        fresh = begun(self.rules.policy, found.service, found.environment, found.canary_version, now if found.since is None else found.since, stage or 0)
        run = self.context.own_run.id if self.context.own_run else ""
        fresh = replace(fresh, run=run, judged=self.hands.judged if self.hands else ())
        if not self.settings.guardian_state or self.wish.what != WATCH or self.settings.dry_run:
            return fresh, lambda _state: None
        from cicd_agents.clients.guardian_state import read_state, write_state

        path = Path(self.context.workspace or ".") / self.settings.guardian_state
        try:
            known = read_state(path)
        except UsageError as problem:  # a damaged cache must not stop the gate
            known = None
            self.notes.append(str(problem))
        if (
            known
            and known.ended == str(Decision.ROLLBACK)
            and run
            and known.run == run
            and (known.service, known.environment) == named(self.settings, self.context)
        ):
            return known, lambda state: write_state(path, state)
        if known and stage is None and fits(known, self.rules.policy, found.service, found.environment, found.canary_version):
            fresh = replace(noted(known, now, "The watch is taken up again."), run=run)
        return fresh, lambda state: write_state(path, state)

    def _unfinished(self, state: WatchState) -> Judgement:
        """The decision of an earlier try of this run, which may have been stopped while it rolled back: it is brought to its end."""
        if self.hands is not None:
            # Without any the first try could not even begin, since nothing is taken back that was not judged.
            self.hands.judged = state.judged or self.hands.judged
        last = state.timeline[-1].text if state.timeline else "no reason is kept"
        stage = min(state.stage, len(self.rules.policy.stages) - 1)
        reason = f"An earlier try of this run decided to roll {state.version or 'this version'} back ({last.rstrip('.')})."
        return replace(blind(self.rules.policy, stage, reason), status=Status.FAIL, decision=Decision.ROLLBACK, risk=1.0)

    # Acting

    @property
    def _moves(self) -> bool:
        """Whether the watch itself gives the canary its shares."""
        return self.hands is not None and self.settings.promote == "auto" and self.wish.what == WATCH

    def _take_hands(self, found: Scene) -> None:
        """What acts, where the settings name something to act by, and how it stands before anything is done: only that version is taken back."""
        way = self.sources.way()
        if way is None:
            return
        from cicd_agents.wiring.guardian_acting import Acting as Hands

        audit = AuditFile(self._audit_folder() / "audit.jsonl", self.world.redactor, self.context.actor, self.context.run_url)
        recovered = ErrorRate(found, self.rules, self.sources.metrics, self.world.clock) if found.whole and self.sources.has_metrics else lambda: None
        self.hands = Hands(
            way, self.settings, self.context, self.world, self.services, audit, self.stack, (), recovered, self._incident, self._teller(),
        )  # fmt: skip
        self.before = self.hands.standing()
        runs = self.before.current if self.before else None
        # Images that were judged; where no pods were seen, what the tool said ran when we began to look.
        seen = found.canary_version.split() if found.pods else []
        self.hands.judged = tuple(seen) or ((runs.version or runs.id,) if runs else ())

    def _act(self, judged: Judged) -> None:
        hands, judgement = self.hands, judged.judgement
        if hands is None:
            return
        if judgement.decision is Decision.ROLLBACK:
            freeze = self._advised(judged).advice is Advice.FREEZE if self.settings.freeze == "auto" else self.settings.freeze == "yes"
            hands.rollback(judgement.reason, self._evidence(judged), freeze=freeze)
        elif judgement.decision is Decision.PROMOTE:
            following = judgement.stage + 1
            if following < len(self.rules.policy.stages) and not judged.moved:
                share = self.rules.policy.stages[following].share
                hands.promote(share if share < 1 else None, judgement.reason)
            elif following >= len(self.rules.policy.stages):
                hands.mark_healthy(judgement.reason)

    def _advised(self, judged: Judged) -> Advised:
        """Rollback, freeze or hotfix, with the reasons."""
        standing = self.before
        files = self.hands.changed_files(standing) if self.hands else None
        can_freeze = bool(self.hands and standing and self._freezable(standing))
        judgement = judged.judgement
        good = bool(self.settings.rollback_to or (standing and standing.good))
        return advise(Facts(judgement.status, judgement.share, judgement.minutes or None, good, files, can_freeze))

    def _freezable(self, standing: DeliveryStanding) -> bool:
        try:
            return bool(self.hands and self.hands.way.freeze(standing, "asked"))
        except (ServiceError, UsageError):
            return False

    def _without_judgement(self) -> Judged:
        """A person says what to do: roll back, or resume."""
        service, environment = named(self.settings, self.context)
        found = Scene(service, environment, Sides("", ""), None)
        self._take_hands(found)
        if self.hands is None:
            raise UsageError("Nothing says by what to act: set delivery, such as argocd:APP, or workload.")
        reason = f"Asked for: {' '.join(self.wish.reason.split())}"
        judgement = blind(self.rules.policy, 0, reason)
        if self.wish.what == "rollback":
            self.judged = Judged(found, replace(judgement, status=Status.FAIL, decision=Decision.ROLLBACK, weaker=False), Seen(), "by hand")
            self.hands.settings = replace(self.settings, rollback="auto")
            self.hands.rollback(reason, (), freeze=self.settings.freeze == "yes")
            return self.judged
        try:
            self.hands.resume(reason)
        except ServiceError as problem:
            self.notes.append(f"Nothing was resumed: {problem}")
            return Judged(found, judgement, Seen(), "by hand")
        return Judged(found, replace(judgement, status=Status.PASS, decision=Decision.PROMOTE, weaker=False, risk=0.0), Seen(), "by hand")

    def _evidence(self, judged: Judged) -> tuple[Evidence, ...]:
        return tuple(item for finding in findings_of(judged.judgement, judged.seen) for item in finding.evidence)[:5]

    def _incident(self, done: Sequence[Operation]) -> tuple[str, str]:
        judged = self.judged or Judged(Scene(*named(self.settings, self.context), Sides("", ""), None), blind(self.rules.policy, 0, ""), Seen(), "")
        verdict = replace(self._verdict(judged), operations=tuple(done))
        return to_incident(report_of(verdict, FailOn.NEVER, 0.0, self.world.redactor))

    def _teller(self) -> Callable[[Sequence[Operation], str], None] | None:
        if not self.settings.slack_webhook:
            return None
        from cicd_agents.report.escape import plain

        service, environment = named(self.settings, self.context)
        where = f" in {environment}" if environment else ""

        def tell(_done: Sequence[Operation], url: str) -> None:
            text = f"The rollback of {service}{where} failed. {url or self.context.run_url}"
            slack_post(self.settings, self.world, self.budget, self.stack)({"text": plain(text.strip(), 1000)})

        return tell

    def _audit_folder(self) -> Path:
        """In CI beside the report files; else a folder of ours here."""
        workspace = Path(self.context.workspace or ".")
        wanted = self.settings.report_dir if self.context.own_run else _OWN_FOLDER
        try:
            folder = safe_folder(Path(wanted), workspace)
        except OSError:
            folder = None
        if folder is None:
            raise UsageError(f"{wanted}: leads out of the workspace, or cannot be made, so the audit log has no place; nothing is written without it.")
        return folder

    # Telling

    def _verdict(self, judged: Judged) -> GuardianVerdict:
        judgement, policy = judged.judgement, self.rules.policy
        subject = self._subject(judged)
        details = details_of(judgement, policy, subject, replace(judged.seen, links=self._links(judged)))
        if judgement.decision is Decision.ROLLBACK and self.before is not None and self.wish.what not in _BY_HAND:
            advised = self._advised(judged)
            details = replace(details, actions=(*details.actions, Fix("quick", f"Advice: {advised.advice}", " ".join(advised.reasons), (), 0.7)))
        operations = tuple(self.hands.operations) if self.hands else ()
        notes = (*self.notes, *judgement.notes, *(self.hands.notes if self.hands else ()))
        return GuardianVerdict(
            GUARDIAN, OUTCOME_OF[judgement.decision], title_of(judgement, policy, subject), judgement.reason, details, findings_of(judgement, judged.seen),
            tuple(dict.fromkeys(notes)), operations,
        )  # fmt: skip

    def _subject(self, judged: Judged) -> Subject:
        found, standing = judged.scene, self.before
        if self.hands and standing:
            to = standing.good
            commands = self.hands.way.commands(standing, to)
        else:
            name = self.settings.service or "<APPLICATION>"
            commands = tuple(line.format(name=name) for line in _COMMANDS)
        return Subject(found.service, found.environment, found.canary_version, found.baseline_version, judged.engine, commands)

    def _links(self, judged: Judged) -> tuple[Link, ...]:
        dashboards = self.sources.dashboards() if self.settings.grafana_dashboard else None
        if dashboards is None:
            return ()
        now = self.world.clock.now()
        begin = judged.scene.since if judged.scene.since is not None else now - 3600
        return (dashboards.link(self.settings.grafana_dashboard, begin - 1800, now),)

    def _report(self, judged: Judged, seconds: float) -> GuardianReport:
        """The report. The gate follows the judgement; where that opens it, or a person asked, what became of the operations counts."""
        report = report_of(self._verdict(judged), self.settings.guardian_fail_on, seconds, self.world.redactor)
        code = code_of(report.operations, dry_run=self.settings.dry_run)
        if self.wish.what in _BY_HAND:
            nothing = judged.judgement.status is Status.NO_DATA or (self.wish.what == "rollback" and not report.operations)
            return replace(report, exit_code=code if code is not None else EXIT_UNDECIDED if nothing else EXIT_PASS)
        acted = {Decision.ROLLBACK: self.settings.rollback, Decision.PROMOTE: self.settings.promote}.get(judged.judgement.decision) == "auto"
        return replace(report, exit_code=code) if report.exit_code == EXIT_PASS and code is not None and acted else report

    def _told(self, report: GuardianReport) -> int:
        stages = self.rules.policy.stages
        following = stages[report.details.stage].share if report.details.stage < len(stages) else None
        issue = next((one.result for one in report.operations if one.kind == OPEN_INCIDENT), "")
        places = GuardianPlaces(
            self.context, self.settings, self.world, self.services, self.sources.dashboards(), self.budget, self.stack, self.wish.form
        )  # fmt: skip
        failed = places.tell(report, following, _address(issue))
        if failed and self.settings.fail_on_publish_error and report.exit_code == EXIT_PASS:
            return EXIT_UNDECIDED
        return report.exit_code

    def _remember(self, judged: Judged) -> None:
        """The decision in the memory, where there is one."""
        if not (self.settings.history or self.settings.history_url) or judged.engine == "by hand":
            return
        from cicd_agents.clients.history import open_history

        writable = self.context.trusted and not self.settings.dry_run
        path = str(Path(self.context.workspace or ".") / self.settings.history) if self.settings.history else ""
        found, judgement, now = judged.scene, judged.judgement, self.world.clock.now()
        decision = PastDecision(
            self.context.repository, found.service, found.environment, found.canary_version, judgement.stage,
            self.context.own_run.id if self.context.own_run else "", now, now if found.since is None else found.since, str(judgement.status),
            str(judgement.decision), judgement.reason, judgement.risk, found.sides.canary, found.sides.baseline, found.sides.common,
        )  # fmt: skip
        try:
            with open_history(path, self.settings.history_url, writable, self.world.clock, redact=self._redacted) as memory:
                memory.record_decision(decision)
        except (ServiceError, UsageError) as problem:
            self.world.say(f"The decision was not remembered: {problem}")

    def _redacted(self, text: str) -> str:
        return self.world.redactor.redact(text).text


def _address(text: str) -> str:
    """The address in what an operation says of itself."""
    return next((word for word in text.split() if word.startswith("https://")), "")

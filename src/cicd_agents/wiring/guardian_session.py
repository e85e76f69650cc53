"""One run of the guardian, from the evidence to the exit code: judge, act by the judgement, tell people."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cicd_agents.domain.canary import Decision, Status
from cicd_agents.domain.verdict import EXIT_PASS, EXIT_UNDECIDED, EXIT_USAGE
from cicd_agents.operations.transaction import code_of
from cicd_agents.report.document import GuardianReport, report_of
from cicd_agents.wiring.guardian_asking import Asking
from cicd_agents.wiring.guardian_deciding import Deciding
from cicd_agents.wiring.guardian_hands import Hands
from cicd_agents.wiring.guardian_memory import memory_of, remember, untold
from cicd_agents.wiring.guardian_places import GuardianPlaces
from cicd_agents.wiring.guardian_run import ROLLBACK, GuardianRun, Judged
from cicd_agents.wiring.guardian_verdict import verdict
from cicd_agents.wiring.memory import SharedMemory


@dataclass(slots=True)
class GuardianSession:
    """Goes through one run."""

    run: GuardianRun
    memory: SharedMemory = field(init=False)

    def __post_init__(self) -> None:
        self.memory = memory_of(self.run)

    def exit_code(self) -> int:
        """Judge, act, tell; the exit code. Raises UsageError where nothing can be begun."""
        clock = self.run.world.clock
        began = clock.monotonic()
        hands, asking = Hands(self.run), Asking(self.run, self.memory)
        if self.run.wish.by_hand:
            judged = hands.by_hand()
        else:
            deciding = Deciding(self.run, hands.take, hands.promote, asking.before)
            judged = asking.at_end(deciding.decided())
            if judged.concern:
                deciding.held(judged.judgement.reason)
            hands.act(judged)
        earlier = remember(self.run, self.memory, judged)
        self.run.notes += earlier
        judged = asking.after(judged, earlier)
        return self._told(self._report(judged, clock.monotonic() - began), judged)

    def _report(self, judged: Judged, seconds: float) -> GuardianReport:
        """The report. The gate follows the judgement; where that opens it, or a person asked, what became of the operations counts."""
        run, settings, decision = self.run, self.run.settings, judged.judgement.decision
        report = report_of(verdict(run, judged), settings.guardian_fail_on, seconds, run.world.redactor)
        code = code_of(report.operations, dry_run=settings.dry_run or not run.context.trusted)  # of a stranger's run all is only shown
        if run.wish.by_hand:
            nothing = judged.judgement.status is Status.NO_DATA or (run.wish.what == ROLLBACK and not report.operations)
            return replace(report, exit_code=code if code is not None else EXIT_UNDECIDED if nothing else EXIT_PASS)
        if run.misconfigured and report.exit_code == EXIT_PASS:
            return replace(report, exit_code=EXIT_USAGE)
        acted = {Decision.ROLLBACK: settings.rollback, Decision.PROMOTE: settings.promote, Decision.HOLD: settings.hold}[decision] == "auto"
        if code is None and run.unpromoted:
            code = EXIT_UNDECIDED
        return replace(report, exit_code=code) if report.exit_code == EXIT_PASS and code is not None and acted else report

    def _told(self, report: GuardianReport, judged: Judged) -> int:
        run, stages = self.run, self.run.rules.policy.stages
        following = stages[report.details.stage].share if report.details.stage < len(stages) else None
        places = GuardianPlaces(
            run.context, run.settings, run.world, run.services, run.sources.dashboards(), run.budget, run.stack, run.wish.form, run.last_told, run.keep_told,
            lambda: untold(run, self.memory, judged),
        )  # fmt: skip
        failed = places.tell(report, following)
        if failed and run.settings.fail_on_publish_error and report.exit_code == EXIT_PASS:
            return EXIT_UNDECIDED
        return report.exit_code

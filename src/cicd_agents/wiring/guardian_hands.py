"""What the guardian does in one run: takes the tool into its hands, acts by the judgement or by a person's word, and tells where a rollback failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cicd_agents.agents.guardian_details import Seen, findings_of
from cicd_agents.clients.audit_file import AuditFile
from cicd_agents.domain.canary import Decision, Judgement, Status
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.guardian import KnownRevision
from cicd_agents.domain.operation import REACHED, Operation, OperationStatus
from cicd_agents.domain.verdict import FailOn
from cicd_agents.operations.guardian_advice import Advice
from cicd_agents.operations.guardian_versions import matches
from cicd_agents.publish.report_files import safe_folder
from cicd_agents.report.document import report_of
from cicd_agents.report.escape import mrkdwn
from cicd_agents.report.guardian_incident import to_incident
from cicd_agents.wiring.approvals import check_approvals
from cicd_agents.wiring.guardian_looking import blind
from cicd_agents.wiring.guardian_places import slack_post
from cicd_agents.wiring.guardian_recovered import ErrorRate
from cicd_agents.wiring.guardian_run import ROLLBACK, GuardianRun, Judged
from cicd_agents.wiring.guardian_scene import Scene
from cicd_agents.wiring.guardian_verdict import advised, verdict

# On a person's machine; in CI it lies beside the report files.
_OWN_FOLDER = ".cicd-agents"
_MOST_TOLD = 1500


@dataclass(slots=True)
class Hands:
    """Acts. `judged` is for the incident, which is written while the rollback still goes on."""

    run: GuardianRun
    judged: Judged | None = field(default=None, init=False)

    def take(self, found: Scene) -> None:
        """What acts, where the settings name something to act by, and how it stands before anything is done: only that version is taken back."""
        run = self.run
        way = run.sources.way()
        if way is None:
            if run.settings.rollback == "auto":
                run.notes.append("rollback: auto has nothing to act by, so a NO-GO only closes the gate: set delivery or workload.")
            return
        check_approvals(run.settings)  # at a healthy deployment already, not only when somebody must be asked
        from cicd_agents.wiring.guardian_acting import Acting

        audit = AuditFile(self._audit_folder() / "audit.jsonl", run.world.redactor, run.context.actor, run.context.run_url)
        recovered = ErrorRate(found, run.rules, run.sources.metrics, run.world.clock) if found.whole and run.sources.has_metrics else lambda: None
        run.hands = Acting(
            way, run.settings, run.context, run.world, run.services, audit, run.stack, (), recovered, self._incident, self._teller(),
        )  # fmt: skip
        run.before = run.hands.standing()
        runs = run.before.current if run.before else None
        run.hands.judged = _judged(found, runs)

    def act(self, judged: Judged) -> None:
        """By the judgement."""
        self.judged = judged
        run, hands, judgement = self.run, self.run.hands, judged.judgement
        stages = run.rules.policy.stages
        if judgement.decision is Decision.ROLLBACK and hands is not None:
            advice = advised(run, judgement).advice  # asked for now, since the report shows the same and the tool tells otherwise afterwards
            freeze = advice is Advice.FREEZE if run.settings.freeze == "auto" else run.settings.freeze == "yes"
            self._tried(lambda: hands.rollback(run.why(judgement), _evidence(judged), freeze=freeze))
        elif judgement.decision is Decision.PROMOTE:
            following = judgement.stage + 1
            if following < len(stages) and not judged.moved:
                share = stages[following].share
                self.promote(judgement, share if share < 1 else None)
            elif hands is not None:
                if following >= len(stages):
                    hands.mark_healthy(judgement.reason)
                self._tried(lambda: hands.release(run.why(judgement)))
        elif hands is not None and not judged.concern:  # a model's words keep a promotion back, but they write nothing
            self._tried(lambda: hands.hold(run.why(judgement)))

    def promote(self, judgement: Judgement, share: float | None) -> bool:
        """Give the canary the share (None: all); whether it has that now."""
        hands, run = self.run.hands, self.run
        if hands is None:
            if run.must_promote:
                run.not_promoted(share, "nothing says by what to act; set delivery or workload")
            return False
        notes, operations = len(hands.notes), len(hands.operations)
        given = self._tried(lambda: hands.promote(share, run.why(judgement)))
        # Of an operation that was not done its own status tells, and of settings that make no sense their own exit code.
        if run.must_promote and not (given or run.misconfigured or len(hands.operations) > operations):
            run.not_promoted(share, " ".join(hands.notes[notes:]) or f"{hands.way.target} has no share that could be set so")
            del hands.notes[notes:]
        if all(one.status in REACHED for one in hands.operations[operations:]):
            # A promotion has ended a hold of ours; where there is none to be made the roll-out goes on by itself.
            self._tried(lambda: hands.release(run.why(judgement)))
        return given

    def _tried(self, act: Callable[[], bool | None]) -> bool:
        """Settings by which it cannot be done, such as approvers that are not there, must not hide the judgement."""
        try:
            return bool(act())
        except UsageError as problem:
            self.run.notes.append(f"Nothing was written: {problem}")
            self.run.misconfigured = True
            return False

    def by_hand(self) -> Judged:
        """A person says what to do: roll back, or resume. Raises UsageError where the settings name nothing to act by."""
        run, found = self.run, self.run.nothing_seen
        self.take(found)
        if run.hands is None:
            raise UsageError("Nothing says by what to act: set delivery, such as argocd:APP, or workload.")
        reason = f"Asked for: {' '.join(run.wish.reason.split())}"
        judgement = blind(run.rules.policy, 0, reason)
        if run.wish.what == ROLLBACK:
            self.judged = Judged(found, replace(judgement, status=Status.FAIL, decision=Decision.ROLLBACK, weaker=False), Seen(), "by hand")
            run.hands.settings = replace(run.settings, rollback="auto")
            run.hands.rollback(reason, (), freeze=run.settings.freeze == "yes")
            return self.judged
        try:
            run.hands.resume(reason)
        except ServiceError as problem:
            run.notes.append(f"Nothing was resumed: {problem}")
            return Judged(found, judgement, Seen(), "by hand")
        return Judged(found, replace(judgement, status=Status.PASS, decision=Decision.PROMOTE, weaker=False, risk=0.0), Seen(), "by hand")

    def _incident(self, done: Sequence[Operation]) -> tuple[str, str]:
        run = self.run
        judged = self.judged or Judged(run.nothing_seen, blind(run.rules.policy, 0, ""), Seen(), "")
        found = replace(verdict(run, judged), operations=tuple(done))
        return to_incident(report_of(found, FailOn.NEVER, 0.0, run.world.redactor))

    def _teller(self) -> Callable[[Sequence[Operation], str], None] | None:
        run = self.run
        if not run.settings.slack_webhook:
            return None
        service, environment = run.named
        where = f" in {environment}" if environment else ""

        def tell(done: Sequence[Operation], url: str) -> None:
            broken = next((f" {one.kind}: {one.result}" for one in done if one.status is OperationStatus.FAILED), "")
            text = f"The rollback of {service}{where} failed, so a person must act.{broken} {url or run.context.run_url}"
            slack_post(run.settings, run.world, run.budget, run.stack)({"text": mrkdwn(run.redacted(text), _MOST_TOLD)})

        return tell

    def _audit_folder(self) -> Path:
        """In CI beside the report files; else a folder of ours here."""
        wanted = self.run.settings.report_dir if self.run.context.own_run else _OWN_FOLDER
        try:
            folder = safe_folder(Path(wanted), self.run.workspace)
        except OSError:
            folder = None
        if folder is None:
            raise UsageError(f"{wanted}: leads out of the workspace, or cannot be made, so the audit log has no place; nothing is written without it.")
        return folder


def _judged(found: Scene, runs: KnownRevision | None) -> tuple[str, ...]:
    """What was judged, in the tool's words: what it said ran when we began to look, and the images of the pods as far as the tool names such images.

    Others than the tool's are put into pods on their way (sidecars of a mesh). Where the tool names none of them, they stand, and nothing is taken back.
    """
    if runs is None:
        return ()
    images = found.canary_version.split() if found.pods else []
    told = [image for image in images if matches(image, runs)] or images
    return (*told, runs.id) if runs.id else (*told, runs.version)


def _evidence(judged: Judged) -> tuple[Evidence, ...]:
    return tuple(item for finding in findings_of(judged.judgement, judged.seen) for item in finding.evidence)[:5]

"""`cicd-agents run`: context and settings → clients, agent, destinations. Built here and handed on; the judgement is elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cicd_agents import __version__
from cicd_agents.agents.pipeline_doctor import Consultation, OpenJobLog, PipelineDoctor
from cicd_agents.clients.audit_file import AuditFile
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.git_command import has_git
from cicd_agents.clients.platforms.services import Order, Platforms, platforms_for
from cicd_agents.clients.settings_file import MAX_SETTINGS, parse_settings, read_event, read_settings_file
from cicd_agents.context.choice import GUARDIAN, RELEASES, choose
from cicd_agents.context.detect import detect
from cicd_agents.domain.ci import Job, RunRef, Status
from cicd_agents.domain.context import Kind, RunContext
from cicd_agents.domain.errors import NotAllowed, NotFound, ServiceError, UsageError
from cicd_agents.domain.ports import Clock, History, OpenLog
from cicd_agents.domain.verdict import Verdict
from cicd_agents.operations.policy import Mode, rerun_policy
from cicd_agents.operations.reruns import Reruns
from cicd_agents.publish.outcome import Published, PublishStatus
from cicd_agents.publish.report_files import safe_folder
from cicd_agents.report.document import report_of
from cicd_agents.report.text import to_text
from cicd_agents.run import exit_code_of, tell
from cicd_agents.settings.model import Settings
from cicd_agents.settings.names import FILE_NAME
from cicd_agents.settings.options import AGENTS
from cicd_agents.settings.reading import read
from cicd_agents.wiring.destinations import destinations, skipped_outputs
from cicd_agents.wiring.explaining import explainer
from cicd_agents.wiring.memory import has_memory, open_memory
from cicd_agents.wiring.world import World

if TYPE_CHECKING:
    from cicd_agents.clients.history_store import StoredHistory
    from cicd_agents.wiring.doctor_asking import DoctorAsking

_WITH_GIT = "use org/cicd-agents/release on GitHub, the component release-manager on GitLab"


def run_in_ci(command_line: Mapping[str, str], config: str | None, world: World) -> int:
    """Run the agent that the event calls for; returns the exit code. Raises UsageError for wrong settings or a context that makes no sense."""
    clock = world.clock
    context = detect(world.environment, read_event(world.environment.get("GITHUB_EVENT_PATH", "")))
    first = read(command_line, world.environment, None, str(context.platform))
    context = _aimed(context, first)
    choice = choose(first.agent, context, first.job_status, agents=AGENTS)  # the file says neither, so nothing has to be read for it
    world.say(f"cicd-agents {__version__} on {context.platform}, event {context.event or 'unknown'}. {choice.reason}")
    if choice.agent is None:
        return _skipped(choice.reason, context, first, world)
    if choice.agent == RELEASES and not has_git(world.environment):
        if first.agent == RELEASES:
            raise UsageError(f"The release-manager needs git, and there is none on PATH; {_WITH_GIT}, or install git.")
        # Nobody asked for a release by name: the doctor's users, whose image has no git, run on tags as well.
        return _skipped(f"{choice.reason} It needs git, and there is none here: {_WITH_GIT}.", context, first, world)
    if first.explain == "required":
        explainer(first, context, world, lambda: 0.0, lambda: None)  # without a key nothing is asked, not even for the settings file
    with ExitStack() as stack:
        order = Order(context, first, world.environment, clock, Budget(clock, first.time_limit), world.say, world.timeouts)
        platforms = stack.enter_context(platforms_for(order))
        file, notes, known = _settings_file(config, context, platforms)
        settings = read(command_line, world.environment, file, str(context.platform))
        for name, source in settings.sources:
            world.say(f"  {name}: from {source}")
        if choice.agent == RELEASES:
            from cicd_agents.wiring.release_apply import Wish, apply_release

            return apply_release(Wish(Path(context.workspace or ".")), settings, context, world)
        if choice.agent == GUARDIAN:
            return _guardian(settings, context, world, named=first.agent == GUARDIAN)
        session = Session(context, settings, platforms, clock, world, stack)
        return session.doctor(notes, policy_known=known or any(name == "fail-on" for name, _ in settings.sources))


def _guardian(settings: Settings, context: RunContext, world: World, *, named: bool) -> int:
    """The guardian; where nobody asked for it by name and no metrics are set, there is nothing that it could judge."""
    if not named and not (settings.prometheus_url or settings.grafana_url or settings.metrics_table or settings.metrics_samples):
        return _skipped(f"A deployment is for the {GUARDIAN}, and nothing says where its metrics are: set prometheus-url.", context, settings, world)
    from cicd_agents.wiring.guardian import run_guardian
    from cicd_agents.wiring.guardian_run import Wish as GuardianWish

    return run_guardian(settings, context, world, GuardianWish())


@dataclass(slots=True)
class Session:
    """One run of an agent in CI, with all that it needs at hand."""

    context: RunContext
    settings: Settings
    platforms: Platforms
    clock: Clock
    world: World
    stack: ExitStack

    def doctor(self, notes: Sequence[str], *, policy_known: bool) -> int:
        """Consult the doctor, apply what was proposed, tell people; the exit code."""
        began = self.clock.monotonic()
        notes = [*notes, *self._find_pull_request()]
        history, problem = self._history()
        notes += [problem] if problem else []
        asking = self._asking(history)
        found = self._consult(history, asking)
        verdict = self._reruns(found, history)
        advice = asking.about(found, verdict.outcome) if asking else None
        verdict = replace(verdict, advice=advice, notes=(*notes, *verdict.notes, *_forgotten(history)))
        report = report_of(verdict, self.settings.fail_on, self.clock.monotonic() - began, self.world.redactor)
        self.world.out(to_text(report, False))
        made = destinations(self.context, self.settings, self.platforms, self.world.out, lambda: secrets.token_hex(16), self.clock)
        with made as places:
            told = tell(report, places, self._say_published)
        return exit_code_of(report, told, fail_on_publish_error=self.settings.fail_on_publish_error, policy_known=policy_known)

    def _asking(self, history: StoredHistory | None) -> DoctorAsking | None:
        """Who asks a model about what is found, and keeps the logs for that; nothing of it is loaded where nobody asks."""
        who = explainer(self.settings, self.context, self.world, self.platforms.budget.left, lambda: history)
        if who is None:
            return None
        from cicd_agents.wiring.doctor_asking import DoctorAsking

        asking = DoctorAsking(who)
        self.stack.callback(asking.close)
        return asking

    def _consult(self, history: History | None, asking: DoctorAsking | None) -> Consultation:
        own = self.settings.signatures or None
        if own and self.context.pull_request and self.context.pull_request.from_fork:
            own = None
            self.world.say("signatures: ignored, since the run is of a fork.")
        open_log = self._open_log()
        doctor = PipelineDoctor(
            self.platforms.ci, asking.logs.of_jobs(open_log) if asking else open_log, self.platforms.repository, history, self.world.catalogue(own), self.clock,
            max_jobs=self.settings.max_jobs, baseline=self.settings.baseline,
        )  # fmt: skip
        return doctor.consult(self.context)

    def _reruns(self, found: Consultation, history: History | None) -> Verdict:
        """The verdict after re-runs; without a place for the audit log nothing is started."""
        policy = rerun_policy(self.settings)
        folder = self._audit_folder() if policy.mode is not Mode.OFF else Path()
        if folder is None:
            self.world.say("re-runs: off, since the audit log has no place: report-dir leads out of the workspace, or cannot be made.")
            policy, folder = replace(policy, mode=Mode.OFF), Path()
        audit = AuditFile(folder / "audit.jsonl", self.world.redactor, self.context.actor, self.context.run_url)
        reruns = Reruns(self.platforms.ci, history, policy, audit, self.clock)
        return reruns.after(found.verdict, found.run, found.failed, found.on_commit, self.context)

    def _audit_folder(self) -> Path | None:
        try:
            return safe_folder(Path(self.settings.report_dir), Path(self.context.workspace or "."))
        except OSError:
            return None

    def _open_log(self) -> OpenJobLog:
        """From Loki where that is set, else from the CI server."""
        if not self.settings.loki_url or not self.settings.loki_query:
            return self.platforms.ci.open_log
        from cicd_agents.clients.loki import LokiLogs, fill

        loki = LokiLogs(self.settings.loki_url, self.settings.loki_token, self.clock, self.platforms.budget, allow_http=self.settings.allow_http)
        self.stack.callback(loki.close)
        settings, repository, clock = self.settings, self.context.repository, self.clock

        def open_log(job: Job) -> AbstractContextManager[OpenLog]:
            query = fill(settings.loki_query, {"job": job.name, "job_id": job.id, "run_id": job.run.id, "repository": repository})
            end = job.completed or clock.now()
            return loki.open(query, (job.started or end - 86_400) - 60, end + 300, settings.max_log_mb << 20)

        return open_log

    def _find_pull_request(self) -> list[str]:
        """Look for the pull request where the event does not name it (`workflow_run` of a fork, a push to its branch); what was said, if it failed."""
        host, context = self.platforms.host, self.context
        if context.pull_request or host is None or not context.sha or context.tag or (context.on_default_branch and context.kind is not Kind.OTHER):
            return []
        try:
            found = host.pull_request_of(context.sha, context.branch)
        except ServiceError as problem:
            return [f"The pull request was not looked for: {problem}"]
        if found:
            self.context = replace(context, pull_request=found, trusted=context.trusted and not found.from_fork)
        return []

    def _history(self) -> tuple[StoredHistory | None, str]:
        if not has_memory(self.settings):
            return None, ""
        from_fork = bool(self.context.pull_request and self.context.pull_request.from_fork)
        # Of a stranger's run nothing is remembered (the doctor sees to that), but re-runs that were allowed for it must be counted.
        writable = self.context.trusted or (from_fork and self.settings.rerun_forks)
        try:
            return self.stack.enter_context(open_memory(self.settings, Path(self.context.workspace or "."), self.world, writable=writable)), ""
        except (ServiceError, UsageError) as problem:  # a damaged file in the cache must not hide the verdict
            return None, f"There is no memory in this run: {problem}"

    def _say_published(self, item: Published) -> None:
        if item.status is not PublishStatus.SKIPPED or item.why:
            self.world.say(f"{item.destination}: {item.status}{f' {item.url}' if item.url else ''}{f' ({item.why})' if item.why else ''}")


def _aimed(context: RunContext, settings: Settings) -> RunContext:
    """The context with the run that the user names, and the job's status that the action tells."""
    if settings.run_id:
        return replace(context, kind=Kind.RUN_FINISHED, target=RunRef(settings.run_id, 0), target_status=Status.UNKNOWN)
    if settings.log:  # whoever names a log wants it read, whatever the event was
        return replace(context, kind=Kind.RUN_FINISHED, target=context.target or context.own_run or RunRef("local"), target_status=Status.FAILURE)
    return context


def _settings_file(config: str | None, context: RunContext, platforms: Platforms) -> tuple[Mapping[str, Any] | None, list[str], bool]:
    """The settings file from the trusted ref, what is to be said of it, and whether the policy is known.

    It is not known where it may stand in a file that could not be read.
    """
    if context.config_ref is None or config is not None:
        path = Path(config) if config is not None else _below(context, FILE_NAME)
        return read_settings_file(path, required=config is not None), [], True
    if platforms.repository is None:
        return None, [f"{FILE_NAME} was not read: the base branch cannot be read here."], True
    try:
        data = platforms.repository.read_file(FILE_NAME, context.config_ref, MAX_SETTINGS)
    except (NotAllowed, NotFound) as problem:
        return None, [f"{FILE_NAME} of the base branch was not read, so it sets nothing: {problem}"], True
    except ServiceError as problem:
        return None, [f"{FILE_NAME} of the base branch could not be read, so the policy is not known: {problem}"], False
    where = f"{FILE_NAME} at {context.config_ref[:12]}"
    return (None if data is None else parse_settings(data, where)), [], True


def _below(context: RunContext, path: str) -> Path:
    return Path(context.workspace or ".") / path


def _forgotten(history: History | None) -> tuple[str, ...]:
    return tuple(getattr(history, "notes", ()))


def _skipped(reason: str, context: RunContext, settings: Settings, world: World) -> int:
    skipped_outputs(context, settings.report_dir, reason, lambda: secrets.token_hex(16))
    world.out(f"SKIPPED  {reason}\n")
    return 0

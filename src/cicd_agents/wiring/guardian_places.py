"""Where the guardian's report goes: the terminal, files, the job summary, annotations, outputs, the request that brought the version, Slack, dashboards."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cicd_agents.clients.platforms.release_services import ReleaseServices
from cicd_agents.domain.canary import Decision
from cicd_agents.domain.context import Platform, RunContext
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.operation import REACHED
from cicd_agents.domain.verdict import Outcome
from cicd_agents.operations.guardian_incident import OPEN_INCIDENT, TELL_INCIDENT
from cicd_agents.publish.annotations import publish_annotations
from cicd_agents.publish.comment import CommentPlace, publish_comment
from cicd_agents.publish.dotenv import publish_dotenv
from cicd_agents.publish.marker import scope_key
from cicd_agents.publish.outcome import Published, PublishStatus, guarded
from cicd_agents.publish.report_files import publish_files
from cicd_agents.publish.slack import publish_slack
from cicd_agents.publish.step_outputs import publish_outputs
from cicd_agents.publish.step_summary import publish_summary
from cicd_agents.report.document import GuardianReport
from cicd_agents.report.guardian_annotations import to_guardian_annotations
from cicd_agents.report.guardian_formats import FILES, RENDER, guardian_files
from cicd_agents.report.guardian_markdown import to_guardian_markdown, to_guardian_summary
from cicd_agents.report.guardian_outputs import to_guardian_outputs
from cicd_agents.report.guardian_slack import message_kind, to_guardian_slack
from cicd_agents.report.markdown import GITHUB_COMMENT_BYTES, GITLAB_COMMENT_BYTES
from cicd_agents.settings.model import Settings

if TYPE_CHECKING:
    from cicd_agents.clients.clock import Budget
    from cicd_agents.domain.dashboards import Dashboards
    from cicd_agents.wiring.world import World

_SUMMARY = "summary"
_STRANGER = "The run is of a fork, or about another commit, so nothing but files is written."


@dataclass(slots=True)
class GuardianPlaces:
    """Publishes one report; `form` is how it is printed. `last_told` is the kind of the last message about this deployment, `keep_told` keeps a new one's;
    `untold` notes that one was not taken."""

    context: RunContext
    settings: Settings
    world: World
    services: ReleaseServices | None
    dashboards: Dashboards | None
    budget: Budget
    stack: ExitStack
    form: str = "text"
    last_told: str = ""
    keep_told: Callable[[str], object] | None = None
    untold: Callable[[], object] = lambda: None

    def tell(self, report: GuardianReport, next_share: float | None) -> bool:
        """Print and, in CI, publish; whether a publication failed. `next_share` is the next stage's part of the traffic."""
        self.world.out(RENDER[self.form](report))
        if self.context.own_run is None:
            return False
        # The page with charts is always there: it is what people open first when they are paged.
        texts = guardian_files(report, (*(name for name in self.settings.reports if name in FILES), "html"), self._hosts)
        written = publish_files(Path(self.settings.report_dir), self._workspace, texts)
        comment = self._comment(report)
        places = {
            f"{name}-path": str(written.paths.get(file, "")) for name, file in (("report", "report.md"), ("json", "report.json"), ("html", "report.html"))
        }
        values = to_guardian_outputs(report, next_share=next_share, places={**places, "comment-url": comment.url, "issue-url": _issue(report)})
        told = [written.published, self._summary(report), self._annotations(report), comment, self._outputs(values), self._slack(report, comment.url)]
        told.append(self._mark(report))
        for item in told:
            if item.status is not PublishStatus.SKIPPED or item.why:
                self.world.say(f"{item.destination}: {item.status}{f' {item.url}' if item.url else ''}{f' ({item.why})' if item.why else ''}")
        return any(item.status is PublishStatus.FAILED for item in told)

    @property
    def _workspace(self) -> Path:
        return Path(self.context.workspace or ".")

    @property
    def _hosts(self) -> tuple[str, ...]:
        hosts = (urlsplit(url).hostname for url in (self.context.server_url, self.settings.grafana_url))
        return tuple(host for host in hosts if host)

    def _summary(self, report: GuardianReport) -> Published:
        if not self.settings.summary:
            return Published(_SUMMARY, PublishStatus.SKIPPED)
        return publish_summary(self.context.summary_file, to_guardian_summary([report], self._hosts))

    def _annotations(self, report: GuardianReport) -> Published:
        if not self.settings.annotations:
            return Published("annotations", PublishStatus.SKIPPED)
        return publish_annotations(to_guardian_annotations(report, self.context.platform), self.world.out)

    def _outputs(self, values: dict[str, str]) -> Published:
        if self.context.output_file:
            return publish_outputs(self.context.output_file, values, lambda: secrets.token_hex(16))
        if self.context.platform in (Platform.GITLAB, Platform.JENKINS):
            return publish_dotenv(Path(self.settings.report_dir), self._workspace, values)
        return Published("outputs", PublishStatus.SKIPPED)

    def _comment(self, report: GuardianReport) -> Published:
        """One comment for each service and environment, on the open request, or on the one that brought the commit."""
        if self.settings.comment == "off" or self.services is None:
            return Published("comment", PublishStatus.SKIPPED)
        if not self.context.trusted:
            return Published("comment", PublishStatus.SKIPPED, why=_STRANGER)
        host, pull = self.services.host, self.context.pull_request
        try:
            number = pull.number if pull else self._merged()
        except ServiceError as problem:
            return Published("comment", PublishStatus.FAILED, why=str(problem))
        if number is None:
            return Published("comment", PublishStatus.SKIPPED, why="There is no request that brought this version.")
        most = GITLAB_COMMENT_BYTES if self.context.platform is Platform.GITLAB else GITHUB_COMMENT_BYTES
        place = CommentPlace(number, report.agent, scope_key(report.details.service, report.details.environment))
        return publish_comment(host, place, to_guardian_markdown(report, self._hosts, most), dry_run=self.settings.dry_run)

    def _merged(self) -> int | None:
        found = self.services.threads.of_commit(self.context.sha) if self.services and self.context.sha else ()
        return found[0] if found else None

    def _slack(self, report: GuardianReport, comment_url: str) -> Published:
        """A message where the gate is closed; not beside the one of a rollback that failed, which is told once. That it still holds is told once too."""
        if not self.settings.slack_webhook or report.outcome is Outcome.PASS or _incident_told(report):
            return Published("slack", PublishStatus.SKIPPED)
        if not self.context.trusted:
            return Published("slack", PublishStatus.SKIPPED, why=_STRANGER)
        details = report.details
        kind = message_kind(details.decision, details.status, details.reason)
        if details.decision is Decision.HOLD and kind == self.last_told:
            return Published("slack", PublishStatus.SKIPPED, why="The last message about this version said the same.")
        try:
            post = slack_post(self.settings, self.world, self.budget, self.stack)
        except ServiceError as problem:
            self.untold()
            return Published("slack", PublishStatus.FAILED, why=str(problem))
        published = publish_slack(post, to_guardian_slack(report, self.context.repository, comment_url), dry_run=self.settings.dry_run)
        if self.keep_told and published.status is PublishStatus.CREATED:
            self.keep_told(kind)
        if published.status is PublishStatus.FAILED:
            self.untold()
        return published

    def _mark(self, report: GuardianReport) -> Published:
        """A mark on the dashboards: what was decided, when."""
        if not self.settings.grafana_annotate or self.dashboards is None:
            return Published("grafana", PublishStatus.SKIPPED)
        if not self.context.trusted:
            return Published("grafana", PublishStatus.SKIPPED, why=_STRANGER)
        from cicd_agents.domain.dashboards import Mark

        dashboards, details = self.dashboards, report.details
        tags = tuple(tag for tag in ("cicd-agents", details.service, details.environment, str(details.decision)) if tag)
        mark = Mark(report.title, tags, self.world.clock.now(), dashboard=self.settings.grafana_dashboard)
        if self.settings.dry_run:
            return Published("grafana", PublishStatus.PLANNED, why="Would write an annotation.")

        def write() -> Published:
            dashboards.annotate(mark)
            return Published("grafana", PublishStatus.CREATED)

        return guarded("grafana", write)


def _issue(report: GuardianReport) -> str:
    """The address of the incident, in what its operation says of itself; empty: there is none."""
    told = next((one.result for one in report.operations if one.kind == OPEN_INCIDENT), "")
    return next((word for word in told.split() if word.startswith(("https://", "http://"))), "")


def _incident_told(report: GuardianReport) -> bool:
    return any(one.kind == TELL_INCIDENT and one.status in REACHED for one in report.operations)


def slack_post(settings: Settings, world: World, budget: Budget, stack: ExitStack) -> Callable[[dict[str, object]], None]:
    """What posts a message to Slack. Raises ServiceError and UsageError for an address that cannot be one."""
    from cicd_agents.clients.slack import Slack

    if not settings.slack_webhook:
        raise UsageError("There is no slack-webhook.")
    slack = Slack(settings.slack_webhook, world.clock, budget, allow_http=settings.allow_http)
    stack.callback(slack.close)
    return slack.post

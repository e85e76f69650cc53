"""Where the report of a run in CI goes, as the settings and the context say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cicd_agents import __version__
from cicd_agents.clients.platforms.services import Platforms
from cicd_agents.domain.context import Platform, RunContext
from cicd_agents.domain.errors import ServiceError
from cicd_agents.domain.ports import Clock, CodeHost
from cicd_agents.domain.verdict import Outcome
from cicd_agents.operations.reruns import escalated
from cicd_agents.publish.annotations import publish_annotations
from cicd_agents.publish.comment import CommentPlace, publish_comment, resolve_comment
from cicd_agents.publish.dotenv import publish_dotenv
from cicd_agents.publish.issue import FailureIssue, publish_issue, resolve_issues
from cicd_agents.publish.marker import scope_key
from cicd_agents.publish.outcome import Published, PublishStatus
from cicd_agents.publish.report_files import publish_files
from cicd_agents.publish.slack import publish_slack
from cicd_agents.publish.step_outputs import publish_outputs
from cicd_agents.publish.step_summary import publish_summary
from cicd_agents.report.annotations import to_annotations
from cicd_agents.report.document import Report, has_news
from cicd_agents.report.escape import code_span
from cicd_agents.report.files import FILES, report_files
from cicd_agents.report.links import Links
from cicd_agents.report.markdown import GITHUB_COMMENT_BYTES, GITLAB_COMMENT_BYTES, to_markdown, to_resolved
from cicd_agents.report.outputs import to_outputs
from cicd_agents.report.slack import to_slack
from cicd_agents.report.summary import to_summary
from cicd_agents.run import Destinations
from cicd_agents.settings.model import Settings


@contextmanager
def destinations(
    context: RunContext, settings: Settings, platforms: Platforms, out: Callable[[str], object], token: Callable[[], str], clock: Clock
) -> Iterator[Destinations]:
    """The destinations; `token` gives 128 random bits as text, `out` writes to standard output."""
    with ExitStack() as stack:
        places = Places(context, settings, platforms, out, token, clock, stack)
        yield Destinations((places.files, places.summary, places.annotations), places.outputs, (places.comment, places.issue, places.slack))


def skipped_outputs(context: RunContext, report_dir: str, reason: str, token: Callable[[], str]) -> None:
    """The outputs of a run in which no agent had anything to do, so that later steps can tell."""
    values = {"outcome": str(Outcome.SKIPPED), "exit-code": "0", "title": reason}
    publish_outputs(context.output_file, values, token)
    if context.platform is Platform.GITLAB and context.workspace:
        publish_dotenv(Path(report_dir), Path(context.workspace), values)


@dataclass(slots=True)
class Places:
    """Each method is one destination."""

    context: RunContext
    settings: Settings
    platforms: Platforms
    out: Callable[[str], object]
    token: Callable[[], str]
    clock: Clock
    stack: ExitStack
    paths: Mapping[str, Path] = field(default_factory=dict)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts to which links of ours may lead."""
        host = urlsplit(self.context.server_url).hostname
        return (host,) if host else ()

    def files(self, report: Report) -> Published:
        """The report files."""
        texts = report_files((report,), self.settings.reports, version=__version__, hosts=self.hosts, repository=self.context.repository)
        written = publish_files(Path(self.settings.report_dir), self._workspace, texts)
        self.paths = written.paths
        return written.published

    def summary(self, report: Report) -> Published:
        """The job summary."""
        if not self.settings.summary:
            return Published("summary", PublishStatus.SKIPPED)
        return publish_summary(self.context.summary_file, to_summary((report,), self.hosts))

    def annotations(self, report: Report) -> Published:
        """Messages at file and line."""
        if not self.settings.annotations:
            return Published("annotations", PublishStatus.SKIPPED)
        return publish_annotations(to_annotations((report,), self.context.platform, self.context.repository), self.out)

    def outputs(self, report: Report, addresses: Mapping[str, str]) -> Published:
        """Values for later steps and jobs."""
        values = to_outputs(
            report, report_path=str(self.paths.get(FILES["markdown"], "")), json_path=str(self.paths.get(FILES["json"], "")),
            comment_url=addresses.get("comment", ""), issue_url=addresses.get("issue", ""),
        )  # fmt: skip
        if self.context.platform is Platform.GITHUB:
            return publish_outputs(self.context.output_file, values, self.token)
        if self.context.platform is Platform.LOCAL:
            return Published("outputs", PublishStatus.SKIPPED)
        return publish_dotenv(Path(self.settings.report_dir), self._workspace, values)

    def comment(self, report: Report) -> Published:
        """One comment on the pull or merge request."""
        host, pull = self.platforms.host, self.context.pull_request
        if self.settings.comment == "off" or host is None:
            return Published("comment", PublishStatus.SKIPPED)
        if pull is None:
            return Published("comment", PublishStatus.SKIPPED, why="There is no pull request for this run.")
        place = CommentPlace(pull.number, report.agent, scope_key(self.context.workflow), pull.from_fork)
        if report.outcome is Outcome.PASS:
            return resolve_comment(host, place, self._resolved(report), dry_run=self.settings.dry_run)
        most = GITLAB_COMMENT_BYTES if self.context.platform is Platform.GITLAB else GITHUB_COMMENT_BYTES
        body = to_markdown(report, self.hosts, most) if has_news(report) else ""
        return publish_comment(host, place, body, dry_run=self.settings.dry_run)

    def issue(self, report: Report) -> Published:
        """An issue where there is no pull request, as far as it is wanted, and for what re-runs did not mend."""
        host = self.platforms.host
        if host is None or (not self._issue_wanted() and not escalated(report.operations)):
            return Published("issue", PublishStatus.SKIPPED)
        key = scope_key(self.context.workflow)
        if report.outcome is Outcome.PASS:
            return self._closed(host, report, key)
        if not has_news(report):
            return Published("issue", PublishStatus.SKIPPED)
        run = report.details.run_url or self.context.run_url
        back = f"The failure is back: {Links(self.hosts).link('run', run)}." if run else "The failure is back."
        failure = FailureIssue(
            report.agent, key, report.details.fingerprint, f"{self.context.workflow or 'CI'}: {report.title}", to_markdown(report, self.hosts),
            self.settings.issue_labels, run or str(self.context.target), back,
        )  # fmt: skip
        return publish_issue(host, failure, dry_run=self.settings.dry_run)

    def slack(self, report: Report) -> Published:
        """A message to Slack when something failed."""
        if not self.settings.slack_webhook or not has_news(report):
            return Published("slack", PublishStatus.SKIPPED)
        from cicd_agents.clients.slack import Slack

        try:
            slack = Slack(self.settings.slack_webhook, self.clock, self.platforms.budget, allow_http=self.settings.allow_http)
        except ServiceError as problem:
            return Published("slack", PublishStatus.FAILED, why=str(problem))
        self.stack.callback(slack.close)
        return publish_slack(slack.post, to_slack(report, self.context.repository), dry_run=self.settings.dry_run)

    @property
    def _workspace(self) -> Path:
        return Path(self.context.workspace or ".")

    def _resolved(self, report: Report) -> str:
        return to_resolved(report.agent, report.details.run_url or "", self.context.sha, self.hosts)

    def _closed(self, host: CodeHost, report: Report, key: str) -> Published:
        if not self.settings.issue_labels:
            return Published("issue", PublishStatus.SKIPPED)
        body = f"The run is green again at {code_span(self.context.sha[:12])}."
        return resolve_issues(host, report.agent, key, self.settings.issue_labels[0], body, dry_run=self.settings.dry_run)

    def _issue_wanted(self) -> bool:
        if self.context.pull_request or self.settings.issue == "off":
            return False
        return self.settings.issue == "always" or self.context.on_default_branch

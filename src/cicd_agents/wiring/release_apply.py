"""`cicd-agents release apply` and the release-manager in CI: context and settings → repository, plan, operations, report. Judgement is elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.agents.release_manager import AGENT, ReleaseManager, forge_of
from cicd_agents.agents.release_preparation import Begun, Preparation, Prepared
from cicd_agents.agents.release_scene import ReleaseRequest, Scene
from cicd_agents.clients.asset_files import asset_files, opened
from cicd_agents.clients.audit_file import AuditFile
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.git import GitRepository, open_repository
from cicd_agents.clients.git_release import GitWriter
from cicd_agents.clients.platforms.release_services import ReleaseServices, context_of, forge_token, git_access, release_services
from cicd_agents.clients.platforms.services import Order
from cicd_agents.domain.context import Platform, RunContext
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.operation import REACHED, Operation, OperationStatus
from cicd_agents.domain.release import ReleaseCheckpoint, ReleaseDetails
from cicd_agents.domain.release_content import ReleaseContent
from cicd_agents.domain.verdict import EXIT_GATE_CLOSED, EXIT_PASS, EXIT_UNDECIDED, FailOn, Outcome, ReleaseVerdict
from cicd_agents.operations.apply import Applier
from cicd_agents.operations.policy import Mode
from cicd_agents.operations.promotion_checkpoints import ReleaseFacts, checkpoints
from cicd_agents.operations.promotion_steps import Promotions
from cicd_agents.operations.release import (
    ANNOUNCE,
    COMMENT,
    CREATE_RELEASE,
    CREATE_TAG,
    LABEL,
    OPEN_ISSUE,
    PUBLISH_RELEASE,
    PUSH,
    SIDE,
    START_DEPLOYMENT,
    UPDATE_FILES,
    UPLOAD_ASSET,
    ReleaseOptions,
    content_of,
    release_operations,
)  # fmt: skip
from cicd_agents.operations.release_forge import ReleasePage, Telling
from cicd_agents.operations.release_git import ReleaseGit
from cicd_agents.operations.release_request import MergedRequest, RequestSteps, merged_request, release_branch, request_operations
from cicd_agents.operations.transaction import carry_out, code_of
from cicd_agents.publish.report_files import safe_folder
from cicd_agents.report.announcement import to_announcement
from cicd_agents.report.document import report_of
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.approvals import ApprovalGate, approval_needed
from cicd_agents.wiring.promotion import promotion, told
from cicd_agents.wiring.release_explaining import FINISHED, HELD, ReleaseAdvisor, concern_of, release_advisor
from cicd_agents.wiring.release_places import ReleasePlaces
from cicd_agents.wiring.release_style import further_files, styled

if TYPE_CHECKING:
    from cicd_agents.wiring.world import World

# The bot whose account GitHub shows for commits of a workflow's token; elsewhere a name without an account.
_AUTHORS = {Platform.GITHUB: ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")}
_AUTHOR = ("cicd-agents", "cicd-agents@localhost")
_BOUND = 100


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for beside the settings. `folder` is where the repository lies."""

    folder: Path
    until: str = "HEAD"
    since: str | None = None
    form: str = "text"


def apply_release(wish: Wish, settings: Settings, context: RunContext, world: World) -> int:
    """Plan the release, do it as far as it may be done, tell people; the exit code. Raises UsageError where nothing can be begun."""
    with ExitStack() as stack:
        return _session(wish, settings, context, world, stack).run()


def _session(wish: Wish, settings: Settings, context: RunContext, world: World, stack: ExitStack) -> ReleaseSession:
    """The session with all its clients."""
    repository = open_repository(wish.folder, world.environment)
    repository.require_whole()
    names = repository.remote_names()
    remote = repository.remote(settings.git_remote) if settings.git_remote in names else None
    context = context_of(remote, context)
    settings = replace(settings, token=forge_token(context, settings, world.environment))
    clock = world.clock
    waits = 60.0 * (settings.checks_wait + settings.approval_wait + settings.health_wait * len(settings.environments))
    order = Order(context, settings, world.environment, clock, Budget(clock, settings.time_limit + waits), world.say, world.timeouts)
    services = stack.enter_context(release_services(order))
    name, email = author(settings.git_author, context.platform)
    writer = GitWriter(repository, settings.git_remote, name, email, git_access(context, remote, settings.token)) if settings.git_remote in names else None
    url = f"{context.server_url}/{context.repository}" if context.server_url and context.repository else (remote.url if remote else "")
    forge = forge_of(str(context.platform), url) if url else None
    software = context.repository.rpartition("/")[2] or (repository.top or wish.folder.resolve()).name
    manager = ReleaseManager(repository, clock, forge, styled(settings))
    preparation = Preparation(manager, software, settings.verify_tag == "strict", lambda text: world.redactor.redact(text).text)
    advisor = release_advisor(settings, context, world, order.budget.left, repository, manager.styled, stack)
    return ReleaseSession(wish, settings, context, world, repository, writer, services, preparation, order, stack, advisor)


@dataclass(slots=True)
class ReleaseSession:
    """One release from the plan to the exit code. `held`: a model raised a concern before anything was done."""

    wish: Wish
    settings: Settings
    context: RunContext
    world: World
    repository: GitRepository
    writer: GitWriter | None
    services: ReleaseServices | None
    preparation: Preparation
    order: Order
    stack: ExitStack
    advisor: ReleaseAdvisor | None = None
    held: bool = False

    def run(self) -> int:
        """Plan, act, report."""
        began = self.world.clock.monotonic()
        self._check()
        try:
            verdict, contents, url = self._released()
        except ServiceError as problem:
            verdict, contents, url = _unknown(str(problem)), (), ""
        if self._only_shown:
            verdict = replace(verdict, notes=(*verdict.notes, self._only_shown))
        report = report_of(verdict, FailOn.INCONCLUSIVE, self.world.clock.monotonic() - began, self.world.redactor)
        code = code_of(report.operations, dry_run=self._dry_run)
        # A refused approval closes the gate, with a concern as without one.
        if code is not None and (not self.held or code == EXIT_GATE_CLOSED):
            report = replace(report, exit_code=code)
        places = ReleasePlaces(self.context, self.settings, self.world.out, lambda: secrets.token_hex(16), self.wish.form)
        failed = places.tell(report, url, _changelog(contents), self.world.say)
        if failed and self.settings.fail_on_publish_error and report.exit_code == EXIT_PASS:
            return EXIT_UNDECIDED
        return report.exit_code

    @property
    def _dry_run(self) -> bool:
        return self.settings.dry_run or bool(self._only_shown)

    @property
    def _only_shown(self) -> str:
        """Why nothing is written, whatever the settings say."""
        if self.context.pull_request is not None:
            return "The run is of a pull request, so the release is only shown."
        if not self.context.trusted:
            return "The run is not of a trusted branch, so the release is only shown."
        return HELD if self.held else ""

    def _check(self) -> None:
        if self.writer is None and not self._dry_run:
            raise UsageError(f"There is no remote {self.settings.git_remote!r} to push to; add it (git remote add), or look only (--dry-run).")
        forge = self.settings.forge_release and self.context.platform in (Platform.GITHUB, Platform.GITLAB)
        if forge and self.services is None and not self._dry_run:
            variable = "GITHUB_TOKEN" if self.context.platform is Platform.GITHUB else "CICD_AGENTS_GITLAB_TOKEN"
            raise UsageError(f"There is no token for the release on {self.context.platform}; set {variable}, or switch it off (forge-release: false).")
        if self.settings.announce and not self.settings.slack_webhook:
            raise UsageError("announce: there is no slack-webhook to announce by.")

    def _released(self) -> tuple[ReleaseVerdict, tuple[ReleaseContent, ...], str]:
        """The verdict with its operations as they stand, what was released, and the address of the (first) release."""
        if self.writer is not None:
            self.writer.fetch_tags()
        request = self._request()
        if reason := self._releases_nothing(request):
            return _skipped(reason), (), ""
        merged = self._merged(request) if self.settings.release_flow == "request" and not self.context.tag else None
        prepared = self._prepared(request, merged)
        prepared = replace(prepared, verdict=self._with_unfinished(prepared.verdict))
        contents = prepared.contents
        if not contents:
            return prepared.verdict, (), ""
        begun = bool(contents[0].tagged) or merged is not None
        if self.settings.release_flow == "request" and not begun:
            return self._by_request(self._advised(prepared, begun), contents), contents, ""
        contents = self._with_assets(contents)
        self._check_tree(contents[0])
        verdict = self._carried_out(self._advised(prepared, begun), contents)
        return verdict, contents, self._address(contents[0].tag) if self._forge else ""

    def _advised(self, prepared: Prepared, begun: bool) -> ReleaseVerdict:
        """The verdict with what a model says of it. A release that has begun is finished, whatever that is: a half one helps nobody.

        Nobody is asked about one that an earlier run of ours began.
        """
        verdict = prepared.verdict
        resumed = bool(prepared.contents[0].tagged) and not self.context.tag
        if self.advisor is None or resumed:
            return verdict
        verdict = self.advisor.explained(verdict, prepared.plans)
        if not concern_of(verdict):
            return verdict
        if begun:
            return replace(verdict, notes=(*verdict.notes, FINISHED))
        self.held = True
        return replace(verdict, outcome=Outcome.INCONCLUSIVE)

    def _releases_nothing(self, request: ReleaseRequest) -> str:
        """Why the branch makes no releases: it is in no table of branches, nobody named it, and it is not the default branch. Empty where it does."""
        scene = Scene(self.repository, request)
        branch = request.branch or (self.repository.head().branch if scene.now else None)
        named = branch in (self.settings.release_branch, self.context.default_branch)
        if self.context.tag or not scene.now or branch is None or named or scene.line is not None:
            return ""
        return f"The branch {branch} makes no releases; name it with release-branch (--branch), or in the configuration of your release tool."

    def _with_unfinished(self, verdict: ReleaseVerdict) -> ReleaseVerdict:
        """The verdict with a note where the last release was begun and is not all there."""
        tag = verdict.details.previous_tag
        if not tag or not self._forge or self.services is None:
            return verdict
        found = self.services.releases.find(tag)
        if found is not None and not found.draft:
            return verdict
        state = "is only a draft" if found else "does not exist"
        note = f"The tag {tag} is there, but its release {state} on {self.context.platform}. Finish it with `cicd-agents release apply --to {tag}`."
        return replace(verdict, notes=(*verdict.notes, note))

    def _with_assets(self, contents: tuple[ReleaseContent, ...]) -> tuple[ReleaseContent, ...]:
        if self.settings.release_assets and len(contents) > 1:
            raise UsageError("release-assets: several components are released, and nobody knows whose the files are; name one with release-component.")
        return (replace(contents[0], assets=asset_files(self.settings.release_assets, self.wish.folder)), *contents[1:])

    def _request(self) -> ReleaseRequest:
        settings, pull = self.settings, self.context.pull_request
        branch = settings.release_branch or (pull.base_ref if pull else self.context.branch) or None
        return ReleaseRequest(
            self.wish.until, self.wish.since, settings.release_component, branch, settings.release_as or None, settings.prerelease or None, settings.graduate,
            further_files=further_files(settings), scheme=settings.release_scheme,
        )  # fmt: skip

    def _prepared(self, request: ReleaseRequest, merged: MergedRequest | None) -> Prepared:
        if merged is not None:
            now = int(self.world.clock.now())
            return self.preparation.finish(request, [Begun(tag, merged.commit, now, exists=False) for tag in merged.tags])
        if not self.context.tag:
            return self.preparation.prepare(request)
        tag = next((tag for tag in self.repository.tags() if tag.name == self.context.tag), None)
        if tag is None:
            raise UsageError(f"The tag {self.context.tag} is not in this clone; fetch it (git fetch --tags).")
        return self.preparation.finish(replace(request, branch=None), [Begun(tag.name, tag.commit, tag.time)])

    def _check_tree(self, content: ReleaseContent) -> None:
        """Files that are changed and not committed would stand in the way of the branch that moves on."""
        if content.files and self.repository.head().branch == content.branch and (changed := self.repository.changed_files()) and not self._dry_run:
            raise UsageError(f"Files are changed and not committed ({', '.join(changed[:5])}); commit or stash them, or release from a clean clone.")

    @property
    def _forge(self) -> bool:
        return self.settings.forge_release and self.context.platform in (Platform.GITHUB, Platform.GITLAB)

    def _carried_out(self, verdict: ReleaseVerdict, contents: tuple[ReleaseContent, ...]) -> ReleaseVerdict:
        """The verdict with the operations of the release as they stand afterwards."""
        settings, services = self.settings, self.services
        drafts = services.releases.drafts if services else self.context.platform is Platform.GITHUB
        options = ReleaseOptions(
            self._forge, drafts, settings.release_comments, settings.release_labels, settings.known_problems, settings.announce, settings.deploy_workflow
        )
        promoted = self._promotion(contents)
        operations = (*release_operations(contents, options, settings.git_remote), *(promoted.planned() if promoted else ()))
        gate = ApprovalGate(settings, self.context, services, self._audit(), self.world, self._dry_run)
        passed = gate.passed(operations, f"release {settings.release_component}".strip())
        appliers = {**self._appliers(contents), **(promoted.appliers() if promoted else {})}
        done = self._done(passed.operations, appliers, SIDE)
        ended = gate.done(passed, done)
        if promoted:
            verdict = replace(verdict, details=replace(verdict.details, checkpoints=self._checkpoints(promoted, done)))
        return replace(verdict, operations=(*passed.writes, *done), notes=(*verdict.notes, *passed.notes, *([ended] if ended else [])))

    def _promotion(self, contents: tuple[ReleaseContent, ...]) -> Promotions | None:
        if self.settings.environments and len(contents) > 1:
            raise UsageError("environments: several components are released, and nobody knows which one is promoted; name one with release-component.")
        branch = contents[0].branch or self.context.default_branch or self.repository.head().branch or ""
        return promotion(contents[0], self.order, self.world, self.services, self.writer, branch, self.stack.callback)

    def _checkpoints(self, promoted: Promotions, done: Sequence[Operation]) -> tuple[ReleaseCheckpoint, ...]:
        stands = {operation.kind: operation.status in REACHED for operation in done if operation.status is not OperationStatus.PLANNED}
        published = stands.get(PUBLISH_RELEASE, stands.get(CREATE_RELEASE))
        facts = ReleaseFacts(stands.get(PUSH), stands.get(UPDATE_FILES, stands.get(PUSH)), None, published)
        gated = {place.name: stands.get(place.kind) for place in promoted.environments if approval_needed(place.kind, self.settings)}
        return told(checkpoints(facts, promoted.release, promoted.environments, promoted.progress, gated))

    def _address(self, tag: str) -> str:
        """The page of the release, as far as the forge tells it."""
        if self.services is None or self._dry_run:
            return ""
        try:
            release = self.services.releases.find(tag)
        except ServiceError:  # what was done stands in the operations
            return ""
        return release.url if release else ""

    def _appliers(self, contents: tuple[ReleaseContent, ...]) -> Mapping[str, Applier]:
        if self.writer is None:
            return {}
        services = self.services
        git = ReleaseGit(contents, self.writer, self.world.clock, services.pipelines if services else None, self.settings.checks_wait * 60.0)
        appliers: dict[str, Applier] = {UPDATE_FILES: git.update_files, CREATE_TAG: git.create_tag, PUSH: git.push}
        if services is None:
            return appliers

        def page(operation: Operation) -> ReleasePage:
            content = content_of(operation, contents)
            return ReleasePage(content, services.releases, lambda: git.commit, partial(self._tag_commit, content.tag), opened)

        def telling(operation: Operation) -> Telling:
            return self._telling(services, content_of(operation, contents))

        return appliers | {
            CREATE_RELEASE: lambda operation: page(operation).create(operation), UPLOAD_ASSET: lambda operation: page(operation).upload(operation),
            PUBLISH_RELEASE: lambda operation: page(operation).publish(operation), COMMENT: lambda operation: telling(operation).comment(operation),
            LABEL: lambda operation: telling(operation).label(operation), OPEN_ISSUE: lambda operation: telling(operation).open_issue(operation),
            ANNOUNCE: lambda operation: telling(operation).tell(operation), START_DEPLOYMENT: lambda operation: telling(operation).deploy(operation),
        }  # fmt: skip

    def _tag_commit(self, tag: str) -> str:
        return self.writer.remote_commit(f"refs/tags/{tag}") if self.writer else ""

    def _telling(self, services: ReleaseServices, content: ReleaseContent) -> Telling:
        forge = self.preparation.manager.forge
        return Telling(
            content, services.threads, services.host, services.releases, services.pipelines, self._announcer(content),
            forge.release(content.tag) if forge else "", self.settings.release_labels, known_problems=self.settings.known_problems,
        )  # fmt: skip

    def _done(self, operations: Sequence[Operation], appliers: Mapping[str, Applier], side: frozenset[str] = frozenset()) -> tuple[Operation, ...]:
        return carry_out(operations, appliers, Mode.DRY_RUN if self._dry_run else Mode.AUTO, self._audit(), self.world.clock, side)

    def _audit(self) -> AuditFile:
        return AuditFile(self._audit_folder() / "audit.jsonl", self.world.redactor, self.context.actor, self.context.run_url)

    def _audit_folder(self) -> Path:
        """In CI beside the report files; else inside of git's own folder, so that nobody's work tree gets new files."""
        if self.context.own_run is None:
            return self.repository.git_dir / "cicd-agents"
        try:
            folder = safe_folder(Path(self.settings.report_dir), Path(self.context.workspace or self.wish.folder))
        except OSError:
            folder = None
        if folder is None:
            raise UsageError("report-dir: leads out of the workspace, or cannot be made, so the audit log has no place; nothing is written without it.")
        return folder

    def _announcer(self, content: ReleaseContent) -> Callable[[str], None] | None:
        if not self.settings.slack_webhook:
            return None
        from cicd_agents.clients.slack import Slack

        slack = Slack(self.settings.slack_webhook, self.world.clock, self.order.budget, allow_http=self.settings.allow_http)
        self.stack.callback(slack.close)
        return lambda url: slack.post(to_announcement(content.title, content.highlights, url, self.context.repository))

    def _by_request(self, verdict: ReleaseVerdict, contents: tuple[ReleaseContent, ...]) -> ReleaseVerdict:
        if not contents[0].branch:
            raise UsageError("HEAD is no branch, so nobody knows where the release belongs; name the branch (release-branch).")
        if self.services is None or self.writer is None:
            raise UsageError("The flow by requests needs GitHub or GitLab and a token; use release-flow: direct.")
        head = release_branch(self.settings.release_component)
        steps = RequestSteps(contents, head, self.writer, self.services.requests)
        return replace(verdict, operations=self._done(request_operations(contents, head), steps.appliers()))

    def _merged(self, request: ReleaseRequest) -> MergedRequest | None:
        """The release request that was merged into this commit and has no tag yet."""
        if self.services is None or self.writer is None:
            return None
        scene = Scene(self.repository, request)
        branch = request.branch or (scene.repository.head().branch or "")
        found = self.services.requests.of_branch(release_branch(self.settings.release_component), branch)
        if not any(item.merged_as for item in found):
            return None
        merged = merged_request(found, self.services.host.me(), frozenset(tag.name for tag in self.repository.tags()))
        base = self.repository.commit(request.until)
        return merged if merged and self._reaches(base, merged.commit) else None

    def _reaches(self, base: str, commit: str) -> bool:
        try:
            return self.repository.is_ancestor(commit, base)
        except UsageError:
            return False  # merged after this checkout


def _changelog(contents: Sequence[ReleaseContent]) -> str:
    """The (first) changelog that the release writes."""
    files = contents[0].files if contents else {}
    return next((path for path in files if path.rpartition("/")[2].lower().startswith("changelog")), "")


def _skipped(reason: str) -> ReleaseVerdict:
    return ReleaseVerdict(AGENT, Outcome.SKIPPED, "No release", reason, ReleaseDetails(None, None, "none", (), "", (), reason))


def _unknown(problem: str) -> ReleaseVerdict:
    details = ReleaseDetails(None, None, "none", (), "", (), problem)
    return ReleaseVerdict(AGENT, Outcome.INCONCLUSIVE, "The release could not be decided", problem, details)


def author(setting: str, platform: Platform) -> tuple[str, str]:
    """Name and mail of who makes commits, by `git-author` or the platform's bot. Raises UsageError for what is neither."""
    if not setting:
        return _AUTHORS.get(platform, _AUTHOR)
    name, _, email = setting.rstrip(">").partition(" <")
    if not name.strip() or "@" not in email or any(sign in setting[:-1] for sign in ("\n", ">")) or len(setting) > 2 * _BOUND:
        raise UsageError(f"git-author: {setting[:_BOUND]!r} is not of the form `Name <mail>`.")
    return name.strip(), email.strip()

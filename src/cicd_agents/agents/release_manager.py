"""release-manager: the next version of a repository, why, its changelog and the version files that change. Planning writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cicd_agents.agents.release_scene import ReleaseRequest, Scene
from cicd_agents.analysis.changelog.forge import Forge, ForgeKind
from cicd_agents.analysis.changelog.section import Release, changelog_section, full_changelog
from cicd_agents.analysis.changelog.style import Style, style_for
from cicd_agents.analysis.commits.plan import counted_changes, plan_release
from cicd_agents.analysis.versions.branches import refusal
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, Change, HistoryCommit, PlannedCommit, ReleaseDetails, ReleasePlan, ReleaseRules
from cicd_agents.domain.verdict import Outcome, ReleaseVerdict

if TYPE_CHECKING:
    from cicd_agents.domain.ports import Clock, ReleaseRepository

AGENT = "release-manager"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, the repository as it saw it, and the commits that it read, newest first."""

    scene: Scene
    history: tuple[HistoryCommit, ...]
    plan: ReleasePlan


@dataclass(frozen=True, slots=True)
class ReleaseManager:
    """Plans releases of one repository; `forge` makes links, `styled` gives the form of the changelog for the rules."""

    repository: ReleaseRepository
    clock: Clock
    forge: Forge | None = None
    styled: Callable[[ReleaseRules], Style] = style_for

    def plan(self, request: ReleaseRequest) -> ReleaseVerdict:
        """What the next release would be, of all components where there are several. Raises UsageError for a repository or a request that makes no sense."""
        return self.proposed(request)[0]

    def proposed(self, request: ReleaseRequest) -> tuple[ReleaseVerdict, tuple[Planned, ...]]:
        """The same with the plans of all that would be released. Raises as `plan` does."""
        scene = Scene(self.repository, request)
        if not request.component and len(scene.config.components) > 1:
            from cicd_agents.agents.release_components import components_verdict, planned_components

            whole = planned_components(self, scene)
            return components_verdict(self, whole), tuple(part.planned for part in whole.released)
        planned = self._checked(scene)
        return self.verdict(planned), (planned,) if planned.plan.bump is not Bump.NONE else ()

    def planned(self, request: ReleaseRequest) -> Planned:
        """The plan with what it was made of. Raises as `plan` does."""
        return self._checked(Scene(self.repository, request))

    def _checked(self, scene: Scene) -> Planned:
        made = self._made(scene)
        self.check_line(made.scene, made.plan)
        return made

    def _made(self, scene: Scene) -> Planned:
        previous = scene.previous
        history = tuple(scene.commits(scene.request.until, previous.commit if previous else None))
        return Planned(scene, history, plan_release(history, scene.current, scene.rules, scene.config.reading, scene.world(previous, self.clock.now())))

    def changelog(self, request: ReleaseRequest, everything: bool) -> Iterator[str]:
        """The changelog in parts: of what is not released yet, or of the whole history."""
        scene = Scene(self.repository, request)
        style = self.styled(scene.rules)
        if everything:
            yield from full_changelog(self._releases(scene), style, self.forge)
            return
        made = self._made(scene)
        yield self.section(made.plan, made.history, style)

    def verdict(self, planned: Planned) -> ReleaseVerdict:
        """The plan as a verdict: pass, or skipped where nothing asks for a release."""
        scene, history, plan = planned.scene, planned.history, planned.plan
        released = plan.bump is not Bump.NONE
        files = scene.planned_files(plan.next_version) if released and plan.next_version else None
        details = ReleaseDetails(
            plan.current_version, plan.next_version, str(plan.bump), tuple(map(planned_commit, plan.changes)),
            self.section(plan, history, self.styled(scene.rules)) if plan.changes else "",
            files.changes if files else (), plan.reason, plan.tag, plan.previous_tag, plan.source, plan.decisions,
        )  # fmt: skip
        notes = (
            (*scene.config.notes, *plan.notes, *(item.sentence(files.current) for item in files.disagreements)) if files else (*scene.config.notes, *plan.notes)
        )
        if not released:
            return ReleaseVerdict(AGENT, Outcome.SKIPPED, "No release", plan.reason, details, notes=notes)
        title = f"{plan.current_version or 'first release'} → {plan.next_version} ({plan.bump})"
        return ReleaseVerdict(AGENT, Outcome.PASS, title, plan.reason, details, notes=notes)

    def section(self, plan: ReleasePlan, history: Sequence[HistoryCommit], style: Style) -> str:
        """The changelog's section of the plan."""
        released = plan.bump is not Bump.NONE
        time = int(self.clock.now()) if released else 0
        release = Release(plan.next_version if released else None, plan.changes, plan.tag or "", plan.previous_tag or "", time, tuple(history))
        return changelog_section(release, style, self.forge)

    def check_line(self, scene: Scene, plan: ReleasePlan) -> None:
        """Refuse a version that this branch may not release."""
        candidate = scene.read(plan.next_version)
        if scene.line is None or plan.bump is Bump.NONE or candidate is None:
            return
        current = scene.read(plan.current_version)
        # The current version is the highest that this line reaches, so none above it is reached.
        reason = refusal(scene.line, candidate, current, (), scene.versions.values())
        if reason:
            raise UsageError(reason)

    def _releases(self, scene: Scene) -> Iterator[Release]:
        """All releases of this line, the newest first: one pass over the history, cut where a commit has a tag of ours."""
        tags = {tag.commit: tag for tag in scene.tags if tag.name in scene.versions}  # those of other lines are at no commit of this history
        name, time, commits = "", 0, list[HistoryCommit]()
        waiting: list[tuple[str, int, list[HistoryCommit]]] = []
        for commit in scene.commits(scene.request.until, None):
            tag = tags.get(commit.sha)
            if tag is not None:
                waiting.append((name, time, commits))
                if len(waiting) > 1:
                    yield self._release(scene, waiting.pop(0), tag_after=waiting[0][0])
                name, time, commits = tag.name, tag.time, []
            commits.append(commit)
        waiting.append((name, time, commits))
        for at, part in enumerate(waiting):
            yield self._release(scene, part, tag_after=waiting[at + 1][0] if at + 1 < len(waiting) else "")

    def _release(self, scene: Scene, part: tuple[str, int, list[HistoryCommit]], tag_after: str) -> Release:
        name, time, commits = part
        version = str(scene.versions[name]) if name else None
        return Release(version, counted_changes(commits, scene.rules, scene.config.reading), name, tag_after, time, tuple(commits))


def forge_of(kind: str, url: str) -> Forge | None:
    """The forge for links; None for one that we do not know, or an address that may not stand in links."""
    try:
        return Forge(ForgeKind(kind), url)
    except ValueError:
        return None


def planned_commit(change: Change) -> PlannedCommit:
    """A change as the report prints it."""
    refs: Iterable[str] = (f"{ref.action} {ref.target}".strip() for ref in change.refs)
    return PlannedCommit(change.sha, change.type, change.scope, change.breaking, change.subject, tuple(refs))

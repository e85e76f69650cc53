"""All components of a monorepo in one plan: one pass over the history, then each by its own tags and rules, then those that go along. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cicd_agents.agents.release_component_files import ChangedFiles, Packages
from cicd_agents.agents.release_component_scene import ComponentScene
from cicd_agents.agents.release_manager import AGENT, Planned, ReleaseManager, planned_commit
from cicd_agents.agents.release_remembered import Remembered
from cicd_agents.agents.release_scene import Scene
from cicd_agents.analysis.changelog.prose import line
from cicd_agents.analysis.commits.deciding import MAX_TEXT
from cicd_agents.analysis.commits.plan import plan_release
from cicd_agents.analysis.components.ownership import SPLITTING, Ownership, Splitting
from cicd_agents.analysis.components.split import Reach, split
from cicd_agents.analysis.components.together import Part, settled
from cicd_agents.analysis.versions.calver import next_calver
from cicd_agents.analysis.versions.next import Wish, next_version
from cicd_agents.analysis.versions.semver import parse
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, Change, ComponentPlan, Decision, FileChange, HistoryCommit, PlannedCommit, ReleaseDetails, ReleasePlan
from cicd_agents.domain.verdict import Outcome, ReleaseVerdict

if TYPE_CHECKING:
    from cicd_agents.analysis.release_config.found import FoundConfig
    from cicd_agents.domain.ports import ReleaseTag

# The rule of a commit that touches no component.
NO_COMPONENT = "no-component"
# Names that a summary tells.
_MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class PlannedComponent:
    """A component's plan with what it was made of. `via` as in `ComponentPlan`; `needs` are the released components that it depends on."""

    name: str
    path: str
    planned: Planned
    via: str = ""
    files: tuple[FileChange, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedComponents:
    """The plan of all components. `texts` are the whole new contents of the files that change, by path, with the changes of all components in them.

    `strays` decide on the commits that touch no component, since the last release of any.
    """

    source: str
    parts: tuple[PlannedComponent, ...]
    commits: tuple[HistoryCommit, ...]
    strays: tuple[Decision, ...]
    texts: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def released(self) -> tuple[PlannedComponent, ...]:
        """The components that are released."""
        return tuple(part for part in self.parts if part.planned.plan.bump is not Bump.NONE)


def planned_components(manager: ReleaseManager, whole: Scene) -> PlannedComponents:
    """The plans of all components of the configuration, made from one pass over the history.

    `whole` is the repository as a request without a component sees it.
    Raises UsageError as planning one does, and for a request that can mean one component only: `since` and `release_as`.
    """
    request = whole.request
    for option, value in (("--from", request.since), ("--release-as", request.release_as)):
        if value is not None:
            raise UsageError(f"{option} is about one component, and this repository has several; say which with --path.")
    repository = Remembered(manager.repository)
    config = whole.config
    scenes = [ComponentScene(repository, replace(request, component=part.name or part.path), whole=whole, part=part) for part in config.components]
    notes = [*config.notes, *_shared_tags(scenes)]
    since = [scene.previous for scene in scenes]
    starts = _starts(repository, config, since, notes)
    ownership = Ownership(config.components, SPLITTING.get(config.tool, Splitting()))
    commits, reach = _read(repository, request.until, starts, since)
    parted = split(commits, ownership, starts, reach)
    now = manager.clock.now()
    made = [_made(scene, previous, history, now) for scene, previous, history in zip(scenes, since, parted.histories, strict=True)]
    packages = Packages(repository, request.until, ownership, config.workspaces)
    made, parts = _together(made, packages, now)
    for each in made:
        _checked(manager, each)
    notes += _told(made)
    notes += packages.left_behind([part.next is not None for part in parts], [part.name for part in parts])
    files = packages.changes(made)
    return PlannedComponents(
        config.file,
        tuple(_component(index, each, part, files, packages) for index, (each, part) in enumerate(zip(made, parts, strict=True))),
        tuple(commits),
        tuple(Decision(commit.sha, Bump.NONE, NO_COMPONENT, _title(commit)) for commit in parted.strays),
        files.texts,
        tuple(dict.fromkeys((*notes, *files.notes))),
    )


def _starts(repository: Remembered, config: FoundConfig, since: Sequence[ReleaseTag | None], notes: list[str]) -> list[str | None]:
    """The commit after which each component's commits count: its last release, else the one before which the configuration looks at nothing."""
    first: str | None = None
    if config.stop_at and any(tag is None for tag in since):
        try:
            first = repository.commit(config.stop_at)
        except UsageError:
            notes.append(
                f"{config.file}: the commit {config.stop_at[:40]} to start from is not in this repository; components without a tag count from the first"
            )
    return [tag.commit if tag else first for tag in since]


def _read(repository: Remembered, until: str, starts: Sequence[str | None], since: Sequence[ReleaseTag | None]) -> tuple[list[HistoryCommit], Reach]:
    """The one pass: from the oldest of the last releases, if all others came after it; else the whole history."""
    known = [start for start in starts if start is not None]
    if len(known) == len(starts):
        times = {tag.commit: tag.time for tag in since if tag}
        oldest = min(known, key=lambda start: times.get(start, 0))
        commits = list(repository.history(until, [oldest], files=True))
        reach = Reach(commits, known)
        if reach.all_reach(oldest):
            return commits, reach
    commits = list(repository.history(until, [], files=True))
    return commits, Reach(commits, known)


def _made(scene: ComponentScene, previous: ReleaseTag | None, history: tuple[HistoryCommit, ...], now: float) -> Planned:
    try:
        return Planned(scene, history, plan_release(history, scene.current, scene.rules, scene.config.reading, scene.world(previous, now)))
    except UsageError as problem:
        raise UsageError(f"{scene.name}: {problem}") from problem


def _checked(manager: ReleaseManager, each: Planned) -> None:
    """Refuse a version that this branch may not release."""
    try:
        manager.check_line(each.scene, each.plan)
    except UsageError as problem:
        raise UsageError(f"{_name(each)}: {problem}") from problem


def _together(made: Sequence[Planned], packages: Packages, now: float) -> tuple[list[Planned], tuple[Part, ...]]:
    """The plans with the versions that groups and dependencies bring."""
    linked = made[0].scene.config.linked
    if linked and made[0].scene.calendar:
        raise UsageError("release-scheme: components whose versions are linked cannot have calendar versions; take the group out of the configuration.")
    before = [Part(_name(each), each.plan.current_version, _next(each.plan), each.plan.bump) for each in made]
    needs = packages.needs if any(part.next for part in before) else {}
    parts = settled(before, linked, needs, lambda index: _patched(made[index].scene, now))
    return [_with(each, part) if part.via else each for each, part in zip(made, parts, strict=True)], parts


def _with(each: Planned, part: Part) -> Planned:
    """A plan at the version that others brought."""
    rules, plan = each.scene.rules, each.plan
    reason = f"{part.why} {plan.reason}" if plan.bump is not Bump.NONE else part.why
    return replace(each, plan=replace(plan, next_version=part.next, bump=part.bump, reason=reason, tag=f"{rules.tag_prefix}{part.next}{rules.tag_suffix}"))


def _patched(scene: Scene, now: float) -> str | None:
    """The next patch version; None before the first release, which dependencies don't bring."""
    if scene.current is None:
        return None
    if scene.calendar:
        return next_calver(scene.calendar, scene.current, datetime.fromtimestamp(now, UTC).date(), Bump.PATCH, scene.existing)
    existing = [version for version in map(parse, scene.existing) if version]
    version = next_version(parse(scene.current), Bump.PATCH, scene.rules.zero, Wish(prerelease=scene.rules.prerelease), existing).version
    return str(version) if version else None


def _component(index: int, each: Planned, part: Part, files: ChangedFiles, packages: Packages) -> PlannedComponent:
    scene = each.scene
    needs = tuple(f"{name} {version}" for name, version in packages.released_needs(index)) if part.next else ()
    return PlannedComponent(part.name, scene.rules.path, each, part.via, files.of(index), needs)


def components_verdict(manager: ReleaseManager, whole: PlannedComponents) -> ReleaseVerdict:
    """The plans as one verdict: pass where one component is released or more, else skipped."""
    released = whole.released
    shown = tuple(_shown(manager, part) for part in whole.parts)
    only = next((item for item, part in zip(shown, whole.parts, strict=True) if part is released[0]), None) if len(released) == 1 else None
    root = next((item for item in shown if not item.path), None) if not released else only
    bump = max((part.planned.plan.bump for part in whole.parts), key=lambda each: each.rank)
    reason = _reason(whole)
    details = ReleaseDetails(
        root.current if root else None, root.next if root else None, str(bump), _commits(whole), only.changelog if only else "",
        tuple(dict.fromkeys(change for item in shown for change in item.files)), reason, only.tag if only else None, root.previous_tag if root else None,
        whole.source, whole.strays, shown,
    )  # fmt: skip
    if not released:
        return ReleaseVerdict(AGENT, Outcome.SKIPPED, "No release", reason, details, notes=whole.notes)
    return ReleaseVerdict(AGENT, Outcome.PASS, _headline(whole), reason, details, notes=whole.notes)


def _shown(manager: ReleaseManager, part: PlannedComponent) -> ComponentPlan:
    plan = part.planned.plan
    return ComponentPlan(
        part.name, part.path, plan.current_version, plan.next_version, str(plan.bump), plan.tag, plan.previous_tag, plan.reason,
        component_changelog(manager, part), part.files, plan.decisions, part.via,
    )  # fmt: skip


def component_changelog(manager: ReleaseManager, part: PlannedComponent) -> str:
    """The changelog's section of a component, with the released components that it depends on; empty where there is nothing to tell."""
    plan = part.planned.plan
    if not plan.changes and plan.bump is Bump.NONE:
        return ""
    section = manager.section(plan, part.planned.history, manager.styled(part.planned.scene.rules))
    if part.needs:
        section = f"{section.rstrip()}\n\n### Workspace dependencies\n\n" + "".join(f"- {line(need, None)}\n" for need in part.needs)
    return section


def _commits(whole: PlannedComponents) -> tuple[PlannedCommit, ...]:
    """The changes of all components in the order of the history; one that several have stands once."""
    changes: dict[tuple[str, int, str], Change] = {}
    for part in whole.parts:
        for change in part.planned.plan.changes:
            changes.setdefault((change.sha, change.line, change.subject), change)
    places = {commit.sha: index for index, commit in enumerate(whole.commits)}
    return tuple(planned_commit(change) for change in sorted(changes.values(), key=lambda change: places[change.sha]))


def _headline(whole: PlannedComponents) -> str:
    released = whole.released
    if len(released) == 1:
        plan = released[0].planned.plan
        return f"{released[0].name} {plan.current_version or 'first release'} → {plan.next_version} ({plan.bump})"
    names = [f"{part.name} {part.planned.plan.next_version}" for part in released]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(names[:_MOST_NAMES])}{more}"


def _reason(whole: PlannedComponents) -> str:
    released = whole.released
    if len(released) == 1:
        return f"{len(released)} of {len(whole.parts)} components is released. {released[0].name}: {released[0].planned.plan.reason}"
    if released:
        return f"{len(released)} of {len(whole.parts)} components are released."
    return f"Nothing asks for a release of any of the {len(whole.parts)} components."


def _shared_tags(scenes: Sequence[ComponentScene]) -> list[str]:
    """A note where components have tags of one form, so that nobody can tell whose a tag is."""
    names: dict[tuple[str, str], list[str]] = {}
    for scene in scenes:
        names.setdefault((scene.rules.tag_prefix, scene.rules.tag_suffix), []).append(scene.name)
    return [
        f"The tags of {', '.join(same[:_MOST_NAMES])} have one form, {prefix}VERSION{suffix}: a tag of one counts for all of them."
        for (prefix, suffix), same in names.items() if len(same) > 1
    ]  # fmt: skip


def _told(made: Sequence[Planned]) -> list[str]:
    return [f"{_name(each)}: {note}" for each in made for note in each.plan.notes]


def _name(each: Planned) -> str:
    part = each.scene.component
    return (part.name or part.path or ".") if part else "."


def _next(plan: ReleasePlan) -> str | None:
    return plan.next_version if plan.bump is not Bump.NONE else None


def _title(commit: HistoryCommit) -> str:
    return commit.message.lstrip().partition("\n")[0][:MAX_TEXT].rstrip()

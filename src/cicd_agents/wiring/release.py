"""`cicd-agents release plan|changelog|apply|rollback`: options → repository, agent, output."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.agents.release_manager import ReleaseManager, forge_of
from cicd_agents.agents.release_scene import ReleaseRequest
from cicd_agents.analysis.changelog.forge import Forge
from cicd_agents.clients.git import GitRepository, open_repository
from cicd_agents.domain.verdict import FailOn, Outcome, ReleaseVerdict
from cicd_agents.report.release_formats import RENDER
from cicd_agents.run import run

if TYPE_CHECKING:
    from cicd_agents.analysis.changelog.style import Style
    from cicd_agents.domain.release import ReleaseRules
    from cicd_agents.settings.model import Settings
    from cicd_agents.wiring.world import World


def release(options: argparse.Namespace, world: World) -> int:
    """Plan, or print the changelog; returns the exit code. Raises UsageError."""
    repository = open_repository(Path(options.repo), world.environment)
    settings = _settings_of(options, world.environment)
    manager = ReleaseManager(repository, world.clock, _forge(repository), *_styled(settings))
    request = ReleaseRequest(
        options.until, options.since, options.path, options.branch, getattr(options, "release_as", None), getattr(options, "prerelease", None),
        getattr(options, "graduate", False), further_files=_further(settings), scheme=options.scheme or (settings.release_scheme if settings else ""),
    )  # fmt: skip
    if options.what == "changelog":
        for part in manager.changelog(request, options.all):
            world.out(world.redactor.redact(part).text)
        return 0
    plan = partial(manager.plan, request) if options.explain == "off" else partial(_explained, options, manager, repository, request, world)
    report = run(plan, FailOn.NEVER, world.redactor, world.clock.monotonic)
    world.out(RENDER[options.format](report))
    return report.exit_code


def _explained(options: argparse.Namespace, manager: ReleaseManager, repository: GitRepository, request: ReleaseRequest, world: World) -> ReleaseVerdict:
    """The plan with what a model says of it; a concern makes it inconclusive."""
    from contextlib import ExitStack

    from cicd_agents.wiring.release_explaining import concern_of, plan_advisor

    with ExitStack() as stack:
        advisor = plan_advisor(options.explain, options.config or "", repository, manager.styled, world, stack)
        verdict, plans = manager.proposed(request)
        if advisor is None or not plans:
            return verdict
        verdict = advisor.explained(verdict, plans)
        return replace(verdict, outcome=Outcome.INCONCLUSIVE) if concern_of(verdict) else verdict


def release_writes(options: argparse.Namespace, world: World) -> int:
    """Make a release, or take one back; returns the exit code. Raises UsageError."""
    from cicd_agents.clients.settings_file import read_event, read_settings_file
    from cicd_agents.context.detect import detect
    from cicd_agents.settings.names import FILE_NAME
    from cicd_agents.settings.reading import read
    from cicd_agents.wiring.release_apply import Wish, apply_release

    context = detect(world.environment, read_event(world.environment.get("GITHUB_EVENT_PATH", "")))
    folder = Path(options.repo)
    file = read_settings_file(Path(options.config) if options.config else folder / FILE_NAME, required=bool(options.config))
    settings = read(_given(options), world.environment, file, str(context.platform))
    if options.what == "rollback":
        from cicd_agents.wiring.release_rollback import roll_back

        return roll_back(folder, options.tag, options.good, options.reason, options.format, settings, context, world)
    return apply_release(Wish(folder, options.until, options.since, options.format), settings, context, world)


def _settings_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Settings | None:
    """The settings, where there is a file of them; planning needs none, and reading them takes time."""
    from cicd_agents.settings.names import FILE_NAME

    path = Path(options.config) if options.config else Path(options.repo) / FILE_NAME
    if not options.config and not path.is_file():
        return None
    from cicd_agents.clients.settings_file import read_settings_file
    from cicd_agents.settings.reading import read

    return read({}, environment, read_settings_file(path, required=bool(options.config)), "local")


def _styled(settings: Settings | None) -> tuple[Callable[[ReleaseRules], Style], ...]:
    if settings is None:
        return ()
    from cicd_agents.wiring.release_style import styled

    return (styled(settings),)


def _further(settings: Settings | None) -> tuple[tuple[str, str], ...]:
    if settings is None:
        return ()
    from cicd_agents.wiring.release_style import further_files

    return further_files(settings)


def _given(options: argparse.Namespace) -> dict[str, str]:
    """The options that are settings, by the settings' names."""
    given = {
        "release-as": getattr(options, "release_as", None), "prerelease": getattr(options, "prerelease", None), "git-remote": options.remote,
        "graduate": "true" if getattr(options, "graduate", False) else None, "release-component": getattr(options, "path", None),
        "release-branch": getattr(options, "branch", None), "release-flow": getattr(options, "flow", None), "dry-run": "true" if options.dry_run else None,
        "release-assets": "\n".join(getattr(options, "asset", ())), "forge-release": "false" if getattr(options, "no_forge", False) else None,
        "explain": getattr(options, "explain", None), "release-scheme": options.scheme,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value}


def _forge(repository: GitRepository) -> Forge | None:
    remote = repository.remote()
    return forge_of(str(remote.forge), remote.url) if remote else None

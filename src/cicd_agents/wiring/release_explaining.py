"""The model beside a release: who is asked by the settings, about what, and whether a person should look first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.git import GitRepository
from cicd_agents.domain.context import RunContext
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.verdict import ReleaseVerdict
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.explaining import Explainer, explainer
from cicd_agents.wiring.memory import has_memory, open_memory

if TYPE_CHECKING:
    from cicd_agents.agents.release_manager import Planned
    from cicd_agents.analysis.changelog.style import Style
    from cicd_agents.domain.ports import AdviceMemory
    from cicd_agents.domain.release import ReleaseRules
    from cicd_agents.wiring.world import World

HELD = "A model raised a concern (see the explanation), so the release is only shown. Look at it; to release without asking a model, set `explain: off`."
FINISHED = (
    "A model raised a concern (see the explanation). The release had begun before: it has a tag, or its request was merged. So it is finished all the same."
)


@dataclass(frozen=True, slots=True)
class ReleaseAdvisor:
    """Lets a model explain a release of the repository; `left` tells the seconds that are left of the run's time."""

    explainer: Explainer
    repository: GitRepository
    styled: Callable[[ReleaseRules], Style]
    world: World
    left: Callable[[], float]

    def explained(self, verdict: ReleaseVerdict, plans: Sequence[Planned]) -> ReleaseVerdict:
        """The verdict with the explanation; nothing else of it changes."""
        from cicd_agents.agents.release_dossier import ReleaseDossiers
        from cicd_agents.clients.git_diffs import SECONDS, GitDiffs

        diffs = GitDiffs(self.repository.git, Budget(self.world.clock, min(SECONDS, self.left() / 2)))
        dossiers = ReleaseDossiers(self.styled, diffs, self.world.redactor)
        return replace(verdict, advice=self.explainer.explain(lambda: dossiers.made(verdict, plans)))


def release_advisor(
    settings: Settings, context: RunContext, world: World, left: Callable[[], float], repository: GitRepository, styled: Callable[[ReleaseRules], Style],
    stack: ExitStack,
) -> ReleaseAdvisor | None:  # fmt: skip
    """Who explains, None where nobody is to be asked. `stack` closes the memory. Raises UsageError as `explainer` does."""
    found = explainer(settings, context, world, left, lambda: _memory(settings, context, world, repository, stack))
    return ReleaseAdvisor(found, repository, styled, world, left) if found else None


def plan_advisor(
    explain: str, config: str, repository: GitRepository, styled: Callable[[ReleaseRules], Style], world: World, stack: ExitStack
) -> ReleaseAdvisor | None:
    """The same for a plan, which reads settings only for this. `explain` is `auto` or `required`, `config` the settings file, empty: the repository's."""
    from cicd_agents.clients.platforms.release_services import context_of
    from cicd_agents.clients.settings_file import read_event, read_settings_file
    from cicd_agents.context.detect import detect
    from cicd_agents.settings.names import FILE_NAME
    from cicd_agents.settings.reading import read

    environment = world.environment
    context = context_of(repository.remote(), detect(environment, read_event(environment.get("GITHUB_EVENT_PATH", ""))))
    file = read_settings_file(Path(config) if config else repository.git.folder / FILE_NAME, required=bool(config))
    settings = read({"explain": explain}, environment, file, str(context.platform))
    return release_advisor(settings, context, world, Budget(world.clock, settings.time_limit).left, repository, styled, stack)


def concern_of(verdict: ReleaseVerdict) -> bool:
    """Whether the model that was asked wants a person to look first."""
    if verdict.advice is None:
        return False
    from cicd_agents.advisor.effect import concerned

    return concerned(verdict.outcome, verdict.advice) is not verdict.outcome


def _memory(settings: Settings, context: RunContext, world: World, repository: GitRepository, stack: ExitStack) -> AdviceMemory | None:
    """The memory of the settings; what is wrong with it is said, and the model is asked without it."""
    if not has_memory(settings):
        return None
    folder = Path(context.workspace or repository.top or ".")
    try:
        return stack.enter_context(open_memory(settings, folder, world, writable=context.trusted))
    except (ServiceError, UsageError) as problem:
        world.say(f"There is no memory in this run: {problem}")
        return None

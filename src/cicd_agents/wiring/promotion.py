"""The promotion of a release as the settings ask for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.clients.git_change import GitChanges
from cicd_agents.clients.git_release import GitWriter
from cicd_agents.clients.platforms.release_services import ReleaseServices
from cicd_agents.clients.platforms.services import Order
from cicd_agents.domain.context import Platform
from cicd_agents.domain.release import CheckpointLine, ReleaseCheckpoint
from cicd_agents.domain.release_content import ReleaseContent
from cicd_agents.operations.promotion import Environment, PromotedRelease, environments
from cicd_agents.operations.promotion_checkpoints import Checkpoint
from cicd_agents.operations.promotion_steps import Promotions
from cicd_agents.settings.model import Settings

if TYPE_CHECKING:
    from cicd_agents.wiring.world import World


def wanted(settings: Settings) -> tuple[Environment, ...]:
    """The environments of the settings. Raises UsageError for what cannot be read."""
    return environments(settings.environments, check=bool(settings.check_command), health_seconds=settings.health_wait * 60.0)


def promotion(
    content: ReleaseContent, order: Order, world: World, services: ReleaseServices | None, writer: GitWriter | None, branch: str,
    close: Callable[[Callable[[], None]], object],
) -> Promotions | None:  # fmt: skip
    """The promotion of a release, None where there are no environments. `close` is told what is to be closed at the end."""
    settings, context = order.settings, order.context
    places = wanted(settings)
    if not places:
        return None
    delivery = None
    if settings.argocd_url:
        from cicd_agents.clients.delivery.argocd import ArgoCD

        delivery = ArgoCD(
            settings.argocd_url, settings.argocd_token, world.clock, order.budget, project=settings.argocd_project, prune=settings.argocd_prune,
            allow_http=settings.allow_http, note=lambda retry: world.say(str(retry)),
        )  # fmt: skip
        close(delivery.close)
    check = None
    if settings.check_command:
        from cicd_agents.clients.check_command import CheckCommand

        secrets = tuple(value for value in (settings.token, settings.argocd_token, settings.slack_webhook) if value)
        check = CheckCommand(settings.check_command, world.environment, Path(context.workspace or "."), secrets)
    release = PromotedRelease(context.repository, content.tag, content.version, float(content.time))
    return Promotions(
        release, places, world.clock, delivery, services.pipelines if services else None, GitChanges(writer, branch) if writer and branch else None, check,
        settings.promote_force, context.platform is Platform.GITLAB,
    )  # fmt: skip


def told(found: tuple[Checkpoint, ...]) -> tuple[ReleaseCheckpoint, ...]:
    """Checkpoints in the words of the report."""
    return tuple(ReleaseCheckpoint(one.name, tuple(CheckpointLine(text, done) for text, done in one.items)) for one in found)

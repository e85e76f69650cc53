"""Checkpoints of a release on its way: for each stage the list of what must hold before it goes on, and whether it does. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cicd_agents.operations.promotion import Environment, PromotedRelease, Way

# A line of a checkpoint: what must hold, and whether it does; None: not known yet.
Item = tuple[str, bool | None]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One stage and its list."""

    name: str
    items: tuple[Item, ...]

    @property
    def holds(self) -> bool | None:
        """True when every line holds, False when one does not, None while something is not known."""
        answers = {done for _, done in self.items}
        return False if False in answers else None if None in answers else True


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """What is known of the release itself; None: not known yet. `files_agree` also holds where no file states the version."""

    tag_there: bool | None = None
    changelog_written: bool | None = None
    files_agree: bool | None = None
    published: bool | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an environment came in this run; None: not known."""

    revision: bool | None = None
    healthy: bool | None = None
    checked: bool | None = None


def checkpoints(
    facts: ReleaseFacts, release: PromotedRelease, environments: Iterable[Environment],
    progress: Mapping[str, Progress], approvals: Mapping[str, bool | None],
) -> tuple[Checkpoint, ...]:  # fmt: skip
    """All stages in order: version and changelog, then each environment. `approvals` holds the environments that need one, and whether it was given."""
    return (_version(facts, release), *(_environment(one, release, progress.get(one.name, Progress()), approvals) for one in environments))


def _version(facts: ReleaseFacts, release: PromotedRelease) -> Checkpoint:
    return Checkpoint(
        "version and changelog",
        (
            (f"The tag {release.tag} is there", facts.tag_there),
            ("The changelog is written", facts.changelog_written),
            (f"All version files say {release.version}", facts.files_agree),
            ("The release is published", facts.published),
        ),
    )


_FIRST = {Way.ARGOCD: "{} follows {}", Way.WORKFLOW: "{} was started on {}", Way.GIT: "{} says {}"}


def _environment(environment: Environment, release: PromotedRelease, progress: Progress, approvals: Mapping[str, bool | None]) -> Checkpoint:
    items: list[Item] = [("Approved", approvals[environment.name])] if environment.name in approvals else []
    items.append((_FIRST[environment.way].format(environment.target, release.revision(environment)), progress.revision))
    if environment.way is Way.WORKFLOW:
        items.append(("Its run succeeded", progress.healthy))
    elif environment.way is Way.ARGOCD or environment.application:
        items.append((f"{environment.application or environment.target} is synced and healthy", progress.healthy))
    if environment.check:
        items.append(("The check passed", progress.checked))
    return Checkpoint(environment.name, tuple(items))

"""What came of a publication. A failed one is told and never raised: the verdict and the exit code stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cicd_agents.domain.errors import NotAllowed, ServiceError


class PublishStatus(StrEnum):
    """How a publication ended."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    RESOLVED = "resolved"
    SKIPPED = "skipped"
    FAILED = "failed"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Published:
    """What came of a publication: `url` where it is to be seen, `why` in one sentence where it is not plain."""

    destination: str
    status: PublishStatus
    url: str = ""
    why: str = ""


def guarded(destination: str, publish: Callable[[], Published], *, from_fork: bool = False) -> Published:
    """What `publish` returns; a refusal or failure of a service becomes `failed`, a refusal on a fork, whose token may only read, `skipped`."""
    try:
        return publish()
    except NotAllowed as refusal:
        if from_fork:
            return Published(destination, PublishStatus.SKIPPED, why=f"The token of a fork's run may only read. {refusal}")
        return Published(destination, PublishStatus.FAILED, why=str(refusal))
    except ServiceError as problem:
        return Published(destination, PublishStatus.FAILED, why=str(problem))


def written(destination: str, write: Callable[[], Published]) -> Published:
    """What `write` returns; a file that cannot be written becomes `failed`."""
    try:
        return write()
    except OSError as problem:
        name = f"{problem.filename}: " if problem.filename else ""
        return Published(destination, PublishStatus.FAILED, why=f"{name}cannot be written: {problem.strerror or problem}.")

"""An application of Argo CD as a rollback sees it, and the port by which it is seen and changed. Times are seconds since the epoch, UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

# On the application: what automated sync was when we switched it off, so that it can be switched on again without any memory of ours.
PAUSED_BY_US = "cicd-agents/auto-sync"


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was synced: a commit or chart version per source, and a fingerprint of the sources with all their parameters (but not the branch or tag followed).

    An image is often a parameter of the source, so one commit may be two versions; `source` is empty where Argo CD does not tell.
    """

    revisions: tuple[str, ...]
    source: str = ""

    @property
    def key(self) -> str:
        """One word that is the same wherever the same thing was deployed."""
        return f"{'+'.join(self.revisions)}/{self.source[:8]}"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An entry of the application's history: only syncs of the whole application that succeeded are there."""

    id: int
    what: Deployed
    deployed: float | None = None


@dataclass(frozen=True, slots=True)
class AppOperation:
    """The sync that runs or ran last, in Argo CD's words (`phase`). `what` is None where it is not known yet.

    `own_source`: it states its source itself, as a rollback does and a sync does not. `whole`: it is about the whole application and no dry run.
    """

    phase: str
    message: str = ""
    what: Deployed | None = None
    own_source: bool = False
    whole: bool = True
    began: float | None = None


@dataclass(frozen=True, slots=True)
class Paused:
    """What our annotation holds: the settings of automated sync as they were, what Git stated then (a key of `Deployed`), and the images that ran.

    Argo CD's history has no images, so a later run knows only by these what it was that was left.
    """

    automated: Mapping[str, bool]
    left: str = ""
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Application:
    """How an application stands. `history` has the oldest entry first; `wanted` is what Git states now; `images` are those that run.

    `automated` are the settings of automated sync, None: there is none. `owner` is the ApplicationSet or application that makes this one (sure),
    `perhaps_owner` one that may (a label says so, which others set as well).
    """

    name: str
    project: str
    history: tuple[HistoryEntry, ...] = ()
    wanted: Deployed | None = None
    images: tuple[str, ...] = ()
    sync: str = ""
    health: str = ""
    health_message: str = ""
    operation: AppOperation | None = None
    auto_sync: bool = False
    automated: Mapping[str, bool] | None = field(default=None)
    paused: Paused | None = None
    owner: str = ""
    perhaps_owner: str = ""


class Applications(Protocol):
    """Applications of one Argo CD server. Methods raise ServiceError, NotFound where there is no such application."""

    def application(self, name: str) -> Application:
        """How it stands after a comparison made just now."""
        ...

    def may(self, application: Application, action: str) -> bool | None:
        """Whether the credential has a right (`sync`, `update`, `rollback`) on it; None where the server does not tell."""
        ...

    def pause_auto_sync(self, name: str, paused: Paused) -> None:
        """Switch automated sync off and note on the application what it was; doing it twice does no harm."""
        ...

    def resume_auto_sync(self, name: str, automated: Mapping[str, bool]) -> None:
        """Switch automated sync on as it was and take the note away; doing it twice does no harm."""
        ...

    def roll_back(self, name: str, id: int, *, prune: bool) -> None:  # noqa: A002 Argo CD's own word
        """Start the sync to an entry of the history. Raises Rejected where another operation runs or automated sync is on."""
        ...

    def terminate(self, name: str) -> None:
        """End the operation that runs. Raises Rejected where none does."""
        ...

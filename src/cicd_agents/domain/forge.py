"""The words of a code forge where releases are made, and what a release needs of it, as protocols; GitHub and GitLab satisfy them in `clients/platforms`.

Methods raise ServiceError (domain.errors) when the forge does not do what was asked. Times are seconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Protocol

from cicd_agents.domain.ci import Author, Comment, Run, Status


@dataclass(frozen=True, slots=True)
class ReleaseAsset:
    """A file of a release. `size` in bytes, None where the forge does not tell; `digest` is `sha256:HEX` where it does; `complete` false: its upload broke."""

    id: str
    name: str
    size: int | None = None
    digest: str = ""
    complete: bool = True
    url: str = ""


@dataclass(frozen=True, slots=True)
class ForgeRelease:
    """A release on the forge. `id` is GitHub's number, GitLab's is the tag. GitLab knows neither drafts nor prereleases: both are false there."""

    id: str
    tag: str
    name: str
    body: str
    draft: bool = False
    prerelease: bool = False
    url: str = ""
    assets: tuple[ReleaseAsset, ...] = ()


class Releases(Protocol):
    """The releases of one repository."""

    @property
    def drafts(self) -> bool:
        """Whether there are drafts here (GitHub); without them a release is public at once, and its assets come after or before it."""
        ...

    def find(self, tag: str) -> ForgeRelease | None:
        """The release of a tag, drafts too; of several drafts the oldest."""
        ...

    def latest(self) -> ForgeRelease | None:
        """The one that the forge shows as the latest."""
        ...

    def listed(self, most: int) -> Iterator[ForgeRelease]:
        """The newest ones, newest first, drafts too, at most `most`."""
        ...

    def create(self, tag: str, commit: str, name: str, body: str, *, draft: bool, prerelease: bool, latest: bool = True) -> ForgeRelease:
        """Make a release of a tag that exists. Raises Rejected where there is one already."""
        ...

    def update(
        self, release: ForgeRelease, *, name: str | None = None, body: str | None = None, draft: bool | None = None, prerelease: bool | None = None,
        latest: bool | None = None,
    ) -> ForgeRelease:  # fmt: skip
        """Change what is given; doing it twice does no harm. `latest` as True makes it the latest one."""
        ...

    def upload(self, release: ForgeRelease, name: str, media_type: str, content: BinaryIO, size: int) -> ReleaseAsset:
        """Add a file of `size` bytes, streamed. Raises Rejected where there is one of this name."""
        ...

    def discard(self, release: ForgeRelease, asset: ReleaseAsset) -> None:
        """Take away an asset whose upload broke; one that is gone already is fine. Raises Refused for a complete one."""
        ...

    def discard_draft(self, release: ForgeRelease) -> None:
        """Take away a draft without assets that another run made at the same time. Raises Refused for anything else."""
        ...


class ThreadKind(StrEnum):
    """What people talk about under a number; GitHub counts both by one row of numbers, GitLab by two (`#12`, `!12`)."""

    ISSUE = "issue"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Thread:
    """An issue or a pull or merge request by the number that people see (GitLab: iid)."""

    kind: ThreadKind
    number: int


class Threads(Protocol):
    """Comments and labels of issues and requests."""

    def comments(self, thread: Thread) -> Iterator[Comment]:
        """All comments, oldest first. Raises NotFound where there is no such thread."""
        ...

    def comment(self, thread: Thread, body: str) -> Comment:
        """Write a comment."""
        ...

    def labels(self, thread: Thread) -> tuple[str, ...]:
        """Its labels."""
        ...

    def add_labels(self, thread: Thread, labels: Sequence[str]) -> None:
        """Add labels, those it has stay; ones that are new to the forge are made."""
        ...

    def of_commit(self, sha: str) -> tuple[int, ...]:
        """The merged requests that brought the commit, by their numbers."""
        ...


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A pull or merge request. `merged_as` is the commit on the base branch that it became, empty while it is not merged."""

    number: int
    author: Author
    head_ref: str
    head_sha: str
    base_ref: str
    title: str
    body: str
    open: bool
    merged_as: str = ""
    from_fork: bool = False
    url: str = ""
    labels: tuple[str, ...] = ()


class Requests(Protocol):
    """Pull or merge requests of one repository, as far as we make them ourselves."""

    def of_branch(self, head_ref: str, base_ref: str, most: int = 20) -> tuple[ChangeRequest, ...]:
        """Those from this branch of the repository itself (never of a fork) to that one, open and ended, newest first."""
        ...

    def open(self, head_ref: str, base_ref: str, title: str, body: str) -> ChangeRequest:
        """Open one. Raises Rejected where there is one already."""
        ...

    def rewrite(self, request: ChangeRequest, title: str, body: str) -> ChangeRequest:
        """Change title and text; doing it twice does no harm."""
        ...


class Pipelines(Protocol):
    """Workflows (GitHub) or pipelines (GitLab) that a release starts or waits for."""

    def checks(self, sha: str) -> Status:
        """How the checks of a commit stand: RUNNING while one is not ended, FAILURE when one failed, SUCCESS when all are green, UNKNOWN without any."""
        ...

    def start(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> str:
        """Start a workflow file (GitHub) or a pipeline (GitLab, `workflow` is not used) on a branch or tag; its address where the forge tells it."""
        ...

    def started(self, workflow: str, ref: str, since: float) -> tuple[Run, ...]:
        """Runs on this branch or tag that were started by hand or API since then, newest first."""
        ...


class People(Protocol):
    """Who may say yes."""

    def account(self, login: str) -> Author | None:
        """The account of a login; None where there is none."""
        ...

    def in_team(self, team: str, author: Author) -> bool:
        """Whether the account is in a team (GitHub: `org/team`) or group (GitLab: full path)."""
        ...

    def may_write(self, author: Author) -> bool:
        """Whether the account may write to the repository."""
        ...


@dataclass(frozen=True, slots=True)
class EnvironmentApproval:
    """What a person said about a job that waits for a protected environment. `approved` false: refused."""

    environment: str
    author: Author
    approved: bool
    comment: str = ""


class Reviews(Protocol):
    """Approvals that the platform itself asks for (GitHub environments, GitLab protected environments)."""

    def of_run(self, run_id: str) -> tuple[EnvironmentApproval, ...]:
        """What was said for this run so far."""
        ...


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """What a delivery tool says of an application: the revision that is wanted and the one that runs, `sync` and `health` in the tool's own words."""

    application: str
    target_revision: str
    revision: str
    sync: str
    health: str
    operation: str = ""  # phase of the running or last operation, in the tool's words
    message: str = ""
    auto_sync: bool = False


class Delivery(Protocol):
    """A delivery tool (Argo CD) as far as a promotion needs it."""

    def state(self, application: str) -> DeliveryState:
        """How the application stands; asks for fresh data."""
        ...

    def set_revision(self, application: str, revision: str) -> DeliveryState:
        """Make the application follow the revision."""
        ...

    def sync(self, application: str, revision: str) -> None:
        """Start a sync to the revision; one that runs already for it is fine."""
        ...

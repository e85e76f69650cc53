"""The words of releases: history, parsed commits, rules, plans. Times are seconds since the epoch, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Bump(StrEnum):
    """What a change asks of the version, the least first."""

    NONE = "none"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"

    @property
    def rank(self) -> int:
        """For comparison: a larger one wins."""
        return list(Bump).index(self)


@dataclass(frozen=True, slots=True)
class HistoryCommit:
    """A commit as git tells it; `files` are its changed paths, None where they were not asked for."""

    sha: str
    parents: tuple[str, ...]
    author: str
    email: str
    time: int
    message: str
    files: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to an issue or request in a commit: `target` such as `#12` or `group/app!3`, `action` the word before it in lower case, or empty."""

    action: str
    target: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a commit, in Conventional Commits 1.0.0 terms; a squash commit holds several. `note` is the text of its breaking change.

    `type` is in lower case, "" where the commit cannot be read as one (then `subject` is its first line); `line` counts from 1 in the message.
    """

    sha: str
    type: str
    scope: str | None
    subject: str
    breaking: bool = False
    note: str = ""
    body: str = ""
    footers: tuple[tuple[str, str], ...] = ()
    refs: tuple[Reference, ...] = ()
    reverts: tuple[str, ...] = ()
    release_as: str | None = None
    line: int = 1


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a commit counts as it does: `rule` is a short name, `text` the line of the message that decided; `hint` for what could not be read."""

    sha: str
    bump: Bump
    rule: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class TypeRule:
    """What a commit type asks for; `scope` None: any. `section` is its title in the changelog, "" where it is hidden.

    `breaking`: the rule is for breaking changes only, and goes before what all breaking changes ask for.
    """

    type: str
    bump: Bump
    section: str = ""
    scope: str | None = None
    breaking: bool = False


class ZeroPolicy(StrEnum):
    """What a change asks for below 1.0.0."""

    BREAKING_IS_MINOR = "breaking-is-minor"  # feat stays minor
    ONE_LOWER = "one-lower"  # breaking is minor, feat is patch
    FEATURE_IS_PATCH = "feature-is-patch"  # breaking leads to 1.0.0
    AS_AFTER = "as-after"  # breaking is major: 0.4.0 becomes 1.0.0


@dataclass(frozen=True, slots=True)
class ReleaseRules:
    """How bumps are decided. `source` says which file or preset the rules come from.

    `types` are tried in order, the first that fits counts; types that none names count as `others`. `any_visible_is_patch`: every type with a section
    asks for a patch at least (release-please). `tag_prefix` stands before the version in tags ("v", "core/v", "pkg@"), `tag_suffix` behind it; `path` and
    `excluded` limit a component's commits.
    """

    types: tuple[TypeRule, ...]
    others: Bump = Bump.NONE
    breaking: Bump = Bump.MAJOR
    reverts: Bump = Bump.PATCH
    zero: ZeroPolicy = ZeroPolicy.BREAKING_IS_MINOR
    any_visible_is_patch: bool = False
    tag_prefix: str = "v"
    path: str = ""
    excluded: tuple[str, ...] = ()
    prerelease: str | None = None
    release_as: str | None = None
    initial: str = "1.0.0"
    scheme: str = "semver"
    source: str = "default"
    ignored: tuple[str, ...] = ()
    tag_suffix: str = ""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A version file that the release changes."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """What a release would be. `next_version` equals `current_version` where nothing asks for one (`bump` none); `tag` is the tag that would be made."""

    current_version: str | None
    next_version: str | None
    bump: Bump
    changes: tuple[Change, ...]
    decisions: tuple[Decision, ...]
    reason: str
    source: str
    tag: str | None = None
    previous_tag: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedCommit:
    """A commit of the plan as the report prints it."""

    sha: str
    type: str
    scope: str | None
    breaking: bool
    subject: str
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComponentPlan:
    """What the release of one component of a monorepo would be; `next` equals `current` and `tag` is None where it is not released.

    `via` says what else brought its version: `linked:GROUP` (the group's common version), `depends:NAME` (a component that it depends on is released); empty
    where its own commits did.
    """

    name: str
    path: str
    current: str | None
    next: str | None
    bump: str
    tag: str | None
    previous_tag: str | None
    reason: str
    changelog: str
    files: tuple[FileChange, ...]
    decisions: tuple[Decision, ...]
    via: str = ""


@dataclass(frozen=True, slots=True)
class CheckpointLine:
    """What must hold before a release goes on, and whether it does; None: not known yet."""

    text: str
    done: bool | None


@dataclass(frozen=True, slots=True)
class ReleaseCheckpoint:
    """A stage of a release on its way: version and changelog, then each environment."""

    name: str
    lines: tuple[CheckpointLine, ...]


@dataclass(frozen=True, slots=True)
class ReleaseDetails:
    """`details` of a release report (contract `cicd-agents/report/v1`).

    Where several components of a monorepo are planned, `components` has all of them, `commits` the changes of all, each once, `files` those of all, `bump` is
    the highest; versions, tags and changelog are those of the only component that is released, and null or empty where several are. `decisions` are then the
    commits that belong to no component.
    """

    current_version: str | None
    next_version: str | None
    bump: str
    commits: tuple[PlannedCommit, ...]
    changelog: str
    files: tuple[FileChange, ...]
    reason: str
    tag: str | None = None
    previous_tag: str | None = None
    source: str = "default"
    decisions: tuple[Decision, ...] = ()
    components: tuple[ComponentPlan, ...] = ()
    checkpoints: tuple[ReleaseCheckpoint, ...] = ()

"""What an existing release configuration says."""

from __future__ import annotations

from dataclasses import dataclass, field

from cicd_agents.analysis.commits.reading import Reading
from cicd_agents.analysis.versions.branches import BranchRule
from cicd_agents.domain.release import ReleaseRules


@dataclass(frozen=True, slots=True)
class VersionFile:
    """A file that carries the version.

    `kind` as the tool names it: `json`, `toml`, `yaml`, `xml`, `pom`, `generic`, `variable`, `pattern`, or empty: as the file's name says.
    `selector` finds the place: a JSON path, a dotted key, an XPath, a variable's name or a regular expression.
    """

    path: str
    kind: str = ""
    selector: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the repository with versions of its own. `version` is the last released one as a manifest records it, None where none does."""

    name: str
    path: str
    rules: ReleaseRules
    version: str | None = None
    files: tuple[VersionFile, ...] = ()
    changelog: str = "CHANGELOG.md"


@dataclass(frozen=True, slots=True)
class LinkedVersions:
    """Components that always get the same version."""

    group: str
    components: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoundConfig:
    """The rules of a repository that already has a release configuration, and the file that decided.

    `notes` say what could not be taken over and what was assumed instead. `reading` is how the tool reads messages.
    `rules` are those of the root, or of the first component without one. `branches` empty: the default table.
    `tag_formats` are templates, the first for new tags, further ones for older tags. `spelling` is `semver` or `pep440` (how prereleases are written).
    `graduate`: the tool would leave 0.x at the next release. `workspaces` are plugins that bump dependants.
    `stop_at` is a commit before which nothing is looked at.
    """

    rules: ReleaseRules
    file: str
    notes: tuple[str, ...] = ()
    tool: str = ""
    reading: Reading = field(default_factory=Reading)
    branches: tuple[BranchRule, ...] = ()
    tag_formats: tuple[str, ...] = ("v{version}",)
    components: tuple[Component, ...] = ()
    linked: tuple[LinkedVersions, ...] = ()
    workspaces: tuple[str, ...] = ()
    files: tuple[VersionFile, ...] = ()
    changelog: str = "CHANGELOG.md"
    spelling: str = "semver"
    graduate: bool = False
    stop_at: str = ""

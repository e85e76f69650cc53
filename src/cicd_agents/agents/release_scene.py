"""A repository as a request for a release sees it: configuration, component, line, tags, the last release."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from cicd_agents.analysis.commits.plan import World
from cicd_agents.analysis.commits.presets import DEFAULT
from cicd_agents.analysis.release_config.find import CONFIG_FILES, find_config, further_files
from cicd_agents.analysis.release_config.found import Component, FoundConfig
from cicd_agents.analysis.release_config.places import WORKFLOWS
from cicd_agents.analysis.version_files.kinds.pattern import pattern
from cicd_agents.analysis.version_files.planning import PlannedFiles, planned_changes
from cicd_agents.analysis.version_files.selection import version_files
from cicd_agents.analysis.versions.branches import DEFAULT_TABLE, Line, line_of
from cicd_agents.analysis.versions.calver import Scheme, scheme_of
from cicd_agents.analysis.versions.semver import Version
from cicd_agents.analysis.versions.tags import TagFormat, guess_format, tag_format, versions_of
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import HistoryCommit, ReleaseRules

if TYPE_CHECKING:  # the ports of all agents take time to import
    from cicd_agents.domain.ports import ReleaseRepository, ReleaseTag

# A configuration file is some kilobytes; a lock file with the version in it may be large.
MAX_CONFIG, MAX_VERSION_FILE = 1 << 20, 32 << 20
MAX_WORKFLOWS = 50
# Commits before the last release in whose titles a reverted request is looked for.
MAX_TITLES = 50_000
_TRIES = 4
_REQUEST = re.compile(r"[#!][0-9]{1,9}\b")


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """What is asked. `since`: the tag or commit of the last release (default: found); `branch`: the branch that releases, where HEAD does not tell.

    `component`: name or path of a component of a monorepo; `release_as`, `prerelease`, `graduate`: one-off wishes. `ignoring`: tags that are to be seen as not
    there, since it is their own release that is looked at. `further_files`: paths of version files with the user's own pattern, or an empty text.
    `scheme`: of calendar versions, such as `YYYY.MM.MICRO`; empty or `semver`: semantic versions.
    """

    until: str = "HEAD"
    since: str | None = None
    component: str = ""
    branch: str | None = None
    release_as: str | None = None
    prerelease: str | None = None
    graduate: bool = False
    ignoring: frozenset[str] = frozenset()
    further_files: tuple[tuple[str, str], ...] = ()
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class _Commit:
    """A commit in the place of a tag."""

    name: str
    commit: str
    time: int = 0


@dataclass(frozen=True)
class Scene:
    """The repository as one request sees it: its configuration, component, line, tags and the last release. Read once, when first asked for."""

    repository: ReleaseRepository
    request: ReleaseRequest
    _found: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def at(self) -> str:
        """The commit that is looked at, by its id."""
        return self.repository.commit(self.request.until)

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The paths of all files."""
        return self.repository.files(self.at)

    @cached_property
    def config(self) -> FoundConfig:
        """The configuration that is there, or our defaults."""
        self.repository.require_whole()
        at = self.at
        workflows = [path for path in self.files if path.startswith(WORKFLOWS) and path.endswith((".yml", ".yaml"))]
        files = dict(self.repository.read_files((*CONFIG_FILES, *workflows[:MAX_WORKFLOWS]), at, MAX_CONFIG))
        files.update(self.repository.read_files(further_files(files), at, MAX_CONFIG))
        found = find_config(files)
        return found or FoundConfig(DEFAULT.rules, "", reading=DEFAULT.reading)

    @cached_property
    def component(self) -> Component | None:
        """The component that was asked for, or the only one."""
        asked = self.request.component.strip("/")
        parts = self.config.components
        if not asked:
            return parts[0] if len(parts) == 1 else None
        found = next((part for part in parts if asked in (part.name, part.path.strip("/"))), None)
        if found is None and parts:
            raise UsageError(f"{self.config.file} has no component {asked[:80]!r}; it has {', '.join(part.name or part.path for part in parts[:20])}.")
        return found

    @cached_property
    def rules(self) -> ReleaseRules:
        """The rules with the request's wishes. Where nothing configures tags, or no tag is of the configured form, it is that of the tags that are there."""
        asked = self.request.component.strip("/")
        rules = self.component.rules if self.component else self.config.rules
        if asked and self.component is None:
            rules = replace(rules, path=asked)
        rules = replace(rules, scheme=self.request.scheme or rules.scheme)
        calendar = scheme_of(rules.scheme)
        if not self.config.file or not versions_of((tag.name for tag in self.tags), self._formats_of(rules)):
            guessed = guess_format((tag.name for tag in self.tags), asked.rpartition("/")[2], calendar)
            if not self.config.file or versions_of((tag.name for tag in self.tags), (guessed,)):
                rules = replace(rules, tag_prefix=guessed.prefix, tag_suffix=guessed.suffix)
        channel = self.request.prerelease or rules.prerelease or (self.line.prerelease if self.line else None)
        if channel and calendar:
            raise UsageError(f"release-scheme: calendar versions have no prereleases, and {channel[:60]!r} is a channel of them; release from a stable branch.")
        return replace(rules, release_as=self.request.release_as or rules.release_as, prerelease=channel)

    @cached_property
    def line(self) -> Line | None:
        """What the branch may release; None where nothing says which branch it is, or the table does not know it. The branch of HEAD speaks for HEAD only."""
        branch = self.request.branch or (self.repository.head().branch if self.now else None)
        return line_of(branch, self.config.branches or DEFAULT_TABLE) if branch else None

    @property
    def now(self) -> bool:
        """Whether the question is about what can be released now, not about an older state, for which later tags don't count."""
        return self.request.until == "HEAD"

    @cached_property
    def tags(self) -> Sequence[ReleaseTag]:
        """All tags, but those that the request ignores."""
        found = self.repository.tags()
        return [tag for tag in found if tag.name not in self.request.ignoring] if self.request.ignoring else found

    @cached_property
    def formats(self) -> tuple[TagFormat, ...]:
        """The forms of this component's tags, the one of new tags first."""
        return self._formats_of(self.rules)

    def _formats_of(self, rules: ReleaseRules) -> tuple[TagFormat, ...]:
        calendar = scheme_of(rules.scheme)
        own = TagFormat(rules.tag_prefix, rules.tag_suffix)
        further = () if self.component or not self.config.file else (tag_format(text, self.request.component) for text in self.config.tag_formats)
        # The tags from before a project went over to calendar versions are semantic, and below them.
        each = ((replace(form, scheme=calendar), form) if calendar else (form,) for form in (own, *further))
        return tuple(dict.fromkeys(form for forms in each for form in forms))

    @property
    def calendar(self) -> Scheme | None:
        """The scheme of calendar versions; None: they are semantic."""
        return self.formats[0].scheme

    def read(self, version: str | None) -> Version | None:
        """A version of this repository's scheme; None for one that is none."""
        return self.formats[0].read(version) if version else None

    @cached_property
    def versions(self) -> dict[str, Version]:
        """This component's tags and their versions."""
        return versions_of((tag.name for tag in self.tags), self.formats)

    @cached_property
    def existing(self) -> tuple[str, ...]:
        """The versions that there are; for an older state those that it reached, as far as a channel has to count them."""
        if self.now:
            return tuple(map(str, self.versions.values()))
        if not self.rules.prerelease:
            return ()
        reached = {tag.name for tag in self.repository.tags(self.at)}
        return tuple(str(version) for name, version in self.versions.items() if name in reached)

    @cached_property
    def previous(self) -> ReleaseTag | None:
        """The last release: the highest stable tag that is reachable, in a channel also its prereleases; or what the request names."""
        by_name = {tag.name: tag for tag in self.tags}
        if self.request.since is not None:
            return by_name.get(self.request.since) or _Commit(self.request.since, self.repository.commit(self.request.since))
        channel = self.rules.prerelease
        fitting = {
            name: version for name, version in self.versions.items()
            if (version.stable or (channel and version.prerelease[0] == channel)) and (self.line is None or self.line.holds(version))
        }  # fmt: skip
        ordered = sorted(fitting, key=lambda name: fitting[name].precedence, reverse=True)
        return self._first_reached([by_name[name] for name in ordered])

    def _first_reached(self, tags: Sequence[ReleaseTag]) -> ReleaseTag | None:
        """The first tag that is reached: a few are tried one by one, which as a rule walks few commits; then all are settled in one walk."""
        near = next((tag for tag in tags[:_TRIES] if self.repository.is_ancestor(tag.commit, self.at)), None)
        if near or len(tags) <= _TRIES:
            return near
        reached = {tag.name for tag in self.repository.tags(self.at)}
        return next((tag for tag in tags[_TRIES:] if tag.name in reached), None)

    @cached_property
    def current(self) -> str | None:
        """The version of the last release; where only a manifest knows it, that."""
        if self.previous and self.previous.name in self.versions:
            return str(self.versions[self.previous.name])
        return self.component.version if self.component else None

    def world(self, previous: ReleaseTag | None, now: float) -> World:
        """What the plan must know beside the commits."""
        return World(
            existing=self.existing, released=self._released(previous), day=datetime.fromtimestamp(now, UTC).date(),
            graduate=self.request.graduate or self.config.graduate, previous_tag=previous.name if previous else None,
        )  # fmt: skip

    def _released(self, previous: ReleaseTag | None) -> Callable[[str], bool]:
        """Whether what a revert names (a commit, or a request such as `#12`) was in the last release."""

        def released(named: str) -> bool:
            if previous is None:
                return False
            if named.startswith(("#", "!")):
                return named in self._requests(previous)
            try:
                return self.repository.is_ancestor(named, previous.commit)
            except UsageError:
                return False  # no commit of this repository

        return released

    def _requests(self, previous: ReleaseTag) -> frozenset[str]:
        """The requests that titles of released commits name; read only where a revert names one."""
        if "requests" not in self._found:
            titles = (commit.message.partition("\n")[0] for commit in islice(self.repository.history(previous.commit), MAX_TITLES))
            self._found["requests"] = frozenset(found for title in titles for found in _REQUEST.findall(title))
        return self._found["requests"]

    def commits(self, until: str, since: str | None) -> Iterator[HistoryCommit]:
        """The component's commits of a range."""
        paths = [self.rules.path] if self.rules.path.strip("./") else []
        return self.repository.history(self.at if until == self.request.until else until, [since] if since else [], paths=paths, excluded=self.rules.excluded)

    def planned_files(self, version: str) -> PlannedFiles:
        """The version files that a release of this version changes."""
        named = [file.path for file in (*self.config.files, *(self.component.files if self.component else ()))]
        further = self.request.further_files
        named += [path for path, _ in further]
        paths = version_files(self.files, self.rules.path.strip("./"), named)
        texts = {path: data.decode("utf-8", "surrogateescape") for path, data in self.repository.read_files(paths, self.at, MAX_VERSION_FILE).items()}
        if missing := next((path for path, _ in further if path not in texts), None):
            raise UsageError(f"version-files: there is no file {missing[:80]!r} in the repository.")
        return planned_changes(texts, self.current, version, tuple(pattern(path, expression) for path, expression in further if expression))

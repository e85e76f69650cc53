"""The files of a monorepo's components: what depends on what, and what the releases change in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cicd_agents.agents.release_scene import MAX_VERSION_FILE
from cicd_agents.analysis.components.dependants import PLUGINS, Workspace, moved
from cicd_agents.analysis.components.manifests import MANIFESTS, Family, read_manifest
from cicd_agents.analysis.components.ownership import Ownership, folder
from cicd_agents.analysis.version_files.places import file_name
from cicd_agents.analysis.version_files.planning import planned_changes
from cicd_agents.analysis.version_files.selection import version_files
from cicd_agents.domain.release import Bump, FileChange

if TYPE_CHECKING:
    from cicd_agents.agents.release_manager import Planned
    from cicd_agents.agents.release_remembered import Remembered

_NPM_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
_PLUGIN_OF = {family: plugin for plugin, family in PLUGINS.items()}
_MOST_NOTES = 10


@dataclass(slots=True)
class ChangedFiles:
    """What changes: whole texts by path, and for each component the changes that its release makes."""

    texts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _changes: dict[int, list[FileChange]] = field(default_factory=dict)

    def of(self, component: int) -> tuple[FileChange, ...]:
        """The changes of a component, by its place."""
        return tuple(dict.fromkeys(self._changes.get(component, ())))

    def add(self, component: int, changes: Sequence[FileChange]) -> None:
        """Note changes of a component."""
        self._changes.setdefault(component, []).extend(changes)


@dataclass
class Packages:
    """The package files of the repository at a revision; `workspaces` are the plugins of the configuration that release dependants."""

    repository: Remembered
    until: str
    ownership: Ownership
    workspaces: Sequence[str]
    _released: dict[int, str] = field(default_factory=dict)

    @property
    def families(self) -> frozenset[Family]:
        """Whose dependants are released too."""
        return frozenset(PLUGINS[plugin] for plugin in self.workspaces if plugin in PLUGINS)

    @cached_property
    def needs(self) -> Mapping[int, frozenset[int]]:
        """The components that each depends on and follows."""
        return self._workspace.dependencies(self.families) if self.families else {}

    def released_needs(self, component: int) -> list[tuple[str, str]]:
        """Name and version of the released components that it depends on and follows; to be asked after `changes`."""
        parts = self.ownership.parts
        return [(parts[need].name or parts[need].path, self._released[need]) for need in sorted(self.needs.get(component, ())) if need in self._released]

    def left_behind(self, released: Sequence[bool], names: Sequence[str]) -> list[str]:
        """A note on each component that depends on a released one and stays, since the configuration has no plugin for it."""
        if not any(released) or all(released):
            return []
        notes = []
        for family in sorted(set(Family) - self.families):
            for component, needs in sorted(self._workspace.dependencies([family]).items()):
                moving = [names[need] for need in sorted(needs) if released[need]]
                if moving and not released[component]:
                    notes.append(f"{names[component]} depends on {', '.join(moving[:3])} and stays: the configuration has no plugin {_PLUGIN_OF[family]}")
        return notes[:_MOST_NOTES]

    def changes(self, made: Sequence[Planned]) -> ChangedFiles:
        """What the releases change in version files, package files and lock files."""
        files = ChangedFiles()
        self._released = {
            index: each.plan.next_version for index, each in enumerate(made) if each.plan.bump is not Bump.NONE and each.plan.next_version
        }  # fmt: skip
        if self._released:
            before = self._own_versions(made, files)
            self._requirements(files, before)
            files.texts = {path: text for path, text in files.texts.items() if text != before[path]}
        return files

    def _own_versions(self, made: Sequence[Planned], files: ChangedFiles) -> dict[str, str]:
        """The components' own versions. The texts before, of all files that may change."""
        paths = {index: self._version_files(index) for index in self._released}
        more = self._manifest_paths + tuple(path for path in self._all if path in _NPM_LOCKS) if self.families else ()
        before = self._texts(tuple(sorted({path for each in paths.values() for path in each} | set(more))))
        files.texts = dict(before)
        for index, version in self._released.items():
            found = planned_changes({path: files.texts[path] for path in paths[index] if path in before}, made[index].scene.current, version)
            files.texts.update(found.texts)
            files.add(index, found.changes)
            files.notes += [item.sentence(found.current) for item in found.disagreements]
        return before

    def _requirements(self, files: ChangedFiles, before: Mapping[str, str]) -> None:
        """What package files and npm's lock file ask of the released packages."""
        if not self.families:
            return
        versions = {
            manifest.path: version
            for index, version in self._released.items()
            for manifest in self._workspace.packages(index, folder(self.ownership.parts[index].path))
            if manifest.family in self.families
        }
        for path in before:
            if file_name(path) in MANIFESTS or path in _NPM_LOCKS:
                files.texts[path], changes = moved(path, files.texts[path], self._workspace, versions)
                owner = self.ownership.owner(path)
                files.add(owner if owner is not None and owner in self._released else min(self._released), changes)

    def _version_files(self, component: int) -> tuple[str, ...]:
        """The version files of a component: below its folder and no other's, the lock files at the top, and what is named."""
        part = self.ownership.parts[component]
        named = [file.path for file in part.files]
        top = [path for path in self._all if "/" not in path]
        return version_files([*self._by_owner.get(component, ()), *top, *(set(named) & set(self._all))], folder(part.path), named)

    @cached_property
    def _all(self) -> tuple[str, ...]:
        return self.repository.files(self.repository.commit(self.until))

    @cached_property
    def _by_owner(self) -> dict[int | None, list[str]]:
        found: dict[int | None, list[str]] = {}
        for path in self._all:
            found.setdefault(self.ownership.owner(path), []).append(path)
        return found

    @cached_property
    def _manifest_paths(self) -> tuple[str, ...]:
        return tuple(path for path in version_files(path for path in self._all if file_name(path) in MANIFESTS) if file_name(path) in MANIFESTS)

    @cached_property
    def _workspace(self) -> Workspace:
        texts = self._texts(self._manifest_paths)
        return Workspace([found for path, text in texts.items() if (found := read_manifest(path, text))], self.ownership.owner)

    def _texts(self, paths: Sequence[str]) -> dict[str, str]:
        found = self.repository.read_files(paths, self.repository.commit(self.until), MAX_VERSION_FILE)
        return {path: data.decode("utf-8", "surrogateescape") for path, data in found.items()}

"""Which component depends on which, and the requirements that go along with a release (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cicd_agents.analysis.components.manifests import Family, Manifest, Need, npm_needs, read_manifest
from cicd_agents.analysis.version_files import json_text
from cicd_agents.analysis.version_files.places import file_name
from cicd_agents.analysis.version_files.spelling import spelt
from cicd_agents.domain.release import FileChange

# The plugins of release-please that release dependants too; the last is ours, for Python workspaces.
PLUGINS = {
    "node-workspace": Family.NPM, "cargo-workspace": Family.CARGO, "maven-workspace": Family.MAVEN, "python-workspace": Family.PYTHON,
}  # fmt: skip
_NPM_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")


@dataclass(frozen=True, slots=True)
class Workspace:
    """The package files of a repository. `owner` says which component a file is part of, by its place in the list."""

    manifests: Sequence[Manifest]
    owner: Callable[[str], int | None]
    _by_name: dict[tuple[Family, str], Manifest] = field(init=False, default_factory=dict)
    _by_folder: dict[tuple[Family, str], Manifest] = field(init=False, default_factory=dict)
    _by_owner: dict[int | None, list[Manifest]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for manifest in self.manifests:
            self._by_owner.setdefault(self.owner(manifest.path), []).append(manifest)
            self._by_folder.setdefault((manifest.family, manifest.path.rpartition("/")[0]), manifest)
            if manifest.name:
                self._by_name.setdefault((manifest.family, manifest.name), manifest)

    def target(self, manifest: Manifest, need: Need) -> Manifest | None:
        """The package of this repository that a dependency is on."""
        if need.inherited:
            shared = self._shared(manifest, need.name)
            return self.target(*shared) if shared and shared[1].folder is not None else None
        if need.folder is not None:
            return self._by_folder.get((manifest.family, need.folder))
        return self._by_name.get((manifest.family, need.name))

    def dependencies(self, families: Iterable[Family]) -> dict[int, frozenset[int]]:
        """For each component the others that it depends on, by package files of these families."""
        wanted = frozenset(families)
        found: dict[int, set[int]] = {}
        for here, manifests in self._by_owner.items():
            own = [(manifest, need) for manifest in manifests if manifest.family in wanted for need in manifest.needs]
            for target in filter(None, (self.target(manifest, need) for manifest, need in own)):
                there = self.owner(target.path)
                if here is not None and there is not None and there != here:
                    found.setdefault(here, set()).add(there)
        return {index: frozenset(others) for index, others in found.items()}

    def packages(self, component: int, path: str) -> tuple[Manifest, ...]:
        """The package files that have the component's version: those in its folder itself, else all that it has."""
        own = self._by_owner.get(component, [])
        return tuple(manifest for manifest in own if manifest.path.rpartition("/")[0] == path) or tuple(own)

    def _shared(self, manifest: Manifest, name: str) -> tuple[Manifest, Need] | None:
        """What the nearest workspace above says of a dependency that its members take over."""
        at = manifest.path
        while at:
            at = at.rpartition("/")[0]
            above = self._by_folder.get((manifest.family, at))
            if above and name in above.shared:
                return above, above.shared[name]
        return None


def moved(path: str, text: str, workspace: Workspace, versions: Mapping[str, str]) -> tuple[str, tuple[FileChange, ...]]:
    """A package file, or a lock file of npm, with the requirements of released packages at their new versions, and what changes.

    `versions` are the new ones by the path of the released package's own file. Raises UsageError where PEP 440 cannot spell a version that it must.
    """
    found = [
        (need.place, versions[target.path])
        for manifest, need in _needs(path, text)
        if need.place and (target := workspace.target(manifest, need)) and target.path in versions
    ]
    changes, pieces, at = [], [], 0
    for place, version in sorted(found, key=lambda pair: pair[0].start):
        new = spelt(place, version)
        pieces += [text[at : place.start], new]
        at = place.end
        if new != place.text:
            changes.append(FileChange(path, place.text, new))
    return "".join([*pieces, text[at:]]), tuple(dict.fromkeys(changes))


def _needs(path: str, text: str) -> Iterator[tuple[Manifest, Need]]:
    """The dependencies with the file in which each stands: in a lock file of npm the workspaces have their own again."""
    if file_name(path) in _NPM_LOCKS:
        yield from _locked(path, text)
        return
    manifest = read_manifest(path, text)
    if manifest:
        yield from ((manifest, need) for need in (*manifest.needs, *manifest.shared.values()))


def _locked(path: str, text: str) -> Iterator[tuple[Manifest, Need]]:
    top = path.rpartition("/")[0]
    for member in json_text.document(text):
        for package in json_text.members(text, member.start) if member.key == "packages" else ():
            if "node_modules" not in package.key.split("/"):
                inside = "/".join(filter(None, (top, package.key, "package.json")))
                yield from ((Manifest(inside, Family.NPM, ""), need) for need in npm_needs(text, package.start, inside))

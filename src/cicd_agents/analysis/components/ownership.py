"""Which component a path belongs to, as the tool of the configuration sees it (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from cicd_agents.analysis.release_config.found import Component

_GLOB = ("*", "?", "[")


@dataclass(frozen=True, slots=True)
class Splitting:
    """How a tool splits commits.

    `nested`: a file counts for each component above it, not only for the nearest. `empty_for_all`: a commit without files is everybody's.
    """

    nested: bool = False
    empty_for_all: bool = False


# release-please: the longest path that fits, all commits for the root, and commits without files for every package (src/util/commit-split.ts, src/manifest.ts).
# cocogitto: the commits that change something below a package's path (docs.cocogitto.io/guide/monorepo).
SPLITTING = {"release-please": Splitting(empty_for_all=True), "cocogitto": Splitting(nested=True)}


@dataclass(slots=True)
class Ownership:
    """The components by their paths. Components are named by their place in the list.

    The root (path empty) has all commits but those whose files it excludes all; files that are below another component are not its own.
    """

    parts: Sequence[Component]
    how: Splitting = Splitting()
    _by_folder: dict[str, list[int]] = field(init=False, default_factory=dict)
    _without: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(init=False)
    _known: dict[str, tuple[int, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for index, part in enumerate(self.parts):
            self._by_folder.setdefault(folder(part.path), []).append(index)
        self._without = [_excluded(part.rules.excluded) for part in self.parts]

    def owners(self, files: Sequence[str], merge: bool = False) -> tuple[int, ...]:
        """The components that a commit with these files touches, in their order. A merge that brought nothing belongs to the root only."""
        if not files:
            return tuple(range(len(self.parts))) if self.how.empty_for_all and not merge else tuple(self._by_folder.get("", ()))
        found: set[int] = set()
        for file in files:
            for index in self._above(file.rpartition("/")[0]):
                if index not in found and not self._excludes(index, file):
                    found.add(index)
        return tuple(sorted(found))

    def owner(self, path: str) -> int | None:
        """The component that a file is part of: the nearest one above it."""
        at = path.rpartition("/")[0]
        while True:
            if at in self._by_folder:
                return self._by_folder[at][0]
            if not at:
                return None
            at = at.rpartition("/")[0]

    def _above(self, directory: str) -> tuple[int, ...]:
        """The components whose commits are those of a directory. The root's are all."""
        if directory not in self._known:
            found: list[int] = []
            at = directory
            while at:
                found += self._by_folder.get(at, ())
                if found and not self.how.nested:
                    break
                at = at.rpartition("/")[0]
            self._known[directory] = (*found, *self._by_folder.get("", ()))
        return self._known[directory]

    def _excludes(self, index: int, file: str) -> bool:
        folders, globs = self._without[index]
        return bool(folders and f"{file}/".startswith(folders)) or any(fnmatchcase(file, glob) for glob in globs)


def folder(path: str) -> str:
    """A component's path without marks at its ends; empty for the root."""
    trimmed = path.strip().removeprefix("./").strip("/")
    return "" if trimmed == "." else trimmed


def _excluded(paths: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Folders (with a slash at the end) and globs."""
    plain = [folder(path).removesuffix("/**").removesuffix("/*") for path in paths if folder(path)]
    return tuple(f"{path}/" for path in plain if not any(sign in path for sign in _GLOB)), tuple(path for path in plain if any(sign in path for sign in _GLOB))

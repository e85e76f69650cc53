"""Which version files a release changes, and which do not say the current version (pure)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cicd_agents.analysis.version_files.editing import Located, located, rewritten
from cicd_agents.analysis.version_files.known import kinds_of
from cicd_agents.analysis.version_files.places import FoundVersion, Kind, Place, Role, Spelling, line_of
from cicd_agents.analysis.version_files.spelling import agrees, is_placeholder, spelt
from cicd_agents.domain.release import FileChange

_PARTS = {Spelling.MAJOR, Spelling.MINOR, Spelling.PATCH}


class Differing(StrEnum):
    """What happens to a file that does not say the current version. It is told in either case."""

    KEEP = "keep"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A version in a file that is neither the current nor the next one; `line` counts from 1."""

    path: str
    line: int
    version: str
    kind: str
    changed: bool

    def sentence(self, current: str) -> str:
        """One line for the plan."""
        return f"{self.path}:{self.line} says {self.version}, not {current}; it {'is changed' if self.changed else 'stays'}."


@dataclass(frozen=True, slots=True)
class PlannedFiles:
    """What a release does to the version files.

    `changes` has one item for each file that changes, with the first version that changes in it. `texts` are pairs of a path and its whole new text.
    `current` is the version that the files were compared with.
    """

    changes: tuple[FileChange, ...]
    texts: tuple[tuple[str, str], ...]
    disagreements: tuple[Disagreement, ...]
    current: str


def planned_changes(
    files: Mapping[str, str], old: str | None, new: str, patterns: tuple[Kind, ...] = (), differing: Differing = Differing.KEEP
) -> PlannedFiles:
    """The changes that make the files say `new` instead of `old`. A file that says `new` already does not change, so that a second run finds nothing to do.

    `files` are texts by path as they are stored: line ends untranslated, a byte order mark left in, bytes that are no UTF-8 as surrogates
    (`surrogateescape`). `old` is None before the first release: then the version that most files state is the current one.
    Zeros (`0.0.0`, `0.0.0-development`) are placeholders: they stay and are not told.
    Raises UsageError where PEP 440 cannot spell the new version and a Python file needs it.
    """
    found = _located(files, patterns)
    current = old if old is not None else _stated(found)
    judge = _Judge(found, files, current, new, differing)
    changes: list[FileChange] = []
    texts: list[tuple[str, str]] = []
    for path, all_here in found.items():
        moving = [one.place for one in all_here if judge.changes(one)]
        if first := next((place for place in moving if spelt(place, new) != place.text), None):
            changes.append(FileChange(path, first.text, spelt(first, new)))
            texts.append((path, rewritten(files[path], moving, new, lambda _: True)))
    return PlannedFiles(tuple(changes), tuple(texts), tuple(_disagreements(files, found, judge)), current)


class _Judge:
    """Decides for each place, with what the manifests among the files say about names."""

    def __init__(self, found: Mapping[str, tuple[Located, ...]], files: Mapping[str, str], current: str, new: str, differing: Differing) -> None:
        self._versions = (current, new) if current else (new,)
        self._changes_differing = differing is Differing.CHANGE
        own = [one for all_here in found.values() for one in all_here if one.place.role is Role.OWN]
        heirs = _heirs(found, files)
        self._known = _with_heirs(((one.kind.family, one.place.name) for one in own), heirs)
        self._families = {family for family, _ in self._known}
        self._moving = _with_heirs(((one.kind.family, one.place.name) for one in own if self.changes(one)), heirs)

    def agrees(self, place: Place) -> bool:
        """Whether a place says the current version or already the next one."""
        return any(agrees(place, version) for version in self._versions)

    def changes(self, one: Located) -> bool:
        """Whether a place is to say the next version."""
        match one.place.role:
            case Role.ASKED:
                return True
            case Role.OWN:
                return self._changes_differing or self.agrees(one.place)
            case Role.LOCKED if self._is_known(one):
                return (one.kind.family, one.place.name) in self._moving
        return self.agrees(one.place)

    def _is_known(self, one: Located) -> bool:
        """Whether the manifests tell what a name in a lock file is: all names are known where all manifests of the family have one."""
        known = (one.kind.family, one.place.name) in self._known
        return known or (one.kind.family in self._families and (one.kind.family, "") not in self._known)


def _located(files: Mapping[str, str], patterns: tuple[Kind, ...]) -> dict[str, tuple[Located, ...]]:
    return {path: located(kinds_of(path, patterns), text) for path, text in files.items()}


def _told(files: Mapping[str, str], path: str, one: Located) -> FoundVersion:
    return FoundVersion(path, one.place.text, line_of(files[path], one.place.start), one.kind.name)


def _states(place: Place) -> bool:
    """Whether a place states the whole version of the package."""
    return place.role in {Role.OWN, Role.ASKED} and place.spelling not in _PARTS


def _stated(found: Mapping[str, tuple[Located, ...]]) -> str:
    """The version that most files state; of several the one nearest to the root. Empty where none does."""
    paths = sorted(found, key=lambda path: path.count("/"))
    stated = Counter(one.place.text for path in paths for one in found[path] if one.place.role is Role.OWN and not _is_word(one.place.text))
    return stated.most_common(1)[0][0] if stated else ""


def _is_word(text: str) -> bool:
    """Whether a version is a placeholder that says so: `0.0.0-development`, not `0.0.0`."""
    return is_placeholder(text) and bool(text.strip("vV0."))


def _heirs(found: Mapping[str, tuple[Located, ...]], files: Mapping[str, str]) -> dict[tuple[str, str], list[str]]:
    """The packages that take over the version of a package, by family and its name."""
    heirs = defaultdict[tuple[str, str], list[str]](list)
    for path in found:
        for kind in kinds_of(path):
            for child, parent in kind.inherits(files[path].removeprefix("\ufeff")):
                heirs[kind.family, parent].append(child)
    return heirs


def _with_heirs(names: Iterable[tuple[str, str]], heirs: Mapping[tuple[str, str], list[str]]) -> set[tuple[str, str]]:
    waiting = list(names)
    reached = set[tuple[str, str]]()
    while waiting:
        family, name = waiting.pop()
        if (family, name) not in reached:
            reached.add((family, name))
            waiting += [(family, heir) for heir in heirs.get((family, name), ())]
    return reached


def _disagreements(files: Mapping[str, str], found: Mapping[str, tuple[Located, ...]], judge: _Judge) -> Iterator[Disagreement]:
    for path, all_here in found.items():
        for one in all_here:
            told = _states(one.place) or (one.place.role is Role.LOCKED and one.place.spelling is not Spelling.REQUIREMENT and judge.changes(one))
            if told and not judge.agrees(one.place) and not is_placeholder(one.place.text):
                said = _told(files, path, one)
                yield Disagreement(path, said.line, said.version, said.kind, judge.changes(one))

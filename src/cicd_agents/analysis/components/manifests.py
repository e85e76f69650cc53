"""What a package file says: which package it is of, and which packages of the same repository it may depend on (pure).

package.json, Cargo.toml, pyproject.toml and pom.xml. A `replace` in go.mod is no version, so Go modules are not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cicd_agents.analysis.version_files import json_text, xml_text
from cicd_agents.analysis.version_files import toml_text as toml
from cicd_agents.analysis.version_files.kinds.pyproject import normalised
from cicd_agents.analysis.version_files.places import Place, Role, Spelling, file_name


class Family(StrEnum):
    """Package managers; names are compared within one."""

    NPM = "npm"
    CARGO = "cargo"
    PYTHON = "python"
    MAVEN = "maven"


@dataclass(frozen=True, slots=True)
class Need:
    """A dependency: on a package by `name`, or on the one in a `folder` (from the top of the repository; None where no folder is named).

    `place` is the version in its requirement where that is one plain version, perhaps behind `^`, `~` or the like: it goes along with the package's version.
    `inherited`: the workspace's file says the rest (Cargo).
    """

    name: str
    folder: str | None = None
    place: Place | None = None
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """A package file. `shared` are dependencies that members of the workspace may take over by name; they are none of its own."""

    path: str
    family: Family
    name: str
    needs: tuple[Need, ...] = ()
    shared: Mapping[str, Need] = field(default_factory=dict)


def read_manifest(path: str, text: str) -> Manifest | None:
    """The package file; None for a file of another name. A file that cannot be read has no name and needs nothing."""
    reader = _READERS.get(file_name(path))
    return reader(path, text) if reader and not text.startswith("\ufeff") else None


NPM_TABLES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
# One whole or shortened version: no `1.x`, no range of two.
_VERSION = r"([0-9]+(?:\.[0-9]+){0,2}(?:[-+][0-9A-Za-z.+-]+)?)"
_NPM_PLAIN = re.compile(rf"(?:workspace:)?(?:npm:[^\s]+@)?(?:[~^=]|>=)?[ \t]*v?{_VERSION}")
_NPM_FOLDER = re.compile(r"(?:file|link|portal):(.+)")
_NPM_ALIAS = re.compile(r"npm:(@?[^@\s]+)(?:@.*)?")
# A version that a plain requirement of Cargo, or of Poetry, holds.
_PLAIN = re.compile(rf"[=^~]{{0,2}}[ \t]*{_VERSION}")
_PYTHON = re.compile(r"[ \t]*([A-Za-z0-9][A-Za-z0-9._-]*)[ \t]*(?:\[[^\]]*\])?[ \t]*(?:(?:={2,3}|~=)[ \t]*([0-9][0-9A-Za-z.+!-]*)[ \t]*(?:;|$))?")
_STRINGS = re.compile(r"\"([^\"\n\\]*)\"|'([^'\n]*)'|#[^\n]*")
_CARGO_TABLES = {"dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies"}
_ELSEWHERE = ("git", "url", "index")


def npm_needs(text: str, start: int, path: str) -> Iterator[Need]:
    """The dependencies of the object at `start`: a package.json, or the entry of a workspace in a lock file.

    What peers may be is a promise to those who use the package: their requirements stay as they are.
    """
    for table in json_text.members(text, start):
        for member in json_text.members(text, table.start) if table.key in NPM_TABLES else ():
            for place in json_text.place(text, member, Role.LOCKED):
                yield _npm_need(member.key, place, path, movable=table.key != "peerDependencies")


def _npm_need(name: str, place: Place, path: str, movable: bool) -> Need:
    inside, alias, plain = _NPM_FOLDER.fullmatch(place.text), _NPM_ALIAS.fullmatch(place.text), _NPM_PLAIN.fullmatch(place.text)
    version = _part(place, plain, 1, Spelling.REQUIREMENT) if plain and movable else None
    return Need(alias[1] if alias else name, _folder(path, inside[1]) if inside else None, version)


def _npm(path: str, text: str) -> Manifest:
    found = json_text.document(text)
    return Manifest(path, Family.NPM, json_text.string(found, "name"), tuple(npm_needs(text, 0, path)) if found else ())


def _cargo(path: str, text: str) -> Manifest:
    found = toml.entries(text)
    needs: dict[toml.Path, Need] = {}
    for prefix in dict.fromkeys(filter(None, map(_cargo_dependency, found))):
        needs[prefix] = _cargo_need(prefix, found, path)
    shared = {str(prefix[-1]): need for prefix, need in needs.items() if prefix[0] == "workspace"}
    own = tuple(need for prefix, need in needs.items() if prefix[0] != "workspace" and (need.folder is not None or need.inherited))
    return Manifest(path, Family.CARGO, toml.string(found, "package", "name"), own, shared)


def _cargo_dependency(path: toml.Path) -> toml.Path | None:
    """The dependency that a key is about: of the package, of a target or of the workspace."""
    match path:
        case (str(table), _, *_) if table in _CARGO_TABLES:
            return path[:2]
        case ("workspace", str(table), _, *_) if table in _CARGO_TABLES:
            return path[:3]
        case ("target", _, str(table), _, *_) if table in _CARGO_TABLES:
            return path[:4]
    return None


def _cargo_need(prefix: toml.Path, found: dict[toml.Path, toml.Entry], path: str) -> Need:
    """A dependency. Only those with a path are of this repository: Cargo refuses such a one whose version does not fit."""
    inside = toml.string(found, *prefix, "path")
    inherited = (*prefix, "workspace") in found and found[(*prefix, "workspace")].raw == "true"
    name = str(prefix[-1]) if inherited else toml.string(found, *prefix, "package") or str(prefix[-1])
    return Need(name, _folder(path, inside) if inside else None, _toml_version(found.get((*prefix, "version"))) if inside else None, inherited)


def _toml_version(entry: toml.Entry | None, spelling: Spelling = Spelling.REQUIREMENT) -> Place | None:
    place = next(entry.place(), None) if entry else None
    return _part(place, _PLAIN.fullmatch(place.text), 1, spelling) if place else None


def _python(path: str, text: str) -> Manifest:
    found = toml.entries(text)
    name = normalised(toml.string(found, "project", "name") or toml.string(found, "tool", "poetry", "name"))
    needs = (*_python_lists(found), *_poetry(found, path))
    return Manifest(path, Family.PYTHON, name, tuple(need for need in needs if not _is_elsewhere(found, need.name)))


def _python_lists(found: dict[toml.Path, toml.Entry]) -> Iterator[Need]:
    """PEP 621 and PEP 735: dependencies, optional ones, groups. Only `==` and `~=` pin a version."""
    for path, entry in found.items():
        if path == ("project", "dependencies") or path[:2] == ("project", "optional-dependencies") or path[:1] == ("dependency-groups",):
            for one in _STRINGS.finditer(entry.raw):
                group = 1 if one[1] is not None else 2
                if one[group] is None:
                    continue  # a comment
                place = Place(entry.start + one.start(group), entry.start + one.end(group), one[group], Role.LOCKED)
                if asked := _PYTHON.match(place.text):
                    yield Need(normalised(asked[1]), None, _part(place, asked, 2, Spelling.PEP440))


def _poetry(found: dict[toml.Path, toml.Entry], path: str) -> Iterator[Need]:
    for key, entry in found.items():
        if key[:2] != ("tool", "poetry"):
            continue
        match key[2:]:
            case (("dependencies" | "dev-dependencies"), str(name)) | ("group", _, "dependencies", str(name)):
                inside = toml.string(found, *key, "path")
                version = _toml_version(found.get((*key, "version")) if entry.raw[:1] == "{" else entry, Spelling.PEP440)
                yield Need(normalised(name), _folder(path, inside) if inside else None, version)
            case (("dependencies" | "dev-dependencies"), str(name), "path") | ("group", _, "dependencies", str(name), "path") if key[:-1] not in found:
                yield Need(normalised(name), _folder(path, entry.string or ""))


def _is_elsewhere(found: dict[toml.Path, toml.Entry], name: str) -> bool:
    """Whether uv takes a package from another place than this repository."""
    return any(key[:3] == ("tool", "uv", "sources") and len(key) > 4 and normalised(str(key[3])) == name and key[4] in _ELSEWHERE for key in found)


def _maven(path: str, text: str) -> Manifest:
    """The parent and the dependencies, also those of `dependencyManagement` and of profiles; a version that is a property is not one."""
    found = xml_text.elements(text)
    own = {element.path[-1]: element.value for element in found if len(element.path) == 2}
    parent = {element.path[-1]: element for element in found if element.path[:-1] == ("project", "parent")}
    group = own.get("groupId") or (parent["groupId"].value if "groupId" in parent else "")
    needs = [_maven_need(row, group) for row in _rows(found)]
    if "artifactId" in parent:
        needs.append(_maven_need(parent, group))
    return Manifest(path, Family.MAVEN, f"{group}:{own.get('artifactId', '')}", tuple(needs))


def _rows(found: Iterable[xml_text.Element]) -> Iterator[dict[str, xml_text.Element]]:
    """The dependencies, each with its elements; one begins where a name comes again."""
    row: dict[str, xml_text.Element] = {}
    for element in found:
        if element.path[-3:-1] != ("dependencies", "dependency"):
            continue
        if element.path[-1] in row:
            yield row
            row = {}
        row[element.path[-1]] = element
    if row:
        yield row


def _maven_need(row: Mapping[str, xml_text.Element], group: str) -> Need:
    values = {key: element.value for key, element in row.items()}
    of = values.get("groupId", "").replace("${project.groupId}", group)
    version = row.get("version")
    return Need(f"{of}:{values.get('artifactId', '')}", None, version.place(Role.LOCKED) if version and not version.value.startswith(("$", "[", "(")) else None)


def _part(place: Place, found: re.Match[str] | None, group: int, spelling: Spelling) -> Place | None:
    """The version inside of a requirement."""
    if found is None or found[group] is None:
        return None
    return Place(place.start + found.start(group), place.start + found.end(group), found[group], Role.LOCKED, spelling)


def _folder(path: str, to: str) -> str | None:
    """A folder that a file names, from the top of the repository; None for one outside of it."""
    parts = path.split("/")[:-1]
    for part in to.strip().removeprefix("./").split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return None if to.startswith("/") else "/".join(parts)


_READERS: Mapping[str, Callable[[str, str], Manifest]] = {"package.json": _npm, "Cargo.toml": _cargo, "pyproject.toml": _python, "pom.xml": _maven}
MANIFESTS = frozenset(_READERS)

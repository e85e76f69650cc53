"""pyproject.toml: `project.version` (https://packaging.python.org/en/latest/specifications/pyproject-toml/), `tool.poetry.version`.

A dynamic version is worked out at build time and stays. Commitizen's own copy goes along where it says the current version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cicd_agents.analysis.version_files import toml_text as toml
from cicd_agents.analysis.version_files.places import Kind, Place, Role, Spelling, named

_SEPARATORS = re.compile(r"[-_.]+")
_STRINGS = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'|#[^\n]*")


def normalised(name: str) -> str:
    """A name as lock files spell it: https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return _SEPARATORS.sub("-", name).lower()


def _find(text: str) -> Iterator[Place]:
    found = toml.entries(text)
    name = normalised(toml.string(found, "project", "name") or toml.string(found, "tool", "poetry", "name"))
    for path, entry in found.items():
        match path:
            case ("project", "version") if not _is_dynamic(found):
                yield from entry.place(Role.OWN, Spelling.PEP440, name)
            case ("tool", "poetry", "version") if not _from_git(found):
                yield from entry.place(Role.OWN, Spelling.PEP440, name)
            case ("tool", "commitizen", "version"):
                yield from entry.place(Role.FOLLOWS, Spelling.PEP440)


def _is_dynamic(found: dict[toml.Path, toml.Entry]) -> bool:
    entry = found.get(("project", "dynamic"))
    return entry is not None and any("version" in one.groups() for one in _STRINGS.finditer(entry.raw))


def _from_git(found: dict[toml.Path, toml.Entry]) -> bool:
    """Poetry's two plugins that take the version from tags want a placeholder here."""
    return any(entry.raw == "true" for path, entry in found.items() if path in {("tool", name, "enable") for name in _PLUGINS})


_PLUGINS = ("poetry-dynamic-versioning", "poetry-version-plugin")


KIND = Kind("pyproject.toml", "python", named("pyproject.toml"), _find)

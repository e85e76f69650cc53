"""uv.lock, and the directory packages of poetry.lock: own packages are those that come from a folder. Poetry locks no entry for the project itself."""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.analysis.version_files import toml_text as toml
from cicd_agents.analysis.version_files.kinds.pyproject import normalised
from cicd_agents.analysis.version_files.places import Kind, Place, Role, Spelling, named

_FOLDERS = ("editable", "virtual", "directory")


def _find(text: str) -> Iterator[Place]:
    found = toml.entries(text)
    for path, entry in found.items():
        match path:
            case ("package", int(), "version") if _is_own(found, path[:-1]):
                yield from entry.place(Role.LOCKED, Spelling.PEP440, normalised(toml.string(found, *path[:-1], "name")))


def _is_own(found: dict[toml.Path, toml.Entry], package: toml.Path) -> bool:
    source = (*package, "source")
    return any((*source, key) in found for key in _FOLDERS) or toml.string(found, *source, "type") == "directory"


KINDS = (Kind("uv.lock", "python", named("uv.lock"), _find), Kind("poetry.lock", "python", named("poetry.lock"), _find))

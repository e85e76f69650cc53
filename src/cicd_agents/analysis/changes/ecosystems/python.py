"""Lock files of Python: Poetry, uv, PDM, pylock.toml, Pipenv, requirements (pure). Names are normalised as PEP 503 says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cicd_agents.analysis.changes.ecosystems import json_shapes as shapes
from cicd_agents.analysis.changes.ecosystems.toml_packages import plain, tables
from cicd_agents.analysis.changes.packages import Pairs, at_commit, lines_of

_COMMIT = re.compile(r'[#@"]([0-9a-f]{40})\b')
# uv and pylock write them in one line, Poetry in a table of its own.
_OWN_SOURCE = re.compile(r"^\{ ?(?:virtual|editable|directory|path) = ")


def toml(text: str) -> Pairs:
    """poetry.lock, uv.lock, pdm.lock and pylock.toml."""
    for package in tables(text):
        if plain(package.get("source.type", "")) == "directory" or "source.path" in package or "path" in package:
            continue
        if _OWN_SOURCE.match(package.get("source", "")) or _OWN_SOURCE.match(package.get("directory", "")):
            continue
        yield normalised(plain(package.get("name", ""))), at_commit(plain(package.get("version", "")), _commit(package))


def _commit(package: Mapping[str, str]) -> str:
    """Poetry, pylock and PDM have a key for it, uv puts it behind the address."""
    for key in ("source.resolved_reference", "source.commit-id", "revision"):
        if value := plain(package.get(key, "")):
            return value
    found = _COMMIT.search(package.get("source", "") or package.get("vcs", ""))
    return found[1] if found else ""


def pipfile(text: str) -> Pairs:
    """Pipfile.lock: every group but `_meta`."""
    data = shapes.loaded(text)
    for group in data:
        for name, entry in shapes.entries(data, group).items() if group != "_meta" else ():
            if isinstance(entry, dict) and "path" not in entry:
                yield normalised(name), at_commit(shapes.text(entry, "version").removeprefix("=="), shapes.text(entry, "ref"))


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
_PIN = re.compile(r"^={2,3}\s*([^\s,;*]+)$")


def requirements(text: str) -> Pairs:
    """requirements.txt: `name==1.0` counts as 1.0; without a pin what is asked for counts (`>=2,<3`, or `any`), since that is what may change."""
    for line in _logical(text):
        found = _NAME.match(line)
        if not found:
            continue
        name, wanted = normalised(found[0]), line[found.end() :].lstrip()
        if wanted.startswith("["):
            wanted = wanted.partition("]")[2]
        wanted = wanted.partition(";")[0].partition(" --")[0].strip()[:1000]
        if wanted.startswith("@"):
            commit = _COMMIT.search(wanted)
            yield name, at_commit("", commit[1]) if commit else wanted[1:].strip()
        elif not wanted or wanted[0] in "=<>~!(":
            pin = _PIN.match(wanted)
            yield name, pin[1] if pin else "".join(wanted.split()) or "any"


def _logical(text: str) -> list[str]:
    """The lines with their continuations (each holds hashes), without comments."""
    joined: list[str] = []
    open_line = False
    for line in lines_of(text):
        line = re.sub(r"(?:^|\s)#.*", "", line)  # noqa: PLW2901 without its comment
        more = line.endswith("\\")
        if not open_line:
            joined.append(line.removesuffix("\\").strip())
        open_line = more
    return joined


def normalised(name: str) -> str:
    """`Typing_Extensions` as `typing-extensions`."""
    return re.sub(r"[-_.]+", "-", name).lower()

"""Lock files of JavaScript: npm, Yarn (classic and berry), pnpm, Bun (pure).

An alias (`"left": "npm:left-pad@1.2.0"`) counts as the package that it stands for.
"""

from __future__ import annotations

import re
from typing import Any

from cicd_agents.analysis.changes.ecosystems import json_shapes as shapes
from cicd_agents.analysis.changes.packages import Pairs, at_commit, lines_of

_FRAGMENT = re.compile(r"^(?=git\b|github:|gitlab:|bitbucket:|[^#]{1,600}\.git#)[^#]{1,700}#(?:commit=)?([0-9a-f]{7,64})$")
_TARBALL = re.compile(r"/tar\.gz/([0-9a-f]{40})$")
_OWN = ("file:", "link:", "workspace:", "portal:")


def npm(text: str) -> Pairs:
    """package-lock.json and npm-shrinkwrap.json: version 1 nests `dependencies`, versions 2 and 3 have flat `packages`."""
    data = shapes.loaded(text)
    packages = shapes.entries(data, "packages")
    for place, entry in packages.items():
        _, inside, name = place.rpartition("node_modules/")
        if inside and isinstance(entry, dict) and entry.get("link") is not True:
            yield _aliased(shapes.text(entry, "name") or name, entry)
    waiting = [] if packages else [shapes.entries(data, "dependencies")]
    while waiting:
        for name, entry in waiting.pop().items():
            yield _aliased(name, entry)
            if inner := shapes.entries(entry, "dependencies"):
                waiting.append(inner)


def _aliased(name: str, entry: Any) -> tuple[str, str]:
    version, resolved = shapes.text(entry, "version"), shapes.text(entry, "resolved")
    if version.startswith("npm:"):
        return _split(version[4:])
    if version.startswith(_OWN):
        return name, ""
    return name, at_commit("" if "#" in version else version, _commit(resolved) or _commit(version))


def _commit(origin: str) -> str:
    """The commit in the address of a repository; empty where it is of a registry."""
    found = _FRAGMENT.search(origin) or _TARBALL.search(origin) if len(origin) <= 1000 else None
    return found[1] if found else ""


def _split(text: str) -> tuple[str, str]:
    """`@scope/name@rest` as name and rest."""
    at = text.find("@", 1)
    return (text[:at], text[at + 1 :]) if at > 0 else (text, "")


def yarn(text: str) -> Pairs:
    """yarn.lock, both forms: a head line names the wanted ranges, the indented lines below it say what they came to."""
    head, found = "", {"version": "", "resolution": "", "resolved": "", "linkType": ""}
    for line in lines_of(text):
        if line.startswith("  ") and line[2:3] not in {" ", ""}:
            key, _, value = line[2:].partition(" ")
            if (key := key.rstrip(":")) in found:
                found[key] = value.strip().strip('"')
        elif line.endswith(":") and line[:1] not in {" ", "#"}:
            yield _yarn_entry(head, found)
            head, found = line[:-1], dict.fromkeys(found, "")
    yield _yarn_entry(head, found)


def _yarn_entry(head: str, found: dict[str, str]) -> tuple[str, str]:
    if found["linkType"] == "soft" or head == "__metadata":
        return "", ""
    wanted = head.split(",", 1)[0].strip().strip('"')
    name, origin = _split(found["resolution"] or wanted)
    if not found["resolution"] and origin.startswith("npm:") and "@" in origin[5:]:
        name = _split(origin[4:])[0]
    return name, at_commit(found["version"], _commit(found["resolved"] or origin))


_PNPM_KEY = re.compile(r"^/?(@[^/@]{1,250}/[^/@]{1,250}|[^/@]{1,250})[/@](.{1,2000})$")
_PNPM_REPOSITORY = re.compile(r"[/#]([0-9a-f]{40})$")


def pnpm(text: str) -> Pairs:
    """pnpm-lock.yaml, versions 5 to 9, by its lines: of a file of tens of thousands of lines only the keys of `packages` are wanted.

    A key is `/name/1.0.0_peers` (5), `/name@1.0.0(peers)` (6) or `name@1.0.0(peers)` (9).
    """
    inside, key, name, version = False, "", "", ""
    for line in lines_of(text):
        if line[:1] not in {" ", "", "#"}:
            yield _pnpm_entry(key, name, version)
            inside, key, name, version = line.rstrip() == "packages:", "", "", ""
        elif not inside:
            continue
        elif line.startswith("  ") and line[2:3] not in {" ", "", "#"}:
            yield _pnpm_entry(key, name, version)
            key, name, version = _yaml_key(line), "", ""
        elif line.startswith("    name: "):
            name = line[10:].strip().strip("'\"")
        elif line.startswith("    version: "):
            version = line[13:].strip().strip("'\"")
    yield _pnpm_entry(key, name, version)


def _yaml_key(line: str) -> str:
    line = line.strip()
    if line[:1] in {"'", '"'}:
        return line[1:].partition(line[0])[0]
    return line.partition(": ")[0].removesuffix(":")


def _pnpm_entry(key: str, name: str, version: str) -> tuple[str, str]:
    key = key.partition("(")[0]
    if repository := _PNPM_REPOSITORY.search(key):
        return name or _split(key)[0], at_commit(version, repository[1])
    if key.startswith(_OWN) or not (parts := _PNPM_KEY.match(key)) or parts[2].startswith(_OWN):
        return "", ""
    return name or parts[1], version or parts[2].partition("_")[0]


_BUN_LINE = re.compile(r'^\s{2,8}"[^"\n]{1,500}": \["([^"\n]{1,1000})"')


def bun(text: str) -> Pairs:
    """bun.lock, the text form (JSON with trailing commas): each package is one line of `packages`."""
    inside = False
    for line in lines_of(text):
        if line.startswith('  "packages": {'):
            inside = True
        elif inside and (found := _BUN_LINE.match(line)):
            name, version = _split(found[1])
            if not version.startswith(_OWN):
                commit = _commit(version)
                yield name, at_commit("", commit) if commit else version

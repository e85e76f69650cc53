"""package-lock.json and npm-shrinkwrap.json, lockfileVersion 1 to 3: https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json

The root's version stands at the top, from version 2 on also in `packages[""]`; a workspace is an entry of `packages`
outside node_modules, without a name where its folder has it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.analysis.version_files import json_text
from cicd_agents.analysis.version_files.places import Kind, Place, Role, named


def _find(text: str) -> Iterator[Place]:
    found = json_text.document(text)
    root = json_text.string(found, "name")
    for member in found:
        if member.key == "version":
            yield from json_text.place(text, member, Role.LOCKED, root)
        elif member.key == "packages":
            for package in json_text.members(text, member.start):
                yield from _package(text, package, root)


def _package(text: str, package: json_text.Member, root: str) -> Iterator[Place]:
    folders = package.key.split("/")
    if "node_modules" in folders:
        return
    found = tuple(json_text.members(text, package.start))
    name = json_text.string(found, "name") or (folders[-1] if package.key else root)
    for member in found:
        if member.key == "version":
            yield from json_text.place(text, member, Role.LOCKED, name)


KIND = Kind("package-lock.json", "npm", named("package-lock.json", "npm-shrinkwrap.json"), _find)

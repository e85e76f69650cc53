"""package.json of npm: https://docs.npmjs.com/cli/v11/configuring-npm/package-json#version"""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.analysis.version_files import json_text
from cicd_agents.analysis.version_files.places import Kind, Place, named


def _find(text: str) -> Iterator[Place]:
    found = json_text.document(text)
    for member in found:
        if member.key == "version":
            yield from json_text.place(text, member, name=json_text.string(found, "name"))


KIND = Kind("package.json", "npm", named("package.json"), _find)

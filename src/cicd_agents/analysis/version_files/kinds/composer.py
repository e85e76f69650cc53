"""composer.json of PHP: https://getcomposer.org/doc/04-schema.md#version"""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.analysis.version_files import json_text
from cicd_agents.analysis.version_files.places import Kind, Place, named


def _find(text: str) -> Iterator[Place]:
    for member in json_text.document(text):
        if member.key == "version":
            yield from json_text.place(text, member)


KIND = Kind("composer.json", "composer", named("composer.json"), _find)

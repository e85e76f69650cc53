"""OpenAPI and Swagger descriptions, in YAML or JSON: `info.version`, which is the version of the API: https://spec.openapis.org/oas/latest.html#info-object"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cicd_agents.analysis.version_files import json_text, yaml_text
from cicd_agents.analysis.version_files.places import Kind, Place, file_name

_NAME = re.compile(r"(?:[\w.-]{0,100}[.-])?(?:openapi|swagger)(?:[.-][\w.-]{0,100})?\.(?:ya?ml|json)", re.IGNORECASE)
_FORMS = {"openapi", "swagger"}


def _find(text: str) -> Iterator[Place]:
    return _in_json(text) if text.lstrip()[:1] == "{" else _in_yaml(text)


def _in_json(text: str) -> Iterator[Place]:
    found = json_text.document(text)
    if any(member.key in _FORMS for member in found):
        for info in (member for member in found if member.key == "info"):
            for member in json_text.members(text, info.start):
                if member.key == "version":
                    yield from json_text.place(text, member)


def _in_yaml(text: str) -> Iterator[Place]:
    """A long description is read only as far as both have been seen."""
    place: Place | None = None
    is_description = False
    for scalar in yaml_text.scalars(text):
        is_description = is_description or (len(scalar.path) == 1 and scalar.path[0] in _FORMS)
        if scalar.path == ("info", "version"):
            place = scalar.place()
        if place and is_description:
            yield place
            return


KIND = Kind("OpenAPI", "openapi", lambda path: bool(_NAME.fullmatch(file_name(path))), _find)

"""pom.xml: the version of the project, or the property that it consists of; the version of the parent where that is one of the own: https://maven.apache.org/pom.html"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cicd_agents.analysis.version_files import xml_text
from cicd_agents.analysis.version_files.places import Kind, Place, Role, named

_PROPERTY = re.compile(r"\$\{([^{}]+)\}")
_PROJECT, _PARENT = ("project",), ("project", "parent")


def _find(text: str) -> Iterator[Place]:
    found = {element.path: element for element in xml_text.elements(text)}
    own = found.get((*_PROJECT, "version"))
    if own and (reference := _PROPERTY.fullmatch(own.value)):
        own = found.get((*_PROJECT, "properties", reference[1]))
    if own:
        yield own.place(name=_name(found, _PROJECT))
    if parent := found.get((*_PARENT, "version")):
        yield parent.place(Role.LOCKED, name=_name(found, _PARENT))


def _name(found: dict[tuple[str, ...], xml_text.Element], place: tuple[str, ...]) -> str:
    """`group:artifact`; the group of a project may be its parent's."""
    group = found.get((*place, "groupId")) or found.get((*_PARENT, "groupId"))
    artifact = found.get((*place, "artifactId"))
    return f"{group.value if group else ''}:{artifact.value if artifact else ''}"


def _inherits(text: str) -> Iterator[tuple[str, str]]:
    found = {element.path: element for element in xml_text.elements(text)}
    if (*_PROJECT, "version") not in found and (*_PARENT, "artifactId") in found:
        yield _name(found, _PROJECT), _name(found, _PARENT)


KIND = Kind("pom.xml", "maven", named("pom.xml"), _find, _inherits)

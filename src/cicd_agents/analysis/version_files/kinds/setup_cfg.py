"""setup.cfg: `version` of `[metadata]`, unless it points elsewhere (`attr:`, `file:`): https://setuptools.pypa.io/en/latest/userguide/declarative_config.html"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cicd_agents.analysis.version_files.kinds.pyproject import normalised
from cicd_agents.analysis.version_files.places import Kind, Place, Role, Spelling, named

# A section, or a key that begins its line: lines that begin with white space go on with the value before.
_LINE = re.compile(r"^(?:\[([^\]\r\n]+)\]|(version|current_version|name)[ \t]*[=:][ \t]*([^\s#;]+)[ \t]*\r?$)", re.MULTILINE)
_PLACES = {("metadata", "version"): Role.OWN, ("bumpversion", "current_version"): Role.FOLLOWS}


def _find(text: str) -> Iterator[Place]:
    section, name, found = "", "", []
    for line in _LINE.finditer(text):
        section = line[1].strip() if line[1] else section
        if (section, line[2]) == ("metadata", "name"):
            name = normalised(line[3])
        elif role := _PLACES.get((section, line[2])):
            found.append((line, role))
    for line, role in found:
        yield Place(line.start(3), line.end(3), line[3], role, Spelling.PEP440, name if role is Role.OWN else "")


KIND = Kind("setup.cfg", "python", named("setup.cfg"), _find)

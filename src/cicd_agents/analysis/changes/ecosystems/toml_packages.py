"""The shape that Cargo, Poetry, uv and PDM share: TOML with one `[[package]]` table per locked package (pure).

Their writers put one key on a line, so lines are enough; a TOML parser takes seconds for a large file, and more for a hostile one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cicd_agents.analysis.changes.packages import lines_of

_HEADS = frozenset({"[[package]]", "[[packages]]"})
# Tables inside a package that say where it came from.
_SOURCES = frozenset({"[package.source]", "[packages.vcs]", "[packages.directory]"})
_KEY = re.compile(r"^([A-Za-z][A-Za-z_-]{0,40}) = (.{1,2000})$")


def tables(text: str) -> Iterator[Mapping[str, str]]:
    """The keys of each package as they stand in the file; those of a table about its source as `source.KEY`."""
    found: dict[str, str] | None = None
    prefix: str | None = ""
    for line in lines_of(text):
        if line.startswith("["):
            head = line.strip()
            if head in _HEADS:
                if found:
                    yield found
                found, prefix = {}, ""
            else:
                prefix = "source." if head in _SOURCES else None
        elif found is not None and prefix is not None and (key := _KEY.match(line)):
            found[prefix + key[1]] = key[2].strip()
    if found:
        yield found


def plain(value: str) -> str:
    """A basic string without its quotes; what is no string reads as empty."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else ""

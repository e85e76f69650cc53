"""Places that the user's own pattern finds: one group, which is the version (RE2, so that no pattern takes more than linear time)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cicd_agents.analysis.version_files.places import Kind, Place, Role
from cicd_agents.domain.errors import UsageError


def pattern(path: str, expression: str) -> Kind:
    """The kind for one file, given by its whole path. `^` and `$` mean lines. Raises UsageError for an expression that is none or has not one group."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(f"(?m){expression}", options)
    except re2.error as error:
        raise UsageError(f"the pattern for {path} is no RE2 expression: {error}") from None
    if compiled.groups != 1:
        raise UsageError(f"the pattern for {path} needs one group, around the version; it has {compiled.groups}")

    def find(text: str) -> Iterator[Place]:
        return _found(compiled, text)

    return Kind(f"pattern {path}", f"pattern {path}", lambda one: one == path, find)


def _found(compiled: Any, text: str) -> Iterator[Place]:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return  # RE2 reads UTF-8 only
    for found in compiled.finditer(text):
        if found.group(1):
            start, end = found.span(1)
            yield Place(start, end, found.group(1), Role.ASKED)

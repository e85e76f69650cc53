"""gradle.properties, build.gradle and build.gradle.kts: the version of the project, or of all projects of the build."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cicd_agents.analysis.version_files.places import Kind, Place, named
from cicd_agents.analysis.version_files.source_text import GRADLE, Sort, Token, signs, statements

# VERSION_NAME is what publishing plugins of Android libraries read. A line that ends in a backslash goes on in the next.
_PROPERTY = re.compile(r"(?<![^\n])(?<!\\\n)(?<!\\\r\n)[ \t]*(?:version|VERSION_NAME)[ \t]*[=: \t][ \t]*([^\s\\]+)[ \t]*\r?(?![^\n])")
_FOR_ALL = {"allprojects", "subprojects"}


def _properties(text: str) -> Iterator[Place]:
    for found in _PROPERTY.finditer(text):
        yield Place(found.start(1), found.end(1), found[1])


def _build(text: str) -> Iterator[Place]:
    blocks: list[bool] = []  # those that are open; whether what stands there is about whole projects
    for run in statements(text, GRADLE):
        if all(blocks):
            yield from _assigned(run)
        if run[-1].text == "{" and run[-1].sort is Sort.OPEN:
            blocks.append(len(run) == 2 and run[0].text in _FOR_ALL)
        elif run[-1].text == "}" and run[-1].sort is Sort.CLOSE and blocks:
            blocks.pop()


def _assigned(run: list[Token]) -> Iterator[Place]:
    """The string of `version = "…"`, `version "…"` and `project.version = "…"`."""
    rest = run[2:] if signs(run, "project", ".", "version") else run
    value = rest[2:] if signs(rest, "version", "=") else rest[1:] if signs(rest, "version") else []
    if len(value) == 2 and value[0].sort is Sort.STRING and value[0].depth == run[0].depth:
        yield value[0].place()


KINDS = (
    Kind("gradle.properties", "gradle", named("gradle.properties"), _properties),
    Kind("build.gradle", "gradle", named("build.gradle", "build.gradle.kts"), _build),
)

"""mix.exs of Elixir: `version:` of `project`, or the attribute `@version` that stands for it: https://hexdocs.pm/mix/Mix.Project.html"""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.analysis.version_files.places import Kind, Place, named
from cicd_agents.analysis.version_files.source_text import ELIXIR, Sort, Token, signs, tokens


def _find(text: str) -> Iterator[Place]:
    if "version" not in text:
        return
    read = list(tokens(text, ELIXIR))
    yield from _attribute(read)
    starts = (at for at in range(len(read)) if signs(read[at : at + 2], "def", "project"))
    yield from _keyword(read, next(starts, len(read)))


def _attribute(read: list[Token]) -> Iterator[Place]:
    for at in range(len(read) - 3):
        if signs(read[at : at + 2], "@", "version") and read[at + 2].sort is Sort.STRING and read[at + 3].sort is Sort.END:
            yield read[at + 2].place()


def _keyword(read: list[Token], start: int) -> Iterator[Place]:
    """The string behind `version:` in the list that `project` returns."""
    outside = read[start].depth if start < len(read) else 0
    opened = False
    for at in range(start, len(read) - 2):
        opened = opened or read[at].text == "["
        if opened and read[at].sort is Sort.CLOSE and read[at].depth == outside:
            return
        if opened and read[at].depth == outside + 1 and signs(read[at : at + 2], "version", ":") and read[at + 2].sort is Sort.STRING:
            yield read[at + 2].place()


KIND = Kind("mix.exs", "mix", named("mix.exs"), _find)

"""*.gemspec and version.rb of RubyGems: `spec.version = "1.2.3"`, `VERSION = "1.2.3"`, each with or without `.freeze`."""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.analysis.version_files.places import Kind, Place, ending, named
from cicd_agents.analysis.version_files.source_text import RUBY, Sort, Token, signs, statements


def _in_gemspec(text: str) -> Iterator[Place]:
    for run in statements(text, RUBY) if "version" in text else ():
        if run[0].sort is Sort.WORD and signs(run[1:], ".", "version", "="):
            yield from _literal(run[4:])


def _in_module(text: str) -> Iterator[Place]:
    for run in statements(text, RUBY) if "VERSION" in text else ():
        if signs(run, "VERSION", "="):
            yield from _literal(run[2:])


def _literal(value: list[Token]) -> Iterator[Place]:
    if value and value[0].sort is Sort.STRING and (value[1].sort is Sort.END or signs(value[1:], ".", "freeze")):
        yield value[0].place()


KINDS = (
    Kind("gemspec", "ruby", ending(".gemspec"), _in_gemspec),
    Kind("version.rb", "ruby", named("version.rb"), _in_module),
)

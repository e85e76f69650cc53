"""pubspec.yaml of Dart and Flutter; a number behind the plus is the stores' build number: https://dart.dev/tools/pub/pubspec#version"""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.analysis.version_files import yaml_text
from cicd_agents.analysis.version_files.places import Kind, Place, Role, Spelling, named


def _find(text: str) -> Iterator[Place]:
    return (scalar.place(Role.OWN, Spelling.BUILD) for scalar in yaml_text.scalars(text) if scalar.path == ("version",))


KIND = Kind("pubspec.yaml", "pub", named("pubspec.yaml", "pubspec.yml"), _find)

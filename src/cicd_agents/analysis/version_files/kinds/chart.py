"""Chart.yaml of Helm: `version`, and `appVersion` where it says the current version: https://helm.sh/docs/topics/charts/#the-chartyaml-file"""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.analysis.version_files import yaml_text
from cicd_agents.analysis.version_files.places import Kind, Place, Role, named


def _find(text: str) -> Iterator[Place]:
    for scalar in yaml_text.scalars(text):
        if scalar.path == ("version",):
            yield scalar.place()
        elif scalar.path == ("appVersion",):
            yield scalar.place(Role.FOLLOWS)


KIND = Kind("Chart.yaml", "helm", named("Chart.yaml"), _find)

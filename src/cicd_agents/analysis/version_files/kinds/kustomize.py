"""kustomization.yaml: `newTag` of the images that run at the current version: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/"""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.analysis.version_files import yaml_text
from cicd_agents.analysis.version_files.places import Kind, Place, Role, named


def _find(text: str) -> Iterator[Place]:
    for scalar in yaml_text.scalars(text):
        match scalar.path:
            case ("images", int(), "newTag"):
                yield scalar.place(Role.FOLLOWS)


KIND = Kind("kustomization.yaml", "kustomize", named("kustomization.yaml", "kustomization.yml", "Kustomization"), _find)

"""Which files are read for versions."""

from __future__ import annotations

import pytest
from tests.analysis.version_files.test_kinds import CHANGED

from cicd_agents.analysis.version_files.selection import version_files


@pytest.mark.parametrize("path", [
    "package.json", "packages/a/package.json", "src/acme/__init__.py", "acme/_version.py", "lib/acme/version.rb", "VERSION", "README.md", "docs/install.md",
    "charts/acme/Chart.yaml", "spec/openapi.yaml", "src/Acme/Acme.csproj", "a/b/c/pom.xml", "overlays/prod/Kustomization", "gems.locked", "npm-shrinkwrap.json",
])  # fmt: skip
def test_the_projects_own_files_are_chosen(path: str) -> None:
    assert version_files([path]) == (path,)


@pytest.mark.parametrize("path", [
    "node_modules/left/package.json", "tests/data/Cargo.toml", "examples/pom.xml", "vendor/acme/composer.json", "src/acme/deep/deeper/__init__.py",
    "src/acme/main.py", "spec/version.rb", "CHANGELOG.md", "docs/a/b/c.md", "src/main.rs",
])  # fmt: skip
def test_other_files_are_not(path: str) -> None:
    assert version_files([path]) == ()


# The names that the files of the data folder have in a repository.
NAMES = {
    "package-lock.v1.json": "package-lock.json",
    "package-lock.v3.json": "package-lock.json",
    "acme.py": "acme/__init__.py",
    "version.rb": "lib/acme/version.rb",
}


@pytest.mark.parametrize("file", [NAMES.get(file, file) for _, file, _ in CHANGED])
def test_a_file_of_every_kind_is_chosen(file: str) -> None:
    assert version_files([file, f"node_modules/{file}"]) == (file,)


def test_a_component_has_its_folder_and_the_lock_files_of_the_root() -> None:
    paths = ["Cargo.lock", "Cargo.toml", "a/Cargo.toml", "ab/Cargo.toml", "a/tests/Cargo.toml", "b/README.md"]
    assert version_files(paths, "a/") == ("Cargo.lock", "a/Cargo.toml")


def test_what_the_user_named_is_chosen_wherever_it_is() -> None:
    assert version_files(["tests/deploy.tf", "b.tf"], "a", ["tests/deploy.tf", "gone.tf"]) == ("tests/deploy.tf",)

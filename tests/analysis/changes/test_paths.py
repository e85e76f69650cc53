"""What a file is for, by its path."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.changes.paths import BY_CATEGORY, DEPENDENCY_CATEGORIES, is_ci_file, is_dependency_file, is_toolchain_file, serves
from cicd_agents.domain.doctor import CATEGORIES

CI = (
    ".github/workflows/ci.yml", ".github/workflows/nightly.yaml", ".github/actions/setup/action.yml", "action.yml", "composite/action.yaml", ".gitlab-ci.yml",
    "templates/build.gitlab-ci.yml", ".gitlab/ci/test.yml", ".gitlab/pipelines.yml", ".gitlab-ci/deploy/prod.yaml", "Jenkinsfile", "ci/Jenkinsfile.nightly",
    "release.jenkinsfile", ".circleci/config.yml", "azure-pipelines.yml", "build/azure-pipelines-release.yml", ".azure-pipelines/test.yml", ".travis.yml",
    "appveyor.yml", ".buildkite/pipeline.yml", "bitbucket-pipelines.yml", ".drone.yml", ".woodpecker/test.yaml", ".taskcluster.yml", ".ci/run.sh",
)  # fmt: skip
TOOLCHAIN = (
    ".tool-versions", ".nvmrc", "web/.nvmrc", ".node-version", ".python-version", ".ruby-version", ".java-version", "rust-toolchain", "rust-toolchain.toml",
    "mise.toml",     "global.json", "gradle/wrapper/gradle-wrapper.properties", ".mvn/wrapper/maven-wrapper.properties", "project/build.properties",
    ".terraform-version",
)  # fmt: skip
IMAGE = ("Dockerfile", "api/Dockerfile.dev", "api.Dockerfile", "Containerfile", "docker-compose.yml", "compose.prod.yaml", ".dockerignore", "docker-bake.hcl")
PACKAGES = (
    "package.json", "web/yarn.lock", "pyproject.toml", "setup.py", "requirements.in", "requirements.txt", "Cargo.toml", "go.mod", "pom.xml", "build.gradle.kts",
    "gradle/libs.versions.toml", "src/Shop/Shop.csproj", "Directory.Packages.props", "mix.exs", "bun.lockb", ".terraform.lock.hcl", "environment.yml",
)  # fmt: skip
NONE = (
    "README.md",
    "src/workflows/ci.py",
    "docs/actions.yml",
    "src/nvmrc.py",
    "package.json.md",
    "src/dockerfile_reader.py",
    "src/pom.xml.py",
    "github/workflows.md",
    "",
)


@pytest.mark.parametrize("path", CI)
def test_ci_configuration_is_known(path: str) -> None:
    assert is_ci_file(path)


@pytest.mark.parametrize("path", TOOLCHAIN)
def test_toolchain_files_are_a_group_of_their_own(path: str) -> None:
    assert is_toolchain_file(path)
    assert not is_ci_file(path)


@pytest.mark.parametrize("path", IMAGE)
def test_image_definitions_are_what_failures_of_images_hang_on_first(path: str) -> None:
    assert BY_CATEGORY["docker_image"][0].holds(path)


@pytest.mark.parametrize("path", PACKAGES)
def test_manifests_and_all_lock_files_say_which_packages_are_used(path: str) -> None:
    assert is_dependency_file(path)


@pytest.mark.parametrize("path", NONE)
def test_other_files_are_none_of_these(path: str) -> None:
    assert not any(known(path) for known in (is_ci_file, is_toolchain_file, is_dependency_file))


def test_the_categories_of_the_tables_exist() -> None:
    assert {*BY_CATEGORY, *DEPENDENCY_CATEGORIES} <= set(CATEGORIES)


@pytest.mark.parametrize(
    ("category", "path"),
    [
        ("configuration", ".github/workflows/ci.yml"), ("missing_tool_or_file", "Dockerfile"), ("missing_tool_or_file", ".nvmrc"),
        ("git_checkout", ".gitmodules"),
        ("docker_image", "api/Dockerfile"), ("kubernetes_deploy", "charts/shop/templates/web.yaml"), ("kubernetes_deploy", "values-prod.yaml"),
        ("database_migration", "shop/migrations/0002_price.py"), ("database_migration", "db/migrate/20260101_price.rb"), ("lint_format", ".eslintrc.json"),
        ("lint_format", "ruff.toml"), ("type_check", "tsconfig.json"), ("coverage_threshold", ".coveragerc"), ("compile", "rust-toolchain.toml"),
        ("test_failure", ".nvmrc"),
    ],
)  # fmt: skip
def test_a_category_hangs_on_its_kinds_of_file(category: str, path: str) -> None:
    assert any(kind.holds(path) for kind in BY_CATEGORY[category])
    assert not any(kind.holds("src/shop/cart.py") for kind in BY_CATEGORY[category])


@pytest.mark.parametrize(
    ("tool", "path", "read"),
    [
        ("npm", "web/package-lock.json", True), ("npm", "poetry.lock", False), ("yarn berry", ".yarnrc.yml", True), ("pip", "requirements/base.txt", True),
        ("pip", "go.sum", False), ("uv", "pyproject.toml", True), ("Gradle", "build.gradle.kts", True), ("Maven", "pom.xml", True), ("go", "go.mod", True),
        (".NET SDK", "src/Shop.csproj", True), ("Hex", "mix.lock", True), ("bundler", "Gemfile.lock", True), ("Composer", "package.json", False),
        ("resolver", "poetry.lock", True), ("", "poetry.lock", True), ("mongo", "poetry.lock", True),
    ],
)  # fmt: skip
def test_a_tool_reads_the_files_of_its_own_kind(tool: str, path: str, read: bool) -> None:
    assert serves(path, tool) == read


def test_an_endless_path_is_answered() -> None:
    assert not is_ci_file("a-" * 100_000)
    assert is_ci_file("a/" * 100_000 + ".github/workflows/ci.yml")

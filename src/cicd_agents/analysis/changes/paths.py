"""What a changed file is for, by its path: CI configuration, toolchain, dependencies, images, and what else a category of failure hangs on (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cicd_agents.analysis.changes.lockfiles import is_lock_file

# Longer paths exist in no checkout; the end of one says what it is.
_LONGEST = 1000


def _any_of(*shapes: str) -> re.Pattern[str]:
    """Matches a path that ends in one of the shapes, each from the root or after a slash."""
    return re.compile("(?:^|/)(?:" + "|".join(shapes) + ")$", re.IGNORECASE)


_CI = _any_of(
    r"\.github/(?:workflows|actions)/.+", r"action\.ya?ml", r"[\w.-]*\.?gitlab-ci\.ya?ml", r"\.gitlab(?:/ci|-ci)?/(?:.+/)?[^/]+\.ya?ml",
    r"Jenkinsfile[^/]*", r"[^/]+\.jenkinsfile", r"\.(?:circleci|buildkite|woodpecker|tekton|teamcity|semaphore|azure-pipelines|azuredevops|ci)/.+",
    r"[\w.-]*azure-pipelines[\w.-]*\.ya?ml", r"\.?(?:appveyor|travis|drone|woodpecker|cirrus|taskcluster|bitbucket-pipelines|buildspec|cloudbuild)\.ya?ml",
)  # fmt: skip
_TOOLCHAIN = _any_of(
    r"\.tool-versions", r"\.?mise\.toml", r"\.sdkmanrc", r"\.(?:nvmrc|(?:node|python|ruby|java|go|php|swift|xcode|terraform|bazel|opentofu)-?version)",
    r"rust-toolchain(?:\.toml)?", r"global\.json", r"runtime\.txt", r"(?:gradle|maven|\.mvn)/wrapper/[\w.-]+\.properties", r"project/build\.properties",
)  # fmt: skip
_IMAGE = _any_of(
    r"(?:[\w.-]+\.)?(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?", r"\.dockerignore", r"(?:docker-)?compose[\w.-]*\.ya?ml", r"docker-bake\.(?:hcl|json)",
)  # fmt: skip
_MANIFEST = _any_of(
    r"package\.json", r"pnpm-workspace\.yaml", r"\.npmrc", r"\.yarnrc(?:\.yml)?", r"bun\.lockb", r"deno\.(?:lock|jsonc?)",
    r"pyproject\.toml", r"setup\.(?:py|cfg)", r"Pipfile", r"[\w.-]*requirements[\w.-]*\.in", r"environment\.ya?ml",
    r"conda-lock\.ya?ml", r"pixi\.(?:toml|lock)", r"Cargo\.toml", r"Gemfile", r"[\w.-]+\.gemspec", r"composer\.json",
    r"pom\.xml", r"(?:build|settings)\.gradle(?:\.kts)?", r"[\w.-]+\.versions\.toml", r"build\.sbt",
    r"[\w.-]+\.(?:cs|fs|vb)proj", r"Directory\.(?:Packages|Build)\.props", r"nuget\.config", r"mix\.exs", r"rebar\.(?:config|lock)",
    r"pubspec\.yaml", r"Podfile", r"Package\.swift", r"conanfile\.(?:py|txt)", r"vcpkg\.json", r"flake\.(?:nix|lock)", r"Chart\.(?:yaml|lock)",
    r"\.terraform\.lock\.hcl",
)  # fmt: skip
_LINTER = _any_of(
    r"\.?(?:eslint|prettier|stylelint|biome|ruff|flake8|pylint|rubocop|golangci|clang-(?:format|tidy)|editorconfig|markdownlint|yamllint)[\w.-]*",
    r"\.?(?:hadolint|commitlint|checkstyle|detekt|phpcs|php-cs-fixer|swiftlint|rustfmt|clippy)[\w.-]*",
    r"\.pre-commit-config\.ya?ml", r"pyproject\.toml", r"setup\.cfg", r"tox\.ini",
)  # fmt: skip
_TYPES = _any_of(r"tsconfig[\w.-]*\.json", r"\.?mypy\.ini", r"pyrightconfig\.json", r"pyproject\.toml", r"setup\.cfg")
_COVERAGE = _any_of(
    r"\.coveragerc", r"\.?codecov\.ya?ml", r"\.?(?:nyc|c8)rc[\w.-]*", r"(?:jest|vitest)\.config\.\w+", r"pyproject\.toml", r"setup\.cfg", r"tox\.ini",
)  # fmt: skip
_DEPLOY = _any_of(
    r"(?:charts?|k8s|kubernetes|manifests?|helm|deploy(?:ment)?s?|kustomize|argocd|flux)/.+", r"kustomization\.ya?ml", r"Chart\.(?:yaml|lock)",
    r"values[\w.-]*\.ya?ml", r"helmfile\.ya?ml",
)  # fmt: skip
_MIGRATION = _any_of(r"(?:migrations?|migrate|alembic|flyway|liquibase)/.+", r"db/.+", r"schema\.(?:rb|prisma|sql)", r"[^/]+\.sql")


def _is(pattern: re.Pattern[str], path: str) -> bool:
    return pattern.search(path[-_LONGEST:]) is not None


def is_ci_file(path: str) -> bool:
    """Whether the file configures CI: workflows, pipelines and what they include, actions."""
    return _is(_CI, path)


def is_toolchain_file(path: str) -> bool:
    """Whether the file chooses the version of a language or build tool."""
    return _is(_TOOLCHAIN, path)


def is_dependency_file(path: str) -> bool:
    """Whether the file says which packages are used: lock files, also those that are not read here, and manifests."""
    return is_lock_file(path) or _is(_MANIFEST, path)


def serves(path: str, tool: str) -> bool:
    """Whether a file that says which packages are used is one that the tool reads: Poetry's are nothing to npm. Of an unknown tool all may be."""
    files = next((files for tools, files in _ECOSYSTEMS if tools.search(tool)), None)
    return files is None or _is(files, path)


# Words in the names of tools, and the files that those read.
_ECOSYSTEMS = tuple(
    (re.compile(rf"\b(?:{tools})\b", re.IGNORECASE), _any_of(*files))
    for tools, *files in (
        ("npm|yarn|pnpm|bun|node|node-gyp|bower", r"package(?:-lock)?\.json", r"npm-shrinkwrap\.json", r"yarn\.lock", r"pnpm-\w+\.yaml",
         r"bun\.lockb?", r"\.(?:npm|yarn)rc.*"),
        ("pip|pipenv|poetry|uv|pdm|setuptools|tox|conda|mamba|python|pytest", r"(?:poetry|uv|pdm|conda)[.-]lock.*", r"py(?:project|lock).*\.toml",
         r"setup\.\w+", r"Pipfile.*", r"[\w.-]*(?:requirements|constraints).*", r"environment\.ya?ml", r"requirements/.*"),
        ("cargo", r"Cargo\.\w+"), ("go", r"go\.\w+"), ("bundler|rubygems", r"Gemfile.*", r"gems\.\w+", r".+\.gemspec"), ("composer", r"composer\.\w+"),
        ("gradle|maven|sbt|ivy", r".+\.(?:gradle|kts|lockfile|xml|sbt)", r".+\.versions\.toml"),
        ("nuget|paket|dotnet|NET SDK", r".+\.(?:csproj|fsproj|vbproj|props)", r"packages\..*json", r"nuget\.config"),
        ("mix|hex|rebar3", r"(?:mix|rebar)\.\w+"), ("pub", r"pubspec\.\w+"), ("CocoaPods|SwiftPM|Carthage", r"Podfile.*", r"Package\.\w+"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that failures of some categories hang on, and how a report calls it."""

    name: str
    pattern: re.Pattern[str]

    def holds(self, path: str) -> bool:
        """Whether the file is of this kind."""
        return _is(self.pattern, path)


_CI_KIND, _TOOL_KIND, _IMAGE_KIND = Kind("CI configuration", _CI), Kind("toolchain file", _TOOLCHAIN), Kind("image definition", _IMAGE)
_GIT_KIND, _DEPLOY_KIND = Kind("Git configuration", _any_of(r"\.git(?:modules|attributes)")), Kind("deployment manifest", _DEPLOY)

# Which kinds of file a failure of the category may come from, whatever else it says.
BY_CATEGORY: Mapping[str, Sequence[Kind]] = {
    "configuration": (_CI_KIND, _TOOL_KIND), "missing_tool_or_file": (_CI_KIND, _TOOL_KIND, _IMAGE_KIND), "permission": (_CI_KIND, _TOOL_KIND),
    "auth_secret": (_CI_KIND,), "git_checkout": (_CI_KIND, _GIT_KIND), "infrastructure_runner": (_CI_KIND,), "resource_quota": (_CI_KIND,),
    "timeout": (_CI_KIND,), "out_of_memory": (_CI_KIND,), "disk_full": (_CI_KIND, _IMAGE_KIND), "docker_image": (_IMAGE_KIND, _CI_KIND),
    "kubernetes_deploy": (_DEPLOY_KIND, _CI_KIND), "database_migration": (Kind("database migration", _MIGRATION),),
    "lint_format": (Kind("linter configuration", _LINTER), _TOOL_KIND), "type_check": (Kind("type checker configuration", _TYPES), _TOOL_KIND),
    "coverage_threshold": (Kind("coverage configuration", _COVERAGE),), "compile": (_TOOL_KIND,), "test_failure": (_TOOL_KIND,),
}  # fmt: skip
# For these every file that says which packages are used counts.
DEPENDENCY_CATEGORIES = frozenset({"dependency_resolution", "dependency_network", "security_audit"})

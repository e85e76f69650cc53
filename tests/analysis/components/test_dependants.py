"""Package files of one repository: who needs whom, and the requirements that move."""

from __future__ import annotations

import json
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.analysis.components.dependants import Workspace, moved
from cicd_agents.analysis.components.manifests import MANIFESTS, Family, read_manifest
from cicd_agents.analysis.components.ownership import Ownership
from cicd_agents.analysis.release_config.found import Component
from cicd_agents.domain.release import ReleaseRules

FOLDERS = ("core", "web", "app")


def workspace(files: dict[str, str]) -> Workspace:
    ownership = Ownership([Component(path, path, ReleaseRules(())) for path in FOLDERS])
    return Workspace([found for path, text in files.items() if (found := read_manifest(path, textwrap.dedent(text)))], ownership.owner)


def edges(files: dict[str, str], family: Family) -> dict[str, list[str]]:
    found = workspace(files).dependencies([family])
    return {FOLDERS[index]: sorted(FOLDERS[other] for other in others) for index, others in found.items()}


def package(name: str, **tables: dict[str, str]) -> str:
    return json.dumps({"name": name, "version": "1.0.0", **tables}, indent=2)


@pytest.mark.parametrize("table", ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"])
@pytest.mark.parametrize(
    ("name", "requirement"),
    [
        ("@x/core", "^1.0.0"), ("@x/core", "workspace:*"), ("@x/core", "workspace:^"), ("@x/core", "*"), ("other", "npm:@x/core@^1.0.0"),
        ("anything", "file:../core"), ("anything", "link:../core/"), ("anything", "portal:.././core"),
    ],
)  # fmt: skip
def test_npm_packages_need_each_other_by_name_alias_or_folder(table: str, name: str, requirement: str) -> None:
    files = {"core/package.json": package("@x/core"), "web/package.json": package("web", **{table: {name: requirement}})}
    assert edges(files, Family.NPM) == {"web": ["core"]}


def test_a_package_of_another_place_is_none_of_ours() -> None:
    files = {"core/package.json": package("core"), "web/package.json": package("web", dependencies={"left-pad": "1", "x": "file:../../core", "web": "*"})}
    assert edges(files, Family.NPM) == {}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("^1.0.0", "^1.2.0"), ("~1.0", "~1.2"), ("1.0.0", "1.2.0"), (">=1.0.0", ">=1.2.0"), ("workspace:^1.0.0", "workspace:^1.2.0"),
        ("npm:core@1.0.0", "npm:core@1.2.0"), ("workspace:*", "workspace:*"), ("1.x", "1.x"), (">=1.0.0 <2.0.0", ">=1.0.0 <2.0.0"),
        ("file:../core", "file:../core"), ("*", "*"), ("latest", "latest"),
    ],
)  # fmt: skip
def test_a_plain_requirement_of_npm_moves_and_all_others_stay(before: str, after: str) -> None:
    files = {"core/package.json": package("core"), "web/package.json": package("web", dependencies={"core": before, "left-pad": "^1.0.0"})}
    text, changes = moved("web/package.json", files["web/package.json"], workspace(files), {"core/package.json": "1.2.0"})
    assert text == package("web", dependencies={"core": after, "left-pad": "^1.0.0"})
    assert bool(changes) is (before != after)


def test_what_peers_may_be_is_not_narrowed() -> None:
    files = {"core/package.json": package("core"), "web/package.json": package("web", peerDependencies={"core": "^1.0.0"})}
    assert moved("web/package.json", files["web/package.json"], workspace(files), {"core/package.json": "2.0.0"}) == (files["web/package.json"], ())


CARGO = {
    "Cargo.toml": """
        [workspace]
        members = ["*"]
        [workspace.dependencies]
        shared = { path = "core", package = "core-rs", version = "1.0" }
        serde = "1.0"
        """,
    "core/Cargo.toml": '[package]\nname = "core-rs"\nversion = "1.0.0"\n[dependencies]\nserde = { workspace = true }\n',
    "web/Cargo.toml": """
        [package]
        name = "web"
        version = "0.3.0"
        [target.'cfg(unix)'.build-dependencies]
        renamed = { path = "../core", version = "=1.0.0", package = "core-rs" }
        [dependencies.serde]
        version = "1.0"
        """,
    "app/Cargo.toml": '[package]\nname = "app"\n[dev-dependencies]\nshared.workspace = true\n[dependencies]\nweb = "0.3"\n',
}


def test_crates_need_each_other_by_path_or_by_the_workspace() -> None:
    assert edges(CARGO, Family.CARGO) == {"web": ["core"], "app": ["core"]}, 'web = "0.3" without a path is the registry\'s'


def test_requirements_of_crates_move_with_as_many_numbers_as_they_have() -> None:
    found = workspace(CARGO)
    versions = {"core/Cargo.toml": "1.2.3"}
    assert 'version = "1.2" }' in moved("Cargo.toml", textwrap.dedent(CARGO["Cargo.toml"]), found, versions)[0]
    web, changes = moved("web/Cargo.toml", textwrap.dedent(CARGO["web/Cargo.toml"]), found, versions)
    assert 'version = "=1.2.3"' in web
    assert [(change.old, change.new) for change in changes] == [("1.0.0", "1.2.3")]
    assert 'version = "0.3.0"' in web
    assert '[dependencies.serde]\nversion = "1.0"' in web


PYTHON = {
    "core/pyproject.toml": '[project]\nname = "My_Core"\nversion = "1.0.0"\n',
    "web/pyproject.toml": """
        [project]
        name = "web"
        dependencies = [
          "httpx==1.0.0", # not ours
          "my-core[extra] == 1.0.0 ; python_version > '3'",
        ]
        [tool.uv.sources]
        my-core = { workspace = true }
        """,
    "app/pyproject.toml": """
        [tool.poetry]
        name = "app"
        [tool.poetry.dependencies]
        python = "^3.11"
        my-core = { path = "../core", develop = true }
        [tool.poetry.group.dev.dependencies]
        web = "^1.0.0"
        """,
}


def test_python_projects_need_each_other_by_name_or_path() -> None:
    assert edges(PYTHON, Family.PYTHON) == {"web": ["core"], "app": ["core", "web"]}
    away = PYTHON["web/pyproject.toml"].replace("{ workspace = true }", '{ git = "https://example.com/x" }')
    assert edges({**PYTHON, "web/pyproject.toml": away}, Family.PYTHON) == {"app": ["core", "web"]}


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("optional", '[project]\nname = "web"\n[project.optional-dependencies]\nx = ["my.core>=1"]\n'),
        ("groups", '[project]\nname = "web"\n[dependency-groups]\ndev = ["MY-core", {include-group = "x"}]\n'),
        ("table", '[tool.poetry]\nname = "web"\n[tool.poetry.dependencies.my-core]\npath = "../core"\n'),
    ],
)  # fmt: skip
def test_all_places_of_a_pyproject_count(where: str, text: str) -> None:
    assert edges({"core/pyproject.toml": PYTHON["core/pyproject.toml"], "web/pyproject.toml": text}, Family.PYTHON) == {"web": ["core"]}, where


def test_python_pins_move_in_its_own_spelling() -> None:
    found = workspace(PYTHON)
    text, _ = moved("web/pyproject.toml", textwrap.dedent(PYTHON["web/pyproject.toml"]), found, {"core/pyproject.toml": "1.1.0-rc.1"})
    assert "\"my-core[extra] == 1.1.0rc1 ; python_version > '3'\"" in text
    assert '"httpx==1.0.0", # not ours' in text
    text, _ = moved("app/pyproject.toml", textwrap.dedent(PYTHON["app/pyproject.toml"]), found, {"web/pyproject.toml": "1.1.0"})
    assert 'web = "^1.1.0"' in text


def pom(artifact: str, body: str = "") -> str:
    return f"<project><groupId>org.x</groupId><artifactId>{artifact}</artifactId><version>1.0.0</version>{body}</project>"


def dependency(artifact: str, version: str, group: str = "${project.groupId}") -> str:
    return f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>{f'<version>{version}</version>' if version else ''}</dependency>"


MAVEN = {
    "core/pom.xml": pom("core"),
    "web/pom.xml": pom(
        "web", f"<dependencies>{dependency('other', '', 'org.y')}{dependency('core', '1.0.0')}{dependency('z', '1.0.0', 'org.z')}</dependencies>"
    ),
    "app/pom.xml": (
        "<project><parent><groupId>org.x</groupId><artifactId>core</artifactId><version>1.0.0</version></parent><artifactId>app</artifactId></project>"
    ),
}


def test_maven_modules_need_their_parent_and_their_dependencies() -> None:
    assert edges(MAVEN, Family.MAVEN) == {"web": ["core"], "app": ["core"]}


def test_only_the_version_of_the_released_module_moves() -> None:
    text, _ = moved("web/pom.xml", MAVEN["web/pom.xml"], workspace(MAVEN), {"core/pom.xml": "1.1.0"})
    assert text == MAVEN["web/pom.xml"].replace("<artifactId>core</artifactId><version>1.0.0<", "<artifactId>core</artifactId><version>1.1.0<")
    text, _ = moved("app/pom.xml", MAVEN["app/pom.xml"], workspace(MAVEN), {"core/pom.xml": "1.1.0"})
    assert "<version>1.1.0</version></parent>" in text


def test_packages_of_different_managers_never_meet() -> None:
    files = {"core/package.json": package("core"), "web/pyproject.toml": '[project]\nname = "web"\ndependencies = ["core"]\n'}
    assert edges(files, Family.PYTHON) == edges(files, Family.NPM) == {}


def test_the_package_file_in_the_components_folder_has_its_version() -> None:
    files = {"core/package.json": package("core"), "core/inner/package.json": package("inner"), "web/a/package.json": package("a")}
    found = workspace(files)
    assert [manifest.name for manifest in found.packages(0, "core")] == ["core"]
    assert [manifest.name for manifest in found.packages(1, "web")] == ["a"]


@given(st.sampled_from(sorted(MANIFESTS)), st.text(max_size=60) | st.sampled_from(['{"dependencies": []}', "[dependencies]\nx = 1", "<project/>", "\ufeff{}"]))
def test_no_package_file_makes_it_stop(name: str, text: str) -> None:
    read_manifest(f"web/{name}", text)
    assert moved(f"web/{name}", text, workspace({f"web/{name}": text}), {}) == (text, ())

"""Every kind of version file: which lines change when 1.3.0 follows 1.2.3, and that nothing else does."""

from __future__ import annotations

import json
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import yaml

from cicd_agents.analysis.version_files.editing import read, write
from cicd_agents.analysis.version_files.kinds.pattern import pattern
from cicd_agents.analysis.version_files.known import KINDS, kinds_of
from cicd_agents.analysis.version_files.places import Kind
from cicd_agents.domain.errors import UsageError

DATA = Path(__file__).parents[2] / "data" / "version_files"
BY_NAME = {kind.name: kind for kind in KINDS}

# The kind, the file, the lines that change from 1.2.3 to 1.3.0.
CHANGED: tuple[tuple[str, str, set[int]], ...] = (
    ("package.json", "package.json", {5}),
    ("package-lock.json", "package-lock.v1.json", {3}),
    ("package-lock.json", "package-lock.v3.json", {3, 9, 24}),
    ("Cargo.toml", "Cargo.toml", {5, 7, 15, 19, 22, 25}),
    ("Cargo.lock", "Cargo.lock", {6, 9, 24}),
    ("pyproject.toml", "pyproject.toml", {6, 11, 15}),
    ("uv.lock", "uv.lock", {6, 20}),
    ("poetry.lock", "poetry.lock", {9}),
    ("setup.cfg", "setup.cfg", {2, 8}),
    ("setup.py", "setup.py", {8}),
    ("__version__", "acme.py", {7}),
    ("version.txt", "version.txt", {1}),
    ("pom.xml", "pom.xml", {7}),
    ("gradle.properties", "gradle.properties", {4, 5}),
    ("build.gradle", "build.gradle", {7, 9}),
    ("build.gradle", "build.gradle.kts", {4, 5}),
    ("Chart.yaml", "Chart.yaml", {5, 6}),
    ("composer.json", "composer.json", {2}),
    ("gemspec", "acme.gemspec", {4}),
    ("version.rb", "version.rb", {7}),
    ("Gemfile.lock", "Gemfile.lock", {4, 6, 7, 18}),
    ("mix.exs", "mix.exs", {4, 13}),
    ("pubspec.yaml", "pubspec.yaml", {2}),
    ("msbuild", "acme.csproj", {4, 5}),
    ("OpenAPI", "openapi.yaml", {4}),
    ("OpenAPI", "openapi.json", {5}),
    ("kustomization.yaml", "kustomization.yaml", {4, 8}),
    ("marks", "marked.md", {1, 5, 8, 10}),
)  # fmt: skip
CASES = pytest.mark.parametrize(("kind", "file", "lines"), CHANGED, ids=[file for _, file, _ in CHANGED])


def text_of(file: str) -> str:
    return (DATA / file).read_bytes().decode()


def written(kind: str, text: str, old: str = "1.2.3", new: str = "1.3.0") -> str:
    return write(BY_NAME[kind], text, old, new)


def expected(text: str, lines: set[int]) -> str:
    changed = [line.replace("1.2.3", "1.3.0", 1) if number in lines else line for number, line in enumerate(text.splitlines(keepends=True), 1)]
    # A requirement of two numbers keeps two.
    return "".join(line.replace('"1.2"', '"1.3"') if number in lines else line for number, line in enumerate(changed, 1))


@CASES
def test_exactly_the_lines_of_the_package_change(kind: str, file: str, lines: set[int]) -> None:
    text = text_of(file)
    assert written(kind, text) == expected(text, lines)


@CASES
def test_windows_line_ends_a_byte_order_mark_and_a_missing_last_line_end_stay(kind: str, file: str, lines: set[int]) -> None:
    text = "\ufeff" + text_of(file).replace("\r\n", "\n").replace("\n", "\r\n").removesuffix("\r\n")
    assert written(kind, text) == expected(text, lines)


@CASES
def test_the_version_that_is_read_stands_on_a_line_that_changes(kind: str, file: str, lines: set[int]) -> None:
    found = read(BY_NAME[kind], text_of(file), file)
    assert found is not None
    assert (found.version.removeprefix("v"), found.path, found.kind) == ("1.2.3", file, kind)
    assert found.line in lines


@CASES
def test_a_second_time_changes_nothing_and_the_way_back_gives_the_old_bytes(kind: str, file: str, lines: set[int]) -> None:
    text = text_of(file)
    once = written(kind, text)
    assert written(kind, once) == once
    assert written(kind, once, "1.3.0", "1.2.3") == text


@pytest.mark.parametrize(("kind", "file"), [(kind, file) for kind, file, _ in CHANGED if kind != "marks"])
def test_another_version_than_the_current_one_stays(kind: str, file: str) -> None:
    assert written(kind, text_of(file), "4.5.6", "4.6.0") == text_of(file)


def test_every_kind_has_a_file() -> None:
    assert {kind for kind, _, _ in CHANGED} == set(BY_NAME) - {"marks in Python"}


PARSERS: dict[str, Any] = {".json": json.loads, ".toml": tomllib.loads, ".lock": tomllib.loads, ".yaml": yaml.safe_load}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    if isinstance(value, ElementTree.Element):
        children = {key: one for at, child in enumerate(value) for key, one in leaves(child, (*path, at, child.tag)).items()}
        return {(*path, "text"): (value.text or "").strip(), **{(*path, key): one for key, one in value.attrib.items()}, **children}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    return {path: value} if items is None else {key: one for name, item in items for key, one in leaves(item, (*path, name)).items()}


def parser_of(file: str) -> Any:
    return ElementTree.fromstring if file.endswith((".xml", ".csproj")) else PARSERS[Path(file).suffix]


STRUCTURED = [case for case in CHANGED if Path(case[1]).suffix in {*PARSERS, ".xml", ".csproj"} and case[1] != "Gemfile.lock"]


@pytest.mark.parametrize(("kind", "file", "lines"), STRUCTURED, ids=[case[1] for case in STRUCTURED])
def test_real_parsers_read_the_same_document_but_for_the_version(kind: str, file: str, lines: set[int]) -> None:
    parse, text = parser_of(file), text_of(file)
    before, after = leaves(parse(text)), leaves(parse(written(kind, text)))
    assert before.keys() == after.keys()
    changed = {key for key in before if before[key] != after[key]}
    assert len(changed) == len(lines)
    assert all(isinstance(after[key], str) and "1.3" in after[key] for key in changed)


TAKEN = (
    ("package.json", '{"version": "1.2.3-rc.1+build.5"}', "1.2.3-rc.1+build.5"),
    ("pyproject.toml", '[project]\nversion = "1.2.3rc1"\n', "1.2.3rc1"),
    ("pyproject.toml", 'project = { name = "x", version = "1.2.3" }\n', "1.2.3"),
    ("pyproject.toml", '[project]\ndynamic = ["version"]\n[tool.poetry]\nversion = "1.2.3"\n', "1.2.3"),
    ("Cargo.toml", 'package.name = "x"\npackage.version = "1.2.3"\n', "1.2.3"),
    ("setup.py", 'VERSION = "1.2.3"\nsetup(version=VERSION)\n', "1.2.3"),
    ("setup.py", 'import setuptools\nsetuptools.setup(version = "1.2.3")', "1.2.3"),
    ("__version__", "__version__ = version = '1.2.3'\n", "1.2.3"),
    ("version.txt", "v1.2.3\nmore words\n", "v1.2.3"),
    ("pom.xml", "<project><version>${revision}</version><properties><revision>1.2.3</revision></properties></project>", "1.2.3"),
    ("gradle.properties", "version 1.2.3", "1.2.3"),
    ("build.gradle", "project.version = '1.2.3'", "1.2.3"),
    ("Chart.yaml", "version: &v 1.2.3\nappVersion: *v\n", "1.2.3"),
    ("mix.exs", 'def project do [app: :x, version: "1.2.3"] end', "1.2.3"),
    ("pubspec.yaml", "version: 1.2.3+4 # build\n", "1.2.3+4"),
    ("msbuild", "<Project xmlns='urn:x'><PropertyGroup><VersionPrefix>1.2.3</VersionPrefix></PropertyGroup></Project>", "1.2.3"),
    ("OpenAPI", "swagger: '2.0'\ninfo: {version: 1.2.3}\n", "1.2.3"),
    ("OpenAPI", '{"info": {"version": "1.2.3"}, "swagger": "2.0"}', "1.2.3"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "version"), TAKEN)
def test_the_other_forms_are_read(kind: str, text: str, version: str) -> None:
    found = read(BY_NAME[kind], text)
    assert found is not None
    assert found.version == version


LEFT_ALONE = (
    ("package.json", '{"name": "x"}'),
    ("package.json", '{"version": "1.2.3",'),
    ("package.json", '["version", "1.2.3"]'),
    ("package.json", '{"version": "1.2.3"} {}'),
    ("package.json", '{"version": "1.2.3",}'),
    ("package.json", '{"version"= "1.2.3"}'),
    ("package.json", '{"version": "1.2\\u002e3"}'),
    ("package.json", '{"version": 1}'),
    ("pyproject.toml", '[project]\ndynamic = ["version"]\nversion = "1.2.3"\n'),
    ("pyproject.toml", '[project]\ndynamic = [\n  # "x"\n  \'version\',\n]\n'),
    ("pyproject.toml", '[tool.poetry]\nversion = "1.2.3"\n[tool.poetry-dynamic-versioning]\nenable = true\n'),
    ("pyproject.toml", '[project]\nversion = "1.2.3"\nbroken = [\n'),
    ("Cargo.toml", "[package]\nversion.workspace = true\n"),
    ("Cargo.toml", "[package]\nversion = { workspace = true }\n"),
    ("uv.lock", '[[package]]\nname = "x"\nsource = { editable = "." }\n'),
    ("setup.cfg", "[metadata]\nversion = attr: acme.__version__\n"),
    ("setup.cfg", "[metadata]\nversion = file: VERSION\n"),
    ("setup.py", "setup(version=read_version())\n"),
    ("setup.py", 'setup(version="1." + minor)\n'),
    ("setup.py", 'if True:\n    x = 1\nsetup(name="x", **{"version": "1.2.3"})\n'),
    ("__version__", '__version__ = importlib.metadata.version("acme")\n'),
    ("__version__", '__version__ = "1." "2.3"\n'),
    ("__version__", '__version__ = "1.2.3" if x else "1.2.3"\n'),
    ("version.txt", "the version is 1.2.3\n"),
    ("pom.xml", "<project><version>${revision}${changelist}</version></project>"),
    ("pom.xml", "<!DOCTYPE p [<!ENTITY v '1.2.3'>]><project><version>&v;</version></project>"),
    ("pom.xml", "<project><parent><version>x</version></parent></project>"),
    ("build.gradle", 'version = "1.2.3-${suffix}"\n'),
    ("build.gradle", 'version = "1.2.3" + suffix\n'),
    ("Chart.yaml", "version:\n  - 1.2.3\n"),
    ("Chart.yaml", "version: >-\n  1.2.3\n"),
    ("gemspec", "Gem::Specification.new do |s|\n  s.version = Acme::VERSION\nend\n"),
    ("mix.exs", "def project do\n  [version: @version]\nend\n"),
    ("pubspec.yaml", "dependencies:\n  version: 1.2.3\n"),
    ("msbuild", "<Project><PropertyGroup><Version>$(Base).3</Version></PropertyGroup></Project>"),
    ("OpenAPI", "info:\n  version: 1.2.3\n"),
    ("marks", "1.2.3 and the word cicd-agents-versions\n"),
    ("marks", "x-release-please-start-version\nnothing\nx-release-please-end\n1.2.3\n"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), LEFT_ALONE)
def test_what_is_no_literal_version_of_the_package_is_left_alone(kind: str, text: str) -> None:
    assert read(BY_NAME[kind], text) is None
    assert written(kind, text) == text


SPELT = (
    ("pyproject.toml", '[project]\nversion = "1.2.3"', "2.0.0-rc.1", '[project]\nversion = "2.0.0rc1"'),
    ("__version__", '__version__ = "v1.2.3"', "2.0.0-beta.2", '__version__ = "v2.0.0b2"'),
    ("package.json", '{"version": "1.2.3"}', "2.0.0-rc.1", '{"version": "2.0.0-rc.1"}'),
    ("Gemfile.lock", "PATH\n  specs:\n    a (1.2.3)\n", "2.0.0-rc.1", "PATH\n  specs:\n    a (2.0.0.pre.rc.1)\n"),
    ("Cargo.toml", '[dependencies]\na = { path = "a", version = "^1" }', "2.0.0", '[dependencies]\na = { path = "a", version = "^2" }'),
    ("Cargo.toml", '[dependencies]\na = { path = "a", version = "1.2" }', "2.0.0-rc.1", '[dependencies]\na = { path = "a", version = "2.0.0-rc.1" }'),
    ("pubspec.yaml", "version: 1.2.3+41", "2.0.0", "version: 2.0.0+42"),
    ("pubspec.yaml", "version: 1.2.3+a", "2.0.0", "version: 2.0.0+a"),
    ("pubspec.yaml", "version: 1.2.3", "2.0.0", "version: 2.0.0"),
    ("msbuild", "<Project><PropertyGroup><FileVersion>1.2.3.0</FileVersion></PropertyGroup></Project>", "2.0.0-rc.1",
     "<Project><PropertyGroup><FileVersion>2.0.0.0</FileVersion></PropertyGroup></Project>"),
    ("pom.xml", "<project><version>1.3.0-SNAPSHOT</version></project>", "2.0.0", "<project><version>2.0.0</version></project>"),
    ("pyproject.toml", '[project]\nversion = "1.3.0.dev0"', "2.0.0", '[project]\nversion = "2.0.0"'),
    ("version.txt", "v1.2.3\n", "2.0.0", "v2.0.0\n"),
    ("version.txt", "1.2.3\n", "2026.01.05", "2026.01.05\n"),
    ("setup.cfg", "[metadata]\nversion = 1.2.3\n", "2026.01.05", "[metadata]\nversion = 2026.01.05\n"),
    ("marks", "image: acme:1 # x-release-please-major", "2.0.0", "image: acme:2 # x-release-please-major"),
    ("marks", "1.2 # cicd-agents-minor", "2.7.0", "7.2 # cicd-agents-minor"),
    ("marks", "at 0.0.1-rc.2+b, 1.2.3 # cicd-agents-version", "2.0.0", "at 2.0.0, 1.2.3 # cicd-agents-version"),
    ("marks in Python", 'X = "1.2.3rc1"  # cicd-agents-version', "2.0.0-rc.2", 'X = "2.0.0rc2"  # cicd-agents-version'),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "new", "after"), SPELT)
def test_versions_are_spelt_as_the_file_wants_them(kind: str, text: str, new: str, after: str) -> None:
    assert written(kind, text, "1.2.3", new) == after


def test_the_current_version_is_known_in_the_spelling_of_the_file() -> None:
    assert written("pyproject.toml", '[project]\nversion = "1.2.3rc1"', "1.2.3-rc.1", "1.2.3") == '[project]\nversion = "1.2.3"'
    assert written("setup.cfg", "[metadata]\nversion = 1.2\n", "1.2.0", "1.3.0") == "[metadata]\nversion = 1.3.0\n"


def test_a_prerelease_that_python_has_no_word_for_is_refused() -> None:
    with pytest.raises(UsageError):
        written("pyproject.toml", '[project]\nversion = "1.2.3"', "1.2.3", "2.0.0-next.1")


@pytest.mark.parametrize(("path", "names"), [
    ("packages/a/package.json", {"package.json", "marks"}),
    ("npm-shrinkwrap.json", {"package-lock.json", "marks"}),
    ("setup.py", {"setup.py", "__version__", "marks in Python"}),
    ("src/Acme/Acme.fsproj", {"msbuild", "marks"}),
    ("Directory.Build.props", {"msbuild", "marks"}),
    ("api/petstore.openapi.yml", {"OpenAPI", "marks"}),
    ("docs/swagger.json", {"OpenAPI", "marks"}),
    ("VERSION", {"version.txt", "marks"}),
    ("lib/acme/version.rb", {"version.rb", "marks"}),
    ("overlays/prod/Kustomization", {"kustomization.yaml", "marks"}),
    (".gemspec", {"marks"}),
    ("my-package.json", {"marks"}),
])  # fmt: skip
def test_paths_belong_to_their_kinds(path: str, names: set[str]) -> None:
    assert {kind.name for kind in kinds_of(path)} == names


def own(expression: str) -> Kind:
    return pattern("deploy/app.tf", expression)


def test_a_pattern_of_the_users_changes_its_group_in_its_file_only() -> None:
    kind = own(r'^\s*tag\s*=\s*"é([^"]+)"')
    assert kind.belongs("deploy/app.tf")
    assert not kind.belongs("app.tf")
    assert write(kind, 'tag = "é1.0.0"\n  tag = "éx"\n # tag = "é1.0.0"\n', "1.2.3", "1.3.0") == 'tag = "é1.3.0"\n  tag = "éx"\n # tag = "é1.0.0"\n'


@pytest.mark.parametrize("expression", ["version", "(a)(b)", "(", r"(\d+)(?=x)"])
def test_a_pattern_that_cannot_be_used_is_refused_with_its_file(expression: str) -> None:
    with pytest.raises(UsageError, match=r"deploy/app\.tf"):
        own(expression)

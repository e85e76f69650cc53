"""What a release does to all version files of a repository together."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from cicd_agents.analysis.version_files.kinds.pattern import pattern
from cicd_agents.analysis.version_files.planning import Differing, planned_changes
from cicd_agents.domain.release import FileChange


def changed(files: Mapping[str, str], old: str | None = "1.2.3", new: str = "1.3.0") -> dict[str, str]:
    return dict(planned_changes(files, old, new).texts)


def npm(version: str, name: str = "acme") -> str:
    return json.dumps({"name": name, "version": version})


def toml(name: str, version: str, more: str = "") -> str:
    return f'[package]\nname = "{name}"\nversion = "{version}"\n{more}'


def locked(*packages: tuple[str, str]) -> str:
    return "".join(f'[[package]]\nname = "{name}"\nversion = "{version}"\n' for name, version in packages)


def pom(artifact: str, version: str = "", parent: str = "", parent_version: str = "1.2.3") -> str:
    own = f"<version>{version}</version>" if version else ""
    above = f"<parent><groupId>org.acme</groupId><artifactId>{parent}</artifactId><version>{parent_version}</version></parent>" if parent else ""
    return f"<project>{above}<groupId>org.acme</groupId><artifactId>{artifact}</artifactId>{own}</project>"


def test_each_file_is_told_once_with_its_old_and_new_version() -> None:
    files = {"package.json": npm("1.2.3"), "pyproject.toml": '[project]\nversion = "1.2.3"\n', "VERSION": "v1.2.3\n", "README.md": "1.2.3\n"}
    plan = planned_changes(files, "1.2.3", "1.3.0-rc.1")
    assert plan.changes == (
        FileChange("package.json", "1.2.3", "1.3.0-rc.1"),
        FileChange("pyproject.toml", "1.2.3", "1.3.0rc1"),
        FileChange("VERSION", "v1.2.3", "v1.3.0-rc.1"),
    )
    assert dict(plan.texts)["VERSION"] == "v1.3.0-rc.1\n"
    assert plan.disagreements == ()


def test_a_file_that_says_something_else_stays_and_is_told() -> None:
    plan = planned_changes({"package.json": npm("1.2.3"), "composer.json": '{\n"version": "1.1.0"}'}, "1.2.3", "1.3.0")
    assert [change.path for change in plan.changes] == ["package.json"]
    (told,) = plan.disagreements
    assert told.sentence(plan.current) == "composer.json:2 says 1.1.0, not 1.2.3; it stays."


def test_a_file_that_says_something_else_is_changed_where_that_is_wanted() -> None:
    plan = planned_changes({"composer.json": '{"version": "1.1.0"}'}, "1.2.3", "1.3.0", differing=Differing.CHANGE)
    assert plan.texts == (("composer.json", '{"version": "1.3.0"}'),)
    assert [told.changed for told in plan.disagreements] == [True]


def test_a_second_run_finds_nothing_to_do_and_nothing_to_tell() -> None:
    files = {
        "package.json": npm("1.2.3"), "pubspec.yaml": "version: 1.2.3+7\n",
        "a.csproj": "<Project><PropertyGroup><Version>1.2.3</Version></PropertyGroup></Project>",
        "README.md": "1.1.0 <!-- x-release-please-version -->\n", "pom.xml": pom("root", "1.2.3-SNAPSHOT"),
    }  # fmt: skip
    once = {**files, **changed(files)}
    again = planned_changes(once, "1.2.3", "1.3.0")
    assert all(once[path] != files[path] for path in files)
    assert (again.changes, again.texts, again.disagreements) == ((), (), ())


@pytest.mark.parametrize("version", ["0.0.0", "0.0.0-development", "0.0.0-semantically-released"])
def test_a_placeholder_stays_and_is_not_told(version: str) -> None:
    plan = planned_changes({"package.json": npm(version)}, "1.2.3", "1.3.0")
    assert (plan.changes, plan.disagreements) == ((), ())


def test_before_the_first_release_the_version_of_most_files_is_the_current_one() -> None:
    files = {"a/package.json": npm("0.9.0"), "package.json": npm("0.1.0"), "Chart.yaml": "version: 0.1.0\nappVersion: 0.1.0\n"}
    plan = planned_changes(files, None, "1.0.0")
    assert plan.current == "0.1.0"
    assert {change.path for change in plan.changes} == {"package.json", "Chart.yaml"}
    assert [told.path for told in plan.disagreements] == ["a/package.json"]


def test_before_the_first_release_without_a_version_only_marks_change() -> None:
    assert changed({"README.md": "at 0.0.0 <!-- cicd-agents-version -->", "package.json": "{}"}, None) == {"README.md": "at 1.3.0 <!-- cicd-agents-version -->"}


def test_a_lock_file_follows_its_manifest_even_where_it_was_behind() -> None:
    lock = json.dumps({"name": "acme", "version": "1.1.0", "packages": {"": {"name": "acme", "version": "1.1.0"}, "node_modules/a": {"version": "1.2.3"}}})
    plan = planned_changes({"package.json": npm("1.2.3"), "package-lock.json": lock}, "1.2.3", "1.3.0")
    after = json.loads(dict(plan.texts)["package-lock.json"])
    assert (after["version"], after["packages"][""]["version"], after["packages"]["node_modules/a"]["version"]) == ("1.3.0", "1.3.0", "1.2.3")
    assert {(told.path, told.changed) for told in plan.disagreements} == {("package-lock.json", True)}


def test_in_the_lock_file_of_a_workspace_only_the_released_package_changes() -> None:
    files = {"core/Cargo.toml": toml("core", "1.2.3"), "Cargo.lock": locked(("core", "1.2.3"), ("other", "1.2.3"))}
    assert changed(files)["Cargo.lock"] == locked(("core", "1.3.0"), ("other", "1.2.3"))


def test_a_lock_file_stays_with_a_manifest_that_stays() -> None:
    files = {"Cargo.toml": toml("core", "2.0.0"), "Cargo.lock": locked(("core", "1.2.3"))}
    assert changed(files) == {}


def test_crates_that_take_their_version_from_the_workspace_change_in_the_lock_file() -> None:
    files = {
        "Cargo.toml": '[workspace.package]\nversion = "1.2.3"\n[workspace.dependencies]\na = { path = "a", version = "1.2.3" }\n',
        "a/Cargo.toml": '[package]\nname = "a"\nversion.workspace = true\n',
        "b/Cargo.toml": '[package]\nname = "b"\nversion = "0.7.0"\n[dependencies]\na = { path = "../a", version = "1.2.3" }\n',
        "Cargo.lock": locked(("a", "1.2.3"), ("b", "0.7.0")),
    }
    plan = planned_changes(files, "1.2.3", "1.3.0")
    after = dict(plan.texts)
    assert after["Cargo.lock"] == locked(("a", "1.3.0"), ("b", "0.7.0"))
    assert after["b/Cargo.toml"] == files["b/Cargo.toml"].replace("1.2.3", "1.3.0")
    assert after["Cargo.toml"] == files["Cargo.toml"].replace("1.2.3", "1.3.0")
    assert [told.path for told in plan.disagreements] == ["b/Cargo.toml"]


def test_a_dependency_by_path_that_is_not_released_keeps_its_requirement() -> None:
    files = {"a/Cargo.toml": toml("a", "1.2.3", '[dependencies]\nb = { path = "../b", version = "1.2.3" }\n')}
    assert changed(files)["a/Cargo.toml"] == toml("a", "1.3.0", '[dependencies]\nb = { path = "../b", version = "1.2.3" }\n')


def test_a_renamed_dependency_is_known_by_its_package() -> None:
    files = {
        "b/Cargo.toml": toml("b", "1.2.3"),
        "a/Cargo.toml": toml("a", "1.2.3", '[dependencies]\nc = { package = "b", path = "../b", version = "1.2.3" }\n'),
    }
    assert changed(files)["a/Cargo.toml"] == toml("a", "1.3.0", '[dependencies]\nc = { package = "b", path = "../b", version = "1.3.0" }\n')


def test_names_of_python_packages_are_compared_as_lock_files_spell_them() -> None:
    lock = '[[package]]\nname = "acme-site"\nversion = "1.1.0"\nsource = { editable = "." }\n'
    files = {"pyproject.toml": '[project]\nname = "Acme_Site"\nversion = "1.2.3"\n', "uv.lock": lock}
    assert changed(files)["uv.lock"] == lock.replace("1.1.0", "1.3.0")


def test_modules_of_a_maven_reactor_change_with_their_parents_and_foreign_parents_stay() -> None:
    files = {
        "pom.xml": pom("root", "1.2.3", "spring", "1.2.3"),
        "a/pom.xml": pom("a", "", "root"),
        "a/b/pom.xml": pom("b", "", "a"),
        "c/pom.xml": pom("c", "1.2.3", "elsewhere"),
    }
    after = changed(files)
    assert after["pom.xml"] == pom("root", "1.3.0", "spring", "1.2.3")
    assert after["a/pom.xml"] == pom("a", "", "root", "1.3.0")
    assert after["a/b/pom.xml"] == pom("b", "", "a", "1.3.0")
    assert after["c/pom.xml"] == pom("c", "1.3.0", "elsewhere")


def test_parents_that_go_round_in_a_circle_are_no_trouble() -> None:
    assert changed({"pom.xml": pom("a", "", "b"), "b/pom.xml": pom("b", "", "a")}) == {
        "pom.xml": pom("a", "", "b", "1.3.0"),
        "b/pom.xml": pom("b", "", "a", "1.3.0"),
    }


def test_a_version_that_another_thing_has_is_not_told() -> None:
    files = {"Chart.yaml": 'version: 1.2.3\nappVersion: "16.4"\n', "kustomization.yaml": "images:\n- name: left\n  newTag: 7.0.0\n"}
    assert planned_changes(files, "1.2.3", "1.3.0").disagreements == ()


def test_a_mark_on_the_line_of_a_known_version_changes_it_once() -> None:
    text = '__version__ = "1.1.0"  # x-release-please-version\n'
    plan = planned_changes({"acme/__init__.py": text}, "1.2.3", "1.3.0-rc.1")
    assert plan.texts == (("acme/__init__.py", '__version__ = "1.3.0rc1"  # x-release-please-version\n'),)
    assert [(told.version, told.changed) for told in plan.disagreements] == [("1.1.0", True)]


def test_a_pattern_of_the_users_takes_part() -> None:
    kinds = (pattern("deploy.tf", 'tag = "([^"]+)"'),)
    plan = planned_changes({"deploy.tf": 'tag = "1.2.3"\n', "other.tf": 'tag = "1.2.3"\n'}, "1.2.3", "1.3.0", kinds)
    assert plan.texts == (("deploy.tf", 'tag = "1.3.0"\n'),)


def test_bytes_that_are_no_utf_8_stay() -> None:
    raw = b'# caf\xe9\n[project]\nversion = "1.2.3"\n'
    files = {"pyproject.toml": raw.decode("utf-8", "surrogateescape"), "Chart.yaml": b"# \xe9\nversion: 1.2.3\n".decode("utf-8", "surrogateescape")}
    assert changed(files)["pyproject.toml"].encode("utf-8", "surrogateescape") == raw.replace(b"1.2.3", b"1.3.0")
